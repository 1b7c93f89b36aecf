r"""Sparsity by dial: what a threshold on ranks can promise, and what it cannot.

$$p_i \propto [x_i - q_r(x)]_+\, e^{x_i}, \qquad q_r \text{ the } r\text{-quantile of the scores}.$$

Five facts about r-softmax, each as a proof to read or as a function to compute with:

* the number of zeros is decided by n and r alone (`zeros`), and r = 1 - c/n keeps exactly c items
  (`keeps_the_count`, `rate_for`);
* the true derivative and the one with a fixed distance to the top differ by a matrix of rank one
  (`derivative`);
* heat does not make it uniform: the zeros stay (`hot`, `hot_weights`), so that it must jump where
  all scores are equal;
* a lead is worth a constant factor more than under softmax (`lead_keeps`, `least_leader_weight`);
* so is the top of a crowd: with a fixed r it disperses like softmax (`crowd`, `crowd_weight`).

The rate r is between 0 and 1, both left out. Source: arXiv 2304.05243 and its code for the map; the
statements are worked out here.
"""

from __future__ import annotations

import itertools

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from sharplib.theory._checks import Array, real
from sharplib.theory.proof import Proof, Step

n, c, k = sympy.symbols("n c k", integer=True, positive=True)
r, T, lead, B, d = sympy.symbols("r T Delta B d", positive=True)


# --- Statements -----------------------------------------------------------------------------------


def keeps_the_count() -> Proof:
    r"""With the rate 1 - c/n exactly c of n items keep a weight, for c from 1 to n - 1.

    The quantile stands at rank $h = r(n-1)$, counted from 0. Without ties, the items at ranks 0 to
    $\lfloor h \rfloor$ are at or below it.

    >>> print(keeps_the_count().conclusion)
    Eq(k, c)
    """
    h, z = sympy.symbols("h z")
    rank = sympy.expand((1 - c / n) * (n - 1))
    below = n - 1 - c
    if sympy.simplify(rank - below - c / n) != 0:
        raise AssertionError("the rank is not a whole number and c/n")
    return Proof(
        "The rate that keeps c",
        (
            Step(sympy.Eq(h, rank), "rank of the quantile"),
            Step(sympy.Eq(sympy.floor(h), below), "c/n lies between 0 and 1"),
            Step(sympy.Eq(z, below + 1), "zeros: ranks count from 0"),
            Step(sympy.Eq(k, sympy.expand(n - below - 1)), "the others are kept"),
        ),
    )


def derivative() -> Proof:
    r"""The Jacobian for a threshold $q = \sum_k c_k x_k$ with any fixed coefficients.

    Near a row without ties, a quantile is such a sum: $1 - \lambda$ and $\lambda$ for the scores on
    either side of it. A threshold at a fixed distance below the top has the coefficient 1 for the
    top. So one formula gives the true derivative and the authors'.

    >>> print(derivative()[0])
    Eq(q, Sum(c[k]*x[k], (k, 1, n)))
    """
    x = sympy.symbols("x1:4", real=True)  # two items that are kept, and one that is not
    weights = sympy.symbols("c1:4", real=True)
    threshold = sum(a * b for a, b in zip(weights, x, strict=True))
    mass = [(x[i] - threshold) * sympy.exp(x[i]) for i in (0, 1)] + [sympy.S.Zero]
    total = sum(mass)
    p = [m / total for m in mass]
    g = [sympy.exp(x[i]) / total for i in (0, 1)] + [sympy.S.Zero]
    for i, j in itertools.product((0, 1), range(3)):
        formula = int(i == j) * (p[i] + g[i]) - p[i] * (p[j] + g[j])
        formula -= weights[j] * (g[i] - sum(g) * p[i])
        if sympy.simplify(p[i].diff(x[j]) - formula) != 0:
            raise AssertionError(f"the formula of the Jacobian fails at {i}, {j}")
    i, j, item = sympy.symbols("i j k", integer=True, positive=True)
    xs, cs, ps, gs = (sympy.IndexedBase(name) for name in "xcpg")
    q, Z, G, J = sympy.symbols("q Z G J")
    slope = sympy.KroneckerDelta(i, j) * (ps[i] + gs[i])
    return Proof(
        "Derivative",
        (
            Step(sympy.Eq(q, sympy.Sum(cs[item] * xs[item], (item, 1, n))), "the threshold"),
            Step(sympy.Eq(ps[i], (xs[i] - q) * sympy.exp(xs[i]) / Z), "an item above it"),
            Step(sympy.Eq(gs[i], sympy.exp(xs[i]) / Z), "and 0 for an item below it"),
            Step(sympy.Eq(G, sympy.Sum(gs[item], (item, 1, n))), "their sum"),
            Step(
                sympy.Eq(
                    J, slope - ps[i] * (ps[j] + gs[j]) - cs[j] * (gs[i] - G * ps[i]), evaluate=False
                ),
                "how item i answers to score j",
            ),
        ),
    )


def hot() -> Proof:
    r"""As the temperature grows the weights tend to the ramp, and not to uniform ones.

    >>> print(hot().conclusion)
    Eq(p1, (-q + x1)/(-2*q + x1 + x2))
    """
    x1, x2, q = sympy.symbols("x1 x2 q", real=True)
    p1 = sympy.Symbol("p1")
    mass = [(x - q) * sympy.exp(x / T) for x in (x1, x2)]  # both over T, which cancels
    limit = sympy.limit(mass[0] / sum(mass), T, sympy.oo)
    return Proof(
        "Hot rows",
        (
            Step(sympy.Eq(sympy.Symbol("q_T"), q / T), "the quantile cools with the scores"),
            Step(sympy.Eq(p1, mass[0] / sum(mass)), "two items are kept at every T"),
            Step(sympy.Eq(p1, sympy.factor(limit)), "let T grow"),
        ),
    )


def lead_keeps() -> Proof:
    r"""The least weight of a leader, $\Delta$ ahead, if k items are kept from scores in a range B.

    Another kept item lies a below the top, and the threshold lies d below it. S is that item's
    share of the leader's mass; it falls with a, which is at least $\Delta$, and rises with d, which
    is at most B.

    >>> print(lead_keeps().conclusion)
    P >= 1/((1 - Delta/B)*(k - 1)*exp(-Delta) + 1)
    """
    a = sympy.Symbol("a", positive=True)
    S, P = sympy.symbols("S P")
    share = (1 - a / d) * sympy.exp(-a)
    by_a, by_d = sympy.factor(share.diff(a)), sympy.simplify(share.diff(d))
    if sympy.simplify(by_a + (d - a + 1) * sympy.exp(-a) / d) != 0 or not by_d.is_positive:
        raise AssertionError("the share does not fall with a and rise with d")
    worst = share.subs({a: lead, d: B})
    return Proof(
        "A lead",
        (
            Step(sympy.Eq(S, share), "ramp and exponential"),
            Step(sympy.Eq(sympy.Derivative(S, a), by_a), "negative up to a = d"),
            Step(sympy.Eq(sympy.Derivative(S, d), by_d), "positive"),
            Step(sympy.Le(S, worst, evaluate=False), "the worst case"),
            Step(sympy.Ge(P, 1 / (1 + (k - 1) * worst), evaluate=False), "k - 1 of them"),
        ),
    )


def crowd() -> Proof:
    r"""No lead: n scores spread evenly over a range B, of which those in the top d are kept.

    >>> for step in crowd():
    ...     print(step)
    Eq(d, B*(1 - r))
    Eq(S, n*(d - 1 + exp(-d))/B)
    Eq(P, B*d/(n*(d - 1 + exp(-d))))
    """
    t, S, P = sympy.Symbol("t", positive=True), *sympy.symbols("S P")
    total = n / B * (d - 1 + sympy.exp(-d))
    if sympy.simplify(n / B * sympy.integrate((d - t) * sympy.exp(-t), (t, 0, d)) - total) != 0:
        raise AssertionError("the sum of the masses is not n (d - 1 + exp(-d)) / B")
    return Proof(
        "A crowd",
        (
            Step(sympy.Eq(d, B * (1 - r)), "depth of the quantile"),
            Step(sympy.Eq(S, total), "masses of all depths up to d"),
            Step(sympy.Eq(P, d / total), "the top has the mass d"),
        ),
    )


# --- Numbers --------------------------------------------------------------------------------------


def zeros(rate: ArrayLike, n: ArrayLike) -> NDArray[np.int64]:
    r"""How many of n scores without ties weigh exactly nothing: $\lfloor r(n-1) \rfloor + 1$.

    0 < `rate` < 1; `n` >= 2, whole. Arguments broadcast. One more than the fraction says in short
    rows: half of 3 is 2. Raises TypeError or ValueError that names the argument.

    >>> zeros(0.5, [3, 10, 1000])
    array([  2,   5, 500])
    """
    items = _whole("n", n, at_least=2)
    return np.floor(_rate(rate) * (items - 1)).astype(np.int64) + 1


def rate_for(kept: ArrayLike, n: ArrayLike) -> Array:
    """The rate that keeps exactly `kept` of n items without ties: 1 - kept / n.

    `kept` from 1 to n - 1, whole; arguments broadcast.

    >>> rate_for([1, 3, 9], 10)
    array([0.9, 0.7, 0.1])
    """
    items, count = _whole("n", n, at_least=2), _whole("kept", kept, at_least=1)
    if (count >= items).any():
        raise ValueError(f"kept must be below n, got {kept!r} of {n!r}")
    return 1 - count / items


def hot_weights(scores: ArrayLike, rate: float) -> Array:
    r"""What r-softmax of $x/T$ tends to as T grows: $[x_i - q_r]_+$ over its sum.

    `scores`: one row of at least 2, whose quantile is below its maximum.

    >>> hot_weights([1.0, 0.9, -2.0, 0.2], 0.5).round(3)
    array([0.562, 0.438, 0.   , 0.   ])
    """
    row = real("scores", scores)
    if row.ndim != 1 or len(row) < 2:
        raise ValueError(f"scores must be one row of at least 2, got shape {row.shape}")
    ramp = np.maximum(row - np.quantile(row, float(_rate(rate))), 0)
    if not ramp.any():
        raise ValueError(f"scores must have a quantile below their maximum, got {scores!r}")
    return ramp / ramp.sum()


def least_leader_weight(lead: ArrayLike, spread: ArrayLike, kept: ArrayLike) -> Array:
    r"""The least weight of an item that leads all others by `lead`, if `kept` items have weight.

    $1 / (1 + (k-1)(1 - \Delta/B) e^{-\Delta})$ for scores in a range B = `spread`; attained if the
    other kept items are level and the quantile is the smallest score. It does not depend on n, but
    on k; softmax is the case k = n without the factor $1 - \Delta/B$. There is no upper end below
    1: a leader before equals keeps all. 0 < `lead` <= `spread`; `kept` >= 1; arguments broadcast.

    >>> least_leader_weight(2.0, 4.0, [1, 10, 1000]).round(4)
    array([1.    , 0.6215, 0.0146])
    """
    gap, size = real("lead", lead, above=0), real("spread", spread, above=0)
    if (gap > size).any():
        raise ValueError(f"lead must be at most spread, got {lead!r} of {spread!r}")
    count = real("kept", kept, at_least=1)
    return 1 / (1 + (count - 1) * (1 - gap / size) * np.exp(-gap))


def crowd_weight(n: ArrayLike, sharpness: ArrayLike, rate: ArrayLike) -> Array:
    r"""Top weight of n scores spread evenly over the range `sharpness`.

    $\frac{B}{n} \cdot \frac{d}{d - 1 + e^{-d}}$ with $d = (1-r)B$, for many kept items. Softmax has
    $B/n$ for large B: the dial is worth the second factor. It is nearly 1 while d is large, and
    2/d when d is small: then the top has twice the mean weight of the kept. Capped at 1. `n` >= 2,
    `sharpness` > 0, 0 < `rate` < 1; arguments broadcast.

    >>> crowd_weight(10_000, 100.0, [0.5, 0.9, 0.99]).round(4)
    array([0.0102, 0.0111, 0.0272])
    """
    items, span = real("n", n, at_least=2), real("sharpness", sharpness, above=0)
    depth = (1 - _rate(rate)) * span
    return np.minimum(span / items * depth / (depth + np.expm1(-depth)), 1.0)


def _rate(rate: ArrayLike) -> Array:
    return real("rate", rate, above=0, below=1)


def _whole(name: str, value: ArrayLike, at_least: int) -> NDArray[np.int64]:
    found = real(name, value, at_least=at_least)
    if (found != np.floor(found)).any():
        raise ValueError(f"{name} must be whole, got {value!r}")
    return found.astype(np.int64)
