"""Figures of the price of smoothness: loss against slope, the least price, a random threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import sharplib
from sharplib.figures import style
from sharplib.theory import smoothness as theory

NAMES = {"softmax": "softmax", "sparsemax": "sparsemax", "plsoftmax": "PLSoftMax"}
COLORS = dict(zip(NAMES, style.PALETTE, strict=False))


def softmax_only(sizes: Sequence[int], temperatures: Sequence[float]) -> Figure:
    """What softmax can lose against how fast it moves: one line for each size, by temperature."""
    figure, ax = style.subplots(figsize=(7.5, 3.8))
    heat = np.geomspace(min(temperatures) / 1.6, max(temperatures) * 1.6, 50)
    for color, n in zip(style.PALETTE, sizes, strict=False):
        ax.loglog(theory.softmax_loss(n, heat), 1 / (2 * heat), color=color)
        for theta in temperatures:
            at = float(theory.softmax_loss(n, theta)), 1 / (2 * theta)
            ax.plot(*at, "o", color=color, ms=6)
            label = f"θ = {theta:g}"
            style.label_line(ax, *at, label, color, xytext=(-7, -9), ha="right", fontsize=9)
        end = float(theory.softmax_loss(n, heat[0])), 1 / (2 * heat[0])
        style.label_line(ax, *end, f"{n:,} items", color, xytext=(4, 8), fontweight="bold")
    ax.set(xlabel="most that is lost, in points of score", ylabel="weight moved per point")
    _plain_ticks(ax, "x", [0.5, 1, 2, 5, 10])
    _plain_ticks(ax, "y", [0.25, 0.5, 1, 2])
    return style.finish(figure)


def privacy_price(sizes: Sequence[int]) -> Figure:
    """Expected loss times privacy constant: softmax, and the least that any map can have."""
    n = np.asarray(sizes, dtype=float)
    figure, ax = style.subplots(figsize=(7.5, 3.4))
    own, least = theory.softmax_privacy_price(n), theory.least_privacy_price(n)
    ax.fill_between(n, 0, least, color=style.FAINT, lw=0)
    ax.plot(n, own, color=COLORS["softmax"])
    ax.plot(n, least, color=style.MUTED)
    style.label_line(ax, n[-1], own[-1], "softmax", COLORS["softmax"], xytext=(6, 5))
    style.label_line(ax, n[-1], least[-1], "least for any map", style.MUTED, xytext=(6, -7))
    ax.annotate("no map is here", (n[-1] ** 0.72, least[-1] * 0.3), ha="center", color=style.MUTED)
    ax.set(
        xscale="log",
        xlabel="number of items n",
        ylabel="loss × privacy constant",
        xlim=(n[0], n[-1]),
        ylim=(0, None),
    )
    return style.finish(figure)


def threshold(scores: Sequence[float], delta: float) -> Figure:
    """Every threshold within delta of the top, and who shares its probability."""
    x = np.asarray(scores, dtype=float)
    order = np.argsort(-x)
    depths = x.max() - x[order]
    inside = int((depths < delta).sum())
    edges = np.r_[depths[:inside], delta]
    p = sharplib.plsoftmax(x, delta)
    figure, ax = style.subplots(figsize=(7.5, 3.2))
    ax.fill_between([0, delta], -0.5, len(x) - 0.5, color="#f3f5f8", lw=0)
    for place, item in enumerate(order):
        for band in range(place, inside):
            left, width = edges[band], edges[band + 1] - edges[band]
            ax.barh(
                place, width, 0.62, left=left, color=style.PALETTE[0], alpha=1 / (band + 1), lw=0
            )
            ax.annotate(
                f"1/{band + 1}" if band else "all",
                (left + width / 2, place),
                ha="center",
                va="center",
                color="white" if band == 0 else style.INK,
            )
        weight = f"item {item + 1}: {p[item]:.2f}" if p[item] else f"item {item + 1}: 0"
        color = style.PALETTE[0] if p[item] else style.MUTED
        ax.annotate(
            weight,
            (delta, place),
            (8, 0),
            textcoords="offset points",
            va="center",
            color=color,
            annotation_clip=False,
        )
        if p[item]:
            ax.plot(depths[place], place - 0.42, "v", color=style.INK, ms=6, clip_on=False)
    ax.set(
        xlabel="how far the threshold lies below the top",
        xlim=(0, max(delta, depths[inside - 1] if inside else 0)),
        ylim=(len(x) - 0.5, -0.75),
    )
    ax.set_yticks(range(len(x)), [f"score {x[i]:g}" for i in order])
    ax.grid(axis="y", visible=False)
    return style.finish(figure)


def norms(sizes: Sequence[int]) -> Figure:
    """Loss times slope against n in each pair of norms."""
    prices = [theory.slopes(n) for n in sizes]
    titles = {
        (1.0, 1.0): "one score moves (ℓ₁ → ℓ₁)",
        (2.0, 2.0): "a little of each (ℓ₂ → ℓ₂)",
        (np.inf, 1.0): "all scores move (max → ℓ₁)",
    }
    figure, axes = style.subplots(1, 3, figsize=(9.5, 3.5))
    styles = {"sparsemax": (0, (4, 2)), "softmax": "-", "plsoftmax": "-"}
    for ax, pair in zip(axes, titles, strict=True):
        block = pd.DataFrame([price[pair] for price in prices], index=list(sizes))
        ax.fill_between(block.index, 0, block["any map"], color=style.FAINT, lw=0)
        for name, color in COLORS.items():
            ax.plot(block.index, block[name], color=color, ls=styles[name], label=NAMES[name])
        top = 2.6 if pair != (np.inf, 1.0) else 12
        ax.set(
            title=titles[pair],
            xscale="log",
            xlabel="number of items n",
            ylim=(0, top),
            xlim=(block.index[0], block.index[-1]),
        )
    axes[0].set(ylabel="loss × slope")
    axes[0].annotate(
        "closed to maps\nwith a worst case", (22, 0.06), ha="center", color=style.MUTED
    )
    axes[1].legend(loc="upper left")
    return style.finish(figure)


def plane(measured: pd.DataFrame, n: int) -> Figure:
    """Measured expected loss and slope of maps, over lines of equal price.

    `measured` has a row for each map and the columns "loss" and "slope".
    """
    figure, ax = style.subplots(figsize=(7.5, 4.6))
    left, right = measured.loss.min() / 1.5, measured.loss.max() * 2.2
    low, high = measured.slope.min() / 1.7, measured.slope.max() * 1.7
    across = np.array([left, right])
    for price in (0.25, 0.5, 1.0, 2.0):
        ax.loglog(across, price / across, color=style.FAINT, lw=1.2, zorder=0)
        end = 0.9 * min(right, price / low)
        ax.annotate(f"price {price:g}", (end, price / end), color=style.MUTED, fontsize=9)
    for name, row in measured.iterrows():
        sparse = sharplib.CATALOGUE[name].properties.sparse
        color = style.PALETTE[1 if sparse else 0]
        ax.plot(row.loss, row.slope, "s" if sparse else "o", color=color, ms=7)
        ratio = measured.drop(index=name) / row
        crowded = (ratio.loss.between(1, 1.3) & ratio.slope.between(0.9, 1.1)).any()
        where = {"xytext": (-8, -2), "ha": "right"} if crowded else {"xytext": (7, 4)}
        style.label_line(ax, row.loss, row.slope, name, color, fontsize=9, **where)
    ax.set(
        xlabel=f"most that is lost on average, {n} items",
        ylabel="weight moved per point of one score",
        xlim=(left, right),
        ylim=(low, high),
    )
    _plain_ticks(ax, "x", [0.1, 0.2, 0.5, 1, 2])
    _plain_ticks(ax, "y", [0.25, 0.5, 1, 2])
    return style.finish(figure)


def private(table: pd.DataFrame, data: str) -> Figure:
    """Covered share against the budget for both kinds of neighbours, with 95 % intervals."""
    figure, axes = style.subplots(1, 2, figsize=(9.5, 3.8), sharey=True)
    looks = {
        "power": (style.PALETTE[1], "-"),
        "exp, told the top": (style.PALETTE[0], (0, (4, 2))),
        "exp": (style.PALETTE[0], "-"),
        "power, floor 10": (style.PALETTE[1], "-"),
        "power, floor 1": (style.PALETTE[1], (0, (4, 2))),
    }
    of_data = table[table.data == data]
    for ax, (kind, block) in zip(axes, of_data.groupby("neighbours", sort=False), strict=True):
        for rule, rows in block.groupby("rule", sort=False):
            seeds = 100 * rows.pivot_table("value", "budget", "seed")
            color, line = looks[rule]
            mean, half = seeds.mean(axis=1), _half(seeds)
            ax.fill_between(mean.index, mean - half, mean + half, color=color, alpha=0.15, lw=0)
            ax.plot(mean.index, mean, color=color, ls=line, marker="o", ms=4, label=rule)
        ax.set(title=f"neighbours differ {kind}", xlabel="privacy budget ε (nats)")
        ax.set_xscale("log", base=2)
        _plain_ticks(ax, "x", [0.25, 1, 4, 16, 64])
        ax.legend(loc="upper left", fontsize=9)
    axes[0].set(ylabel="% of what greedy covers", ylim=(35, 104))
    return style.finish(figure)


def _half(seeds: pd.DataFrame) -> pd.Series:
    """Half the width of a 95 % interval of the mean of each row."""
    return seeds.sem(axis=1) * scipy.stats.t.ppf(0.975, max(seeds.shape[1] - 1, 1))


def _plain_ticks(ax, axis: str, values: Sequence[float]) -> None:
    side = ax.xaxis if axis == "x" else ax.yaxis
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    shown = [v for v in values if low <= v <= high]
    side.set_ticks(shown, [f"{v:g}" for v in shown])
    side.set_minor_formatter(NullFormatter())
