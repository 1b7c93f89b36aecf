"""What the settings of all studies have in common."""

from collections.abc import Mapping, Sequence
from operator import index
from typing import Any, Generic, NamedTuple, TypeVar

__all__ = ["Preset", "at_least", "different", "resolve"]

Settings = TypeVar("Settings")


class Preset(NamedTuple, Generic[Settings]):
    """Settings of a study with a name, and the seeds that go with them."""

    settings: Settings
    seeds: tuple[int, ...]


def at_least(settings: Any, **least: float) -> None:
    """Raise a ValueError for the first of the named settings that is below its least value."""
    for name, low in least.items():
        value = getattr(settings, name)
        if not value >= low:  # NaN is not, either
            raise ValueError(f"{name} must be at least {low}, got {value!r}")


def resolve(
    presets: Mapping[str, Preset[Settings]], settings: Settings | None, seeds: Sequence[int] | None
) -> Preset[Settings]:
    """Return settings and seeds, those of the preset `paper` where None is given.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    paper = presets["paper"]
    return Preset(
        paper.settings if settings is None else settings,
        different(paper.seeds if seeds is None else seeds),
    )


def different(seeds: Sequence[int]) -> tuple[int, ...]:
    """Return the seeds, as Python's own whole numbers, which JSON knows; NumPy's will do.

    Raises
    ------
    TypeError
        Seeds that are not whole numbers.
    ValueError
        Seeds that are empty, repeated or negative.
    """
    try:
        seeds = tuple(map(index, seeds))
    except TypeError:
        raise TypeError(f"seeds must be whole numbers, got {seeds!r}") from None
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise ValueError(f"seeds must be different numbers from 0 on, got {list(seeds)!r}")
    return seeds
