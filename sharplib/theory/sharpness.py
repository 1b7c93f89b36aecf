r"""Proposition 3.1: how wide the scores of a dot-product head can be, given its matrices.

With $e_i = \langle Qy, Kx_i\rangle$, largest singular values $\sigma_Q, \sigma_K$ and spread
$\delta = \max_i e_i - \min_j e_j$,

$$\delta \le \sigma_Q\,\sigma_K\,\|y\|\,\max_{i,j}\|x_i - x_j\|
         \le 2\,\sigma_Q\,\sigma_K\,\|y\|\,\max_i\|x_i\| .$$

A head that is to stay sharp at a larger n has to grow one of these. Source: Veličković et al.,
arXiv 2410.01104, Proposition 3.1 (the right-hand form).
"""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array, real
from sharplib.theory.critical_size import critical_size_proof, required_spread
from sharplib.theory.dispersion import delta
from sharplib.theory.proof import Proof, Step

sigma_Q, sigma_K = sympy.symbols("sigma_Q sigma_K", nonnegative=True)
y_norm, x_norm, x_gap = sympy.symbols(r"\|y\| \|x\|_{max} \|x_i-x_j\|_{max}", nonnegative=True)


def proposition_3_1() -> Proof:
    """Proposition 3.1 in the plane, where every step is an identity that SymPy can expand.

    The singular value decomposition turns K into a stretch by s_1 and s_2, both at most sigma_K;
    v stands for x_i - x_j and q for Q y.

    >>> print(proposition_3_1()[-1])
    delta <= 2*\\|x\\|_{max}*\\|y\\|*sigma_K*sigma_Q
    """
    q1, q2, v1, v2, a1, a2, b1, b2 = sympy.symbols("q_1 q_2 v_1 v_2 a_1 a_2 b_1 b_2", real=True)
    s1, s2 = sympy.symbols("s_1 s_2", nonnegative=True)
    q, v, a, b = (sympy.Matrix(pair) for pair in ((q1, q2), (v1, v2), (a1, a2), (b1, b2)))
    stretch = sympy.diag(s1, s2)
    kv = stretch * v
    difference = sympy.expand(q.dot(stretch * a) - q.dot(stretch * b))
    lagrange = sympy.factor(sympy.expand(q.dot(q) * kv.dot(kv) - q.dot(kv) ** 2))
    shrink = sympy.collect(sympy.expand(sigma_K**2 * v.dot(v) - kv.dot(kv)), (v1**2, v2**2))
    tight = sigma_Q * sigma_K * y_norm * x_gap
    return Proof(
        "Proposition 3.1",
        (
            Step(sympy.Eq(difference, q.dot(stretch * (a - b)), evaluate=False), "bilinear"),
            Step(sympy.Ge(lagrange, 0, evaluate=False), "Cauchy and Schwarz: a square"),
            Step(sympy.Ge(shrink, 0, evaluate=False), "both stretches are at most sigma_K"),
            Step(sympy.Le(delta, tight, evaluate=False), "together, and the same for Q"),
            Step(sympy.Le(x_gap, 2 * x_norm, evaluate=False), "triangle inequality"),
            Step(sympy.Le(delta, tight.subs(x_gap, 2 * x_norm), evaluate=False), "Proposition 3.1"),
        ),
    )


def required_norms_statement() -> sympy.Basic:
    """Proposition 3.1 put into the spread that a weight c on one of n items needs.

    >>> print(required_norms_statement())
    sigma_K*sigma_Q >= theta*log(c*(1 - n)/(c - 1))/(2*\\|x\\|_{max}*\\|y\\|)
    """
    least = critical_size_proof()[2].claim.rhs
    return sympy.Ge(sigma_Q * sigma_K, least / (2 * y_norm * x_norm), evaluate=False)


def spread_bound(query: ArrayLike, key: ArrayLike, y: ArrayLike, items: ArrayLike) -> Array:
    r"""Proposition 3.1: $2\,\sigma_Q\,\sigma_K\,\|y\|\,\max_i\|x_i\|$, at least the head's spread.

    Shapes: `query` (..., h, d), `key` (..., h, d'), `y` (..., d), `items` (..., n, d'); leading
    shapes broadcast. For scores divided by sqrt(h) divide the bound by it too. Raises TypeError
    or ValueError that names the argument. Source: arXiv 2410.01104, Proposition 3.1.

    >>> eye = np.eye(2)
    >>> float(spread_bound(eye, eye, [1.0, 0.0], [[3.0, 0.0], [-3.0, 0.0]]))
    6.0
    """
    scale, items = _scale(query, key, y, items)
    return scale * 2 * np.linalg.norm(items, axis=-1).max(axis=-1)


def tight_spread_bound(query: ArrayLike, key: ArrayLike, y: ArrayLike, items: ArrayLike) -> Array:
    r"""The sharper form: $\sigma_Q\,\sigma_K\,\|y\|\,\max_{i,j}\|x_i - x_j\|$. Same arguments.

    Moving all items by one vector changes no difference of scores, and does not change this
    bound either.

    >>> eye = np.eye(2)
    >>> float(tight_spread_bound(eye, eye, [1.0, 0.0], [[3.0, 0.0], [1.0, 0.0]]))
    2.0
    """
    scale, items = _scale(query, key, y, items)
    gaps = np.linalg.norm(items[..., :, None, :] - items[..., None, :, :], axis=-1)
    return scale * gaps.max(axis=(-2, -1))


def required_norms(
    n: ArrayLike,
    weight: ArrayLike,
    y_norm: ArrayLike,
    x_norm: ArrayLike,
    temperature: ArrayLike = 1.0,
) -> Array:
    r"""The least $\sigma_Q\,\sigma_K$ with which a head can give `weight` to one of n items.

    $\theta\,[\log(n-1)-\log(1/c-1)]\,/\,(2\,\|y\|\,\max_i\|x_i\|)$: Proposition 3.1 put into
    `required_spread`. For scores divided by sqrt(h), pass `temperature` = theta * sqrt(h).
    Arguments broadcast; `y_norm` and `x_norm` > 0, the rest as in `required_spread`.

    >>> required_norms([16, 16384], 0.5, y_norm=1.0, x_norm=1.0).round(3)
    array([1.354, 4.852])
    """
    norms = real("y_norm", y_norm, above=0) * real("x_norm", x_norm, above=0)
    return required_spread(n, weight, temperature) / (2 * norms)


def _scale(query: ArrayLike, key: ArrayLike, y: ArrayLike, items: ArrayLike) -> tuple[Array, Array]:
    """sigma_Q sigma_K ||y||, and the items as an array."""
    arrays = {"query": real("query", query), "key": real("key", key), "items": real("items", items)}
    for name, array in arrays.items():
        if array.ndim < 2 or 0 in array.shape[-2:]:
            raise ValueError(f"{name} must be a non-empty matrix, got shape {array.shape}")
    q, k, x = arrays.values()
    v = real("y", y)
    if v.ndim < 1 or v.shape[-1] != q.shape[-1]:
        raise ValueError(f"y must have length {q.shape[-1]} as query has, got shape {v.shape}")
    if x.shape[-1] != k.shape[-1]:
        raise ValueError(f"items must have length {k.shape[-1]} as key has, got shape {x.shape}")
    if q.shape[-2] != k.shape[-2]:
        raise ValueError(f"key must have {q.shape[-2]} rows as query has, got shape {k.shape}")
    sigmas = np.linalg.norm(q, 2, axis=(-2, -1)) * np.linalg.norm(k, 2, axis=(-2, -1))
    return sigmas * np.linalg.norm(v, axis=-1), x
