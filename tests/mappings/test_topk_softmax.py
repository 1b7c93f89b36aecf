"""topk_softmax against softmax of the sorted head, and what happens at ties."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import torch

import sharplib


@pytest.mark.parametrize("k", [1, 2, 5, 9, 100])
def test_topk_softmax_is_softmax_over_the_head(k, rng):
    for _ in range(20):
        x = rng.standard_normal(9)
        head = np.argsort(-x)[:k]
        expected = np.zeros(9)
        expected[head] = scipy.special.softmax(x[head])
        # A few rounding steps.
        np.testing.assert_allclose(sharplib.topk_softmax(x, k), expected, rtol=1e-15, atol=1e-16)


def test_ties_for_the_last_place_never_keep_more_than_k(library):
    x = library.array([[0.0, 1.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0], [1.0, 0.0, 1.0, 1.0]])
    p = library.numpy(sharplib.topk_softmax(x, 2))
    e = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(
        p, [[1 - e, e, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0, 0.5, 0]], rtol=2 * library.eps
    )


def test_a_thousand_ties(rng):
    x = rng.integers(0, 3, size=(5, 1000)).astype(float)
    for k in (1, 10, 500):
        assert (np.count_nonzero(sharplib.topk_softmax(x, k), axis=-1) == k).all()


def test_the_jacobian_written_out(rng):
    x = torch.tensor(rng.standard_normal(7))
    p = sharplib.topk_softmax(x, 3)
    slope = torch.func.jacrev(lambda x: sharplib.topk_softmax(x, 3))(x)
    torch.testing.assert_close(slope, torch.diag(p) - torch.outer(p, p))


def test_a_numpy_integer_is_an_integer():
    x = np.array([0.0, 1.0, 2.0])
    np.testing.assert_array_equal(
        sharplib.topk_softmax(x, np.int64(2)), sharplib.topk_softmax(x, 2)
    )


@pytest.mark.parametrize(
    "bad", [2.0, "two", None, True, np.True_, np.array([1, 2]), torch.tensor([1, 2])]
)
def test_a_k_that_is_no_integer_is_refused(bad):
    with pytest.raises(TypeError, match=r"^k must be an integer, got "):
        sharplib.topk_softmax(np.zeros(3), bad)


@pytest.mark.parametrize("bad", [0, -1])
def test_a_k_below_one_is_refused(bad):
    with pytest.raises(ValueError, match=rf"^k must be at least 1, got {bad}$"):
        sharplib.topk_softmax(np.zeros(3), bad)
