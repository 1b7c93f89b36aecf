"""A study's figures side by side: published, ours at full size, ours at quick size."""

import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from sharplib.studies import _record, load

__all__ = ["compare", "paired", "report", "stored"]

_COLUMNS = {
    "paper": "ours, full size",
    "nmu": "ours, NMU and sNMU",
    "short": "ours, ten seeds",
    "recipe": "ours, recipe",
    "quick": "ours, quick",
}


def compare(
    published: pd.DataFrame, ours: dict[str, pd.DataFrame], keys: tuple[str, ...], measure: str
) -> pd.DataFrame:
    """Put one measure of several tables side by side, as text in percent.

    Parameters
    ----------
    published
        Columns `keys`, measure, value and tag. A value tagged "recalled" is marked "unverified".
    ours
        Tidy tables by the name of their column. Seeds are averaged; with several seeds the standard
        error of that average is given after "±".
    keys
        The columns that name a row.
    measure
        Which measure.

    Returns
    -------
    A table of strings: columns "published", "tag" and those of `ours`; empty where none is known.
    """
    known = published[published.measure == measure].set_index(list(keys))
    columns = {
        "published": known.value.map("{:.1%}".format)
        + (known.tag == "recalled").map({True: " unverified", False: ""}),
        "tag": known.tag,
    }
    for name, table in ours.items():
        seeds = table[table.measure == measure].groupby(list(keys), sort=False).value
        error = seeds.sem().map(lambda e: "" if pd.isna(e) else f" ± {100 * e:.1f}")
        columns[name] = seeds.mean().map("{:.1%}".format) + error
    # Rows in the order of first appearance: the paper's first, then what we add.
    order = list(dict.fromkeys(key for column in columns.values() for key in column.index))
    rules = list(dict.fromkeys(key[0] for key in order))
    order.sort(key=lambda key: (rules.index(key[0]), *key[1:]))
    index = pd.MultiIndex.from_tuples(order, names=keys)
    return pd.DataFrame({name: column.reindex(index) for name, column in columns.items()}).fillna(
        ""
    )


def paired(table: pd.DataFrame, keys: tuple[str, ...], measure: str, baseline: str) -> pd.DataFrame:
    r"""Test each rule against a baseline rule, on the same heads and sets.

    A paired t-test over seeds, two-sided. With k differences of mean :math:`m` and standard
    deviation :math:`s`, the statistic :math:`m \sqrt{k} / s` has k - 1 degrees of freedom.

    Parameters
    ----------
    table
        A tidy table with a row for each seed.
    keys
        The columns that name a cell; the rule is one of them, "rule".
    measure
        Which measure to test.
    baseline
        The rule to test against.

    Returns
    -------
    A table with the columns `keys`, `gain` (mean difference), `p_value` and `seeds`, without the
    baseline itself. The p-value is NaN where no test can be made: one seed, or the same difference
    in all, up to rounding.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"rule": ["a", "a", "a", "b", "b", "b"], "size": 2, "seed": [0, 1, 2, 0, 1, 2],
    ...      "measure": "accuracy", "value": [0.1, 0.2, 0.3, 0.2, 0.4, 0.6]}
    ... )
    >>> paired(table, ("rule", "size"), "accuracy", "a").round(3)
      rule  size  gain  p_value  seeds
    0    b     2   0.2    0.074      3
    """
    rows = table[table.measure == measure].set_index([*keys, "seed"]).value
    others = [name for name in rows.index.names if name != "rule"]
    base = rows.xs(baseline, level="rule")
    shared = rows.reset_index().join(base.rename("base"), on=others)
    shared = shared[(shared.rule != baseline) & shared.base.notna()]
    cells = []
    for cell, group in shared.groupby(list(keys), sort=False):
        difference = (group.value - group.base).to_numpy()
        rounding = 4 * np.finfo(float).eps * np.abs(group[["value", "base"]]).to_numpy().max()
        testable = len(difference) > 1 and np.ptp(difference) > rounding
        p_value = ttest_1samp(difference, 0.0).pvalue if testable else math.nan
        cells.append((*cell, difference.mean(), p_value, len(difference)))
    return pd.DataFrame(cells, columns=[*keys, "gain", "p_value", "seeds"])


def _columns(module: ModuleType) -> dict[str, str]:
    """The presets of a study and their columns, full size first, those without a name last."""
    known = {preset: name for preset, name in _COLUMNS.items() if preset in module.PRESETS}
    return known | {p: f"ours, {p}" for p in module.PRESETS if p not in known}


def stored(study: str, results: Path) -> dict[str, pd.DataFrame]:
    """Return our stored tables by the name of their column, full size first; {} if there is none.

    Raises `ResultError` if a stored file is damaged.
    """
    columns = _columns(load(study))
    records = {name: _record.read(results, study, preset) for preset, name in columns.items()}
    return {name: record.table for name, record in records.items() if record is not None}


def report(study: str, results: Path) -> str:
    """Return what `sharp show` prints."""
    module = load(study)
    ours, notes = {}, []
    for preset, column in _columns(module).items():
        record = _record.read(results, study, preset)
        if record is None:
            notes.append(f"{column}: not run yet (sharp run {study} --preset {preset})")
            continue
        ours[column] = record.table
        made = record.provenance
        notes.append(
            f"{column}: {len(made['seeds'])} seeds on {made['identity']['device']}, "
            f"sharplib {made['identity']['sharplib']}, {made['work_s']:.0f} s of work in "
            f"{made['jobs']} process(es), {made['date']}"
        )
    if hasattr(module, "report"):
        return "\n".join([f"{study}: {module.HEADLINE}", module.report(ours), "", *notes])
    published = module.published()
    table = compare(published, ours, module.KEYS, module.HEADLINE)
    if ours and module.BASELINE:
        name, first = next(iter(ours.items()))
        table = _with_tests(table, published, first, module)
        notes.append(
            f"p: paired t-test over seeds against {module.BASELINE}; ours of the column {name!r}"
        )
    lines = [f"{study}: {module.HEADLINE}, mean over seeds ± its standard error"]
    for rule, block in table.groupby(level=0, sort=False):
        lines += ["", str(rule), block.droplevel(0).to_string()]
    return "\n".join([*lines, "", *notes])


def _with_tests(
    table: pd.DataFrame, published: pd.DataFrame, ours: pd.DataFrame, module: ModuleType
) -> pd.DataFrame:
    """The table with the p-values of a rule against the baseline, the paper's and ours."""
    keys = list(module.KEYS)
    known = published[published.measure == "p_value"].set_index(keys).value
    tested = paired(ours, module.KEYS, module.HEADLINE, module.BASELINE).set_index(keys).p_value
    columns = {"p, published": known, "p, ours": tested}
    return table.assign(
        **{
            name: column.map(lambda p: "" if math.isnan(p) else f"{p:.1g}").reindex(
                table.index, fill_value=""
            )
            for name, column in columns.items()
        }
    )
