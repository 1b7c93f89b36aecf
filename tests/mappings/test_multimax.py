"""multimax against mpmath, its Jacobians as printed, and what its thresholds do to masks, shifts,
order and infinities."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 10), elements=st.floats(-8, 8, width=32))
FOUR = st.lists(st.floats(-2, 2, width=32), min_size=4, max_size=4)
SHEET = {"thresholds": (-0.5, 0.5), "coefficients": (-1.0, -0.5)}  # slopes 2, 1, 1/2


def exact(x: np.ndarray, r: list[float], c: list[float]) -> list[float]:
    with mpmath.workdps(50):

        def bent(v: float) -> mpmath.mpf:
            v, total = mpmath.mpf(float(v)), mpmath.mpf(float(v))
            for k, (at, by) in enumerate(zip(r, c, strict=True)):
                gap = max(v - at if k % 2 else at - v, 0)
                total += by * gap ** (2 if k >= 2 else 1)
            return total

        powers = [mpmath.exp(bent(v)) for v in x]
        return [float(p / mpmath.fsum(powers)) for p in powers]


@given(x=ROWS, r=FOUR, c=FOUR)
@settings(deadline=None)
def test_against_mpmath(x, r, c):
    for order in (1, 2):
        r_, c_ = r[: 2 * order], c[: 2 * order]
        # Exponents up to 8 + 2 * 10 + 2 * 100 on either side, each good to 450 * 2^-53 * a few.
        np.testing.assert_allclose(
            sharplib.multimax(x, r_, c_), exact(x, r_, c_), rtol=1e-12, atol=1e-300
        )


def test_the_worked_row_of_three_temperatures():
    x = np.array([1.0, 0.9, -2.0, 0.2])
    for temperature, weights in [
        (1000.0, [0.250, 0.250, 0.249, 0.250]),
        (1.0, [0.393, 0.374, 0.006, 0.227]),
        (0.001, [1.0, 0.0, 0.0, 0.0]),
    ]:
        # Three printed digits: half a unit in the last.
        np.testing.assert_allclose(
            sharplib.multimax(x / temperature, **SHEET), weights, rtol=0, atol=5.1e-4
        )


def test_order_1_has_three_slopes():
    """σ is read off as the logarithm of the weights, beside an item at 0, where σ is 0."""
    x = np.linspace(-3, 3, 61)
    pair = np.stack([x, np.zeros(61)], axis=-1)
    p = sharplib.multimax(pair, **SHEET)
    bent = np.log(p[:, 0] / p[:, 1])
    # Values of order 3, from logarithms of weights that are good to 1e-16.
    np.testing.assert_allclose(bent, np.interp(x, [-3, -0.5, 0.5, 3], [-5.5, -0.5, 0.5, 1.75]))


def test_coefficients_of_0_give_softmax_to_the_last_bit(library, rng):
    values = rng.integers(-128, 128, size=(5, 6)) / 64
    values[0, 2], values[1, :] = -np.inf, -np.inf
    x = library.array(values)
    for n in (2, 4):
        p = sharplib.multimax(x, rng.standard_normal(n).tolist(), [0.0] * n)
        np.testing.assert_array_equal(library.numpy(p), library.numpy(sharplib.softmax(x)))


def test_huge_scores_do_not_overflow_squares_that_do_not_count():
    x = np.array([1e30, -1e30, 0.0], np.float32)
    p = sharplib.multimax(x, [0.0] * 4, [0.0] * 4)
    np.testing.assert_array_equal(p, [1, 0, 0])


def test_parameters_as_numbers_and_as_arrays_agree(library, rng):
    x = library.array(rng.integers(-128, 128, size=(5, 6)) / 64)
    r, c = [-0.5, 0.5, -1.0, 1.0], [-1.0, -0.5, 0.25, 0.125]
    as_numbers = library.numpy(sharplib.multimax(x, r, c))
    as_arrays = library.numpy(sharplib.multimax(x, library.array(r), library.array(c)))
    np.testing.assert_array_equal(as_numbers, as_arrays)


# --- what goes wrong elsewhere -------------------------------------------------------------------


def test_a_mask_before_the_thresholds_gives_no_nan(library):
    """-inf + c [r - (-inf)] is -inf + inf: the released code must be masked after σ."""
    x = library.array([[0.5, -np.inf, -1.0], [-np.inf] * 3])
    for c in ([-1.0, -0.5], [1.5, 0.5], [-1.0, -0.5, -1.0, 0.5], [0.5, 0.5, 2.0, 0.5]):
        r = [-0.5, 0.5, -0.5, 0.5][: len(c)]
        p = library.numpy(sharplib.multimax(x, r, c))
        np.testing.assert_array_equal(p[0, 1], 0)
        np.testing.assert_array_equal(p[1], np.zeros(3))
        without = library.numpy(sharplib.multimax(library.array([[0.5, -1.0]]), r, c))
        np.testing.assert_array_equal(p[0, [0, 2]], without[0])


def test_learned_parameters_over_masked_scores_have_finite_gradients():
    x = torch.tensor([[0.5, -torch.inf, -1.0], [-torch.inf] * 3], requires_grad=True)
    r = torch.tensor([0.0, 0.0, 0.0, 0.0], requires_grad=True)
    c = torch.tensor([-1.0, -0.5, -0.1, 0.1], requires_grad=True)
    sharplib.multimax(x, r, c)[:, 0].sum().backward()
    assert all(v.grad.isfinite().all() for v in (x, r, c))
    assert (x.grad[x.isinf()] == 0).all()
    assert (r.grad != 0).all()
    assert (c.grad != 0).all()


def test_a_shift_of_the_scores_is_a_shift_of_the_thresholds(rng):
    """The thresholds are absolute: a bias in the scores changes the map."""
    x = rng.integers(-128, 128, size=(20, 8)) / 64
    before = sharplib.multimax(x, **SHEET)
    assert np.abs(sharplib.multimax(x + 3, **SHEET) - before).max() > 0.1
    moved = sharplib.multimax(x + 3, (2.5, 3.5), SHEET["coefficients"])
    np.testing.assert_allclose(moved, before, rtol=1e-13)  # sums of a few numbers of order 5


def test_a_negative_slope_turns_the_order_round():
    """Nothing keeps σ from falling."""
    x = np.array([-3.0, -1.0, 0.0])
    p = sharplib.multimax(x, (-0.5, 0.5), (1.5, 0.0))  # slope -1/2 below -1/2
    assert p[0] > p[1]
    p = sharplib.multimax(x, (-0.5, 0.5), (1.0, 0.0))  # slope 0
    assert p[0] == p[1] < p[2]


def test_infinity_is_the_limit_where_the_scores_end_in_a_rise_and_nan_where_not():
    x = np.array([[np.inf, 0.0, np.inf], [0.0, 1.0, 2.0]])
    for c in ([0.0, -0.5], [0.0, 0.0, 0.0, 0.1], [0.0, -3.0, 0.0, 0.1]):
        p = sharplib.multimax(x, [0.0] * len(c), c)
        np.testing.assert_array_equal(p[0], [0.5, 0, 0.5])
        assert np.isfinite(p[1]).all()
    for c in ([0.0, -1.0], [0.0, -2.0], [0.0, 0.0, 0.0, -0.1], [0.0, -1.0, 0.0, 0.0]):
        p = sharplib.multimax(x, [0.0] * len(c), c)
        assert np.isnan(p[0]).all()
        assert np.isfinite(p[1]).all()


# --- gradients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_scores_thresholds_and_coefficients(order, rng):
    x = torch.tensor(1.5 * rng.standard_normal((4, 5)), requires_grad=True)
    r = torch.tensor(rng.standard_normal(2 * order), requires_grad=True)
    c = torch.tensor(rng.standard_normal(2 * order), requires_grad=True)
    assert torch.autograd.gradcheck(sharplib.multimax, (x, r, c))
    assert torch.autograd.gradgradcheck(sharplib.multimax, (x, r, c))


@pytest.mark.parametrize("order", [1, 2])
def test_the_jacobians_as_printed(order, rng):
    x, r, c = rng.standard_normal(7), rng.standard_normal(4), rng.standard_normal(4)
    if order == 1:
        c[2:] = 0
    below, above = np.maximum(r[:, None] - x, 0), np.maximum(x - r[:, None], 0)
    gaps = np.stack([below[0], above[1], below[2], above[3]])
    ones = (gaps > 0).astype(float)
    slope = 1 - c[0] * ones[0] + c[1] * ones[1] - 2 * c[2] * gaps[2] + 2 * c[3] * gaps[3]
    by_c = np.stack([gaps[0], gaps[1], gaps[2] ** 2, gaps[3] ** 2])
    by_r = np.stack([ones[0], -ones[1], 2 * gaps[2], -2 * gaps[3]]) * c[:, None]
    p = np.array(exact(x, r, c))
    inner = np.diag(p) - np.outer(p, p)
    expected = (inner * slope, inner @ by_r.T, inner @ by_c.T)
    tensors = [torch.tensor(v) for v in (x, r[: 2 * order], c[: 2 * order])]
    found = torch.func.jacrev(sharplib.multimax, argnums=(0, 1, 2))(*tensors)
    for ours, printed in zip(found, expected, strict=True):
        # Entries of order 10, a few operations each.
        np.testing.assert_allclose(ours, printed[:, : ours.shape[1]], rtol=0, atol=1e-13)


def test_the_thresholds_get_no_gradient_while_the_coefficients_are_0():
    x = torch.tensor([0.5, -0.5, 1.0])
    r, c = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    sharplib.multimax(x, r, c)[0].backward()
    assert (r.grad == 0).all()
    assert (c.grad != 0).all()


def test_half_the_steepest_slope_is_reached():
    low = torch.tensor([-2.0, -2.0], dtype=torch.float64)  # two equals where the slope is 2
    jacobian = torch.func.jacrev(lambda v: sharplib.multimax(v, **SHEET))(low)
    assert float(torch.linalg.matrix_norm(jacobian, 2)) == pytest.approx(1, rel=1e-14)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [[], [0.0], [0.0] * 3, [0.0] * 5, np.zeros((2, 2)), np.array(0.0)])
def test_parameters_come_in_twos_and_fours(bad):
    for name in ("thresholds", "coefficients"):
        with pytest.raises(ValueError, match=rf"^{name} must be two numbers .order 1. or four"):
            sharplib.multimax(np.zeros(3), **(SHEET | {name: bad}))


def test_there_are_as_many_thresholds_as_coefficients():
    with pytest.raises(ValueError, match=r"must be equally many, got 2 and 4$"):
        sharplib.multimax(np.zeros(3), [0.0] * 2, [0.0] * 4)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_parameters_are_finite(bad):
    for name in ("thresholds", "coefficients"):
        for values in ([0.0, bad], np.array([0.0, bad])):
            with pytest.raises(ValueError, match=rf"^{name} must be finite, got {bad}$"):
                sharplib.multimax(np.zeros(3), **(SHEET | {name: values}))


@pytest.mark.parametrize("bad", [0.5, "ab", None, [None, 1.0], ["a", "b"], np.zeros(2, int)])
def test_parameters_are_numbers(bad):
    for name in ("thresholds", "coefficients"):
        with pytest.raises((TypeError, ValueError), match=rf"^{name} must "):
            sharplib.multimax(np.zeros(3), **(SHEET | {name: bad}))


def test_a_list_of_tensors_is_refused_since_it_would_lose_their_gradient():
    learned = [torch.tensor(0.0, requires_grad=True), torch.tensor(1.0)]
    with pytest.raises(TypeError, match=r"^coefficients must be numbers, or one array of them"):
        sharplib.multimax(torch.zeros(3), [0.0, 0.0], learned)


def test_numpy_numbers_are_numbers():
    x, half, one = np.array([1.0, 0.9, -2.0]), np.float32(0.5), np.int64(1)
    np.testing.assert_array_equal(
        sharplib.multimax(x, (-half, half), [-one, -half]),
        sharplib.multimax(x, (-0.5, 0.5), [-1.0, -0.5]),
    )


def test_parameters_of_another_library_are_refused():
    with pytest.raises(TypeError, match=r"^thresholds must be numbers or the same kind of array"):
        sharplib.multimax(np.zeros(3), torch.zeros(2), [0.0, 0.0])
