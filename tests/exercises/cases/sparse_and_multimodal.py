"""Answers to the exercises of *Sparse and multi-modal*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

import sharplib
from sharplib.measures import smooth_sparsity


def from_weights() -> np.ndarray:
    """Bent scores as logarithms of weights, beside the item at 0."""
    p = sharplib.multimax(np.array([2.0, 0, -1]), (0, 1), (-2, -0.5))
    return np.log(p / p[1])


def smallest() -> float:
    """The coefficient at which a fine row is no longer in order."""
    x = np.linspace(-2, 2, 401)

    def falls(c: float) -> float:
        p = np.log(sharplib.multimax(x, (0.5, -0.5), (0.6, c)))
        return 1.0 if np.diff(p).min() > 0 else -1.0

    return brentq(falls, -0.9, 0, xtol=1e-6)


def needed(high: float) -> float:
    """The slope at which S of MultiMax is that of softmax."""
    x = np.array([2.0, 1, -1, -1, -1])

    def gain(low: float) -> float:
        p = sharplib.multimax(x, (0, 0), (1 - low, high - 1))
        return float(
            smooth_sparsity(p, x, 0, 0.2) - smooth_sparsity(sharplib.softmax(x), x, 0, 0.2)
        )

    return brentq(gain, 0.5, 8, xtol=1e-10)


def size(slope: float) -> float:
    """The size at which one score, 5 above all others, has a tenth."""

    def top(log_n: float) -> float:
        others = np.exp(log_n) - 1
        return 1 / (1 + others * np.exp(-5 * slope)) - 0.1

    return float(np.exp(brentq(top, 1, 30, xtol=1e-12)))


def right() -> dict[str, Any]:
    return {
        "ex-bend": from_weights(),
        "ex-overlap": smallest(),
        "ex-needed": needed,
        "ex-later": [size(1), size(2)],
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-bend": [
        ([1, 0, -3], "way up to 1"),
        ([1.5, 0, -4], "3 in all"),
        ([1.5, 0, -2], "two is added"),
        ([2.5, 0, 2], "wrong signs"),
        ([2.5, 0, -3], "below 2"),
        ([2, 0, -1], "Start at 0"),
    ],
    "ex-overlap": [
        (-1, "at once"),
        (-0.6, "Where is it 0"),
        (0.4, "right size"),
        (-1.6, "takes 0.6 away"),
        (0, "three pieces"),
    ],
    "ex-needed": [
        (lambda high: needed(high) - 1, "how much is added"),
        (lambda high: 1.0, "leave more"),
        (lambda high: 2 - needed(high), "Turn the fraction"),
        (lambda high: 1 / high, "two weights"),
        (lambda high: 2.0, "before and after"),
    ],
    "ex-later": [
        ([198239, 1336.7], "Softmax comes first"),
        ([1336.7, 2673.4], "in the exponent"),
        ([1336.7, 110.6], "wider"),
        ([1485.1, 220265.7 + 1], "Nearly"),
        ([10, 10], "solve for n"),
    ],
}
