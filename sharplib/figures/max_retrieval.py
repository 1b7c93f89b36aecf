"""Figures of max retrieval: what a trained head looks at, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sharplib.figures import style

#: A rule has one colour in every figure.
COLORS = {
    "softmax": style.PALETTE[0],
    "adaptive": style.PALETTE[1],
    "entropy-matched": style.PALETTE[2],
    "log n": style.PALETTE[4],
    "n": style.PALETTE[5],
    "sparsemax": style.INK,
    "refitted": style.MUTED,
    "hard maximum": style.PALETTE[3],
}


def heat_maps(weights: Mapping[int, np.ndarray], columns: int = 4) -> Figure:
    """One panel per size: rows are sets, columns their top items, the largest at the right.

    `weights` gives for each size an array (sets, items) as `weights_by_rank` makes it.
    """
    rows = -(-len(weights) // columns)
    figure, axes = style.subplots(
        rows, columns, figsize=(9, 2.4 * rows), sharex=True, sharey=True, squeeze=False
    )
    for ax in axes.flat[len(weights) :]:
        ax.set_axis_off()
    for ax, (size, panel) in zip(axes.flat, weights.items(), strict=False):
        image = ax.imshow(panel, vmin=0, vmax=1, cmap="magma", aspect="auto")
        items = panel.shape[1]
        ax.set(title=f"n = {size:,}", yticks=[])
        ax.set_xticks([0, items - 1], [f"{items}th", "1st"])
        # The upper rows share their labels with the lowest and have none.
        for label, side in zip(ax.get_xticklabels(), ("left", "right"), strict=False):
            label.set_horizontalalignment(side)
        ax.grid(visible=False)
    for ax in axes[:, 0]:
        ax.set_ylabel("sets")
    figure.colorbar(image, ax=axes, label="weight", shrink=0.8, pad=0.01)
    figure.supxlabel("rank of the item's priority", fontsize=10.5)
    return style.finish(figure)


def accuracy(
    table: pd.DataFrame,
    published: pd.DataFrame,
    rules: Sequence[str] = ("softmax", "adaptive"),
    classes: int = 10,
) -> Figure:
    """Accuracy against size under each rule: ours, with every seed as a dot, beside the paper's.

    Published cells tagged "recalled" are drawn as open circles, since they are unverified.
    """
    figure, ax = style.subplots(figsize=(7.5, 4.2))
    ours = table[table.measure == "accuracy"]
    for rule in rules:
        color = COLORS[rule]
        rows = ours[ours.rule == rule]
        mean = rows.groupby("size").value.mean()
        ax.plot(rows["size"], rows.value, ".", color=color, alpha=0.45, ms=5)
        ax.plot(mean.index, mean, color=color, label=f"{rule}, ours")
        known = published[(published.rule == rule) & (published.measure == "accuracy")]
        if len(known):
            ax.plot(known["size"], known.value, color=color, lw=1.2, ls="--")
            for unverified, part in known.groupby(known.tag == "recalled"):
                face = "white" if unverified else color
                ax.plot(part["size"], part.value, "o", color=color, mfc=face, ms=5)
            ax.plot([], [], "o--", color=color, lw=1.2, ms=5, label=f"{rule}, published")
    ax.axhline(1 / classes, color=style.MUTED, lw=1, ls=":")
    ax.text(ours["size"].min(), 1 / classes + 0.012, "chance", color=style.MUTED, size=9)
    ax.set_xscale("log", base=2)
    sizes = sorted({*ours["size"], *published["size"]})[::2]
    ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
    ax.set(xlabel="items in a set, n", ylabel="accuracy", ylim=(0, 1.02))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
    return style.finish(figure)


def head_starts(
    sharpness: Sequence[float], head_start: np.ndarray, sizes: Sequence[int] = (64, 512, 4096)
) -> Figure:
    """Each class of each head as a dot, beside the usual gap between the two largest of n items."""
    figure, ax = style.subplots(figsize=(7.5, 2.8))
    for row, (slope, starts) in enumerate(zip(sharpness, head_start, strict=True)):
        ax.plot(1000 * np.asarray(starts), [row] * len(starts), "o", color=style.PALETTE[0], ms=6)
        ax.text(1.02, row, f"B = {slope:.0f}", transform=ax.get_yaxis_transform(), va="center")
    for row, n in enumerate(sizes, start=len(head_start)):
        ax.plot(
            [0, 1000 / (n + 1)], [row, row], color=style.PALETTE[1], lw=5, solid_capstyle="butt"
        )
    names = [f"head {row}" for row in range(len(head_start))]
    names += [f"gap at n = {n:,}" for n in sizes]
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("thousandths of priority")
    return style.finish(figure)


def decomposition(table: pd.DataFrame, predicted: pd.DataFrame | None = None) -> Figure:
    """Against size: how often the top logit is the maximum, and how much weight the top item gets.

    `predicted`, indexed by size, may hold columns "ranking" and "top_weight" to draw beside them.
    """
    figure, (left, right) = style.subplots(1, 2, figsize=(9, 3.6), sharey=True)

    def mean(rule: str, measure: str) -> pd.Series:
        return table[(table.rule == rule) & (table.measure == measure)].groupby("size").value.mean()

    ranking = mean("logits", "ranking")
    left.plot(ranking.index, ranking, "o-", color=style.INK, ms=4, label="trained heads")
    left.set(title="Ranking: top logit is the maximum", ylabel="share of sets")
    for rule in ("softmax", "adaptive"):
        top = mean(rule, "top_weight")
        right.plot(top.index, top, "o-", color=COLORS[rule], ms=4, label=rule)
    right.set(title="Dispersion: weight of the top item", ylabel="mean weight")
    if predicted is not None:
        for ax, measure in ((left, "ranking"), (right, "top_weight")):
            ax.plot(
                predicted.index,
                predicted[measure],
                color=style.PALETTE[5],
                lw=1.6,
                ls="--",
                label="eleven numbers per head",
            )
    sizes = list(ranking.index)[::2]
    for ax in (left, right):
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
        ax.set(xlabel="items in a set, n", ylim=(0, 1.02))
    left.legend(loc="lower left")
    right.legend()
    return style.finish(figure)
