"""How much weight a head of a given spread can give to one of ever more items."""

from __future__ import annotations

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from sharplib import softmax
from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.theory.critical_size import critical_size
from sharplib.theory.dispersion import simple_weight_bounds, weight_bounds

#: Scores drawn for the row; a longer row repeats them.
DRAWN = 1024


class Dispersion(Explorer):
    r"""The bounds of Lemma 2.1 against the number of items, a row inside them, and a wanted weight.

    ``n`` (2 to 10^7), ``spread`` (0 to 20) and ``temperature`` (0.1 to 10) describe the head,
    ``weight`` (0.001 to 0.9) is what one item is to get. The row has scores drawn evenly from the
    spread (both ends of it are used); ``seed`` (0 to 2^31 - 1) chooses them.

    >>> Dispersion(spread=5.69, weight=0.1).n
    1000
    """

    module = "dispersion"
    caption = (
        "Shaded: Lemma 2.1. Blue: the tight bounds. Orange: the largest and the smallest weight of "
        "a random row. Green: the weight that one item is to get, and the last size that allows it."
    )
    height = (540, 860)

    spread = Number(3.0, min=0, max=20).tag(sync=True)
    temperature = Number(1.0, min=0.1, max=10).tag(sync=True)
    n = t.Int(1000, min=2, max=10**7).tag(sync=True)
    weight = Number(0.1, min=0.001, max=0.9).tag(sync=True)
    seed = t.Int(0, min=0, max=2**31 - 1).tag(sync=True)

    def row(self) -> np.ndarray:
        """The scores of the row, n of them."""
        drawn = random_numbers(self.seed, DRAWN)
        drawn[:2] = 0, 1
        return self.spread * np.resize(drawn, self.n)

    def figure(self) -> Figure:
        """The bounds against n, with the row at its size and the wanted weight."""
        n = np.unique(np.geomspace(2, 1e7, 200).round())
        figure, ax = style.subplots(figsize=(6, 4))
        simple = simple_weight_bounds(n, self.spread, self.temperature)
        ax.fill_between(n, *simple, color=style.PALETTE[0], alpha=0.12, lw=0)
        for bound in weight_bounds(n, self.spread, self.temperature):
            ax.plot(n, bound, color=style.PALETTE[0])
        ax.plot(n, 1 / n, color=style.MUTED, lw=1, ls="--")
        p = softmax(self.row(), temperature=self.temperature)
        ax.plot([self.n] * 2, [p.max(), p.min()], "o", color=style.PALETTE[1])
        ax.axhline(self.weight, color=style.PALETTE[2], lw=1.2, ls="--")
        last = float(critical_size(self.spread, self.weight, self.temperature))
        ax.plot(last, self.weight, "o", color=style.PALETTE[2])
        ax.set(xscale="log", yscale="log", xlim=(2, 1e7), ylim=(1e-8, 1.5))
        ax.set(xlabel="number of items n", ylabel="weight")
        return style.finish(figure)

    def describe(self) -> str:
        """The bounds at n, the row, and the last size, in words."""
        p = softmax(self.row(), temperature=self.temperature)
        _, most = weight_bounds(self.n, self.spread, self.temperature)
        last = np.floor(critical_size(self.spread, self.weight, self.temperature))
        return (
            "Weight against the number of items, both axes logarithmic. All weights fall like 1/n "
            f"inside a band. With spread {self.spread:g}, temperature {self.temperature:g} and "
            f"{self.n:,} items one item can get at most {most:.3g}; in a random row the largest "
            f"weight is {p.max():.3g}. Up to {last:,.0f} items one of them can get {self.weight:g}."
        )


def random_numbers(seed: int, count: int) -> np.ndarray:
    """Numbers in [0, 1) that depend on the seed alone: mulberry32, as in the page.

    >>> random_numbers(0, 2).round(6)
    array([0.266429, 0.00033 ])
    """
    state = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
    mixed = (state ^ (state >> 15)) * (state | np.uint32(1))
    mixed = (mixed + (mixed ^ (mixed >> 7)) * (mixed | np.uint32(61))) ^ mixed
    return (mixed ^ (mixed >> 14)) / 2.0**32
