"""sigmoid_weights against SciPy's logistic function, and what its bias counts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-50, 50, width=32))


@given(x=ROWS, bias=st.floats(-20, 20))
@settings(deadline=None)
def test_sigmoid_weights_against_scipy(x, bias):
    # The same sum x + b on both sides; the exponential and two operations, a rounding each.
    np.testing.assert_allclose(
        sharplib.sigmoid_weights(x, bias), scipy.special.expit(x + bias), rtol=1e-15
    )
    np.testing.assert_allclose(
        sharplib.sigmoid_weights(x), scipy.special.expit(x - np.log(len(x))), rtol=1e-15
    )


def test_n_counts_the_items_that_are_not_masked(library):
    """A causal mask with equal scores of 0: row i gives each of its i + 1 items 1 / (i + 2)."""
    masked = np.where(np.tri(5, dtype=bool), 0.0, -np.inf)
    result = library.numpy(sharplib.sigmoid_weights(library.array(masked)))
    expected = np.tri(5) / np.arange(2, 7)[:, None]
    np.testing.assert_allclose(result, expected, rtol=library.eps + 4 * library.work_eps)


def test_sums_stay_near_one_with_the_default_bias_and_grow_without():
    for n in (10, 1000, 100_000):
        x = np.random.default_rng(n).standard_normal(n)
        # Near E exp(x) = 1.65 for standard normal scores; the scores of ten items scatter.
        assert 0.8 < sharplib.sigmoid_weights(x).sum() < 2
        assert sharplib.sigmoid_weights(x, bias=0.0).sum() == pytest.approx(n / 2, rel=0.4)


def test_with_a_fixed_bias_an_item_does_not_see_the_others():
    x = np.array([0.5, -1.0, 2.0])
    longer = np.append(x, np.full(1000, 3.0))
    np.testing.assert_array_equal(
        sharplib.sigmoid_weights(longer, -2.0)[:3], sharplib.sigmoid_weights(x, -2.0)
    )


def test_one_bias_per_row(library, rng):
    values = rng.integers(-128, 128, size=(3, 5)) / 64
    biases = np.array([[-1.0], [0.0], [2.5]])
    together = library.numpy(sharplib.sigmoid_weights(library.array(values), library.array(biases)))
    for k in range(3):
        alone = sharplib.sigmoid_weights(library.array(values[k]), float(biases[k, 0]))
        np.testing.assert_array_equal(together[k], library.numpy(alone))


def test_gradients_of_scores_and_bias(rng):
    x = torch.tensor(rng.standard_normal((3, 4)), requires_grad=True)
    bias = torch.tensor([[-1.0], [0.0], [2.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sharplib.sigmoid_weights, (x, bias))
    assert torch.autograd.gradgradcheck(sharplib.sigmoid_weights, (x, bias))


def test_a_learned_bias_beside_masked_rows_has_a_finite_gradient():
    x = torch.tensor([[0.0, -torch.inf], [-torch.inf, -torch.inf]], requires_grad=True)
    bias = torch.tensor(0.0, requires_grad=True)
    sharplib.sigmoid_weights(x, bias).sum().backward()
    assert float(bias.grad) == 0.25
    np.testing.assert_array_equal(x.grad, [[0.25, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_bias_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match=r"^bias must be .* finite, got "):
        sharplib.sigmoid_weights(np.zeros(3), bad)
    with pytest.raises(TypeError, match=r"^bias must be an array or a tensor, got str"):
        sharplib.sigmoid_weights(np.zeros(3), "-log n")
