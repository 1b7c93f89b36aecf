"""The improved NALU: separate weights, a sign, and a gate that does not look at the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sharplib.arithmetic._unit import Unit, pairs, product, read_powers, read_sum
from sharplib.arithmetic.nac import nac_weight
from sharplib.arithmetic.nau import nau

if TYPE_CHECKING:
    import sympy

__all__ = ["INALU", "inalu"]


def inalu(x: Tensor, adding: Tensor, multiplying: Tensor, gate: Tensor) -> Tensor:
    r"""A mixture of a sum and a signed product, each with weights of its own.

    .. math:: y_o = g_o a_o + (1 - g_o) m_o s_o, \qquad a = W^a x, \qquad
        m = \exp \min(W^m \log \max(|x|, 10^{-7}), 20), \qquad
        s_o = \prod_i (\mathrm{sign}(x_i) |W^m_{oi}| + 1 - |W^m_{oi}|)

    Parameters
    ----------
    x : (..., B, I)
    adding, multiplying : (..., O, I)
        :math:`W^a` and :math:`W^m`, in [-1, 1].
    gate : (..., O)
        In [0, 1]; 1 is the sum.

    Returns
    -------
    (..., B, O)

    Notes
    -----
    The product is at most e^20, about 4.9e8. Source: Schlör et al., arXiv 2003.07629, and its code.

    Examples
    --------
    >>> x, one = torch.tensor([[3.0, -4.0]]), torch.tensor([[1.0, 1.0]])
    >>> [inalu(x, one, one, torch.tensor([g])).round(decimals=4).item() for g in (1.0, 0.0)]
    [-1.0, -12.0]
    """
    size = torch.exp((x.abs().clamp(min=1e-7).log() @ multiplying.mT).clamp(max=20))
    signs, amount = pairs(x.sign(), multiplying.abs())
    gate = gate.unsqueeze(-2)
    return gate * nau(x, adding) + (1 - gate) * size * product(signs * amount + (1 - amount))


class INALU(Unit):
    r"""Improved NALU: `inalu` with the weights of `nac_weight` and the gate :math:`\sigma(g)`.

    Attributes
    ----------
    direction, amount, gate : torch.nn.Parameter, shapes (..., 2, O, I), (..., 2, O, I), (..., O)
        The raw parameters of both paths, the sum's first, start normal around 0.88 and 0.5, and
        those of the gate around 0, all with standard deviation 0.2.

    Notes
    -----
    Source: Schlör et al., arXiv 2003.07629, and its code.
    """

    operations = frozenset({"add", "sub", "mul", "div"})
    direction: torch.nn.Parameter
    amount: torch.nn.Parameter
    gate: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Normal numbers with the means above."""
        shape = (2, self.outputs, self.inputs)
        return {
            "direction": torch.empty(shape).normal_(0.88, 0.2, generator=generator),
            "amount": torch.empty(shape).normal_(0.5, 0.2, generator=generator),
            "gate": torch.empty(self.outputs).normal_(0.0, 0.2, generator=generator),
        }

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixtures for the rows of x."""
        adding, multiplying = nac_weight(self.direction, self.amount).unbind(-3)
        return inalu(x, adding, multiplying, torch.sigmoid(self.gate))

    def selection(self) -> Tensor:
        """The weights of the path that the gate of each output prefers."""
        adding, multiplying = nac_weight(self.direction, self.amount).unbind(-3)
        return torch.where(self.gate.unsqueeze(-1) > 0, adding, multiplying)

    def penalty(self) -> Tensor:
        r"""How far the raw parameters are inside (-20, 20), where weights are not discrete.

        .. math:: R = \sum_\theta \mathrm{mean} \max(20 - |\theta|, 0), \qquad
            \theta \in \{\hat W^a, \hat M^a, \hat W^m, \hat M^m, g\}
        """

        def inside(theta: Tensor, axes: tuple[int, ...]) -> Tensor:
            return (20 - theta.abs()).clamp(min=0).mean(axes)

        raw = inside(self.direction, (-2, -1)) + inside(self.amount, (-2, -1))
        return raw.sum(-1) + inside(self.gate, (-1,))

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        import sympy

        weight = self.selection()[output]
        if self.gate[output] > 0:
            return read_sum(weight, x)
        signs = [sympy.sign(x) for x, w in zip(x, weight.tolist(), strict=True) if abs(w) > 0.5]
        return sympy.Mul(*signs) * read_powers(weight, [abs(x) for x in x])
