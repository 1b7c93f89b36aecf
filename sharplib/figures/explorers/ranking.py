"""What a temperature can do about scores that rank the wrong item first."""

from __future__ import annotations

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.theory import ranking as theory

_ITEMS, _CLASSES = "noise of single items", "head starts of classes"
_ACCURACY = {
    _ITEMS: theory.accuracy_with_item_noise,
    _CLASSES: theory.accuracy_with_head_starts,
}


class Ranking(Explorer):
    r"""What an inverse temperature gains on the hard maximum, under two kinds of noise.

    ``n`` (16 to 16384) items of ten classes have logits that spread over ``sharpness`` (100 to
    1000), with noise of a standard deviation ``noise`` (0.07 to 1.2 logits): of each item on its
    own, or of all items of a class together. ``beta`` (1/2 to 64) is the inverse temperature at
    which the page reads the curves; 1 is the plain softmax. See `sharplib.theory.ranking`.

    >>> Ranking(n=1024).beta
    1.0
    """

    module = "ranking"
    caption = (
        "What a softmax rule gains on the hard maximum, in percentage points of accuracy, if each "
        "item has noise of its own and if all items of a class have a head start together. Drag "
        "the vertical line to read both at an inverse temperature. The star is best for items."
    )
    height = (462, 815)

    n = t.Int(2048, min=16, max=16384).tag(sync=True)
    sharpness = Number(200.0, min=100, max=1000).tag(sync=True)
    noise = Number(0.4, min=0.07, max=1.2).tag(sync=True)
    beta = Number(1.0, min=0.5, max=64).tag(sync=True)

    def accuracy(self, kind: str, beta: float) -> float:
        """By the theory; far colder than the noise, that of the hard maximum."""
        heat, noise = 1 / (beta * self.sharpness), self.noise / self.sharpness
        return _ACCURACY[kind](self.n, heat if heat > noise / 8 else 0.0, noise)

    def hard(self, kind: str) -> float:
        """The accuracy of the hard maximum."""
        return self.accuracy(kind, float("inf"))

    def best_beta(self) -> float:
        """The best inverse temperature against noise of single items."""
        noise = self.noise / self.sharpness
        return 1 / (theory.best_temperature(self.n, noise) * self.sharpness)

    def figure(self) -> Figure:
        """The gain of both kinds against the inverse temperature, and the best."""
        beta = np.geomspace(0.5, 64, 15)
        figure, ax = style.subplots(figsize=(6, 3.8))
        for kind in _ACCURACY:
            gain = 100 * (np.array([self.accuracy(kind, b) for b in beta]) - self.hard(kind))
            ax.plot(beta, gain, label=kind)
        best = self.best_beta()
        top = 100 * (self.accuracy(_ITEMS, best) - self.hard(_ITEMS))
        ax.plot(best, top, "*", color=style.INK, ms=12)
        ax.axhline(0, color=style.MUTED, lw=1)
        ax.set_xscale("log", base=2)
        ax.set_xticks([1, 4, 16, 64], ["1", "4", "16", "64"])
        ax.minorticks_off()
        ax.set(xlabel="inverse temperature β", ylabel="points gained", ylim=(-6, 3))
        ax.legend()
        return style.finish(figure)

    def describe(self) -> str:
        """The best inverse temperature and what it gains, in words."""
        best = self.best_beta()
        return (
            f"Accuracy less that of the hard maximum, against inverse temperature, for {self.n:,} "
            f"items. With noise of single items it is highest at {best:.2g}, where a softmax rule "
            f"has {self.accuracy(_ITEMS, best):.1%} and the hard maximum {self.hard(_ITEMS):.1%}. "
            "With head starts of classes it rises and ends at 0, the hard maximum with "
            f"{self.hard(_CLASSES):.1%}."
        )
