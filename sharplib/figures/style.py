"""The one look of every figure: readable on white, on a dark page and by colour-blind readers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#22272e"
MUTED = "#6b7280"
FAINT = "#d8dce2"
#: Okabe and Ito's colours, in an order whose neighbours also differ in lightness.
PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]

_SETTINGS = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    # The page may be dark: a figure brings its own paper.
    "figure.facecolor": "white",
    "font.size": 10.5,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "savefig.dpi": 160,
    "savefig.facecolor": "white",
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}


def use() -> None:
    """Set the style for the whole session: once at the top of a chapter."""
    mpl.rcParams.update(_SETTINGS)


def subplots(*args: Any, **kwargs: Any) -> tuple[Figure, Any]:
    """`plt.subplots` in this style."""
    with mpl.rc_context(_SETTINGS):
        return plt.subplots(*args, **kwargs)


def finish(figure: Figure) -> Figure:
    """Hand a figure over: as a cell's last expression it then appears once."""
    plt.close(figure)
    return figure


def label_line(axes: Axes, x: float, y: float, text: str, color: str, **kwargs: Any) -> None:
    """Name a line where it runs, in its own colour."""
    axes.annotate(
        text,
        (x, y),
        **{
            "xytext": (6, 0),
            "textcoords": "offset points",
            "color": color,
            "va": "center",
            "annotation_clip": False,
            **kwargs,
        },
    )


def label_ends(axes: Axes, ends: Iterable[tuple[float, float, str, str]], apart: float) -> None:
    """Name lines at their ends (x, y, text, color), at least `apart` from one another in y."""
    height = -float("inf")
    for x, y, text, color in sorted(ends, key=lambda end: end[1]):
        height = max(y, height + apart)
        label_line(axes, x, height, text, color)
