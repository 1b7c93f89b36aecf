"""A study's figures side by side: published, ours at full size, ours at quick size."""

from pathlib import Path

import pandas as pd

from sharplib.studies import _record, load

__all__ = ["compare", "report", "stored"]

_COLUMNS = {"paper": "ours, full size", "recipe": "ours, recipe", "quick": "ours, quick"}


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


def stored(study: str, results: Path) -> dict[str, pd.DataFrame]:
    """Return our stored tables by the name of their column, full size first; {} if there is none.

    Raises `ResultError` if a stored file is damaged.
    """
    records = {name: _record.read(results, study, preset) for preset, name in _COLUMNS.items()}
    return {name: record.table for name, record in records.items() if record is not None}


def report(study: str, results: Path) -> str:
    """Return what `sharp show` prints."""
    module = load(study)
    lines = [f"{study}: {module.HEADLINE}, mean over seeds ± its standard error"]
    ours, notes = {}, []
    for preset, column in _COLUMNS.items():
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
    table = compare(module.published(), ours, module.KEYS, module.HEADLINE)
    for rule, block in table.groupby(level=0, sort=False):
        lines += ["", str(rule), block.droplevel(0).to_string(index_names=False)]
    return "\n".join([*lines, "", *notes])
