"""The neural power units: products of powers that keep track of the sign."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sharplib.arithmetic._unit import Unit, check_width, read_powers, xavier
from sharplib.arithmetic.nau import nau_initial, nau_penalty

if TYPE_CHECKING:
    import sympy

__all__ = ["NPU", "ModifiedRealNPU", "RealNPU", "npu"]

EPSILON = 2.0**-23


def npu(x: Tensor, weight: Tensor, gate: Tensor, imaginary: Tensor | None = None) -> Tensor:
    r"""The real part of a product of complex powers of the inputs that a gate lets in.

    .. math:: y = \exp(W_r \log r - W_i k) \circ \cos(W_r k + W_i \log r), \qquad
        r = \hat g (|x| + \epsilon) + 1 - \hat g, \qquad
        k = \hat g \pi [x < 0], \qquad \hat g = \mathrm{clip}(g, 0, 1)

    Parameters
    ----------
    x : (..., B, I)
    weight : (..., O, I)
        The powers, :math:`W_r`.
    gate : (..., I)
        1 lets an input in, 0 puts 1 in its place.
    imaginary : (..., O, I), optional
        :math:`W_i`; without it this is the Real NPU.

    Returns
    -------
    (..., B, O)

    Notes
    -----
    :math:`\epsilon = 2^{-23}` is in the authors' code, though not in the paper's formula. A power
    that is not whole shrinks the result for negative inputs: a power of 1/2 gives 0.

    Source: Heim et al., arXiv 2006.01681.

    Examples
    --------
    >>> x, gate = torch.tensor([[3.0, -4.0, 5.0]]), torch.tensor([1.0, 1.0, 0.0])
    >>> npu(x, torch.tensor([[1.0, -1.0, 1.0]]), gate).round(decimals=4).tolist()
    [[-0.75]]
    """
    check_width(x, gate)
    gate = gate.clamp(0, 1).unsqueeze(-2)
    log = torch.log(gate * (x.abs() + EPSILON) + (1 - gate))
    turn = torch.where(x < 0, math.pi * gate, 0.0)
    if imaginary is None:
        return torch.exp(log @ weight.mT) * torch.cos(turn @ weight.mT)
    real = log @ weight.mT - turn @ imaginary.mT
    return torch.exp(real) * torch.cos(turn @ weight.mT + log @ imaginary.mT)


class RealNPU(Unit):
    r"""Real neural power unit: learns the power of each input. See `npu`.

    Weights start by Glorot and Bengio, gates at 1/2. `penalty` is the sum of the absolute values of
    all parameters, whose factor grows tenfold every 10,000 steps.

    Attributes
    ----------
    weight, gate : torch.nn.Parameter, shapes (..., O, I) and (..., I)

    Examples
    --------
    >>> unit = RealNPU(3, 1)
    >>> unit.weight.data, unit.gate.data = torch.tensor([[1.0, -0.99, 0.6]]), torch.ones(3)
    >>> unit.formula()
    (x1*sqrt(x3)/x2,)
    """

    operations = frozenset({"mul", "div"})
    weight: torch.nn.Parameter
    gate: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Weights by Glorot and Bengio, gates of one half."""
        weight = xavier(self.inputs, self.outputs, generator)
        return {"weight": weight, "gate": torch.full((self.inputs,), 0.5)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of powers of the rows of x."""
        return npu(x, self.weight, self.gate)

    def penalty(self) -> Tensor:
        r"""Return :math:`\sum_\theta \|\theta\|_1` over all parameters."""
        return self.weight.abs().sum((-2, -1)) + self.gate.abs().sum(-1)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_powers(self.weight[output] * (self.gate > 0.5), x)


class NPU(RealNPU):
    r"""Neural power unit: a `RealNPU` with imaginary weights too, which start at 0. See `npu`.

    Attributes
    ----------
    weight, imaginary, gate : torch.nn.Parameter, shapes (..., O, I), (..., O, I) and (..., I)
    """

    imaginary: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """As in `RealNPU`, and zeros."""
        imaginary = torch.zeros(self.outputs, self.inputs)
        return super().initial(generator) | {"imaginary": imaginary}

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of powers of the rows of x."""
        return npu(x, self.weight, self.gate, self.imaginary)

    def penalty(self) -> Tensor:
        """See `RealNPU.penalty`."""
        return super().penalty() + self.imaginary.abs().sum((-2, -1))


class ModifiedRealNPU(RealNPU):
    r"""Real NPU for whole powers: with clipping, and a penalty that drives powers to ±1.

    Attributes
    ----------
    weight, gate : torch.nn.Parameter, shapes (..., O, I) and (..., I)

    Notes
    -----
    Source: Mistry et al., arXiv 2110.05177, and its code, which adds the penalty of `RealNPU` too.
    """

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Weights as in a NAU, gates of one half."""
        weight = nau_initial(self.inputs, self.outputs, generator)
        return {"weight": weight, "gate": torch.full((self.inputs,), 0.5)}

    def penalty(self) -> Tensor:
        r"""Return :math:`\mathrm{mean} |1 - |W|| + \mathrm{mean} \min(|g|, |1 - |g||)`."""
        powers = (1 - self.weight.abs()).abs().mean((-2, -1))
        return powers + nau_penalty(self.gate.unsqueeze(-2))

    @torch.no_grad()
    def clip(self) -> None:
        """Clamp the weights to [-1, 1] and the gates to [0, 1]."""
        self.weight.clamp_(-1, 1)
        self.gate.clamp_(0, 1)
