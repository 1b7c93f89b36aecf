"""Answers to the exercises of *Dispersion theorem*, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

import sharplib
from sharplib.theory import critical_size, dispersion, proof


def softplus_limit() -> sympy.Expr:
    lemma = dispersion.lemma_2_1(lambda e: sympy.log(1 + sympy.exp(e)))
    at = {dispersion.m: 0, dispersion.delta: 3, dispersion.n: 100}
    return proof.ends(lemma.conclusion)[2].subs(at)


def log_limits() -> list[sympy.Expr]:
    n = sympy.Symbol("n", positive=True)
    products = (sympy.Rational(1, 2), 1, 2)
    return [sympy.limit(1 / (1 + (n - 1) * n**-p), n, sympy.oo) for p in products]


def averages_and_sums(n: int) -> list[float]:
    values = np.tile([0.6, 0.0, 0.8], (n, 1))
    averaged = sharplib.softmax(np.ones(n)) @ values
    return [np.linalg.norm(averaged), np.linalg.norm(values.sum(axis=0))]


def right() -> dict[str, Any]:
    return {
        "ex-other-map": softplus_limit(),
        "ex-context": [
            critical_size.required_spread(2**17, 0.5),
            dispersion.weight_bounds(2**17, 5.69)[1],
        ],
        "ex-group": lambda n, g, d: sharplib.softmax(np.r_[np.full(g, d), np.zeros(n - g)])[
            :g
        ].sum(),
        "ex-log-temperature": log_limits(),
        "ex-sum": averages_and_sums,
    }


MISTAKES: dict[str, list[tuple[Any, str]]] = {
    "ex-other-map": [
        (4.398, "100 items"),
        (0.2009, "exponential"),
        (0.002274, "round"),
        (0.04254, "tight"),
        (0.030486, "log 2"),
        (0.5, "smallest denominator"),
    ],
    "ex-context": [
        ([17.0, 0.00225], "base 2"),
        ([5.1175, 0.00225], "base 10"),
        ([5.8917, 0.00225], "two matrices"),
        ([9, 0.00225], "corollary"),
        ([11.78, 0.2253], "per cent"),
        ([11.78, 1 / 2**17], "flat row"),
        ([11.78, np.exp(-5.69) / 2**17], "sign"),
        ([11.78, 0.5], "tight bound"),
    ],
    "ex-group": [
        (lambda n, g, d: g / (1 + (n - 1) * np.exp(-d)), "g times"),
        (lambda n, g, d: 1 / (1 + (n - g) * np.exp(-d)), "one winner"),
        (lambda n, g, d: g * np.exp(d) / n, "not tight"),
        (lambda n, g, d: 1 / (1 + (n - g) / g * np.exp(d)), "least"),
        (lambda n, g, d: g / n, "Put the g items"),
    ],
    "ex-log-temperature": [
        ([1, 0.5, 0], "other way round"),
        ([0, 1, 1], "how many rivals"),
        ([0, 0, 1], "how many rivals"),
        ([0, 0, 0], "fixed temperature"),
        ([0, 0.3, 1], "power of n"),
    ],
    "ex-sum": [
        (lambda n: (n, 1), "averages come first"),
        (lambda n: (1, 1), "division by n"),
        (lambda n: (n, n), "What weight does softmax give"),
        (lambda n: (1, 0), "positive"),
    ],
}

#: Lengths are right in any unit.
ANY_SCALE = {"ex-sum"}
