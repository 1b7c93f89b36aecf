"""The neural multiplication unit, and its stochastic form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from sharplib.arithmetic._unit import Unit, pairs, product, read_powers, uniform

if TYPE_CHECKING:
    import sympy

__all__ = ["NMU", "SigmoidNMU", "StochasticNMU", "nmu", "nmu_penalty", "snmu", "snmu_by_weights"]


def nmu(x: Tensor, weight: Tensor) -> Tensor:
    r"""The product of the inputs that are selected.

    .. math:: y_o = \prod_i (W_{oi} x_i + 1 - W_{oi})

    A weight of 1 takes an input into the product, a weight of 0 leaves it out; both exactly.

    Parameters
    ----------
    x : (..., B, I)
    weight : (..., O, I)
        In [0, 1]. Leading axes broadcast.

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: Madsen and Johansen, "Neural Arithmetic Units", ICLR 2020.

    Examples
    --------
    >>> nmu(torch.tensor([[3.0, -5.0, 7.0]]), torch.tensor([[1.0, 1.0, 0.0]])).tolist()
    [[-15.0]]
    """
    x, weight = pairs(x, weight)
    return product(torch.addcmul(1 - weight, weight, x))


def snmu(x: Tensor, weight: Tensor, noise: Tensor) -> Tensor:
    r"""`nmu` of inputs times noise, with the noise divided out again.

    .. math:: z_{bo} = \prod_i \frac{W_{oi} N_{bi} x_{bi} + 1 - W_{oi}}
        {W_{oi} N_{bi} + 1 - W_{oi}}

    The noise cancels if and only if every weight is 0 or 1. Factor is divided by factor, so that
    the products of many inputs do not overflow.

    Parameters
    ----------
    x : (..., B, I)
    weight : (..., O, I)
        In [0, 1].
    noise : (..., B, I)
        Above 0; one number for each sample and input, common to all outputs.

    Returns
    -------
    (..., B, O)

    Notes
    -----
    Source: Mistry et al., arXiv 2211.05624, and its public code.

    Examples
    --------
    >>> x, noise = torch.tensor([[4.0, -5.0]]), torch.tensor([[2.0, 2.0]])
    >>> snmu(x, torch.tensor([[1.0, 1.0]]), noise).tolist()
    [[-20.0]]
    >>> snmu(x, torch.tensor([[0.5, 0.5]]), noise).tolist()  # not (4 + 1)(-5 + 1) / 4
    [[-9.0]]
    """
    noise, _ = pairs(noise, weight)
    x, weight = pairs(x, weight)
    noisy, rest = weight * noise, 1 - weight
    return product(torch.addcmul(rest, noisy, x) / (noisy + rest))


def snmu_by_weights(x: Tensor, weight: Tensor, noise: Tensor) -> Tensor:
    r"""`snmu` as an `nmu` whose weights are shifted at random.

    .. math:: z_{bo} = \prod_i (W'_{boi} x_{bi} + 1 - W'_{boi}), \qquad
        W'_{boi} = \sigma(\mathrm{logit} W_{oi} + \ln N_{bi})

    So noise above 1 pushes towards taking an input, noise below 1 towards leaving it out.
    Arguments and result are those of `snmu`, to rounding.

    Examples
    --------
    >>> x, noise = torch.tensor([[4.0, -5.0]]), torch.tensor([[2.0, 2.0]])
    >>> snmu_by_weights(x, torch.tensor([[0.5, 0.5]]), noise).round(decimals=4).tolist()
    [[-9.0]]
    """
    noise, _ = pairs(noise, weight)
    x, weight = pairs(x, weight)
    shifted = torch.sigmoid(torch.logit(weight) + noise.log())
    return product(shifted * x + (1 - shifted))


def nmu_penalty(weight: Tensor) -> Tensor:
    r"""How far weights are from 0 and 1, on average over the last two axes.

    .. math:: R(W) = \frac{1}{OI} \sum_{oi} \min(|W_{oi}|, |1 - W_{oi}|)

    >>> nmu_penalty(torch.tensor([[0.0, 0.25, 0.5, 1.0]])).item()
    0.1875
    """
    return torch.minimum(weight.abs(), (1 - weight).abs()).mean((-2, -1))


class NMU(Unit):
    r"""Neural multiplication unit: learns which inputs to multiply. See `nmu`.

    Weights start uniform in (0.25, 0.75); `clip` keeps them in [0, 1]; `penalty` is `nmu_penalty`,
    which the paper adds to the loss ten times, ramped up late in training.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (..., O, I)

    Examples
    --------
    >>> unit = NMU(3, 1)
    >>> unit.weight.data = torch.tensor([[0.99, 0.02, 1.0]])
    >>> unit.formula()
    (x1*x3,)
    """

    operations = frozenset({"mul"})
    weight: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Weights uniform in (0.25, 0.75)."""
        return {"weight": uniform((self.outputs, self.inputs), 0.25, 0.75, generator)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of the rows of x."""
        return nmu(x, self.weight)

    def penalty(self) -> Tensor:
        """See `nmu_penalty`."""
        return nmu_penalty(self.weight)

    @torch.no_grad()
    def clip(self) -> None:
        """Clamp the weights to [0, 1]."""
        self.weight.clamp_(0, 1)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_powers(self.selection()[output].round(), x)


class SigmoidNMU(Unit):
    r"""An earlier form of the NMU: `nmu` with the weights :math:`W = \sigma(\hat M)`.

    Raw parameters start uniform in ±sqrt(3)/2. There is no penalty and no clipping, so that weights
    reach 0 and 1 only in the limit of infinite parameters.

    Attributes
    ----------
    amount : torch.nn.Parameter, shape (..., O, I)
        :math:`\hat M`.

    Notes
    -----
    Source: the public code of Mistry et al., arXiv 2211.05624, where it is called MNAC.
    """

    operations = frozenset({"mul"})
    amount: torch.nn.Parameter

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Uniform numbers around zero."""
        bound = math.sqrt(3) / 2
        return {"amount": uniform((self.outputs, self.inputs), -bound, bound, generator)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of the rows of x."""
        return nmu(x, self.selection())

    def selection(self) -> Tensor:
        r"""Return :math:`\sigma(\hat M)`."""
        return torch.sigmoid(self.amount)

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        return read_powers(self.selection()[output].round(), x)


class StochasticNMU(NMU):
    r"""Stochastic NMU: an `NMU` that sees noise, reversibly, while it trains. See `snmu`.

    In evaluation mode it is an `NMU`. The input is never changed.

    Parameters
    ----------
    inputs, outputs, generator
        See `Unit`.
    noise : (low, high) or "batch"
        The noise is uniform from low to high; or, with "batch", from 1 to 1 + 1/sd, where sd is the
        standard deviation of all the entries of x that one model sees. A batch without spread gets
        no noise then.

    Raises
    ------
    ValueError
        A range that is not 0 < low <= high.

    Notes
    -----
    Source: Mistry et al., arXiv 2211.05624, and its public code. The noise multiplies the input and
    is common to all outputs; no gradient flows through it.

    Examples
    --------
    >>> unit = StochasticNMU(2, 1, noise=(2.0, 2.0))
    >>> unit.weight.data = torch.tensor([[0.5, 0.5]])
    >>> x = torch.tensor([[3.0, -5.0]])
    >>> unit(x).item(), unit.eval()(x).item()  # the product of (2x + 1) / 3; of (x + 1) / 2
    (-7.0, -4.0)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        noise: tuple[float, float] | Literal["batch"] = (1.0, 5.0),
        generator: torch.Generator | None = None,
    ) -> None:
        if noise != "batch" and not _is_range(noise):
            raise ValueError(f'noise must be "batch" or 0 < low <= high, got {noise!r}')
        super().__init__(inputs, outputs, generator=generator)
        self.noise = noise

    def forward(self, x: Tensor, random: Tensor | None = None) -> Tensor:
        """Return the products of the rows of x.

        `random` are the uniform numbers in [0, 1) that noise is made of, in the shape of x; they
        are drawn where they are not given.
        """
        if not self.training:
            return nmu(x, self.weight)
        random = torch.rand_like(x) if random is None else random
        low, width = self._range(x)
        return snmu(x, self.weight, low + width * random)

    def _range(self, x: Tensor) -> tuple[float, Tensor | float]:
        """Where noise begins, and how wide it is."""
        if self.noise != "batch":
            low, high = self.noise
            return low, high - low
        # Of a single entry there is no deviation; torch would warn.
        x = x.detach()
        variance = x.var((-2, -1), keepdim=True) if x.shape[-2:].numel() > 1 else x * 0
        return 1.0, torch.where(variance > 0, variance.rsqrt(), 0.0)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, noise={self.noise!r}"


def _is_range(noise: Any) -> bool:
    try:
        low, high = noise
        return bool(0 < low <= high < math.inf)
    except (TypeError, ValueError):
        return False
