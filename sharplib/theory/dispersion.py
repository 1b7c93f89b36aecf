r"""Lemma 2.1: scores that stay in a bounded range get softmax weights of order 1/n.

Let $n$ scores lie in an interval of length $\delta$ (the *spread*) and let $\theta > 0$ be the
temperature. Then every weight $\alpha_k$ and the entropy $H$ (in nats) satisfy

$$\frac{e^{-\delta/\theta}}{n} \le \alpha_k \le \frac{e^{\delta/\theta}}{n},
\qquad \log n - \frac{\delta}{\theta} \le H \le \log n .$$

Both can be made tight; this module derives the loose and the tight forms in SymPy and computes
them in NumPy. Source: Veličković et al., arXiv 2410.01104, Lemma 2.1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array, ratio_of, real
from sharplib.theory.proof import Proof, Step, between

n = sympy.Symbol("n", integer=True, positive=True)
m, M = sympy.symbols("m M", real=True)
score = sympy.Symbol("e_k", real=True)
delta = sympy.Symbol("delta", nonnegative=True)
theta = sympy.Symbol("theta", positive=True)
alpha = sympy.Symbol("alpha_k", positive=True)
Z = sympy.Symbol("Z", positive=True)
H = sympy.Symbol("H", nonnegative=True)

ScoreMap = Callable[[sympy.Expr], sympy.Expr]


def exponential(e: sympy.Expr) -> sympy.Expr:
    """The score map of softmax, exp(e / theta)."""
    return sympy.exp(e / theta)


def lemma_2_1(score_map: ScoreMap = exponential) -> Proof:
    """Lemma 2.1 step by step, for softmax or for any other increasing positive score map.

    The weight of item k is f(e_k) / (f(e_1) + ... + f(e_n)). Nothing in the proof needs f to be
    the exponential: put in your own f and see the same 1/n.

    >>> print(lemma_2_1()[-1])
    exp(-delta/theta)/n <= alpha_k <= exp(delta/theta)/n
    """
    f = score_map
    lower, upper = f(m) / (n * f(M)), f(M) / (n * f(m))
    return Proof(
        "Lemma 2.1",
        (
            Step(between(f(m), f(score), f(M)), "each score lies between m and M"),
            Step(between(n * f(m), Z, n * f(M)), "add this up over the n items"),
            Step(sympy.Eq(alpha, f(score) / Z), "definition of a weight"),
            Step(between(lower, alpha, upper), "divide crosswise"),
            Step(between(_in_spread(lower), alpha, _in_spread(upper)), "the spread is M - m"),
        ),
    )


def tight_weights(score_map: ScoreMap = exponential) -> Proof:
    """The best possible two-sided bound on a weight, and why it is the best.

    A weight grows with its own numerator a and shrinks with the sum r of the others. So it is
    largest when its own score is at the top and all others are at the bottom.

    >>> print(tight_weights()[-1])
    1/((n - 1)*exp(delta/theta) + 1) <= alpha_k <= 1/((n - 1)*exp(-delta/theta) + 1)
    """
    f = score_map
    a, r = sympy.symbols("a r", positive=True)
    weight = a / (a + r)
    low = weight.subs({a: f(m), r: (n - 1) * f(M)}, simultaneous=True)
    high = weight.subs({a: f(M), r: (n - 1) * f(m)}, simultaneous=True)
    ratio = _in_spread(f(M) / f(m))
    tight = (1 / (1 + (n - 1) * ratio), 1 / (1 + (n - 1) / ratio))
    return Proof(
        "Lemma 2.1, tight",
        (
            Step(sympy.Eq(alpha, weight), "own part a, the others r"),
            Step(sympy.Gt(sympy.factor(weight.diff(a)), 0, evaluate=False), "grows with a"),
            Step(sympy.Lt(sympy.factor(weight.diff(r)), 0, evaluate=False), "shrinks with r"),
            Step(between(low, alpha, high), "the two extremes"),
            Step(between(tight[0], alpha, tight[1]), "the spread is M - m"),
        ),
    )


def rate(bound: sympy.Expr) -> Step:
    """The limit of n times a bound: finite and above zero says that the bound is of order 1/n.

    >>> from sharplib.theory.proof import ends
    >>> lower, _, upper = ends(tight_weights().conclusion)
    >>> rate(upper).claim.rhs
    exp(delta/theta)
    """
    count = sympy.Symbol("n", positive=True)
    expression = count * bound.subs(n, count)
    limit = sympy.Limit(expression, count, sympy.oo)
    return Step(sympy.Eq(limit, sympy.simplify(limit.doit()), evaluate=False), "order 1/n")


def simple_entropy() -> Proof:
    """From weights to entropy: H lies between log n - delta/theta and log n.

    >>> print(simple_entropy()[-1])
    -delta/theta + log(n) <= H <= log(n)
    """
    surprise = sympy.Symbol("s_k", real=True)
    least = sympy.expand_log(-sympy.log(sympy.exp(delta / theta) / n), force=True)
    return Proof(
        "Lemma 2.1, entropy",
        (
            Step(sympy.Eq(surprise, -sympy.log(alpha)), "the surprise of item k; H is its mean"),
            Step(sympy.Ge(surprise, least, evaluate=False), "Lemma 2.1, upper half"),
            Step(sympy.Ge(H, least, evaluate=False), "a mean is at least the least"),
            Step(sympy.Le(H, sympy.log(n), evaluate=False), "Jensen: log is concave"),
            Step(between(least, H, sympy.log(n)), "both together"),
        ),
    )


def tight_entropy() -> Proof:
    r"""The least entropy that n scores of spread delta can have, in closed form.

    Move one score e and hold the others (their sums R and S) fixed. Where the slope of H is zero
    its curvature is negative, so a minimum of H has every score at one end of the range. With a
    share x of the scores at the top only one number is left to choose, and SymPy chooses it:

    $$H \ge \log n - (c - 1 - \log c), \qquad c = \frac{d}{1 - e^{-d}}, \qquad d = \delta/\theta .$$

    (The subtracted term is the logarithm of Specht's ratio, the constant of the reversed
    inequality between arithmetic and geometric mean.)
    """
    e, S = sympy.symbols("e S", real=True)
    R, u, d = sympy.symbols("R u d", positive=True)
    p = sympy.exp(e) / (sympy.exp(e) + R)
    entropy = sympy.log(sympy.exp(e) + R) - (e * sympy.exp(e) + S) / (sympy.exp(e) + R)
    slope = -p * (sympy.log(p) + H)
    curvature = slope.diff(e).subs(H, -sympy.log(p))  # where slope = 0; there H' = 0 too
    c = d / (1 - sympy.exp(-d))
    x = (u - 1) / (sympy.exp(d) - 1)  # u = 1 + x (exp(d) - 1) is the mean of exp(e_j)
    two_levels = sympy.log(n) + sympy.log(u) - d * x * sympy.exp(d) / u
    (best,) = sympy.solve(two_levels.diff(u), u)
    least = sympy.log(n) + sympy.log(c) - c + 1
    return Proof(
        "Lemma 2.1, tight entropy",
        (
            Step(sympy.Eq(H, entropy), "one score e; the others give R and S"),
            Step(sympy.Eq(sympy.Derivative(entropy, e), slope), "slope in e"),
            Step(
                sympy.Lt(sympy.simplify(curvature), 0, evaluate=False),
                "curvature where the slope is 0: never a minimum",
            ),
            Step(sympy.Eq(H, two_levels), "so two levels; u is the mean of exp(e_j)"),
            Step(sympy.Eq(u, best), "the best u"),
            Step(sympy.Ge(H, least, evaluate=False), "put it in"),
        ),
    )


def weight_bounds(
    n: ArrayLike, spread: ArrayLike, temperature: ArrayLike = 1.0
) -> tuple[Array, Array]:
    r"""The smallest and the largest weight that softmax can give to one of n items.

    $1/(1+(n-1)e^{\delta/\theta}) \le \alpha_k \le 1/(1+(n-1)e^{-\delta/\theta})$. Both ends are
    attained: one score at one end of the range, the other n - 1 at the opposite end.

    Arguments broadcast: `n` >= 1, `spread` >= 0 (in units of the scores), `temperature` > 0.
    As n grows both ends are of order 1/n; at spread 0 both are 1/n. A lower end below 1e-307 may
    become 0. Raises TypeError or ValueError that names the argument. Source: Veličković et al.,
    arXiv 2410.01104, Lemma 2.1, sharpened.

    >>> lower, upper = weight_bounds([1, 10, 1000], 2.0)
    >>> upper.round(4)
    array([1.    , 0.4509, 0.0073])
    """
    size, ratio = _size(n), ratio_of(spread, temperature)
    with np.errstate(over="ignore", invalid="ignore"):  # e^d = inf: the weight is 0
        lower = 1 / (1 + (size - 1) * np.exp(ratio))
    return np.where(size > 1, lower, 1.0)[()], 1 / (1 + (size - 1) * np.exp(-ratio))


def simple_weight_bounds(
    n: ArrayLike, spread: ArrayLike, temperature: ArrayLike = 1.0
) -> tuple[Array, Array]:
    r"""The bounds as Lemma 2.1 states them: $e^{-\delta/\theta}/n$ and $e^{\delta/\theta}/n$.

    Looser than `weight_bounds`, and equal to them in the limit of large n. The upper one may be
    above 1 (it then says nothing), and is inf above spread / temperature = 709.

    >>> lower, upper = simple_weight_bounds(1000, 2.0)
    >>> print(f"{lower:.6f} {upper:.6f}")
    0.000135 0.007389
    """
    size, ratio = _size(n), ratio_of(spread, temperature)
    with np.errstate(over="ignore"):
        return np.exp(-ratio) / size, np.exp(ratio) / size


def simple_least_entropy(n: ArrayLike, spread: ArrayLike, temperature: ArrayLike = 1.0) -> Array:
    r"""The simple lower bound on entropy, $\log n - \delta/\theta$, in nats.

    Negative (and then empty) while n < exp(spread / temperature). Arguments as in
    `weight_bounds`. See `least_entropy` for the best possible bound.

    >>> print(f"{simple_least_entropy(1000, 2.0):.4f}")
    4.9078
    """
    return np.log(_size(n)) - ratio_of(spread, temperature)


def entropy_deficit(spread: ArrayLike, temperature: ArrayLike = 1.0) -> Array:
    r"""How far below log n the entropy of a row of this spread can fall, whatever n is. Nats.

    $\log n - H \le c - 1 - \log c$ with $c = d/(1-e^{-d})$ and $d = \delta/\theta$. Attained when
    the share $(c-1)/(e^d-1)$ of the items is at the top and the rest at the bottom.
    About $d^2/8$ for a small d and $d - 1 - \log d$ for a large one. `spread` >= 0 and
    `temperature` > 0 broadcast.

    >>> print(f"{entropy_deficit(2.0):.4f}")
    0.4745
    """
    excess = _mean_excess(ratio_of(spread, temperature))
    return excess - np.log1p(excess)


def least_entropy(n: ArrayLike, spread: ArrayLike, temperature: ArrayLike = 1.0) -> Array:
    r"""The least entropy that a softmax over n scores of this spread can have, in nats. Exact.

    The minimiser puts k scores at the top and n - k at the bottom; k is a whole number next to
    $n(c-1)/(e^d-1)$ (see `entropy_deficit`). `n` must be a whole number >= 1; arguments broadcast.
    As n grows this approaches log n - `entropy_deficit`.

    >>> print(f"{least_entropy(1000, 2.0):.4f}  {np.log(1000) - entropy_deficit(2.0):.4f}")
    6.4333  6.4333
    >>> print(f"{least_entropy(4, 2.0):.4f}")
    0.9183
    """
    size, ratio = _size(n), ratio_of(spread, temperature)
    if np.any(size != np.floor(size)):
        raise ValueError(f"n must hold whole numbers, got {size[size != np.floor(size)].flat[0]}")
    with np.errstate(over="ignore", invalid="ignore"):  # d = 0: 0/0, any share will do
        share = np.where(ratio > 0, _mean_excess(ratio) / np.expm1(ratio), 0.5)
    below = np.floor(size * share)
    candidates = [
        _two_level_entropy(size, np.clip(k, 1, np.maximum(1, size - 1)), ratio)
        for k in (below, below + 1)
    ]
    return np.minimum(*candidates)


def _two_level_entropy(size: Array, top: Array, ratio: Array) -> Array:
    """Entropy of `top` scores at `ratio` and the rest at 0, without overflow."""
    total = top + (size - top) * np.exp(-ratio)  # Z exp(-d)
    # max: rounding must not turn the 0 of a single item into -1e-17
    return np.maximum(np.log(total) + ratio * (1 - top / total), 0.0)


def _mean_excess(ratio: Array) -> Array:
    """c - 1 for c = d / (1 - exp(-d)), with its limit d/2 where the quotient loses digits."""
    small = ratio < 1e-4  # the next term of the series is d^2/12: below 1e-9, squared in use
    safe = np.where(small, 1.0, ratio)
    return np.where(small, ratio / 2 + ratio**2 / 12, safe / -np.expm1(-safe) - 1)


def _in_spread(bound: sympy.Expr) -> sympy.Expr:
    """A bound in m and M as one in the spread: M = m + delta."""
    return sympy.simplify(bound.subs(M, m + delta))


def _size(n: ArrayLike) -> Array:
    return real("n", n, at_least=1)
