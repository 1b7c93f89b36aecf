"""Jacobians written out, for the maps whose own tests have none."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import expit
from scipy.special import softmax as scipy_softmax

import sharplib


def of_softmax(x: np.ndarray, scale: float = 1.0) -> np.ndarray:
    p = scipy_softmax(scale * x)
    return scale * (np.diag(p) - np.outer(p, p))


def of_sparsemax(x: np.ndarray) -> np.ndarray:
    """diag s - s sᵀ / |S|, with the support S found by sorting."""
    ordered = np.sort(x)[::-1]
    count = np.arange(1, len(x) + 1)
    tau = (ordered.cumsum() - 1) / count
    s = (x > tau[count * ordered > ordered.cumsum() - 1][-1]).astype(float)
    return np.diag(s) - np.outer(s, s) / s.sum()


def of_sparsehourglass(x: np.ndarray, q: float) -> np.ndarray:
    room, total = len(x) * q, x.sum()
    scale = (1 + room) / (abs(total) + room)
    by_x = -scale * np.sign(total) / (abs(total) + room) * np.ones_like(x)
    return of_sparsemax(scale * x) @ (scale * np.eye(len(x)) + np.outer(x, by_x))


def of_power(x: np.ndarray, alpha: float) -> np.ndarray:
    """α p_i (δ_ij - p_j) / x_j, and 0 where x_j is not positive."""
    powers = np.where(x > 0, np.abs(x) ** alpha, 0)
    p = powers / powers.sum()
    return np.where(x > 0, alpha * (np.diag(p) - np.outer(p, p)) / x, 0)


def of_sigmoid(x: np.ndarray) -> np.ndarray:
    p = expit(x - np.log(len(x)))
    return np.diag(p * (1 - p))


def of_entmax15(x: np.ndarray) -> np.ndarray:
    """diag u - u uᵀ / sum u with u = sqrt p, from a threshold found by bisection."""
    low, high = x.max() / 2 - 1, x.max() / 2
    for _ in range(80):
        middle = (low + high) / 2
        above = (np.maximum(x / 2 - middle, 0) ** 2).sum() > 1
        low, high = (middle, high) if above else (low, middle)
    u = np.maximum(x / 2 - low, 0)
    return np.diag(u) - np.outer(u, u) / u.sum()


LOG = np.log(7)
CASES = {
    "softmax": (sharplib.softmax, of_softmax),
    "softmax, temperature": (
        partial(sharplib.softmax, temperature=0.5),
        partial(of_softmax, scale=2.0),
    ),
    "logn_softmax": (
        partial(sharplib.logn_softmax, train_length=3),
        partial(of_softmax, scale=LOG / np.log(3)),
    ),
    "yarn_softmax": (
        partial(sharplib.yarn_softmax, train_length=3),
        partial(of_softmax, scale=(0.1 * np.log(7 / 3) + 1) ** 2),
    ),
    "asentmax": (
        partial(sharplib.asentmax, beta=0.5, gamma=2.0),
        lambda x: (1 + 0.5 * LOG**2) * of_entmax15((1 + 0.5 * LOG**2) * x),
    ),
    "sparsegen": (partial(sharplib.sparsegen, lam=0.5), lambda x: 2 * of_sparsemax(2 * x)),
    "sparsehourglass": (
        partial(sharplib.sparsehourglass, q=0.5),
        partial(of_sparsehourglass, q=0.5),
    ),
    "power_softmax": (partial(sharplib.power_softmax, alpha=2.5), partial(of_power, alpha=2.5)),
    "sigmoid_weights": (sharplib.sigmoid_weights, of_sigmoid),
}


@pytest.mark.parametrize(("mapping", "jacobian"), CASES.values(), ids=CASES)
def test_the_jacobian_written_out(mapping, jacobian, rng):
    x = rng.standard_normal((20, 7))
    found = torch.func.vmap(torch.func.jacrev(mapping))(torch.tensor(x))
    # Entries up to 10, a few operations each.
    np.testing.assert_allclose(found, [jacobian(row) for row in x], rtol=1e-12, atol=1e-13)
