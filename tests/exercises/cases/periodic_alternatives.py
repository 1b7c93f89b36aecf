"""Answers to the exercises of *Periodic alternatives*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

import sharplib


def best_of_sines(n: int, amplitude: float = 1.0) -> float:
    """The largest weight that softmax of a sine can give to one of n."""
    row = np.r_[np.pi / 2, np.full(n - 1, -np.pi / 2)]
    return float(sharplib.softmax(amplitude * np.sin(row))[0])


def twin() -> float:
    """By looking for it, on the way down from the top."""

    def difference(x: float) -> float:
        p = sharplib.shifted_sin2_max(np.array([0.2, x]))
        return float(p[0] - p[1])

    return brentq(difference, 0.8, 2.0, xtol=1e-12)


def speeds() -> list[float]:
    """Slopes by central differences: of a leader, and of the top of sin-softmax's bound."""

    def total(mapping: Any, row: np.ndarray) -> float:
        step = 1e-6
        moved = row + step * (2 * np.eye(len(row))[0] - 1)
        back = row - step * (2 * np.eye(len(row))[0] - 1)
        return float(mapping(moved)[0] - mapping(back)[0]) / (2 * step)

    leader = total(sharplib.softmax, np.array([np.log(99), 0.0]))
    # A softmax at the ceiling of sin-softmax moves as fast as the bound says.
    at_top = np.zeros(1000)
    at_top[0] = 2
    return [leader, total(sharplib.softmax, at_top)]


def aim(n: int, P: float) -> float:
    def short(distance: float) -> float:
        row = np.r_[np.pi / 2 - distance, np.full(int(n) - 1, -np.pi / 6)]
        return float(sharplib.siren_max(row)[0]) - P

    return brentq(short, 1e-6, 3, xtol=1e-12)


def right() -> dict[str, Any]:
    return {
        "ex-twin": twin(),
        "ex-how-many": [
            max(n for n in range(1, 100) if best_of_sines(n) >= P) for P in (0.9, 0.5, 0.1)
        ],
        "ex-speed": speeds(),
        "ex-aim": aim,
        "ex-amplitude": lambda n: brentq(lambda a: best_of_sines(int(n), a) - 0.5, 0.01, 20),
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-twin": [
        (0.2 + np.pi, "whole period"),
        (0.2 + 2 * np.pi, "period is π"),
        (np.pi - 0.2, "plain sine"),
        (0.2, "score itself"),
        (np.pi / 4, "That is the top"),
        (1.0, "Mirror the score"),
    ],
    "ex-how-many": [
        ([1.821, 8.389, 67.5], "whole ones"),
        ([2, 9, 68], "Round down"),
        ([67, 8, 1], "Begin with 0.9"),
        ([1, 3, 25], "e squared"),
        ([0, 7, 66], "Count the item"),
        ([3, 3, 3], "upper end"),
    ],
    "ex-speed": [
        ([0.0099, 0.0072865], "own score"),
        ([0.014573, 0.0198], "comes first"),
        ([0.0198, 0.0073421], "is a weight"),
        ([0.0198, 0.5], "never at 1/2"),
        ([0.0198, 0.001998], "even share"),
        ([1, 1], "Use the theorem"),
    ],
    "ex-aim": [
        (lambda n, P: 2 * np.arctan(((1 - P) / P / (n - 1)) ** 0.5), "rivals at 0"),
        (lambda n, P: 2 * np.arctan(((1 - P) / P / (n - 1) / 3) ** 0.5), "above the line"),
        (lambda n, P: np.arctan((3 * (1 - P) / P / (n - 1)) ** 0.5), "half the distance"),
        (lambda n, P: 2 * np.arctan((3 * (1 - P) / P / n) ** 0.5), "How many rivals"),
        (lambda n, P: 0.1, "squared cotangent"),
    ],
    "ex-amplitude": [
        (lambda n: np.log(n - 1), "down to -A"),
        (lambda n: np.log(n) / 2, "How many rivals"),
        (lambda n: 2 * np.log(n - 1), "twice the amplitude"),
        (lambda n: (n - 1) / 2, "Take a logarithm"),
        (lambda n: 1, "When is the ceiling"),
    ],
}
