"""Ranking noise: which temperature is best if the top logit is not always the right item?

The task is that of max retrieval: n items with uniform priorities and one of ten classes each; the
answer is the class of the largest. There is no model. The logit of an item is its priority plus
noise, a softmax gives weights, and the guess is the class with the largest pooled weight. Priority,
noise and temperature are in units of priority: for a head of sharpness B, divide its logits by B.

**Noise.** "none"; "class": all items of a class share a head start, which is normal and drawn
afresh for each set, as if each set had a head of its own; "item": every item has normal noise of
its own. `sharplib.theory.ranking` predicts what each of them costs.

**Numbers.** All sets are functions of (seed, size, block). Noise of every kind and size, and every
temperature, meet the same sets. Only the top of a set is drawn, exactly: the largest of n uniform
numbers one after the other. Left out are items more than 10 noises and 20 temperatures below the
largest. All of them together weigh about n times temperature times e^-20 of the largest item, less
than 3e-7 here.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import careful

__all__ = [
    "BASELINE",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "VERSION",
    "Settings",
    "published",
    "run",
]

VERSION = 1
KEYS = ("noise_kind", "size", "noise", "temperature")
HEADLINE = "accuracy"
BASELINE = None
NUMERICS = MappingProxyType({"precision": "float64", "cpu_threads": 1})

Kind = Literal["none", "class", "item"]
_BLOCK = 512  # sets that are drawn at once


@dataclass(frozen=True)
class Settings:
    """All that decides the figures, apart from the seeds.

    Examples
    --------
    >>> Settings(temperatures=(1.0,))
    Traceback (most recent call last):
      ...
    ValueError: temperatures must begin with 0, the hard maximum, and rise; got (1.0,)
    """

    classes: int = 10
    sizes: tuple[int, ...] = tuple(4**k for k in range(2, 8))
    noise: tuple[float, ...] = (2.0**-14, 2.0**-12, 2.0**-10, 2.0**-8)
    """Standard deviations of the noise, in units of priority."""
    temperatures: tuple[float, ...] = (0.0, *(2 ** (k / 2) for k in range(-4, 15)))
    """In units of the mean gap between the two largest priorities, 1/n. 0 is the hard maximum."""
    sets: int = 4096
    """Sets per seed and size."""

    def __post_init__(self) -> None:
        at_least(self, classes=2, sets=1)
        if not self.sizes or min(self.sizes) < 1:
            raise ValueError(f"sizes must hold numbers of items from 1 on, got {self.sizes!r}")
        if self.noise and min(self.noise) <= 0:
            raise ValueError(f"noise must be above 0, got {self.noise!r}")
        rising = all(a < b for a, b in zip(self.temperatures, self.temperatures[1:], strict=False))
        if not self.temperatures or self.temperatures[0] != 0 or not rising:
            raise ValueError(
                "temperatures must begin with 0, the hard maximum, and rise; "
                f"got {self.temperatures!r}"
            )

    @property
    def cases(self) -> tuple[tuple[Kind, float], ...]:
        """Every kind of noise with every size of it."""
        kinds: tuple[Kind, ...] = ("class", "item")
        return (("none", 0.0), *((kind, noise) for kind in kinds for noise in self.noise))

    def items(self, size: int, noise: float, temperature: float) -> int:
        """How many of the largest of `size` items count, with margin for their number's scatter."""
        expected = size * (10 * noise + 20 * temperature)
        return min(size, math.ceil(expected + 6 * math.sqrt(expected) + 20))


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(Settings(sizes=(64, 1024, 16384), sets=2048), seeds=(0, 1)),
        "paper": Preset(Settings(), seeds=(0, 1, 2, 3)),
    }
)


class _Sets(NamedTuple):
    """The top items of a block of sets, the largest first."""

    depth: Tensor  # (sets, items), how far a priority is below 1
    kind: Tensor  # (sets, items), the class
    own: Tensor  # (sets, items), a normal number per item
    shared: Tensor  # (sets, classes), a normal number per class

    def logits(self, kind: Kind, noise: float, items: int) -> Tensor:
        depth = self.depth[:, :items]
        if kind == "class":
            return noise * self.shared.gather(1, self.kind[:, :items]) - depth
        return noise * self.own[:, :items] - depth


def _blocks(settings: Settings, seed: int, size: int, device: str) -> Iterator[_Sets]:
    items = settings.items(size, max(settings.noise, default=0.0), settings.temperatures[-1] / size)
    for index, start in enumerate(range(0, settings.sets, _BLOCK)):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(size, index)))
        sets = min(_BLOCK, settings.sets - start)
        # minus the logarithms of the largest of n uniform numbers, from one to the next
        steps = rng.standard_exponential((sets, items)) / (size - np.arange(items))
        yield _Sets(
            *(
                torch.from_numpy(part).to(device)
                for part in (
                    -np.expm1(-steps.cumsum(axis=1)),
                    rng.integers(settings.classes, size=(sets, items)),
                    rng.standard_normal((sets, items)),
                    rng.standard_normal((sets, settings.classes)),
                )
            )
        )


def _run_size(settings: Settings, seed: int, size: int, device: str) -> list[dict[str, Any]]:
    """Rows of the table for one seed and sets of one size."""
    right: dict[tuple[str, Kind, float, float], int] = {}
    for sets in _blocks(settings, seed, size, device):
        answer = sets.kind[:, 0]
        for kind, noise in settings.cases:
            widest = settings.items(size, noise, settings.temperatures[-1] / size)
            logits = sets.logits(kind, noise, widest)
            top, best = logits.max(1, keepdim=True)
            logits = logits - top
            found = {("ranking", 0.0): best[:, 0] == 0}
            for gaps in settings.temperatures:
                temperature = gaps / size
                if temperature == 0:
                    guess = sets.kind.gather(1, best)[:, 0]
                else:
                    items = settings.items(size, noise, temperature)
                    weights = torch.exp(logits[:, :items] / temperature)
                    pooled = weights.new_zeros(len(answer), settings.classes)
                    guess = pooled.scatter_add_(1, sets.kind[:, :items], weights).argmax(1)
                found["accuracy", temperature] = guess == answer
            for (measure, temperature), each in found.items():
                cell = measure, kind, noise, temperature
                right[cell] = right.get(cell, 0) + int(each.sum())
    return [
        {
            "seed": seed,
            "size": size,
            "noise_kind": kind,
            "noise": noise,
            "temperature": temperature,
            "measure": measure,
            "value": count / settings.sets,
            "sets": settings.sets,
        }
        for (measure, kind, noise, temperature), count in right.items()
    ]


def _run_seed(
    settings: Settings, seed: int, device: str, store: Store | None, progress: Progress | None
) -> list[dict[str, Any]]:
    if store is not None:
        store = store.within(settings=asdict(settings))
    rows: list[dict[str, Any]] = []
    for done, size in enumerate(settings.sizes):
        if progress is not None:
            progress(f"seed {seed}", done, len(settings.sizes))
        name = f"seed-{seed}-size-{size}.json"
        data = None if store is None else store.read(name)
        if data is None:
            with torch.inference_mode(), careful():
                new = _run_size(settings, seed, size, device)
            if store is not None:
                store.write(name, json.dumps(new).encode())
        else:
            new = json.loads(data)
        rows += new
    if progress is not None:
        progress(f"seed {seed}", len(settings.sizes), len(settings.sizes))
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
    """Answer sets under every kind of noise at every temperature.

    Parameters
    ----------
    settings, seeds, device
        What to run, and where; by default the preset `paper`.
    jobs
        Processes that share the seeds. The table is the same for any number of them.
    store
        Where the rows of a finished seed and size are kept.
    progress
        Called with the seed, sizes done and sizes in all.
    checkpoint_seconds
        Has no effect here: a piece of work takes seconds.

    Returns
    -------
    A table with columns seed, size, noise_kind, noise, temperature, measure, value and sets; noise
    and temperature in units of priority. `accuracy` is the share of sets that are answered right,
    and `ranking`, at temperature 0, that of sets whose top logit belongs to the largest item. The
    standard error of a value v is sqrt(v (1 - v) / sets).

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.

    Examples
    --------
    >>> table = run(Settings(sizes=(64,), noise=(), temperatures=(0.0, 64.0), sets=500), [0])
    >>> table[["temperature", "measure", "value"]].values.tolist()[:2]
    [[0.0, 'ranking', 1.0], [0.0, 'accuracy', 1.0]]
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    parts = in_processes(
        jobs, _run_seed, [(settings, seed, device) for seed in seeds], store, progress
    )
    return pd.DataFrame([row for part in parts for row in part])


def published() -> pd.DataFrame:
    """Return an empty table: the question is ours, and nothing is published.

    Examples
    --------
    >>> len(published())
    0
    """
    return pd.DataFrame(columns=[*KEYS, "measure", "value", "tag"], dtype=object)
