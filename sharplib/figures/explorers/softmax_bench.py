"""Scores to drag, and the weights that any map of the catalogue makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from sharplib import CATALOGUE
from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.figures.explorers._maps import weights


class SoftmaxBench(Explorer):
    """A row of scores, a map and a temperature; the page shows the weights as you drag.

    The map sees the scores divided by the temperature. What the reader changes can be read back:
    ``scores`` (1 to 12 numbers between -5 and 5), ``map`` (a name in `sharplib.CATALOGUE`),
    ``temperature`` (0.1 to 10) and ``parameters`` (of the map: name -> number; those left out have
    the values of the catalogue).

    >>> bench = SoftmaxBench(scores=[1, 2, 3, 4])
    >>> bench.scores
    [1.0, 2.0, 3.0, 4.0]
    """

    module = "softmax-bench"
    caption = (
        "Drag the scores, or focus one and use the arrow keys. The coloured bars below are the "
        "weights of the chosen map, the dashed outline those of a plain softmax."
    )
    height = (490, 730)

    scores = t.List(t.CFloat(), [1.0, 2.0, 3.0, 4.0]).tag(sync=True)
    map = t.Enum(list(CATALOGUE), "softmax").tag(sync=True)
    temperature = Number(1.0, min=0.1, max=10).tag(sync=True)
    parameters = t.Dict(key_trait=t.Unicode(), value_trait=t.CFloat()).tag(sync=True)

    @t.validate("scores")
    def _check_scores(self, proposal: Any) -> list[float]:
        value = list(proposal["value"])
        if not (1 <= len(value) <= 12 and all(-5 <= x <= 5 for x in value)):
            raise t.TraitError(f"scores must be 1 to 12 numbers from -5 to 5, got {value}")
        return value

    def figure(self) -> Figure:
        """The scores and their weights."""
        p = self._weights()
        items = range(1, len(p) + 1)
        figure, (above, below) = style.subplots(2, 1, figsize=(6, 4), sharex=True)
        above.bar(items, self.scores, color=style.PALETTE[0], width=0.6)
        above.set(title="score", ylim=(-5, 5), xticks=items)
        bars = below.bar(items, p, color=style.PALETTE[0], width=0.6)
        bars[int(np.argmax(p))].set_color(style.PALETTE[1])
        below.bar_label(bars, fmt="{:.2f}", padding=2)
        below.set(title="weight", xlabel="item")
        below.margins(y=0.2)
        return style.finish(figure)

    def describe(self) -> str:
        """Scores and weights in words."""
        scores = ", ".join(f"{x:g}" for x in self.scores)
        weights = ", ".join(f"{w:.2f}" for w in self._weights())
        return f"Two bar charts. The scores are {scores}; their {self.map} weights are {weights}."

    def _weights(self) -> np.ndarray:
        return weights(self.map, np.array(self.scores), self.parameters, self.temperature)
