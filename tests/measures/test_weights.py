"""Measures against SciPy and plain NumPy, in every library."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

import sharplib
from sharplib import measures

ALL = [
    measures.entropy,
    measures.effective_support,
    measures.spread,
    measures.top_weight,
    measures.sparsity,
]


@pytest.fixture
def rows(rng):
    """Weights on a grid of 1/64, exact in every precision, some of them 0."""
    return rng.multinomial(64, rng.dirichlet(np.full(6, 0.5), size=(3, 4))) / 64


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_against_scipy_and_numpy(library, rows, axis):
    rows = rows.transpose(2, 0, 1)  # weights along axis 0; other axes do not sum to 1
    p = library.array(rows)
    h = -(rows * np.log(np.where(rows > 0, rows, 1))).sum(axis)
    if axis == 0:
        np.testing.assert_allclose(h, scipy.stats.entropy(rows, axis=0), atol=1e-15)
    # One rounding of the result, plus six terms at working precision.
    close = {"rtol": 1.01 * library.eps + 20 * library.work_eps, "atol": 20 * library.work_eps}
    np.testing.assert_allclose(library.numpy(measures.entropy(p, axis)), h, **close)
    support = np.where(rows.sum(axis) == 0, 0, np.exp(h))
    np.testing.assert_allclose(library.numpy(measures.effective_support(p, axis)), support, **close)
    np.testing.assert_array_equal(library.numpy(measures.top_weight(p, axis)), rows.max(axis))
    np.testing.assert_array_equal(library.numpy(measures.spread(p, axis)), np.ptp(rows, axis))
    share = (rows == 0).mean(axis)
    np.testing.assert_allclose(library.numpy(measures.sparsity(p, axis)), share, rtol=library.eps)


def test_entropy_lies_between_its_extremes():
    for n in (1, 2, 7, 1000):
        assert float(measures.entropy(np.eye(n)[0])) == 0
        flat = np.full(n, 1 / n)
        assert float(measures.entropy(flat)) == pytest.approx(np.log(n), abs=1e-12)
        assert float(measures.effective_support(flat)) == pytest.approx(n)


def test_spread_ignores_masked_scores_and_knows_infinity(library):
    x = library.array(
        [[1, 4, -np.inf], [-np.inf] * 3, [np.inf, 0, 0], [np.inf, np.inf, -np.inf], [np.nan, 0, 1]]
    )
    result = library.numpy(measures.spread(x))
    np.testing.assert_array_equal(result, [3, 0, np.inf, 0, np.nan])


@pytest.mark.parametrize("measure", ALL)
def test_empty_rows_measure_zero(library, measure):
    np.testing.assert_array_equal(library.numpy(measure(library.array(np.zeros((2, 0))))), [0, 0])


@pytest.mark.parametrize("measure", ALL)
def test_bad_input_is_refused(measure):
    name = "x" if measure is measures.spread else "p"
    with pytest.raises(TypeError, match=rf"^{name} must hold real floating-point numbers"):
        measure(np.array([1, 0]))
    with pytest.raises(ValueError, match=r"^axis must lie in"):
        measure(np.zeros(2), 1)


def test_entropy_of_a_masked_row_has_a_finite_gradient():
    x = torch.tensor([0.3, -torch.inf, 1.0], dtype=torch.float64, requires_grad=True)
    h = measures.entropy(sharplib.softmax(x))
    h.backward()
    p = sharplib.softmax(x.detach())
    logs = torch.where(p > 0, p, 1.0).log()
    # dH/dx = -p (log p + H)
    torch.testing.assert_close(x.grad, -p * (logs + h.detach()))


def test_a_negative_weight_gives_nan():
    with np.errstate(invalid="ignore"):
        assert np.isnan(measures.entropy(np.array([1.5, -0.5])))
