"""Answers to the exercises of *Exact zeros*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

import sharplib


def level(lead: float, alpha: float) -> float:
    """Weight of the leader of a million, which is within 0.2 % of the limit."""
    return sharplib.entmax(np.r_[lead, np.zeros(10**6)], alpha)[0]


def crowded(alpha: float) -> float:
    """The size at which weights of evenly spread scores, summed as an integral, leave a tenth."""
    heights = np.linspace(0, 1, 200_001)
    height = 0.1 ** (alpha - 1) / (alpha - 1) if alpha > 1 else 0
    if alpha == 1:
        depths = 40 * heights
        return 50 / (0.1 * np.trapezoid(np.exp(-depths), depths))
    weights = ((alpha - 1) * height * (1 - heights)) ** (1 / (alpha - 1))
    return 50 / np.trapezoid(weights, height * heights)


def hardens(gap: float, alpha: float) -> float:
    def late(theta: float) -> float:
        return 1.0 if sharplib.entmax(np.array([gap, 0.0]) / theta, alpha)[0] == 1 else -1.0

    return brentq(late, 1e-3, 10, xtol=1e-10)


def right() -> dict[str, Any]:
    return {
        "ex-water": sharplib.sparsemax(np.array([0.6, 0.5, 0.2, -1])),
        "ex-keep-half": [
            brentq(
                lambda lead, alpha=alpha: level(lead, alpha) - 0.5,
                0.1,
                0.95 / (alpha - 1),
                xtol=1e-5,
            )
            for alpha in (2.0, 1.5)
        ],
        "ex-crowded": [crowded(alpha) for alpha in (1, 1.5, 2)],
        "ex-harden": hardens,
        "ex-runners-up": lambda k, lead: sharplib.sparsemax(
            np.r_[lead, np.zeros(k), np.full(9, -3.0)]
        )[0],
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-water": [
        (sharplib.softmax(np.array([0.6, 0.5, 0.2, -1])), "softmax"),
        ([0.55, 0.45, 0, 0], "third score"),
        ([0.775, 0.675, 0.375, -0.825], "below 0"),
        ([0.6, 0.5, 0.2, 0], "Lower all"),
        ([1, 0, 0, 0], "Try one item"),
    ],
    "ex-keep-half": [
        ([2**0.5, 0.5], "comes first"),
        ([0.5, 0.5], "power α - 1 of one half"),
        ([0.5, 0.125], "is its root"),
        ([0.5, 0.5**0.5], "is the root, not"),
        ([1, 2], "lower end of the theorem"),
    ],
    "ex-crowded": [
        ([500, 500, 500], "three times"),
        ([10_000, 2372, 500], "Begin with softmax"),
        ([500, 1581, 5000], "factor α"),
        ([500, 348.1, 316.2], "to the power α"),
        ([500, 2372, 100], "Solve P"),
    ],
    "ex-harden": [
        (lambda gap, alpha: gap, "Right for sparsemax"),
        (lambda gap, alpha: gap / (alpha - 1), "Turn it round"),
        (lambda gap, alpha: 1 / gap / (alpha - 1), "inverse"),
        (lambda gap, alpha: 0, "out of reach"),
    ],
    "ex-runners-up": [
        (lambda k, lead: lead, "without end"),
        (lambda k, lead: lead + 1 / (k + 1), "shared by k + 1"),
        (lambda k, lead: (1 - lead) / (k + 1), "Add the lead"),
        (lambda k, lead: 1 / k + lead, "How many items share"),
        (lambda k, lead: 0.5, "two equations"),
    ],
}
