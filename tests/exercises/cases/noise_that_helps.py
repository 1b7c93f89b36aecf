"""Answers to the exercises of *Noise that helps*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq

from sharplib.arithmetic import snmu_by_weights


def slope_at_the_corner() -> float:
    """Half of the slope there, with its sign turned, from integrals over both inputs."""
    at, share = np.polynomial.legendre.leggauss(8)
    x = -1 + 2 * at
    error = (1 - x[:, None] * x) * (x[:, None] - 1)
    return -(error @ share @ share) / 4


def share_of_failures(mean: float, grid: int = 400) -> float:
    """Starts whose factors are pulled to the positive side: Euler's steps in the factors."""
    one = 0.25 + 0.5 * (np.arange(grid) + 0.5) / grid
    f = 1 - (1 - mean) * np.stack(np.meshgrid(one, one), -1)
    for _ in range(600):
        f = f + 0.03 * (mean**2 - f.prod(-1, keepdims=True)) * f[..., ::-1]
        f = np.clip(f, mean, 1)
    return float((f.sum(-1) > 0).mean())


def least_push(mean: float) -> float:
    """Where the lowest start makes a factor of 0, found by trying."""

    def factor(noise: float) -> float:
        x, n = (torch.tensor([[v]], dtype=torch.float64) for v in (mean, noise))
        return float(snmu_by_weights(x, torch.tensor([[0.25]], dtype=torch.float64), n))

    return brentq(factor, 0.01, 50, xtol=1e-9)


def right() -> dict[str, Any]:
    coin = [np.mean([n * w / (n * w + 1 - w) for n in (0.5, 2)]) for w in (0.5, 0.25)]
    return {
        "ex-corner": slope_at_the_corner(),
        "ex-ruler": [brentq(lambda w: 1 - 3 * w, 0, 1), share_of_failures(-2.0)],
        "ex-push": least_push,
        "ex-coin": coin,
        "ex-cliff": [brentq(lambda w: 1 - 1.6 * w - 0.6, 0, 1), share_of_failures(-0.6)],
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-corner": [
        (0, "first term"),
        (4 / 3, "last term is negative"),
        (-7 / 3, "second moment"),
        (-16, "divide by 12"),
        (-4, "a twelfth"),
        (1, "width squared over 12"),
    ],
    "ex-ruler": [
        ([2 / 3, 1 / 18], "both weights are equal"),
        ([1 / 3, 1 / 3], "leg of a triangle"),
        ([1 / 3, 1 / 9], "half the area"),
        ([1 / 3, 1 / 36], "a square"),
        ([1 / 3, 1 / 72], "that of the box"),
        ([1 / 3, 2 / 9], "Starts fill a box"),
        ([1 / 2, 1 / 2], "Draw the box"),
    ],
    "ex-push": [
        (lambda mean: 3 / mean, "above 0"),
        (lambda mean: 3, "not the least"),
        (lambda mean: -1 / mean, "Where do starts begin"),
        (lambda mean: 4 / (1 - mean), "odds, not weights"),
        (lambda mean: -mean / 3, "Turn it round"),
        (lambda mean: 1, "lowest start"),
    ],
    "ex-coin": [
        ([5 / 9, 5 / 17], "mean of weights"),
        ([1 / 2, 1 / 4], "do not cancel"),
        ([5 / 8, 5 / 16], "multiplies its odds"),
        ([19 / 70, 1 / 2], "Begin with"),
        ([5 / 4, 5 / 12], "mean odds"),
        ([0, 0], "then average"),
    ],
    "ex-cliff": [
        ([5 / 8, 7 / 8], "a factor is 0"),
        ([1 / 4, 1 / 8], "succeeds"),
        ([1 / 4, 9 / 8], "above the border"),
        ([1 / 4, 3 / 4], "half the area"),
        ([1 / 4, 0], "rounded to 0"),
        ([1 / 4, 1], "Some starts"),
        ([1 / 2, 1 / 2], "draw the border"),
    ],
}
