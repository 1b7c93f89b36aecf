"""Figures of sharp arithmetic: errors out of range, straight pieces, slack, late arrival."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sharplib.figures import style
from sharplib.studies import single_module
from sharplib.theory import extrapolation as theory

#: Where an error of exactly 0 is drawn on a logarithmic axis.
FLOOR = 1e-9


def errors(table: pd.DataFrame) -> Figure:
    """Relative error against magnitude: the median of the seeds, and all of them as a band.

    `table` has the rows of one operation of the study `out-of-range`. Errors below `FLOOR` are
    drawn there.
    """
    figure, ax = style.subplots(figsize=(7.5, 4))
    found = table[table.measure == "error"].pivot_table(
        "value", "magnitude", "model", aggfunc=["min", "median", "max"], sort=False
    )
    ends = []
    for (model, middle), color in zip(found["median"].items(), style.PALETTE, strict=False):
        low, high = (np.maximum(found[end][model], FLOOR) for end in ("min", "max"))
        ax.fill_between(found.index, low, high, color=color, alpha=0.15, lw=0)
        shown = np.maximum(middle, FLOOR)
        ax.loglog(found.index, shown, color=color)
        exact = "" if middle.iloc[-1] else ": exactly 0"
        ends.append((shown.iloc[-1], model + exact, color))
    height = 0.0
    for value, text, color in sorted(ends):
        height = max(value, 4 * height)  # names on a logarithmic axis, one above the other
        style.label_line(ax, found.index[-1], height, text, color)
    ax.set(
        xlabel="magnitude of the test (training: 1)", ylabel="relative error", ylim=(FLOOR / 2, 9)
    )
    ax.margins(x=0.02)
    return style.finish(figure)


def straight(diagonal: pd.DataFrame, kinks: np.ndarray, trained: tuple[float, float]) -> Figure:
    """What networks answer along the diagonal, a column each with t as index; the product dashed.

    `kinks` are those of the ReLU network; `trained` are the ends of the range that was seen.
    """
    figure, (left, right) = style.subplots(1, 2, figsize=(8.4, 3.8))
    near = diagonal.loc[: 1.5 * trained[1]]
    for ax, rows in ((left, near), (right, diagonal)):
        ax.axvspan(*trained, color=style.FAINT, alpha=0.6, lw=0)
        ax.plot(rows.index, rows.index.to_numpy() ** 2, color=style.INK, ls="--", lw=1.5)
        for (name, column), color in zip(rows.items(), style.PALETTE, strict=False):
            ax.plot(rows.index, column, color=color)
            if ax is right:
                style.label_line(ax, rows.index[-1], column.iloc[-1], name, color)
        inside = kinks[(kinks > rows.index[0]) & (kinks < rows.index[-1])]
        ax.plot(inside, 0 * inside, "|", color=style.PALETTE[0], ms=14, clip_on=False)
        ax.set(xlabel="t, for both inputs", xlim=(rows.index[0], rows.index[-1]), ylim=(0, None))
    end = diagonal.index[-1]
    style.label_line(right, end, end**2, "t²", style.INK)
    left.set(ylabel="answer")
    return style.finish(figure)


def slack(measured: Mapping[str, pd.Series]) -> Figure:
    """Relative error against size: items of a lookup, or the input that a product should ignore.

    Each series has the size as index. Behind it runs the line of `theory.slack` through its end.
    """
    figure, ax = style.subplots(figsize=(7.5, 4.4))
    ax.axvspan(1, 16, color=style.FAINT, alpha=0.6, lw=0)
    x = np.geomspace(1.2, 2e5)
    for (name, series), color in zip(measured.items(), style.PALETTE, strict=False):
        line = theory.relative_error(x, series.iloc[-1] / (series.index[-1] - 1))
        ax.loglog(x, line, color=color, lw=1)
        ax.loglog(series.index, series, "o", color=color, ms=5, mfc="white", mew=1.5)
        style.label_line(ax, x[-1], line[-1], name, color)
    ax.set(xlabel="size of the test", ylabel="relative error", xlim=(1.2, 2e5), ylim=(1e-9, 1e3))
    return style.finish(figure)


def arrival(paths: pd.DataFrame, bound: pd.Series) -> Figure:
    """A weight that should become 0 against steps, a column for each way of getting there.

    `bound` is dotted. Weights below `FLOOR` are drawn there: exactly 0 is not on the axis.
    """
    figure, ax = style.subplots(figsize=(7.5, 3.8))
    for (name, path), color in zip(paths.items(), style.PALETTE, strict=False):
        arrived = path.index[path.to_numpy() == 0]
        end = arrived[0] if len(arrived) else path.index[-1]
        shown = path.loc[:end].clip(lower=FLOOR)
        ax.loglog(shown.index, shown, color=color)
        if len(arrived):
            ax.plot(end, FLOOR, "o", color=color, ms=6, clip_on=False)
        text, above = (f"{name}: 0", 10) if len(arrived) else (name, 0)
        style.label_line(ax, end, shown.iloc[-1], text, color, xytext=(6, above))
    ax.loglog(bound.index, bound, color=style.INK, ls=":", lw=1.2)
    ax.set(xlabel="steps", ylabel="weight that should be 0", ylim=(FLOOR, 1))
    ax.margins(x=0)
    return style.finish(figure)


def success(table: pd.DataFrame) -> Figure:
    """Share of models that are right outside their range: unit by range, a panel per operation.

    `table` is one of `single_module.summary`.
    """
    names = {"add": "+", "sub": "−", "mul": "×", "div": "÷"}
    shares = {
        operation: part.pivot_table("value", "unit", "train", sort=False)[
            [numbers.name for numbers in single_module.RANGES]
        ]
        for operation, part in table[table.measure == "success"].groupby("operation", sort=False)
    }
    rows = [len(share) for share in shares.values()]
    figure, axes = style.subplots(
        len(shares),
        1,
        figsize=(7.5, 0.29 * sum(rows) + 0.5 * len(rows) + 0.4),
        height_ratios=rows,
        squeeze=False,
    )
    for ax, (operation, share) in zip(axes[:, 0], shares.items(), strict=True):
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
        for (row, column), value in np.ndenumerate(share.to_numpy()):
            color = "white" if value > 0.7 else style.INK
            text = f"{100 * value:.0f}"
            ax.text(column, row, text, ha="center", va="center", color=color, fontsize=9)
        ax.set_yticks(range(len(share)), share.index)
        ax.set_xticks([])
        ax.set_title(names[operation], fontsize=13)
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    axes[-1, 0].set_xticks(range(share.shape[1]), share.columns, fontsize=7.5)
    axes[-1, 0].set_xlabel("training range")
    return style.finish(figure)
