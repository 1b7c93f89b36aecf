"""The surface of a multiplication unit under noise, and where a start on it ends."""

from __future__ import annotations

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from sharplib.figures import reversible_noise as figures
from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.theory import multiplication

#: Training ranges to choose from: the nine of the benchmark, and two between them.
RANGES = (
    (-20, -10),
    (-2, -1),
    (-1.2, -1.1),
    (-0.65, -0.55),
    (-0.3, -0.2),
    (-0.2, -0.1),
    (-2, 2),
    (0.1, 0.2),
    (1, 2),
    (1.1, 1.2),
    (10, 20),
)
_ENDS = {f"[{low:g}, {high:g}]": (low, high) for low, high in RANGES}


class NoisySurface(Explorer):
    """Two weights of a multiplication unit on the surface that they roll down while it trains.

    The noise is uniform from ``least`` (0.1 to 10) to ``ratio`` (1 to 40) times that. What the
    reader changes can be read back: these two, ``range`` (numbers in training, such as
    ``"[-1.2, -1.1]"``) and ``weights`` (the start, two numbers in [0, 1]).

    >>> NoisySurface(weights=[0.3, 0.6], least=3, ratio=1).ends()[1].round(1)
    array([1., 1.])
    """

    module = "noisy-surface"
    caption = (
        "Drag the green start, or focus it and use the arrow keys. The denser the shade, the "
        "worse. The blue line is the way of training without noise, the orange one with it; the "
        "thin one is a noisy run in batches of four. Units start inside the dashed box."
    )
    height = (500, 764)

    range = t.Enum(list(_ENDS), "[-1.2, -1.1]").tag(sync=True)
    least = Number(1.0, min=0.1, max=10).tag(sync=True)
    ratio = Number(5.0, min=1, max=40).tag(sync=True)
    weights = t.List(Number(min=0, max=1), [0.35, 0.5], minlen=2, maxlen=2).tag(sync=True)

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Where training takes the start, without noise and with it, before any rounding."""
        noise = self.least, self.least * self.ratio
        plain, noisy = (
            multiplication.descend(self.weights, *_ENDS[self.range], of, steps=1500, rate=2e-3)
            for of in (None, noise)
        )
        return plain, noisy

    def figure(self) -> Figure:
        """The surface under the noise, the start and both ends."""
        figure, ax = style.subplots(figsize=(4.4, 4))
        figures.surface(ax, *_ENDS[self.range], (self.least, self.least * self.ratio))
        for end, color in zip(self.ends(), (figures.RIGHT, figures.WRONG), strict=True):
            ax.plot(*zip(self.weights, end, strict=True), color=color)
            ax.plot(*end, "o", color=color)
        ax.plot(*self.weights, "o", color=style.PALETTE[2], ms=9)
        ax.set_ylabel("$W_2$")
        return style.finish(figure)

    def describe(self) -> str:
        """Start and ends in words."""
        start, plain, noisy = (f"({a:.2f}, {b:.2f})" for a, b in (self.weights, *self.ends()))
        return (
            f"A square of two weights, shaded by the error on numbers from {self.range} under "
            f"noise from {self.least:g} to {self.least * self.ratio:g}. From {start} training "
            f"without noise comes to {plain}, with noise to {noisy}."
        )
