"""softpick against its formula at 50 digits, and near the zero of the scores."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(-50, 50, width=32))


def exact(x: np.ndarray, eps: float = 0.0) -> list[float]:
    with mpmath.workdps(50):
        # Scores down to 1e-45: exp(v) - 1 would need as many digits again.
        parts = [mpmath.expm1(mpmath.mpf(float(v))) for v in x]
        total = mpmath.fsum(abs(v) for v in parts) + eps
        return [float(max(v, 0) / total) if total else 0.0 for v in parts]


@given(x=ROWS)
@settings(deadline=None)
def test_softpick_against_mpmath(x):
    # Exponents up to 50, rounded once, and a sum of twelve: 50 * 2**-53 and a little.
    np.testing.assert_allclose(sharplib.softpick(x), exact(x), rtol=1e-13, atol=1e-300)


@given(x=ROWS)
@settings(deadline=None)
def test_the_papers_addition_to_the_denominator_is_felt_near_zero_alone(x):
    if np.abs(x).max() >= 0.01:
        # The paper's 1e-8 beside a denominator of at least 0.01.
        np.testing.assert_allclose(sharplib.softpick(x), exact(x, eps=1e-8), rtol=1.01e-6)


@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-12, 1e-30])
def test_scores_near_zero_keep_full_precision(size):
    """exp(x - m) - exp(-m) in float32 has lost all digits at 1e-8; only ratios matter there."""
    x = np.array([3 * size, size, -size, 0.0], dtype=np.float32)
    # To first order 3/5 and 1/5; the next order is of relative size x.
    np.testing.assert_allclose(sharplib.softpick(x), [0.6, 0.2, 0, 0], rtol=3 * size + 5e-7)


def test_high_scores_do_not_overflow(library):
    result = library.numpy(sharplib.softpick(library.array([1e4, 1e4, 0.0, -1e4])))
    np.testing.assert_allclose(result, [0.5, 0.5, 0, 0], rtol=library.eps)


def test_a_masked_item_is_not_a_score_of_minus_infinity(library):
    """In the formula e^-inf - 1 = -1 would count 1 in the denominator."""
    masked = library.numpy(sharplib.softpick(library.array([1.0, -np.inf, -np.inf])))
    np.testing.assert_array_equal(masked, [1, 0, 0])
    low = library.numpy(sharplib.softpick(library.array([1.0, -100.0, -100.0])))
    expected = (np.e - 1) / (np.e + 1)
    np.testing.assert_allclose(low, [expected, 0, 0], rtol=library.eps + 8 * library.work_eps)


@given(x=ROWS)
@settings(deadline=None)
def test_weights_sum_to_at_most_one_and_scores_up_to_zero_get_none(x):
    p = sharplib.softpick(x)
    assert p.sum() <= 1 + 1e-15 * len(x)
    np.testing.assert_array_equal(p > 0, x > 0)


def test_a_row_without_a_positive_score_gives_zeros(library):
    x = library.array([[0.0, 0.0, 0.0], [-1.0, -2.0, 0.0]])
    np.testing.assert_array_equal(library.numpy(sharplib.softpick(x)), np.zeros((2, 3)))


def test_the_jacobian_as_printed():
    """J_ij = (δ_ij 1[x_i > 0] e^x_i - p_i sign(x_j) e^x_j) / D: low scores push, without weight."""
    x = np.array([1.5, -0.5, 0.25, -3.0])
    p, total = sharplib.softpick(x), np.abs(np.expm1(x)).sum()
    expected = (np.diag((x > 0) * np.exp(x)) - np.outer(p, np.sign(x) * np.exp(x))) / total
    jacobian = torch.func.jacrev(sharplib.softpick)(torch.tensor(x)).numpy()
    np.testing.assert_allclose(jacobian, expected, rtol=1e-13, atol=1e-16)
    assert jacobian[0, 1] > 0.05
    assert (jacobian[[1, 3]] == 0).all()


def test_gradients_are_finite_at_zero_and_in_masked_rows():
    x = torch.tensor([[0.0, 0.0], [1.0, -torch.inf], [-1.0, 0.0]], requires_grad=True)
    sharplib.softpick(x)[:, 0].sum().backward()
    np.testing.assert_array_equal(x.grad, np.zeros((3, 2)))


def test_what_n_does_depends_on_where_the_scores_lie():
    """A top item 5 above the others: they cost nothing at 0, and everything away from it."""
    for n in (100, 10_000):
        at_zero = sharplib.softpick(np.append(np.zeros(n - 1), 5.0))
        above = sharplib.softpick(np.append(np.ones(n - 1), 6.0))
        below = sharplib.softpick(np.append(-np.ones(n - 1), 4.0))
        assert at_zero[-1] == 1
        for p, low, high in ((above, 1.0, 6.0), (below, -1.0, 4.0)):
            expected = np.expm1(high) / (np.expm1(high) + (n - 1) * abs(np.expm1(low)))
            assert p[-1] == pytest.approx(expected, rel=1e-12)
