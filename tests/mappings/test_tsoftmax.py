"""tsoftmax against mpmath, its Jacobian as printed, its limits, and its distance as a parameter."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 10), elements=st.floats(-50, 50, width=32))
DISTANCES = st.floats(0.0625, 100, width=32)


def exact(x: np.ndarray, t: float) -> list[float]:
    with mpmath.workdps(60):
        scores = [mpmath.mpf(float(v)) for v in x]
        top = max(scores)
        mass = [max(s - top + mpmath.mpf(float(t)), 0) * mpmath.exp(s - top) for s in scores]
        return [float(m / mpmath.fsum(mass)) for m in mass]


@given(x=ROWS, t=DISTANCES)
@settings(deadline=None)
def test_against_mpmath(x, t):
    # x and t are float32 numbers, so that the ramp is exact in float64 up to 1e-16 times its 200.
    np.testing.assert_allclose(sharplib.tsoftmax(x, t), exact(x, t), rtol=1e-13, atol=1e-15)


def test_the_worked_row_of_three_temperatures():
    x = np.array([1.0, 0.9, -2.0, 0.2])
    for temperature, weights in [
        (1000.0, [0.250, 0.250, 0.249, 0.250]),
        (1.0, [0.525, 0.428, 0.0, 0.047]),
        (0.001, [1.0, 0.0, 0.0, 0.0]),
    ]:
        # Three printed digits: half a unit in the last.
        np.testing.assert_allclose(
            sharplib.tsoftmax(x / temperature, t=1.0), weights, rtol=0, atol=5.1e-4
        )


def test_the_support_ends_at_t_below_the_top(library):
    x = library.array([[2.0, 1.0, 0.5, 0.0], [2.0, 1.25, 1.0, 1.0]])
    support = library.numpy(sharplib.tsoftmax(x, 1.0)) > 0
    np.testing.assert_array_equal(support, [[1, 0, 0, 0], [1, 1, 0, 0]])


def test_a_large_t_gives_softmax_and_a_small_one_the_maximal_scores(library):
    x = library.array([[1.0, 0.5, -2.0], [1.0, 1.0, 0.0]])
    soft = library.numpy(sharplib.tsoftmax(x, 1e20))  # the ramp is 1 in every precision
    np.testing.assert_array_equal(soft, library.numpy(sharplib.softmax(x)))
    for t in (1e-3, 1e-30, 5e-324):
        hard = library.numpy(sharplib.tsoftmax(x, t))
        np.testing.assert_array_equal(hard, [[1, 0, 0], [0.5, 0.5, 0]])


@pytest.mark.parametrize("t", [5e-324, 1e-40, 1e40, 1.7e308])
def test_a_distance_beyond_the_precision_of_the_scores_neither_overflows_nor_vanishes(library, t):
    p = library.numpy(sharplib.tsoftmax(library.array([[0.0, 1.0], [1.0, 1.0]]), t))
    expected = [[0.0, 1.0], [0.5, 0.5]] if t < 1 else sharplib.softmax([[0.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(p, expected, rtol=library.eps + 4 * library.work_eps)


def test_one_distance_per_row(library, rng):
    values = rng.integers(-128, 128, size=(2, 5, 3)) / 64
    distances = np.array([0.5, 1.0, 4.0])
    together = library.numpy(sharplib.tsoftmax(library.array(values), library.array(distances), 1))
    for k, t in enumerate(distances):
        alone = sharplib.tsoftmax(library.array(values[:, :, k]), float(t), 1)
        np.testing.assert_array_equal(together[:, :, k], library.numpy(alone))


def test_the_jacobian_as_printed(rng):
    """J = diag(p + g) - p (p + g)ᵀ - (g - G p) eᵀ, with rows and columns that add up to 0."""
    for _ in range(10):
        x = rng.standard_normal(7)
        t = 1.5
        w = np.maximum(x - x.max() + t, 0)
        mass = w * np.exp(x)
        p = mass / mass.sum()
        g = (w > 0) * np.exp(x) / mass.sum()
        top = np.eye(7)[x.argmax()]
        expected = np.diag(p + g) - np.outer(p, p + g) - np.outer(g - g.sum() * p, top)
        jacobian = torch.func.jacrev(lambda v, t=t: sharplib.tsoftmax(v, t))(torch.tensor(x))
        # Entries of order 1, a few operations each.
        np.testing.assert_allclose(jacobian, expected, rtol=0, atol=1e-14)
        np.testing.assert_allclose(jacobian.sum(0), 0, atol=1e-14)
        np.testing.assert_allclose(jacobian.sum(1), 0, atol=1e-14)


def test_gradients_of_scores_and_distance(rng):
    x = torch.tensor(rng.standard_normal((5, 4)), requires_grad=True)
    t = torch.tensor(rng.uniform(0.5, 2, (5, 1)), requires_grad=True)
    assert torch.autograd.gradcheck(sharplib.tsoftmax, (x, t))
    assert torch.autograd.gradgradcheck(sharplib.tsoftmax, (x, t))


def test_tied_maxima_share_the_gradient_of_the_maximum():
    x = torch.tensor([1.0, 1.0, 0.5], dtype=torch.float64)
    jacobian = torch.func.jacrev(lambda v: sharplib.tsoftmax(v, 1.0))(x)
    step = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)  # the tie holds along this one
    h = 1e-6
    moved = sharplib.tsoftmax(x + h * step, 1.0) - sharplib.tsoftmax(x - h * step, 1.0)
    # A central difference: its error is of order h² = 1e-12, and rounding adds 1e-16 / h.
    torch.testing.assert_close(jacobian @ step, moved / (2 * h), rtol=0, atol=1e-9)
    swapped = jacobian[[1, 0, 2]][:, [1, 0, 2]]
    torch.testing.assert_close(jacobian, swapped, rtol=0, atol=1e-15)


def test_a_learned_distance_over_masked_scores_has_a_finite_gradient():
    x = torch.tensor([[0.0, 1.0, -torch.inf], [-torch.inf] * 3], requires_grad=True)
    t = torch.tensor(2.0, requires_grad=True)
    sharplib.tsoftmax(x, t)[:, 0].sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad[x.isinf()] == 0).all()
    assert t.grad.isfinite()
    assert t.grad > 0  # a longer ramp raises the lower item


def test_does_not_jump_where_ties_break():
    before = sharplib.tsoftmax(np.array([1e-9, 0.0, -1e-9]), 1.0)
    after = sharplib.tsoftmax(np.array([-1e-9, 0.0, 1e-9]), 1.0)
    # The slope there is at most 2 (1 + 1/t) / 3, times a step of 2e-9.
    assert np.abs(after - before).max() < 5e-9


@pytest.mark.parametrize("bad", [0, 0.0, -1.0, float("nan"), float("inf"), np.float64(-2)])
def test_the_distance_must_be_positive_and_finite(bad):
    for x in (np.zeros((2, 3)), torch.zeros(2, 3)):
        with pytest.raises(ValueError, match=r"^t must be > 0 and finite, got "):
            sharplib.tsoftmax(x, bad)
    with pytest.raises(ValueError, match=r"^t must be > 0 and finite in every row, got "):
        sharplib.tsoftmax(np.zeros((2, 3)), np.array([[1.0], [bad]]))


def test_a_bad_distance_gives_nan_where_it_cannot_be_read():
    x, t = torch.zeros(2, 3), torch.tensor([1.0, -1.0])
    p = torch.func.vmap(sharplib.tsoftmax)(x, t)
    assert p[0].isfinite().all()
    assert p[1].isnan().all()
