r"""How far a map falls short of the maximum, and how steep it is, found by search over rows.

A map that puts weight on the larger scores is judged by two things that pull against each other:
its *approximation error* and its *smoothness* (arXiv 2010.11450). Each function here looks for the
worst row of n scores between 0 and `width` and returns what it found: a lower bound of the true
constant, attained by some row, that more `steps` can only raise for the same `seed`.

A map is any function of a NumPy array that works along the last axis, such as an entry of the
catalogue or ``lambda x: sharplib.plsoftmax(x, 0.5)``. A map that does not change under a shift
meets all rows whose scores lie no further apart than `width`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

Map = Callable[[np.ndarray], Any]
Score = Callable[[np.ndarray], np.ndarray]

_CHAINS = 64


def expected_error(
    mapping: Map, n: int, width: float, *, steps: int = 1000, seed: int = 0
) -> float:
    r"""How far the mean score under the weights can be below the top.

    .. math:: \max_x \; \max_i x_i - \sum_i p_i x_i

    In the units of the scores. Softmax at temperature :math:`\theta` (the exponential mechanism)
    has :math:`\theta\,W((n - 1)/e) \le \theta \log n`, with Lambert's W; `plsoftmax` at most
    :math:`\delta/2`.

    >>> import sharplib
    >>> round(expected_error(sharplib.softmax, n=2, width=5.0, steps=100), 3)
    0.278
    """

    def error(x: np.ndarray) -> np.ndarray:
        return x.max(-1) - (_weights(mapping, x) * x).sum(-1)

    return _largest(error, n, width, steps, seed)


def worst_case_error(
    mapping: Map, n: int, width: float, *, steps: int = 1000, seed: int = 0
) -> float:
    r"""How far below the top an item can be that still has a weight.

    .. math:: \max_x \; \max_i x_i - \min_{i : p_i > 0} x_i

    In the units of the scores. A map without exact zeros gives `width`, whatever that is; sparsemax
    gives 1 and `plsoftmax` :math:`\delta`.

    >>> import sharplib
    >>> round(worst_case_error(sharplib.sparsemax, n=4, width=5.0, steps=100), 2)
    1.0
    """

    def error(x: np.ndarray) -> np.ndarray:
        top = x.max(-1)
        return top - np.where(_weights(mapping, x) > 0, x, top[:, None]).min(-1)

    return _largest(error, n, width, steps, seed)


def relative_error(
    mapping: Map, n: int, width: float, *, steps: int = 1000, seed: int = 0
) -> float:
    r"""Which share of the top the mean score under the weights can lack.

    .. math:: \max_x \; 1 - \frac{\sum_i p_i x_i}{\max_i x_i}

    Without a unit. `power_softmax` has at most :math:`1 - n^{-1/(\alpha + 1)}`.

    >>> import sharplib
    >>> cubes = lambda x: sharplib.power_softmax(x, 3.0)
    >>> round(relative_error(cubes, n=4, width=1.0, steps=100), 2)  # the bound is 0.29
    0.16
    """

    def error(x: np.ndarray) -> np.ndarray:
        top = x.max(-1)
        share = x / np.where(top > 0, top, 1)[:, None]
        return np.where(top > 0, 1 - (_weights(mapping, x) * share).sum(-1), 0)

    return _largest(error, n, width, steps, seed)


def lipschitz_constant(
    mapping: Map,
    n: int,
    width: float,
    *,
    p: float = 2,
    q: float = 2,
    steps: int = 200,
    seed: int = 0,
) -> float:
    r"""How fast the weights can move with the scores.

    .. math:: \max_{x \ne y} \frac{\lVert f(x) - f(y) \rVert_q}{\lVert x - y \rVert_p},
        \qquad 1 \le p, q \le \infty

    In weight per unit of score. Softmax at temperature :math:`\theta` has :math:`1/(2\theta)` where
    p = q, and `plsoftmax` at most :math:`\frac{2}{\delta} \min(p, \frac{q}{q - 1}, 1 + \log n)`. A
    map that jumps gives a number as large as the step allows, :math:`10^{-5}` of `width`.

    >>> import sharplib
    >>> round(lipschitz_constant(sharplib.softmax, n=3, width=5.0, p=1, q=1, steps=50), 3)
    0.5
    """
    n, p, q = _count(n, "n"), _order(p, "p", 1), _order(q, "q", 1)
    rng = np.random.default_rng(seed)
    signs = rng.permuted(np.tile((-1.0) ** np.arange(n), (6, 1)), axis=1)
    reach = 1e-5 * width

    def slope(x: np.ndarray) -> np.ndarray:
        move = reach * np.eye(n)
        rows = x[:, None, :]
        jacobian = _weights(mapping, rows + move) - _weights(mapping, rows - move)
        step = reach * _steepest(jacobian / (2 * reach), p, q, signs)
        moved = _weights(mapping, x + step) - _weights(mapping, x - step)
        return _norm(moved, q) / (2 * reach)

    return _largest(slope, n, width, steps, seed)


def renyi_constant(
    mapping: Map,
    n: int,
    width: float,
    *,
    order: float = np.inf,
    p: float = np.inf,
    steps: int = 1000,
    seed: int = 0,
) -> float:
    r"""How fast the weights can move with the scores, in the sense of differential privacy.

    .. math:: \max_{x \ne y} \frac{D_\lambda(f(x) \Vert f(y))}{\lVert x - y \rVert_p}, \qquad
        D_\lambda(P \Vert Q) = \frac{1}{\lambda - 1} \log \sum_i P_i^\lambda Q_i^{1 - \lambda},
        \quad D_\infty = \log \max_i \frac{P_i}{Q_i}

    In nats per unit of score, for an `order` :math:`\lambda > 1`. Softmax at temperature
    :math:`\theta` has at most :math:`2/\theta` in the maximum norm; a map with exact zeros is
    infinite. For the multiplicative form of the paper, hand in the map of the logarithms:
    ``lambda z: sharplib.power_softmax(np.exp(z), alpha)``.

    >>> import sharplib
    >>> round(renyi_constant(sharplib.softmax, n=3, width=8.0, steps=300), 1)
    2.0
    """
    n, p = _count(n, "n"), _order(p, "p", 1)
    order = _order(order, "order", 1, strict=True)

    def divergence(pair: np.ndarray) -> np.ndarray:
        # One row, a direction and a distance to the other.
        x, distance = pair[:, :n], pair[:, -1:]
        y = np.clip(x + distance * (2 / width * pair[:, n:-1] - 1), 0, width)
        apart = _norm(y - x, p)
        close = apart < 1e-5 * width  # too close for the difference to be resolved
        f, g = _weights(mapping, x), _weights(mapping, y)
        return np.where(close, 0, _divergence(f, g, order) / np.where(close, 1, apart))

    return _largest(divergence, 2 * n + 1, width, steps, seed)


def _weights(mapping: Map, x: np.ndarray) -> np.ndarray:
    return np.asarray(mapping(x), dtype=np.float64)


def _order(value: float, name: str, minimum: float, *, strict: bool = False) -> float:
    number = float(value)
    if not (number > minimum if strict else number >= minimum):
        raise ValueError(f"{name} must be {'>' if strict else '>='} {minimum:g}, got {value!r}")
    return number


def _norm(v: np.ndarray, order: float) -> np.ndarray:
    if order in (1, 2, np.inf):
        return np.linalg.norm(v, ord=order, axis=-1)
    # Relative to the largest: small numbers to a high power are 0 in floating point.
    size = np.abs(v).max(-1)
    return size * np.linalg.norm(v / np.where(size > 0, size, 1)[..., None], ord=order, axis=-1)


def _divergence(f: np.ndarray, g: np.ndarray, order: float) -> np.ndarray:
    """D_order(f || g); where f has no weight the ratio plays no part."""
    outside = ((f > 0) & (g == 0)).any(-1)
    both = (f > 0) & (g > 0)
    log_f, log_g = (np.log(np.where(both, weights, 1)) for weights in (f, g))
    ratio = np.where(both, log_f - log_g, -np.inf)
    if np.isinf(order):
        found = ratio.max(-1)
    else:
        terms = np.where(both, log_g + order * np.where(both, ratio, 0), -np.inf)
        top = terms.max(-1)
        found = (top + np.log(np.exp(terms - top[:, None]).sum(-1))) / (order - 1)
    return np.where(outside, np.inf, found)


def _aligned(v: np.ndarray, p: float) -> np.ndarray:
    """The vector of unit p-norm that has the largest inner product with v."""
    size = np.abs(v)
    if np.isinf(p):
        return np.where(v < 0, -1.0, 1.0)
    if p == 1:
        return np.sign(v) * (np.arange(v.shape[-1]) == size.argmax(-1)[..., None])
    size /= np.maximum(size.max(-1, keepdims=True), np.finfo(float).tiny)
    h = np.sign(v) * size ** (1 / (p - 1))
    return h / np.maximum(_norm(h, p), np.finfo(float).tiny)[..., None]


def _steepest(jacobian: np.ndarray, p: float, q: float, signs: np.ndarray) -> np.ndarray:
    """For each matrix, the direction of unit p-norm whose image has the largest q-norm.

    The power method for two norms. It starts from the best single input (all that is needed for
    p = 1), from the best single output (for q = infinity), and from the given signs.
    """
    m, n, _ = jacobian.shape  # from input to output
    dual_p = np.inf if p == 1 else 1.0 if np.isinf(p) else p / (p - 1)
    dual_q = np.inf if q == 1 else 1.0 if np.isinf(q) else q / (q - 1)
    inputs = np.eye(n)[_norm(jacobian, q).argmax(-1)]
    outputs = np.swapaxes(jacobian, 1, 2)
    best = outputs[np.arange(m), _norm(outputs, dual_p).argmax(-1)]
    h = np.concatenate(
        [inputs[:, None], _aligned(best, p)[:, None], np.broadcast_to(signs, (m, *signs.shape))], 1
    )
    h[:, 2:] /= _norm(signs, p)[:, None]
    for _ in range(10):  # each pass cannot lower the quotient
        h = _aligned(_aligned(h @ jacobian, dual_q) @ outputs, p)
    return h[np.arange(m), _norm(h @ jacobian, q).argmax(-1)]


def _largest(score: Score, n: int, width: float, steps: int, seed: int) -> float:
    """Climb from many rows of n numbers between 0 and width at once; the best score met."""
    n, steps = _count(n, "n"), _count(steps, "steps")
    if not (width > 0 and np.isfinite(width)):
        raise ValueError(f"width must be > 0 and finite, got {width!r}")
    rng = np.random.default_rng(seed)
    x = _starts(rng, n, width)
    best = score(x)
    for step in range(steps):
        if step % 50 == 49:  # the worst half goes on from where the best half is
            order = np.argsort(best)
            worse, good = order[: _CHAINS // 2], order[_CHAINS // 2 :]
            x[worse], best[worse] = x[good], best[good]
        moved = _moved(rng, x, width)
        found = score(moved)
        better = found > best
        x[better], best[better] = moved[better], found[better]
    return float(best.max())


def _count(value: int, name: str) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if count < 1:
        raise ValueError(f"{name} must be at least 1, got {value!r}")
    return count


def _starts(rng: np.random.Generator, n: int, width: float) -> np.ndarray:
    """Rows on a few levels: some items at the top, the others in groups below it."""
    levels = width * rng.random((_CHAINS, n))
    levels[:, 0] = width
    count = np.exp(rng.uniform(0, np.log(n), size=(_CHAINS, 1)))  # of levels, from 1 to n
    return np.take_along_axis(levels, (count * rng.random((_CHAINS, n))).astype(int), axis=1)


def _moved(rng: np.random.Generator, x: np.ndarray, width: float) -> np.ndarray:
    """Each row with one of three moves: some items, all items of a group, or an item to another."""
    m, n = x.shape
    rows = np.arange(m)
    some = rng.random((m, n)) < rng.uniform(1 / n, 1, size=(m, 1))
    pivot = x[rows, rng.integers(n, size=m)][:, None]
    below = x <= pivot
    reach = width * 10 ** -rng.uniform(0, 5, size=(m, 1))  # from the whole width to a hair
    jolt = reach * rng.standard_normal((m, n))
    joined = np.where(rng.random((m, n)) < 1 / n, pivot, x)
    kind = rng.integers(3, size=(m, 1))
    moved = np.where(
        kind == 0, x + some * jolt, np.where(kind == 1, x + below * jolt[:, :1], joined)
    )
    return np.clip(moved, 0, width)
