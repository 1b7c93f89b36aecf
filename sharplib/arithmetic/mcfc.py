"""Mass-conserving layers: every input is shared out among the outputs, and some of it let go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sharplib.arithmetic._unit import Unit, pairs, product, read_powers, read_sum

if TYPE_CHECKING:
    import sympy

__all__ = ["MCFC", "MulMCFC", "MulMCFCSignINALU", "MulMCFCSignRealNPU", "mcfc", "mul_mcfc"]


def mcfc(x: Tensor, share: Tensor, gate: Tensor) -> Tensor:
    r"""A sum in which no input counts more than once, over all outputs together.

    .. math:: y_o = g_o \sum_i J_{oi} x_i, \qquad \sum_o J_{oi} = 1

    Parameters
    ----------
    x : (..., B, I)
    share : (..., O, I)
        J, above 0. With a single output it is 1: nothing can be left out.
    gate : (..., O)
        g, in [0, 1].

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: Hoedt et al., "MC-LSTM", arXiv 2101.05186, and its code.

    Examples
    --------
    >>> share = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> mcfc(torch.tensor([[3.0, 5.0, 7.0]]), share, torch.tensor([1.0, 0.5])).tolist()
    [[8.0, 3.5]]
    """
    return gate.unsqueeze(-2) * (x @ share.mT)


def mul_mcfc(x: Tensor, share: Tensor, gate: Tensor, offset: Tensor) -> Tensor:
    r"""A product of powers of positive numbers: `mcfc` of their logarithms.

    .. math:: y_o = \exp(g_o \sum_i J_{oi} \log x_i + \alpha_o)

    Parameters
    ----------
    x : (..., B, I)
        Above 0. Numbers below 0 give NaN; an input of 0 makes every output 0.
    share, gate
        See `mcfc`.
    offset : (..., O)
        :math:`\alpha`; 0 in a solved unit.

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: Hoedt et al., "MC-LSTM", arXiv 2101.05186, and its code.

    Examples
    --------
    >>> x, one = torch.tensor([[3.0, 4.0]]), torch.ones(1)
    >>> mul_mcfc(x, torch.ones(1, 2), gate=one, offset=0 * one).round(decimals=4).item()
    12.0
    """
    return torch.exp(mcfc(x.log(), share, gate) + offset.unsqueeze(-2))


class MCFC(Unit):
    r"""Mass-conserving layer: `mcfc` with shares by a softmax over the outputs.

    .. math:: J = \mathrm{softmax}_{\text{over outputs}}(R), \qquad g = \sigma(w + b)

    R starts orthogonal, or as the identity for as many inputs as outputs; w starts as a random
    vector of length 1, and b at 0. There is no clipping.

    Attributes
    ----------
    mass, opening, bias : torch.nn.Parameter, shapes (..., O, I), (..., O) and (..., O)
        R, w and b.

    Notes
    -----
    Source: Hoedt et al., "MC-LSTM", arXiv 2101.05186, and its code.

    Examples
    --------
    >>> unit = MCFC(3, 2)
    >>> unit.mass.data = torch.tensor([[9.0, 9.0, -9.0], [-9.0, -9.0, 9.0]])
    >>> unit.bias.data = torch.tensor([9.0, 9.0])
    >>> unit.formula()
    (x1 + x2, x3)
    """

    operations = frozenset({"add"})
    mass: torch.nn.Parameter
    opening: torch.nn.Parameter
    bias: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """See above."""
        if self.inputs == self.outputs:
            mass = torch.eye(self.outputs)
        else:
            mass = _orthogonal(self.outputs, self.inputs, generator)
        return {
            "mass": mass,
            "opening": _orthogonal(self.outputs, 1, generator)[:, 0],
            "bias": torch.zeros(self.outputs),
        }

    def share(self) -> Tensor:
        """How each input is shared out, of shape (..., O, I)."""
        return self.mass.softmax(-2)

    def gate(self) -> Tensor:
        """How much of each output is let out, of shape (..., O)."""
        return torch.sigmoid(self.opening + self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sums of the rows of x."""
        return mcfc(x, self.share(), self.gate())

    def selection(self) -> Tensor:
        """Gates times shares."""
        return self.gate().unsqueeze(-1) * self.share()

    def penalty(self) -> Tensor:
        r"""Return :math:`-\mathrm{mean}\, R^2 - \mathrm{mean}\, w^2 - \mathrm{mean}\, b^2`.

        It has no minimum: it drives softmax and sigmoid to where they are 0 or 1 to rounding.
        """
        gate = self.opening.square().mean(-1) + self.bias.square().mean(-1)
        return -(self.mass.square().mean((-2, -1)) + gate)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_sum(self.selection()[output], x)


class MulMCFC(MCFC):
    r"""A `MCFC` for products of positive numbers. See `mul_mcfc`.

    Attributes
    ----------
    mass, opening, bias : torch.nn.Parameter, shapes (..., O, I), (..., O) and (..., O)
        As in `MCFC`, with its penalty.
    offset : torch.nn.Parameter, shape (..., O)
        :math:`\alpha`; starts at 0.

    Notes
    -----
    Source: Hoedt et al., "MC-LSTM", arXiv 2101.05186, and its code; without the output that the
    authors add to it and throw away.
    """

    operations = frozenset({"mul"})
    offset: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """As in `MCFC`, and a zero."""
        return super().initial(generator) | {"offset": torch.zeros(self.outputs)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of the rows of x."""
        return mul_mcfc(x, self.share(), self.gate(), self.offset)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_powers(self.selection()[output].round(), x)


class MulMCFCSignINALU(MulMCFC):
    r"""A `MulMCFC` of absolute values, times the sign as in an `inalu`.

    .. math:: \prod_i (\mathrm{sign}(x_i) J_{oi} + 1 - J_{oi})

    Notes
    -----
    Source: the public code of Mistry et al., arXiv 2101.09530.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of the rows of x."""
        signs, share = pairs(x.sign(), self.share())
        return super().forward(x.abs()) * product(signs * share + (1 - share))


class MulMCFCSignRealNPU(MulMCFC):
    r"""A `MulMCFC` of absolute values, times the sign as in an `npu`.

    .. math:: \cos\Bigl(\pi \sum_i \hat g_i [x_i < 0] J_{oi}\Bigr), \qquad
        \hat g = \mathrm{clip}(g, 0, 1)

    Attributes
    ----------
    turn : torch.nn.Parameter, shape (..., I)
        g, which starts at 1/2; beside those of `MulMCFC`.

    Notes
    -----
    Source: the public code of Mistry et al., arXiv 2101.09530.
    """

    turn: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """As in `MulMCFC`, and halves."""
        return super().initial(generator) | {"turn": torch.full((self.inputs,), 0.5)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of the rows of x."""
        angle = math.pi * self.turn.clamp(0, 1).unsqueeze(-2) * (x < 0)
        return super().forward(x.abs()) * torch.cos(angle @ self.share().mT)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        signed = (self.turn > 0.5).tolist()
        x = [x if keep else abs(x) for x, keep in zip(x, signed, strict=True)]
        return super()._read(output, x)


def _orthogonal(outputs: int, inputs: int, generator: torch.Generator | None) -> Tensor:
    """A matrix whose rows, or columns if there are more of those than rows, are orthonormal."""
    return torch.nn.init.orthogonal_(torch.empty(outputs, inputs), generator=generator)
