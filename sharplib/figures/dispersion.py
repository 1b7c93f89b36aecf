"""Figures of the dispersion theorem: what bounded scores are worth as the number of items grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from sharplib import softmax
from sharplib.figures import style
from sharplib.theory.compactness import Transformer, propagate
from sharplib.theory.critical_size import critical_size
from sharplib.theory.dispersion import simple_weight_bounds, weight_bounds


def flattening_bars(
    scores: Sequence[float] = (1, 2, 3, 4), sizes: Sequence[int] = (4, 8, 16, 64)
) -> Figure:
    """The weights of a row that repeats the same few scores, at several lengths."""
    figure, axes = style.subplots(1, len(sizes), figsize=(9, 2.7), sharey=True)
    pattern = np.asarray(scores, dtype=float)
    for ax, n in zip(axes, sizes, strict=True):
        row = np.resize(pattern, n)
        top = row == pattern.max()
        p = softmax(row)
        colors = np.where(top, style.PALETTE[1], style.PALETTE[0])
        ax.bar(range(n), p, color=colors, width=0.8 if n <= 16 else 1.0)
        ax.set(title=f"n = {n}, top {p.max():.3f}", xticks=[])
        ax.grid(axis="x", visible=False)
    axes[0].set_ylabel("weight")
    return style.finish(figure)


def weights_against_size(spread: float = 3.0, largest: int = 100_000, seed: int = 0) -> Figure:
    """Weights of random rows of one spread against n, inside the simple and the tight bounds."""
    rng = np.random.default_rng(seed)
    n = np.unique(np.geomspace(2, largest, 200).round())
    tight, simple = weight_bounds(n, spread), simple_weight_bounds(n, spread)
    figure, ax = style.subplots(figsize=(7.5, 4.4))
    ax.fill_between(n, *simple, color=style.PALETTE[0], alpha=0.12, lw=0)
    for bound in tight:
        ax.plot(n, bound, color=style.PALETTE[0])
    ax.plot(n, 1 / n, color=style.MUTED, lw=1, ls="--")
    for size in np.unique(np.geomspace(2, largest, 26).round().astype(int)):
        row = rng.uniform(0, spread, size)
        row[:2] = 0, spread  # the full spread is used
        p = softmax(row)
        ax.plot([size, size], [p.max(), p.min()], "o", color=style.PALETTE[1], ms=3.5)
    ax.set(xscale="log", yscale="log", xlabel="number of items n", ylabel="weight")
    ax.set(xlim=(2, largest), ylim=(simple[0].min() / 2, 2))
    style.label_line(ax, largest, tight[1][-1], "most possible", style.PALETTE[0])
    style.label_line(ax, largest, p.max(), "largest of a row", style.PALETTE[1])
    style.label_line(ax, largest, 1 / largest, "even share", style.MUTED)
    style.label_line(ax, largest, p.min(), "smallest of a row", style.PALETTE[1])
    style.label_line(ax, largest, tight[0][-1], "least possible", style.PALETTE[0])
    return style.finish(figure)


def critical_sizes(
    marks: Mapping[str, float], weights: Sequence[float] = (0.5, 0.1, 0.01)
) -> Figure:
    """The last size at which a head can give an item a weight, against its spread.

    `marks` names spreads to be pointed out on the second of the `weights`.
    """
    spread = np.linspace(0, 1.15 * max(marks.values()), 200)
    figure, ax = style.subplots(figsize=(7.5, 4.2))
    for color, weight in zip(style.PALETTE, weights, strict=False):
        size = critical_size(spread, weight)
        ax.semilogy(spread, size, color=color)
        style.label_line(ax, spread[-1], size[-1], f"weight {weight:g}", color)
    for name, at in marks.items():
        size = float(critical_size(at, weights[1]))
        ax.plot(at, size, "o", color=style.INK, ms=6)
        text = f"{name}\nδ = {at:g}: n = {np.floor(size):,.0f}"
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        ax.annotate(
            text, (at, size), (9, -7), textcoords="offset points", va="top", size=9, bbox=paper
        )
    ax.set(xlabel="spread of the scores in units of the temperature, δ/θ", ylabel="critical size n")
    ax.set(xlim=(0, spread[-1]), ylim=(1, None))
    return style.finish(figure)


def transformer_spreads(
    net: Transformer, sizes: Sequence[int] = (2, 8, 32, 128, 512), seed: int = 0
) -> Figure:
    """Widest row of scores and largest weight per layer against n, under the bounds for every n.

    The items are random vectors of length 1.
    """
    rng = np.random.default_rng(seed)
    bounds = propagate(net, radius=1.0)
    width, depth = net.layers[0].width, len(net.layers)
    spreads, tops = np.empty((2, len(sizes), depth))
    for i, n in enumerate(sizes):
        items = rng.standard_normal((n, width))
        trace = net(items / np.linalg.norm(items, axis=-1, keepdims=True))
        spreads[i], tops[i] = trace.spread.max(axis=-1), trace.top_weight.max(axis=-1)
    figure, (left, right) = style.subplots(1, 2, figsize=(9, 3.9))
    wide = np.geomspace(min(sizes), 1e6, 200)
    ceilings = bounds.top_weight(wide).max(axis=-1)
    for layer, color in zip(range(depth), style.PALETTE, strict=False):
        left.plot(sizes, spreads[:, layer], "o-", color=color, ms=4)
        left.axhline(bounds.spread[layer].max(), color=color, ls="--", lw=1.2)
        right.plot(sizes, tops[:, layer], "o-", color=color, ms=4)
        right.plot(wide, ceilings[:, layer], color=color, ls="--", lw=1.2)
    left.set(xscale="log", xlabel="number of items n", title="spread of the scores")
    left.set_ylim(0, 1.1 * bounds.spread.max())
    right.set(xscale="log", yscale="log", xlabel="number of items n", title="largest weight")
    ends = [
        (sizes[-1], spreads[-1, layer], f"layer {layer + 1}", color)
        for layer, color in zip(range(depth), style.PALETTE, strict=False)
    ]
    style.label_ends(left, ends, apart=0.07 * left.get_ylim()[1])
    left.set_xlim(None, 4 * sizes[-1])  # room for the labels
    at = len(wide) // 2
    top = ceilings[at].max()
    style.label_line(right, wide[at], top, "bounds, for every n", style.MUTED, va="bottom")
    return style.finish(figure)
