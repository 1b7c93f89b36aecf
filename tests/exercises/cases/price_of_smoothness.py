"""Answers to the exercises of *The price of smoothness*, right and wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize

import sharplib


def gain(n: int, r: float, delta: float) -> float:
    """The most that one of n scores gains when it rises by r: from level ones, by the map."""
    x = np.zeros(n)
    return sharplib.plsoftmax(x + r * np.eye(n)[0], delta)[0] - 1 / n


def softmax_price(n: float) -> float:
    """Half of the largest loss at temperature 1, from the worst of all gaps."""
    gaps = np.linspace(0, 30, 200_001)
    others = (n - 1) * np.exp(-gaps)
    return (gaps * others / (1 + others)).max() / 2


def least(n: int, delta: float) -> float:
    """The least Euclidean move from 1/n each to one item alone, over the way the others shared."""
    if n > 10:  # a solver is slow there, and all others are alike
        return math.hypot(1 - 1 / n, math.sqrt(n - 1) / n) / delta
    found = minimize(
        lambda f: np.linalg.norm(np.eye(n)[0] - f),
        np.r_[0.5 / n, np.full(n - 1, (1 - 0.5 / n) / (n - 1))],
        bounds=[(0, 1 / n)] + [(0, 1)] * (n - 1),
        constraints={"type": "eq", "fun": lambda f: f.sum() - 1},
        method="SLSQP",
    )
    return found.fun / delta


def right() -> dict[str, Any]:
    exp = sharplib.softmax(0.1 * np.array([60.0, 40.0]))
    power = sharplib.power_softmax(np.array([70.0, 50.0]), 0.1 / math.log(1 + 1 / 10))
    theta = brentq(lambda t: t * math.log(1000) - 0.1, 1e-3, 1)
    return {
        "ex-lottery": sharplib.plsoftmax(np.array([2, 1.6, 1.3, 0]), 1.0),
        "ex-strict-jury": [theta, 0.5 / theta],
        "ex-false-report": gain,
        "ex-overtaken": math.ceil(
            brentq(lambda n: softmax_price(n) - 2 * (1 - 1 / n), 10, 2000, xtol=0.01)
        ),
        "ex-two-rows": least,
        "ex-odds": [exp[0] / exp[1], power[0] / power[1]],
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-lottery": [
        (sharplib.softmax(np.array([2, 1.6, 1.3, 0])), "softmax"),
        (sharplib.sparsemax(np.array([2, 1.6, 1.3, 0])), "sparsemax"),
        ([0.4, 0.3, 0.3, 0], "widths"),
        ([0.625, 0.225, 0.075, 0.075], "no threshold reaches"),
        ([1, 0, 0, 0], "up to 0.7 two"),
    ],
    "ex-strict-jury": [
        ([34.54, 0.01448], "comes first"),
        ([0.01448, 69.08], "half of that"),
        ([0.02262, 22.1], "Lambert"),
        ([69.08, 0.00724], "inverse temperature"),
        ([1 / 30, 15], "natural one"),
        ([0.1, 5], "Set θ log 1000"),
    ],
    "ex-false-report": [
        (lambda n, r, delta: 2 * (1 - 1 / n) * r / delta, "bidder's own"),
        (lambda n, r, delta: r / delta, "only half"),
        (lambda n, r, delta: r / n / delta, "from all of them"),
        (lambda n, r, delta: r / delta / 2, "two bidders"),
        (lambda n, r, delta: 1.0, "diagonal"),
    ],
    "ex-overtaken": [
        (51, "softmax_loss"),
        (39, "factor of 2"),
        (595, "exact place"),
        (1000, "Step n up"),
    ],
    "ex-two-rows": [
        (lambda n, delta: 1 / delta, "l2 to l2"),
        (lambda n, delta: 2 * (1 - 1 / n) / delta, "l1 to l1"),
        (lambda n, delta: (1 - 1 / n) / delta, "lifted item alone"),
        (lambda n, delta: 2**0.5 * (1 - 1 / n) / delta, "lost it all"),
        (lambda n, delta: n, "Square, add, root"),
    ],
    "ex-odds": [
        ([1.423, 7.389], "comes first"),
        ([54.6, 2.026], "half of what"),
        ([4.85e8, 34.1], "Ten draws share"),
        ([7.389, 1.53], "70 and 50"),
        ([1.5, 1.4], "may cost 2/10"),
    ],
}
