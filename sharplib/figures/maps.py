"""Three small pictures of one map: on three items, on a ramp of scores, and as items are added."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from sharplib.figures import style
from sharplib.mappings import CATALOGUE, Mapping

#: The ramp: eight equally spaced scores.
RAMP = np.linspace(-2, 2, 8)
TEMPERATURES = (0.5, 1.0, 2.0)
#: How far the leader lies above the rest, or above the lowest of the crowd.
LEAD = 5.0
SIZES = tuple(int(n) for n in np.unique(np.geomspace(2, 1e6, 19).round()))

#: Two directions that span the scores of three items with sum 0, and the corners of the simplex.
_PLANE = np.array([[1.0, -1.0, 0.0], [-1.0, -1.0, 2.0]]) / np.sqrt([[2.0], [6.0]])
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])

_SPARSE = style.PALETTE[1]
_SIGNED = style.PALETTE[3]
#: No item has any weight, one has it all, two share it, all three do, one has less than nothing.
_BY_SUPPORT = ListedColormap([style.MUTED, _SPARSE, "#f3c29e", "white", _SIGNED])


def shares(mapping: Mapping, scores: np.ndarray) -> np.ndarray:
    """Weights divided by their sum, NaN for a row whose weights sum to nothing."""
    p = np.asarray(mapping(scores))
    total = p.sum(-1, keepdims=True)
    return np.divide(p, total, out=np.full_like(p, np.nan), where=total > 0)


def leaders(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two rows of n scores from 1 to 6, the top first: the others all at 1, and evenly spread."""
    alone = np.ones(n)
    alone[0] = 1 + LEAD
    return alone, np.linspace(1 + LEAD, 1, n)


@cache
def top_weights(name: str, sizes: Sequence[int] = SIZES) -> np.ndarray:
    """Weight of the leader in the two rows of `leaders`, for each size: an array (2, sizes)."""
    mapping = CATALOGUE[name]
    return np.array([[float(mapping(row)[0]) for row in leaders(n)] for n in sizes]).T


def describe(mapping: Mapping) -> dict[str, str]:
    """What is seen in each of the three pictures, for readers who do not see them."""
    scores = score_plane(3.0, 60)
    disc = scores[(scores**2).sum(-1) <= 3.0**2]
    p = np.asarray(mapping(disc))
    zeros, negative = np.mean((p == 0).any(-1)), np.mean((p < 0).any(-1))
    spread = "lie on an edge or a corner" if zeros else "leave it" if negative else "stay inside"
    share = "no scores" if zeros == 0 else f"{zeros:.0%} of the scores"
    share += " give an exact zero"
    share += f", {negative:.0%} a negative weight" if negative else ""
    weights = [np.asarray(mapping(RAMP / temperature)) for temperature in TEMPERATURES]
    top = ", ".join(f"{p[-1]:.2f}" for p in weights)
    none = ", ".join(f"{np.count_nonzero(p == 0)}" for p in weights)
    alone, crowd = top_weights(mapping.name)
    ends = [
        f"from {row[0]:.2g} at two items to {row[-1]:.2g} at a million" for row in (alone, crowd)
    ]
    return {
        "simplex": f"{mapping.name} on three items. In the disc {share}; their images in the "
        f"triangle {spread}.",
        "ramp": f"{mapping.name} of eight scores from -2 to 2, at temperatures 0.5, 1 and 2: the "
        f"highest score weighs {top}, and {none} of the eight weigh exactly 0.",
        "growth": f"Top weight of {mapping.name} as items are added: alone {ends[0]}, in a crowd "
        f"{ends[1]}.",
    }


def simplex(mapping: Mapping, reach: float = 3.0, spacing: float = 0.5) -> Figure:
    """Lines of scores for three items and where the map sends them; which scores give zeros.

    The triangle is the simplex: its corners are the items, and a point shows their shares. Images
    with a weight of exactly 0 are in the second colour. The disc shows the scores themselves, with
    sum 0 and up to `reach` from the centre: where one of the weights is 0, where two are, and, in
    grey, where all are. Images outside the triangle, in a third colour, have a negative weight.
    """
    figure, ax = _panel((0.0, 0.0, 1.0, 1.0))
    ax.plot(*_CORNERS[[0, 1, 2, 0]].T, color=style.MUTED, lw=1)
    p = shares(mapping, score_lines(reach, spacing))
    zeros, signed = (p == 0).any(-1), (p < 0).any(-1)
    at = p @ _CORNERS
    ax.plot(*at[~zeros & ~signed].T, ".", color=style.PALETTE[0], ms=1.2, mew=0)
    ax.plot(*at[signed].T, ".", color=_SIGNED, ms=1.2, mew=0)
    ax.plot(*at[zeros].T, "o", color=_SPARSE, ms=3.2, mew=0, clip_on=False)
    ax.set(xlim=(-0.14, 1.04), ylim=(-0.05, 0.933), aspect="equal")
    ax.axis("off")
    disc = ax.inset_axes((0.01, 0.58, 0.33, 0.4))
    _shade(disc, mapping, reach)
    return style.finish(figure)


def score_lines(reach: float, spacing: float, points: int = 1200) -> np.ndarray:
    """Scores of three items on lines along which two of them keep their distance: (rows, 3)."""
    gaps = np.arange(-reach, reach + spacing / 2, spacing)
    along = np.linspace(-reach, reach, points)
    gap, third = (a.ravel() for a in np.meshgrid(gaps, along))
    lines = np.stack([gap / 2, -gap / 2, third], -1)
    lines -= lines.mean(-1, keepdims=True)
    return np.concatenate([np.roll(lines, shift, -1) for shift in range(3)])


def score_plane(reach: float, points: int) -> np.ndarray:
    """A square grid of scores of three items with sum 0, as an array (points, points, 3).

    With an even number of points no two scores tie and none is 0: zeros fill areas, not lines.
    """
    u, v = np.meshgrid(*[np.linspace(-reach, reach, points)] * 2)
    return np.stack([u, v], -1) @ _PLANE


def _shade(ax: Axes, mapping: Mapping, reach: float, points: int = 160) -> None:
    """Colour the plane of scores by how many of the three weights are not 0, or if one is below."""
    scores = score_plane(reach, points)
    p = np.asarray(mapping(scores))
    with_weight = np.where((p < 0).any(-1), 4.0, np.count_nonzero(p, axis=-1))
    with_weight[(scores**2).sum(-1) > reach**2] = np.nan
    extent = (-reach, reach, -reach, reach)
    ax.imshow(with_weight, cmap=_BY_SUPPORT, vmin=-0.5, vmax=4.5, origin="lower", extent=extent)
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(reach * np.cos(turn), reach * np.sin(turn), color=style.MUTED, lw=0.8, clip_on=False)
    ax.set_aspect("equal")
    ax.axis("off")
    ax.text(0, -1.1 * reach, "scores", ha="center", va="top", size=9, color=style.MUTED)


def ramp(mapping: Mapping) -> Figure:
    """Weights of eight equally spaced scores, at three temperatures; rings are exact zeros."""
    figure, ax = _panel()
    looks = zip(TEMPERATURES, (1, 0, 4), ("-", "-", "--"), strict=True)
    for temperature, color, dashes in looks:
        p = np.asarray(mapping(RAMP / temperature))
        look = {"color": style.PALETTE[color], "lw": 1.6, "label": f"θ = {temperature:g}"}
        ax.plot(RAMP, p, dashes, **look)
        for zero, face in ((False, style.PALETTE[color]), (True, "white")):
            at = (p == 0) == zero
            ax.plot(RAMP[at], p[at], "o", color=style.PALETTE[color], mfc=face, ms=4)
    low, high = ax.get_ylim()
    ax.set(ylim=(min(low, -0.05), max(high, 1.05)), xlabel="score", ylabel="weight")
    ax.set_xticks([-2, -1, 0, 1, 2])
    _legend(ax)
    return style.finish(figure)


def growth(mapping: Mapping) -> Figure:
    """Weight of the leader as items are added, far below it or all the way up to it."""
    figure, ax = _panel()
    alone, crowd = top_weights(mapping.name)
    ax.loglog(SIZES, alone, color=style.PALETTE[0], label="alone")
    ax.loglog(SIZES, crowd, color=style.PALETTE[1], ls="--", label="in a crowd")
    ax.loglog(SIZES, top_weights("softmax")[0], color=style.INK, lw=1.2, ls=":", label="softmax")
    ax.set_yscale("log", nonpositive="mask")  # a weight may be negative
    ax.set(xlim=(2, 1e6), ylim=(1e-6, 4), xlabel="items n", ylabel="top weight")
    ax.set_xticks([1e1, 1e2, 1e3, 1e4, 1e5, 1e6], ["10", "100", "10³", "10⁴", "10⁵", "10⁶"])
    ax.set_yticks([1e-6, 1e-4, 1e-2, 1], ["10⁻⁶", "10⁻⁴", "10⁻²", "1"])
    ax.minorticks_off()
    _legend(ax)
    return style.finish(figure)


def _panel(rectangle: Sequence[float] = (0.2, 0.19, 0.75, 0.7)) -> tuple[Figure, Axes]:
    """One small picture. All have their axes at the same place, so that they can be compared."""
    figure, ax = style.subplots(figsize=(3.0, 2.5), layout="none")
    ax.set_position(rectangle)
    ax.yaxis.set_label_coords(-0.18, 0.5)
    ax.tick_params(labelsize=9)
    return figure, ax


def _legend(ax: Axes) -> None:
    """A row above the axes, where it hides no line."""
    ax.legend(
        loc="lower center",
        bbox_to_anchor=(0.42, 0.99),
        ncols=3,
        fontsize=9,
        frameon=False,
        handlelength=1.2,
        handletextpad=0.4,
        columnspacing=0.8,
        borderpad=0,
    )
