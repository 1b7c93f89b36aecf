"""Where the numbers of a page come from: machine, versions, seeds, stored results."""

from __future__ import annotations

import datetime
import platform
import warnings
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sharplib import __version__
from sharplib.studies import _record, load

if TYPE_CHECKING:
    from IPython.display import Markdown

__all__ = ["about", "machine"]


def machine() -> str:
    """Return in words what this machine computes with: its GPU, if torch finds one, and its CPU.

    Examples
    --------
    >>> "CPU with" in machine()
    True
    """
    import torch

    with warnings.catch_warnings():
        # A GPU with too old a driver is no GPU to torch, and it says so at length.
        warnings.simplefilter("ignore")
        found = torch.cuda.is_available()
    gpu = torch.cuda.get_device_name() if found else "no GPU"
    return f"{gpu}, {platform.machine()} CPU with {_count(torch.get_num_threads(), 'thread')}"


def about(
    seeds: Mapping[str, int | Iterable[int]], *studies: str, results: Path = Path("results")
) -> Markdown:
    """Return a list in Markdown that says how the numbers of a chapter came about.

    One entry for what was just computed, and one for each stored result of the studies named.
    A damaged file of a stored result raises `ResultError`.

    Parameters
    ----------
    seeds
        What was drawn just now, and from which seed or seeds.
    *studies
        Names of the studies whose stored results the chapter shows.
    results
        The folder of stored results; read only if studies are named.

    Raises
    ------
    ValueError
        If there is no such study.

    Examples
    --------
    >>> note = about({"rows": 0, "heads": range(3)})
    >>> print(note.data)  # doctest: +ELLIPSIS
    - **Computed on this page**: ..., seeds: rows 0; heads 0 to 2.
    """
    from IPython.display import Markdown

    entries = [_just_now(seeds)]
    for study in studies:
        found = {p: _record.read(results, study, p) for p in load(study).PRESETS}
        stored = {p: record.provenance for p, record in found.items() if record is not None}
        entries += [_stored(study, preset, made) for preset, made in stored.items()]
        if not stored:
            entries.append(f"**Stored, {study}**: not on this machine.")
    return Markdown("\n".join(f"- {entry}" for entry in entries))


def _just_now(seeds: Mapping[str, int | Iterable[int]]) -> str:
    packages = {"NumPy": "numpy", "SymPy": "sympy", "torch": "torch"}
    versions = ", ".join(f"{name} {version(package)}" for name, package in packages.items())
    drawn = "; ".join(f"{name} {_seeds(numbers)}" for name, numbers in seeds.items())
    return (
        f"**Computed on this page**: {_date(datetime.datetime.now(datetime.UTC).date())}, "
        f"{machine()}, Python {platform.python_version()}, sharplib {__version__}, {versions}, "
        f"seeds: {drawn}."
    )


def _stored(study: str, preset: str, made: Mapping[str, Any]) -> str:
    identity = made["identity"]
    entry = (
        f"**Stored, {study}, preset {preset}**: "
        f"{_date(datetime.date.fromisoformat(made['date']))}, "
        f"{identity['device']} ({made['machine']}), {made['precision']}, "
        f"Python {made['python']}, sharplib {identity['sharplib']}, NumPy {made['numpy']}, "
        f"torch {identity['torch']}, seeds: {_seeds(made['seeds'])}, "
        f"{_duration(made['work_s'])} of work in {_count(made['jobs'], 'process')}"
    )
    if made.get("commit"):
        entry += f", commit {made['commit'][:9]}"
    return f"{entry}. {made['note']}" if made.get("note") else f"{entry}."


def _seeds(numbers: int | Iterable[int]) -> str:
    """Seeds in words: a run of neighbours by its ends."""
    listed = [numbers] if isinstance(numbers, int) else list(numbers)
    if len(listed) > 2 and listed == list(range(listed[0], listed[-1] + 1)):
        return f"{listed[0]} to {listed[-1]}"
    return ", ".join(map(str, listed))


def _date(day: datetime.date) -> str:
    return f"{day.day} {day:%B %Y}"


def _duration(seconds: float) -> str:
    """A time with the two units that matter."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _count(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
