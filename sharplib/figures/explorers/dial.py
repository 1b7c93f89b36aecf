"""Scores under two thresholds: on ranks, and on the distance to the top."""

from __future__ import annotations

import numpy as np
import traitlets
from matplotlib.figure import Figure

from sharplib import rsoftmax, tsoftmax
from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number


class Dial(Explorer):
    """Scores to drag under r-softmax and t-softmax, with the thresholds and two derivatives.

    ``scores`` (2 to 8 numbers from -3 to 3), ``rate`` (0.01 to 0.99, of r-softmax), ``t`` (0.1 to
    6, of t-softmax), and ``item``, counted from 0: the one whose weight the arrows would raise.

    >>> Dial(scores=[2, 1, 0]).weights()["r-softmax"]
    array([1., 0., 0.])
    """

    module = "dial"
    caption = (
        "Drag a score, or focus it and use the arrow keys. Blue: r-softmax and its quantile. "
        "Vermilion: t-softmax and its distance. The arrows say which scores would raise the "
        "weight of the item that you touched last, if they rose (up) or fell (down)."
    )
    height = (540, 817)

    scores = traitlets.List(
        Number(min=-3, max=3), [2.0, 1.4, 0.6, 0.1, -0.9, -1.6], minlen=2, maxlen=8
    ).tag(sync=True)
    rate = Number(0.5, min=0.01, max=0.99).tag(sync=True)
    t = Number(2.0, min=0.1, max=6).tag(sync=True)
    item = traitlets.Int(0, min=0).tag(sync=True)

    def weights(self) -> dict[str, np.ndarray]:
        """The weights of both maps."""
        x = np.array(self.scores)
        return {"r-softmax": rsoftmax(x, self.rate), "t-softmax": tsoftmax(x, self.t)}

    def figure(self) -> Figure:
        """The scores with both thresholds, and the weights."""
        x, items = np.array(self.scores), np.arange(1, len(self.scores) + 1)
        figure, (above, below) = style.subplots(2, 1, figsize=(6, 4.4), sharex=True)
        above.plot(items, x, "o", color=style.PALETTE[0], ms=8)
        edges = {"quantile": np.quantile(x, self.rate), "top − t": x.max() - self.t}
        for color, (name, at) in zip(style.PALETTE, edges.items(), strict=False):
            above.axhline(at, color=color, ls="--", lw=1.5)
            style.label_line(above, items[-1] + 0.5, at, name, color)
        above.set(title="score", ylim=(-3.2, 3.2), xticks=items, xlim=(0.5, len(x) + 0.5))
        for k, (color, p) in enumerate(zip(style.PALETTE, self.weights().values(), strict=False)):
            below.bar(items + 0.32 * k - 0.16, p, color=color, width=0.3)
        below.set(title="weight", xlabel="item")
        return style.finish(figure)

    def describe(self) -> str:
        """Scores, thresholds and weights in words."""
        scores = ", ".join(f"{x:g}" for x in self.scores)
        said = "; ".join(
            f"{name} has {(p == 0).sum()} zeros and the weights " + ", ".join(f"{w:.2f}" for w in p)
            for name, p in self.weights().items()
        )
        return f"The scores {scores} with two thresholds, and their weights: {said}."
