"""Max retrieval: say which class the largest of n items has.

One attention head learns it on sets of at most 16 items and is then shown sets of thousands. This
is the central experiment of Veličković et al., "softmax is not enough (for sharp
out-of-distribution)", arXiv 2410.01104, section 3 and Table 1.

**Task.** An item has a priority, uniform in (0, 1), and one of ten classes. The query is one random
number that says nothing. The answer is the class of the item with the largest priority.

**Model.** Items and query pass through an MLP each (linear, GELU, linear), meet in one attention
head, and a third MLP reads the class from what the head returns. No residual, normalisation or
position. All widths are equal.

**Choices where the paper is silent, or not known to us.** AdamW, so that weight decay is decoupled.
One set size for each batch, uniform in 5 ... 16 and common to all seeds. A constant learning rate.
Biases everywhere but on the keys, where softmax would not feel one. Weights and biases start
uniform in ±1/sqrt(fan-in). Priorities in float32: with 24 bits the two largest of n items tie in
about n/2^24 of the sets, which the measure `ties` counts; the first of them is then the answer.

**Numbers.** Every set of items is a function of (seed, what it is for, index) and of nothing else.
On a CPU a process uses one thread, so that sums are added in one order on every machine; several
processes share the work (`jobs`), a batched model each.
"""

import io
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files

import pandas as pd

from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import different, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import NUMERICS
from sharplib.studies.max_retrieval.data import Sets, draw
from sharplib.studies.max_retrieval.evaluation import evaluate
from sharplib.studies.max_retrieval.inspection import (
    Profile,
    anatomy,
    heat_maps,
    profile,
    weights_by_rank,
)
from sharplib.studies.max_retrieval.model import Heads, initial
from sharplib.studies.max_retrieval.polynomial import best_inverse_temperature, fitted_polynomial
from sharplib.studies.max_retrieval.rules import RULES, Known
from sharplib.studies.max_retrieval.settings import PRESETS, Settings, Training
from sharplib.studies.max_retrieval.training import Trainer, train

__all__ = [
    "BASELINE",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "RULES",
    "VERSION",
    "Heads",
    "Known",
    "Profile",
    "Sets",
    "Settings",
    "Trainer",
    "Training",
    "anatomy",
    "best_inverse_temperature",
    "draw",
    "evaluate",
    "fitted_polynomial",
    "groups",
    "heat_maps",
    "initial",
    "profile",
    "published",
    "run",
    "train",
    "weights_by_rank",
]

VERSION = 1
KEYS = ("rule", "size")
HEADLINE = "accuracy"
BASELINE = "softmax"


def groups(training: Training, seeds: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the seeds in the groups that are trained together.

    >>> groups(Training(seeds_together=2), [0, 1, 2])
    [(0, 1), (2,)]

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    seeds, together = different(seeds), training.seeds_together
    return [seeds[i : i + together] for i in range(0, len(seeds), together)]


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
    """Train and test one head per seed; by default the paper's experiment, which takes hours.

    Parameters
    ----------
    settings, seeds, device
        What to run, and where.
    jobs
        Processes that share the groups of seeds. The table is the same for any number of them.
    store
        Where finished pieces and checkpoints are kept.
    progress, checkpoint_seconds
        See `Trainer.advance`.

    Returns
    -------
    The table that `evaluate` describes, sorted by seed, with sizes and rules in the order of the
    settings.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    tables = in_processes(
        jobs,
        _run_group,
        [
            (settings, group, device, checkpoint_seconds)
            for group in groups(settings.training, seeds)
        ],
        store,
        progress,
    )
    return pd.concat(tables).sort_values("seed", kind="stable", ignore_index=True)


def _run_group(
    settings: Settings,
    group: tuple[int, ...],
    device: str,
    checkpoint_seconds: float,
    store: Store | None,
    progress: Progress | None,
) -> pd.DataFrame:
    if store is not None:
        store = store.within(training=asdict(settings.training), seeds=group)
    heads = train(
        settings.training,
        group,
        device,
        store=store,
        progress=progress,
        checkpoint_seconds=checkpoint_seconds,
    )
    return evaluate(
        settings,
        heads,
        device,
        store=store,
        progress=progress,
        checkpoint_seconds=checkpoint_seconds,
    )


def published() -> pd.DataFrame:
    """Return Table 1 of the paper: columns rule, size, measure, value and tag.

    The tag says how well a figure is known. "second-hand": read in somebody's notes or code, not in
    the paper. "recalled": from memory, to be shown only as unverified.

    Examples
    --------
    >>> table = published()
    >>> table[(table.rule == "softmax") & (table["size"] == 16)].value.item()
    0.986
    """
    return pd.read_csv(io.StringIO(files(__name__).joinpath("published.csv").read_text()))
