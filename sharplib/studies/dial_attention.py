"""Can attention that was trained with softmax be made sparse by a dial, and which derivative helps?

A small transformer (`sharplib.studies._transformer`: two layers of two heads, width 32) learns to
tell scikit-learn's handwritten digits apart, in 16 patches, with softmax. Then its attention gets
another map, and all of it is trained on for as many steps again under each rule. In the paper on
r-softmax (arXiv 2304.05243) that is done to a pre-trained language model; its settings are not
known to us, and these are ours.

**Rules.** Softmax goes on as before. Sparsemax, t-softmax at a distance of 2. r-softmax at the
rates 0.25, 0.5 and 0.75, raised from 0 over the first half of the steps; with the true derivative,
and with the distance to the top held, as in the authors' code ("held"). And 0.75 at once.

**Tuning.** Every rule has the same step sizes to choose from, tried on `tuning_seeds`, whose mean
validation loss decides. Then ten other seeds are fine-tuned with it, each from its own network.

**Measures**, of the test images: `loss` in nats and `accuracy` at the end; the same with
"_before", right after the map was exchanged; `zeros`, the share of weights that are exactly 0, and
`rate`, the step size.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sharplib import rsoftmax, sparsemax, tsoftmax
from sharplib.studies import _data
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store
from sharplib.studies._transformer import Make, Seen, Shape, Transformer, losses, train
from sharplib.studies.max_retrieval._numerics import NUMERICS, careful

__all__ = [
    "BASELINE",
    "DEVICES",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "RULES",
    "VERSION",
    "Settings",
    "published",
    "run",
]

VERSION = 1
KEYS = ("rule", "task")
HEADLINE = "accuracy"
BASELINE = "softmax"
DEVICES = ("cpu",)

_SHAPE = Shape(outputs=10, length=16, patch=4)


class _Dial:
    """r-softmax at a rate that rises from 0 over the first steps of training; full in the test."""

    def __init__(self, rate: float, raised_over: int, held: bool) -> None:
        self.rate, self.raised_over, self.held = rate, raised_over, held
        self.steps = 0

    def __call__(self, scores: Tensor) -> Tensor:
        share = 1.0
        if torch.is_grad_enabled():
            share = min(1.0, self.steps / self.raised_over) if self.raised_over else 1.0
            self.steps += 1
        return rsoftmax(scores, self.rate * share, detach_quantile=self.held)


def _dial(rate: float, held: bool = False, raised: bool = True) -> Callable[[int], Make]:
    return lambda steps: lambda replicas: _Dial(rate, steps // 2 if raised else 0, held)


RULES: Mapping[str, Callable[[int], Make | None]] = MappingProxyType(
    {
        "softmax": lambda steps: None,
        "sparsemax": lambda steps: lambda replicas: sparsemax,
        "t-softmax": lambda steps: lambda replicas: lambda scores: tsoftmax(scores, 2.0),
        "r-softmax 0.25": _dial(0.25),
        "r-softmax 0.25, held": _dial(0.25, held=True),
        "r-softmax 0.5": _dial(0.5),
        "r-softmax 0.5, held": _dial(0.5, held=True),
        "r-softmax 0.75": _dial(0.75),
        "r-softmax 0.75, held": _dial(0.75, held=True),
        "r-softmax 0.75, at once": _dial(0.75, raised=False),
    }
)
"""From the number of steps to a maker of what turns scores into weights; None is softmax."""


@dataclass(frozen=True)
class Settings:
    """All that decides the figures, apart from the seeds.

    Examples
    --------
    >>> Settings(rules=("hardmax",))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
      ...
    ValueError: rules must be among softmax, sparsemax, ..., got 'hardmax'
    """

    rules: tuple[str, ...] = tuple(RULES)
    steps: int = 300
    """Of the training with softmax, and again of the fine-tuning."""
    batch: int = 32
    first_rate: float = 1e-2
    """Step size of the training with softmax."""
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    tuning_seeds: tuple[int, ...] = (1000, 1001, 1002)

    def __post_init__(self) -> None:
        for rule in self.rules:
            if rule not in RULES:
                raise ValueError(f"rules must be among {', '.join(RULES)}, got {rule!r}")
        at_least(self, steps=1, batch=1)
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"rates must hold numbers above 0, got {self.rates!r}")


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(
                ("softmax", "r-softmax 0.75", "r-softmax 0.75, held"),
                steps=40,
                rates=(1e-2,),
                tuning_seeds=(1000,),
            ),
            (0, 1, 2),
        ),
        "paper": Preset(Settings(), tuple(range(10))),
    }
)


def _trained(settings: Settings, seeds: Sequence[int], progress: Progress | None) -> Transformer:
    """Networks that learned with softmax, one for each seed."""
    model = Transformer(_SHAPE, seeds)
    batches = _data.digit_batches(*_data.digits(seeds).train, seeds, settings.batch)
    train(model, batches, settings.steps, settings.first_rate, progress=progress)
    return model


def _exchanged(settings: Settings, rule: str, base: Transformer, of: Sequence[int]) -> Transformer:
    """The networks of some seeds, which may repeat, under another map."""
    model = Transformer(_SHAPE, of, weigh=RULES[rule](settings.steps))
    place = [base.seeds.index(seed) for seed in of]
    with torch.no_grad():
        for name, parameter in model.body.items():
            parameter.copy_(base.body[name][place])
    return model


def _tune(
    settings: Settings, model: Transformer, rates: Sequence[float], progress: Progress | None
) -> None:
    """Train on, with batches that come after those of the first training."""
    train_part = _data.digits(model.seeds).train
    batches = _data.digit_batches(*train_part, model.seeds, settings.batch)
    later = islice(batches, settings.steps, None)
    train(model, later, settings.steps, rates, progress=progress)


def _judge(model: Transformer, part: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    seen: list[Seen] = []
    with torch.no_grad(), careful():
        logits = model(part[0], seen)
        return {
            "loss": losses(logits, part[1]),
            "accuracy": (logits.argmax(-1) == part[1]).float().mean(1),
            "zeros": torch.stack(
                [(layer.weights == 0).float().flatten(1).mean(1) for layer in seen]
            ).mean(0),
        }


def _run_rule(
    settings: Settings,
    rule: str,
    seeds: tuple[int, ...],
    base: Transformer,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Rows of the table for one rule."""
    tried = settings.tuning_seeds * len(settings.rates)
    model = _exchanged(settings, rule, base, tried)
    rates = np.repeat(settings.rates, len(settings.tuning_seeds)).tolist()
    _tune(settings, model, rates, progress)
    checked = _judge(model, _data.digits(tried).validation)["loss"]
    mean = checked.view(len(settings.rates), -1).mean(1).nan_to_num(torch.inf)
    rate = settings.rates[int(mean.argmin())]

    model, test = _exchanged(settings, rule, base, seeds), _data.digits(seeds).test
    before = _judge(model, test)
    _tune(settings, model, [rate] * len(seeds), progress)
    found = {f"{name}_before": value for name, value in before.items()} | _judge(model, test)
    found["rate"] = torch.full((len(seeds),), rate, dtype=torch.float64)
    return [
        {
            "rule": rule,
            "task": "digits",
            "seed": seed,
            "measure": measure,
            "value": float(values[i]),
        }
        for measure, values in found.items()
        for i, seed in enumerate(seeds)
    ]


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
    """Train with softmax, exchange the map, tune, fine-tune and test, rule by rule.

    Parameters
    ----------
    settings, seeds
        What to run; by default the preset `paper`.
    device
        Has no effect: the models are too small to gain from a GPU.
    jobs
        Has no effect: all seeds of a rule are trained as one model.
    store
        Where the rows of a finished rule are kept.
    progress
        Called with the stage, steps done and steps in all.
    checkpoint_seconds
        Has no effect: a rule takes about a minute.

    Returns
    -------
    A table with columns rule, task, seed, measure and value.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated, negative, or among the tuning seeds.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    if set(seeds) & set(settings.tuning_seeds):
        raise ValueError(f"seeds must not be among the tuning seeds, got {list(seeds)!r}")
    base = None
    rows: list[dict[str, Any]] = []
    for rule in settings.rules:
        alone = None
        if store is not None:
            alone = store.within(settings=asdict(replace(settings, rules=(rule,))), seeds=seeds)
            if (data := alone.read("rows.json")) is not None:
                rows += json.loads(data)
                continue
        if base is None:
            base = _trained(settings, (*seeds, *settings.tuning_seeds), progress)
        new = _run_rule(settings, rule, seeds, base, progress)
        if alone is not None:
            alone.write("rows.json", json.dumps(new).encode())
        rows += new
    return pd.DataFrame(rows)


def published() -> pd.DataFrame:
    """Return an empty table: of the paper's figures none was seen.

    Examples
    --------
    >>> len(published())
    0
    """
    return pd.DataFrame(columns=[*KEYS, "measure", "value", "tag"], dtype=object)
