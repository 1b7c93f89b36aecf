"""The torch half of `sharplib._autograd`: imported only where a torch tensor has been seen."""

from __future__ import annotations

from typing import Any

import torch

from sharplib._autograd import ITERATIVE, ClosedForm


class TorchFunction(torch.autograd.Function):
    """Any `ClosedForm` as an autograd function; its first two arguments carry no gradient."""

    generate_vmap_rule = True

    @staticmethod
    def forward(*given: Any) -> Any:
        # torch.compile puts a context in front where no gradient is wanted.
        rule, settings, *arrays = given if isinstance(given[0], ClosedForm) else given[1:]
        if not torch.compiler.is_compiling():
            return rule.evaluate(tuple(arrays), settings)
        if rule.iterative:
            return tuple(iterate(rule.name, arrays, settings["axis"]))
        return rule.value(*arrays, **settings)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.rule, ctx.settings, *arrays = inputs
        ctx.save_for_backward(*ctx.rule.saved(tuple(arrays), output))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        if torch.compiler.is_compiling():
            return None, None, *ctx.rule.vjp(ctx.saved_tensors, grads, **ctx.settings)
        return None, None, *ctx.rule.pull_back(ctx.saved_tensors, grads, ctx.settings)


@torch.library.custom_op("sharplib::iterate", mutates_args=())
def iterate(name: str, arrays: list[torch.Tensor], axis: int) -> list[torch.Tensor]:
    """The value of an iterative rule as one node of a compiled graph."""
    outputs = ITERATIVE[name].evaluate(tuple(arrays), {"axis": axis})
    return [output.contiguous() for output in outputs]


@iterate.register_fake
def _(name: str, arrays: list[torch.Tensor], axis: int) -> list[torch.Tensor]:
    return [torch.empty(a.shape, dtype=a.dtype, device=a.device) for a in arrays]
