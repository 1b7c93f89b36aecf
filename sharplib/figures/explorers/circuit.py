"""A multiplication unit whose weights a reader softens, inside and outside its training range."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from sharplib.figures import style
from sharplib.figures.explorers._base import Explorer, Number
from sharplib.theory.extrapolation import circuit_error

_FLOOR = 1e-6  # of the axis of errors


class Circuit(Explorer):
    """Weights of an NMU from sharp to soft, and its error from small inputs to large ones.

    ``weights`` are three numbers from 0 to 1. The error is the largest one, relative to what the
    rounded weights say, for inputs from 1 to ``trained`` (1.5 to 10) and to ``tested`` (2 to 10^4).

    >>> Circuit(weights=[0.9, 1, 0.2]).formula()
    'x₁ · x₂'
    """

    module = "circuit"
    caption = (
        "Above: the weights of the three inputs; drag them, or focus one and use the arrow keys. "
        "Below: how wrong the circuit may be, against the largest input. Shaded: training."
    )
    height = (560, 720)

    weights = t.List(t.CFloat(), [0.999, 0.999, 0.001]).tag(sync=True)
    trained = Number(2.0, min=1.5, max=10).tag(sync=True)
    tested = Number(1000.0, min=2, max=1e4).tag(sync=True)

    @t.validate("weights")
    def _check_weights(self, proposal: Any) -> list[float]:
        value = list(proposal["value"])
        if len(value) != 3 or not all(0 <= w <= 1 for w in value):
            raise t.TraitError(f"weights must be three numbers from 0 to 1, got {value}")
        return value

    def formula(self) -> str:
        """What the circuit says if its weights are rounded."""
        taken = [f"x{digit}" for digit, w in zip("₁₂₃", self.weights, strict=True) if w >= 0.5]
        return " · ".join(taken) or "1"

    def figure(self) -> Figure:
        """The weights, and the error against the largest input."""
        figure, (above, below) = style.subplots(2, 1, figsize=(6, 4.6), height_ratios=(2, 3))
        bars = above.bar(["x₁", "x₂", "x₃"], self.weights, color=style.PALETTE[0], width=0.5)
        above.bar_label(bars, fmt="{:.4g}", padding=2)
        above.set(ylabel="weight", ylim=(0, 1.2))
        size = np.geomspace(1.01, 1e4, 200)
        below.axvspan(1, self.trained, color=style.FAINT, lw=0)
        error = np.maximum(circuit_error(self.weights, size), _FLOOR)
        below.loglog(size, error, color=style.PALETTE[0])
        for at, color in zip((self.trained, self.tested), style.PALETTE[2:0:-1], strict=True):
            below.plot(at, max(float(circuit_error(self.weights, at)), _FLOOR), "o", color=color)
        below.set(xlabel="largest input M", ylabel="relative error", xlim=(1, 1e4))
        below.set(ylim=(_FLOOR, 100))
        return style.finish(figure)

    def describe(self) -> str:
        """Weights, formula and both errors in words."""
        weights = ", ".join(f"{w:g}" for w in self.weights)
        inside, outside = (
            float(circuit_error(self.weights, at)) for at in (self.trained, self.tested)
        )
        return (
            f"Bars of the weights {weights}; rounded, the circuit says {self.formula()}. Below "
            "them its largest relative error against the largest input, both axes logarithmic: "
            f"up to {self.trained:g}, in training, {inside:.3g}; up to {self.tested:g} "
            f"{outside:.3g}."
        )
