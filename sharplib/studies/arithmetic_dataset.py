"""Can two layers find two subsets of many numbers, and multiply or add their sums?

The arithmetic data-set task of Madsen and Johansen (ICLR 2020): numbers uniform on a range, 100 of
them in the paper; a is the sum of a quarter of them, b that of another quarter, half of which is in
both; the target is a times b, a plus b or a minus b. A `NAU` learns the two sums and a second unit
what to do with them. Tested is outside the range. Every unit meets the same numbers and starts from
the same first layer, and all ranges and units of five seeds are trained as one model.

**A model is solved** if its test error is below that of a network whose first layer is wrong by
1e-5 everywhere and whose second is right (see `threshold`). Tested is the state with the smallest
validation error among the logs of the last 5,000 steps of the papers' size.

**Scaled down.** The papers train for 2 to 5 million steps with a learning rate of 1e-3. The preset
`paper` has 20 inputs, and takes 50,000 steps that are `hurry` = 50 times larger, on a schedule that
is 50 times shorter, for ten seeds. Steps as large as that cannot come to rest, so from the end of
the schedule on the learning rate falls, by a constant factor a step, to 1e-4. So `solved_at` is to
be multiplied by 50 before it is compared. Products from [10, 20] and from [-2, 2], which the
paper's NMU learns, are not reproduced at this size: such steps are too large for them, we think.

**Choices where the papers are silent, or ours.** The subsets of 100 inputs are 0 to 24 and 13 to
37: inputs are alike, so their place does not matter. The first layer is a NAU with every second
unit.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from sharplib.arithmetic import NAU, StochasticNMU, Unit, nau_penalty, ramp
from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import careful
from sharplib.studies.single_module import RANGES, UNITS, Range, side_by_side

__all__ = [
    "BASELINE",
    "CASES",
    "DEVICES",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "VERSION",
    "Settings",
    "learning_rate",
    "published",
    "regulariser",
    "report",
    "run",
    "threshold",
]

VERSION = 1
KEYS = ("operation", "unit", "train")
HEADLINE = "success"
BASELINE = None
DEVICES = ("cpu",)
NUMERICS: Mapping[str, Any] = MappingProxyType({"precision": "float32", "cpu_threads": 1})

CASES: tuple[tuple[str, str], ...] = (
    ("NMU", "mul"),
    ("sNMU", "mul"),
    ("batch sNMU", "mul"),
    ("NAC•,NMU", "mul"),
    ("NAU", "add"),
    ("NAU", "sub"),
)
"""Second units, with what they learn."""
_PAPER = (*CASES[:3], CASES[4])

_TOGETHER = 5
_RAMP_END = 2_000_000
_SELECTED = 5_000  # the last steps, of whose logs the best is taken
_VALIDATION, _TEST = 43_953_907, 8_689_336


@dataclass(frozen=True)
class Settings:
    """What is trained, and how long. The defaults are the papers' for NMU.

    Examples
    --------
    >>> Settings(inputs=3)
    Traceback (most recent call last):
      ...
    ValueError: inputs must be at least 8, got 3
    """

    cases: tuple[tuple[str, str], ...] = CASES
    steps: int = 5_000_000
    hurry: int = 1
    """Schedules are so many times shorter, and learning rates so many times larger."""
    inputs: int = 100
    hidden: int = 2
    """Outputs of the first layer."""
    batch: int = 128
    log_every: int = 1_000
    tests: int = 10_000
    """Numbers of rows to validate on, and to test on."""

    def __post_init__(self) -> None:
        at_least(self, steps=0, hurry=1, inputs=8, hidden=2, batch=2, log_every=1, tests=1)
        if not self.cases or len(set(self.cases)) < len(self.cases):
            raise ValueError(f"cases must be different and at least one, got {self.cases!r}")
        for case in self.cases:
            if tuple(case) not in CASES:
                raise ValueError(f"cases must be some of {CASES}, got {case!r}")
        if self.steps % self.log_every:
            raise ValueError(
                f"steps must be a multiple of log_every, got {self.steps} and {self.log_every}"
            )


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        # Sums alone: products need more steps than a page has time for.
        "quick": Preset(
            Settings(CASES[4:], steps=6_000, hurry=50, inputs=20, log_every=50, tests=1_000),
            seeds=(0, 1),
        ),
        "paper": Preset(
            Settings(_PAPER, steps=50_000, hurry=50, inputs=20, log_every=500, tests=2_000),
            seeds=tuple(range(10)),
        ),
    }
)


def threshold(operation: str, numbers: Range, inputs: int = 100, epsilon: float = 1e-5) -> float:
    r"""The mean squared error, in the test, of a network whose first layer is wrong by `epsilon`.

    It takes :math:`1 - \epsilon` of what is in a subset and :math:`\epsilon` of all else, so that
    with the sum X of all inputs it finds :math:`a + \epsilon (X - 2a)` for a. The mean is over
    100,000 rows, as in the public code, which has a million of subsets that are larger by one.

    >>> round(threshold("mul", RANGES[6]), 2)  # tested on [2, 6]; the stored figure is 0.160
    0.16
    """
    x = _many_sums(inputs, numbers.mirrored)
    low, high = numbers[2:4]
    a, b, all_ = (low * x[0] + (high - low) * x[1]).unbind(-1)
    wrong = [part + epsilon * (all_ - 2 * part) for part in (a, b)]
    return float((_answers(operation, *wrong) - _answers(operation, a, b)).square().mean())


@cache
def _many_sums(inputs: int, mirrored: bool) -> Tensor:
    """Sums of both subsets and of all, of signs and of numbers in [0, 1) with these signs."""
    rng = np.random.default_rng(1234)
    random = torch.from_numpy(rng.random((100_000, inputs), dtype=np.float32))
    sign = torch.ones_like(random)
    if mirrored:
        sign = torch.from_numpy(rng.choice(np.float32([-1, 1]), size=random.shape))
    return torch.stack([_three_sums(sign), _three_sums(sign * random)])


def _three_sums(x: Tensor) -> Tensor:
    return torch.stack([*_sums(x), x.sum(-1)], -1).double()


def regulariser(operation: str, done: int) -> float:
    """The papers' weight of the penalty of both layers, after so many steps of the papers' size.

    >>> regulariser("mul", 1_500_000), regulariser("add", 50_000)
    (5.0, 0.01)
    """
    if operation == "mul":
        return 10.0 * ramp(done, 1_000_000, _RAMP_END)
    return 0.01 * ramp(done, 5_000, 50_000)


def learning_rate(settings: Settings, done: int) -> float:
    """The papers' 1e-3, times `hurry`; falling to 1e-4 after the schedule if that is above 1.

    >>> settings = Settings(steps=25_000, hurry=100)
    >>> [round(learning_rate(settings, done), 6) for done in (0, 20_000, 22_500, 25_000)]
    [0.1, 0.1, 0.003162, 0.0001]
    """
    top, end = 1e-3 * settings.hurry, _RAMP_END // settings.hurry
    if settings.hurry == 1 or done <= end:
        return top
    return top * (1e-4 / top) ** ((done - end) / (settings.steps - end))


def _sums(x: Tensor) -> tuple[Tensor, Tensor]:
    """The sums of both subsets: a quarter of the inputs each, half of them in common."""
    subset = x.shape[-1] // 4
    start = subset - subset // 2
    return x[..., :subset].sum(-1), x[..., start : start + subset].sum(-1)


def _answers(operation: str, a: Tensor, b: Tensor) -> Tensor:
    return {"add": a + b, "sub": a - b, "mul": a * b}[operation]


def _inputs(
    rows: int, inputs: int, rng: np.random.Generator, ranges: Sequence[Range], *, test: bool
) -> list[Tensor]:
    """Rows to validate or test on, for each range, made of the same random numbers."""
    random = rng.random((rows, inputs), dtype=np.float32)
    signs = np.where(rng.random((rows, inputs), dtype=np.float32) < 0.5, np.float32(-1), 1)
    found = []
    for numbers in ranges:
        low, high = numbers[2:4] if test else numbers[:2]
        x = np.float32(low) + np.float32(high - low) * random
        found.append(torch.from_numpy(x * signs if test and numbers.mirrored else x))
    return found


class _Models:
    """Networks of every case (first axis), seed and range, and what a step of training needs."""

    def __init__(self, settings: Settings, seeds: Sequence[int]) -> None:
        self.settings = settings
        hidden = settings.hidden
        shape = (len(settings.cases), len(seeds), len(RANGES), hidden, settings.inputs)
        first = [
            NAU(settings.inputs, hidden, generator=_generator(seed)).weight.data for seed in seeds
        ]
        self.first = torch.nn.Parameter(torch.stack(first)[:, None].expand(shape).contiguous())
        self.second = [
            _grid([UNITS[unit](hidden, 1, generator=_generator(seed, 1)) for seed in seeds])
            for unit, _ in settings.cases
        ]
        rest = (p for unit in self.second for p in unit.parameters())
        self.optimiser = torch.optim.Adam([self.first, *rest], lr=1e-3 * settings.hurry, fused=True)
        self.rngs = [np.random.Generator(np.random.SFC64(seed)) for seed in seeds]
        ends = torch.tensor([numbers[:2] for numbers in RANGES])
        self.low, self.width = ends[:, 0], ends[:, 1] - ends[:, 0]

    def step(self, done: int) -> None:
        """Take a step of training."""
        settings = self.settings
        random = self._draw(settings.inputs)
        # The sums of all models of a seed in one product: low + width * random, weight by weight.
        # Rows of weights are in the order cases, ranges, outputs.
        rows = self.first.transpose(0, 1).flatten(1, 3)
        mixed = (random @ rows.mT).unflatten(-1, (len(settings.cases), len(RANGES), -1))
        shift = (self.low[:, None] * self.first.sum(-1)).unsqueeze(-2)
        scaled = self.width[:, None, None] * mixed.permute(2, 0, 3, 1, 4)
        found = scaled + shift  # (cases, seeds, ranges, batch, hidden)
        a, b = (
            self.low[:, None] * (settings.inputs // 4) + self.width[:, None] * part[:, None]
            for part in _sums(random)
        )
        noise = self._draw(settings.hidden)[:, None]
        total = torch.zeros(())
        for x, first, unit, case in zip(
            found, self.first, self.second, settings.cases, strict=True
        ):
            y = unit(x, noise) if isinstance(unit, StochasticNMU) else unit(x)
            total = total + (y[..., 0] - _answers(case[1], a, b)).square().mean(-1).sum()
            if weight := regulariser(case[1], done * settings.hurry):
                total = total + weight * (nau_penalty(first) + unit.penalty()).sum()
        self.optimiser.zero_grad()
        total.backward()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(settings, done)
        self.optimiser.step()
        with torch.no_grad():
            self.first.clamp_(-1, 1)
        for unit in self.second:
            unit.clip()

    def _draw(self, width: int) -> Tensor:
        shape = (self.settings.batch, width)
        drawn = [rng.random(shape, dtype=np.float32) for rng in self.rngs]
        return torch.from_numpy(np.stack(drawn))

    @torch.no_grad()
    def errors(self, x: Sequence[Tensor]) -> NDArray[np.float64]:
        """Mean squared errors of shape (cases, seeds, ranges), for rows of each range."""
        right = [_sums(rows) for rows in x]
        found = torch.empty(self.first.shape[:3], dtype=torch.float64)
        for c, (unit, case) in enumerate(zip(self.second, self.settings.cases, strict=True)):
            unit.eval()
            sums = torch.stack([rows @ self.first[c, :, r].mT for r, rows in enumerate(x)], dim=1)
            y = unit(sums)[..., 0]
            want = torch.stack([_answers(case[1], a, b) for a, b in right])
            found[c] = (y - want).square().mean(-1)
            unit.train()
        return found.numpy()

    @torch.no_grad()
    def sparsity_errors(self) -> NDArray[np.float64]:
        """The worst weight of both layers, of the same shape."""
        size = self.first.abs()
        first = torch.minimum(size, (1 - size).abs()).flatten(-2).amax(-1)
        second = torch.stack([unit.sparsity_error() for unit in self.second])
        return torch.maximum(first, second).double().numpy()


def _generator(seed: int, layer: int = 0) -> torch.Generator:
    """Where initial values come from; the same for every case and range."""
    words = np.random.SeedSequence(seed, spawn_key=(layer,)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0] >> 1))


def _grid(units: Sequence[Unit]) -> Unit:
    """A stack of shape (seeds, ranges) that starts alike in every range."""
    kind = type(units[0])
    return kind.stack([kind.stack([unit] * len(RANGES)) for unit in units])


def _logs(
    settings: Settings, seeds: Sequence[int], progress: Progress | None
) -> Iterator[tuple[int, _Models]]:
    models = _Models(settings, seeds)
    for done in range(settings.steps + 1):
        if done % settings.log_every == 0:
            if progress is not None:
                progress(f"seeds {seeds[0]} to {seeds[-1]}", done, settings.steps)
            yield done, models
        if done < settings.steps:
            models.step(done)


def _train(
    settings: Settings, seeds: Sequence[int], progress: Progress | None
) -> list[dict[str, Any]]:
    """Rows of the table for seeds that are trained together."""
    tests = [
        _inputs(settings.tests, settings.inputs, np.random.default_rng(seed), RANGES, test=test)
        for seed, test in ((_VALIDATION, False), (_TEST, True))
    ]
    limit = np.array(
        [
            [[threshold(op, numbers, settings.inputs) for numbers in RANGES]]
            for _, op in settings.cases
        ]
    )
    shape = (len(settings.cases), len(seeds), len(RANGES))
    best = np.full(shape, np.inf)
    solved_at, tested, sparsity = (np.full(shape, np.nan) for _ in range(3))
    since = settings.steps - max(_SELECTED // settings.hurry, settings.log_every)
    for step, models in _logs(settings, seeds, progress):
        error = models.errors(tests[1])
        solved_at = np.where(np.isnan(solved_at) & (error < limit), step, solved_at)
        if step > since or step == settings.steps:
            valid = models.errors(tests[0])
            better = valid < best
            best = np.where(better, valid, best)
            tested = np.where(better, error, tested)
            sparsity = np.where(better, models.sparsity_errors(), sparsity)
    rows = []
    for (c, s, r), error in np.ndenumerate(tested):
        unit, operation = settings.cases[c]
        values = {"success": float(error < limit[c, 0, r])}
        if values["success"]:
            values |= {"solved_at": solved_at[c, s, r], "sparsity_error": sparsity[c, s, r]}
        about = {"operation": operation, "unit": unit, "train": RANGES[r].name, "seed": seeds[s]}
        rows += [{**about, "measure": m, "value": float(value)} for m, value in values.items()]
    return rows


def _run_seeds(
    settings: Settings, seeds: tuple[int, ...], store: Store | None, progress: Progress | None
) -> list[dict[str, Any]]:
    if store is not None:
        store = store.within(settings=asdict(settings), seeds=seeds)
        if (data := store.read("rows.json")) is not None:
            return list(json.loads(data))
    with careful():
        rows = _train(settings, seeds, progress)
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
    """Train and test every case on every range, a model for each seed.

    Parameters
    ----------
    settings, seeds
        What to run; by default the preset `paper`.
    device
        Has no effect: the models are too small for anything but the CPU.
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
    A table with columns operation, unit, train (the range), seed, measure and value.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    groups = [tuple(seeds[i : i + _TOGETHER]) for i in range(0, len(seeds), _TOGETHER)]
    parts = in_processes(jobs, _run_seeds, [(settings, group) for group in groups], store, progress)
    table = pd.DataFrame([row for part in parts for row in part])
    return table.sort_values([*KEYS, "seed"], kind="stable", ignore_index=True)


def published() -> pd.DataFrame:
    """Return the published figures that are known: columns as in `KEYS`, measure, value and tag.

    Products by range are read off the marks of a stored figure of the public code ("code"): 50
    seeds, 5 million steps, on seven ranges of which ours has six. Sums and differences are from the
    paper's table, 100 seeds on [1, 2]. The figures of the paper on sNMU are not known to us.

    Examples
    --------
    >>> table = published().set_index(["unit", "train"]).value
    >>> float(table["NMU", "[1.1, 1.2]"])
    0.0
    """
    nmu = {"[-2, -1]": 100, "[-2, 2]": 78, "[0.1, 0.2]": 84, "[1, 2]": 100}
    nac = {"[-2, -1]": 92, "[-2, 2]": 0, "[0.1, 0.2]": 58, "[1, 2]": 90}
    nmu |= {"[1.1, 1.2]": 0, "[10, 20]": 100}
    nac |= {"[1.1, 1.2]": 0, "[10, 20]": 54}
    rows = [
        ("mul", unit, train, "success", percent / 100, "code")
        for unit, shares in (("NMU", nmu), ("NAC•,NMU", nac))
        for train, percent in shares.items()
    ]
    rows += [(op, "NAU", "[1, 2]", "success", 1.0, "paper") for op in ("add", "sub")]
    return pd.DataFrame(rows, columns=[*KEYS, "measure", "value", "tag"])


def report(ours: Mapping[str, pd.DataFrame]) -> str:
    """Return the part of `sharp show` between its first line and its notes."""
    return side_by_side(published(), ours)
