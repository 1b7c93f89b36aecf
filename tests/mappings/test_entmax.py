"""entmax for every alpha, against a root in 120 digits that is found another way."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 6), elements=st.floats(-4, 4, width=32))
ALPHAS = [1.0, 1 + 1e-12, 1 + 1e-6, 1.01, 1.25, 1.5, 1.75, 2.0, 2.25, 3.0, 4.0, 10.0, 64.0]


def exact(x: np.ndarray, alpha: float) -> list[float]:
    """Bisect for the smallest weight that is not 0; the others follow from it."""
    with mpmath.workdps(120):
        delta = mpmath.mpf(alpha) - 1
        scores = [mpmath.mpf(float(v)) for v in x]
        if delta == 0:
            powers = [mpmath.exp(v - max(scores)) for v in scores]
            return [float(v / mpmath.fsum(powers)) for v in powers]
        down = sorted(scores, reverse=True)

        def given_last(last, k):
            return [(last**delta + delta * (v - down[k - 1])) ** (1 / delta) for v in down[:k]]

        size = max(
            k for k in range(1, len(down) + 1) if mpmath.fsum(given_last(mpmath.mpf(0), k)) < 1
        )
        low, high = mpmath.mpf(0), mpmath.mpf(1)
        while high - low > mpmath.mpf(10) ** -40:
            middle = (low + high) / 2
            if mpmath.fsum(given_last(middle, size)) < 1:
                low = middle
            else:
                high = middle
        weights = dict(zip(down, given_last(low, size), strict=False))
        return [float(weights.get(v, 0)) for v in scores]


@pytest.mark.parametrize("alpha", ALPHAS)
@settings(deadline=None, max_examples=20)
@given(x=ROWS, gaps=st.floats(-6, 0))
def test_entmax_in_120_digits(alpha, x, gaps):
    x = 10**gaps * x
    expected = exact(x, alpha)
    # A few rounding steps of numbers up to 1, where weights enter with a finite slope. Above
    # alpha = 2 the slope is vertical: a rounding step of the threshold, 1e-16, becomes its root.
    for result in (sharplib.entmax(x, alpha), sharplib.entmax(x, np.array([alpha]))):
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-14 if alpha <= 2 else 1e-6)
        assert result.sum() == pytest.approx(1, abs=4e-16)


def test_the_named_members(rng):
    x = rng.standard_normal((20, 9))
    for alpha, named in ((1.0, "softmax"), (1.5, "entmax15"), (2.0, "sparsemax")):
        expected = getattr(sharplib, named)(x)
        np.testing.assert_array_equal(sharplib.entmax(x, alpha), expected)
        learned = sharplib.entmax(x, np.full((20, 1), alpha))
        # Two solvers, each at rounding.
        np.testing.assert_allclose(learned, expected, rtol=0, atol=1e-15)


@given(x=ROWS)
@settings(deadline=None)
def test_alpha_close_to_one_is_softmax(x):
    """The slope in alpha is at most p (log p)² < 0.6, or what the others make of it."""
    for alpha in (1 + 1e-15, 1 + 1e-12, 1 + 1e-9):
        distance = np.abs(sharplib.entmax(x, alpha) - sharplib.softmax(x)).max()
        assert distance <= 2 * (alpha - 1) + 1e-15


def test_a_large_alpha_is_the_hard_maximum(rng):
    x = rng.integers(0, 4, size=(30, 6)).astype(float)  # gaps of 1, many ties
    top = x == x.max(1, keepdims=True)
    for alpha in (2.5, 64.0, 1e3):
        np.testing.assert_allclose(
            sharplib.entmax(x, alpha), top / top.sum(1, keepdims=True), rtol=0, atol=1e-15
        )


def test_the_sum_decides_the_weight_of_an_item_that_enters_vertically():
    """At alpha = 64 float64 cannot tell the thresholds apart between which p runs from 0 to 0.3."""
    for top in (0.55, 0.65, 0.8, 0.95):
        x = np.array([0.0, -(top**63) / 63])  # the other weight's 63rd power is below rounding
        np.testing.assert_allclose(sharplib.entmax(x, 64.0), [top, 1 - top], atol=1e-8 / top**10)


@pytest.mark.parametrize("alpha", [1.0, 1.0001, 1.25, 1.5, 1.75, 2.0, 3.0, 64.0])
@pytest.mark.parametrize("offset", [-1e6, 1e6])
def test_float32_rows_far_from_zero(alpha, offset, rng):
    # float32 numbers near 1e6 are 1/16 apart: multiples of that survive the offset unchanged.
    x = (rng.integers(-24, 24, size=(50, 20)) / 16).astype(np.float32)
    moved = x + np.float32(offset)
    np.testing.assert_allclose(sharplib.entmax(moved, alpha), sharplib.entmax(x, alpha), atol=1e-6)


@pytest.mark.parametrize("alpha", [1.0, 1.0001, 1.25, 2.25, 10.0, 64.0])
def test_float32_is_as_good_as_its_rounding(alpha, rng):
    x = rng.standard_normal((50, 1000)).astype(np.float32)
    p = sharplib.entmax(x, alpha)
    # One rounding of a weight up to 1; a float32 alpha is rounded too, once.
    np.testing.assert_allclose(p, sharplib.entmax(x.astype(float), alpha), atol=6e-8)


def test_one_alpha_per_row(library, rng):
    values = rng.integers(-128, 128, size=(len(ALPHAS), 5)) / 64
    # Read back after rounding to the precision at hand, so that both calls see the same alpha.
    alphas = library.array(np.array(ALPHAS)[:, None])
    together = library.numpy(sharplib.entmax(library.array(values), alphas))
    for k, alpha in enumerate(library.numpy(alphas)[:, 0]):
        alone = sharplib.entmax(library.array(values[k]), float(alpha))
        # Different solvers for the named members, each at a few rounding steps.
        np.testing.assert_allclose(
            together[k], library.numpy(alone), rtol=4 * library.eps, atol=1e-15
        )


@pytest.mark.parametrize("alpha", [1.01, 1.25, 1.5, 2.0, 3.0])
def test_the_jacobian_written_out(alpha, rng):
    x = torch.tensor(rng.standard_normal(7))
    p = sharplib.entmax(x, alpha)
    u = torch.where(p > 0, p ** (2 - alpha), 0)
    expected = torch.diag(u) - torch.outer(u, u) / u.sum()
    torch.testing.assert_close(torch.func.jacrev(lambda x: sharplib.entmax(x, alpha))(x), expected)


@pytest.mark.parametrize("alpha", [1.1, 1.25, 1.5, 2.0, 3.0])
def test_the_slope_in_alpha_written_out(alpha, rng):
    """The formula of the literature, which has poles at alpha = 1."""
    x = torch.tensor(rng.standard_normal(7))
    alpha = torch.tensor([alpha], dtype=torch.float64)
    p = sharplib.entmax(x, alpha)
    u = torch.where(p > 0, p ** (2 - alpha), 0)
    u = u / u.sum()
    entropy = torch.special.xlogy(p, p)
    expected = (p - u) / (alpha - 1) ** 2 - (entropy - u * entropy.sum()) / (alpha - 1)
    slope = torch.func.jacrev(lambda a: sharplib.entmax(x, a))(alpha)[:, 0]
    # The formula cancels: 1e-16 over (alpha - 1)² = 0.01.
    torch.testing.assert_close(slope, expected, rtol=0, atol=1e-13)


def test_the_slope_in_alpha_at_softmax(rng):
    """At alpha = 1 it is -J (log p)² / 2, against a finite difference from above."""
    x = torch.tensor(rng.standard_normal(7))
    slope = torch.func.jacrev(lambda a: sharplib.entmax(x, a))(torch.ones(1).double())[:, 0]
    p = torch.softmax(x, 0)
    torch.testing.assert_close(
        slope, -(torch.diag(p) - torch.outer(p, p)) @ (p.log() ** 2 / 2), rtol=0, atol=1e-15
    )
    difference = (sharplib.entmax(x, 1 + 1e-6) - p) / 1e-6
    # The difference is off by 1e-6 times the second derivative, and by 1e-16 / 1e-6.
    torch.testing.assert_close(slope, difference, rtol=0, atol=1e-5)


def test_gradients_of_scores_and_alpha(rng):
    x = torch.tensor(rng.standard_normal((6, 5)), requires_grad=True)
    alpha = torch.tensor([[1.05], [1.2], [1.5], [1.9], [2.0], [2.6]]).double().requires_grad_()
    assert torch.autograd.gradcheck(sharplib.entmax, (x, alpha))
    assert torch.autograd.gradgradcheck(sharplib.entmax, (x, alpha))


def test_a_learned_alpha_over_masked_scores_has_a_finite_gradient():
    x = torch.tensor([[0.0, 1.0, -torch.inf], [-torch.inf] * 3], requires_grad=True)
    alpha = torch.tensor(1.3, requires_grad=True)
    sharplib.entmax(x, alpha)[:, 0].sum().backward()
    assert alpha.grad.isfinite()
    assert alpha.grad != 0
    assert x.grad.isfinite().all()
    assert x.grad[0, 2] == 0
    assert (x.grad[1] == 0).all()


def test_the_gradient_keeps_its_digits_when_one_weight_is_nearly_zero():
    """Above alpha = 2 such a weight's u = p^(2 - alpha) exceeds all others by many digits."""
    x = torch.tensor([0.0, -(0.9**63) / 63 * (1 - 1e-9)], dtype=torch.float64, requires_grad=True)
    p = sharplib.entmax(x, 64.0)
    (gradient,) = torch.autograd.grad(p[0], x)
    u = [float(p.detach()[k]) ** -62 for k in range(2)]
    expected = 1 / (1 / u[0] + 1 / u[1])
    torch.testing.assert_close(gradient, torch.tensor([expected, -expected]).double())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_learned_alpha_compiles_as_one_graph(rng):
    x = torch.tensor(rng.standard_normal((4, 6)).astype(np.float32), requires_grad=True)
    alpha = torch.tensor([[1.0], [1.2], [1.7], [3.0]], requires_grad=True)
    torch._dynamo.reset()
    compiled = torch.compile(sharplib.entmax, fullgraph=True)
    expected = torch.autograd.grad(sharplib.entmax(x, alpha)[:, 0].sum(), (x, alpha))
    result = torch.autograd.grad(compiled(x, alpha)[:, 0].sum(), (x, alpha))
    torch.testing.assert_close(result, expected)


def test_vmap_over_scores_and_alpha(rng):
    x, alpha = torch.tensor(rng.standard_normal((4, 6))), torch.tensor([1.0, 1.3, 2.0, 5.0])
    alpha = alpha.double()
    together = torch.func.vmap(sharplib.entmax)(x, alpha)
    torch.testing.assert_close(together, sharplib.entmax(x, alpha[:, None]))


@pytest.mark.slow
def test_ten_million_items(rng):
    x = rng.standard_normal(10_000_000).astype(np.float32)
    p = sharplib.entmax(x, 1.25)
    # One rounding of float32 weights.
    top = np.sort(x)[-20_000:]  # more than the support
    assert np.count_nonzero(p) < len(top)
    np.testing.assert_allclose(np.sort(p)[-len(top) :], sharplib.entmax(top, 1.25), atol=1e-7)
    assert p.astype(np.float64).sum() == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("bad", [0.999, 0, -1.0, float("nan"), float("inf")])
def test_an_alpha_below_one_or_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match=r"^alpha must be >= 1 and finite, got "):
        sharplib.entmax(np.zeros(3), bad)
    with pytest.raises(ValueError, match=r"^alpha must be >= 1 and finite in every row, got "):
        sharplib.entmax(np.zeros(3), np.array([float(bad)]))


def test_a_bad_alpha_that_cannot_be_read_gives_nan():
    result = torch.func.vmap(sharplib.entmax)(torch.zeros(2, 3), torch.tensor([1.5, 0.5]))
    assert result[0].isfinite().all()
    assert result[1].isnan().all()


@pytest.mark.parametrize("alpha", [1.25, 1.75, 3.0])
def test_what_is_outside_weighs_exactly_nothing(alpha):
    """The bracket around the top weight may be wide when Newton is done; it must not leak."""
    for x in np.random.default_rng(2410_01104).standard_normal((20, 700)):
        p = sharplib.entmax(x, alpha)
        # The smallest weight belongs to a distance from the threshold; a leak is far below it.
        assert p[p > 0].min() ** (alpha - 1) > 1e-9
