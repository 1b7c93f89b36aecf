"""Answers to the exercises of *Temperature and entropy*, right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import sharplib
from sharplib import measures
from sharplib.theory import critical_size


def second_order(x: np.ndarray, beta: float) -> float:
    step = 1e-3
    h = [measures.entropy(sharplib.softmax(b * x)) for b in (-step, 0.0, step)]
    return h[1] + beta**2 * (h[0] - 2 * h[1] + h[2]) / step**2 / 2


def backward_ends() -> list[float]:
    powers = np.array(sharplib.mappings.PUBLISHED_COEFFICIENTS[::-1])
    roots = np.roots(powers - [0, 0, 0, 0, 1])
    low, high = sorted(r.real for r in roots if abs(r.imag) < 1e-12 and r.real > 0.5)
    return [low, high, np.exp(high)]


def entropy_gradient(rule: Callable[..., Any], row: torch.Tensor) -> torch.Tensor:
    return torch.func.grad(lambda x: measures.entropy(rule(x)))(row)


def right() -> dict[str, Any]:
    return {
        "ex-equal": sharplib.entropy_matched_softmax(np.full(5, 3.0), 0.5),
        "ex-hot": second_order,
        "ex-postpone": lambda lead, beta: critical_size.critical_size(beta * lead, 0.5),
        "ex-order": backward_ends(),
        "ex-gradient-entropy": entropy_gradient,
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-equal": [
        ([3] * 5, "add up to"),
        ([1, 0, 0, 0, 0], "Which one"),
        ([0.3, 0.2, 0.2, 0.2, 0.1], "tells them apart"),
    ],
    "ex-hot": [
        (lambda x, b: np.log(len(x)) - b**2 * x.var(), "factor"),
        (lambda x, b: np.log(len(x)) - b**2 * x.var(ddof=1) / 2, "divides by n"),
        (lambda x, b: np.log(len(x)) + b**2 * x.var() / 2, "sign"),
        (lambda x, b: np.log(len(x)) - b * x.var(), "Integrate"),
        (lambda x, b: -(b**2) * x.var() / 2, "Where does it begin"),
        (lambda x, b: 0.0, "times a variance"),
    ],
    "ex-postpone": [
        (lambda lead, beta: np.exp(beta * lead), "one of n"),
        (lambda lead, beta: int(np.exp(beta * lead)), "one of n"),
        (lambda lead, beta: 1 + beta * np.exp(lead), "not its power"),
        (lambda lead, beta: 1 + np.exp(lead), "Where does β"),
        (lambda lead, beta: 1 + np.exp(lead / beta), "inverse temperature"),
        (lambda lead, beta: 100, "n - 1 others"),
        (lambda lead, beta: 1.001 * (1 + np.exp(beta * lead)), "Which whole n"),
    ],
    "ex-order": [
        ([0.85, 5.94, 382], "published order"),
        ([2.15, 0.92, 8.6], "smaller one first"),
        ([1, 2, 7], "coefficients round"),
        ([0.92, 2.15, 2.15], "nats"),
        ([0.92, 2.15, 2.5], "lower end"),
        ([0.92, 2.15, 100], "effective support"),
    ],
    "ex-gradient-entropy": [
        (lambda rule, x: torch.func.jacrev(rule)(x).sum(0), "0 for plain softmax too"),
        (lambda rule, x: torch.func.jacrev(rule)(x), "Weigh the entries"),
        (lambda rule: 0.0, "Wanted: a function of a rule and a row"),
    ],
}
