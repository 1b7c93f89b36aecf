"""sink_softmax and softmax_off_by_one: a softmax over one item more, at 50 digits."""

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
SINKS = st.floats(-60, 60)


def exact(x: np.ndarray, sink: float) -> list[float]:
    with mpmath.workdps(50):
        powers = [mpmath.exp(mpmath.mpf(float(v))) for v in x]
        total = mpmath.exp(mpmath.mpf(sink)) + mpmath.fsum(powers)
        return [float(p / total) for p in powers]


@given(x=ROWS, sink=SINKS)
@settings(deadline=None)
def test_sink_softmax_against_mpmath(x, sink):
    # Exponents up to 110, rounded once: 110 * 2**-53 = 1.2e-14, and a sum of eleven.
    np.testing.assert_allclose(sharplib.sink_softmax(x, sink), exact(x, sink), rtol=1e-13)


@given(x=ROWS)
@settings(deadline=None)
def test_softmax_off_by_one_against_mpmath(x):
    np.testing.assert_allclose(sharplib.softmax_off_by_one(x), exact(x, 0.0), rtol=1e-13)


def test_softmax_off_by_one_is_a_sink_at_zero(library, rng):
    x = library.array(rng.integers(-128, 128, size=(4, 6)) / 64)
    np.testing.assert_array_equal(
        library.numpy(sharplib.softmax_off_by_one(x)), library.numpy(sharplib.sink_softmax(x, 0.0))
    )


@pytest.mark.parametrize("level", [-1e4, 0.0, 1e4])
def test_neither_high_scores_nor_a_high_sink_overflow(library, level):
    """exp(1e4) is beyond every precision: the larger of top score and sink is taken off first."""
    x = library.array([level, level])
    with_scores = library.numpy(sharplib.sink_softmax(x, 0.0))
    expected = {-1e4: 0.0, 0.0: 1 / 3, 1e4: 0.5}[level]
    np.testing.assert_allclose(with_scores, [expected] * 2, rtol=library.eps)
    with_sink = library.numpy(sharplib.sink_softmax(library.array([0.0, 0.0]), level))
    expected = {-1e4: 0.5, 0.0: 1 / 3, 1e4: 0.0}[level]
    np.testing.assert_allclose(with_sink, [expected] * 2, rtol=library.eps)


def test_attends_to_nothing_when_all_scores_are_low():
    assert sharplib.softmax_off_by_one(np.full(5, -20.0)).sum() < 1.1e-8  # 5 e^-20
    assert sharplib.softmax(np.full(5, -20.0)).sum() == pytest.approx(1)


def test_disperses_like_softmax():
    """With scores in [-1, 1] each weight lies between those of two flat rows: order 1/n."""
    for n in (10, 1000, 100_000):
        x = np.random.default_rng(n).uniform(-1, 1, n)
        p = sharplib.softmax_off_by_one(x)
        assert np.exp(-1) / (1 + n * np.e) <= p.min()
        assert p.max() <= np.e / (1 + n / np.e)


def test_moves_with_its_sink():
    x = np.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose(
        sharplib.sink_softmax(x + 7, 8.0), sharplib.sink_softmax(x, 1.0), rtol=1e-14
    )


def test_one_sink_per_row(library, rng):
    values = rng.integers(-128, 128, size=(2, 5, 3)) / 64
    sinks = np.array([-1.0, 0.0, 2.0])
    together = library.numpy(
        sharplib.sink_softmax(library.array(values), library.array(sinks), axis=1)
    )
    for k, sink in enumerate(sinks):
        alone = sharplib.sink_softmax(library.array(values[:, :, k]), float(sink), axis=1)
        np.testing.assert_array_equal(together[:, :, k], library.numpy(alone))


def test_gradients_of_scores_and_sink(rng):
    x = torch.tensor(rng.standard_normal((3, 4)), requires_grad=True)
    sink = torch.tensor([[-1.0], [0.0], [2.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sharplib.sink_softmax, (x, sink))
    assert torch.autograd.gradgradcheck(sharplib.sink_softmax, (x, sink))


def test_the_gradient_of_the_sink_as_printed():
    """dp/ds = -p (1 - sum p), also where 1 - sum p would be lost to rounding."""
    for level in (0.0, 40.0):
        x = torch.tensor([level, level - 1, -torch.inf], dtype=torch.float64)
        sink = torch.tensor(0.5, dtype=torch.float64)
        slope = torch.func.jacrev(lambda s, x=x: sharplib.sink_softmax(x, s))(sink)
        # Not 1 - sum p, which cancels: the weight of the sink from its own formula.
        spare = 1 / (1 + torch.exp(x - 0.5).sum())
        expected = -sharplib.sink_softmax(x, sink) * spare
        torch.testing.assert_close(slope, expected, rtol=1e-13, atol=0.0)


def test_a_sink_beside_masked_rows_has_a_finite_gradient():
    x = torch.tensor([[0.0, -torch.inf], [-torch.inf, -torch.inf]], requires_grad=True)
    sink = torch.tensor(0.0, requires_grad=True)
    sharplib.sink_softmax(x, sink).sum().backward()
    assert float(sink.grad) == pytest.approx(-0.25)
    np.testing.assert_array_equal(x.grad, [[0.25, 0.0], [0.0, 0.0]])


def test_a_lipschitz_constant_of_one_half_is_the_best():
    """Two equal scores far above the sink come as near to it as one likes."""
    for level, below in ((0.0, 0.34), (4.0, 0.5), (12.0, 0.5)):
        jacobian = torch.func.jacrev(sharplib.softmax_off_by_one)(
            torch.full((2,), level, dtype=torch.float64)
        )
        steepest = float(torch.linalg.matrix_norm(jacobian, 2))
        # The eigenvalue of (1, -1) is p itself.
        assert steepest == pytest.approx(1 / (2 + np.exp(-level)), rel=1e-12)
        assert steepest < below


@pytest.mark.parametrize("far", [1e300, -1e300])
def test_a_sink_beyond_the_precision_of_the_scores(library, far):
    x = np.array([[1.0, 2.0, -np.inf], [-np.inf, -np.inf, -np.inf]])
    expected = sharplib.softmax(x) if far < 0 else np.zeros((2, 3))
    p = library.numpy(sharplib.sink_softmax(library.array(x), far))
    # One rounding of the result, and a few of the work.
    np.testing.assert_allclose(p, expected, rtol=library.eps + 4 * library.work_eps)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_sink_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match=r"^sink must be .* finite, got "):
        sharplib.sink_softmax(np.zeros(3), bad)
    with pytest.raises(TypeError, match=r"^sink must be an array or a tensor, got NoneType"):
        sharplib.sink_softmax(np.zeros(3), None)
