"""relu_weights: a formula so short that its tests are about n, infinity and the kink."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-50, 50, width=32))


@given(x=ROWS)
@settings(deadline=None)
def test_relu_weights_against_numpy(x):
    np.testing.assert_array_equal(sharplib.relu_weights(x), np.clip(x, 0, None) / len(x))


def test_n_counts_the_items_that_are_not_masked(library):
    masked = np.where(np.tri(4, dtype=bool), 1.0, -np.inf)
    result = library.numpy(sharplib.relu_weights(library.array(masked)))
    expected = np.tri(4) / np.arange(1, 5)[:, None]
    np.testing.assert_allclose(result, expected, rtol=library.eps)


def test_an_infinite_score_has_an_infinite_weight_and_leaves_the_others_alone(library):
    result = library.numpy(sharplib.relu_weights(library.array([np.inf, 1.0, -1.0, -np.inf])))
    np.testing.assert_allclose(result, [np.inf, 1 / 3, 0, 0], rtol=library.eps)


def test_the_gradient_is_one_over_n_above_the_kink_and_zero_on_it():
    x = torch.tensor([2.0, 0.0, -1.0, -torch.inf, 1.0], requires_grad=True)
    sharplib.relu_weights(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.25, 0, 0, 0, 0.25])
