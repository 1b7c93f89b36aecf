"""Figures of reversible noise: paths, the surface with its border, rates of failure, the push."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from sharplib.figures import style
from sharplib.studies.single_module.intervals import wilson
from sharplib.theory import multiplication
from sharplib.theory import reversible_noise as theory
from sharplib.theory.multiplication import Noise

#: A unit that ends at the product, and one that does not.
RIGHT, WRONG = style.PALETTE[:2]
NAMES = {
    "none": "no noise",
    "0.2 to 1.8": "only a shake",
    "always 3": "only a push",
    "1 to 5": "both",
    "batch": "batch noise",
}
COLORS = dict(zip(NAMES, style.PALETTE, strict=False))

Array = NDArray[np.floating]


def paths(steps: Array, weights: Array) -> Figure:
    """Both weights of every unit against steps; `weights` of shape (logs, units, 2)."""
    figure, axes = style.subplots(1, 2, figsize=(8, 3.2), sharey=True)
    ends = (weights[-1] > 0.5).all(-1)
    for which, ax in enumerate(axes):
        for unit, right in enumerate(ends):
            color = RIGHT if right else WRONG
            ax.plot(steps, weights[:, unit, which], color=color, lw=1, alpha=0.8)
        ax.set(xlabel="steps", title=f"weight of input {which + 1}", xlim=(0, steps[-1]))
    axes[0].set(ylabel="weight", ylim=(-0.03, 1.03))
    style.label_line(axes[1], steps[-1], 1, f"{ends.sum()} units", RIGHT)
    style.label_line(axes[1], steps[-1], 0, f"{(~ends).sum()} units", WRONG)
    return style.finish(figure)


def surface(ax: Axes, low: float, high: float, noise: Noise | None = None) -> None:
    """The expected error of all pairs of weights, the box of starts, and the border through it."""
    w = np.linspace(0, 1, 121)
    level = np.log10(multiplication.error(w[:, None], w, low, high, noise) + 1e-12)
    top, floor = level.max(), max(level.max() - 4, np.quantile(level, 0.02))
    ax.contourf(w, w, level, np.linspace(floor, top, 13), cmap="Blues", extend="min", alpha=0.75)
    box = {"fill": False, "ec": style.INK, "lw": 1.2}
    ax.add_patch(Rectangle((0.25, 0.25), 0.5, 0.5, **box))
    if points := list(theory.rest_points(low, high, noise)):
        ax.plot([0, 1], [2 * points[-1], 2 * points[-1] - 1], color=WRONG, lw=1.6, ls="--")
    ax.plot(1, 1, "*", color=RIGHT, ms=14, mec="white", clip_on=False, zorder=4)
    wrong = 0.0 if multiplication.corner_traps(low, high) else None
    if len(points) == 2:
        wrong = points[0]
    if wrong is not None:
        ax.plot(wrong, wrong, "X", color=WRONG, ms=10, mec="white", clip_on=False, zorder=4)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="$W_1$")
    ax.set_xticks([0, 0.5, 1])
    ax.set_yticks([0, 0.5, 1])
    ax.grid(visible=False)


def surfaces(
    cases: Sequence[tuple[str, float, float, Noise | None]],
    fates: Sequence[tuple[Array, Array]] = (),
) -> Figure:
    """A `surface` for each (title, low, high, noise); `fates`: starts, and which ended right."""
    figure, axes = style.subplots(1, len(cases), figsize=(2.9 * len(cases), 3.2), sharey=True)
    for ax, (title, low, high, noise) in zip(np.atleast_1d(axes), cases, strict=True):
        surface(ax, low, high, noise)
        ax.set_title(title)
    for ax, (starts, right) in zip(np.atleast_1d(axes), fates, strict=False):
        for of, color in ((right, RIGHT), (~right, WRONG)):
            ax.plot(*starts[of].T, "o", color=color, ms=4, mec="white", mew=0.5)
    np.atleast_1d(axes)[0].set_ylabel("$W_2$")
    return style.finish(figure)


def rates(failed: pd.DataFrame, published: Mapping[float, float]) -> Figure:
    """Failures against the mean of a narrow range, without noise: the law, ours, the published.

    `failed` has the columns mean, failures and units; `published` is the share by mean.
    """
    figure, ax = style.subplots(figsize=(7.5, 3.8))
    mean = np.unique(np.r_[np.linspace(-3.6, -0.05, 700), -1 / 3 - 1e-6, -1 / 3])
    ax.plot(mean, theory.narrow_failure_rate(mean), color=style.PALETTE[0], label="predicted")
    label = "100 units, 95 % interval"
    for row in failed.itertuples():
        low, share, high = wilson(int(row.failures), int(row.units))
        ax.plot([row.mean] * 2, [low, high], color=style.INK, lw=1.2)
        ax.plot(row.mean, share, "o", color=style.INK, ms=5, label=label)
        label = "_"  # once
    diamonds = {"ls": "", "marker": "D", "color": WRONG, "ms": 8, "mfc": "none", "mew": 1.8}
    ax.plot(list(published), list(published.values()), **diamonds, label="published")
    ax.axvline(-1, color=style.MUTED, lw=1, ls=":")
    for x, text, ha in ((-1.04, "corner", "right"), (-0.96, "valley", "left")):
        ax.text(x, 1.03, text, color=style.MUTED, ha=ha, va="bottom")
    ax.set(xlabel="mean of the training range", ylabel="share that fails", ylim=(-0.03, 1.1))
    ax.legend(loc="upper left")
    return style.finish(figure)


def push(noise: float = 3.0, spread: Noise = (1.0, 5.0)) -> Figure:
    """What noise makes of a weight: one fixed number, and the middle 90 % of a range of them."""
    figure, ax = style.subplots(figsize=(5, 4))
    w = np.linspace(0, 1, 201)
    low, high = (spread[0] + share * (spread[1] - spread[0]) for share in (0.05, 0.95))
    between = theory.shifted(w, low), theory.shifted(w, high)
    ax.fill_between(w, *between, color=COLORS["1 to 5"], alpha=0.35, lw=0)
    ax.plot(w, w, color=style.MUTED, lw=1.2, ls=":")
    ax.plot(w, theory.shifted(w, noise), color=COLORS["always 3"])
    style.label_line(ax, 0.78, 0.78, "W itself", style.MUTED, xytext=(6, -12))
    at = 0.28
    text = f"noise always {noise:g}"
    ax.annotate(
        text,
        (at, float(theory.shifted(at, noise))),
        (0.02, 0.93),
        color=COLORS["always 3"],
        arrowprops={"arrowstyle": "-", "color": COLORS["always 3"]},
    )
    ax.annotate(
        f"noise {spread[0]:g} to {spread[1]:g}",
        (0.62, float(theory.shifted(0.62, 1.6))),
        (0.6, 0.45),
        color="#9c3f70",
        arrowprops={"arrowstyle": "-", "color": "#9c3f70"},
    )
    ax.set(xlabel="weight W", ylabel="shifted weight V", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    return style.finish(figure)


def agreement(table: pd.DataFrame) -> Figure:
    """Measured against predicted failures; `table` has noise, predicted, failures and units."""
    figure, ax = style.subplots(figsize=(5.2, 4.6))
    ax.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls=":")
    marks = iter("os^Dvp*hX")
    for (name, rows), color in zip(
        table.groupby("noise", sort=False), style.PALETTE * 2, strict=False
    ):
        share = rows.failures / rows.units
        label = NAMES.get(str(name), str(name))
        ax.plot(rows.predicted, share, next(marks), color=color, ms=6, alpha=0.85, label=label)
    ax.set(xlabel="predicted share that fails", ylabel="measured", aspect="equal")
    ax.legend(loc="upper left", fontsize=8.5)
    return style.finish(figure)
