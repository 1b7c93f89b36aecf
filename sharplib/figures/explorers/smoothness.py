"""Three maps with the same allowance: what they lose, and how far they move with one score."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

import sharplib
from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.theory import smoothness as theory


class Smoothness(Explorer):
    r"""A ramp of scores, one of which moves, under softmax, PLSoftMax and sparsemax.

    All three may lose ``delta`` (0.2 to 4): softmax on average, the others in the worst case.
    ``n`` (2 to 64) scores fall in even steps from 0 to minus ``drop`` (0 to 4), and ``item`` (1 to
    n) moves by ``step`` (-1 to 1). See `sharplib.theory.smoothness`.

    >>> round(Smoothness(n=4, drop=0, item=1, step=1).moved("plsoftmax"), 3)
    1.5
    """

    module = "smoothness"
    caption = (
        "Drag the last dot to tilt the ramp, or the orange one to move a single score; or focus "
        "them and use the arrow keys. Full bars are the weights before the move, outlines those "
        "after it. The band is the allowance."
    )
    height = (592, 882)

    n = t.Int(16, min=2, max=64).tag(sync=True)
    drop = Number(1.5, min=0, max=4).tag(sync=True)
    delta = Number(1.0, min=0.2, max=4).tag(sync=True)
    item = t.Int(2, min=1, max=64).tag(sync=True)
    step = Number(0.4, min=-1, max=1).tag(sync=True)

    @t.validate("item")
    def _in_the_ramp(self, proposal: Any) -> int:
        if proposal["value"] > self.n:
            raise t.TraitError(f"item must be at most n = {self.n}, got {proposal['value']}")
        return proposal["value"]

    def scores(self) -> np.ndarray:
        """The ramp before the move."""
        return 0.0 - self.drop * np.arange(self.n) / (self.n - 1)

    def weights(self, name: str, scores: np.ndarray) -> np.ndarray:
        """Weights under one of the three maps."""
        if name == "softmax":
            heat = self.delta / float(theory.softmax_loss(self.n))
            return sharplib.softmax(scores, temperature=heat)
        if name == "plsoftmax":
            return sharplib.plsoftmax(scores, self.delta)
        return sharplib.sparsemax(scores / self.delta)

    def moved(self, name: str) -> float:
        """How much all weights move together."""
        after = self.scores()
        after[self.item - 1] += self.step
        return float(np.abs(self.weights(name, after) - self.weights(name, self.scores())).sum())

    def at_most(self, name: str) -> float:
        """How much they could move if one score moves as far, whatever the scores are."""
        return min(theory.slopes(self.n)[1.0, 1.0][name] * abs(self.step) / self.delta, 2.0)

    def figure(self) -> Figure:
        """The ramp, and the weights of the three maps before and after the move."""
        x = self.scores()
        after = x.copy()
        after[self.item - 1] += self.step
        place = np.arange(1, self.n + 1)
        figure, axes = style.subplots(4, 1, figsize=(6, 5.2), sharex=True)
        axes[0].axhspan(-self.delta, 0, color=style.FAINT, lw=0)
        axes[0].plot(place, x, "o", color=style.PALETTE[0], ms=4)
        axes[0].plot(self.item, after[self.item - 1], "o", color=style.PALETTE[1], ms=7)
        axes[0].set(title="score")
        for ax, (name, label) in zip(axes[1:], _NAMES.items(), strict=True):
            ax.bar(place, self.weights(name, x), color=style.PALETTE[0], width=0.7)
            edge = {"fill": False, "ec": style.PALETTE[1], "lw": 1.3}
            ax.bar(place, self.weights(name, after), width=0.7, **edge)
            ax.set(title=f"{label}: moves {self.moved(name):.2f}, at most {self.at_most(name):.2f}")
        return style.finish(figure)

    def describe(self) -> str:
        """Loss and move of the three maps in words."""
        x = self.scores()
        said = (
            f"{label} loses {x.max() - self.weights(name, x) @ x:.2f} and moves "
            f"{self.moved(name):.2f} of at most {self.at_most(name):.2f}"
            for name, label in _NAMES.items()
        )
        return (
            f"A ramp of {self.n} scores from 0 to {-self.drop:g}. Item {self.item} moves by "
            f"{self.step:g}. With an allowance of {self.delta:g}, {'; '.join(said)}."
        )


_NAMES = {"softmax": "softmax", "plsoftmax": "PLSoftMax", "sparsemax": "sparsemax"}
