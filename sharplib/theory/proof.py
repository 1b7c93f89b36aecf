"""A proof as a list of SymPy statements, each with its reason: to read, to change, to check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy

_LEQ = r" \leq "


@dataclass(frozen=True)
class Step:
    """One line of a proof: what is claimed, and why it holds."""

    claim: sympy.Basic
    reason: str

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {_write(self.claim, sympy.latex, _LEQ)}$"

    def __str__(self) -> str:
        return _write(self.claim, str, " <= ")


@dataclass(frozen=True)
class Proof:
    """A theorem's label and the steps that lead to it; the last claim is the theorem.

    In a notebook a proof is typeset line by line.

    >>> x = sympy.Symbol("x", positive=True)
    >>> proof = Proof("Example", (Step(sympy.Gt(x, 0, evaluate=False), "given"),))
    >>> print(proof[-1])
    x > 0
    """

    label: str
    steps: tuple[Step, ...]

    @property
    def conclusion(self) -> sympy.Basic:
        """The last claim."""
        return self.steps[-1].claim

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> Step:
        return self.steps[index]

    def _repr_latex_(self) -> str:
        lines = (
            rf"& {_write(step.claim, sympy.latex, _LEQ)} &\quad& \text{{{step.reason}}}"
            for step in self
        )
        return r"$\displaystyle \begin{aligned}" + r"\\[4pt] ".join(lines) + r"\end{aligned}$"


def between(lower: sympy.Expr, middle: sympy.Expr, upper: sympy.Expr) -> sympy.And:
    """The statement `lower <= middle <= upper`, left as it is written."""
    return sympy.And(
        sympy.Le(lower, middle, evaluate=False),
        sympy.Le(middle, upper, evaluate=False),
        evaluate=False,
    )


def ends(claim: sympy.Basic) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """Lower bound, middle and upper bound of a statement made by `between`.

    >>> low, x, high = sympy.symbols("low x high")
    >>> ends(between(low, x, high))
    (low, x, high)
    """
    if isinstance(claim, sympy.And) and len(claim.args) == 2:
        for first, second in (claim.args, claim.args[::-1]):
            if first.lhs != second.rhs and first.rhs == second.lhs:
                return first.lhs, first.rhs, second.rhs
    raise ValueError(f"claim must have the form a <= b <= c, got {claim}")


def _write(claim: sympy.Basic, printer: Callable[[sympy.Basic], str], sign: str) -> str:
    """`a <= b and b <= c` as one chain, anything else as SymPy writes it."""
    if isinstance(claim, sympy.And):
        return sign.join(printer(end) for end in ends(claim))
    return printer(claim)
