"""entmax15 against the sorting formula in 50 digits, and what only it has."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(-4, 4, width=32))


def exact(x: np.ndarray) -> list[float]:
    """Sort; the threshold of the first k items is mean - sqrt((1/k) - variance)."""
    with mpmath.workdps(50):
        half = [mpmath.mpf(float(v)) / 2 for v in x]
        down = sorted(half, reverse=True)
        for k in range(len(down), 0, -1):
            mean = mpmath.fsum(down[:k]) / k
            variance = mpmath.fsum((v - mean) ** 2 for v in down[:k]) / k
            if variance <= mpmath.mpf(1) / k:
                threshold = mean - mpmath.sqrt(mpmath.mpf(1) / k - variance)
                if threshold < down[k - 1]:
                    break
        return [float(max(v - threshold, 0) ** 2) for v in half]


@given(x=ROWS)
@settings(deadline=None, max_examples=300)
def test_entmax15_in_fifty_digits(x):
    # A few rounding steps of numbers up to 1.
    np.testing.assert_allclose(sharplib.entmax15(x), exact(x), rtol=0, atol=1e-15)


@given(t=st.floats(-3, 3))
def test_two_items(t):
    """(t, 0): the roots of the weights are t/4 ± sqrt(1/2 - t²/16), inside |t| < 2."""
    p = sharplib.entmax15(np.array([t, 0.0]))
    root = t / 4 + np.sqrt(max(0.5 - t**2 / 16, 0))
    expected = root**2 if abs(t) < 2 else float(t > 0)
    assert p[0] == pytest.approx(expected, abs=1e-15)


def test_the_jacobian_written_out(rng):
    x = torch.tensor(rng.standard_normal(7))
    u = sharplib.entmax15(x).sqrt()
    expected = torch.diag(u) - torch.outer(u, u) / u.sum()
    torch.testing.assert_close(torch.func.jacrev(sharplib.entmax15)(x), expected)


def test_the_slope_has_no_jump_where_an_item_enters():
    """At a gap of 2 the second weight leaves 0; just inside, its slope is still small."""
    slope = torch.func.jacrev(sharplib.entmax15)(torch.tensor([2 - 1e-6, 0.0]).double())
    assert 0 < float(slope[1, 1]) < 1e-5
    kink = torch.func.jacrev(sharplib.sparsemax)(torch.tensor([1 - 1e-6, 0.0]).double())
    assert float(kink[1, 1]) == 0.5


def test_the_steepest_slope_for_two_items():
    slope = torch.func.jacrev(sharplib.entmax15)(torch.zeros(2, dtype=torch.float64))
    assert float(torch.linalg.matrix_norm(slope, 2)) == pytest.approx(0.5**0.5)


@pytest.mark.parametrize("offset", [-1e6, 1e6])
def test_float32_rows_far_from_zero(offset, rng):
    # float32 numbers near 1e6 are 1/16 apart: multiples of that survive the offset unchanged.
    x = (rng.integers(-48, 48, size=(50, 20)) / 16).astype(np.float32)
    moved = x + np.float32(offset)
    np.testing.assert_allclose(sharplib.entmax15(moved), sharplib.entmax15(x), atol=1e-6)


def test_ten_million_items(rng):
    x = rng.standard_normal(10_000_000).astype(np.float32)
    p = sharplib.entmax15(x)
    top = np.sort(x)[-200:]  # more than the support
    # One rounding of float32 weights.
    np.testing.assert_allclose(np.sort(p)[-200:], exact(top), atol=1e-7)
    assert np.count_nonzero(p) < 200
    np.testing.assert_allclose(sharplib.entmax15(np.zeros(10_000_000)), 1e-7, rtol=1e-15)


@given(
    x=hnp.arrays(
        np.float64,
        st.integers(1, 30),
        elements=st.integers(0, 1000).map(lambda k: -2 * (0.97**k)) | st.floats(-2, 0),
    )
)
@settings(deadline=None)
def test_rows_that_make_newton_work(x):
    """Scores that crowd towards the threshold leave the support a few at a time."""
    np.testing.assert_allclose(sharplib.entmax15(x), exact(x), rtol=0, atol=1e-15)


def test_one_saved_tensor():
    saved = []
    x = torch.randn(7, 11, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        sharplib.entmax15(x)
    assert [t.shape for t in saved] == [x.shape]
