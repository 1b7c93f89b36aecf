"""The neural accumulators: NAC for sums, and for products by way of logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sharplib.arithmetic._unit import Unit, read_powers, read_sum, uniform
from sharplib.arithmetic.nau import nau
from sharplib.arithmetic.nmu import NMU

if TYPE_CHECKING:
    import sympy

__all__ = ["NACAdd", "NACMul", "NACMulNMU", "NACMulSigmoid", "nac_mul", "nac_weight"]

EPSILON = 1e-7


def nac_weight(direction: Tensor, amount: Tensor) -> Tensor:
    r"""A weight that learns to be near -1, 0 or 1.

    .. math:: W = \tanh(\hat W)\, \sigma(\hat M)

    It reaches -1 and 1 only in the limit of infinite parameters.
    """
    return torch.tanh(direction) * torch.sigmoid(amount)


def nac_mul(x: Tensor, weight: Tensor, epsilon: float = EPSILON) -> Tensor:
    r"""A product of powers, through logarithms; the signs of the inputs are lost.

    .. math:: y_o = \exp \sum_i W_{oi} \log(|x_i| + \epsilon) = \prod_i (|x_i| + \epsilon)^{W_{oi}}

    Parameters
    ----------
    x : (..., B, I)
    weight : (..., O, I)
    epsilon : float
        Keeps the logarithm finite at 0.

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: Trask et al., arXiv 1808.00508; epsilon as in the code of Madsen and Johansen.

    Examples
    --------
    >>> nac_mul(torch.tensor([[3.0, -4.0]]), torch.tensor([[1.0, -1.0]])).round(decimals=4).tolist()
    [[0.75]]
    """
    return torch.exp((x.abs() + epsilon).log() @ weight.mT)


class _NAC(Unit):
    direction: torch.nn.Parameter
    amount: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Both raw parameters uniform in (-r, r), with r from `radius`."""
        shape, r = (self.outputs, self.inputs), radius(self.inputs, self.outputs)
        return {
            "direction": uniform(shape, -r, r, generator),
            "amount": uniform(shape, -r, r, generator),
        }

    def selection(self) -> Tensor:
        """See `nac_weight`."""
        return nac_weight(self.direction, self.amount)


class NACAdd(_NAC):
    r"""Neural accumulator: the sum of `nau` with the weights of `nac_weight`.

    Attributes
    ----------
    direction, amount : torch.nn.Parameter, shape (..., O, I)
        :math:`\hat W` and :math:`\hat M`.

    Notes
    -----
    Source: Trask et al., arXiv 1808.00508. Initial values as in the code of Madsen and Johansen.
    """

    operations = frozenset({"add", "sub"})

    def forward(self, x: Tensor) -> Tensor:
        """Return the sums of the rows of x."""
        return nau(x, self.selection())

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_sum(self.selection()[output], x)


class NACMul(_NAC):
    r"""Neural accumulator for products and quotients: `nac_mul` with the weights of `nac_weight`.

    Attributes
    ----------
    direction, amount : torch.nn.Parameter, shape (..., O, I)
        :math:`\hat W` and :math:`\hat M`.

    Notes
    -----
    The output is positive whatever the signs of the inputs. Source: Trask et al., arXiv 1808.00508.
    """

    operations = frozenset({"mul", "div"})

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of the rows of x."""
        return nac_mul(x, self.selection())

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_powers(self.selection()[output], [abs(x) for x in x])


class NACMulSigmoid(Unit):
    r"""NAC•,σ: a `nac_mul` that cannot divide, with the weights :math:`W = \sigma(\hat M)`.

    Raw parameters start normal with variance 2 / (I + O). There is no penalty and no clipping.

    Attributes
    ----------
    amount : torch.nn.Parameter, shape (..., O, I)
        :math:`\hat M`.

    Notes
    -----
    Source: Madsen and Johansen, "Neural Arithmetic Units", ICLR 2020, and its code.
    """

    operations = frozenset({"mul"})
    amount: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Normal numbers, by Glorot and Bengio."""
        deviation = math.sqrt(2 / (self.inputs + self.outputs))
        raw = torch.empty(self.outputs, self.inputs)
        return {"amount": raw.normal_(0.0, deviation, generator=generator)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of the rows of x."""
        return nac_mul(x, self.selection())

    def selection(self) -> Tensor:
        r"""Return :math:`\sigma(\hat M)`."""
        return torch.sigmoid(self.amount)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_powers(self.selection()[output], [abs(x) for x in x])


class NACMulNMU(NMU):
    r"""NAC•,NMU: a `nac_mul` with the weights of an `NMU`.

    Initial values, clipping and penalty are those of the `NMU`.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (..., O, I)

    Notes
    -----
    Source: Madsen and Johansen, "Neural Arithmetic Units", ICLR 2020, and its code.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of the rows of x."""
        return nac_mul(x, self.weight)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return super()._read(output, [abs(x) for x in x])


def radius(inputs: int, outputs: int) -> float:
    r"""How far initial raw parameters may be from zero.

    The r for which :math:`\max(I + O, 5) \mathrm{Var}(W) = 2`, where
    :math:`\mathrm{Var}(W) = (1 - \tanh(r)/r)\,(r - \tanh(r/2)) / 2r`. Below five numbers there is
    no such r, hence the floor.

    >>> round(radius(100, 2), 4)
    0.5039
    """

    def excess(r: float) -> float:
        variance = (1 - math.tanh(r) / r) * (r - math.tanh(r / 2)) / (2 * r)
        return max(inputs + outputs, 5) * variance - 2

    low, high = 1e-9, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) > 0 else (middle, high)
    return low
