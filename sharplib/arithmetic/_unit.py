"""What all units share: a batch of models is a model, and trained weights can be read."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

if TYPE_CHECKING:
    import sympy

__all__ = ["Unit", "pairs", "product", "ramp", "read_powers", "read_sum", "uniform", "xavier"]

Some = TypeVar("Some", bound="Unit")


class Unit(torch.nn.Module):
    """A layer whose weights say which inputs take part in which operation.

    Parameters
    ----------
    inputs, outputs : int
        How many numbers go in and come out, I and O.
    generator : torch.Generator, optional
        Where the initial values come from.

    Notes
    -----
    ``unit(x)`` takes x of shape (..., B, I) and gives (..., B, O). Weights have the shape
    (..., O, I); the leading axes, which `stack` makes, hold independent models and broadcast
    against those of x.

    A step of training is: loss plus a multiple of `penalty`, backward, optimiser, then `clip`.
    """

    operations: frozenset[str] = frozenset()
    """Which of "add", "sub", "mul" and "div" the unit can compute."""

    def __init__(
        self, inputs: int, outputs: int, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        for name, value in (("inputs", inputs), ("outputs", outputs)):
            if not hasattr(value, "__index__"):
                raise TypeError(f"{name} must be an integer, got {value!r}")
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value!r}")
        self.inputs, self.outputs = inputs, outputs
        self.reset(generator)

    def reset(self, generator: torch.Generator | None = None) -> None:
        """Give every parameter a fresh initial value."""
        for name, value in self.initial(generator).items():
            self.register_parameter(name, torch.nn.Parameter(value))

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Return initial values of the parameters of one model, by name."""
        raise NotImplementedError

    @classmethod
    def stack(cls: type[Some], units: Sequence[Some]) -> Some:
        """Return independent units of one size as one, along a new first axis.

        >>> from sharplib.arithmetic import NMU
        >>> both = NMU.stack([NMU(2, 1), NMU(2, 1)])
        >>> both.weight.shape, both(torch.ones(5, 2)).shape
        (torch.Size([2, 1, 2]), torch.Size([2, 5, 1]))
        """
        whole = copy.deepcopy(units[0])
        for name, _ in list(whole.named_parameters()):
            values = [unit.get_parameter(name).detach() for unit in units]
            whole.register_parameter(name, torch.nn.Parameter(torch.stack(values)))
        return whole

    def selection(self) -> Tensor:
        """The weights that a solved unit has at whole numbers, of shape (..., O, I)."""
        return self.get_parameter("weight")

    def sparsity_error(self) -> Tensor:
        r"""How far the worst weight is from being discrete, of the shape of the leading axes.

        .. math:: \max_{oi} \min(|W_{oi}|, |1 - |W_{oi}||)
        """
        weight = self.selection().detach().abs()
        return torch.minimum(weight, (1 - weight).abs()).flatten(-2).amax(-1)

    def penalty(self) -> Tensor:
        """The regulariser, of the shape of the leading axes; zero where a unit has none."""
        return torch.zeros(())

    def clip(self) -> None:
        """Put the parameters back into their range, in place, after a step of the optimiser."""

    def formula(self, names: Sequence[str] | None = None) -> tuple[sympy.Expr, ...]:
        """What the unit computes if its weights are rounded, one SymPy expression per output.

        Parameters
        ----------
        names
            Of the inputs; x1, x2, ... if not given.

        Raises
        ------
        ValueError
            A stack of units, which has no single formula, weights that are not finite, or a wrong
            number of names.
        """
        import sympy

        weight = self.selection().detach()
        if weight.ndim != 2:
            raise ValueError(f"formula reads one unit, got a stack of shape {weight.shape[:-2]}")
        if not weight.isfinite().all():
            raise ValueError(f"formula reads finite weights, got {weight.tolist()}")
        names = [f"x{i + 1}" for i in range(self.inputs)] if names is None else list(names)
        if len(names) != self.inputs:
            raise ValueError(f"names must be {self.inputs}, got {names!r}")
        x = sympy.symbols(names, real=True)
        return tuple(self._read(o, x) for o in range(self.outputs))

    def _read(self, output: int, x: Sequence[sympy.Symbol]) -> sympy.Expr:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"inputs={self.inputs}, outputs={self.outputs}"


def pairs(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs (..., B, 1, I) and weights (..., 1, O, I), ready to be multiplied."""
    check_width(x, weight)
    return x.unsqueeze(-2), weight.unsqueeze(-3)


def check_width(x: Tensor, weight: Tensor) -> None:
    """Refuse one input in the place of many, which would broadcast."""
    if x.shape[-1] != weight.shape[-1]:
        raise ValueError(f"x must hold {weight.shape[-1]} inputs, got shape {tuple(x.shape)}")


def product(factors: Tensor) -> Tensor:
    """The product along the last axis, in pairs.

    Its gradient never divides by a factor, so it is exact where factors are 0.
    """
    while (n := factors.shape[-1]) > 1:
        half = factors[..., : n // 2] * factors[..., n // 2 : 2 * (n // 2)]
        factors = half if n % 2 == 0 else torch.cat([half, factors[..., -1:]], -1)
    return factors[..., 0]


def ramp(step: int, start: int, end: int) -> float:
    r"""How much of a regulariser counts: 0 until `start`, 1 from `end` on, linear in between.

    .. math:: \lambda(t) / \hat\lambda = \mathrm{clip}((t - start) / (end - start), 0, 1)

    >>> [ramp(step, 20_000, 35_000) for step in (0, 27_500, 50_000)]
    [0.0, 0.5, 1.0]
    """
    if not start < end:
        raise ValueError(f"end must be later than start, {start!r}, got {end!r}")
    return min(max((step - start) / (end - start), 0.0), 1.0)


def uniform(
    shape: tuple[int, ...], low: float, high: float, generator: torch.Generator | None
) -> Tensor:
    """Numbers uniform in [low, high)."""
    return torch.empty(shape).uniform_(low, high, generator=generator)


def xavier(inputs: int, outputs: int, generator: torch.Generator | None) -> Tensor:
    """Weights of shape (O, I) with variance 2 / (I + O), uniform (Glorot and Bengio, 2010)."""
    bound = math.sqrt(6 / (inputs + outputs))
    return uniform((outputs, inputs), -bound, bound, generator)


def read_sum(weight: Tensor, x: Sequence[sympy.Expr]) -> sympy.Expr:
    """The sum with whole weights."""
    import sympy

    weights = weight.round().int().tolist()
    return sympy.Add(*(w * x for w, x in zip(weights, x, strict=True)))


def read_powers(weight: Tensor, x: Sequence[sympy.Expr]) -> sympy.Expr:
    """The product of powers, with exponents that are multiples of one half."""
    import sympy

    halves = (2 * weight).round().int().tolist()
    return sympy.Mul(*(x ** sympy.Rational(n, 2) for n, x in zip(halves, x, strict=True)))
