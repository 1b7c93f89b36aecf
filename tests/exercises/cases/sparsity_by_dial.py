"""Answers to the exercises of *Sparsity by dial*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

import sharplib


def sure_of_half(lead: float, spread: float) -> float:
    """By the worst row itself: leader, level others and one at the bottom, counted as a number."""

    def short(others: float) -> float:
        mass = spread * np.exp(spread), (spread - lead) * np.exp(spread - lead)
        return mass[0] / (mass[0] + others * mass[1]) - 0.5

    return 1 + brentq(short, 0.1, 1e6, xtol=1e-12, rtol=1e-12)


def turned(n: float, weight: float) -> float:
    """Of a flat crowd: the ramp from 0 to 1 over c items sums to c/2."""
    return brentq(lambda c: 1 / np.trapezoid([0, 1], [0, c]) - weight, 1e-3, n, xtol=1e-9) / n


def heard() -> float:
    x, push = np.array([3.0, 2, 1, 0]), np.array([0, 0, 1e-6, 0])
    up, down = (sharplib.rsoftmax(x + s * push, 1 / 3)[0] for s in (1, -1))
    return (up - down) / 2e-6


def right() -> dict[str, Any]:
    x = np.random.default_rng(0).standard_normal(8)
    rates = np.linspace(0.01, 0.99, 9801)
    kept = np.array([(sharplib.rsoftmax(x, rate) > 0).sum() for rate in rates])
    return {
        "ex-count-zeros": [(sharplib.rsoftmax(x, 0.6) == 0).sum(), rates[kept == 3][0]],
        "ex-hot-row": sharplib.rsoftmax(np.array([4.0, 2, 1, -1]) / 1e7, 0.5),
        "ex-sure-of-half": sure_of_half,
        "ex-turn-the-dial": turned,
        "ex-heard": heard(),
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-count-zeros": [
        ([4, 4 / 7], "the fifth"),
        ([4.8, 0.625], "not how it counts"),
        ([4.2, 4 / 7], "rank of the quantile"),
        ([5, 0.625], "a smaller rate"),
        ([5, 5 / 7], "6 items are gone"),
        ([3, 4 / 7], "not what is kept"),
    ],
    "ex-hot-row": [
        ([0.25, 0.25, 0.25, 0.25], "zeros stay"),
        ([0.5, 0.5, 0, 0], "not level"),
        (sharplib.rsoftmax(np.array([4.0, 2, 1, -1]), 0.5), "temperature 1"),
        ([1, 0, 0, 0], "cold end"),
        ([2 / 3, 1 / 3, 0, 0], "before you compare"),
        ([0.75, 0.25, 0, 0], "halfway"),
        ([0.9, 0.1, 0, 0], "No exponentials"),
    ],
    "ex-sure-of-half": [
        (lambda lead, spread: np.exp(lead) / (1 - lead / spread), "one of the kept"),
        (lambda lead, spread: 1 + np.exp(lead), "softmax"),
        (lambda lead, spread: 1 + np.exp(lead) * (1 - lead / spread), "not fewer"),
        (lambda lead, spread: 1 + np.exp(-lead) / (1 - lead / spread), "sign"),
        (lambda lead, spread: lead, "Solve for k"),
    ],
    "ex-turn-the-dial": [
        (lambda n, weight: 1 - 2 / (n * weight), "share of zeros"),
        (lambda n, weight: 1 / (n * weight), "twice the mean"),
        (lambda n, weight: 2 / weight, "number of items to keep"),
        (lambda n, weight: 1 / (2 * n * weight), "not half"),
        (lambda n, weight: weight, "How many items are kept"),
    ],
    "ex-heard": [
        (0.0, "distance held"),
        (-heard(), "The right size"),
        (-np.e / (2 * np.e + 1), "add G p"),
        (2 * np.e * (np.e + 1) / (2 * np.e + 1) ** 2, "subtract g"),
        (1.0, "is left"),
    ],
}
