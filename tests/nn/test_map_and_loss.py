"""The small modules: any mapping, any loss, and entmax with a learned alpha."""

from __future__ import annotations

import copy
import functools

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrize

import sharplib
from sharplib import losses
from sharplib.nn import AdaptiveEntmax, Loss, Map


def test_map_is_the_function(rng):
    x = torch.tensor(rng.standard_normal((3, 4, 5)))
    assert torch.equal(Map(sharplib.budget, 1, k=2)(x), sharplib.budget(x, 2, axis=1))
    assert repr(Map(sharplib.budget, 1, k=2)) == "Map(budget, axis=1, k=2)"


def test_map_learns_a_parameter(rng):
    x = torch.tensor(rng.standard_normal((3, 5)).astype(np.float32))
    module = Map(sharplib.entmax, alpha=torch.nn.Parameter(torch.tensor(1.5)))
    assert dict(module.named_parameters()).keys() == {"alpha"}
    module(x).square().sum().backward()
    assert module.alpha.grad != 0
    other = Map(sharplib.entmax, alpha=torch.nn.Parameter(torch.tensor(1.9)))
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(x), module(x))
    assert module.double().alpha.dtype == torch.float64


class AboveOne(torch.nn.Module):
    def forward(self, raw):
        return 1 + torch.sigmoid(raw)


def test_map_takes_a_parameter_through_its_parametrization(rng):
    x = torch.tensor(rng.standard_normal((3, 5)).astype(np.float32))
    module = Map(sharplib.entmax, alpha=torch.nn.Parameter(torch.tensor(0.0)))
    parametrize.register_parametrization(module, "alpha", AboveOne())
    assert torch.equal(module(x), sharplib.entmax15(x))


@pytest.mark.parametrize("wrapped", [torch.nn.Parameter, torch.Tensor.clone])
def test_tensors_move_with_the_module(wrapped):
    x, s = torch.zeros(3, 5, device="meta"), wrapped(torch.full((3, 1), 0.4))
    assert Map(sharplib.ssmax, s=s).to("meta")(x).is_meta
    loss = Loss(losses.entmax_loss, alpha=s + 1).to("meta")
    assert loss(x, torch.zeros(3, dtype=int, device="meta")).is_meta
    learned = Loss(losses.entmax_loss, alpha=torch.nn.Parameter(s + 1))
    assert [name for name, _ in learned.named_parameters()] == ["alpha"]


@pytest.mark.parametrize(
    "function", [functools.partial(sharplib.entmax, alpha=2.0), sharplib.CATALOGUE["sparsemax"]]
)
def test_a_function_without_a_name_can_be_shown_and_copied(function, rng):
    x = torch.tensor(rng.standard_normal((3, 5)))
    module = copy.deepcopy(Map(function))
    assert repr(module) in ("Map(partial, axis=-1)", "Map(Mapping, axis=-1)")
    assert torch.equal(module(x), sharplib.sparsemax(x))


@pytest.mark.parametrize("ignored", [-100, 1])
def test_loss_reduces_and_ignores(ignored, rng):
    x = torch.tensor(rng.standard_normal((4, 3)), requires_grad=True)
    y = torch.tensor([0, ignored, 2, ignored])
    each = losses.sparsemax_loss(x, torch.tensor([0, 0, 2, 0]))
    kept = each[[0, 2]]

    def loss(reduction):
        return Loss(losses.sparsemax_loss, reduction=reduction, ignore_index=ignored)(x, y)

    assert torch.equal(loss("none"), each * torch.tensor([1, 0, 1, 0]))
    torch.testing.assert_close(loss("sum"), kept.sum())
    torch.testing.assert_close(loss("mean"), kept.mean())
    (gradient,) = torch.autograd.grad(loss("mean"), x)
    assert (gradient[[1, 3]] == 0).all()
    assert (gradient[[0, 2]] != 0).any()


@pytest.mark.parametrize("ignored", [None, 3])
def test_the_mean_of_many_rows_of_half_precision(ignored, rng):
    """Their sum, 1.7 for each of 100,000 rows, is beyond float16."""
    x = torch.tensor(rng.standard_normal((100_000, 4))).half()
    y = torch.tensor(rng.integers(0, 4, 100_000))
    loss = Loss(losses.softmax_loss, ignore_index=ignored)
    result = loss(x, y)
    assert result.dtype == torch.float16
    # Each row is rounded to 11 bits, and the mean once more.
    torch.testing.assert_close(result.double(), loss(x.double(), y), rtol=2**-10, atol=0)


def test_loss_takes_weights_and_any_axis(rng):
    x = torch.tensor(rng.standard_normal((2, 3, 4)))
    q = torch.softmax(torch.tensor(rng.standard_normal((2, 3, 4))), 1)
    expected = losses.entmax_loss(x, q, 1.3, axis=1).mean()
    assert Loss(losses.entmax_loss, 1, ignore_index=0, alpha=1.3)(x, q) == expected
    assert "entmax_loss, axis=1, reduction=mean" in repr(Loss(losses.entmax_loss, 1))


def test_a_reduction_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"^reduction must be one of .* got 'average'"):
        Loss(losses.entmax_loss, reduction="average")


def test_adaptive_entmax_has_one_alpha_per_head(rng):
    x = torch.tensor(rng.standard_normal((2, 3, 4, 5)).astype(np.float32))
    module = AdaptiveEntmax((3, 1, 1), alpha=1.2)
    torch.testing.assert_close(module.alpha, torch.full((3, 1, 1), 1.2))
    with torch.no_grad():
        module.logit[:] = torch.tensor([-3.0, 0.0, 3.0])[:, None, None]
    p = module(x)
    for head in range(3):
        alone = sharplib.entmax(x[:, head], float(module.alpha[head].detach()))
        torch.testing.assert_close(p[:, head], alone)
    p.square().sum().backward()
    assert (module.logit.grad != 0).all()
    assert repr(module) == "AdaptiveEntmax(shape=(3, 1, 1), axis=-1)"


@pytest.mark.parametrize("bad", [1, 2, 0.5, float("nan")])
def test_adaptive_entmax_begins_between_softmax_and_sparsemax(bad):
    with pytest.raises(ValueError, match=r"^alpha must lie strictly between 1 and 2, got "):
        AdaptiveEntmax(alpha=bad)


def test_adaptive_entmax_wants_a_shape():
    with pytest.raises(TypeError, match=r"^shape must be a sequence of integers, got 8$"):
        AdaptiveEntmax(8)
    assert AdaptiveEntmax(torch.Size([8, 1, 1])).alpha.shape == (8, 1, 1)
