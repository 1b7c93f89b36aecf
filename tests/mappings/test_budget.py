"""budget against an optimiser and the published examples, and what only it has."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(-4, 4, width=32))
COUNTS = st.integers(0, 12).map(float) | st.floats(0, 12)


def exact(x: np.ndarray, k: float) -> list[Fraction]:
    """Walk down the corners x and x - 1 of the sum, and interpolate: without rounding."""
    scores, goal = [Fraction(float(v)) for v in x], Fraction(k)
    if goal >= len(scores):
        return [Fraction(1)] * len(scores)

    def at(threshold):
        return [min(max(v - threshold, Fraction(0)), Fraction(1)) for v in scores]

    corners = sorted({v for s in scores for v in (s, s - 1)}, reverse=True)
    for upper, lower in itertools.pairwise(corners):
        below, above = sum(at(upper)), sum(at(lower))
        if below <= goal < above:
            return at(upper + (lower - upper) * (goal - below) / (above - below))
    raise AssertionError


@given(x=ROWS, k=COUNTS)
@settings(deadline=None, max_examples=400)
def test_budget_in_rational_arithmetic(x, k):
    # Scores up to 4 and their shifts: a few times 2**-51.
    np.testing.assert_allclose(
        sharplib.budget(x, k), [float(v) for v in exact(x, k)], rtol=0, atol=4e-15
    )


@given(
    x=hnp.arrays(np.float64, st.integers(1, 8), elements=st.integers(-1000, 1000).map(float)),
    scale=st.sampled_from([1e-6, 1.0, 1e3, 1e100]),
    k=st.integers(0, 8).map(float),
)
@settings(deadline=None)
def test_a_wide_row_keeps_its_sum(x, scale, k):
    p = sharplib.budget(scale * x, k)
    assert ((p >= 0) & (p <= 1)).all()
    if scale <= 1e3:  # else differences of scores drown the interval from 0 to 1
        # Distances up to 2e6 from the top are rounded to 4e-10.
        assert p.sum() == pytest.approx(min(k, len(x)), abs=1e-8)


def test_the_published_examples():
    five = np.array([0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(sharplib.budget(five, 2), [0, 0.125, 0.375, 0.625, 0.875])
    np.testing.assert_array_equal(sharplib.budget(2 * five, 3), [0, 0.25, 0.75, 1, 1])


@given(x=ROWS)
@settings(deadline=None)
def test_a_budget_of_one_is_sparsemax(x):
    np.testing.assert_allclose(sharplib.budget(x, 1), sharplib.sparsemax(x), rtol=0, atol=4e-15)


@given(x=ROWS, k=COUNTS)
@settings(deadline=None)
def test_projecting_twice_changes_nothing(x, k):
    p = sharplib.budget(x, k)
    np.testing.assert_allclose(sharplib.budget(p, k), p, rtol=0, atol=4e-15)


def test_fewer_items_than_the_budget():
    np.testing.assert_array_equal(
        sharplib.budget(np.array([[3.0, -np.inf, 5.0], [0.0, 1.0, 2.0]]), 3), [[1, 0, 1], [1, 1, 1]]
    )
    np.testing.assert_array_equal(sharplib.budget(np.array([1.0, 2.0]), 0), [0, 0])


def test_infinite_scores_take_what_they_can_and_leave_the_rest():
    x = np.array([[np.inf, 0.0, 0.5, 9.0], [np.inf, np.inf, np.inf, 0.0]])
    np.testing.assert_allclose(
        sharplib.budget(x, 2), [[1, 0, 0, 1], [2 / 3, 2 / 3, 2 / 3, 0]], rtol=1e-15
    )


def test_it_hardens_at_a_temperature_up_to_the_gap():
    x = np.array([4.0, 2.0, 1.0, 0.0])  # the second and third largest are 1 apart
    np.testing.assert_array_equal(sharplib.budget(x, 2), [1, 1, 0, 0])
    assert sharplib.budget(x / 1.01, 2)[2] > 0


def test_the_jacobian_written_out(rng):
    x = torch.tensor(rng.standard_normal(9))
    p = sharplib.budget(x, 3.5)
    inside = ((p > 0) & (p < 1)).double()
    assert (p == 1).any()
    expected = torch.diag(inside) - torch.outer(inside, inside) / inside.sum()
    slope = torch.func.jacrev(lambda x: sharplib.budget(x, 3.5))(x)
    torch.testing.assert_close(slope, expected)


def test_gradients_of_scores_and_budget(rng):
    x = torch.tensor(rng.standard_normal((4, 6)), requires_grad=True)
    k = torch.tensor([[0.7], [1.3], [2.6], [4.1]]).double().requires_grad_()
    assert torch.autograd.gradcheck(sharplib.budget, (x, k))
    assert torch.autograd.gradgradcheck(sharplib.budget, (x, k))


def test_ten_million_items(rng):
    x = rng.standard_normal(10_000_000).astype(np.float32)
    p = sharplib.budget(x, 5)
    top = np.sort(x)[-100:]  # more than the support
    np.testing.assert_allclose(
        np.sort(p)[-100:], [float(v) for v in exact(top, 5.0)], rtol=0, atol=1e-7
    )
    assert np.count_nonzero(p) < 100


@pytest.mark.parametrize("offset", [-1e6, 1e6])
def test_float32_rows_far_from_zero(offset, rng):
    # float32 numbers near 1e6 are 1/16 apart: multiples of that survive the offset unchanged.
    x = (rng.integers(-24, 24, size=(50, 20)) / 16).astype(np.float32)
    moved = x + np.float32(offset)
    np.testing.assert_allclose(sharplib.budget(moved, 3), sharplib.budget(x, 3), atol=1e-6)


@pytest.mark.parametrize("bad", [-1, -0.1, float("nan"), float("inf")])
def test_a_budget_that_is_negative_or_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match=r"^k must be >= 0 and finite, got "):
        sharplib.budget(np.zeros(3), bad)
