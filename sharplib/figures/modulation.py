"""Figures of bent scores: the function, the plane of the two measures, what was learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sharplib import measures, multimax, softmax
from sharplib.figures import style
from sharplib.theory import modulation as theory

TEMPERATURES = np.geomspace(0.05, 20, 81)
_BENT, _SOFT = style.PALETTE[0], style.PALETTE[1]


def both(weights: np.ndarray, scores: np.ndarray, threshold: float) -> tuple[float, float]:
    """Multi-modality and sparsity of a row, with one over its length as reference."""
    return (
        float(measures.multi_modality(weights, scores, threshold)),
        float(measures.smooth_sparsity(weights, scores, threshold, 1 / len(scores))),
    )


def bent(
    scores: Sequence[float], thresholds: Sequence[float], coefficients: Sequence[float]
) -> Figure:
    """The bent line, with a dot for each score; beside it the weights with and without it."""
    x = np.asarray(scores, dtype=float)
    figure, (left, right) = style.subplots(1, 2, figsize=(7.5, 3.3))
    line = np.linspace(x.min() - 0.6, x.max() + 0.6, 200)
    left.plot(line, line, color=style.FAINT)
    left.plot(line, theory.bend(line, thresholds, coefficients), color=_BENT)
    left.plot(x, theory.bend(x, thresholds, coefficients), "o", color=_BENT)
    for at in thresholds:
        left.axvline(at, color=style.MUTED, lw=1, ls=":")
    left.set(xlabel="score", ylabel="bent score")
    place = np.arange(len(x))
    right.bar(place - 0.2, softmax(x), 0.36, color=_SOFT, label="softmax")
    right.bar(place + 0.2, multimax(x, thresholds, coefficients), 0.36, color=_BENT, label="bent")
    right.legend()
    right.set_xticks(place, [f"{score:g}" for score in x])
    right.set(xlabel="score", ylabel="weight")
    right.grid(axis="x", visible=False)
    return style.finish(figure)


def plane(
    scores: Sequence[float],
    threshold: float,
    bends: Mapping[str, tuple[Sequence[float], Sequence[float]]],
) -> Figure:
    """M and S of one row: the line of all temperatures, and a dot for each MultiMax of `bends`."""
    x = np.asarray(scores, dtype=float)
    figure, ax = style.subplots(figsize=(6.5, 4))
    way = np.array([both(softmax(x / theta), x, threshold) for theta in TEMPERATURES])
    ax.plot(*way.T, color=_SOFT)
    for theta, offset in ((5.0, (-9, 0)), (1.0, (-9, -10)), (0.2, (0, -14))):
        at = both(softmax(x / theta), x, threshold)
        ax.plot(*at, "o", color=_SOFT)
        style.label_line(
            ax,
            *at,
            f"softmax, temperature {theta:g}",
            _SOFT,
            xytext=offset,
            ha="right" if offset[0] < 0 else "center",
        )
    for name, (thresholds, coefficients) in bends.items():
        at = both(multimax(x, thresholds, coefficients), x, threshold)
        ax.plot(*at, "s", color=_BENT, ms=8)
        style.label_line(ax, *at, name, _BENT, xytext=(-10, 0), ha="right")
    ax.set(xlabel="multi-modality M", ylabel="sparsity S", xlim=(-0.02, 1.04), ylim=(None, 1.03))
    return style.finish(figure)


def learned(table: pd.DataFrame, layers: Sequence[int], reach: float = 4.0) -> Figure:
    """The function that each seed has learned, a panel for each layer; falling ones in orange.

    `table` holds one rule and task of the study `multimax`; layer 0 is the output.
    """
    figure, axes = style.subplots(
        1, len(layers), figsize=(7.5, 3.2), sharex=True, sharey=True, squeeze=False
    )
    x = np.linspace(-reach, reach, 241)
    for ax, layer in zip(axes[0], layers, strict=True):
        rows = table[table.layer == layer].pivot(index="seed", columns="measure", values="value")
        ax.plot(x, x, color=style.FAINT)
        for _, row in rows.iterrows():
            r, c = (row[[f"{letter}{k}" for k in range(4)]].to_numpy(float) for letter in "rc")
            line = theory.bend(x, r, c)
            # Up to a constant, which no softmax can feel.
            ax.plot(x, line - line[120], color=_BENT if row.order_kept else _SOFT, lw=1, alpha=0.8)
        ax.set(title=f"layer {layer}" if layer else "output", xlabel="score")
    axes[0, 0].set(ylabel="bent score", ylim=(-3 * reach, 3 * reach))
    return style.finish(figure)


def trained(table: pd.DataFrame, names: Sequence[str]) -> Figure:
    """M and S of trained attention: a mark for each rule and layer, the mean over seeds."""
    cells = table[table.layer > 0].groupby(["task", "rule", "layer", "measure"]).value.mean()
    tasks = list(dict.fromkeys(table.task))
    figure, axes = style.subplots(1, len(tasks), figsize=(7.5, 3.6), squeeze=False, sharey=True)
    colors = dict(zip(names, [*style.PALETTE, style.INK, style.MUTED], strict=False))
    for ax, task in zip(axes[0], tasks, strict=True):
        for name in names:
            for layer, mark in ((1, "o"), (2, "^")):
                at = cells[task, name, layer]
                ax.plot(at["M"], at["S"], mark, color=colors[name], ms=7)
        ax.set(title=task, xlabel="multi-modality M")
    axes[0, 0].set(ylabel="sparsity S")
    for name in names:
        axes[0, -1].plot([], [], "o", color=colors[name], label=name)
    figure.legend(loc="outside right upper")
    return style.finish(figure)
