"""normmax against an optimiser and the published examples, and what only it has."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 6), elements=st.floats(-2, 2, width=32))


def exact(x: np.ndarray, alpha: float) -> list[float]:
    """Bisect for the threshold in 60 digits."""
    with mpmath.workdps(60):
        root = 1 / (mpmath.mpf(alpha) - 1)
        scores = [mpmath.mpf(float(v)) - mpmath.mpf(float(max(x))) for v in x]
        low, high = mpmath.mpf(-1), mpmath.mpf(0)
        for _ in range(180):
            middle = (low + high) / 2
            total = mpmath.fsum((v - middle) ** (1 + root) for v in scores if v > middle)
            low, high = (middle, high) if total > 1 else (low, middle)
        z = [(v - low) ** root if v > low else mpmath.mpf(0) for v in scores]
        return [float(v / mpmath.fsum(z)) for v in z]


@pytest.mark.parametrize("alpha", [1.1, 1.5, 2.0, 3.0, 10.0])
@settings(deadline=None, max_examples=20)
@given(x=ROWS)
def test_normmax_in_sixty_digits(alpha, x):
    # Above alpha = 2 weights enter vertically: a rounding step of the threshold, 1e-16, becomes its
    # root, 1e-16^(1/9) = 0.02 at alpha = 10, for an item that is so close to the border.
    expected = np.array(exact(x, alpha))
    p = sharplib.normmax(x, alpha)
    clear = expected > 1e-3 if alpha > 2 else np.ones(len(x), bool)
    np.testing.assert_allclose(p[clear], expected[clear], rtol=0, atol=1e-13)


def test_the_published_examples():
    five = np.array([0, 0.25, 0.5, 0.75, 1])
    # Printed with four digits.
    np.testing.assert_allclose(
        sharplib.normmax(np.array([-2, 0, 0.5])), [0, 0.3110, 0.6890], atol=5e-5
    )
    np.testing.assert_allclose(
        sharplib.normmax(five), [0, 0.0239, 0.1746, 0.3254, 0.4761], atol=5e-5
    )
    np.testing.assert_allclose(
        sharplib.normmax(five, 1000), [0, 0, 0.3330, 0.3334, 0.3336], atol=5e-5
    )


@pytest.mark.parametrize("alpha", [1.2, 2.0, 5.0])
def test_no_point_of_the_simplex_is_better(alpha, rng):
    def value(p, x):
        return p @ x - np.linalg.norm(p, alpha, axis=-1)

    for _ in range(20):
        x = rng.standard_normal(6)
        p = sharplib.normmax(x, alpha)
        others = rng.dirichlet(np.full(6, 0.5), 1000)
        nearby = 0.99 * p + 0.01 * others
        best = value(p, x)
        assert (value(others, x) <= best + 1e-15).all()
        assert (value(nearby, x) <= best + 1e-15).all()


def test_the_jacobian_written_out(rng):
    """The sheet's form, N^(α-1)/(α-1) (diag b - p bᵀ - b pᵀ + (Σ b) p pᵀ) with b = p^(2-α)."""
    x = torch.tensor(0.7 * rng.standard_normal(7))
    for alpha in (1.5, 2.0, 3.0):
        p = sharplib.normmax(x, alpha)
        norm = torch.linalg.vector_norm(p, alpha)
        b = torch.where(p > 0, p ** (2 - alpha), 0)
        expected = torch.diag(b) - torch.outer(p, b) - torch.outer(b, p)
        expected = norm ** (alpha - 1) / (alpha - 1) * (expected + b.sum() * torch.outer(p, p))
        slope = torch.func.jacrev(lambda x, a=alpha: sharplib.normmax(x, a))(x)
        torch.testing.assert_close(slope, expected)


def test_gradients_of_scores_and_alpha(rng):
    x = torch.tensor(0.7 * rng.standard_normal((4, 5)), requires_grad=True)
    alpha = torch.tensor([[1.2], [1.7], [2.0], [2.6]]).double().requires_grad_()
    assert torch.autograd.gradcheck(sharplib.normmax, (x, alpha))
    assert torch.autograd.gradgradcheck(sharplib.normmax, (x, alpha))


@pytest.mark.parametrize("alpha", [2.0, 50.0, 200.0, 1e4])
def test_gradients_of_long_rows_at_a_high_alpha(alpha):
    """At equal scores J is (I - 1/n) n^(-1/α) / (α - 1), though n^-α is 0 in floating point."""
    n = 2000
    x = torch.zeros(n + 1, dtype=torch.float64)
    x[n] = -2.0  # beyond the support
    x.requires_grad_()
    (slope,) = torch.autograd.grad(sharplib.normmax(x, alpha)[0], x, create_graph=True)
    size = n ** (-1 / alpha) / (alpha - 1)
    expected = np.r_[size * (np.eye(n)[0] - 1 / n), 0]
    # Exponents up to alpha log n are rounded.
    np.testing.assert_allclose(slope.detach(), expected, rtol=1e-11, atol=1e-20)
    assert torch.autograd.grad(slope[1], x)[0].isfinite().all()


def test_limits_of_alpha():
    x = np.array([1.0, 1.0, 0.9, 0.0, -0.5])
    np.testing.assert_allclose(sharplib.normmax(x, 1.001), [0.5, 0.5, 0, 0, 0], atol=1e-15)
    # p ∝ (x - τ)^(1/(α - 1)): with distances from 0.05 up that is within 3e-6 of a constant.
    np.testing.assert_allclose(sharplib.normmax(x, 1e6), [1 / 3] * 3 + [0, 0], atol=1e-5)


def test_one_alpha_per_row(rng):
    x, alphas = rng.standard_normal((3, 5)), np.array([[1.5], [2.0], [4.0]])
    together = sharplib.normmax(x, alphas)
    for k in range(3):
        np.testing.assert_array_equal(together[k], sharplib.normmax(x[k], float(alphas[k, 0])))


@pytest.mark.parametrize("bad", [1, 0.5, -1.0, float("nan"), float("inf")])
def test_an_alpha_of_one_or_less_is_refused(bad):
    with pytest.raises(ValueError, match=r"^alpha must be > 1 and finite, got "):
        sharplib.normmax(np.zeros(3), bad)


def test_a_bad_alpha_that_cannot_be_read_gives_nan():
    result = torch.func.vmap(sharplib.normmax)(torch.zeros(2, 3), torch.tensor([1.5, 0.5]))
    assert result[0].isfinite().all()
    assert result[1].isnan().all()
