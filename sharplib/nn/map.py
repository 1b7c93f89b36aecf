"""Any mapping as a torch module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from sharplib.nn._settings import WithSettings


class Map(WithSettings):
    """A mapping of the library as a module, for places that want one.

    Parameters
    ----------
    function : callable
        A mapping, ``f(x, <its parameters>, axis=-1)``.
    axis : int
        The axis along which it works.
    **parameters
        Its parameters by name. A `torch.nn.Parameter` among them is learned with the module, and
        any tensor moves with it.

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
        super().__init__(function, axis, parameters)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The weights of the scores `x`, of any shape."""
        return self.function(x, **self.arguments())

    def extra_repr(self) -> str:
        return self.called({"axis": self.axis})
