"""Answers to the exercises of *Sharpness costs weights*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

import sharplib
from sharplib.theory import critical_size


def links(rng: np.random.Generator) -> dict[str, list[float]]:
    """Mean links of random heads at four widths, each from 20 draws; the use is their product."""
    found: dict[str, list[float]] = {"K": [], "angle": [], "use": []}
    for d in (4, 16, 64, 256):
        rows = []
        for _ in range(20):
            q, k = rng.standard_normal((2, d, d))
            y, x = rng.standard_normal(d), rng.standard_normal((16, d))
            scores = x @ k.T @ (q @ y)
            v = x[scores.argmax()] - x[scores.argmin()]
            gaps = np.linalg.norm(x[:, None] - x[None], axis=-1)
            asked, answered = q @ y, k @ v
            norm = np.linalg.norm
            angle = asked @ answered / (norm(asked) * norm(answered))
            bound = norm(q, 2) * norm(k, 2) * norm(y) * gaps.max()
            rows.append([norm(answered) / (norm(k, 2) * norm(v)), angle, np.ptp(scores) / bound])
        for name, mean in zip(found, np.mean(rows, axis=0), strict=True):
            found[name].append(mean)
    return found


def cheapest() -> np.ndarray:
    """The cheapest three factors with the product 10, by descent on the logarithms of two."""

    def factors(logs: np.ndarray) -> np.ndarray:
        return np.exp([*logs, np.log(10) - logs.sum()])

    found = minimize(lambda logs: (factors(logs) ** 2).sum(), [0.0, 1.0], tol=1e-12)
    return factors(found.x)


def best_sharpness(rng: np.random.Generator) -> float:
    s = 0.003
    starts = rng.standard_normal(10)
    starts = s * (starts - starts.mean()) / starts.std()
    rho, kind = rng.random((20_000, 16)), rng.integers(10, size=(20_000, 16))
    sizes = rng.integers(5, 17, size=(20_000, 1))
    rho = np.where(np.arange(16) < sizes, rho, -np.inf)
    answer = np.take_along_axis(kind, rho.argmax(axis=-1)[:, None], axis=-1)

    def loss(sharpness: float) -> float:
        p = sharplib.softmax(sharpness * (rho + starts[kind]))
        return -np.log((p * (kind == answer)).sum(axis=-1)).mean()

    tried = np.geomspace(0.1, 10, 13) / s
    return tried[np.argmin([loss(sharpness) for sharpness in tried])]


def grown(factor: float) -> float:
    spread = factor**4 * critical_size.required_spread(16, 0.5)
    return float(critical_size.critical_size(spread, 0.5))


DECAYS = 0.001 * np.array([0.001, 0.1, 1, 3])
BURST = [1e-30] * 5000 + [(0.999 / 0.9) ** j for j in range(200)]


def right() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    return {
        "ex-ten-per-cent": [grown(1.1), grown(1.4)],
        "ex-halve": [np.log(0.5) / np.log1p(-0.001 * decay) for decay in (0.001, 0.1, 1, 3)],
        "ex-random": links(rng)["angle"],
        "ex-split": cheapest(),
        "ex-worth": best_sharpness(rng),
        "ex-burst": BURST,
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-ten-per-cent": [
        ([1 + 15**1.1, 1 + 15**1.4], "one factor"),
        ([16 ** (1.1**4), 16 ** (1.4**4)], "power of 15"),
        ([16 * 1.1**4, 16 * 1.4**4], "exponential"),
        ([15 ** (1.1**4), 15 ** (1.4**4)], "rivals"),
        ([1 + 15**4.4, 1 + 15**5.6], "4 times g"),
        ([20, 30], "How many times larger"),
    ],
    "ex-halve": [
        (1 / DECAYS, "37 %"),
        (0.5 / DECAYS, "straight line"),
        (np.log(2) / (1000 * DECAYS), "learning rate"),
        (1 / np.log(2) / DECAYS, "multiply by log 2"),
        ([1, 2, 3, 4], "logarithms"),
    ],
    "ex-random": [
        ([0.195, 0.12, 0.068, 0.036], "the use itself"),
        ([0.52, 0.51, 0.52, 0.5], "hardly changes"),
        ([0.156, 0.28, 0.5, 0.7], "smallest width"),
        ([0.9, 0.5, 0.1, 0.01], "some 20 times"),
    ],
    "ex-split": [
        ([2, 2, 2], "must be 10"),
        ([-1, -1, 10], "positive"),
        ([1, 2, 5], "cheaper"),
        ([1, 1, 10], "102"),
    ],
    "ex-worth": [
        (1.2, "product"),
        (100, "duller"),
        (2000, "surer"),
        (-1, "positive"),
    ],
    "ex-burst": [
        ([1.0] * 4000, "steady"),
        ([1e-30] * 5000 + [1.0], "3.16"),
        ([0.0] * 4000, "All gradients are 0"),
        ([1.0] * 10, "longer silence"),
        ([1e-30] * 5000 + [1.0] * 200, "equality"),
    ],
}

#: Simulated answers scatter, so only answers that are far off are sure to be wrong.
SIMULATED = {"ex-random", "ex-worth"}

#: Adam divides the scale of gradients out.
ANY_SCALE = {"ex-burst"}
