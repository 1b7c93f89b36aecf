"""Figures of exact zeros: the threshold, what a lead keeps, what a crowd takes, margins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sharplib import entmax, losses, softmax
from sharplib.figures import style
from sharplib.theory import entmax as theory

NAMES = {1.0: "softmax", 1.25: "entmax, α = 1.25", 1.5: "entmax, α = 1.5", 2.0: "sparsemax"}
COLORS = dict(zip(NAMES, style.PALETTE, strict=False))


def _map(alpha: float) -> Callable[[Any], Any]:
    return softmax if alpha == 1 else lambda x: entmax(x, alpha)


def threshold(scores: Sequence[float]) -> Figure:
    """Scores as bars, the threshold of sparsemax as a water line: what stands out is the weight."""
    x = np.asarray(scores, dtype=float)
    p = entmax(x, 2.0)
    tau = (x - p)[p > 0][0]
    floor = min(x.min(), 0) - 0.25
    figure, ax = style.subplots(figsize=(7.5, 3.2))
    place = np.arange(len(x))
    ax.bar(place, np.minimum(x, tau) - floor, bottom=floor, color=style.FAINT, width=0.6)
    ax.bar(place, p, bottom=tau, color=style.PALETTE[0], width=0.6)
    ax.axhline(tau, color=style.MUTED, lw=1.2)
    style.label_line(ax, len(x) - 0.65, tau, f"τ = {tau:.2f}", style.MUTED, xytext=(0, 8))
    for i, weight in enumerate(p):
        ax.annotate(
            f"{weight:.2f}" if weight else "0",
            (i, max(x[i], tau if weight else x[i])),
            (0, 4),
            textcoords="offset points",
            ha="center",
            color=style.PALETTE[0] if weight else style.MUTED,
        )
    ax.set(ylabel="score", ylim=(floor, x.max() + 0.25), xlim=(-0.6, len(x) - 0.1))
    ax.set_xticks(place, [f"item {i + 1}" for i in place])
    ax.grid(axis="x", visible=False)
    return style.finish(figure)


def leader(kept: pd.DataFrame, lead: float) -> Figure:
    """Top weight against n, one column of `kept` per alpha, and the weight that the lead keeps."""
    figure, ax = style.subplots(figsize=(7.5, 3.8))
    for alpha, column in kept.items():
        color = COLORS[alpha]
        ax.loglog(column.index, column, color=color)
        if alpha > 1:
            least = float(theory.least_leader_weight(lead, alpha))
            ax.axhline(least, color=color, lw=1, ls=":")
        style.label_line(ax, column.index[-1], column.iloc[-1], NAMES[alpha], color)
    ax.set(xlabel="number of items n", ylabel="weight of the leader", ylim=(3e-8, 2))
    ax.margins(x=0.02)
    return style.finish(figure)


def crowd(measured: pd.DataFrame, heads: Mapping[str, pd.Series]) -> Figure:
    """Top weight against the items per unit of score, without a lead; trained heads as dots.

    `measured` has a column per alpha and n/B as index; each of `heads` is one rule's mean top
    weight with n/B as index, under the name of the rule.
    """
    figure, ax = style.subplots(figsize=(7.5, 4))
    for alpha, column in measured.items():
        color = COLORS[alpha]
        ax.loglog(column.index, column, color=color)
        law = np.minimum((alpha / column.index.to_numpy()) ** (1 / alpha), 1)
        ax.loglog(column.index, law, color=color, lw=1, ls=":")
        style.label_line(ax, column.index[-1], column.iloc[-1], NAMES[alpha], color)
    alphas = {name: alpha for alpha, name in NAMES.items()}
    for name, top in heads.items():
        ax.loglog(top.index, top, "o", color=COLORS[alphas[name]], ms=5, mfc="white", mew=1.5)
    ax.set(xlabel="items per unit of score, n/B", ylabel="top weight", ylim=(None, 1.6))
    return style.finish(figure)


def margins(reach: float = 5.0) -> Figure:
    """The loss of the right one of two items, against its lead over the other."""
    lead = np.linspace(-reach, reach, 401)
    rows = np.stack([lead, 0 * lead], -1)
    figure, ax = style.subplots(figsize=(7.5, 3.6))
    for alpha in (1.0, 1.5, 2.0):
        loss = losses.entmax_loss(rows, np.zeros(len(lead), dtype=int), alpha)
        color = COLORS[alpha]
        ax.plot(lead, loss, color=color)
        if alpha == 1:
            style.label_line(ax, -1, np.interp(-1, lead, loss), "softmax", color, xytext=(6, 8))
            continue
        end = float(theory.reach(alpha))
        ax.plot(end, 0, "o", color=color, ms=7, clip_on=False, zorder=3)
        ax.annotate(
            f"{NAMES[alpha]}:\n0 from here on",
            (end, 0),
            (10 * end, 26 * end),
            textcoords="offset points",
            color=color,
            arrowprops={"arrowstyle": "-", "color": color},
        )
    ax.set(xlabel="lead of the right item", ylabel="loss", ylim=(0, None), xlim=(-reach, reach))
    return style.finish(figure)


def learned(paths: pd.DataFrame) -> Figure:
    """Alpha against steps: one column per alpha that made the data."""
    figure, ax = style.subplots(figsize=(7.5, 3.2))
    for color, (wanted, path) in zip(style.PALETTE, paths.items(), strict=False):
        ax.axhline(wanted, color=color, lw=1, ls=":")
        ax.plot(path.index, path, color=color)
        style.label_line(ax, path.index[-1], path.iloc[-1], f"made with {wanted:g}", color)
    ax.set(xlabel="steps", ylabel="learned α", xlim=(0, path.index[-1]))
    return style.finish(figure)
