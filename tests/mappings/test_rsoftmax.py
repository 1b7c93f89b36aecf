"""rsoftmax against its formula, its number of zeros, both of its derivatives, and its ties."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch.autograd.gradcheck import GradcheckError

import sharplib

# No two scores of a row within 2^-10, so that the rounding of a quantile breaks no tie.
ROWS = hnp.arrays(
    np.float64, st.integers(2, 12), elements=st.integers(-8192, 8192).map(lambda k: k / 1024)
)
RATES = st.floats(0, 1)


def exact(x: np.ndarray, rate: float) -> list[float]:
    """The formula at 60 digits, for 0 < rate < 1 and a quantile below the maximum."""
    with mpmath.workdps(60):
        scores = [mpmath.mpf(float(v)) for v in x]
        rank = mpmath.mpf(rate) * (len(x) - 1)
        low = int(mpmath.floor(rank))
        ordered = sorted(scores)
        quantile = ordered[low] + (rank - low) * (ordered[low + 1] - ordered[low])
        mass = [max(s - quantile, 0) * mpmath.exp(s) for s in scores]
        return [float(m / mpmath.fsum(mass)) for m in mass]


@given(x=ROWS, rate=st.floats(0.001, 0.999))
@settings(deadline=None)
def test_against_mpmath(x, rate):
    ordered = np.sort(x)
    if ordered[int(rate * (len(x) - 1))] == ordered[-1]:
        return  # the quantile is the maximum: a test of its own, below
    # The distance between top and quantile is at least 2^-10 times 1e-3; the quantile, and so the
    # ramp, is good to 16 * 2^-53. Their ratio is 2e-9 at the worst.
    np.testing.assert_allclose(sharplib.rsoftmax(x, rate), exact(x, rate), rtol=0, atol=1e-8)


def test_the_quantile_is_numpys(rng):
    for n in (2, 5, 16):
        x = rng.standard_normal(n)
        for rate in (0.01, 0.3, 0.5, 0.77, 0.99):
            mass = np.maximum(x - np.quantile(x, rate), 0) * np.exp(x)
            # Ramps of order 0.01 and more, each good to 1e-16.
            np.testing.assert_allclose(
                sharplib.rsoftmax(x, rate), mass / mass.sum(), rtol=1e-11, atol=1e-13
            )


@pytest.mark.parametrize(
    ("scores", "rate", "weights"),
    [
        ([3, 2, 1], 0.5, [1, 0, 0]),
        ([4, 5, 6], 0.5, [0, 0, 1]),
        ([3, 2, 1, 1], 0.5, [0.8908, 0.1092, 0, 0]),
        ([4, 6, 6, 5], 0.5, [0, 0.5, 0.5, 0]),
        ([3, 2, 1, 1], 0.75, [1, 0, 0, 0]),
        ([4, 6, 6, 5], 0.75, [0, 0.5, 0.5, 0]),
        ([4, 6, 5, 5], 0.25, [0, 0.8717, 0.0641, 0.0641]),
        ([0, 0, 0], 0.5, [1 / 3, 1 / 3, 1 / 3]),
        ([-2.4, -4.3, -1.3, -34.3], 0.75, [0, 0, 1, 0]),
        ([-20.3, -2.3, -42.3, -1e-6], 0.75, [0, 0, 0, 1]),
    ],
)
def test_the_vectors_of_the_authors(scores, rate, weights):
    for dtype in (np.float32, np.float64):
        p = sharplib.rsoftmax(np.array(scores, dtype), rate)
        # Four printed digits: half a unit in the last. The zeros are exact.
        np.testing.assert_allclose(p, weights, rtol=0, atol=5.1e-5)
        np.testing.assert_array_equal(p == 0, np.array(weights) == 0)


# --- the number of zeros -------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 8, 10, 16, 100])
def test_the_number_of_zeros(library, n, rng):
    x = library.array(rng.permutation(n))  # exact in every precision
    for rate in (0.05, 0.1, 0.25, 0.33, 0.5, 0.75, 0.89, 0.9, 0.95):
        zeros = (library.numpy(sharplib.rsoftmax(x - float(n), rate)) == 0).sum()
        # Ranks up to 100 leave the top with a weight that no half precision rounds to 0, but
        # exp(-17) is 0 in float16: items that far below the top count as gone.
        assert zeros >= math.floor(rate * (n - 1)) + 1
        if n <= 10:
            assert zeros == math.floor(rate * (n - 1)) + 1


def test_the_table_of_zeros_for_ten_items(rng):
    x = rng.standard_normal(10)
    rates = [0.05, 0.1, 0.25, 0.33, 0.5, 0.75, 0.89, 0.9, 0.95, 1]
    zeros = [int((sharplib.rsoftmax(x, rate) == 0).sum()) for rate in rates]
    assert zeros == [1, 1, 3, 3, 5, 7, 9, 9, 9, 9]


def test_the_rank_is_exact_in_a_row_of_millions():
    n, rate = 10_000_000, 0.507
    assert math.floor(np.float32(rate) * np.float32(n - 1)) != math.floor(rate * (n - 1))
    x = (np.arange(n, dtype=np.float32) - n) * np.float32(2**-24)
    assert (sharplib.rsoftmax(x, rate) == 0).sum() == math.floor(rate * (n - 1)) + 1


def test_rate_0_is_softmax_in_every_precision(library):
    """The authors' code gives the smallest score the weight 0, since 1e-8 is lost in float32."""
    x = library.array([[3.0, 1.0, -2.0], [1.0, 1.0, 0.0]])
    for rate in (0, 0.0, library.array([[0.0], [0.0]])):
        p = library.numpy(sharplib.rsoftmax(x, rate))
        np.testing.assert_array_equal(p, library.numpy(sharplib.softmax(x)))
        assert (p > 0).all()


def test_rate_1_leaves_only_the_top(library):
    x = library.array([[3.0, 1.0, -2.0], [1.0, 1.0, 0.0], [2.0, 2.0, 2.0]])
    for rate in (1, 1.0, library.array(1.0)):
        p = library.numpy(sharplib.rsoftmax(x, rate))
        third = float(library.numpy(library.array(1 / 3)))
        np.testing.assert_array_equal(p, [[1, 0, 0], [0.5, 0.5, 0], [third] * 3])


@given(x=ROWS, rate=RATES)
@settings(deadline=None)
def test_ties_share_alike_and_the_top_always_stays(x, rate):
    p = sharplib.rsoftmax(x, rate)
    for value in set(x):
        assert len(set(p[x == value])) == 1
    assert p[x.argmax()] == p.max() > 0
    assert p.sum() == pytest.approx(1, abs=1e-15 * len(x))  # one rounding for each weight


# --- what goes wrong elsewhere -------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0, 0.25, 0.5, 0.625, 0.75, 0.875, 1])
def test_the_rate_counts_unmasked_items_only(library, rate, rng):
    """The authors' code takes ranks over all n, and overshoots where half a row is masked."""
    values = rng.permutation(8)[None, :] / 4.0
    masked = np.concatenate([values, np.full((1, 8), -np.inf)], axis=1)[:, rng.permutation(16)]
    p = library.numpy(sharplib.rsoftmax(library.array(masked), rate))
    kept = {0: 8, 1: 1}.get(rate, 8 - (math.floor(rate * 7) + 1))
    assert (p > 0).sum() == kept
    present = ~np.isinf(masked[0])
    alone = library.numpy(sharplib.rsoftmax(library.array(masked[:, present]), rate))
    # Sums run over another number of terms: a few rounding steps.
    np.testing.assert_allclose(p[:, present], alone, rtol=8 * library.eps)


def test_minus_infinity_is_a_mask_and_no_failed_assertion():
    """The authors' code ends with an assertion on a distance that has become NaN."""
    p = sharplib.rsoftmax(torch.tensor([[1.0, -torch.inf, 0.0], [-torch.inf] * 3]), 0.5)
    torch.testing.assert_close(p, torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))


@pytest.mark.parametrize("axis", [0, 1, -2, -1])
def test_any_axis_of_an_array_of_many_dimensions(axis, rng):
    """The authors' code raises on 3-D inputs and gives a wrong shape for the first axis."""
    x = rng.standard_normal((8, 3, 2, 4))
    moved = np.moveaxis(sharplib.rsoftmax(x, 0.5, axis), axis, -1)
    for index in np.ndindex(moved.shape[:-1]):
        row = np.moveaxis(x, axis, -1)[index]
        # Sums run in another order along another axis.
        np.testing.assert_allclose(moved[index], sharplib.rsoftmax(row, 0.5), rtol=1e-13)


def test_one_rate_per_row_of_many_rows(library, rng):
    """The authors' code builds a table of all rows by all rates: here 64 GB."""
    values = rng.integers(-512, 512, size=(4, 3, 6)) / 64
    rates = rng.integers(0, 65, size=(4, 3, 1)) / 64
    together = library.numpy(sharplib.rsoftmax(library.array(values), library.array(rates)))
    for index in np.ndindex(4, 3):
        alone = sharplib.rsoftmax(library.array(values[index]), float(rates[index].item()))
        np.testing.assert_array_equal(together[index], library.numpy(alone))
    many = torch.zeros(130_000, 4)
    assert sharplib.rsoftmax(many, torch.linspace(0, 1, 130_000)[:, None]).shape == many.shape


def test_the_gradient_goes_through_the_quantile():
    """The authors' code detaches it, so that a numerical gradient check fails there."""
    x = torch.tensor([[0.3, -0.2, 1.1, 0.5, -1.0]], dtype=torch.float64, requires_grad=True)
    for rate in (0.3, 0.5, 0.9):
        assert torch.autograd.gradcheck(lambda v, r=rate: sharplib.rsoftmax(v, r), (x,))
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(lambda v: sharplib.rsoftmax(v, 0.3, detach_quantile=True), (x,))


# --- gradients -----------------------------------------------------------------------------------


def printed(x: np.ndarray, rate: float, quantile_moves: bool) -> np.ndarray:
    """J = diag(p + g) - p (p + g)ᵀ - (g - G p) cᵀ, c the weights of the quantile or of the top."""
    n = len(x)
    rank = rate * (n - 1)
    order, low = x.argsort(), math.floor(rank)
    quantile = np.quantile(x, rate)
    w = np.maximum(x - quantile, 0)
    w[order[: low + 1]] = 0
    mass = w * np.exp(x)
    p, g = mass / mass.sum(), (w > 0) * np.exp(x) / mass.sum()
    c = np.zeros(n)
    if quantile_moves:
        c[order[low]] += 1 - (rank - low)
        c[order[low + 1]] += rank - low
    else:
        c[x.argmax()] = 1
    return np.diag(p + g) - np.outer(p, p + g) - np.outer(g - g.sum() * p, c)


@pytest.mark.parametrize("detached", [False, True])
def test_the_jacobian_as_printed(detached, rng):
    for rate in (0.1, 0.5, 0.6):
        x = rng.standard_normal(8)
        jacobian = torch.func.jacrev(
            lambda v, r=rate: sharplib.rsoftmax(v, r, detach_quantile=detached)
        )(torch.tensor(x))
        # Entries of order 10, a few operations each.
        np.testing.assert_allclose(jacobian, printed(x, rate, not detached), atol=1e-12)
        np.testing.assert_allclose(jacobian.sum(0), 0, atol=1e-12)
        np.testing.assert_allclose(jacobian.sum(1), 0, atol=1e-12)


def test_the_detached_gradient_is_that_of_the_authors_code(rng):
    x = torch.tensor(rng.standard_normal((6, 9)), requires_grad=True)
    y = x - x.amax(-1, keepdim=True)
    t = -torch.quantile(y, 0.3, dim=-1, keepdim=True).detach()
    mass = torch.relu(y + t) * y.exp()
    weight = torch.tensor(rng.standard_normal((6, 9)))
    (theirs,) = torch.autograd.grad((mass / mass.sum(-1, keepdim=True) * weight).sum(), x)
    p = sharplib.rsoftmax(x, 0.3, detach_quantile=True)
    (ours,) = torch.autograd.grad((p * weight).sum(), x)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(p, sharplib.rsoftmax(x, 0.3), rtol=0, atol=0)  # the same weights
    assert (
        ours - torch.autograd.grad((sharplib.rsoftmax(x, 0.3) * weight).sum(), x)[0]
    ).abs().max() > 0.1


def test_gradients_of_scores_and_rate(rng):
    x = torch.tensor(1.5 * rng.standard_normal((5, 6)), requires_grad=True)
    rate = torch.tensor(rng.uniform(0.1, 0.9, (5, 1)), requires_grad=True)
    assert torch.autograd.gradcheck(sharplib.rsoftmax, (x, rate))
    assert torch.autograd.gradgradcheck(sharplib.rsoftmax, (x, rate))


def test_a_learned_rate_over_masked_scores_has_a_finite_gradient():
    x = torch.tensor([[0.0, 1.0, 0.5, -torch.inf], [-torch.inf] * 4], requires_grad=True)
    rate = torch.tensor(0.3, requires_grad=True)
    sharplib.rsoftmax(x, rate)[:, 1].sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad[x.isinf()] == 0).all()
    assert rate.grad.isfinite()
    assert rate.grad > 0  # more zeros, more for the top


@pytest.mark.parametrize("rate", [0.0, 0.5, 0.8, 1.0])
def test_gradients_at_ties_are_finite_and_alike_for_equals(rate):
    for row in ([1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 0.0, 0.0], [2.0, 2.0, 1.0, 1.0, 0.0]):
        x = torch.tensor(row, dtype=torch.float64)
        jacobian = torch.func.jacrev(lambda v: sharplib.rsoftmax(v, rate))(x)
        assert jacobian.isfinite().all()
        order = torch.arange(len(row))
        order[[1, 2]] = order[[2, 1]] if row[1] == row[2] else order[[1, 2]]
        torch.testing.assert_close(jacobian, jacobian[order][:, order], rtol=0, atol=1e-14)


def test_rate_0_has_the_gradient_of_softmax(rng):
    x = torch.tensor(rng.standard_normal(5))
    ours = torch.func.jacrev(lambda v: sharplib.rsoftmax(v, 0.0))(x)
    torch.testing.assert_close(ours, torch.func.jacrev(sharplib.softmax)(x), rtol=0, atol=1e-15)


# --- what it does not promise --------------------------------------------------------------------


def test_jumps_where_ties_break():
    before = sharplib.rsoftmax(np.array([1e-9, 0.0, -1e-9]), 0.5)
    after = sharplib.rsoftmax(np.array([-1e-9, 0.0, 1e-9]), 0.5)
    np.testing.assert_array_equal(before, [1, 0, 0])
    np.testing.assert_array_equal(after, [0, 0, 1])


def test_the_zeros_stay_at_any_temperature():
    x = np.array([1.0, 0.9, -2.0, 0.2])
    for temperature, weights in [
        (1000.0, [0.563, 0.437, 0.0, 0.0]),
        (1.0, [0.587, 0.413, 0.0, 0.0]),
        (0.001, [1.0, 0.0, 0.0, 0.0]),
    ]:
        p = sharplib.rsoftmax(x / temperature, 0.5)
        # Three printed digits: half a unit in the last.
        np.testing.assert_allclose(p, weights, rtol=0, atol=5.1e-4)
    ramp = np.maximum(x - np.quantile(x, 0.5), 0)
    # The exponentials differ from 1 by 3e-9.
    np.testing.assert_allclose(sharplib.rsoftmax(x * 1e-9, 0.5), ramp / ramp.sum(), atol=1e-8)


@pytest.mark.parametrize("bad", [-0.1, 1.5, 2, float("nan"), float("inf"), np.float64(-2)])
def test_the_rate_must_lie_between_0_and_1(bad):
    for x in (np.zeros((2, 3)), torch.zeros(2, 3)):
        with pytest.raises(ValueError, match=r"^rate must be (>= 0 and finite|<= 1), got "):
            sharplib.rsoftmax(x, bad)
    with pytest.raises(ValueError, match=r"^rate must be (>= 0 and finite|<= 1) in every row, got"):
        sharplib.rsoftmax(np.zeros((2, 3)), np.array([[1.0], [bad]]))


def test_a_bad_rate_gives_nan_where_it_cannot_be_read():
    x, rate = torch.zeros(3, 4), torch.tensor([1.0, -1.0, 2.0])
    p = torch.func.vmap(sharplib.rsoftmax)(x, rate)
    assert p[0].isfinite().all()
    assert p[1:].isnan().all()
