"""entropy_matched_softmax: a root that SciPy finds too, on every kind of row."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib
from sharplib.measures import entropy

ROWS = hnp.arrays(np.float64, st.integers(2, 20), elements=st.floats(-20, 20, width=32))
WILD = st.floats(allow_nan=False, allow_infinity=False, width=64)
TARGETS = st.floats(0, 4)


def entropy_at(beta: float, x: np.ndarray) -> float:
    return scipy.stats.entropy(scipy.special.softmax(beta * (x - x.max())))


@given(x=ROWS, target=TARGETS)
@example(x=np.array([0.75, 17.0]), target=2e-313)
@settings(deadline=None)
def test_entropy_matched_softmax_against_brentq(x, target):
    distinct = np.unique(x)
    assume(len(distinct) > 1)
    assume(distinct[-1] - distinct[-2] > 1e-3)  # brentq's bracket below must reach the limit
    tied = np.sum(x == x.max())
    p = sharplib.entropy_matched_softmax(x, target)
    if entropy_at(1.0, x) <= target:
        np.testing.assert_allclose(p, scipy.special.softmax(x), rtol=1e-12)
    elif target <= np.log(tied):
        np.testing.assert_array_equal(p, (x == x.max()) / tied)
    else:
        beta = scipy.optimize.brentq(
            lambda b: entropy_at(b, x) - target, 1, 1e6, xtol=1e-14, maxiter=1000
        )
        # Where the entropy is nearly flat in β, weights are known only as well as the entropy,
        # 1e-15: a plateau at log k turns that into its square root.
        np.testing.assert_allclose(p, scipy.special.softmax(beta * x), atol=1e-7)
        assert float(entropy(p)) == pytest.approx(target, abs=1e-13)


@given(x=hnp.arrays(np.float64, st.integers(1, 12), elements=WILD), target=TARGETS)
@example(x=np.array([4e-304, 0.0]), target=0.0)
@settings(deadline=None, max_examples=300)
def test_converges_for_every_finite_row(x, target):
    """Any float64 scores: the entropy ends at min(target, H at β = 1), or at the ties' limit."""
    p = sharplib.entropy_matched_softmax(x, target)
    assert np.isfinite(p).all()
    assert p.sum() == pytest.approx(1, abs=1e-14)
    with np.errstate(over="ignore"):
        below = x - x.max()
    tied = np.sum(below >= -8e5 / np.finfo(float).max)  # documented: smaller gaps count as ties
    start = float(entropy(sharplib.softmax(x)))
    expected = max(min(target, start), min(np.log(tied), start))
    assert float(entropy(p)) == pytest.approx(expected, abs=1e-12)


@given(x=ROWS, target=TARGETS)
@settings(deadline=None)
def test_top_weight_is_at_least_exp_of_minus_the_target(x, target):
    p = sharplib.entropy_matched_softmax(x, target)
    if np.sum(x == x.max()) == 1 and np.ptp(x) > 0:
        assert p.max() >= np.exp(-target) * (1 - 1e-12)


def test_stays_sharp_at_ten_million_items():
    x = np.zeros(10_000_000, dtype=np.float32)
    x[3] = 0.25
    p = sharplib.entropy_matched_softmax(x, 1.0)
    assert p[3] >= np.exp(-1.0)
    # float32 weights of about 1e-8 each, ten million of them, read back in float64.
    assert entropy(p.astype(np.float64)) == pytest.approx(1.0, abs=1e-4)


def test_one_target_per_row(library, rng):
    values = rng.integers(-128, 128, size=(3, 5)) / 64
    targets = np.array([[0.25], [0.5], [1.0]])
    together = library.numpy(
        sharplib.entropy_matched_softmax(library.array(values), library.array(targets))
    )
    for k in range(3):
        alone = sharplib.entropy_matched_softmax(library.array(values[k]), float(targets[k, 0]))
        np.testing.assert_array_equal(together[k], library.numpy(alone))


def test_gradients_of_scores_and_target(rng):
    x = torch.tensor(1.5 * rng.standard_normal((4, 5)), requires_grad=True)
    target = torch.tensor([[0.2], [0.4], [0.6], [0.8]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sharplib.entropy_matched_softmax, (x, target))
    assert torch.autograd.gradgradcheck(sharplib.entropy_matched_softmax, (x, target))


def test_the_gradient_leaves_the_entropy_alone(rng):
    """Every direction of the Jacobian is tangent to the surface of constant entropy."""
    x = torch.tensor(2 * rng.standard_normal(6))
    jacobian = torch.func.jacrev(lambda x: sharplib.entropy_matched_softmax(x, 0.4))(x)
    p = sharplib.entropy_matched_softmax(x, 0.4)
    slope = -(p.log() + 1)
    assert float((slope @ jacobian).abs().max()) < 1e-14
    assert float(jacobian.abs().max()) > 0.01


def test_at_the_limit_and_below_the_target_gradients_are_finite():
    x = torch.tensor([[1.0, 1.0, 0.0], [9.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    p = sharplib.entropy_matched_softmax(x, 0.5)
    torch.testing.assert_close(p[0], torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64))
    p[:, 0].sum().backward()
    assert (x.grad[0] == 0).all()  # locally constant in the order that it can see
    q = torch.softmax(x.detach()[1], 0)
    torch.testing.assert_close(x.grad[1], q[0] * (torch.eye(3, dtype=torch.float64)[0] - q))


def test_a_target_of_zero_is_the_hard_maximum(library):
    x = library.array([[0.0, 1.0, 3.0], [2.0, 2.0, 0.0]])
    result = library.numpy(sharplib.entropy_matched_softmax(x, 0.0))
    np.testing.assert_array_equal(result, [[0, 0, 1], [0.5, 0.5, 0]])


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_a_target_that_is_negative_or_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match=r"^target must be >= 0 and finite, got "):
        sharplib.entropy_matched_softmax(np.zeros(3), bad)
    with pytest.raises(ValueError, match=r"^target must be >= 0 and finite in every row, got "):
        sharplib.entropy_matched_softmax(np.zeros(3), np.array([bad]))
    with pytest.raises(TypeError, match=r"^target must be an array or a tensor, got NoneType"):
        sharplib.entropy_matched_softmax(np.zeros(3), None)


@pytest.mark.parametrize("bad", [-0.1, float("nan")])
def test_a_bad_target_that_cannot_be_read_gives_nan(bad):
    x, targets = torch.arange(6.0).reshape(2, 3), torch.tensor([0.5, bad])
    result = torch.func.vmap(sharplib.entropy_matched_softmax)(x, targets)
    assert result[0].isfinite().all()
    assert result[1].isnan().all()
