"""One score that moves among others, and the weight that a periodic map makes of it."""

from __future__ import annotations

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.theory import periodic

#: The largest g of each map.
_TOPS = {
    "sin_softmax": np.e,
    "shifted_sin2_max": 1.0,
    "siren_max": np.inf,
    "sin_max": 2.0,
    "softmax": np.inf,
}
#: The farthest that the score can go, both ways.
REACH = 7.0


class OneScore(Explorer):
    """One item's weight and its slope along its score, among n - 1 items at score 0.

    ``score`` (-7 to 7), ``n`` (2 to 10,000) and ``map`` (sin_softmax, shifted_sin2_max, siren_max,
    sin_max with the demo's offset and frequency, or softmax, which is always there to compare).

    >>> round(OneScore(score=1.5, n=100).most(), 4)
    0.0267
    """

    module = "one-score"
    caption = (
        "Orange: the chosen map. Blue: softmax. Shaded: more score means less weight. Green: the "
        "most that any score can give to this item."
    )
    height = (490, 780)

    score = Number(2.0, min=-REACH, max=REACH).tag(sync=True)
    n = t.Int(16, min=2, max=10_000).tag(sync=True)
    map = t.Enum(list(_TOPS), "sin_softmax").tag(sync=True)

    def weight(self, score: np.ndarray | float) -> np.ndarray:
        """The weight of the item at this score."""
        return self._weight(self.map, score)

    def most(self) -> float:
        """The largest weight at any score."""
        return float(1 / (1 + self._rest(self.map) / _TOPS[self.map]))

    def _rest(self, name: str) -> float:
        return (self.n - 1) * float(periodic.numbers(periodic.SHARES[name], 0.0))

    def _weight(self, name: str, score: np.ndarray | float) -> np.ndarray:
        g = periodic.numbers(periodic.SHARES[name], score)
        return g / (g + self._rest(name))

    def figure(self) -> Figure:
        """Weight of the item along its score, under the map and under softmax."""
        x = np.linspace(-REACH, REACH, 561)
        figure, ax = style.subplots(figsize=(6, 3.4))
        ax.plot(x, self._weight("softmax", x), color=style.PALETTE[0], lw=1.2)
        ax.plot(x, self.weight(x), color=style.PALETTE[1])
        ax.plot(self.score, self.weight(self.score), "o", color=style.PALETTE[1], ms=8)
        ax.axhline(self.most(), color=style.PALETTE[2], lw=1.2, ls="--")
        ax.set(xlabel="score", ylabel="weight", xlim=(-REACH, REACH), ylim=(0, 1.05))
        return style.finish(figure)

    def describe(self) -> str:
        """The item's weight, and the most it can have, in words."""
        return (
            f"Weight of one item among {self.n:,} against its score, under {self.map} and under "
            f"softmax. At the score {self.score:g} it is {float(self.weight(self.score)):.3g} "
            f"under {self.map} and {float(self._weight('softmax', self.score)):.3g} under softmax. "
            f"No score gives it more than {self.most():.3g}."
        )
