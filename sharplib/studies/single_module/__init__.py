"""Can one unit learn one operation on two numbers, from a narrow range, and be right outside it?

The single-module task of Mistry et al. (arXiv 2101.09530 and 2211.05624): a unit with two inputs
and one output learns a sum, difference, product or quotient from pairs that are uniform on one of
nine ranges, and is tested on a range beside it. What counts is the share of models that end up
right.

**A model is solved** if its test error is below that of a module that is wrong by 1e-5 (`success`;
see `threshold`), the threshold of the benchmark, or below 1e-5 (`success_flat`), the threshold of
the paper on sNMU. Tested is the state with the smallest validation error among the logs of the last
5,000 steps. `solved_at` is the first logged step with a test error below the threshold, and
`sparsity_error` how far the worst weight is from a whole number; both of successful models only.

**Numbers.** The random numbers of a batch are functions of (seed, step) and common to all ranges
and units, and so are the noise of sNMU and initial values, as in the public code. So models of one
seed and different ranges are not independent; seeds are. Training is in float32, by compiled loops
that need a CPU and Numba; `sharplib.arithmetic` is what they must equal, and what is tested.

**Choices where the papers are silent, or ours.** Errors are logged every 1,000 steps before the
step. iNALU: the loss of a batch stands for the validation error in the conditions for its penalty
and for starting afresh, which is looked at every 1,000 steps; weights and gate learn together. The
modified Real NPU multiplies with the L1 weights of the Real NPU for products. NMRU is the form with
the sign apart. SNALU, the sigmoid NMU and the two further NACs, which the benchmark does not have,
are trained like the NALU or, with its clamp and penalty, the NMU. Quotients from [-2, 2] have
targets without a finite variance.

Not in the table: the DMU, of which the public code has many forms and no settled one.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import pandas as pd

from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import careful
from sharplib.studies.single_module.evaluation import FLAT, judge, threshold
from sharplib.studies.single_module.intervals import Interval, beta, gamma, wilson
from sharplib.studies.single_module.settings import (
    CASES,
    OPERATIONS,
    PRESETS,
    RANGES,
    UNITS,
    Range,
    Recipe,
    Settings,
    recipe,
)
from sharplib.studies.single_module.training import Models, answers, train

__all__ = [
    "BASELINE",
    "CASES",
    "DEVICES",
    "FLAT",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "OPERATIONS",
    "PRESETS",
    "RANGES",
    "UNITS",
    "VERSION",
    "Interval",
    "Models",
    "Range",
    "Recipe",
    "Settings",
    "answers",
    "beta",
    "gamma",
    "published",
    "recipe",
    "run",
    "sheet",
    "side_by_side",
    "summary",
    "threshold",
    "train",
    "wilson",
]

VERSION = 1
KEYS = ("operation", "unit", "train")
HEADLINE = "success"
BASELINE = None
DEVICES = ("cpu",)
NUMERICS: Mapping[str, Any] = MappingProxyType({"precision": "float32", "cpu_threads": 1})


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
    """Train and test every unit with its operations, a model for each seed and range.

    Parameters
    ----------
    settings, seeds
        What to run; by default the preset `paper`.
    device
        Has no effect: the loops are compiled for the CPU.
    jobs
        Processes that share the cases. The table is the same for any number of them.
    store
        Where the rows of a finished case are kept.
    progress
        Called with the case, steps done and steps in all.
    checkpoint_seconds
        Has no effect: a case takes seconds.

    Returns
    -------
    A table with columns operation, unit, train (the range), seed, measure and value.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    parts = in_processes(
        jobs,
        _run_case,
        [(settings, case, tuple(seeds)) for case in settings.cases],
        store,
        progress,
    )
    return pd.DataFrame([row for part in parts for row in part])


def _run_case(
    settings: Settings,
    case: tuple[str, str],
    seeds: tuple[int, ...],
    store: Store | None,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    alone = replace(settings, cases=(case,))
    if store is not None:
        store = store.within(
            settings=asdict(alone), recipe=asdict(recipe(*case, settings.inputs)), seeds=seeds
        )
        if (data := store.read("rows.json")) is not None:
            return list(json.loads(data))
    with careful():
        rows = judge(alone, *case, train(alone, *case, seeds, progress))
    if store is not None:
        store.write("rows.json", json.dumps(rows).encode())
    return rows


def published() -> pd.DataFrame:
    """Return the published figures that are known: columns as in `KEYS`, measure, value and tag.

    They are read off the marks of a stored figure of the public benchmark ("code"), which has NMU
    and the MulMCFC family on products, and NAU and MC-FC on sums: success, the mean of `solved_at`,
    and the mean `sparsity_error`.
    The figures of the paper on sNMU are not known to us.

    Examples
    --------
    >>> table = published().set_index(["measure", "unit", "train"]).value
    >>> float(table["success", "NMU", "[-1.2, -1.1]"])
    0.68
    """
    return pd.read_csv(io.StringIO(files(__name__).joinpath("published.csv").read_text()))


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and 95 % interval of every measure in every cell of a table of `run`.

    Shares have the interval of `wilson`, steps that of `gamma`, sparsity errors that of `beta`.

    Returns
    -------
    A table with the columns `KEYS`, measure, low, value, high and models.

    Examples
    --------
    >>> rows = [("mul", "NMU", "[1, 2]", seed, "success", 1.0) for seed in range(25)]
    >>> table = pd.DataFrame(rows, columns=[*KEYS, "seed", "measure", "value"])
    >>> summary(table)[["low", "value", "high", "models"]].round(3).values.tolist()
    [[0.867, 1.0, 1.0, 25.0]]
    """
    rows = []
    for cell, found in table.groupby([*KEYS, "measure"], sort=False).value:
        measure = cell[-1]
        if measure.startswith("success"):
            interval = wilson(int(found.sum()), len(found))
        else:
            interval = gamma(found) if measure == "solved_at" else beta(found)
        rows.append((*cell, *interval, len(found)))
    return pd.DataFrame(rows, columns=[*KEYS, "measure", "low", "value", "high", "models"])


def sheet(table: pd.DataFrame, operation: str, measure: str = "success") -> pd.DataFrame:
    """Return one measure as text, a row for each unit and a column for each range.

    `table` is one of `summary`, or `published`. Shares are in percent, steps in thousands; what a
    table of `summary` has is followed by its interval.
    """
    scale, digits = {"solved_at": (1e-3, 1), "sparsity_error": (1.0, None)}.get(measure, (100, 0))

    def text(value: float) -> str:
        return f"{value:.1g}" if digits is None else f"{scale * value:.{digits}f}"

    chosen = table[(table.operation == operation) & (table.measure == measure)]
    bounds = "low" in chosen
    cells = {
        (row.unit, row.train): text(row.value)
        + (f" ({text(row.low)}-{text(row.high)})" if bounds and row.low < row.high else "")
        for row in chosen.itertuples()
    }
    units = list(dict.fromkeys(chosen.unit))
    columns = [numbers.name for numbers in RANGES]
    return pd.DataFrame(
        [[cells.get((unit, name), "") for name in columns] for unit in units],
        index=units,
        columns=columns,
    )


def side_by_side(known: pd.DataFrame, ours: Mapping[str, pd.DataFrame]) -> str:
    """Return all sheets of published figures, and of tables of `run` by name, as text."""
    lines = []
    for operation in OPERATIONS:
        for measure, title in _TITLES.items():
            blocks = {"published": sheet(known, operation, measure)}
            for name, table in ours.items():
                blocks[name] = sheet(summary(table), operation, measure)
            for name, block in blocks.items():
                if len(block):
                    lines += ["", f"{operation}, {title}: {name}", block.to_string()]
    return "\n".join(lines)


def report(ours: Mapping[str, pd.DataFrame]) -> str:
    """Return the part of `sharp show` between its first line and its notes."""
    return side_by_side(published(), ours)


_TITLES = {
    "success": "% of models that are right outside the range (95 % interval)",
    "success_flat": "% of models with a test error below 1e-5",
    "solved_at": "thousands of steps until then",
    "sparsity_error": "distance of the worst weight from a whole number",
}
