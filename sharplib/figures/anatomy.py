"""Figures of heads in the making: what their spread is made of, and what weight decay does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from sharplib.figures import style

#: The factors of a spread, by the names that the study of recipes gives them.
FACTORS = {
    "sigma_q": "σ(Q)",
    "sigma_k": "σ(K)",
    "query_norm": "‖y‖",
    "item_gap": "largest gap",
    "use": "use",
}


def growth(table: pd.DataFrame, recipe: str) -> Figure:
    """Spread and its bound along one recipe's training, and the factors in units of their start.

    `table` has columns recipe, seed, step, the first four `FACTORS`, bound and spread. Steps are
    drawn at equal distances. Lines are means over seeds (geometric), dots are seeds.
    """
    wide = table[table.recipe == recipe].set_index(["step", "seed"]).sort_index()
    wide = wide.assign(use=wide.spread / wide.bound)
    steps = list(wide.index.unique("step"))
    figure, axes = style.subplots(1, 2, figsize=(9.5, 4))

    def draw(ax, measure, color, relative, name, **kwargs):
        rows = wide[measure].unstack("seed")
        rows = rows / rows.iloc[0] if relative else rows
        mean = np.exp(np.log(rows).mean(axis=1))
        ax.plot(range(len(steps)), mean, color=color, **kwargs)
        ax.plot(range(len(steps)), rows, ".", color=color, alpha=0.5, ms=6)
        return mean.iloc[-1], name, color

    ends = [
        [
            draw(axes[0], "bound", style.PALETTE[1], False, "bound", ls="--"),
            draw(axes[0], "spread", style.PALETTE[0], False, "spread"),
        ],
        [
            draw(axes[1], measure, color, True, name)
            for (measure, name), color in zip(FACTORS.items(), style.PALETTE, strict=False)
        ],
    ]
    for ax, labels in zip(axes, ends, strict=True):
        ax.set(yscale="log", xlabel="training steps (not to scale)")
        ax.set_xticks(range(len(steps)), [f"{step:,}" for step in steps])
        low, high = np.log(ax.get_ylim())
        least = -np.inf
        for value, name, color in sorted(labels):  # names that would meet are moved up
            least = max(np.log(value), least + 0.06 * (high - low))
            style.label_line(ax, len(steps) - 1, np.exp(least), name, color)
    axes[0].set_title("Spread of the logits, and its bound")
    axes[1].set_title("Each factor, in units of its start")
    return style.finish(figure)


def bill(times: pd.DataFrame) -> Figure:
    """How many times larger each factor is at the end of training, one panel per recipe.

    `times` is indexed by recipe and seed, with a column for each of `FACTORS` and "spread". Bars
    are means over seeds (geometric); their product is the growth of the spread in the title.
    """
    recipes = list(times.index.unique("recipe"))
    columns = min(len(recipes), 3)
    rows = -(-len(recipes) // columns)
    figure, axes = style.subplots(
        rows, columns, figsize=(9.5, 0.5 + 2.1 * rows), sharex=True, sharey=True, squeeze=False
    )
    for ax in axes.flat[len(recipes) :]:
        ax.set_axis_off()
    for ax, recipe in zip(axes.flat, recipes, strict=False):
        part = times.loc[recipe][[*FACTORS, "spread"]]
        mean = np.exp(np.log(part).mean())
        heights = [mean[measure] for measure in FACTORS]
        # A bar begins at 1, also on a logarithmic axis: to the left of it something shrank.
        ax.barh(
            range(len(FACTORS)),
            [height - 1 for height in heights],
            left=1,
            color=style.PALETTE[: len(FACTORS)],
            height=0.7,
        )
        for row, measure in enumerate(FACTORS):
            ax.plot(part[measure], [row] * len(part), ".", color=style.INK, ms=4)
        ax.axvline(1, color=style.MUTED, lw=1)
        ax.set(xscale="log", title=f"{recipe}: spread × {mean['spread']:,.0f}")
        ax.set_yticks(range(len(FACTORS)), FACTORS.values())
        ax.grid(axis="y", visible=False)
    axes[0, 0].invert_yaxis()
    figure.supxlabel("times its value before training", fontsize=10.5)
    return style.finish(figure)


def recipes(table: pd.DataFrame, measures: Mapping[str, str], linear: Sequence[str] = ()) -> Figure:
    """One row per recipe and one panel per measure: every head a dot, the mean a bar across.

    `table` is indexed by recipe and seed; `measures` gives columns and their titles. Axes are
    logarithmic but for those named in `linear`, which begin at 0.
    """
    names = list(table.index.unique("recipe"))
    figure, axes = style.subplots(
        1,
        len(measures),
        figsize=(9.5, 1.1 + 0.36 * len(names)),
        sharey=True,
        squeeze=False,
    )
    for ax, (measure, title) in zip(axes[0], measures.items(), strict=True):
        for row, name in enumerate(names):
            values = table.loc[name, measure]
            mean = values.mean() if measure in linear else np.exp(np.log(values).mean())
            ax.plot(values, [row] * len(values), "o", color=style.PALETTE[0], ms=5, alpha=0.7)
            ax.plot(mean, row, "|", color=style.PALETTE[1], ms=15, mew=2.5)
        if measure in linear:
            ax.set_xlim(left=0)
        else:
            ax.set_xscale("log")
            _plain_ticks(ax.xaxis)
        ax.set_title(title)
        ax.grid(axis="y", visible=False)
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].invert_yaxis()
    return style.finish(figure)


def spectra(panels: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Singular values by rank: one panel per matrix, one line per head that it is taken from."""
    figure, axes = style.subplots(1, len(panels), figsize=(9.5, 3.6), sharey=True, squeeze=False)
    for ax, (title, heads) in zip(axes[0], panels.items(), strict=True):
        for (name, values), color in zip(heads.items(), style.PALETTE, strict=False):
            ax.plot(range(1, len(values) + 1), values, "o-", color=color, ms=3.5, lw=1, label=name)
        ax.set(title=title, xlabel="rank", yscale="log")
        _plain_ticks(ax.yaxis)
    axes[0, 0].set_ylabel("singular value")
    axes[0, -1].legend()
    return style.finish(figure)


def _plain_ticks(axis: Axis) -> None:
    """Let a logarithmic axis read 0.5, 1, 2, 5 and not powers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())
