"""The neural arithmetic logic unit, and its golden-ratio form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sharplib.arithmetic._unit import read_powers, read_sum, xavier
from sharplib.arithmetic.nac import NACAdd, nac_mul, nac_weight
from sharplib.arithmetic.nau import nau

if TYPE_CHECKING:
    import sympy

__all__ = ["NALU", "SNALU", "GoldenNALU", "nalu", "snalu"]


def nalu(x: Tensor, weight: Tensor, gate: Tensor) -> Tensor:
    r"""A mixture of a sum and a product with the same weights.

    .. math:: y = g \circ \mathrm{nau}(x, W) + (1 - g) \circ \mathrm{nac\_mul}(x, W), \qquad
        g = \sigma(G x)

    Parameters
    ----------
    x : (..., B, I)
    weight, gate : (..., O, I)

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: Trask et al., arXiv 1808.00508.

    Examples
    --------
    >>> x, weight = torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 1.0]])
    >>> nalu(x, weight, torch.tensor([[0.0, 0.0]])).round(decimals=4).tolist()  # of 7 and 12
    [[9.5]]
    """
    g = torch.sigmoid(nau(x, gate))
    return g * nau(x, weight) + (1 - g) * nac_mul(x, weight)


class NALU(NACAdd):
    r"""Neural arithmetic logic unit: `nalu` with the weights of `nac_weight`.

    Attributes
    ----------
    direction, amount, gate : torch.nn.Parameter, shape (..., O, I)
        :math:`\hat W`, :math:`\hat M` and :math:`G`.

    Notes
    -----
    Source: Trask et al., arXiv 1808.00508; initial values as in the code of Madsen and Johansen.
    """

    operations = frozenset({"add", "sub", "mul", "div"})
    gate: torch.nn.Parameter
    scale = 1.0
    """By which all raw parameters are multiplied."""

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Weights as in `NACAdd`, gates by Glorot and Bengio."""
        gate = {"gate": xavier(self.inputs, self.outputs, generator)}
        return super().initial(generator) | gate

    def selection(self) -> Tensor:
        """See `nac_weight`."""
        return nac_weight(self.scale * self.direction, self.scale * self.amount)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixtures for the rows of x."""
        return nalu(x, self.selection(), self.scale * self.gate)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        import sympy

        weight = self.selection()[output]
        gates = (self.scale * self.gate[output]).tolist()
        logit = sympy.Add(*(round(g, 3) * x for g, x in zip(gates, x, strict=True)))
        gate = 1 / (1 + sympy.exp(-logit))
        return gate * read_sum(weight, x) + (1 - gate) * read_powers(weight, [abs(x) for x in x])


class GoldenNALU(NALU):
    r"""G-NALU: a `NALU` in powers of the golden ratio :math:`\varphi` instead of e.

    .. math:: \frac{\varphi^{2x} - 1}{\varphi^{2x} + 1} = \tanh(x \ln\varphi), \qquad
        \frac{1}{1 + \varphi^{-x}} = \sigma(x \ln\varphi), \qquad
        \varphi^{W \log_\varphi u} = u^W

    So it is a NALU whose raw parameters are multiplied by :math:`\ln\varphi \approx 0.48`.

    Notes
    -----
    Source: the public code of Mistry et al., arXiv 2101.09530.
    """

    scale = math.log((1 + math.sqrt(5)) / 2)


def snalu(x: Tensor, weight: Tensor, gate: Tensor) -> Tensor:
    r"""A mixture of a sum and a product with the same weights and the sign of all inputs.

    .. math:: y_o = g \sum_i W_{oi} x_i
        + (1 - g) \prod_i \mathrm{sign}(x_i)\, (|x_i| + \epsilon)^{W_{oi}}

    The sign is that of the product of all inputs, also of those that the weights leave out.

    Parameters
    ----------
    x : (..., B, I)
    weight : (..., O, I)
    gate : (..., 1, 1)
        g, in [0, 1]; 1 is the sum.

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: the public code of F. Wilhelm, snalu.pytorch, with its :math:`\epsilon = 10^{-8}`.

    Examples
    --------
    >>> x, weight = torch.tensor([[3.0, -4.0]]), torch.tensor([[1.0, 1.0]])
    >>> snalu(x, weight, torch.tensor([[0.5]])).round(decimals=4).tolist()  # of -1 and -12
    [[-6.5]]
    """
    sign = x.sign().prod(-1, keepdim=True)
    return gate * nau(x, weight) + (1 - gate) * sign * nac_mul(x, weight, 1e-8)


class SNALU(NACAdd):
    r"""Sign-NALU: `snalu` with the weights of `nac_weight` and one gate :math:`\sigma(G)`.

    All raw parameters start by Glorot and Bengio. There is no penalty and no clipping.

    Attributes
    ----------
    direction, amount, gate : torch.nn.Parameter, shapes (..., O, I), (..., O, I) and (..., 1, 1)
        :math:`\hat W`, :math:`\hat M` and G, which is common to all outputs and inputs.

    Notes
    -----
    Source: the public code of F. Wilhelm, snalu.pytorch.
    """

    operations = frozenset({"add", "sub", "mul", "div"})
    gate: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """All by Glorot and Bengio."""
        return {
            "direction": xavier(self.inputs, self.outputs, generator),
            "amount": xavier(self.inputs, self.outputs, generator),
            "gate": xavier(1, 1, generator),
        }

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixtures for the rows of x."""
        return snalu(x, self.selection(), torch.sigmoid(self.gate))

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        import sympy

        weight = self.selection()[output]
        if self.gate > 0:
            return read_sum(weight, x)
        return sympy.sign(sympy.Mul(*x)) * read_powers(weight, [abs(x) for x in x])
