"""Figures of the dial: how many are kept, what happens at ties, in a crowd, and on labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sharplib import rsoftmax, tsoftmax
from sharplib.figures import style
from sharplib.theory import dial as theory


def kept(counts: pd.DataFrame) -> Figure:
    """Items with any weight against the temperature: a column for each map."""
    figure, ax = style.subplots(figsize=(7.5, 3.4))
    ends = []
    for color, (name, column) in zip(style.PALETTE, counts.items(), strict=False):
        ax.step(column.index, column, where="mid", color=color)
        ends.append((column.index[-1], column.iloc[-1], name, color))
    ax.set(xscale="log", xlabel="temperature", ylabel="items with any weight")
    ax.set(xlim=(counts.index[0], counts.index[-1]), ylim=(0, counts.to_numpy().max() + 0.6))
    style.label_ends(ax, ends, apart=0.75)
    return style.finish(figure)


def crossing(rows: Mapping[str, np.ndarray], steps: np.ndarray, rate: float, t: float) -> Figure:
    """Weights along rows that lead through a tie: r-softmax above, t-softmax below.

    `rows` holds, by title, one row of scores for each of `steps`.
    """
    figure, axes = style.subplots(2, len(rows), figsize=(7.5, 4.4), sharex=True, sharey=True)
    for column, (title, x) in zip(axes.T, rows.items(), strict=True):
        maps = {"r-softmax": rsoftmax(x, rate), "t-softmax": tsoftmax(x, t)}
        for ax, (name, p) in zip(column, maps.items(), strict=True):
            for i, color in zip(range(x.shape[1]), style.PALETTE, strict=False):
                weight = p[:, i].copy()
                weight[1:][np.abs(np.diff(weight)) > 0.1] = np.nan  # a jump is not a line
                ax.plot(steps, weight, color=color, label=f"item {i + 1}")
            ax.set_title(f"{name}: {title}")
    figure.supylabel("weight", fontsize=10.5, color=style.INK)
    for ax in axes[-1]:
        ax.set(xlabel="score of item 1", ylim=(-0.04, 1.04))
    axes[0, -1].legend(loc="center left", fontsize=9)
    return style.finish(figure)


def crowd(tops: pd.DataFrame, sharpness: float, rates: Mapping[str, float]) -> Figure:
    """Top weight against n without a lead; dotted, what `theory.dial.crowd_weight` says.

    `tops` has a column for each rule and the sizes as index; `rates` names those with a rate.
    """
    figure, ax = style.subplots(figsize=(7.5, 4))
    for color, (name, column) in zip(style.PALETTE, tops.items(), strict=False):
        ax.loglog(column.index, column, color=color)
        if name in rates:
            law = theory.crowd_weight(column.index.to_numpy(), sharpness, rates[name])
            ax.loglog(column.index, law, color=style.INK, lw=1, ls=":")
        below = {"xytext": (6, -7)} if name == "softmax" else {}  # its neighbour is close
        style.label_line(ax, column.index[-1], column.iloc[-1], name, color, **below)
    ax.set(xlabel="number of items n", ylabel="top weight", ylim=(None, 1.3))
    return style.finish(figure)


def gains(found: pd.DataFrame) -> Figure:
    """Differences of F1, in points, with their intervals: a panel for each cell of the sweep."""
    cells = list(dict.fromkeys(zip(found.classes, found.labels, strict=True)))
    rules = list(dict.fromkeys(found.rule))
    size = (7.5, 0.9 + 0.3 * len(rules))
    figure, axes = style.subplots(1, len(cells), figsize=size, sharey=True, squeeze=False)
    height = np.arange(len(rules))[::-1]
    for ax, (classes, labels) in zip(axes[0], cells, strict=True):
        block = found[(found.classes == classes) & (found.labels == labels)].set_index("rule")
        block = 100 * block.loc[rules, ["gain", "low", "high"]]
        ax.axvline(0, color=style.MUTED, lw=1)
        for y, rule in zip(height, rules, strict=True):
            color = style.PALETTE[1] if rule == "r-softmax" else style.PALETTE[0]
            ax.plot(block.loc[rule, ["low", "high"]], [y, y], color=color)
            ax.plot(block.gain[rule], y, "o", color=color, ms=5)
        ax.set_title(f"{classes} classes,\n{labels:g} labels", fontsize=9.5)
        ax.tick_params(labelsize=9)
        ax.grid(axis="y", visible=False)
    axes[0, 0].set_yticks(height, rules)
    figure.supxlabel("points of F1 above softmax with a threshold", fontsize=10.5)
    return style.finish(figure)
