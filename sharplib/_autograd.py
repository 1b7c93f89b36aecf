"""One text for the value and the derivative of a map, on NumPy and on torch.

A map is written twice in array API code: its value, and its vector-Jacobian product from whatever
the value left behind. On NumPy only the value is needed. On torch the two become one
``torch.autograd.Function``, so that the backward pass costs one saved tensor and no solver is ever
unrolled. Both halves are ordinary differentiable code, so second derivatives, ``torch.func`` and
``torch.compile(fullgraph=True)`` follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sharplib._arrays import is_torch

Arrays = tuple[Any, ...]

ITERATIVE: dict[str, ClosedForm] = {}


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """A differentiable function: call it with arrays, then settings by keyword.

    Parameters
    ----------
    value
        ``value(*arrays, **settings)`` gives a tuple of arrays.
    vjp
        ``vjp(saved, grads, **settings)``, with one gradient per output, gives one per input.
    saved
        ``saved(inputs, outputs)`` picks the arrays that the backward pass needs.
    iterative
        For a value that loops until it has converged: a name, under which ``torch.compile`` keeps
        it whole instead of unrolling it. Its outputs have the shapes of its inputs, in order, and
        its only setting is ``axis``.
    """

    value: Callable[..., Arrays]
    vjp: Callable[..., Arrays]
    saved: Callable[[Arrays, Arrays], Arrays]
    iterative: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.iterative:
            ITERATIVE[self.iterative] = self

    def __call__(self, *arrays: Any, **settings: Any) -> Arrays:
        if is_torch(arrays[0]):
            from sharplib._torch_function import TorchFunction

            return TorchFunction.apply(self, settings, *arrays)
        # An overflow to -inf is a weight of exactly 0: the limit, not an accident.
        with np.errstate(over="ignore", under="ignore"):
            return self.value(*arrays, **settings)
