"""Three scores, and where a map sends them in the triangle of weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets as t
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from sharplib.figures import style
from sharplib.figures.explorers import _maps
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.mappings import CATALOGUE

#: The largest difference of two scores that the picture has room for.
WIDEST = 2.0
#: Towards the items: up, down left, down right.
_CORNERS = np.array([[0.0, 1.0], [-(0.75**0.5), -0.5], [0.75**0.5, -0.5]])
_BY_SUPPORT = ListedColormap([style.MUTED, style.PALETTE[1], "#f3c29e", "white"])


class Simplex(Explorer):
    """Three scores as a point of a hexagon, and their weights under any map in a triangle.

    The map sees the scores divided by the temperature. What the reader changes can be read back:
    ``scores`` (three numbers at most 2 apart, with a mean between -3 and 3), ``map`` (a name in
    `sharplib.CATALOGUE`), ``temperature`` (0.1 to 10) and ``parameters`` (of the map: name ->
    number; those left out have the values of the catalogue).

    >>> Simplex(scores=[1, 0.5, 0], map="entmax15").scores
    [1.0, 0.5, 0.0]
    """

    module = "simplex"
    caption = (
        "Drag the point in the hexagon of scores, or focus it and use the arrow keys. In the "
        "orange parts one item has all the weight, in the faint ones two share it. The triangle "
        "shows the weights: a corner is one item alone, and the orange line is the way of this "
        "point from hot to cold."
    )
    height = (400, 1040)

    scores = t.List(Number(min=-5, max=5), [0.4, 0.1, -0.5], minlen=3, maxlen=3).tag(sync=True)
    map = t.Enum(list(CATALOGUE), "sparsemax").tag(sync=True)
    temperature = Number(1.0, min=0.1, max=10).tag(sync=True)
    parameters = t.Dict(key_trait=t.Unicode(), value_trait=Number()).tag(sync=True)

    @t.validate("scores")
    def _in_the_hexagon(self, proposal: Any) -> list[float]:
        scores = proposal["value"]
        if max(scores) - min(scores) > WIDEST + 1e-5 or abs(sum(scores)) > 9 + 1e-5:
            raise t.TraitError(
                f"scores must be at most {WIDEST:g} apart, with a mean between -3 and 3, "
                f"got {scores}"
            )
        return scores

    def weights(self, scores: np.ndarray, temperature: Any = None) -> np.ndarray:
        """The weights of rows of scores under the chosen map."""
        theta = self.temperature if temperature is None else temperature
        return _maps.weights(self.map, scores, self.parameters, theta)

    def figure(self) -> Figure:
        """The hexagon with its regions, the triangle with the way from hot to cold."""
        figure, (left, right) = style.subplots(1, 2, figsize=(6, 3.2))
        _shade(left, self)
        left.plot(*(np.array(self.scores) @ _CORNERS), "o", color=style.PALETTE[0], ms=9)
        right.fill(*_CORNERS.T, fill=False, ec=style.MUTED)
        right.plot(*_on_triangle(self, np.geomspace(10, 0.1, 81)), color=style.PALETTE[1])
        right.plot(*_on_triangle(self, self.temperature), "o", color=style.PALETTE[0], ms=9)
        for ax, size, title in ((left, WIDEST, "scores"), (right, 1.0, "weights")):
            for item, corner in enumerate(size * _CORNERS, 1):
                ax.annotate(f"item {item}", 1.12 * corner, ha="center", va="center")
            ax.set(title=title, aspect="equal")
            ax.axis("off")
        return style.finish(figure)

    def describe(self) -> str:
        """Scores and weights in words."""
        p = ", ".join(f"{w:.2f}" for w in self.weights(np.array(self.scores)))
        scores = ", ".join(f"{x:g}" for x in self.scores)
        return (
            "A hexagon of scores, coloured by how many items have weight, and a triangle of "
            f"weights. Under {self.map} at temperature {self.temperature:g} the scores "
            f"{scores} have the weights {p}."
        )


def _on_triangle(explorer: Simplex, temperatures: Any) -> np.ndarray:
    """Where the scores land at each temperature: coordinates, NaN where no item has weight."""
    theta = np.atleast_1d(temperatures)[:, None]
    p = explorer.weights(np.array(explorer.scores), theta)
    total = p.sum(-1, keepdims=True)
    shares = np.divide(p, total, out=np.full_like(p, np.nan), where=total != 0)
    return (shares @ _CORNERS).T


def _shade(ax: Axes, explorer: Simplex) -> None:
    """Colour the hexagon by how many of the three weights are not 0."""
    place = np.linspace(-WIDEST, WIDEST, 160)
    at = np.stack(np.meshgrid(place, place), -1)
    scores = at @ _CORNERS.T * (2 / 3)
    heavy = (explorer.weights(scores + np.mean(explorer.scores)) != 0).sum(-1).astype(float)
    heavy[np.ptp(scores, axis=-1) > WIDEST] = np.nan
    extent = (-WIDEST, WIDEST, -WIDEST, WIDEST)
    ax.imshow(heavy, cmap=_BY_SUPPORT, vmin=-0.5, vmax=3.5, origin="lower", extent=extent)
    turn = np.arange(7) * np.pi / 3
    ax.plot(WIDEST * np.sin(turn), WIDEST * np.cos(turn), color=style.MUTED)
