"""One text for the value and the derivative of a map, on NumPy and on torch.

A map is written twice in array API code: its value, and its vector-Jacobian product from whatever
the value left behind. On NumPy only the value is needed. On torch the two become one
``torch.autograd.Function``, so that the backward pass costs one saved tensor and no solver is ever
unrolled. Both halves are ordinary differentiable code, so second derivatives, ``torch.func`` and
``torch.compile(fullgraph=True)`` follow.

A rule with a name can be done faster by somebody else: `FASTER` is empty here, and
`sharplib.kernels` fills it. What is written here and in the mappings stays the specification.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from sharplib._arrays import is_torch

Arrays = tuple[Any, ...]


class Faster(NamedTuple):
    """Another way to do the two halves of a rule; either gives None where it does not apply."""

    value: Callable[[ClosedForm, Arrays, dict[str, Any]], Arrays | None]
    vjp: Callable[[ClosedForm, Arrays, Arrays, dict[str, Any]], Arrays | None]


FASTER: dict[str, tuple[Faster, ...]] = {}
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
    name
        What `FASTER` knows the rule by.
    iterative
        For a value that loops until it has converged: ``torch.compile`` keeps it whole, under its
        name, instead of unrolling it. Its outputs have the shapes of its inputs, in order, and its
        only setting is ``axis``.
    """

    value: Callable[..., Arrays]
    vjp: Callable[..., Arrays]
    saved: Callable[[Arrays, Arrays], Arrays]
    name: str = field(default="", kw_only=True)
    iterative: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.iterative:
            ITERATIVE[self.name] = self

    def __call__(self, *arrays: Any, **settings: Any) -> Arrays:
        if is_torch(arrays[0]):
            from sharplib._torch_function import TorchFunction

            return TorchFunction.apply(self, settings, *arrays)
        # An overflow to -inf is a weight of exactly 0: the limit, not an accident.
        with np.errstate(over="ignore", under="ignore"):
            return self.evaluate(arrays, settings)

    def evaluate(self, arrays: Arrays, settings: dict[str, Any]) -> Arrays:
        """The value, the fast way where there is one."""
        for faster in FASTER.get(self.name, ()):
            found = faster.value(self, arrays, settings)
            if found is not None:
                return found
        return self.value(*arrays, **settings)

    def pull_back(self, saved: Arrays, grads: Arrays, settings: dict[str, Any]) -> Arrays:
        """The vector-Jacobian product, the fast way where there is one."""
        for faster in FASTER.get(self.name, ()):
            found = faster.vjp(self, saved, grads, settings)
            if found is not None:
                return found
        return self.vjp(saved, grads, **settings)
