"""A row of scores on the curve of adaptive temperature."""

from __future__ import annotations

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from sharplib import adaptive_softmax, entropy_matched_softmax, measures, softmax
from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.mappings import PUBLISHED_COEFFICIENTS


class AdaptiveTemperature(Explorer):
    """One leader before a crowd: how far adaptive temperature and entropy matching cool the row.

    The row has ``n`` items (2 to 10^5): a leader ``lead`` (0.1 to 15) above the best of the others,
    which lie evenly on at most 64 levels over the next ``width`` (0 to 10). ``target`` (0.05 to 3)
    is what entropy matching aims at, in nats. ``coefficients``, highest power first, and ``gate``
    are those of `sharplib.adaptive_softmax`.

    >>> AdaptiveTemperature(n=4, lead=2, width=1).row()
    array([ 2. ,  0. , -0.5, -1. ])
    """

    module = "adaptive-temperature"
    caption = (
        "Above: the inverse temperature that adaptive temperature reads off the entropy of the "
        "plain row (orange, on the blue curve), and the one that a target asks for (green). "
        "Below: the weight that the leader gets."
    )
    height = (550, 890)

    n = t.Int(256, min=2, max=10**5).tag(sync=True)
    lead = Number(6.0, min=0.1, max=15).tag(sync=True)
    width = Number(0.0, min=0, max=10).tag(sync=True)
    target = Number(0.5, min=0.05, max=3).tag(sync=True)
    coefficients = t.List(t.CFloat(), list(PUBLISHED_COEFFICIENTS), minlen=1).tag(sync=True)
    gate = Number(0.5, min=0, max=12).tag(sync=True)

    def row(self) -> np.ndarray:
        """The scores, the leader first."""
        levels = min(self.n - 1, 64)
        counts = [len(part) for part in np.array_split(np.arange(self.n - 1), levels)]
        crowd = np.linspace(0, -self.width, levels) if levels > 1 else np.zeros(1)
        return np.r_[self.lead, np.repeat(crowd, counts)]

    def weights(self) -> dict[str, np.ndarray]:
        """Weights of the row by rule."""
        x = self.row()
        return {
            "softmax": softmax(x),
            "adaptive": adaptive_softmax(x, coefficients=self.coefficients, gate=self.gate),
            "matched": entropy_matched_softmax(x, self.target),
        }

    def figure(self) -> Figure:
        """The curve with the row on it, and the leader's weight under three rules."""
        weights = self.weights()
        h = np.linspace(0, 12, 600)
        wanted = np.polyval(self.coefficients, h)
        at = float(measures.entropy(weights["softmax"]))
        asked = np.polyval(self.coefficients, at)
        beta = asked if at > self.gate and asked > 1 else 1.0
        figure, (above, below) = style.subplots(2, 1, figsize=(6, 4.6), height_ratios=(2, 1))
        above.plot(h, wanted, color=style.MUTED, lw=1.2, ls="--")
        above.plot(h, np.where(h > self.gate, np.maximum(wanted, 1), 1), color=style.PALETTE[0])
        above.plot(at, beta, "o", color=style.PALETTE[1])
        above.set(xlabel="entropy of the plain row (nats)", ylabel="inverse temperature β")
        above.set(xlim=(0, 12), ylim=(0, 4))
        bars = below.barh(list(weights), [p[0] for p in weights.values()], color=style.PALETTE)
        below.bar_label(bars, fmt="{:.3f}", padding=3)
        below.set(xlim=(0, 1.12), xlabel="weight of the leader")
        below.invert_yaxis()
        return style.finish(figure)

    def describe(self) -> str:
        """The row, its entropy and the leader's weight under three rules in words."""
        weights = self.weights()
        return (
            f"The curve of adaptive temperature over entropy. A row of {self.n:,} items whose "
            f"leader is {self.lead:g} ahead has an entropy of "
            f"{float(measures.entropy(weights['softmax'])):.2f} nats. Its leader gets "
            f"{weights['softmax'][0]:.3f} of the weight from softmax, "
            f"{weights['adaptive'][0]:.3f} from adaptive temperature, and "
            f"{weights['matched'][0]:.3f} from an entropy matched to {self.target:g}."
        )
