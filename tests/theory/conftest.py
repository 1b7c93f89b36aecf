"""What the tests of the theory share: putting numbers into a SymPy claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import sympy

Claim = sympy.Basic
Values = Mapping[sympy.Symbol | str, float]


def _holds(claim: Claim, values: Values) -> bool:
    """Whether a claim is true for these numbers, up to the rounding of double precision."""
    if isinstance(claim, sympy.And):
        return all(_holds(part, values) for part in claim.args)
    by_name = {str(symbol): sympy.Float(value, 30) for symbol, value in values.items()}
    left, right = (
        side.doit().subs({s: by_name[s.name] for s in side.doit().free_symbols})
        for side in (claim.lhs, claim.rhs)
    )
    gap = float(sympy.N(left - right, 30))
    # The numbers that are put in carry rounding errors of about 1e-15 times a few hundred items.
    rounding = 1e-12 * (1 + abs(float(sympy.N(left))))
    return {
        sympy.Eq: abs(gap) <= rounding,
        sympy.Le: gap <= rounding,
        sympy.Ge: gap >= -rounding,
        sympy.Lt: gap < 0,
        sympy.Gt: gap > 0,
    }[claim.func]


@pytest.fixture
def holds() -> Callable[[Claim, Values], bool]:
    return _holds
