"""sparsemax against the definition, solved in rational arithmetic, and what only it has."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(-4, 4, width=32))


def exact(x: np.ndarray) -> list[Fraction]:
    """Sort, accumulate, clip: without rounding."""
    scores = [Fraction(float(v)) for v in x]
    down = sorted(scores, reverse=True)
    size = max(k for k in range(1, len(down) + 1) if 1 + k * down[k - 1] > sum(down[:k]))
    threshold = (sum(down[:size]) - 1) / size
    return [max(v - threshold, Fraction(0)) for v in scores]


@given(x=ROWS)
@settings(deadline=None, max_examples=300)
def test_sparsemax_in_rational_arithmetic(x):
    # Scores up to 4, so a shift by the maximum and the threshold are off by 2**-50 at most. On the
    # border of the support the sign of such an error decides, so zeros are compared alike.
    np.testing.assert_allclose(
        sharplib.sparsemax(x), [float(v) for v in exact(x)], rtol=0, atol=1e-15
    )


def test_sparsemax_is_the_projection_that_an_optimiser_finds(rng):
    for _ in range(5):
        x = rng.standard_normal(6)
        found = scipy.optimize.minimize(
            lambda p, x=x: np.sum((p - x) ** 2),
            np.full(6, 1 / 6),
            jac=lambda p, x=x: 2 * (p - x),
            bounds=[(0, 1)] * 6,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1, "jac": np.ones_like},
            method="SLSQP",
            options={"ftol": 1e-15},
        )
        # The optimiser stops when the objective no longer changes: 1e-15, its root in p.
        np.testing.assert_allclose(sharplib.sparsemax(x), found.x, atol=3e-8)


@given(t=st.floats(-3, 3))
def test_two_items(t):
    p = sharplib.sparsemax(np.array([t, 0.0]))
    np.testing.assert_allclose(p, [np.clip((t + 1) / 2, 0, 1), np.clip((1 - t) / 2, 0, 1)])


@given(x=ROWS)
@settings(deadline=None)
def test_projecting_twice_changes_nothing(x):
    p = sharplib.sparsemax(x)
    np.testing.assert_allclose(sharplib.sparsemax(p), p, rtol=0, atol=1e-15)


@given(x=ROWS)
@settings(deadline=None)
def test_a_gap_between_scores_bounds_the_gap_between_weights(x):
    """0 <= p_i - p_j <= x_i - x_j for x_i >= x_j."""
    x = np.sort(x)
    gaps = np.diff(sharplib.sparsemax(x))
    assert (gaps >= 0).all()
    assert (gaps <= np.diff(x) + 1e-15).all()


def test_the_temperature_at_which_it_hardens():
    """k tied maxima share the mass exactly if and only if the temperature is <= k times the gap."""
    x = np.array([1.0, 1.0, 0.25, -3.0])  # two maxima, gap 0.75
    np.testing.assert_array_equal(sharplib.sparsemax(x / 1.5), [0.5, 0.5, 0, 0])
    assert sharplib.sparsemax(x / 1.501)[2] > 0
    # At a temperature of 1e6 the scores differ by 4e-6.
    np.testing.assert_allclose(sharplib.sparsemax(x / 1e6), np.full(4, 0.25), atol=4e-6)


def test_the_jacobian_written_out(rng):
    x = torch.tensor(rng.standard_normal(7))
    inside = (sharplib.sparsemax(x) > 0).double()
    expected = torch.diag(inside) - torch.outer(inside, inside) / inside.sum()
    torch.testing.assert_close(torch.func.jacrev(sharplib.sparsemax)(x), expected)


@pytest.mark.parametrize("offset", [-1e6, 1e6])
def test_float32_rows_far_from_zero(offset, rng):
    # float32 numbers near 1e6 are 1/16 apart: multiples of that survive the offset unchanged.
    x = (rng.integers(-24, 24, size=(50, 20)) / 16).astype(np.float32)
    moved = x + np.float32(offset)
    np.testing.assert_allclose(sharplib.sparsemax(moved), sharplib.sparsemax(x), atol=1e-6)


def test_ten_million_items(rng):
    x = rng.standard_normal(10_000_000).astype(np.float32)
    p = sharplib.sparsemax(x)
    top = np.sort(x)[-100:].astype(np.float64)  # more than the support
    np.testing.assert_allclose(np.sort(p)[-100:], [float(v) for v in exact(top)], atol=1e-7)
    assert np.count_nonzero(p) < 100


def test_sums_to_one_though_almost_all_weights_are_tiny():
    """A top weight near 1/2 and half a million of 1e-6: their threshold needs more than float32."""
    x = np.full(500_001, -0.5 + 1e-6, dtype=np.float32)
    x[0] = 0.0
    p = sharplib.sparsemax(x)
    # Each weight is rounded once to float32.
    assert p.astype(np.float64).sum() == pytest.approx(1, abs=1e-7)


@given(
    x=hnp.arrays(
        np.float64,
        st.integers(1, 40),
        elements=st.integers(0, 1000).map(lambda k: -(0.97**k)) | st.floats(-1, 0),
    )
)
@settings(deadline=None, max_examples=300)
def test_rows_that_make_newton_work(x):
    """Scores that crowd towards the threshold leave the support a few at a time."""
    np.testing.assert_allclose(
        sharplib.sparsemax(x), [float(v) for v in exact(x)], rtol=0, atol=1e-15
    )


def test_one_saved_tensor():
    saved = []
    x = torch.randn(7, 11, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        sharplib.sparsemax(x)
    assert [t.shape for t in saved] == [x.shape]
