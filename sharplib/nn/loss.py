"""Any loss of the library as a torch module, with a reduction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from sharplib.nn._settings import WithSettings

REDUCTIONS = ("mean", "sum", "none")


class Loss(WithSettings):
    """A loss of `sharplib.losses` as a module, reduced over the rows.

    Parameters
    ----------
    function : callable
        A loss, ``f(x, target, <its parameters>, axis=-1)``, that gives one number per row.
    axis : int
        The axis along which weights sum to 1.
    reduction : "mean", "sum" or "none"
        What to do with the rows.
    ignore_index : int, optional
        Rows of this class have loss 0, no gradient, and no part in the mean. The mean of no rows
        is 0.
    **parameters
        Parameters of the loss by name; tensors as in `Map`.

    Raises
    ------
    ValueError
        Another reduction.

    Examples
    --------
    >>> import torch
    >>> from sharplib import losses
    >>> from sharplib.nn import Loss
    >>> loss = Loss(losses.entmax_loss, ignore_index=-100, alpha=1.25)
    >>> loss(torch.tensor([[1.0, 0.5], [0.0, 9.0]]), torch.tensor([1, -100]))
    tensor(0.7959)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        axis: int = -1,
        *,
        reduction: str = "mean",
        ignore_index: int | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(function, axis, parameters)
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {REDUCTIONS}, got {reduction!r}")
        self.reduction, self.ignore_index = reduction, ignore_index

    def forward(self, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of the scores `x` for classes, or weights, `target`."""
        ignored = None
        if self.ignore_index is not None and not target.is_floating_point():
            ignored = target == self.ignore_index
            target = target.masked_fill(ignored, 0)
        rows = self.function(x, target, **self.arguments())
        count: Any = max(rows.numel(), 1)
        if ignored is not None:
            rows = rows.masked_fill(ignored, 0)
            count = (~ignored).sum().clamp(min=1)
        if self.reduction == "none":
            return rows
        # Many rows of half precision can add up to more than that can hold.
        total = rows.sum(dtype=torch.promote_types(rows.dtype, torch.float32))
        return (total if self.reduction == "sum" else total / count).to(rows.dtype)

    def extra_repr(self) -> str:
        return self.called({"axis": self.axis, "reduction": self.reduction})
