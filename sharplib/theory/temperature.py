r"""Proposition 3.2: the colder a softmax, the lower its entropy.

Write $\beta = 1/\theta$ for the inverse temperature and $p_i \propto e^{\beta x_i}$. Physics has
names for what follows. $Z = \sum_i e^{\beta x_i}$ is the partition function, $-x_i$ the energy of
item $i$, $U = -\partial_\beta \log Z$ the mean energy, $H = \log Z + \beta U$ the entropy. Hence

$$\frac{dH}{d\beta} = \beta\,\frac{dU}{d\beta} = -\beta\,\mathrm{Var}_p(x),$$

so the entropy never rises as $|\beta|$ grows. Source: Veličković et al., arXiv 2410.01104,
Proposition 3.2.
"""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array, real
from sharplib.theory.proof import Proof, Step

beta = sympy.Symbol("beta", real=True)


def proposition_3_2(size: int = 3) -> Proof:
    """Proposition 3.2 for `size` symbolic scores, each side of each line worked out by SymPy.

    >>> print(proposition_3_2(2)[0])
    Eq(Z, exp(beta*x_1) + exp(beta*x_2))
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(f"size must be a whole number >= 1, got {size!r}")
    x = sympy.symbols(f"x_1:{size + 1}", real=True)
    Z, U, H = sympy.Symbol("Z", positive=True), sympy.Symbol("U"), sympy.Symbol("H")
    partition = sum(sympy.exp(beta * xi) for xi in x)
    p = [sympy.exp(beta * xi) / partition for xi in x]
    energy = -sympy.log(partition).diff(beta)
    entropy = sympy.log(partition) + beta * energy
    mean = sum(pi * xi for pi, xi in zip(p, x, strict=True))
    variance = sum(pi * (xi - mean) ** 2 for pi, xi in zip(p, x, strict=True))
    surprise = -sum(pi * sympy.log(pi) for pi in p)
    return Proof(
        "Proposition 3.2",
        (
            Step(sympy.Eq(Z, partition), "partition function"),
            Step(sympy.Eq(U, energy), "mean energy, minus the slope of log Z"),
            Step(sympy.Eq(H, entropy), "entropy, log Z + beta U"),
            Step(sympy.Eq(surprise, entropy, evaluate=False), "the same as - sum p log p"),
            Step(sympy.Eq(energy.diff(beta), -variance, evaluate=False), "slope of U"),
            Step(sympy.Eq(entropy.diff(beta), -beta * variance, evaluate=False), "slope of H"),
        ),
    )


def variance_bound() -> Proof:
    r"""How fast entropy can fall: the variance of scores in $[m, m + \delta]$ is at most delta^2/4.

    The mean of $(x - m)(m + \delta - x) \ge 0$ bounds the variance by a parabola in the mean mu;
    SymPy finds its top. Integrated over beta this bounds the whole fall of H.

    >>> print(variance_bound()[-1])
    -H + log(n) <= beta**2*delta**2/8
    """
    x, m, mu = sympy.symbols("x m mu", real=True)
    delta, variance = sympy.symbols("delta Var", nonnegative=True)
    n, H = sympy.Symbol("n", positive=True), sympy.Symbol("H", nonnegative=True)
    product = (x - m) * (m + delta - x)
    # mean of x^2 = Var + mu^2
    mean_product = sympy.expand(product).subs(x**2, variance + mu**2).subs(x, mu)
    (parabola,) = sympy.solve(mean_product, variance)
    (top,) = sympy.solve(parabola.diff(mu), mu)
    most = sympy.simplify(parabola.subs(mu, top))
    fall = sympy.integrate(beta * most, (beta, 0, beta))
    return Proof(
        "Proposition 3.2, rate",
        (
            Step(sympy.Ge(product, 0, evaluate=False), "every score is in the range"),
            Step(sympy.Le(variance, sympy.factor(parabola), evaluate=False), "take the mean"),
            Step(sympy.Le(variance, most, evaluate=False), "the top of the parabola"),
            Step(
                sympy.Le(sympy.log(n) - H, fall, evaluate=False),
                "integrate dH = - beta Var d beta from beta = 0, where H = log n",
            ),
        ),
    )


def log_partition(scores: ArrayLike, beta: ArrayLike = 1.0) -> Array:
    r"""$\log Z = \log \sum_i e^{\beta x_i}$, without overflow.

    `scores` (..., n) with n >= 1, finite; `beta` any real, broadcast against the leading shape.
    At beta = 0 it is log n. Raises TypeError or ValueError that names the argument.

    >>> print(f"{log_partition([0.0, 0.0]):.4f}")
    0.6931
    """
    tilted, top, _ = _tilt(scores, beta)
    return np.log(np.exp(tilted).sum(axis=-1)) + top


def mean_energy(scores: ArrayLike, beta: ArrayLike = 1.0) -> Array:
    r"""$U = -\partial_\beta \log Z = -\sum_i p_i x_i$. Arguments as in `log_partition`.

    >>> float(mean_energy([1.0, 3.0], beta=0.0))
    -2.0
    """
    p, x = _weights(scores, beta)
    return -(p * x).sum(axis=-1)


def entropy(scores: ArrayLike, beta: ArrayLike = 1.0) -> Array:
    r"""$H = \log Z + \beta U$ in nats. Arguments as in `log_partition`.

    log n at beta = 0; the logarithm of the number of tied maxima as beta grows.

    >>> entropy([1.0, 2.0, 3.0, 4.0], beta=[0.0, 1.0, 50.0]).round(4)
    array([1.3863, 0.9475, 0.    ])
    """
    tilted, _, _ = _tilt(scores, beta)
    w = np.exp(tilted)
    total = w.sum(axis=-1)
    # log Z and beta U both relative to the top score, so that large scores do not cancel
    return np.log(total) - (w * tilted).sum(axis=-1) / total


def score_variance(scores: ArrayLike, beta: ArrayLike = 1.0) -> Array:
    r"""$\mathrm{Var}_p(x) = \partial_\beta^2 \log Z$. Arguments as in `log_partition`.

    >>> float(score_variance([1.0, 3.0], beta=0.0))
    1.0
    """
    p, x = _weights(scores, beta)
    mean = (p * x).sum(axis=-1, keepdims=True)
    return (p * (x - mean) ** 2).sum(axis=-1)


def entropy_slope(scores: ArrayLike, beta: ArrayLike = 1.0) -> Array:
    r"""$dH/d\beta = -\beta\,\mathrm{Var}_p(x)$, in nats per unit of inverse temperature.

    At most 0 for beta > 0, and 0 only where all scores are equal. Arguments as in `log_partition`.
    Source: arXiv 2410.01104, Proposition 3.2.

    >>> print(f"{entropy_slope([1.0, 3.0]):.4f}")
    -0.4200
    """
    return -real("beta", beta) * score_variance(scores, beta)


def steepest_slope(spread: ArrayLike, beta: ArrayLike = 1.0) -> Array:
    r"""The steepest that entropy can fall: $|dH/d\beta| \le |\beta|\,\delta^2/4$.

    Attained with half of the weight at each end of the range. `spread` >= 0 broadcasts.

    >>> float(steepest_slope(2.0))
    1.0
    """
    return np.abs(real("beta", beta)) * real("spread", spread, at_least=0) ** 2 / 4


def largest_fall(spread: ArrayLike, beta: ArrayLike = 1.0) -> Array:
    r"""The furthest that entropy can have fallen below log n: $\beta^2\delta^2/8$, whatever n is.

    `steepest_slope` integrated from 0 to beta. Exact to first order at small beta * spread;
    `dispersion.entropy_deficit` is exact everywhere.

    >>> float(largest_fall(2.0))
    0.5
    """
    return (real("beta", beta) * real("spread", spread, at_least=0)) ** 2 / 8


def _tilt(scores: ArrayLike, beta: ArrayLike) -> tuple[Array, Array, Array]:
    """beta x minus its maximum, that maximum, and x; all at the common leading shape."""
    x, b = real("scores", scores), real("beta", beta)
    if x.ndim < 1 or x.shape[-1] < 1:
        raise ValueError(f"scores must have at least one entry, got shape {x.shape}")
    tilted = b[..., None] * x
    top = tilted.max(axis=-1)
    return tilted - top[..., None], top, x


def _weights(scores: ArrayLike, beta: ArrayLike) -> tuple[Array, Array]:
    tilted, _, x = _tilt(scores, beta)
    w = np.exp(tilted)
    return w / w.sum(axis=-1, keepdims=True), x
