"""Figures of ranking noise: what a temperature can do about it, and what none can."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sharplib.figures import style
from sharplib.theory import ranking as theory

_TITLES = {"class": "Head starts of classes", "item": "Noise of single items"}
_PREDICTED: dict[str, Callable[..., float]] = {
    "class": theory.accuracy_with_head_starts,
    "item": theory.accuracy_with_item_noise,
}


def accuracy_against_temperature(
    table: pd.DataFrame, size: int = 16384, classes: int = 10
) -> Figure:
    """Accuracy at one size: measured (dots), predicted (lines), and the best temperature (stars).

    `table` is that of the study of ranking noise. One panel for each kind of noise, one colour for
    each size of it. Lengths are in units of the mean gap between the two largest items; the hard
    maximum stands at the left.
    """
    rows = table[(table["size"] == size) & (table.measure == "accuracy")]
    coldest = rows.temperature[rows.temperature > 0].min() * size
    figure, axes = style.subplots(1, 2, figsize=(9, 3.9), sharey=True)
    for ax, kind in zip(axes, _TITLES, strict=True):
        of_kind = rows[rows.noise_kind.isin([kind, "none"])]
        for color, (noise, cell) in zip(style.PALETTE, of_kind.groupby("noise"), strict=False):
            measured = cell.groupby("temperature").value.mean()
            _curve(ax, kind, measured, size, float(noise), classes, color)
        ax.set_xscale("log", base=2)
        ax.set_xlim(coldest / 3, None)
        # 0 has no place on a logarithmic axis, and gets one
        for line in ax.lines:
            at = np.asarray(line.get_xdata(), dtype=float)
            line.set_xdata(np.where(at > 0, at, coldest / 2))
        ax.set_xticks([coldest / 2, 0.25, 1, 4, 16, 64], ["0", "¼", "1", "4", "16", "64"])
        ax.minorticks_off()
        ax.set(title=_TITLES[kind], xlabel="temperature, in gaps", ylim=(0, 1.03))
    axes[0].set_ylabel("accuracy")
    # Named where the hard maximum stands, at the left, above the lines.
    for line in [line for line in axes[0].lines if line.get_marker() == "o"]:
        x, y = line.get_xydata()[0]
        text, color = line.get_label(), line.get_color()
        above = 7 if y > 0.15 else -9  # the lowest line has room below it only
        style.label_line(axes[0], x, y, text, color, xytext=(12, above), size=9)
    note = {"transform": axes[1].transAxes, "ha": "right", "va": "top", "size": 9}
    axes[1].text(0.98, 0.97, "★ best temperature, predicted\nnoise is given in gaps", **note)
    return style.finish(figure)


def _curve(
    ax: Axes, kind: str, measured: pd.Series, size: int, noise: float, classes: int, color: str
) -> None:
    """One size of noise: accuracy by temperature in units of priority, drawn in gaps."""

    def predicted(temperature: float) -> float:
        return _PREDICTED[kind](size, temperature, noise, classes)

    temperatures = measured.index.to_numpy()
    # colder rules do what the hard maximum does, and their prediction takes long
    shown = temperatures[(temperatures == 0) | (temperatures >= noise / 8)]
    ax.plot(shown * size, [predicted(t) for t in shown], color=color, lw=1.6)
    label = f"noise {noise * size:g}" if noise else "no noise"
    ax.plot(temperatures * size, measured, "o", color=color, ms=4, label=label)
    best = theory.best_temperature(size, noise, classes) if kind == "item" else 0.0
    star = {"mec": style.INK, "mew": 0.7, "ms": 13, "zorder": 4}
    ax.plot([best * size], [predicted(best)], "*", color=color, **star)


def ranking_against_size(table: pd.DataFrame, classes: int = 10) -> Figure:
    """How often the top logit is the largest item, against n: measured (dots) and predicted.

    `table` is that of the study of ranking noise; head starts only, one colour for each size.
    """
    rows = table[(table.measure == "ranking") & (table.noise_kind == "class")]
    sizes = np.unique(rows["size"])
    n = np.geomspace(sizes[0], sizes[-1], 100)
    dots: list[Line2D] = []
    figure, ax = style.subplots(figsize=(7.5, 3.8))
    for color, (noise, cell) in zip(style.PALETTE, rows.groupby("noise"), strict=False):
        measured = cell.groupby("size").value.mean()
        ax.plot(n, theory.ranking_over_heads(n, float(noise), classes), color=color, lw=1.6)
        label = f"head starts 1/{1 / float(noise):,.0f}"
        dots += ax.plot(measured.index, measured, "o", color=color, ms=5, label=label)
    ax.axhline(1 / classes, color=style.MUTED, lw=1, ls=":")
    ax.text(sizes[0], 1 / classes + 0.02, "one favourite class", color=style.MUTED, size=9)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel="items in a set, n", ylabel="top logit is the largest", ylim=(0, 1.03))
    ends = [(*line.get_xydata()[-1], line.get_label(), line.get_color()) for line in dots]
    style.label_ends(ax, ends, apart=0.06)
    return style.finish(figure)
