"""Any mapping as a torch module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class Map(torch.nn.Module):
    """A mapping of the library as a module, for places that want one.

    Parameters
    ----------
    function : callable
        A mapping, ``f(x, <its parameters>, axis=-1)``.
    axis : int
        The axis along which it works.
    **parameters
        Its parameters by name. A `torch.nn.Parameter` among them is learned with the module.

    Examples
    --------
    >>> import torch, sharplib
    >>> from sharplib.nn import Map
    >>> Map(sharplib.entmax, alpha=1.25)
    Map(entmax, axis=-1, alpha=1.25)
    >>> Map(sharplib.sparsemax)(torch.tensor([1.0, 0.5, -2.0]))
    tensor([0.7500, 0.2500, 0.0000])
    """

    def __init__(self, function: Callable[..., Any], axis: int = -1, **parameters: Any) -> None:
        super().__init__()
        self.function, self.axis, self.settings = function, axis, parameters
        for name, value in parameters.items():
            if isinstance(value, torch.nn.Parameter):
                self.register_parameter(name, value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The weights of the scores `x`, of any shape."""
        return self.function(x, axis=self.axis, **(self.settings | self._parameters))

    def extra_repr(self) -> str:
        fixed = {k: v for k, v in self.settings.items() if k not in self._parameters}
        settings = {"axis": self.axis} | fixed
        return ", ".join([self.function.__name__, *(f"{k}={v}" for k, v in settings.items())])
