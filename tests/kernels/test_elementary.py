"""The elementary functions of the loops against arithmetic with 40 digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit

from sharplib.kernels import _loops

PRECISIONS = pytest.mark.parametrize("real", [np.float32, np.float64])


def over(function: Any, x: np.ndarray) -> np.ndarray:
    """The function of every item, from a compiled loop."""

    @njit(**_loops._OPTIONS)
    def every(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    y = np.empty_like(x)
    every(x, y)
    return y


def worst(y: np.ndarray, x: np.ndarray, exact: Callable[[Any], Any]) -> float:
    """The largest error in units of the last place of the result."""
    with mpmath.workdps(40):
        wanted = [exact(mpmath.mpf(float(value))) for value in x]
        errors = [abs(mpmath.mpf(float(got)) - w) for got, w in zip(y, wanted, strict=True)]
    near = np.abs(np.array([float(w) for w in wanted])).astype(y.dtype)
    return max(float(e) / float(u) for e, u in zip(errors, np.spacing(near), strict=True))


def spread(low: float, high: float, real: type, sign: float = 1.0) -> np.ndarray:
    """Numbers of all sizes between two powers of ten."""
    rng = np.random.default_rng(0)
    return (sign * 10 ** rng.uniform(low, high, 1_500)).astype(real)


@PRECISIONS
def test_exp(real):
    lowest = -87 if real is np.float32 else -708  # below, the result is not a normal number
    x = spread(-30, np.log10(-lowest), real, -1.0)
    assert worst(over(_loops.exp, x), x, mpmath.exp) < 1


@PRECISIONS
def test_exp_of_what_underflows_is_exactly_zero(real):
    x = np.array([-np.inf, np.finfo(real).min, -1e4, 0.0], real)
    np.testing.assert_array_equal(over(_loops.exp, x), [0, 0, 0, 1])


@PRECISIONS
def test_exp_down_to_the_smallest_numbers(real):
    """Half a unit there, and half a unit before it."""
    x = np.linspace(-103 if real is np.float32 else -745, -80, 1_000).astype(real)
    tiny = np.finfo(real).smallest_subnormal
    exact = np.exp(x.astype(np.float64)) if real is np.float32 else np.exp(x)
    np.testing.assert_allclose(over(_loops.exp, x), exact, rtol=4 * np.finfo(real).eps, atol=tiny)


@PRECISIONS
def test_log(real):
    bits = 37 if real is np.float32 else 307
    x = np.concatenate([spread(-bits, bits, real), spread(-0.2, 0.2, real)])
    assert worst(over(_loops.log, x), x, mpmath.log) < 2


@PRECISIONS
def test_log_of_subnormal_numbers(real):
    x = np.array([np.finfo(real).smallest_subnormal, np.finfo(real).smallest_normal / 3], real)
    assert worst(over(_loops.log, x), x, mpmath.log) < 2


@PRECISIONS
def test_log1p(real):
    x = np.concatenate([spread(-20, 6, real), spread(-20, -0.01, real, -1.0)])
    assert worst(over(_loops.log1p, x), x, mpmath.log1p) < 4


@PRECISIONS
def test_expm1(real):
    x = spread(-20, 1.9, real, -1.0)
    assert worst(over(_loops.expm1, x), x, mpmath.expm1) < 2


@PRECISIONS
def test_sin_and_cos(real):
    x = np.concatenate([spread(-10, 4.9, real), spread(-10, 4.9, real, -1.0)])
    sine, cosine = (njit(lambda x, k=k: _loops.sin_cos(x, 0.0)[k]) for k in (0, 1))
    with mpmath.workdps(40):
        exact = [(mpmath.sin(float(value)), mpmath.cos(float(value))) for value in x]
    for function, k in ((sine, 0), (cosine, 1)):
        wanted = np.array([float(pair[k]) for pair in exact])
        # Next to a zero the error is that of the angle, so it is measured against 1.
        np.testing.assert_allclose(over(function, x), wanted, rtol=0, atol=2 * np.finfo(real).eps)
