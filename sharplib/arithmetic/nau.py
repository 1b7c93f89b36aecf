"""The neural addition unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sharplib.arithmetic._unit import Unit, read_sum, uniform

if TYPE_CHECKING:
    import sympy

__all__ = ["NAU", "nau", "nau_penalty"]


def nau(x: Tensor, weight: Tensor) -> Tensor:
    r"""The sum of the inputs that are selected, each with its sign.

    .. math:: y_o = \sum_i W_{oi} x_i

    Parameters
    ----------
    x : (..., B, I)
    weight : (..., O, I)
        In [-1, 1]. Leading axes broadcast.

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: Madsen and Johansen, "Neural Arithmetic Units", ICLR 2020.

    Examples
    --------
    >>> nau(torch.tensor([[3.0, 5.0, 7.0]]), torch.tensor([[1.0, -1.0, 0.0]])).tolist()
    [[-2.0]]
    """
    return x @ weight.mT


def nau_penalty(weight: Tensor) -> Tensor:
    r"""How far weights are from -1, 0 and 1, on average over the last two axes.

    .. math:: R(W) = \frac{1}{OI} \sum_{oi} \min(|W_{oi}|, |1 - |W_{oi}||)

    >>> nau_penalty(torch.tensor([[0.0, -0.25, 0.5, -1.0]])).item()
    0.1875
    """
    size = weight.abs()
    return torch.minimum(size, (1 - size).abs()).mean((-2, -1))


def nau_initial(inputs: int, outputs: int, generator: torch.Generator | None) -> Tensor:
    """Weights of shape (O, I) with variance 2 / (I + O), but within 1/2 of zero."""
    bound = min(0.5, math.sqrt(6 / (inputs + outputs)))
    return uniform((outputs, inputs), -bound, bound, generator)


class NAU(Unit):
    r"""Neural addition unit: learns which inputs to add and which to subtract. See `nau`.

    Weights start uniform in ±min(1/2, sqrt(6 / (I + O))); `clip` keeps them in [-1, 1]; `penalty`
    is `nau_penalty`.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (..., O, I)

    Examples
    --------
    >>> unit = NAU(3, 1)
    >>> unit.weight.data = torch.tensor([[0.99, 0.02, -1.0]])
    >>> unit.formula()
    (x1 - x3,)
    """

    operations = frozenset({"add", "sub"})
    weight: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Weights uniform around zero."""
        return {"weight": nau_initial(self.inputs, self.outputs, generator)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the sums of the rows of x."""
        return nau(x, self.weight)

    def penalty(self) -> Tensor:
        """See `nau_penalty`."""
        return nau_penalty(self.weight)

    @torch.no_grad()
    def clip(self) -> None:
        """Clamp the weights to [-1, 1]."""
        self.weight.clamp_(-1, 1)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_sum(self.weight[output], x)
