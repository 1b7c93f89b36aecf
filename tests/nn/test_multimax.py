"""The MultiMax module: what it is before it learns, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sharplib
from sharplib.nn import MultiMax


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_begins_as_softmax_to_the_last_bit(order, dtype):
    x = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    for axis in (-1, 1):
        p = MultiMax(order, axis)(x)
        assert p.dtype == dtype
        assert torch.equal(p, sharplib.softmax(x, axis))


@pytest.mark.parametrize("order", [1, 2])
def test_has_two_parameters_for_each_order_and_threshold(order):
    module = MultiMax(order)
    assert {name: tuple(v.shape) for name, v in module.named_parameters()} == {
        "thresholds": (2 * order,),
        "coefficients": (2 * order,),
    }
    assert all(v.requires_grad and (v == 0).all() for v in module.parameters())
    assert repr(module) == f"MultiMax(order={order}, axis=-1)"


def test_learns_the_parameters_of_another(rng):
    """Coefficients and thresholds are found from weights alone."""
    x = torch.tensor(2 * rng.standard_normal((256, 8)), dtype=torch.float32)
    target = sharplib.multimax(x, (-0.5, 0.5), (-1.0, -0.5))
    module = MultiMax(order=1)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.05)
    for _ in range(400):
        optimiser.zero_grad()
        (module(x) - target).square().sum().backward()
        optimiser.step()
    # Adam's steps of 0.05 shrink with the gradient; two digits are found by then.
    np.testing.assert_allclose(module.thresholds.detach(), [-0.5, 0.5], atol=0.02)
    np.testing.assert_allclose(module.coefficients.detach(), [-1.0, -0.5], atol=0.02)


def test_takes_a_mask_before_and_learns_beside_it():
    x = torch.tensor([[0.5, -torch.inf, -1.0], [-torch.inf] * 3])
    module = MultiMax()
    module(x)[:, 0].sum().backward()
    assert module.coefficients.grad.isfinite().all()
    assert (module.coefficients.grad != 0).any()


def test_is_saved_and_loaded():
    one, other = MultiMax(), MultiMax()
    torch.nn.init.normal_(one.thresholds, generator=torch.Generator().manual_seed(1))
    torch.nn.init.normal_(one.coefficients, generator=torch.Generator().manual_seed(2))
    other.load_state_dict(one.state_dict())
    x = torch.linspace(-2, 2, 7)
    assert torch.equal(one(x), other(x))


@pytest.mark.parametrize(
    ("thresholds", "coefficients", "monotone"),
    [
        ([0.0, 0.0], [0.0, 0.0], True),
        ([-0.5, 0.5], [-1.0, -0.5], True),
        ([-0.5, 0.5], [1.0, -1.0], True),  # flat on both sides, falling on none
        ([-0.5, 0.5], [1.01, 0.0], False),
        ([-0.5, 0.5], [0.0, -1.01], False),
        ([0.5, -0.5], [0.6, -0.6], False),  # they overlap: slope -1/5 in between
        ([-0.5, 0.5], [0.6, -0.6], True),
        ([0.0] * 4, [0.0, 0.0, 0.01, 0.0], False),  # falls far below
        ([0.0] * 4, [0.0, 0.0, 0.0, -0.01], False),  # falls far above
        ([0.0] * 4, [0.0, 0.0, -1.0, 1.0], True),
        ([0.0, 0.0, 1.0, 0.0], [1.5, 0.0, -0.5, 0.0], True),  # slope 1 - 1.5 + 1 at 0
        ([0.0, 0.0, 0.25, 0.0], [1.5, 0.0, -0.5, 0.0], False),  # slope 1 - 1.5 + 0.25 at 0
    ],
)
def test_knows_whether_it_keeps_the_order(thresholds, coefficients, monotone):
    module = MultiMax(order=len(thresholds) // 2)
    with torch.no_grad():
        module.thresholds.copy_(torch.tensor(thresholds))
        module.coefficients.copy_(torch.tensor(coefficients))
    assert module.is_monotone() is monotone
    # The same by brute force: σ, as the logarithm of weights beside an item at 0, on a fine grid.
    x = torch.linspace(-150, 150, 60_001, dtype=torch.float64)
    pairs = torch.stack([x, torch.zeros_like(x)], -1)
    r, c = module.thresholds.double(), module.coefficients.double()
    logits = sharplib.multimax(pairs, r, c).log().diff(dim=-1)[:, 0].neg().detach()
    inside = logits.isfinite()
    # Logits of order 100 carry 1e-14; a slope of -0.01 on steps of 0.005 makes 5e-5.
    assert bool((logits[inside].diff() >= -1e-9).all()) is monotone


@pytest.mark.parametrize("order", [0, 3, None, 1.5])
def test_the_order_is_1_or_2(order):
    with pytest.raises(ValueError, match=rf"^order must be 1 or 2, got {order}$"):
        MultiMax(order)
