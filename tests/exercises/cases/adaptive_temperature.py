"""Answers to the exercises of *Adaptive temperature*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq

from sharplib.studies import max_retrieval


def plateaus(rng: np.random.Generator, heads: int = 300) -> np.ndarray:
    """Best temperatures of lost rows, in standard deviations of the head starts."""
    heats = []
    for start in rng.standard_normal((heads, 10)):
        for m in np.argsort(start)[:-1]:
            a = start - start[m]

            def balance(heat: float, a: np.ndarray = a) -> float:
                return (np.exp((a - a.max()) / heat) * (a - heat)).sum()

            heats.append(brentq(balance, 1e-3 * a.max(), 2 * np.ptp(a)))
    return np.array(heats)


def leader_and_crowd(g: float, d: float, k: int) -> float:
    row = torch.tensor([[g, 0.0, *[-d] * k]], dtype=torch.float64)
    return max_retrieval.best_inverse_temperature(row, torch.tensor([[1]])).item()


E = np.e


def right() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    heats = plateaus(rng).mean()
    end = max(r.real for r in np.roots([-0.037, 0.481, -2.3, 4.917, -2.791]) if r.imag == 0)
    return {
        "ex-last-item": 10 * np.exp(end - 1),
        "ex-closed-form": leader_and_crowd,
        "ex-how-prejudiced": [heats, 1 / 2.42 / heats],
        "ex-read-n": [1 / np.e, np.e / (1 + np.e)],
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-last-item": [
        (140.4, "n/B"),
        (3816, "Did the 1 get lost"),
        (382, "equal items"),
        (8.6, "sets in"),
        (10374, "sign"),
        (500, "for n"),
    ],
    "ex-closed-form": [
        (lambda g, d, k: np.log(k * d / g) / d, "leader moves"),
        (lambda g, d, k: np.log(g / (k * d)) / (g + d), "sign"),
        (lambda g, d, k: np.log(d / g) / (g + d), "k of them"),
        (lambda g, d, k: np.log(k) / (g + d), "weights times scores"),
        (lambda g, d, k: np.log(k * d / g) / (d - g), "below"),
        (lambda g, d, k: 1.0, "Measure scores"),
    ],
    "ex-how-prejudiced": [
        ([2.6, 0.4], "a mean of β"),
        ([0.5, 0.4], "all classes but the favourite"),
        ([1, 2.42], "a β"),
        ([1, 0.7], "In which unit"),
    ],
    "ex-read-n": [
        ([E, 0.731], "turned round"),
        ([1, 0.5], "do not forget the 1"),
        ([5, 0.731], "put H"),
        ([1 / E, 1 / (1 + E)], "crowd of e"),
        ([1 / E, 1 - 1 / E], "1 - crowd"),
        ([1 / E, 73.1], "per cent"),
        ([1 / E, 0.5], "use its bound"),
    ],
}

#: Simulated answers scatter, so only answers that are far off are sure to be wrong.
SIMULATED = {"ex-how-prejudiced"}
