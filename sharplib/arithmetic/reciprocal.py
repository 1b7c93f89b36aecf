"""The units made for division: the neural reciprocal unit and the multiplicative one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sharplib.arithmetic._unit import pairs, product, read_powers, uniform
from sharplib.arithmetic.nau import NAU
from sharplib.arithmetic.nmu import NMU

if TYPE_CHECKING:
    import sympy

__all__ = ["NMRU", "NRU", "nmru", "nru"]

EPSILON = 2.0**-23


def nru(x: Tensor, weight: Tensor, *, training: bool = False) -> Tensor:
    r"""The product of the inputs with weight 1, divided by those with weight -1.

    .. math:: y_o = \prod_i (\mathrm{sign}(x_i) |x_i|^{W_{oi}} A_{oi} + 1 - A_{oi}), \qquad
        A = |W|

    In training :math:`A = \tanh^2(1000 W)`: a weight is fully on unless it is very near 0.

    Parameters
    ----------
    x : (..., B, I)
    weight : (..., O, I)
        In [-1, 1].

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: Mistry et al., arXiv 2110.05177, and its code.

    Examples
    --------
    >>> nru(torch.tensor([[3.0, -4.0]]), torch.tensor([[1.0, -1.0]])).tolist()
    [[-0.75]]
    """
    x, weight = pairs(x, weight)
    amount = torch.tanh(1000 * weight).square() if training else weight.abs()
    return product(torch.copysign(x.abs() ** weight, x) * amount + (1 - amount))


def nmru(x: Tensor, weight: Tensor, *, training: bool = False) -> Tensor:
    r"""The product of the inputs and reciprocals that are selected, with its sign apart.

    .. math:: y_o = \cos(\pi \sum_j W_{oj} [v_j < 0]) \prod_j (W_{oj} |v_j| + 1 - W_{oj}), \qquad
        v = (x, 1/x)

    In training the reciprocals are :math:`1/(x + \epsilon)` with :math:`\epsilon = 2^{-23}`.

    Parameters
    ----------
    x : (..., B, I)
    weight : (..., O, 2I)
        In [0, 1].

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: Mistry et al., TMLR 2022, and its code, where this is the sign-NMRU.

    Examples
    --------
    >>> nmru(torch.tensor([[3.0, -4.0]]), torch.tensor([[1.0, 0.0, 0.0, 1.0]])).tolist()
    [[-0.75]]
    """
    v = torch.cat([x, 1 / (x + EPSILON if training else x)], -1)
    turn = math.pi * (v < 0).to(v.dtype) @ weight.mT
    v, weight = pairs(v.abs(), weight)
    factors = weight * v + (1 - weight)
    if not training:  # what is left out counts as 1, even the reciprocal of 0
        factors = torch.where(weight == 0, 1.0, factors)
    return product(factors) * torch.cos(turn)


class NRU(NAU):
    r"""Neural reciprocal unit: learns what to multiply and what to divide by. See `nru`.

    Initial values, clipping and penalty are those of the `NAU`.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (..., O, I)
    """

    operations = frozenset({"mul", "div"})

    def forward(self, x: Tensor) -> Tensor:
        """Return the quotients for the rows of x."""
        return nru(x, self.weight, training=self.training)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_powers(self.weight[output].round(), x)


class NMRU(NMU):
    r"""Neural multiplicative reciprocal unit, with the sign apart. See `nmru`.

    Initial values, clipping and penalty are those of the `NMU`, with twice the weights.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (..., O, 2I)
        First for the inputs, then for their reciprocals.
    """

    operations = frozenset({"mul", "div"})

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Weights uniform in (0.25, 0.75)."""
        return {"weight": uniform((self.outputs, 2 * self.inputs), 0.25, 0.75, generator)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the quotients for the rows of x."""
        return nmru(x, self.weight, training=self.training)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return super()._read(output, [*x, *(1 / x for x in x)])
