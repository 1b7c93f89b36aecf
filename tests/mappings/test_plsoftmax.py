"""plsoftmax against its other two definitions, its matrix, and its inverse."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

# Scores on a grid of 1/8, so that ties and scores exactly delta below the top are common.
ROWS = hnp.arrays(np.float64, st.integers(1, 9), elements=st.integers(-24, 24).map(lambda k: k / 8))
WIDTHS = st.integers(1, 32).map(lambda k: k / 8)
CLOSE = {"rtol": 1e-13, "atol": 1e-15}  # sums of up to ten terms in float64


def smoothing_matrix(k: int) -> list[list[Fraction]]:
    """SM of the published matrix form, entry by entry."""
    m = [[Fraction(0)] * k for _ in range(k)]
    for i in range(1, k + 1):
        for j in range(i, k + 1):
            m[i - 1][j - 1] = Fraction(1, i) if i == j else Fraction(-1, j * (j - 1))
        m[i - 1][0] = Fraction(-1, k)
    m[0][0] = Fraction(k - 1, k)
    return m


def by_matrix(x: np.ndarray, delta: float) -> list[float]:
    """(1/δ) P⁻¹ SM P x + P⁻¹ u in rational numbers; k counts the boundary."""
    scores = [Fraction(float(v)) for v in x]
    width = Fraction(delta)
    order = sorted(range(len(x)), key=lambda i: -scores[i])
    k = sum(scores[order[0]] - score <= width for score in scores)
    p = [Fraction(0)] * len(x)
    for place, row in enumerate(smoothing_matrix(k)):
        linear = sum(m * scores[j] for m, j in zip(row, order, strict=False))
        p[order[place]] = linear / width + Fraction(1, k)
    return [float(v) for v in p]


def by_threshold(x: np.ndarray, delta: float) -> np.ndarray:
    """The law of the random threshold: the integral, exact between the depths of the scores."""
    depths = x.max() - x
    breaks = np.unique(np.r_[0, depths[depths < delta], delta])
    middles, lengths = (breaks[1:] + breaks[:-1]) / 2, np.diff(breaks)
    above = depths[:, None] <= middles
    return (above / above.sum(0) * lengths).sum(1) / delta


@given(x=ROWS, delta=WIDTHS)
@settings(deadline=None)
def test_equals_the_matrix_form(x, delta):
    np.testing.assert_allclose(sharplib.plsoftmax(x, delta), by_matrix(x, delta), **CLOSE)


@given(x=ROWS, delta=WIDTHS)
@settings(deadline=None)
def test_equals_the_random_threshold(x, delta):
    np.testing.assert_allclose(sharplib.plsoftmax(x, delta), by_threshold(x, delta), **CLOSE)


@pytest.mark.parametrize(
    ("delta", "weights"), [(1.0, [0.55, 0.35, 0.1]), (0.5, [0.7, 0.3, 0]), (0.1, [1, 0, 0])]
)
def test_worked_values(delta, weights):
    np.testing.assert_allclose(sharplib.plsoftmax(np.array([1, 0.8, 0.3]), delta), weights, **CLOSE)


@given(gap=st.floats(-5, 5), delta=WIDTHS)
@settings(deadline=None)
def test_two_items_are_sparsemax(gap, delta):
    p = sharplib.plsoftmax(np.array([gap, 0.0]), delta)
    first = np.clip(0.5 + gap / (2 * delta), 0, 1)
    np.testing.assert_allclose(p, [first, 1 - first], **CLOSE)
    np.testing.assert_allclose(p, sharplib.sparsemax(np.array([gap / delta, 0.0])), **CLOSE)


def test_three_items_are_not_sparsemax():
    x = np.array([1.0, 0.8, 0.3])
    assert np.abs(sharplib.plsoftmax(x, 1.0) - sharplib.sparsemax(x)).max() > 0.04


@given(x=ROWS, delta=WIDTHS)
@settings(deadline=None)
def test_one_item_has_it_all_exactly_when_it_leads_by_delta(x, delta):
    p = sharplib.plsoftmax(x, delta)
    others = np.delete(x, np.argmax(x))
    assert (p.max() == 1) == (others.size == 0 or x.max() - others.max() >= delta)
    np.testing.assert_array_equal(p > 0, x > x.max() - delta)  # exactly delta below weighs nothing
    assert (np.ptp(p) == 0) == (np.ptp(x) == 0)


@given(x=ROWS, delta=WIDTHS)
@settings(deadline=None)
def test_loses_at_most_delta_at_worst_and_half_of_it_on_average(x, delta):
    p = sharplib.plsoftmax(x, delta)
    assert x[p > 0].min() > x.max() - delta
    assert x @ p >= x.max() - delta / 2 - 1e-14  # the rounding of nine products


def test_an_item_exactly_delta_below_the_top_weighs_nothing_and_counts_nowhere(library):
    x = library.array([[1.0, 0.75, 0.5, 0.5, 0.0], [1.0, 0.75, -9.0, -9.0, -9.0]])
    p = library.numpy(sharplib.plsoftmax(x, 0.5))
    np.testing.assert_array_equal(p, [[0.75, 0.25, 0, 0, 0]] * 2)


def test_limits_in_delta():
    x = np.array([0.0, 3.0, 1.0, 3.0, -np.inf])
    for narrow in (1e-3, 1e-30, 5e-324):
        for row in (x, torch.tensor(x).float()):
            np.testing.assert_array_equal(sharplib.plsoftmax(row, narrow), [0, 0.5, 0, 0.5, 0])
    for row in (x, torch.tensor(x).float()):
        np.testing.assert_allclose(sharplib.plsoftmax(row, 1e300), [0.25] * 4 + [0])


def test_the_jacobian_is_the_matrix_and_is_not_symmetric():
    x = torch.tensor([0.9, 0.6, 0.3, -5.0], dtype=torch.float64)
    for delta in (1.0, 2.0):
        jacobian = torch.func.jacrev(lambda x, d=delta: sharplib.plsoftmax(x, d))(x).numpy()
        expected = np.zeros((4, 4))
        expected[:3, :3] = np.array(smoothing_matrix(3), dtype=float) / delta
        np.testing.assert_allclose(jacobian, expected, atol=1e-15)
        # Not symmetric, so it is the gradient of no function.
        assert np.abs(jacobian - jacobian.T).max() == pytest.approx(1 / (6 * delta))


def test_the_euclidean_slope_rises_towards_two_by_the_root_of_three():
    slopes = []
    for n in (2, 8, 64, 256):
        jacobian = torch.func.jacrev(lambda x: sharplib.plsoftmax(x, 1.0))(torch.zeros(n).double())
        slopes.append(float(torch.linalg.matrix_norm(jacobian, 2)))
    assert slopes == sorted(slopes)
    np.testing.assert_allclose(slopes[:2], [1, 1.116], atol=5e-4)  # three printed decimals
    # The rest falls like 0.31 / n.
    assert 2 / np.sqrt(3) - slopes[-1] == pytest.approx(0.312 / 256, rel=0.01)


@given(x=ROWS, delta=WIDTHS)
@settings(deadline=None)
def test_raising_one_score_lifts_its_weight_and_no_other(x, delta):
    jacobian = torch.func.jacrev(lambda x: sharplib.plsoftmax(x, delta))(torch.tensor(x)).numpy()
    np.testing.assert_allclose(jacobian.sum(0), 0, atol=1e-12)
    np.testing.assert_allclose(jacobian.sum(1), 0, atol=1e-12)
    assert (np.diag(jacobian) >= 0).all()
    assert (jacobian[~np.eye(len(x), dtype=bool)] <= 0).all()
    # A monotone operator: <J v, v> is never negative. Rounding of entries up to 8.
    assert np.linalg.eigvalsh(jacobian + jacobian.T).min() >= -1e-12


def test_gradients_of_scores_and_delta(rng):
    x = torch.tensor(rng.standard_normal((2, 5, 3)), requires_grad=True)
    delta = torch.tensor(rng.uniform(0.5, 3, (2, 1, 3)), requires_grad=True)
    both = (x, delta)
    assert torch.autograd.gradcheck(lambda x, d: sharplib.plsoftmax(x, d, axis=1), both)
    assert torch.autograd.gradgradcheck(lambda x, d: sharplib.plsoftmax(x, d, axis=1), both)
    x = x.detach()
    x[0, 2, 0] = -torch.inf
    x[1, :, 1] = -torch.inf
    x.requires_grad_()
    (by_x, by_delta) = torch.autograd.grad(
        sharplib.plsoftmax(x, delta, axis=1).square().sum(), (x, delta), create_graph=True
    )
    twice = torch.autograd.grad(by_x.square().sum() + by_delta.square().sum(), (x, delta))
    for gradient in (by_x, by_delta, *twice):
        assert gradient.isfinite().all()
    assert by_x[0, 2, 0] == 0
    assert (by_x[1, :, 1] == 0).all()


def test_one_delta_per_row(library, rng):
    values = rng.integers(-128, 128, size=(2, 5, 3)) / 64
    deltas = np.array([0.5, 1.0, 2.0])
    together = library.numpy(sharplib.plsoftmax(library.array(values), library.array(deltas), 1))
    for k, delta in enumerate(deltas):
        alone = sharplib.plsoftmax(library.array(values[:, :, k]), float(delta), 1)
        np.testing.assert_array_equal(together[:, :, k], library.numpy(alone))


def test_an_offset_of_a_million_in_float32_changes_nothing():
    x = np.array([[0.0, 0.25, 1.0, -3.0]], np.float32)
    for offset in (1e6, -1e6):  # on a grid of 1/16 there: the shift itself is exact
        moved = sharplib.plsoftmax(x + np.float32(offset), 2.0)
        np.testing.assert_array_equal(moved, sharplib.plsoftmax(x, 2.0))


def test_a_long_row_of_float32_keeps_its_sum_and_its_shape():
    x = np.linspace(0, 1, 300_001, dtype=np.float32)
    p = sharplib.plsoftmax(x, 1.0)
    wide = sharplib.plsoftmax(x.astype(np.float64), 1.0)
    # The depths are float32 numbers; sums over the row are taken in float64.
    np.testing.assert_allclose(p, wide, rtol=1e-6, atol=1e-12)


@given(x=ROWS, delta=WIDTHS)
@settings(deadline=None)
def test_the_inverse_gives_back_the_scores_on_the_support(x, delta):
    p = sharplib.plsoftmax(x, delta)
    back = sharplib.plsoftmax_inverse(p, delta)
    expected = np.maximum(x - x.max(), -delta)
    np.testing.assert_allclose(back, expected, rtol=0, atol=1e-13 * delta)
    np.testing.assert_array_equal(back[p == 0], -delta)


@given(shares=hnp.arrays(np.float64, st.integers(1, 9), elements=st.integers(0, 9)), delta=WIDTHS)
@settings(deadline=None)
def test_every_row_of_weights_has_an_inverse(shares, delta):
    if not shares.any():
        return
    p = shares / shares.sum()
    x = sharplib.plsoftmax_inverse(p, delta)
    by_definition = -delta * np.maximum(p - p[:, None], 0).sum(1)
    np.testing.assert_allclose(x, by_definition, rtol=0, atol=1e-14 * delta)
    back = sharplib.plsoftmax(x, delta)
    np.testing.assert_allclose(back, p, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(back == 0, p == 0)


def test_the_inverse_in_every_library(library):
    weights = np.array([[0.5, 0.375, 0.125, 0], [0, 0, 0, 0], [0.25] * 4, [1.5, -0.5, 0, 0]])
    result = library.numpy(sharplib.plsoftmax_inverse(library.array(weights), 2.0))
    expected = [[0, -0.25, -1.25, -2], [-np.inf] * 4, [0] * 4, [np.nan] * 4]
    np.testing.assert_array_equal(result, expected)  # eighths are exact everywhere
    dirty = library.array([[0.5, np.nan, 0.5], [0.5, 0.5, 0]])
    result = library.numpy(sharplib.plsoftmax_inverse(dirty, 1.0))
    np.testing.assert_array_equal(result, [[np.nan] * 3, [0, 0, -1]])
    for axis in (0, 1):
        assert sharplib.plsoftmax_inverse(library.array(np.zeros((0, 3))), 1.0, axis).shape == (
            0,
            3,
        )


def test_gradients_of_the_inverse(rng):
    p = torch.tensor(rng.dirichlet(np.ones(5), 3), requires_grad=True)
    delta = torch.tensor(rng.uniform(0.5, 3, (3, 1)), requires_grad=True)
    assert torch.autograd.gradcheck(sharplib.plsoftmax_inverse, (p, delta))
    assert torch.autograd.gradgradcheck(sharplib.plsoftmax_inverse, (p, delta))


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("function", [sharplib.plsoftmax, sharplib.plsoftmax_inverse])
def test_a_delta_that_is_not_positive_is_refused(function, bad):
    with pytest.raises(ValueError, match=r"^delta must be > 0 and finite, got "):
        function(np.zeros(3), bad)
    with pytest.raises(ValueError, match=r"^delta must be > 0 and finite in every row, got "):
        function(np.zeros((1, 3)), np.array([[bad]], dtype=float))


def test_a_delta_that_cannot_be_read_gives_nan():
    x, delta = torch.zeros(2, 3), torch.tensor([1.0, -1.0])
    result = torch.func.vmap(sharplib.plsoftmax)(x, delta)
    assert result[0].isfinite().all()
    assert result[1].isnan().all()
