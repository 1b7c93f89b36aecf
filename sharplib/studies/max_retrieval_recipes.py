"""Which way of training teaches a max-retrieval head to rank?

A head that was trained on 16 items and meets 16,384 fails for two reasons: its softmax disperses,
and its top logit is the wrong item. A rule for the temperature can mend the first. This study looks
for a training that mends the second, without a change to the task, to the sizes of the training
sets, or to the model.

Every recipe is tried at the same small size. While a head trains, its anatomy is measured: the
spread of its logits, the singular values and norms that bound it (Proposition 3.1 of arXiv
2410.01104), its sharpness, and the head starts of its classes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

import pandas as pd

from sharplib.studies import max_retrieval
from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval import Training

__all__ = [
    "BASELINE",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "RECIPES",
    "VERSION",
    "Settings",
    "published",
    "run",
]

VERSION = 1
KEYS = ("recipe", "rule", "size")
HEADLINE = "accuracy"
BASELINE = "softmax"
NUMERICS = max_retrieval.NUMERICS

_SMALL = Training(width=64, steps=20_000, seeds_together=3)
_COSINE = replace(_SMALL, schedule="cosine")
_FAST = replace(_COSINE, learning_rate=3e-3, weight_decay=0.33)
_LARGE = replace(_FAST, batch=512)

RECIPES: Mapping[str, Training] = MappingProxyType(
    {
        "paper": _SMALL,
        "paper, no decay": replace(_SMALL, weight_decay=0.0),
        "paper, decay 1": replace(_SMALL, weight_decay=1.0),
        "cosine": _COSINE,
        "cosine, decay 0.1": replace(_COSINE, weight_decay=0.1),
        "cosine, decay 1": replace(_COSINE, weight_decay=1.0),
        "cosine, decay 3": replace(_COSINE, weight_decay=3.0),
        "cosine, sparsemax": replace(_COSINE, attention="sparsemax"),
        "cosine, decay 1, sparsemax": replace(_COSINE, weight_decay=1.0, attention="sparsemax"),
        "cosine, decay 0.33, rate 0.003": _FAST,
        "the same, batch 512": _LARGE,
        "the same, batch 512, sparsemax": replace(_LARGE, attention="sparsemax"),
        "the same, batch 512, width 32": replace(_LARGE, width=32),
    }
)
"""What was tried. Where nothing is said, all is as in the paper, at width 64 and 20,000 steps.

"decay" is the weight decay, "rate" the learning rate, and "sparsemax" the map in training.
"""


@dataclass(frozen=True)
class Settings:
    """The recipes, when to look at the heads while they train, and how to test them at the end."""

    recipes: Mapping[str, Training]
    steps: tuple[int, ...] = (0, 100, 300, 1_000, 3_000, 10_000, 20_000)
    """When to measure the anatomy; the last of them must be the last of the training."""
    sizes: tuple[int, ...] = (16, 1024, 4096, 16384)
    test_sets: int = 256
    rules: tuple[str, ...] = (
        "softmax",
        "adaptive",
        "entropy-matched",
        "n",
        "sparsemax",
        "hard maximum",
    )

    def __post_init__(self) -> None:
        for name, training in self.recipes.items():
            if sorted(self.steps) != list(self.steps) or self.steps[-1:] != (training.steps,):
                raise ValueError(
                    f"steps must rise to {training.steps} for {name!r}, got {self.steps}"
                )


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(
                {
                    name: replace(RECIPES[name], width=32, steps=3_000)
                    for name in ("paper", "cosine", "cosine, decay 1")
                },
                steps=(0, 100, 300, 1_000, 3_000),
                test_sets=64,
            ),
            seeds=(0, 1),
        ),
        "paper": Preset(Settings(dict(RECIPES)), seeds=(0, 1, 2)),
    }
)


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
    """Train heads by every recipe, and test them.

    Arguments and errors are those of the study of max retrieval.

    Returns
    -------
    A table with columns recipe, seed, step, size, rule, measure, value and sets. At the last step
    it holds what `max_retrieval.evaluate` measures. At every one of `settings.steps` it holds,
    under the rule "anatomy" and the largest size of the training, what `max_retrieval.anatomy`
    measures, and `sharpness` and `head_start`, the standard deviation over classes, of
    `max_retrieval.profile`.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    parts = [
        (settings, name, group, device, checkpoint_seconds)
        for name, training in settings.recipes.items()
        for group in max_retrieval.groups(training, seeds)
    ]
    return pd.concat(in_processes(jobs, _run_part, parts, store, progress), ignore_index=True)


def _run_part(
    settings: Settings,
    recipe: str,
    group: tuple[int, ...],
    device: str,
    checkpoint_seconds: float,
    store: Store | None,
    progress: Progress | None,
) -> pd.DataFrame:
    training = settings.recipes[recipe]
    if store is not None:
        store = store.within(training=asdict(training), seeds=group, steps=settings.steps)
    trainer = max_retrieval.Trainer(training, group, device, store=store)
    rows: list[dict[str, Any]] = []
    for step in settings.steps:
        name = f"step-{step}.json"
        if store is not None and (data := store.read(name)) is not None:
            rows += json.loads(data)
            continue
        trainer.advance(step, progress=progress, checkpoint_seconds=checkpoint_seconds)
        new = _look(training, trainer.heads, step)
        if store is not None:
            store.write(name, json.dumps(new).encode())
        rows += new
    tests = max_retrieval.evaluate(
        max_retrieval.Settings(
            training, sizes=settings.sizes, test_sets=settings.test_sets, rules=settings.rules
        ),
        trainer.heads,
        device,
        store=store,
        progress=progress,
        checkpoint_seconds=checkpoint_seconds,
    ).assign(step=training.steps)
    table = pd.concat([pd.DataFrame(rows), tests], ignore_index=True).assign(recipe=recipe)
    return table[["recipe", "seed", "step", "size", "rule", "measure", "value", "sets"]]


def _look(training: Training, heads: max_retrieval.Heads, step: int) -> list[dict[str, Any]]:
    """Rows of the table for heads in the making."""
    sets = 64
    measured = max_retrieval.anatomy(training, heads, sets)
    profile = max_retrieval.profile(heads)
    measured |= {"sharpness": profile.sharpness, "head_start": profile.head_start.std(-1)}
    return [
        {
            "seed": seed,
            "step": step,
            "size": training.largest_set,
            "rule": "anatomy",
            "measure": measure,
            "value": float(values[i]),
            "sets": sets,
        }
        for measure, values in measured.items()
        for i, seed in enumerate(heads.seeds)
    ]


def published() -> pd.DataFrame:
    """Return Table 1 of the paper as rows of the recipe "paper", with columns as in `KEYS`.

    Examples
    --------
    >>> sorted(set(published().recipe))
    ['paper']
    """
    table = max_retrieval.published().assign(recipe="paper")
    return table[[*KEYS, "measure", "value", "tag"]]
