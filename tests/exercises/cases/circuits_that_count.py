"""Answers to the exercises of *Circuits that count*, right and wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq, linprog
from scipy.special import expit

from sharplib.arithmetic import nmu
from sharplib.studies import single_module


def said(weights: list[float], inputs: list[float]) -> float:
    return nmu(torch.tensor([inputs], dtype=torch.float64), torch.tensor([weights]).double()).item()


def straight() -> float:
    """The least largest error of a straight line against t² on [2, 42], by linear programming."""
    t = np.linspace(2, 42, 2001)[:, None]
    basis = np.hstack([np.ones_like(t), t])
    bounds = np.block([[basis, -np.ones_like(t)], [-basis, -np.ones_like(t)]])
    curve = (t**2)[:, 0]
    return linprog([0, 0, 1], bounds, np.r_[curve, -curve], bounds=[(None, None)] * 3).fun


def right() -> dict[str, Any]:
    return {
        "ex-soft-circuit": said([1, 0.9, 0.1], [2, 3, 10]),
        "ex-last-kink": straight(),
        "ex-how-far": [
            brentq(lambda M: said([1, 1e-4], [3, M]) / 3 - 1.01, 2, 1000),
            # the weight of a leader among n is a sigmoid of its lead less log(n - 1)
            1 + math.exp(brentq(lambda log: expit(10 - log) - 0.5, 0, 20)),
        ],
        "ex-many-ignored": lambda M, s, m: said([1] + [s] * m, [5] + [M] * m) / 5 - 1,
        "ex-seeds": next(n for n in range(1, 999) if single_module.wilson(n, n).low >= 0.95),
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-soft-circuit": [
        (6, "rounded"),
        (2 * 2.7 * 1, "counts as 1"),
        (2 + 2.7 + 1, "NAU"),
        (60, "taken whole"),
        (1, "Three factors"),
    ],
    "ex-last-kink": [
        (1600, "square of the length"),
        (220.5, "from 2 to 42"),
        (5, "grows with the square"),
        (400, "four errors"),
        (1, "first part of the theorem"),
    ],
    "ex-how-far": [
        ([22_027, 101], "comes first"),
        ([101, 11_014], "hold as much"),
        ([101, 148.4], "minus the lead"),
        ([101, 11], "odds are exponentials"),
        ([10_001, 22_027], "1 % are 0.01"),
        ([1, 1], "Both times the line"),
    ],
    "ex-many-ignored": [
        (lambda M, s, m: m * s * (M - 1), "as long as it is small"),
        (lambda M, s, m: (1 + s * (M - 1)) ** m, "beyond 1"),
        (lambda M, s, m: (1 + s * M) ** m - 1, "s M + 1 - s"),
        (lambda M, s, m: s * (M - 1), "There are m"),
        (lambda M, s, m: (1 - s + s / M) ** m - 1, "should be taken"),
        (lambda M, s, m: 0.0, "What is one factor"),
    ],
    "ex-seeds": [
        (72, "Round up"),
        (25, "86.7 %"),
        (19, "in place of the 1"),
        (37, "square of z"),
        (38, "square of z"),
        (59, "exact binomial"),
        (60, "rule of three"),
        (10, "Solve"),
    ],
}
