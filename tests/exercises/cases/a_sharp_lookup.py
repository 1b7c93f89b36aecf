"""Answers to the exercises of *A sharp lookup*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq

import sharplib
from sharplib import measures


def leaders_gradient(n: int) -> torch.Tensor:
    x = torch.zeros(n, dtype=torch.float64, requires_grad=True)
    (-sharplib.log_softmax(x)[0]).backward()
    return x.grad[:2]


SCORES = np.array([1.0, 2.0, 3.0, 4.0])


def right() -> dict[str, Any]:
    return {
        "ex-by-hand": [sharplib.softmax(np.log([1, 2, 5]), temperature=t) for t in (1, 1 / 2)],
        "ex-lead": lambda n: brentq(
            lambda lead: sharplib.softmax(np.r_[lead, np.zeros(n - 1)])[0] - 0.5, 0, 20
        ),
        "ex-target": brentq(
            lambda t: sharplib.softmax(SCORES, temperature=t).max() - 0.9, 0.1, 2, xtol=1e-12
        ),
        "ex-ties": [
            measure(sharplib.softmax(np.r_[np.ones(3), np.zeros(7)], temperature=0.01))
            for measure in (measures.top_weight, measures.entropy, measures.effective_support)
        ],
        "ex-gradient": leaders_gradient,
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-by-hand": [
        ([[1, 2, 5], [1, 4, 25]], "add up to 1"),
        ([[0, 0.301, 0.699], [0, 0.301, 0.699]], "divided the scores"),
        ([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]], "first row"),
        ([[0.125, 0.25, 0.625], [0.125, 0.25, 0.625]], "the second is the same"),
        ([[0.125, 0.25, 0.625], [0.215, 0.304, 0.481]], "You divided by 2"),
        ([[0.125, 0.25, 0.625], [0.1, 0.1, 0.8]], "what does twice the score"),
    ],
    "ex-lead": [
        (lambda n: np.log(n), "How many others"),
        (lambda n: n - 1, "leader's power"),
        (lambda n: np.log2(n - 1), "base"),
        (lambda n: np.log10(n - 1), "base"),
        (lambda n: -np.log(n - 1), "sign"),
        (lambda n: 4.0, "Half for the leader"),
    ],
    "ex-target": [
        (2.3017, "inverse"),
        (0.4345, "more digits"),
        (0.9, "colder"),
        (0.1, "warmer"),
        (-1, "positive"),
    ],
    "ex-ties": [
        ([1, 0, 1], "single leader"),
        ([0.1, np.log(10), 10], "heat"),
        ([1 / 3, np.log2(3), 3], "bits"),
        ([1 / 3, 3, np.log(3)], "entropy comes second"),
        ([0.3, 1, 3], "seven lower items"),
    ],
    "ex-gradient": [
        (lambda n: (1 - 1 / n, -1 / n), "log p"),
        (lambda n: ((1 - 1 / n) / n, -1 / n**2), "Divide by the weight"),
        (lambda n: (1 / n, 1 / n - 1), "comes first"),
        (lambda n: (0, 0), "n = 4"),
    ],
}
