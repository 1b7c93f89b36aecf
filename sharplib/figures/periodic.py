"""Figures of periodic maps: one score on its way, ceilings, sharpness and slope, trained layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import t

from sharplib.figures import style
from sharplib.theory import periodic as theory

#: Names on the page, in the order of their colours; those of the study are the same.
NAMES = {
    "softmax": "softmax",
    "sin_softmax": "sin-softmax",
    "shifted_sin2_max": "shifted sin²-max",
    "siren_max": "siren-max",
    "cos_max": "cos-max",
    "sin_max": "1 + sin 10x",
    "sin2_max": "sin²-max",
}
COLORS = dict(zip(NAMES.values(), [*style.PALETTE, style.INK], strict=True))


def color(rule: str) -> str:
    """The colour of the map in a rule of the study, such as "norm siren-max, undivided"."""
    return COLORS[rule.removeprefix("norm ").split(",")[0]]


def along(n: int, names: Sequence[str], reach: float = 7.0) -> Figure:
    """One score moves among n - 1 others at 0: its weight, and the slope of it."""
    x = np.linspace(-reach, reach, 1201)
    figure, axes = style.subplots(2, 1, figsize=(7.5, 5.2), sharex=True)
    for name in names:
        g, look = theory.SHARES[name], COLORS[NAMES[name]]
        mine, rest = theory.numbers(g, x), (n - 1) * theory.numbers(g, 0.0)
        slope = theory.numbers(g.diff(theory.x), x) * rest / (mine + rest) ** 2
        axes[0].plot(x, mine / (mine + rest), color=look, label=NAMES[name])
        axes[1].plot(x, slope, color=look)
    axes[0].set(ylabel="weight", ylim=(0, 1.04))
    axes[1].set(
        ylabel="slope of the weight", xlabel="score x of the one item", xlim=(-reach, reach)
    )
    axes[1].axhline(0, color=style.MUTED, lw=1)
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4)
    return style.finish(figure)


def ceilings(measured: Mapping[str, pd.Series], bounds: Mapping[str, pd.Series]) -> Figure:
    """Top weight against n: solid what rows have, dotted what a map can have at most."""
    figure, ax = style.subplots(figsize=(7.5, 3.8))
    for name, line in measured.items():
        ax.loglog(line.index, line, "o-", color=COLORS[name], ms=4)
        apart = {"sin-softmax": 8, "shifted sin²-max": -8}.get(name, 0)  # their lines are one
        end = line.index[-1], line.iloc[-1]
        style.label_line(ax, *end, name, COLORS[name], xytext=(6, apart))
    for name, line in bounds.items():
        ax.loglog(line.index, line, color=COLORS[name], lw=1.2, ls=":")
    ax.set(xlabel="number of items n", ylabel="top weight", ylim=(None, 1.6))
    return style.finish(figure)


def sharpness_and_slope(table: pd.DataFrame) -> Figure:
    """Size of the Jacobian against the top weight, as scores grow; a row per map and scale.

    `table` has the columns name, scale, top and size; a large dot marks the largest scale.
    """
    figure, ax = style.subplots(figsize=(7.5, 4.4))
    for name, path in table.groupby("name", sort=False):
        ax.plot(path["top"], path["size"], "o-", color=COLORS[name], ms=3.5)
        end = path.iloc[-1]
        ax.plot(end["top"], end["size"], "o", color=COLORS[name], ms=8, label=name)
    ax.set(xscale="log", yscale="log", xlabel="top weight", ylabel="size of the Jacobian")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return style.finish(figure)


def accuracies(table: pd.DataFrame, rules: Sequence[str]) -> Figure:
    """Accuracy of each rule, a panel for each depth: means over seeds with 95 % intervals."""
    found = table[table.measure == "accuracy"]
    depths = sorted(found.depth.unique())
    figure, axes = style.subplots(
        1, len(depths), figsize=(7.5, 4.2), sharex=True, sharey=True, squeeze=False
    )
    place = np.arange(len(rules))[::-1]
    for ax, depth in zip(axes[0], depths, strict=True):
        seeds = found[found.depth == depth].groupby("rule").value
        mean, half = 100 * seeds.mean()[rules], 100 * half_width(seeds)[rules]
        colors = [color(rule) for rule in rules]
        ax.axvline(mean["softmax"], color=style.MUTED, lw=1, ls=":")
        ax.hlines(place, mean - half, mean + half, color=colors, lw=2)
        ax.scatter(mean, place, color=colors, zorder=3)
        ax.set_title(f"depth {depth}", loc="left")
        ax.set(xlabel="right, %")
        ax.set_yticks(place, rules)
        ax.grid(axis="y", visible=False)
    return style.finish(figure)


def layers(table: pd.DataFrame, rules: Sequence[str], depth: int) -> Figure:
    """By layer of trained networks: the top weight of a row, and the gradient in its scores."""
    last = table[(table.depth == depth) & (table.layer > 0) & (table.step == table.step.max())]
    figure, axes = style.subplots(1, 2, figsize=(7.5, 3.6))
    for ax, measure in zip(axes, ("top weight", "gradient"), strict=True):
        for rule in rules:
            seeds = last[(last.rule == rule) & (last.measure == measure)].groupby("layer").value
            mean, half = seeds.mean(), half_width(seeds)
            look = "o--" if rule.startswith("norm") else "o-"
            ax.plot(mean.index, mean, look, color=color(rule), ms=4, label=rule)
            low = np.maximum(mean - half, mean / 10)  # an interval may reach below 0
            ax.fill_between(mean.index, low, mean + half, color=color(rule), alpha=0.15, lw=0)
        ax.set(xlabel="layer", ylabel=measure)
        ax.set_xticks(mean.index)
    axes[0].axhline(1 / 16, color=style.MUTED, lw=1, ls=":")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    axes[1].set(yscale="log")
    return style.finish(figure)


def half_width(seeds: pd.api.typing.SeriesGroupBy) -> pd.Series:
    """Half of Student's 95 % interval for the mean of each group."""
    return seeds.sem() * t.ppf(0.975, seeds.count() - 1)
