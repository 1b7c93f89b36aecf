"""gumbel_softmax: its formula, the theorem of the Gumbel maximum, and the straight-through draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest
import scipy.special
import torch

import sharplib


def generator(like: Any, seed: int = 5) -> Any:
    if isinstance(like, torch.Tensor):
        return torch.Generator().manual_seed(seed)
    return np.random.default_rng(seed)


def draw(x: Any, **settings: Any) -> Any:
    return sharplib.gumbel_softmax(x, generator=generator(x), **settings)


def test_the_formula(rng):
    x = rng.standard_normal((6, 5))
    noise = -np.log(np.random.default_rng(5).standard_exponential((6, 5)))
    for theta in (0.1, 1.0, 10.0):
        expected = scipy.special.softmax((x + noise) / theta, axis=-1)
        np.testing.assert_allclose(draw(x, temperature=theta), expected, rtol=1e-12)


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
@pytest.mark.parametrize("temperature", [0.1, 5.0])
def test_the_largest_weight_is_a_draw_from_softmax(make: Callable[..., Any], temperature):
    p = np.array([0.05, 0.15, 0.3, 0.5])
    draws = 40_000
    x = make(np.tile(np.log(p), (draws, 1)))
    found = np.bincount(np.asarray(draw(x, temperature=temperature)).argmax(-1)) / draws
    # Four standard deviations.
    np.testing.assert_array_less(np.abs(found - p), 4 * np.sqrt(p * (1 - p) / draws))


def test_hard_weights_are_the_item_with_the_largest_soft_weight(library, rng):
    x = library.array(rng.standard_normal((3, 4, 5)))
    for axis in (0, -2, 2):
        hard = library.numpy(draw(x, axis=axis, hard=True))
        soft = library.numpy(draw(x, axis=axis))
        assert set(np.unique(hard)) == {0, 1}
        assert (hard.sum(axis) == 1).all()
        assert ((hard == 1) <= (soft == soft.max(axis, keepdims=True))).all()


def test_hard_weights_have_the_gradient_of_the_soft_ones(rng):
    x = torch.tensor(rng.standard_normal((4, 5)), requires_grad=True)
    along = torch.tensor(rng.standard_normal((4, 5)))
    hard, soft = (
        torch.autograd.grad((along * draw(x, hard=hard)).sum(), x)[0] for hard in (True, False)
    )
    assert torch.equal(hard, soft)
    assert torch.autograd.gradcheck(draw, (x,))
    assert torch.autograd.gradgradcheck(draw, (x,))


@pytest.mark.parametrize("hard", [False, True])
def test_masked_items_are_never_drawn(hard, library):
    rows = [[0.0, -np.inf, 1.0], [-np.inf] * 3, [0.0, np.nan, 1.0], [np.inf, 0.0, 1.0]]
    p = library.numpy(draw(library.array(rows), hard=hard))
    assert p[0, 1] == 0
    assert p[0].sum() == pytest.approx(1, abs=2 * library.eps)
    np.testing.assert_array_equal(p[1], 0)
    assert np.isnan(p[2]).all()
    np.testing.assert_array_equal(p[3], [1, 0, 0])
    x = torch.tensor(rows[:2], requires_grad=True)
    draw(x, hard=hard)[:, 0].sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad[x.isinf()] == 0).all()


def test_a_seed_says_which_item_and_another_seed_another():
    for x in (np.zeros((8, 50)), torch.zeros(8, 50)):
        same = [np.asarray(draw(x)) for _ in range(2)]
        np.testing.assert_array_equal(*same)
        other = np.asarray(sharplib.gumbel_softmax(x, generator=generator(x, 6)))
        assert (other != same[0]).all()


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
def test_empty_arrays(shape):
    for x in (np.zeros(shape), torch.zeros(shape)):
        for hard in (False, True):
            assert draw(x, hard=hard).shape == shape


@pytest.mark.parametrize("bad", [None, 5, "random"])
def test_a_generator_of_another_kind_is_refused(bad):
    for x in (np.zeros(3), array_api_strict.zeros(3), torch.zeros(3)):
        with pytest.raises(TypeError, match=r"^generator must be a (numpy.random|torch).Generator"):
            sharplib.gumbel_softmax(x, generator=bad)
    with pytest.raises(TypeError, match=r"^generator must be a torch.Generator for a tensor"):
        sharplib.gumbel_softmax(torch.zeros(3), generator=np.random.default_rng(0))
