"""power_softmax against mpmath, and what sets it apart: ratios, and scores of 0."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

# From 1e-6 to 1e6, and 0.
SCORES = st.one_of(st.just(0.0), st.floats(-6, 6).map(lambda e: float(10**e)))
ROWS = hnp.arrays(np.float64, st.integers(1, 10), elements=SCORES)
POWERS = st.floats(0.05, 20)


def exact(x: np.ndarray, alpha: float) -> list[float]:
    with mpmath.workdps(50):
        powers = [mpmath.mpf(max(float(v), 0.0)) ** mpmath.mpf(alpha) for v in x]
        total = mpmath.fsum(powers)
        return [float(p / total) if total else 1 / len(x) for p in powers]


@given(x=ROWS, alpha=POWERS)
@settings(deadline=None)
def test_against_mpmath(x, alpha):
    # Exponents up to 20 * log(1e12) = 553, each with a rounding of 2**-53.
    np.testing.assert_allclose(
        sharplib.power_softmax(x, alpha), exact(x, alpha), rtol=1e-12, atol=1e-300
    )


@given(x=ROWS, alpha=POWERS, factor=st.sampled_from([2.0**-20, 0.125, 4.0, 2.0**30]))
@settings(deadline=None)
def test_only_ratios_count(x, alpha, factor):
    np.testing.assert_allclose(
        sharplib.power_softmax(factor * x, alpha), sharplib.power_softmax(x, alpha), rtol=1e-11
    )
    if (x > 0).all():
        same = sharplib.softmax(alpha * np.log(x))  # products up to 276: 6e-14 in the exponent
        np.testing.assert_allclose(sharplib.power_softmax(x, alpha), same, rtol=1e-12)


@given(x=ROWS, alpha=POWERS)
@settings(deadline=None)
def test_keeps_the_promised_share_of_the_maximum(x, alpha):
    kept = x @ sharplib.power_softmax(x, alpha)
    # Rounding of ten products.
    assert kept >= (1 - 1e-12) * x.max() * len(x) ** (-1 / (alpha + 1))


def test_scores_of_zero_or_less(library):
    x = library.array(
        [[0, 1, 2, -3], [0, 0, 0, 0], [-1, -2, -np.inf, 0], [-1, -1, -2, -4], [-np.inf] * 4]
    )
    result = library.numpy(sharplib.power_softmax(x, 1.0))
    third = np.array([1, 1, 0, 1]) / 3
    expected = [[0, 1 / 3, 2 / 3, 0], [0.25] * 4, third, [0.25] * 4, [0] * 4]
    np.testing.assert_allclose(result, expected, rtol=1.01 * library.eps + 4 * library.work_eps)


def test_limits_in_alpha():
    x = np.array([0.0, 3.0, 1.0, 3.0, -np.inf])
    for row in (x, torch.tensor(x).float()):
        np.testing.assert_array_equal(sharplib.power_softmax(row, 1e300), [0, 0.5, 0, 0.5, 0])
        flat = sharplib.power_softmax(row, 1e-300)
        np.testing.assert_allclose(flat, [0, 1 / 3, 1 / 3, 1 / 3, 0], rtol=1e-7)  # float32


def test_scores_at_the_edge_of_the_precision():
    for dtype in (np.float32, np.float64):
        top, tiny = np.finfo(dtype).max, np.finfo(dtype).smallest_normal
        p = sharplib.power_softmax(np.array([top, tiny, 0, -top], dtype), 0.01)
        share = float((np.longdouble(tiny) / np.longdouble(top)) ** np.longdouble(0.01))
        # A logarithm of up to 1419 / 100 with one rounding.
        np.testing.assert_allclose(p[1] / p[0], share, rtol=20 * np.finfo(dtype).eps)


def test_gradients_of_scores_and_alpha(rng):
    x = torch.tensor(rng.uniform(0.2, 3, (2, 5, 3)), requires_grad=True)
    alpha = torch.tensor(rng.uniform(0.3, 3, (2, 1, 3)), requires_grad=True)
    both = (x, alpha)
    assert torch.autograd.gradcheck(lambda x, a: sharplib.power_softmax(x, a, axis=1), both)
    assert torch.autograd.gradgradcheck(lambda x, a: sharplib.power_softmax(x, a, axis=1), both)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_gradients_are_finite_next_to_zeros_and_masks(alpha):
    x = torch.tensor([[1.0, 2.0, 0.0, -torch.inf, -1.0], [0.0] * 5, [-torch.inf] * 5])
    x.requires_grad_()
    power = torch.tensor(alpha, requires_grad=True)
    by_x, by_alpha = torch.autograd.grad(sharplib.power_softmax(x, power)[:, 0].sum(), (x, power))
    assert by_alpha.isfinite()
    assert (by_x[0, 2:] == 0).all()
    assert (by_x[1:] == 0).all()
    p, q = 1 / (1 + 2**alpha), 2**alpha / (1 + 2**alpha)
    # α p_i (δ_ij - p_j) / x_j, in float32
    expected = torch.tensor([alpha * p * q, -alpha * p * q / 2])
    torch.testing.assert_close(by_x[0, :2], expected)


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf")])
def test_an_alpha_that_is_not_positive_is_refused(bad):
    with pytest.raises(ValueError, match=r"^alpha must be > 0 and finite, got "):
        sharplib.power_softmax(np.ones(3), bad)


def test_an_alpha_that_cannot_be_read_gives_nan():
    x, alpha = torch.ones(2, 3), torch.tensor([1.0, -1.0])
    result = torch.func.vmap(sharplib.power_softmax)(x, alpha)
    assert result[0].isfinite().all()
    assert result[1].isnan().all()
