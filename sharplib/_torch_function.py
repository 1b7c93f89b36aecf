"""The torch half of `sharplib._autograd`: imported only where a torch tensor has been seen."""

from __future__ import annotations

from typing import Any

import torch


class TorchFunction(torch.autograd.Function):
    """Any `ClosedForm` as an autograd function; its first two arguments carry no gradient."""

    generate_vmap_rule = True

    @staticmethod
    def forward(rule: Any, settings: dict[str, Any], *arrays: torch.Tensor) -> Any:
        return rule.value(*arrays, **settings)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.rule, ctx.settings, *arrays = inputs
        ctx.save_for_backward(*ctx.rule.saved(tuple(arrays), output))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return None, None, *ctx.rule.vjp(ctx.saved_tensors, grads, **ctx.settings)
