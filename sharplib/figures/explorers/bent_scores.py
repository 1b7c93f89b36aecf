"""A bent line under the reader's hand: what it does to a row, and to the two measures."""

from __future__ import annotations

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from sharplib import measures, multimax, softmax
from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.theory import modulation as theory

_ROW = [2.0, 1.5, -0.5, -0.6, -0.8, -0.9, -1.0, -1.1, -1.2, -1.4]


class BentScores(Explorer):
    r"""MultiMax of order 1 by its slopes, beside every temperature of softmax.

    ``scores`` (at most 12, some above 0 and some below) are raised by ``shift`` (-2 to 2). The line
    has the slope 1 between ``low`` (-2 to 0) and ``high`` (0 to 2), ``below`` (-1 to 4) under it
    and ``above`` (-1 to 4) over it. Scores that were above 0 before the shift are those that
    matter; the reference of S is 1/n.

    >>> BentScores(above=0.25).above
    0.25
    """

    module = "bent-scores"
    caption = (
        "Drag a threshold sideways, or the slope beside it up and down. The dots are a row of "
        "scores, two high and eight low, and below stand their weights. The orange line is softmax "
        "at every temperature, its dot temperature 1, the blue circle the bent scores."
    )
    height = (572, 1073)

    scores = t.List(Number(min=-2, max=2), _ROW, minlen=3, maxlen=12).tag(sync=True)
    shift = Number(0.0, min=-2, max=2).tag(sync=True)
    low = Number(0.0, min=-2, max=0).tag(sync=True)
    high = Number(1.0, min=0, max=2).tag(sync=True)
    below = Number(2.0, min=-1, max=4).tag(sync=True)
    above = Number(0.4, min=-1, max=4).tag(sync=True)

    @t.validate("scores")
    def _on_both_sides(self, proposal: t.Bunch) -> list[float]:
        scores = np.array(proposal["value"])
        if (scores > 0).sum() < 2 or not (scores < 0).any() or np.ptp(scores[scores > 0]) == 0:
            raise t.TraitError(
                "scores must have two different ones above 0 and one below, "
                f"got {proposal['value']}"
            )
        return proposal["value"]

    def weights(self) -> np.ndarray:
        """The weights of the bent scores."""
        thresholds, coefficients = (self.low, self.high), (1 - self.below, self.above - 1)
        return multimax(np.array(self.scores) + self.shift, thresholds, coefficients)

    def measures(self, weights: np.ndarray) -> tuple[float, float]:
        """M and S of weights of the row."""
        x = np.array(self.scores)
        sparsity = measures.smooth_sparsity(weights, x, 0.0, 1 / len(x))
        return float(measures.multi_modality(weights, x, 0.0)), float(sparsity)

    def figure(self) -> Figure:
        """The line with the row on it, and both measures beside every temperature."""
        figure, (left, right) = style.subplots(1, 2, figsize=(6, 3))
        x = np.array(self.scores)
        bent = (self.low, self.high), (1 - self.below, self.above - 1)
        across = np.linspace(-4, 4, 161)
        left.plot(across, across, color=style.FAINT)
        left.plot(across, theory.bend(across, *bent), color=style.PALETTE[0])
        left.plot(x + self.shift, theory.bend(x + self.shift, *bent), "o", color=style.PALETTE[0])
        left.set(xlabel="score", ylabel="bent score", ylim=(-7, 7))
        way = [self.measures(softmax(x / theta)) for theta in np.geomspace(0.05, 20, 61)]
        right.plot(*np.transpose(way), color=style.PALETTE[1])
        right.plot(*self.measures(softmax(x)), "o", color=style.PALETTE[1])
        right.plot(*self.measures(self.weights()), "o", color=style.PALETTE[0], ms=9)
        right.set(xlabel="multi-modality M", ylabel="sparsity S")
        return style.finish(figure)

    def describe(self) -> str:
        """Both measures in words."""
        bent, soft = self.measures(self.weights()), self.measures(softmax(np.array(self.scores)))
        return (
            f"A line of slope {self.below:g} below {self.low:g}, 1 in the middle and "
            f"{self.above:g} above {self.high:g}, with the scores of a row on it. The bent row has "
            f"M {bent[0]:.2f} and S {bent[1]:.2f}, softmax M {soft[0]:.2f} and S {soft[1]:.2f}."
        )
