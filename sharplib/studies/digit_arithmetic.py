"""Can a unit multiply digits that it only sees as images, in sequences longer than it was shown?

The sequential task of Madsen and Johansen (ICLR 2020) and of Mistry et al. (arXiv 2211.05624): a
network turns the image of a digit from 1 to 9 into one number, and a unit multiplies the numbers of
a sequence, one after the other, starting with 1. Only the product is given. Training has sequences
of two, the test sequences of up to twenty. Nothing but the unit can make a long product right, and
nothing but the product teaches the network what the digits are.

**A model is solved at a length** if its test error there is below that of networks whose unit is
solved beforehand, "solved": the upper end of a one-sided 99 % interval, by Student's t, of their
mean over the seeds. All start from the same network, and see the same images. Tested is the state
with the smallest validation error, of sequences of two from images that are set aside. Because a
small error at a short length can come from wrong weights, the table also has `selected`: whether
the unit takes both of its inputs to within 1e-3. The threshold lies near the mean, so that some of
the solved networks miss it as well: read a unit's share beside theirs.

**Not every reference counts.** A product of two is right, too, if the network says minus every
digit; then every product of an odd number of digits has the wrong sign. A solved unit cannot tell,
and some of its networks end there. As in the papers, which leave out three of ten, such seeds do
not count for the threshold: those that are worse on single digits than the best constant, whose
error is 20/3.

**Scaled down.** The images are those of scikit-learn, 1,797 digits of 8 x 8 pixels, not the 70,000
of MNIST of 28 x 28. The network has one hidden layer of 64, not two of filters. Training has 10,000
steps with a schedule that is 40 times shorter, not about 420,000. So errors, and with them the
thresholds, are not those of the papers. The preset `mnist` has the real images, which must lie
in the folder that the environment variable SHARPLIB_MNIST names; we had no access to them and have
not run it.

**Choices where the papers are silent, or ours.** The penalty R_z, for units with clipped weights,
is the mean over both steps. The papers draw the last line at the best epoch, we at the best of the
logs, every 500 steps.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
import scipy.stats
import torch
from numpy.typing import NDArray
from torch import Tensor

from sharplib.arithmetic import NMU, StochasticNMU, Unit, ramp
from sharplib.studies._jobs import in_processes
from sharplib.studies._mnist import Images, mnist, small_digits
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import careful
from sharplib.studies.single_module import UNITS, wilson

__all__ = [
    "BASELINE",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "VERSION",
    "Settings",
    "published",
    "report",
    "run",
    "summary",
    "thresholds",
]

VERSION = 1
KEYS = ("unit", "length")
HEADLINE = "success"
BASELINE = None
NUMERICS: Mapping[str, Any] = MappingProxyType({"precision": "float32", "cpu_threads": 1})

SOLVED = "solved"
"""The reference: a product that is right from the start."""
_TRAINED, _TOGETHER = 2, 5
_HELD_OUT = 5  # one image in so many of those to train on is for validation
_UNITS = ("NMU", "sNMU", "batch sNMU", "NAC•,NMU", "NAC•,σ")
_CONSTANT = 20 / 3  # the error of the best constant on a digit from 1 to 9, its variance


@dataclass(frozen=True)
class Settings:
    """What is trained, and how long.

    Examples
    --------
    >>> Settings(units=("NAU",))
    Traceback (most recent call last):
      ...
    ValueError: units must multiply and be different, got ('NAU',)
    """

    units: tuple[str, ...] = _UNITS
    images: Literal["scikit-learn", "mnist"] = "scikit-learn"
    steps: int = 420_000
    hurry: int = 1
    """Schedules are so many times shorter."""
    hidden: int = 64
    batch: int = 64
    """Sequences."""
    log_every: int = 500
    longest: int = 20
    tests: int = 1_000
    """Sequences to validate on, and to test on."""

    def __post_init__(self) -> None:
        at_least(self, steps=1, hurry=1, hidden=1, batch=1, log_every=1, longest=1, tests=1)
        able = all(name in UNITS and "mul" in UNITS[name](2, 1).operations for name in self.units)
        if not able or len(set(self.units)) < len(self.units):
            raise ValueError(f"units must multiply and be different, got {self.units!r}")
        if self.images not in ("scikit-learn", "mnist"):
            raise ValueError(f"images must be scikit-learn or mnist, got {self.images!r}")
        if self.steps % self.log_every:
            raise ValueError(
                f"steps must be a multiple of log_every, got {self.steps} and {self.log_every}"
            )


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(("NMU", "sNMU"), steps=4_000, hurry=100, log_every=200, tests=200),
            seeds=tuple(range(5)),
        ),
        "paper": Preset(Settings(steps=10_000, hurry=40), seeds=tuple(range(10))),
        "mnist": Preset(Settings(images="mnist"), seeds=tuple(range(10))),
    }
)


class _Solved(NMU):
    """A product that has nothing to learn."""

    def initial(self, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        return {"weight": torch.ones(self.outputs, self.inputs)}


def _make(name: str) -> Callable[..., Unit]:
    return _Solved if name == SOLVED else UNITS[name]


class _Part:
    """Images of the digits 1 to 9, on some device."""

    def __init__(self, pixels: NDArray[np.float32], digits: NDArray[np.int64], device: str) -> None:
        self.pixels = torch.from_numpy(pixels[digits > 0]).to(device)
        self.digits = torch.from_numpy(digits[digits > 0]).to(device)

    def draw(self, rng: np.random.Generator, sequences: int, length: int) -> Tensor:
        """Numbers of images, of shape (sequences, length)."""
        drawn = rng.integers(len(self.digits), size=(sequences, length))
        return torch.from_numpy(drawn).to(self.digits.device)


class _Models:
    """Networks of every unit (first axis) and seed, and what a step of training needs."""

    def __init__(
        self, settings: Settings, seeds: Sequence[int], training: _Part, device: str
    ) -> None:
        self.settings, self.training = settings, training
        self.names = (*settings.units, SOLVED)
        pixels, hidden = training.pixels.shape[1], settings.hidden
        draws = [_initial(seed, pixels, hidden) for seed in seeds]
        # The same network for every unit; the axis of units comes after that of the seeds.
        self.network = [
            torch.nn.Parameter(
                torch.stack(part)[:, None]
                .repeat(1, len(self.names), *[1] * part[0].ndim)
                .to(device)
            )
            for part in zip(*draws, strict=True)
        ]
        self.units: list[Unit] = []
        for name in self.names:
            made = [_make(name)(2, 1, generator=_generator(seed, 1)) for seed in seeds]
            self.units.append(type(made[0]).stack(made).to(device))
        learned = [p for unit in self.units[:-1] for p in unit.parameters()]
        self.optimiser = torch.optim.Adam([*self.network, *learned], lr=1e-3, fused=True)
        self.rngs = [np.random.Generator(np.random.SFC64(seed)) for seed in seeds]

    def encode(self, pixels: Tensor) -> Tensor:
        """What the networks make of images (seeds, images, pixels): (units, seeds, images)."""
        inner, offset, outer, last = self.network
        shape = (len(self.rngs), len(self.names), self.settings.hidden)
        hidden = torch.baddbmm(
            offset.reshape(shape[0], 1, -1), pixels, inner.flatten(1, 2).mT
        ).relu()
        found = (hidden.unflatten(-1, shape[1:]) * outer[:, None]).sum(-1) + last[:, None]
        return found.permute(2, 0, 1)

    def step(self, done: int) -> None:
        """Take a step of training."""
        settings, batch = self.settings, self.settings.batch
        chosen = torch.stack([self.training.draw(rng, batch, _TRAINED) for rng in self.rngs])
        target = self.training.digits[chosen].prod(-1).float()
        numbers = self.encode(self.training.pixels[chosen.flatten(1)])
        numbers = numbers.unflatten(-1, (batch, _TRAINED))
        noise = [
            torch.from_numpy(
                np.stack([rng.random((batch, 2), dtype=np.float32) for rng in self.rngs])
            ).to(target.device)
            for _ in range(_TRAINED)
        ]
        scale = 10 * ramp(done * settings.hurry, 10_000, 100_000)
        total = torch.zeros((), device=target.device)
        for unit, found in zip(self.units, numbers, strict=True):
            state = torch.ones_like(found[..., :1])
            for t in range(_TRAINED):
                x = torch.cat([found[..., t : t + 1], state], -1)
                state = unit(x, noise[t]) if isinstance(unit, StochasticNMU) else unit(x)
                if isinstance(unit, NMU):  # R_z: what is left out should be 1 on average
                    away = (1 - unit.weight) * (1 - x.mean(-2, keepdim=True)).square()
                    total = total + away.mean((-2, -1)).sum() / _TRAINED
            total = total + (state[..., 0] - target).square().mean(-1).sum()
            if scale:
                total = total + scale * unit.penalty().sum()
        self.optimiser.zero_grad()
        total.backward()
        self.optimiser.step()
        for unit in self.units[:-1]:
            unit.clip()

    @torch.no_grad()
    def errors(self, part: _Part, sequences: Tensor) -> Tensor:
        """Mean squared errors of shape (units, seeds, lengths), in double precision."""
        seen = part.pixels.expand(len(self.rngs), *part.pixels.shape)
        numbers = self.encode(seen).double()[..., sequences]
        target = part.digits[sequences].double().cumprod(-1)
        rows = []
        for unit, found in zip(self.units, numbers, strict=True):
            unit.eval().double()
            state = torch.ones_like(found[..., :1])
            lengths = []
            for t in range(sequences.shape[1]):
                state = unit(torch.cat([found[..., t : t + 1], state], -1))
                lengths.append((state[..., 0] - target[:, t]).square().mean(-1))
            rows.append(torch.stack(lengths, -1))
            unit.train().float()
        return torch.stack(rows).cpu()

    @torch.no_grad()
    def selected(self) -> Tensor:
        """Whether each unit takes both inputs to within 1e-3, of shape (units, seeds)."""
        off = [(unit.selection() - 1).abs().flatten(-2).amax(-1) < 1e-3 for unit in self.units]
        return torch.stack(off).cpu()


def _generator(seed: int, layer: int) -> torch.Generator:
    words = np.random.SeedSequence(seed, spawn_key=(layer,)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0] >> 1))


def _initial(seed: int, pixels: int, hidden: int) -> tuple[Tensor, ...]:
    """Weights and offsets of two layers, as `torch.nn.Linear` draws them."""
    generator = _generator(seed, 0)

    def draw(*shape: int, inputs: int) -> Tensor:
        bound = inputs**-0.5
        return torch.empty(shape).uniform_(-bound, bound, generator=generator)

    inner = draw(hidden, pixels, inputs=pixels), draw(hidden, inputs=pixels)
    return (*inner, draw(hidden, inputs=hidden), draw(inputs=hidden))


def _images(settings: Settings) -> Images:
    if settings.images == "scikit-learn":
        return small_digits()
    return mnist(Path(os.environ.get("SHARPLIB_MNIST", "mnist")))


def _train(
    settings: Settings, seeds: Sequence[int], device: str, progress: Progress | None
) -> list[dict[str, Any]]:
    """Rows of the table for seeds that are trained together, without `success`."""
    images = _images(settings)
    held = np.arange(len(images.train)) % _HELD_OUT == 0
    part = partial(_Part, device=device)
    training = part(images.train[~held], images.train_digits[~held])
    validation = part(images.train[held], images.train_digits[held])
    testing = part(images.test, images.test_digits)
    rng = np.random.default_rng(8_689_336)
    valid_on = validation.draw(rng, settings.tests, _TRAINED)
    test_on = testing.draw(rng, settings.tests, settings.longest)

    models = _Models(settings, seeds, training, device)
    shape = (len(models.names), len(seeds))
    best = torch.full(shape, torch.inf, dtype=torch.float64)
    tested = torch.full((*shape, settings.longest), torch.nan, dtype=torch.float64)
    selected = torch.zeros(shape, dtype=torch.bool)
    for done in range(settings.steps + 1):
        if done % settings.log_every == 0:
            if progress is not None:
                progress(f"seeds {seeds[0]} to {seeds[-1]}", done, settings.steps)
            valid = models.errors(validation, valid_on)[..., -1]
            better = valid < best
            best = torch.where(better, valid, best)
            tested = torch.where(better[..., None], models.errors(testing, test_on), tested)
            selected = torch.where(better, models.selected(), selected)
        if done < settings.steps:
            models.step(done)
    rows = []
    for (u, s, t), error in np.ndenumerate(tested.numpy()):
        cell = {"unit": models.names[u], "length": t + 1, "seed": seeds[s]}
        rows.append({**cell, "measure": "error", "value": float(error)})
        if t + 1 == _TRAINED:
            rows.append({**cell, "measure": "selected", "value": float(selected[u, s])})
    return rows


def _run_seeds(
    settings: Settings,
    seeds: tuple[int, ...],
    device: str,
    store: Store | None,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    if store is not None:
        store = store.within(settings=asdict(settings), seeds=seeds)
        if (data := store.read("rows.json")) is not None:
            return list(json.loads(data))
    with careful():
        rows = _train(settings, seeds, device, progress)
    if store is not None:
        store.write("rows.json", json.dumps(rows).encode())
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
    """Train and test every unit, and the solved one, a model for each seed.

    Images of MNIST that are missing, or not what they should be, are an error that names the file.

    Parameters
    ----------
    settings, seeds, device
        What to run, and where; by default the preset `paper`.
    jobs
        Processes that share groups of five seeds. The table is the same for any number of them.
    store
        Where the rows of a finished group are kept.
    progress
        Called with the seeds, steps done and steps in all.
    checkpoint_seconds
        Has no effect: what is kept is a finished group.

    Returns
    -------
    A table with columns unit, length, seed, measure and value. `error` is a mean squared error,
    `success` whether it is below that of `thresholds`; `selected` stands at length 2.

    Raises
    ------
    ValueError
        Seeds that are fewer than two, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    if len(seeds) < 2:
        raise ValueError(f"seeds must be two or more, got {list(seeds)!r}")
    groups = [tuple(seeds[i : i + _TOGETHER]) for i in range(0, len(seeds), _TOGETHER)]
    work = [(settings, group, device) for group in groups]
    parts = in_processes(jobs, _run_seeds, work, store, progress)
    table = pd.DataFrame([row for part in parts for row in part])
    errors = table[table.measure == "error"]
    success = errors.assign(
        measure="success",
        value=(errors.value < errors.length.map(thresholds(table))).astype(float),
    )
    order = {name: i for i, name in enumerate((*settings.units, SOLVED))}
    table = pd.concat([table, success]).assign(order=lambda t: t.unit.map(order))
    return table.sort_values(["order", "length", "seed"], kind="stable", ignore_index=True).drop(
        columns="order"
    )


def thresholds(table: pd.DataFrame) -> pd.Series:
    r"""The largest error that counts as solved, by length, from the rows of the solved unit.

    .. math:: \bar e + t_{0.99,\, n-1}\, s / \sqrt n

    over the errors e of those n seeds that read single digits better than the best constant; NaN
    if there are fewer than two. The published script takes eight degrees of freedom for seven
    seeds, where six would be right.

    >>> rows = [(SOLVED, 1, seed, "error", 1.0 + seed) for seed in range(3)]
    >>> rows += [(SOLVED, 1, 3, "error", 7.0)]  # does not count
    >>> table = pd.DataFrame(rows, columns=[*KEYS, "seed", "measure", "value"])
    >>> thresholds(table).round(3).to_dict()  # 2 + 6.965 / sqrt(3)
    {1: 6.021}
    """
    errors = table[(table.unit == SOLVED) & (table.measure == "error")]
    errors = errors.pivot(index="length", columns="seed", values="value")
    errors = errors.loc[:, errors.loc[1] < _CONSTANT]
    t = float(scipy.stats.t.ppf(0.99, errors.shape[1] - 1)) if errors.shape[1] > 1 else np.nan
    return errors.mean(axis=1) + t * errors.sem(axis=1)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return shares of `success` and `selected` with Wilson intervals, for every unit and length.

    Returns
    -------
    A table with the columns `KEYS`, measure, low, value, high and models.
    """
    shares = table[table.measure.isin(["success", "selected"])]
    rows = [
        (*cell, *wilson(int(found.sum()), len(found)), len(found))
        for cell, found in shares.groupby([*KEYS, "measure"], sort=False).value
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "measure", "low", "value", "high", "models"])


def published() -> pd.DataFrame:
    """Return the published shares that are known: columns as in `KEYS`, measure, value and tag.

    They are read off a stored figure of the public code of the NAU/NMU paper ("code"), with MNIST
    and ten seeds: where NMU dips, and the ends of what else is known. Of NMU at other lengths we
    know that it is between 0.9 and 1. The figures of the paper on sNMU are not known to us.

    Examples
    --------
    >>> table = published().set_index(["unit", "length"]).value
    >>> float(table["NMU", 12])
    0.7
    """
    known = {
        "NMU": {6: 0.8, 12: 0.7, 17: 0.7, 19: 0.8, 20: 0.8},
        "NAC•,NMU": {1: 1.0, 20: 0.6},
        "NAC•,σ": {20: 0.0},
    }
    rows = [
        (unit, length, "success", share, "code")
        for unit, shares in known.items()
        for length, share in shares.items()
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "measure", "value", "tag"])


def report(ours: Mapping[str, pd.DataFrame]) -> str:
    """Return the part of `sharp show` between its first line and its notes."""
    blocks = {"% of models solved at a length, published": published()}
    for name, table in ours.items():
        shares = summary(table)
        blocks[f"% of models solved at a length, {name}"] = shares[shares.measure == "success"]
        blocks[f"% of models whose unit takes both inputs, {name}"] = shares[
            shares.measure == "selected"
        ]
    lines = []
    for title, block in blocks.items():
        wide = block.pivot(index="unit", columns="length", values="value")
        text = wide.loc[block.unit.unique()].map(
            lambda share: "" if pd.isna(share) else f"{100 * share:.0f}"
        )
        lines += ["", title, text.rename_axis(index=None).to_string()]
    return "\n".join(lines)
