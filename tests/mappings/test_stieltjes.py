"""stieltjes against a root that SciPy finds, and against Newton runs that stop too soon."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-20, 20, width=32))
WILD = st.floats(allow_nan=False, allow_infinity=False, width=64)
POWERS = st.floats(1, 64)


def exact(x: np.ndarray, q: float) -> np.ndarray:
    """Bisection between the two ends that the sum allows; no step, no derivative."""
    below = x.max() - x

    def excess(pole):
        return np.sum((pole + below) ** -q) - 1

    high = len(x) ** (1 / q)
    if len(x) == 1 or excess(high) >= 0:  # all equal, to rounding
        return (high + below) ** -q
    return (scipy.optimize.bisect(excess, 1, high, xtol=1e-15, rtol=1e-15) + below) ** -q


@given(x=ROWS, q=POWERS)
@example(x=np.zeros(6), q=61.0)
@settings(deadline=None)
def test_stieltjes_against_bisection(x, q):
    # Bisection ends within 2e-15 of a root near 1, and its power q = 64 within 64 times that.
    np.testing.assert_allclose(sharplib.stieltjes(x, q), exact(x, q), rtol=2e-13)


@given(x=hnp.arrays(np.float64, st.integers(1, 12), elements=WILD), q=POWERS)
@settings(deadline=None, max_examples=300)
def test_converges_for_every_finite_row(x, q):
    p = sharplib.stieltjes(x, q)
    assert p.sum() == pytest.approx(1, abs=1e-14)
    # The equation itself: p^(-1/q) + x is one number λ for every item, where it can be told.
    with np.errstate(over="ignore"):
        near = x.max() - x < 1e3
    pole = p[near] ** (-1 / q) - (x.max() - x[near])
    np.testing.assert_allclose(pole, pole.max(), atol=1e-9)  # 1e3 and powers, rounded


@pytest.mark.parametrize("q", [1, 4])
@pytest.mark.parametrize("n", [16, 64, 1024, 16384])
def test_long_rows_are_normalised(n, q):
    """Three Newton steps from 1.1 leave sums of up to 1862 on these rows."""
    for x in (np.zeros(n), np.random.default_rng(n).standard_normal(n)):
        p = sharplib.stieltjes(x, q)
        assert p.sum() == pytest.approx(1, abs=1e-12)
        # Solved, not divided into shape: the two differ by the whole factor.
        np.testing.assert_allclose(p, exact(x, q), rtol=1e-12)


def test_two_items_by_hand():
    """q = 1: 1/λ + 1/(λ + gap) = 1 is a quadratic equation in λ."""
    gap = 1.5
    pole = (2 - gap + np.sqrt(gap**2 + 4)) / 2
    np.testing.assert_allclose(
        sharplib.stieltjes(np.array([0.0, -gap]), 1), [1 / pole, 1 / (pole + gap)], rtol=1e-14
    )


@pytest.mark.parametrize("q", [8.0, 64.0, 1024.0])
def test_tends_to_softmax_as_the_power_grows(q):
    x = np.array([0.0, 1.0, 2.5, 3.0])
    apart = np.abs(sharplib.stieltjes(x / q, q) - scipy.special.softmax(x)).max()
    assert 0.01 / q < apart < 1 / q  # of first order in 1/q


@pytest.mark.parametrize("q", [1.0, 2.0, 4.0])
def test_disperses_once_n_is_above_the_spread_to_the_power_q(q):
    """(n^(1/q) + D)^-q <= p <= (n^(1/q) - D)^-q for scores in a window of width D."""
    spread = 1.5
    for n in (100, 10_000, 1_000_000):
        p = sharplib.stieltjes(np.random.default_rng(n).uniform(0, spread, n), q)
        root = n ** (1 / q)
        assert (root + spread) ** -q <= p.min()
        assert p.max() <= (root - spread) ** -q


def test_one_power_per_row(library, rng):
    values = rng.integers(-128, 128, size=(3, 5)) / 64
    powers = np.array([[1.0], [2.0], [16.0]])
    together = library.numpy(sharplib.stieltjes(library.array(values), library.array(powers)))
    for k in range(3):
        alone = sharplib.stieltjes(library.array(values[k]), float(powers[k, 0]))
        # Powers of rows and of tables may be computed by different loops: a rounding or two.
        np.testing.assert_allclose(together[k], library.numpy(alone), rtol=4 * library.eps)


def test_gradients_of_scores_and_power(rng):
    x = torch.tensor(rng.standard_normal((3, 4)), requires_grad=True)
    q = torch.tensor([[1.5], [2.0], [8.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sharplib.stieltjes, (x, q))
    assert torch.autograd.gradgradcheck(sharplib.stieltjes, (x, q))


def test_the_jacobian_as_printed():
    """diag u - u uᵀ / sum u with u = q p^((q+1)/q)."""
    x, q = np.array([0.5, -1.0, 2.0, 0.25]), 3.0
    u = q * sharplib.stieltjes(x, q) ** ((q + 1) / q)
    jacobian = torch.func.jacrev(lambda x: sharplib.stieltjes(x, q))(torch.tensor(x))
    np.testing.assert_allclose(jacobian, np.diag(u) - np.outer(u, u) / u.sum(), atol=1e-14)


@pytest.mark.parametrize("q", [1.0, 2.0, 4.0, 16.0])
def test_no_weights_are_steeper_than_two_equal_ones(q):
    """The documented constant q 2^(-1-1/q), against a search over rows of weights."""
    claimed = q * 2 ** (-1 - 1 / q)

    def flatness(logits):
        u = q * scipy.special.softmax(logits) ** ((q + 1) / q)
        return -np.linalg.norm(np.diag(u) - np.outer(u, u) / u.sum(), 2)

    found = [
        -scipy.optimize.minimize(flatness, start, method="Nelder-Mead").fun
        for start in 2 * np.random.default_rng(0).standard_normal((12, 4))
    ]
    # Two equal weights are approached only as the others vanish.
    assert 0.98 * claimed < max(found) <= claimed * (1 + 1e-9)


def test_masked_rows_of_every_kind_have_finite_gradients():
    x = torch.tensor([[0.0, 1.0, -torch.inf], [-torch.inf] * 3], requires_grad=True)
    q = torch.tensor(2.0, requires_grad=True)
    sharplib.stieltjes(x, q)[:, 0].sum().backward()
    assert q.grad.isfinite()
    assert x.grad.isfinite().all()
    assert (x.grad[1] == 0).all()


@pytest.mark.parametrize("bad", [0.5, 0.0, -1.0, float("nan"), float("inf")])
def test_a_power_below_one_is_refused(bad):
    with pytest.raises(ValueError, match=r"^q must be >= 1 and finite, got "):
        sharplib.stieltjes(np.zeros(3), bad)
    with pytest.raises(TypeError, match=r"^q must be an array or a tensor, got NoneType"):
        sharplib.stieltjes(np.zeros(3), None)


@pytest.mark.parametrize("bad", [0.5, -1.0, float("nan")])
def test_a_bad_power_that_cannot_be_read_gives_nan(bad):
    x, powers = torch.arange(6.0).reshape(2, 3), torch.tensor([2.0, bad])
    result = torch.func.vmap(sharplib.stieltjes)(x, powers)
    assert result[0].isfinite().all()
    assert result[1].isnan().all()
