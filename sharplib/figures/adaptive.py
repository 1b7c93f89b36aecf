"""Figures of adaptive temperature: the best temperature of a row, the curve, and what it buys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from sharplib import softmax
from sharplib.figures import style
from sharplib.figures.max_retrieval import COLORS
from sharplib.mappings import PUBLISHED_COEFFICIENTS


def _effective_support(ax: Axes) -> None:
    """A second axis above one of entropies in nats, in items."""
    counts = [1, 3, 10, 30, 100, 382, 1000, 2900]
    upper = ax.secondary_xaxis("top")
    upper.set_xticks(np.log(counts), [f"{c:,}" for c in counts])
    upper.set_xlabel("effective support, items")


def weight_against_cooling(
    scores: ArrayLike, items: Mapping[str, int], coldest: float = 100.0
) -> Figure:
    """Weight of some items of a row against inverse temperature; a dot where it is largest.

    `scores` (n,); `items` gives the index of each item by its name.
    """
    beta = np.geomspace(0.01, coldest, 400)
    weights = softmax(beta[:, None] * np.asarray(scores, dtype=float))
    figure, ax = style.subplots(figsize=(7.5, 3.6))
    for color, (name, item) in zip(style.PALETTE, items.items(), strict=False):
        weight = weights[:, item]
        best = len(beta) - 1 - weight[::-1].argmax()  # the last of equals: weights round to 1
        ax.semilogx(beta, weight, color=color)
        if best < len(beta) - 1:
            ax.plot(beta[best], weight[best], "o", color=color, ms=7)
        where = {"xytext": (-6, 12 if weight[best] > 0.5 else -12), "ha": "right"}
        style.label_line(ax, beta[best], weight[best], name, color, **where)
    ax.axvline(1, color=style.MUTED, lw=1, ls=":")
    ax.text(0.95, 0.9, "plain softmax, β = 1", color=style.MUTED, size=9, ha="right")
    ax.set(xlabel="inverse temperature β (colder →)", ylabel="weight", ylim=(-0.02, 1.1))
    return style.finish(figure)


def two_readings(coefficients: Sequence[float] = PUBLISHED_COEFFICIENTS) -> Figure:
    """The inverse temperature against entropy: powers falling, as published, and rising."""
    h = np.linspace(0, 8, 1601)
    figure, ax = style.subplots(figsize=(7.5, 3.6))
    readings = {"as published": coefficients, "read backwards": coefficients[::-1]}
    for color, (name, powers) in zip(style.PALETTE, readings.items(), strict=False):
        beta = np.where(h > 0.5, np.maximum(np.polyval(powers, h), 1), 1)
        ax.plot(h, beta, color=color)
        ax.fill_between(h, 1, beta, color=color, alpha=0.12)
        top = beta.argmax()
        style.label_line(ax, h[top], beta[top], name, color, xytext=(0, 9), ha="center")
    style.label_line(ax, 6.6, 1.0, "β = 1: no correction", style.MUTED, xytext=(0, 9))
    ax.set(
        xlabel="entropy H of the plain row (nats)",
        ylabel="inverse temperature β",
        xlim=(0, 8),
        ylim=(0.8, 3.7),
    )
    _effective_support(ax)
    return style.finish(figure)


def fits(
    clouds: Mapping[str, tuple[ArrayLike, ArrayLike]],
    polynomials: Mapping[str, Sequence[float]],
    published: Sequence[float] = PUBLISHED_COEFFICIENTS,
) -> Figure:
    """One panel per head: a dot per lost row, the curve fitted to them, and the published one.

    `clouds` gives for each head entropies and best temperatures of rows, both (rows,);
    `polynomials` the coefficients fitted to them, highest power first. Curves are drawn as
    temperatures, 1 / max(P(H), 1), and the fitted one only where there are rows.
    """
    figure, axes = style.subplots(
        1, len(clouds), figsize=(9, 3.8), sharex=True, sharey=True, squeeze=False
    )
    for ax, (name, (entropy, temperature)) in zip(axes[0], clouds.items(), strict=True):
        h = np.asarray(entropy, dtype=float)
        shown = np.minimum(np.asarray(temperature, dtype=float), 1)
        ax.plot(h, shown, ".", color=style.MUTED, alpha=0.35, ms=4, rasterized=True)
        curves = {
            "published": (published, np.linspace(0, 6.5, 400), style.PALETTE[1]),
            "fitted here": (polynomials[name], np.linspace(h.min(), h.max(), 400), style.INK),
        }
        for label, (powers, at, color) in curves.items():
            ax.plot(at, 1 / np.maximum(np.polyval(powers, at), 1), color=color, label=label)
        ax.set(title=name, xlabel="entropy H of the plain row (nats)", ylim=(0, 1.05))
    axes[0, 0].set_ylabel("best temperature, at most 1")
    _, known, fitted = axes[0, 0].lines
    style.label_line(
        axes[0, 0], 5.8, 0.85, "published", known.get_color(), xytext=(-6, 0), ha="right"
    )
    style.label_line(axes[0, 0], *fitted.get_xydata()[-1], "fitted here", fitted.get_color())
    return style.finish(figure)


def trainings(
    tables: Mapping[str, pd.DataFrame],
    rules: Sequence[str] = ("softmax", "adaptive", "entropy-matched"),
    classes: int = 10,
) -> Figure:
    """One panel per training: accuracy of its heads under each rule, below what ranking allows.

    Each table is that of the study of max retrieval: columns size, rule, measure and value.
    """
    figure, axes = style.subplots(
        1, len(tables), figsize=(9, 3.8), sharex=True, sharey=True, squeeze=False
    )
    for ax, (name, table) in zip(axes[0], tables.items(), strict=True):
        mean = table.groupby(["measure", "rule", "size"]).value.mean()
        ranking = mean["ranking", "logits"]
        ax.fill_between(ranking.index, ranking, 1, color=style.FAINT, alpha=0.6, lw=0)
        for rule in rules:
            accuracy = mean["accuracy", rule]
            ax.plot(accuracy.index, accuracy, "o-", color=COLORS[rule], ms=4, label=rule)
        ax.axhline(1 / classes, color=style.MUTED, lw=1, ls=":")
        ax.set_xscale("log", base=2)
        ticks = list(ranking.index)[:: max(1, len(ranking) // 4)]
        ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
        ax.minorticks_off()
        ax.set(title=name, xlabel="items in a set, n", ylim=(0, 1.02))
    axes[0, 0].set_ylabel("accuracy")
    last = mean["accuracy"].unstack("rule").iloc[-1]
    ends = [(ranking.index[-1], last[rule], rule, COLORS[rule]) for rule in rules]
    style.label_ends(axes[0, -1], ends, apart=0.07)
    return style.finish(figure)


def one_curve(table: pd.DataFrame, cooling: Mapping[str, pd.Series], classes: int = 10) -> Figure:
    """Accuracy under each rule against n, and against n divided by the rule's inverse temperature.

    `table` is that of the study of max retrieval; `cooling` gives for each rule the inverse
    temperature at each size. A rule that only moves the curve of softmax lies on it at the right.
    """
    figure, axes = style.subplots(1, 2, figsize=(9, 3.8), sharex=True, sharey=True)
    mean = table[table.measure == "accuracy"].groupby(["rule", "size"]).value.mean()
    for rule, beta in cooling.items():
        accuracy = mean[rule]
        for ax, n in zip(
            axes, (accuracy.index, accuracy.index / beta[accuracy.index]), strict=True
        ):
            ax.plot(n, accuracy, "o-", color=COLORS[rule], ms=4, lw=1.4, label=rule)
    for ax in axes:
        ax.axhline(1 / classes, color=style.MUTED, lw=1, ls=":")
        ax.set_xscale("log", base=2)
        ticks = list(mean.index.unique("size"))[::3]
        ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
        ax.minorticks_off()
        ax.set(ylim=(0, 1.02))
    axes[0].set(title="As they are", xlabel="items in a set, n", ylabel="accuracy")
    axes[1].set(title="Moved", xlabel="n / β")
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 0.14))
    return style.finish(figure)
