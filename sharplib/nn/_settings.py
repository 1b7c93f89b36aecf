"""What the wrapping modules share: a function of the library, and its parameters by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class WithSettings(torch.nn.Module):
    """A function with its axis and its parameters; the tensors among them belong to the module."""

    def __init__(self, function: Callable[..., Any], axis: int, parameters: dict[str, Any]) -> None:
        super().__init__()
        tensors = {k: v for k, v in parameters.items() if isinstance(v, torch.Tensor)}
        self.function, self.axis, self.tensors = function, axis, tuple(tensors)
        self.settings = {k: v for k, v in parameters.items() if k not in tensors}
        for name, value in tensors.items():
            if isinstance(value, torch.nn.Parameter):
                self.register_parameter(name, value)
            else:
                self.register_buffer(name, value, persistent=False)

    def arguments(self) -> dict[str, Any]:
        """The axis and the parameters, with tensors as the module has them now."""
        tensors = {name: getattr(self, name) for name in self.tensors}
        return {"axis": self.axis} | self.settings | tensors

    def called(self, shown: dict[str, Any]) -> str:
        """The name of the function and some settings, for `extra_repr`."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return ", ".join([name, *(f"{k}={v}" for k, v in (shown | self.settings).items())])
