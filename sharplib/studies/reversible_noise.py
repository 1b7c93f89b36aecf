"""What does the noise of a stochastic NMU do: push, shake, or both?

A multiplication unit with two inputs learns their product from one narrow or wide range, as in the
study `single_module`, whose starts, batches, noise, schedule and compiled loops these are. Here the
ranges and the noise vary: no noise; a push without any randomness (every number is multiplied by
3); randomness without a push (0.2 to 1.8, of mean 1); both, as published (1 to 5); and ranges from
the sweep of the public code. `sharplib.theory.reversible_noise` predicts each cell.

**A model is right** (`right`) if both weights end within 1e-5 of 1, which is what the threshold of
the benchmark asks. `arrived` is the first step, of those looked at, from which on a right model
stays within 0.1 of 1.

**Numbers.** Starts, batches and the random numbers of the noise are functions of the seed alone:
models of one seed differ in range and noise only. Training is in float32.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sharplib.arithmetic import ramp
from sharplib.studies import single_module
from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import careful
from sharplib.studies.single_module import _loops

__all__ = [
    "BASELINE",
    "DEVICES",
    "HEADLINE",
    "KEYS",
    "NOISE",
    "NUMERICS",
    "PRESETS",
    "VERSION",
    "Settings",
    "published",
    "run",
    "train",
]

VERSION = 1
KEYS = ("noise", "low", "high")
HEADLINE = "right"
BASELINE = None
DEVICES = ("cpu",)
NUMERICS: Mapping[str, Any] = MappingProxyType({"precision": "float32", "cpu_threads": 1})

NOISE: Mapping[str, tuple[float, float] | None] = MappingProxyType(
    {
        "none": None,
        "always 3": (3.0, 3.0),
        "0.2 to 1.8": (0.2, 1.8),
        "0.01 to 0.05": (0.01, 0.05),
        "0.1 to 0.5": (0.1, 0.5),
        "1 to 2": (1.0, 2.0),
        "1 to 5": (1.0, 5.0),
        "5 to 10": (5.0, 10.0),
        "batch": None,
    }
)
"""Where noise comes from, by its name; that of "batch" goes from 1 to 1 + 1/sd of each batch."""

_NINE = tuple((numbers.low, numbers.high) for numbers in single_module.RANGES)
_CENTRES = (-3.0, -2.5, -2.0, -1.75, -1.5, -1.3, -1.05)
_CENTRES += (-0.95, -0.8, -0.6, -0.4, -0.35, -0.3, -0.25)
_NARROW = tuple((round(c - 0.05, 3), round(c + 0.05, 3)) for c in _CENTRES)
_CHUNK = 100  # steps whose random numbers are drawn at once
_BATCHES, _NOISE = range(2)  # what the random numbers of a seed are for, as in single_module


@dataclass(frozen=True)
class Settings:
    """What is trained, and how long.

    Examples
    --------
    >>> Settings(noise=("some",))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
      ...
    ValueError: noise must hold names of NOISE, got 'some'
    """

    ranges: tuple[tuple[float, float], ...] = _NINE + _NARROW
    noise: tuple[str, ...] = tuple(NOISE)
    steps: int = 50_000
    batch: int = 128
    log_every: int = 500
    hurry: int = 1
    """The schedule is so many times shorter, and the learning rate so many times larger."""

    def __post_init__(self) -> None:
        at_least(self, steps=1, batch=2, log_every=1, hurry=1)
        for name in self.noise:
            if name not in NOISE:
                raise ValueError(f"noise must hold names of NOISE, got {name!r}")
        for ends in self.ranges:
            if not ends[0] < ends[1]:
                raise ValueError(f"ranges must be pairs (low, high) with low < high, got {ends!r}")


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(
                ranges=(*_NINE[1:4], (-0.65, -0.55), (-0.3, -0.2)),
                noise=("none", "always 3", "0.2 to 1.8", "1 to 5", "batch"),
                steps=5_000,
                log_every=100,
                hurry=10,
            ),
            seeds=tuple(range(25)),
        ),
        "paper": Preset(Settings(), seeds=tuple(range(100))),
    }
)


def train(
    settings: Settings, noise: str, seeds: Sequence[int], progress: Progress | None = None
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the step and all weights, of shape (ranges, seeds, 2), every `settings.log_every`."""
    low, high = (np.array(ends) for ends in zip(*settings.ranges, strict=True))
    ends = [np.float32(end) for end in NOISE[noise] or (1.0, 1.0)]
    noisy = noise != "none"
    how = single_module.recipe("NMU", "mul")
    rate = np.float32(how.learning_rate * settings.hurry)
    shape = (len(low), len(seeds))
    w = np.tile(single_module.Models("NMU", seeds).parameters[: len(seeds)], (len(low), 1))
    x, other = (np.ones((*shape, 2, settings.batch), np.float32) for _ in range(2))
    target, loss = np.empty((*shape, settings.batch), np.float32), np.empty(len(w), np.float32)
    gradient, first, second = (np.zeros_like(w) for _ in range(3))
    flat = [a.reshape(len(w), *a.shape[2:]) for a in (x, target, other)]
    draws = [[_stream(seed, purpose) for seed in seeds] for purpose in range(1 + noisy)]
    for step in range(settings.steps + 1):
        if step % settings.log_every == 0 or step == settings.steps:
            if progress is not None:
                progress(f"noise {noise}", step, settings.steps)
            yield step, w.reshape(*shape, 2).copy()
        if step == settings.steps:
            return
        if step % _CHUNK == 0:
            size = (_CHUNK, 2, settings.batch)
            chunk = [np.stack([g.random(size) for g in of], axis=1) for of in draws]
        _loops.draw(chunk[_BATCHES][step % _CHUNK], low, high - low, _loops.MUL, x, target)
        if noisy:
            of = chunk[_NOISE][step % _CHUNK]
            _loops.draw_noise(of, x, *ends, NOISE[noise] is None, other)
        (_loops.snmu if noisy else _loops.nmu)(w, *flat, gradient, loss)
        pull = how.sparsity * ramp(step * settings.hurry, *how.ramp)
        if pull:
            _loops.pull(w, 0, 2, False, np.float32(pull / 2), gradient)
        _loops.adam(w, gradient, first, second, rate, step + 1)
        np.clip(w, 0, 1, out=w)


def _stream(seed: int, purpose: int) -> np.random.Generator:
    """The stream of single_module for one seed."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(purpose,))))


def _run_noise(
    settings: Settings,
    noise: str,
    seeds: tuple[int, ...],
    store: Store | None,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Rows of the table for one noise."""
    name = "rows.json"
    if store is not None:
        alone = {**asdict(settings), "noise": noise}
        store = store.within(settings=alone, seeds=seeds)
        if (data := store.read(name)) is not None:
            return list(json.loads(data))
    with careful():
        logs = list(train(settings, noise, seeds, progress))
    steps, w = np.array([step for step, _ in logs]), np.stack([weights for _, weights in logs])
    right = (w[-1] >= 1 - 1e-5).all(-1)
    near = (w > 0.9).all(-1)
    # the first log after the last that was not near
    since = len(steps) - np.argmax(~near[::-1], axis=0)
    rows = []
    for r, s in np.ndindex(right.shape):
        low, high = settings.ranges[r]
        values = {"right": float(right[r, s])}
        if right[r, s]:
            values["arrived"] = float(steps[since[r, s]])
        rows += [
            {
                "noise": noise,
                "low": low,
                "high": high,
                "seed": seeds[s],
                "measure": measure,
                "value": value,
            }
            for measure, value in values.items()
        ]
    if store is not None:
        store.write(name, json.dumps(rows).encode())
    return rows


def run(
    settings: Settings | None = None,
    seeds: Sequence[int] | None = None,
    device: str = "cpu",
    *,
    jobs: int = 1,
    store: Store | None = None,
    progress: Progress | None = None,
    checkpoint_seconds: float = 60.0,
) -> pd.DataFrame:
    """Train a unit for every noise, range and seed.

    Parameters
    ----------
    settings, seeds
        What to run; by default the preset `paper`.
    device
        Has no effect: the loops are compiled for the CPU.
    jobs
        Processes that share the kinds of noise. The table is the same for any number of them.
    store
        Where the rows of a finished noise are kept.
    progress
        Called with the noise, steps done and steps in all.
    checkpoint_seconds
        Has no effect: a kind of noise takes a minute or two.

    Returns
    -------
    A table with columns noise, low, high (the range), seed, measure and value.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    parts = in_processes(
        jobs,
        _run_noise,
        [(settings, noise, tuple(seeds)) for noise in settings.noise],
        store,
        progress,
    )
    return pd.DataFrame([row for part in parts for row in part])


def published() -> pd.DataFrame:
    """Return an empty table: no figures by noise are known to us for this task.

    The published figures of the unit without noise are in `single_module.published`.

    Examples
    --------
    >>> len(published())
    0
    """
    return pd.DataFrame(columns=[*KEYS, "measure", "value", "tag"], dtype=object)
