"""Answers to the exercises of *Watching a head disperse*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

import sharplib


def cooled(rng: np.random.Generator) -> list[float]:
    rho = rng.random((300, 16384))
    heats = (np.log(16) / np.log(16384), 16 / 16384)
    return [sharplib.softmax(100 * rho, temperature=heat).max(axis=-1).mean() for heat in heats]


def fair(rng: np.random.Generator, sharpness: float = 100.0) -> list[float]:
    rho, kind = rng.random((300, 1024)), rng.integers(10, size=(300, 1024))
    p = sharplib.softmax(sharpness * rho)
    votes = np.stack([np.where(kind == c, p, 0).sum(axis=-1) for c in range(10)], axis=-1)
    answer = np.take_along_axis(kind, rho.argmax(axis=-1)[:, None], axis=-1)[:, 0]
    return [1.0, p.max(axis=-1).mean(), (votes.argmax(axis=-1) == answer).mean()]


def right() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    return {
        "ex-half": brentq(lambda n: 1 / (1 + n / 100) - 0.5, 1, 1000),
        "ex-cool-with-n": cooled(rng),
        "ex-no-luck": [0.4, 0.46],
        "ex-other-priorities": [2, 1, 0.5],
        "ex-fair-head": fair(rng),
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-half": [
        (1 + np.exp(100), "bottom"),
        (101, "(n-1)/B"),
        (99, "once more"),
        (50, "2/3"),
        (200, "1/3"),
        (400, "is 0.2."),
        (-3, "positive"),
    ],
    "ex-cool-with-n": [
        ([0.89, 0.021], "comes first"),
        ([0.006, 0.89], "plain softmax"),
        ([0.021, 6e-5], "warmed"),
        ([0.5, 0.5], "some hundred sets"),
    ],
    "ex-no-luck": [
        ([0.46, 0.4], "come first"),
        ([0.46, 0.46], "right class"),
        ([0.4, 0.4], "any class"),
        ([0.4, 0.5], "lost sets"),
        ([40, 46], "per cent"),
        ([0.4, 0.6], "60 %"),
    ],
    "ex-other-priorities": [
        ([-2, -1, -0.5], "sign"),
        ([0.5, 1, 2], "other way round"),
        ([1, 1, 1], "for u itself"),
        ([3, 1, 2], "Square it"),
    ],
    "ex-fair-head": [
        ([0.7, 0.09, 0.35], "without head starts"),
        ([1, 0.9, 0.35], "too large"),
        ([1, 0.01, 0.35], "too small"),
        ([1, 0.09, 1.0], "Let all items vote"),
        ([1, 0.09, 0.1], "chance"),
        ([1, 0.09, 0.85], "added up"),
    ],
}

#: Simulated answers scatter, so only answers that are far off are sure to be wrong.
SIMULATED = {"ex-cool-with-n", "ex-fair-head"}
