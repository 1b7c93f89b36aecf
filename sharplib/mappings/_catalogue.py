"""The form of a catalogue entry."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal


@dataclass(frozen=True)
class Properties:
    """What a mapping claims, for finite scores. The tests try each claim and its opposite."""

    #: What the weights of a row with enough unmasked items add up to; None where it depends on
    #: the scores.
    sums_to: float | None
    #: Adding a constant to every score of a row changes nothing.
    shift_invariant: bool
    #: A higher score gets a higher weight ("strict"), at least no lower one ("weak"), or neither.
    order: Literal["strict", "weak", "none"]
    #: Finite scores can receive a weight of exactly 0, well before anything underflows.
    sparse: bool
    #: Nearby scores give nearby weights.
    continuous: bool
    #: The smallest L with ||f(x) - f(y)|| <= L ||x - y|| (Euclidean) at the entry's settings;
    #: infinite where there is none, None where it is not known.
    lipschitz: float | None
    #: What the top weight does as n grows, with one item at the upper end of a fixed interval and
    #: the others at its lower end: it falls like 1/n, or it stays above a constant.
    growth: Literal["disperses", "keeps"]
    #: Permuting the scores permutes the weights, ties included.
    equivariant: bool = True
    #: Some scores receive negative weights, and others weights without a bound.
    signed: bool = False
    #: A row with a score of +inf gets the limit of its weights, or NaN where there is none.
    at_infinity: Literal["limit", "nan"] = "limit"


@dataclass(frozen=True)
class Mapping:
    """One way to turn scores into weights."""

    function: Callable[..., Any]
    #: Values for the parameters that have no default; the properties are claimed for these.
    settings: ReadOnly[str, Any] = field(hash=False)
    paper: str
    properties: Properties
    #: What it computes, in LaTeX; n counts the items of the row, and the top score is max x.
    formula: str = ""
    #: When to take it, and when not: a line each.
    use: str = ""
    avoid: str = ""

    @property
    def name(self) -> str:
        return self.function.__name__

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, here or in another process, is made again from settings that can be copied."""
        return Mapping, tuple((vars(self) | {"settings": dict(self.settings)}).values())

    def __call__(self, x: Any, axis: int = -1) -> Any:
        return self.function(x, axis=axis, **self.settings)


def catalogue(*entries: Mapping) -> ReadOnly[str, Mapping]:
    """An immutable table, name -> entry."""
    return MappingProxyType({entry.name: entry for entry in entries})
