"""sparsegen and sparsehourglass against an optimiser and their limits."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 10), elements=st.floats(-4, 4, width=32))


@pytest.mark.parametrize("lam", [-2.0, 0.0, 0.4, 0.8])
def test_sparsegen_is_what_an_optimiser_finds(lam, rng):
    for _ in range(3):
        x = rng.standard_normal(5)
        found = scipy.optimize.minimize(
            lambda p, x=x: np.sum((p - x) ** 2) - lam * np.sum(p**2),
            np.full(5, 0.2),
            jac=lambda p, x=x: 2 * (p - x) - 2 * lam * p,
            bounds=[(0, 1)] * 5,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1, "jac": np.ones_like},
            method="SLSQP",
            options={"ftol": 1e-15},
        )
        # The optimiser stops when the objective, of curvature 0.2 or more, changes by 1e-15.
        np.testing.assert_allclose(sharplib.sparsegen(x, lam), found.x, atol=1e-7)


def test_softmax_is_a_member():
    """Exponentials, with lam = 1 minus their sum."""
    x = np.array([0.3, -1.0, 0.8, 0.1])
    powers = np.exp(x)
    np.testing.assert_allclose(
        sharplib.sparsegen(powers, 1 - powers.sum()), sharplib.softmax(x), rtol=0, atol=2e-16
    )


def test_limits_of_lam():
    x = np.array([1.0, 0.9, -2.0, 1.0])
    np.testing.assert_array_equal(sharplib.sparsegen(x, 0.9), [0.5, 0, 0, 0.5])
    np.testing.assert_allclose(sharplib.sparsegen(x, -1e9), np.full(4, 0.25), atol=1e-8)


def test_gradients_of_scores_and_lam(rng):
    x = torch.tensor(rng.standard_normal((3, 5)), requires_grad=True)
    lam = torch.tensor([[-1.0], [0.1], [0.6]]).double().requires_grad_()
    assert torch.autograd.gradcheck(sharplib.sparsegen, (x, lam))
    assert torch.autograd.gradgradcheck(sharplib.sparsegen, (x, lam))


@pytest.mark.parametrize("bad", [1, 1.5, float("nan"), float("inf")])
def test_a_lam_of_one_or_more_is_refused(bad):
    with pytest.raises(ValueError, match=r"^lam must be "):
        sharplib.sparsegen(np.zeros(3), bad)
    with pytest.raises(ValueError, match=r"^lam must be .* in every row, got "):
        sharplib.sparsegen(np.zeros(3), np.array([float(bad)]))


def test_a_bad_lam_that_cannot_be_read_gives_nan():
    result = torch.func.vmap(sharplib.sparsegen)(torch.zeros(2, 3), torch.tensor([0.5, 1.5]))
    assert result[0].isfinite().all()
    assert result[1].isnan().all()


@given(x=ROWS, q=st.floats(0.01, 10))
@settings(deadline=None)
def test_sparsehourglass_by_its_definition(x, q):
    scale = (1 + len(x) * q) / (abs(x.sum()) + len(x) * q)
    # The scale is rounded: 1e-16 of scores up to 4, times a scale up to 100.
    np.testing.assert_allclose(
        sharplib.sparsehourglass(x, q), sharplib.sparsemax(scale * x), rtol=0, atol=1e-12
    )


@given(x=ROWS, q=st.floats(0.01, 10))
@settings(deadline=None)
def test_sparsehourglass_leaves_weights_alone(x, q):
    p = sharplib.sparsehourglass(x, q)
    np.testing.assert_allclose(sharplib.sparsehourglass(p, q), p, rtol=0, atol=1e-14)


@pytest.mark.parametrize("total", [-2.0, -2.5, -40.0])
def test_sparsehourglass_where_the_sum_is_at_or_below_minus_n_q(total):
    """There sparsecone, whose scale has no absolute value, divides by 0 or turns the order."""
    x = np.array([0.5, 0.25, -0.25, 0.0]) + (total - 0.5) / 4
    p = sharplib.sparsehourglass(x, q=0.5)
    assert p.sum() == pytest.approx(1)
    np.testing.assert_array_equal(np.argsort(-p, kind="stable"), np.argsort(-x, kind="stable"))


def test_sparsehourglass_limits_of_q(rng):
    x = rng.uniform(0.1, 1, 6)
    # q counts against sums up to 6: they differ by about q, or 1 / q.
    np.testing.assert_allclose(sharplib.sparsehourglass(x, 1e-9), x / x.sum(), atol=1e-7)
    np.testing.assert_allclose(sharplib.sparsehourglass(x, 1e9), sharplib.sparsemax(x), atol=1e-7)


def test_sparsehourglass_gradients_of_scores_and_q(rng):
    x = torch.tensor(rng.standard_normal((4, 5)), requires_grad=True)
    q = torch.tensor([[0.1], [0.5], [1.0], [4.0]]).double().requires_grad_()
    assert torch.autograd.gradcheck(sharplib.sparsehourglass, (x, q))
    assert torch.autograd.gradgradcheck(sharplib.sparsehourglass, (x, q))


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf")])
def test_a_q_that_is_not_positive_is_refused(bad):
    with pytest.raises(ValueError, match=r"^q must be > 0 and finite, got "):
        sharplib.sparsehourglass(np.zeros(3), bad)
