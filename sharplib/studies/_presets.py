"""Settings with a name, and what `run` of every study does with its arguments first."""

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Preset", "different", "resolve"]

Settings = TypeVar("Settings")


class Preset(NamedTuple, Generic[Settings]):
    """Settings of a study with a name, and the seeds that go with them."""

    settings: Settings
    seeds: tuple[int, ...]


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
    """Return the seeds.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    if not len(seeds) or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise ValueError(f"seeds must be different numbers from 0 on, got {list(seeds)!r}")
    return tuple(seeds)
