"""Which tensors may be worked on behind the back of torch."""

from __future__ import annotations

import sys
from typing import Any

from sharplib._arrays import is_torch


def mere_numbers(tensors: tuple[Any, ...], device: str) -> bool:
    """Whether tensors are numbers in the memory of such a device, and nobody follows them."""
    import torch

    return (
        all(
            type(a) in (torch.Tensor, torch.nn.Parameter)
            and a.device.type == device
            and a.layout == torch.strided
            and not torch._C._functorch.is_functorch_wrapped_tensor(a)
            and not torch._C._functorch.is_legacy_batchedtensor(a)
            for a in tensors
        )
        # Whoever watches or traces the operations shall see them.
        and torch._C._len_torch_dispatch_stack() == 0
        and not torch.jit.is_tracing()
    )


def second_order(like: Any) -> bool:
    """Whether this backward pass is itself to be differentiated."""
    torch = sys.modules.get("torch")
    return is_torch(like) and torch is not None and torch.is_grad_enabled()
