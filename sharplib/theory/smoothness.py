r"""The price of smoothness: what a map loses at the top, times how fast its weights move.

A map f turns n scores into weights. Two demands pull against each other:

* **loss**: $\max_i x_i - \langle f(x), x\rangle$ (expected), $\max_i x_i - \min_{f_i(x) > 0} x_i$
  (worst case), or $1 - \langle f(x), x\rangle / \max_i x_i$ (relative, for $x \ge 0$);
* **smoothness**: $\lVert f(x)-f(y)\rVert_q \le c\,\lVert x-y\rVert_p$, or
  $D_\infty(f(x) \Vert f(y)) = \max_i \log (f_i(x)/f_i(y)) \le c\,\lVert x-y\rVert_\infty$.

Dividing the scores by a temperature multiplies the loss and divides c: their product, the *price*,
belongs to the map. Each statement is a proof to read; the functions below compute prices.

Source: Epasto et al., arXiv 2010.11450, for the question, PLSoftMax and the power mechanism. The
constants and the proofs are worked out here.
"""

from __future__ import annotations

import math
import operator

import numpy as np
import sympy
from numpy.typing import ArrayLike
from scipy.special import lambertw

from sharplib.theory._checks import Array, real
from sharplib.theory.proof import Proof, Step

n, theta, delta, alpha = sympy.symbols("n theta delta alpha", positive=True)
c, loss = sympy.symbols("c L", positive=True)

#: The pairs of norms, input and output, of `slopes`.
PAIRS = ((1.0, 1.0), (2.0, 2.0), (math.inf, 1.0))


# --- Softmax: expected loss and privacy -----------------------------------------------------------


def gibbs() -> Proof:
    r"""Softmax at temperature theta loses at most $\theta \log n$ on average.

    The first line is an identity of any row, tried here on three items; H is the entropy.

    >>> print(gibbs()[-1])
    L <= theta*log(n)
    """
    x = sympy.symbols("x1:4", real=True)
    powers = [sympy.exp(v / theta) for v in x]
    total = sum(powers)
    p = [power / total for power in powers]
    mean = sum(weight * v for weight, v in zip(p, x, strict=True))
    # log p = x/theta - log(total), put in by hand so that nothing but rational terms is left.
    entropy = -sum(weight * (v / theta - sympy.log(total)) for weight, v in zip(p, x, strict=True))
    if sympy.simplify(mean + theta * entropy - theta * sympy.log(total)) != 0:
        raise AssertionError("the mean and the entropy do not add up to the soft maximum")
    score, entropy_, top, soft = sympy.symbols("xbar H x_max S", real=True)
    return Proof(
        "Gibbs",
        (
            Step(sympy.Eq(soft, theta * sympy.Function("log")(sympy.Symbol("Z"))), "soft maximum"),
            Step(sympy.Eq(score + theta * entropy_, soft), "mean score and entropy"),
            Step(sympy.Ge(soft, top, evaluate=False), "the sum Z holds the top item"),
            Step(sympy.Le(loss, theta * entropy_, evaluate=False), "the two together"),
            Step(sympy.Le(loss, theta * sympy.log(n), evaluate=False), "no entropy is larger"),
        ),
    )


def exact_loss() -> Proof:
    r"""The largest expected loss of softmax: one leader, all others at the same gap below it.

    W is Lambert's function, $W(z) e^{W(z)} = z$.

    >>> print(exact_loss()[-1])
    Eq(L, theta*LambertW((n - 1)*exp(-1)))
    """
    g, rest, lost = sympy.symbols("g Z N", positive=True)
    factor = sympy.exp(-g / theta)
    of_one = (lost + g * factor) / (rest + factor)
    slope = sympy.simplify(of_one.diff(g) * (rest + factor) / factor)
    # (lost + g factor) = L (rest + factor): written with the loss L itself.
    slope = sympy.simplify(slope.subs(lost, loss * (rest + factor) - g * factor))
    (gap,) = sympy.solve(sympy.Eq(slope, 0), g)
    all_level = sympy.Eq(loss, (n - 1) * g * factor / (1 + (n - 1) * factor))
    u = sympy.Symbol("u", positive=True)
    at_gap = (all_level.lhs - all_level.rhs).subs(g, gap).subs(loss, theta * u)
    root = sympy.LambertW((n - 1) * sympy.exp(-1))
    condition = sympy.simplify(at_gap * (1 + (n - 1) * sympy.exp(-u - 1)) / theta)
    if sympy.simplify(condition - (u - (n - 1) * sympy.exp(-u - 1))) != 0:
        raise AssertionError("the gap of the worst row does not lead to Lambert's equation")
    return Proof(
        "Exact loss",
        (
            Step(sympy.Eq(slope, 0), "no gap g can do more harm"),
            Step(sympy.Eq(g, gap), "the same for all"),
            Step(all_level, "so they are level"),
            Step(
                sympy.Eq(loss / theta * sympy.exp(loss / theta), (n - 1) * sympy.exp(-1)),
                "put in the gap",
            ),
            Step(sympy.Eq(loss, theta * root), "Lambert's function"),
        ),
    )


def privacy() -> Proof:
    r"""A log weight of softmax moves at most $2/\theta$ times as far as the scores.

    >>> print(privacy()[-1])
    D <= 2*r/theta
    """
    x = sympy.symbols("x1:4", real=True)
    powers = [sympy.exp(v / theta) for v in x]
    first = sympy.log(powers[0] / sum(powers))
    p = sympy.symbols("p1:4", positive=True)
    slopes = [sympy.simplify(first.diff(v)) for v in x]
    share = [power / sum(powers) for power in powers]
    for k, slope in enumerate(slopes):
        if sympy.simplify(slope - (int(k == 0) - share[k]) / theta) != 0:
            raise AssertionError("the slope of log p is not (1 - p)/theta or -p/theta")
    D, r = sympy.symbols("D r", positive=True)
    i = sympy.Symbol("p_i", positive=True)
    own, other = (1 - i) / theta, -p[1] / theta
    return Proof(
        "Privacy",
        (
            Step(sympy.Eq(sympy.Symbol("l_i"), own), "slope of log p_i in its own score"),
            Step(
                sympy.Eq(sympy.Symbol("l_j"), other.subs(p[1], sympy.Symbol("p_j"))),
                "in another score",
            ),
            Step(sympy.Eq(sympy.Symbol("l"), 2 * own), "sizes of all slopes, added"),
            Step(sympy.Le(D, 2 * r / theta, evaluate=False), "if all scores move by up to r"),
        ),
    )


def least_privacy() -> Proof:
    r"""What every map with expected loss $\delta$ pays, softmax or not.

    f is any map and c its constant. At level scores one item gets at most 1/n. Lift it by t/2 and
    lower all others by as much: no score has moved by more than t/2, and it leads by t.

    >>> print(least_privacy()[-1])
    c >= 2*(v - 1)**2/(delta*v)
    """
    t, v, share = sympy.symbols("t v f", positive=True)
    least = sympy.Ge(share, 1 - delta / t, evaluate=False)
    bound = 2 / t * sympy.log(n * (1 - delta / t))
    # In r = 1 - delta/t the bound is 2/delta (1 - r) log(n r); its best r is 1/v.
    r = sympy.Symbol("r", positive=True)
    written = 2 / delta * (1 - r) * (sympy.log(n) + sympy.log(r))
    stationary = sympy.expand(written.diff(r) * delta / 2).subs(r, 1 / v)
    level = sympy.solve(sympy.Eq(stationary, 0), sympy.log(n))[0]
    value = sympy.factor(sympy.simplify(written.subs(sympy.log(n), level).subs(r, 1 / v)))
    claimed = 2 * (v - 1) ** 2 / (delta * v)
    if sympy.simplify(sympy.expand_log(value - claimed, force=True)) != 0:
        raise AssertionError("the best t does not give 2 (v - 1)^2 / (delta v)")
    return Proof(
        "Least privacy price",
        (
            Step(sympy.Le(sympy.Symbol("f_0"), 1 / n, evaluate=False), "level scores: some item"),
            Step(least, "it leads by t now, and f loses at most delta"),
            Step(
                sympy.Ge(c * t / 2, sympy.log(n * (1 - delta / t)), evaluate=False),
                "so its log weight has moved",
            ),
            Step(sympy.Ge(c, bound, evaluate=False), "for any t"),
            Step(sympy.Eq(v * sympy.exp(v), n * sympy.E), "the best t is delta v/(v - 1)"),
            Step(sympy.Ge(c, claimed, evaluate=False), "put in"),
        ),
    )


# --- PLSoftMax ------------------------------------------------------------------------------------


def scores(k: int) -> tuple[sympy.Symbol, ...]:
    """The symbols x1, ..., xk: the scores within delta of the top, the largest first."""
    return sympy.symbols(f"x1:{_items('k', k) + 1}", real=True)


def by_threshold(k: int) -> sympy.Matrix:
    r"""Weights of PLSoftMax from its definition, a threshold anywhere within delta of the top.

    Between the depths of two neighbours the items above the threshold are always the same, so the
    integral over the threshold is a sum over these bands.

    >>> by_threshold(2)[1].expand()
    1/2 - x1/(2*delta) + x2/(2*delta)
    """
    x = scores(k)
    edges = [x[0] - v for v in x] + [delta]
    bands = [(edges[m] - edges[m - 1]) / delta for m in range(1, k + 1)]
    # In band m the first m items are above the threshold and share its probability.
    return sympy.Matrix([sum(bands[m - 1] / m for m in range(i, k + 1)) for i in range(1, k + 1)])


def by_recursion(k: int) -> sympy.Matrix:
    """Weights of PLSoftMax from the last of the k items upwards, one neighbour at a time.

    >>> by_recursion(2)[1].expand()
    1/2 - x1/(2*delta) + x2/(2*delta)
    """
    x = scores(k)
    weights = [(1 - (x[0] - x[-1]) / delta) / k]
    for i in range(k - 1, 0, -1):
        weights.insert(0, weights[0] + (x[i - 1] - x[i]) / (i * delta))
    return sympy.Matrix(weights)


def smoothing_matrix(k: int) -> sympy.Matrix:
    """The matrix SM of PLSoftMax: delta times its Jacobian where k items have weight.

    >>> smoothing_matrix(3)
    Matrix([
    [ 2/3, -1/2, -1/6],
    [-1/3,  1/2, -1/6],
    [-1/3,    0,  1/3]])
    """

    def entry(i: int, j: int) -> sympy.Rational:
        i, j = i + 1, j + 1
        if j == 1:
            return sympy.Rational(k - 1 if i == 1 else -1, k)
        if i == j:
            return sympy.Rational(1, i)
        return sympy.Rational(-1, j * (j - 1)) if i < j else sympy.Integer(0)

    return sympy.Matrix(_items("k", k), k, entry)


def by_matrix(k: int) -> sympy.Matrix:
    """Weights of PLSoftMax as the paper writes them: a matrix times the scores, plus 1/k.

    >>> by_matrix(2)[1].expand()
    1/2 - x1/(2*delta) + x2/(2*delta)
    """
    return smoothing_matrix(k) * sympy.Matrix(scores(k)) / delta + sympy.ones(k, 1) / k


def three_faces(k: int = 4) -> Proof:
    r"""The random threshold, the recursion and the matrix are one map; for k items with weight.

    >>> print(three_faces(3)[2])
    Eq(f3, 1/3 - x1/(3*delta) + x3/(3*delta))
    """
    x = scores(k)
    threshold, recursion, matrix = (make(k) for make in (by_threshold, by_recursion, by_matrix))
    if (threshold - recursion).expand() != sympy.zeros(k, 1):
        raise AssertionError("the threshold and the recursion differ")
    if (threshold - matrix).expand() != sympy.zeros(k, 1):
        raise AssertionError("the threshold and the matrix differ")
    if threshold.jacobian(x) * delta != smoothing_matrix(k):
        raise AssertionError("the Jacobian is not the matrix")
    weights = sympy.symbols(f"f1:{k + 1}")
    reason = "threshold, recursion and matrix agree"
    return Proof(
        f"Three faces, {k} items",
        tuple(
            Step(sympy.Eq(f, value.expand()), reason)
            for f, value in zip(weights, threshold, strict=True)
        ),
    )


def column_slopes() -> Proof:
    r"""How far all weights move together if one score moves: PLSoftMax has $2(1 - 1/n)/\delta$.

    The sum of the sizes of column j of SM: an entry 1/j and, above it, j - 1 entries of
    1/(j(j - 1)); in the first column (k - 1)/k and k - 1 entries of 1/k.

    >>> print(column_slopes()[-1])
    c <= (2*n - 2)/(delta*n)
    """
    j, k = sympy.symbols("j k", positive=True)
    first = (k - 1) / k + (k - 1) * (1 / k)
    later = sympy.simplify(1 / j + (j - 1) / (j * (j - 1)))
    if sympy.simplify(first - 2 * (1 - 1 / k)) != 0 or later != 2 / j:
        raise AssertionError("the columns do not add up")
    C = sympy.IndexedBase("C")
    return Proof(
        "Slope of PLSoftMax",
        (
            Step(sympy.Eq(C[1], 2 * (1 - 1 / k)), "the top score moves"),
            Step(sympy.Eq(C[j], later), "the j-th score moves, j from 2 to k"),
            Step(sympy.Le(c, 2 * (n - 1) / (n * delta), evaluate=False), "the largest, for k = n"),
        ),
    )


def two_points() -> Proof:
    r"""What every map pays that never goes further than $\delta$ below the top.

    At level scores some item i has at most 1/n. Just beyond $\delta e_i$ it must have everything.
    The weights have moved from one to the other. The scores have moved by $\delta e_i$, or, if the
    level row lay higher by b, by $\delta e_i - b$.

    >>> [str(step.claim.rhs) for step in two_points()]
    ['(2*n - 2)/(delta*n)', '1/delta', '(4*n - 4)/(delta*n)']
    """
    moved = {1: 2 * (1 - 1 / n), 2: sympy.sqrt((1 - 1 / n) ** 2 + (n - 1) / n**2)}
    b = sympy.Symbol("b", positive=True)
    squared = (delta - b) ** 2 + (n - 1) * b**2
    (best,) = sympy.solve(squared.diff(b), b)
    apart = {
        (1, 1): delta,
        (2, 2): sympy.sqrt(sympy.simplify(squared.subs(b, best))),
        (sympy.oo, 1): delta / 2,
    }
    reasons = {
        (1, 1): "l1 to l1: b = 0",
        (2, 2): "l2 to l2: b = delta/n",
        (sympy.oo, 1): "lmax to l1: b = delta/2",
    }
    constants = {
        pair: sympy.factor(sympy.simplify(moved[pair[1]] / distance))
        for pair, distance in apart.items()
    }
    if sympy.simplify(constants[2, 2] - 1 / delta) != 0:
        raise AssertionError("the Euclidean price is not 1/delta")
    claims = {
        (1, 1): 2 * (n - 1) / (n * delta),
        (2, 2): 1 / delta,
        (sympy.oo, 1): 4 * (n - 1) / (n * delta),
    }
    for pair, claim in claims.items():
        if sympy.simplify(constants[pair] - claim) != 0:
            raise AssertionError(f"the price for {pair} is not {claim}")
    return Proof(
        "Two points",
        tuple(
            Step(sympy.Ge(c, claim, evaluate=False), reasons[pair])
            for pair, claim in claims.items()
        ),
    )


def not_a_gradient() -> Proof:
    r"""PLSoftMax is the gradient of no function once three items have weight.

    A gradient has a symmetric Jacobian: item 2 would answer item 1 as item 1 answers item 2.

    >>> print(not_a_gradient()[-1])
    Eq(J12 - J21, -(k - 2)/(2*delta*k))
    """
    k, J12, J21 = sympy.symbols("k J12 J21")
    for size in (2, 3, 5):
        m = smoothing_matrix(size)
        if (m[0, 1], m[1, 0]) != (-sympy.Rational(1, 2), -sympy.Rational(1, size)):
            raise AssertionError("the entries of SM are not -1/2 and -1/k")
    one, other = -1 / (2 * delta), -1 / (k * delta)
    return Proof(
        "No potential",
        (
            Step(sympy.Eq(J12, one), "item 1, if score 2 rises"),
            Step(sympy.Eq(J21, other), "item 2, if score 1 rises"),
            Step(sympy.Eq(J12 - J21, sympy.factor(one - other)), "zero for k = 2 only"),
        ),
    )


# --- Ratios instead of differences ----------------------------------------------------------------


def power_mean() -> Proof:
    r"""The power mechanism keeps at least $n^{-1/(\alpha+1)}$ of the top.

    The scores are divided by the top. A and B are the sums of their powers $\alpha$ and
    $\alpha + 1$; the mean score is B/A.

    >>> print(power_mean()[-1])
    B/A >= n**(-1/(alpha + 1))
    """
    A, B = sympy.symbols("A B", positive=True)
    power = alpha / (alpha + 1)
    # The power means, solved for A.
    most = n * (B / n) ** power
    exponent = sympy.simplify(1 - power)
    kept = sympy.log(B / most) - exponent * sympy.log(B / n)
    if sympy.simplify(sympy.expand_log(kept, force=True)) != 0:
        raise AssertionError("the mean score is not the power of B/n")
    return Proof(
        "Power mean",
        (
            Step(
                sympy.Le((A / n) ** (1 / alpha), (B / n) ** (1 / (alpha + 1)), evaluate=False),
                "power means rise with the power",
            ),
            Step(sympy.Le(A, most, evaluate=False), "solved for A"),
            Step(sympy.Ge(B / A, (B / n) ** exponent, evaluate=False), "so the mean score"),
            Step(sympy.Ge(B, 1, evaluate=False), "the top alone adds 1"),
            Step(sympy.Ge(B / A, n**-exponent, evaluate=False), "what is kept"),
        ),
    )


def same_cost() -> Proof:
    r"""Power or Exp at the same privacy: the neighbours decide, for every two items.

    Gains M > g. If neighbouring data change every gain by a factor of up to $e^\Gamma$, Power with
    $\alpha = 1/\Gamma$ costs as much as Exp with the factor $1/(\Gamma M)$, or less, since
    $e^\Gamma - 1 > \Gamma$. If gains are whole numbers and neighbouring data change each by up to
    1, Exp with a factor of 1 costs as much as Power of gains plus s with
    $\alpha = 1/\log(1 + 1/s)$. The claims compare the log odds of M over g; the second holds
    wherever M - g >= 1.

    >>> for step in same_cost():
    ...     print(step)
    log(M/g) >= (M - g)/M
    log((M + s)/(g + s)) <= (M - g)*log((s + 1)/s)
    """
    M, g, s, r = sympy.symbols("M g s r", positive=True)
    # log(1/r) - (1 - r) falls to 0 at r = 1.
    slope = sympy.factor((sympy.log(1 / r) - (1 - r)).diff(r))
    if sympy.simplify(slope - (r - 1) / r) != 0:
        raise AssertionError("the excess of the logarithm does not fall up to r = 1")
    # log(1 + 1/(g + s)) summed over the steps from g to M; each is at most that at 0.
    step = sympy.log((g + 1 + s) / (g + s))
    if sympy.simplify(step.diff(g) + 1 / ((g + s) * (g + s + 1))) != 0:
        raise AssertionError("a step of the logarithm does not shrink")
    return Proof(
        "Same cost",
        (
            Step(
                sympy.Ge(sympy.log(M / g), (M - g) / M, evaluate=False),
                "neighbours by a factor: Power",
            ),
            Step(
                sympy.Le(
                    sympy.log((M + s) / (g + s)),
                    (M - g) * sympy.log((s + 1) / s),
                    evaluate=False,
                ),
                "neighbours by one: Exp",
            ),
        ),
    )


# --- Numbers --------------------------------------------------------------------------------------


def softmax_loss(n: ArrayLike, temperature: ArrayLike = 1.0) -> Array:
    r"""The largest expected loss of softmax over all rows of n scores: $\theta\,W((n-1)/e)$.

    In the units of the scores, below $\theta \log n$. Arguments broadcast: `n` >= 1,
    `temperature` > 0. Raises TypeError or ValueError that names the argument.

    >>> softmax_loss([2, 16, 1024]).round(3)
    array([0.278, 1.383, 4.44 ])
    """
    size, heat = real("n", n, at_least=1), real("temperature", temperature, above=0)
    return heat * lambertw((size - 1) / math.e).real


def softmax_privacy_price(n: ArrayLike) -> Array:
    r"""Expected loss times privacy constant of softmax: $2\,W((n-1)/e)$, about $2 \log n$.

    >>> softmax_privacy_price([2, 16, 1024]).round(3)
    array([0.557, 2.767, 8.88 ])
    """
    return 2 * softmax_loss(n)


def least_privacy_price(n: ArrayLike) -> Array:
    r"""A lower bound of that product for every map: $2(v-1)^2/v$ with $v = W(e\,n)$.

    `least_privacy` proves it. Its ratio to `softmax_privacy_price` tends to 1.

    >>> (least_privacy_price([2, 16, 1024]) / softmax_privacy_price([2, 16, 1024])).round(3)
    array([0.367, 0.81 , 0.965])
    """
    v = lambertw(math.e * real("n", n, at_least=1)).real
    return 2 * (v - 1) ** 2 / v


def least_slope(n: int, p: float, q: float) -> float:
    r"""A lower bound of loss times slope for every map with a worst-case loss, any two norms.

    From two points, as in `two_points`: the weights move by at least $\lVert e_i - 1/n\rVert_q$
    while the scores move by $\min_b \lVert e_i - b\rVert_p$, for a worst-case loss of 1.

    Parameters
    ----------
    n : int
        Items, at least 2.
    p, q : float
        Norms of scores and of weights, from 1 to infinity.

    >>> [round(least_slope(4, *pair), 3) for pair in PAIRS]
    [1.5, 1.0, 3.0]
    """
    size, p, q = _items("n", n, 2), _norm("p", p), _norm("q", q)
    moved = np.full(size, -1 / size)
    moved[0] += 1
    # The slope of the p-norm in b is zero where (1 - b)^(p-1) = (n - 1) b^(p-1).
    b = 0.0 if p == 1 else 0.5 if math.isinf(p) else 1 / (1 + (size - 1) ** (1 / (p - 1)))
    apart = np.full(size, -b)
    apart[0] += 1
    return float(np.linalg.norm(moved, q) / np.linalg.norm(apart, p))


def slopes(n: int) -> dict[tuple[float, float], dict[str, float]]:
    r"""Loss times slope of three maps, and the least for any map, in three pairs of norms.

    The loss is the worst case, but for softmax, which has none: there it is the expected loss,
    $W((n-1)/e)$. "any map" is `least_slope`, which does not bind softmax. All are exact; from the
    maximum norm the one of PLSoftMax comes from a search over the signs of
    $\sum_j \lvert r_j - \bar r_j\rvert / j$ that keeps how many are positive.

    Parameters
    ----------
    n : int
        Items, at least 2; the time grows like its square.

    Returns
    -------
    dict
        A pair of `PAIRS` (norm of the scores, norm of the weights) -> name -> loss times slope.

    >>> found = slopes(16)
    >>> {name: round(value, 2) for name, value in found[1, 1].items()}
    {'softmax': 0.69, 'sparsemax': 1.88, 'plsoftmax': 1.88, 'any map': 1.88}
    >>> {name: round(value, 2) for name, value in found[math.inf, 1].items()}
    {'softmax': 1.38, 'sparsemax': 16.0, 'plsoftmax': 4.35, 'any map': 3.75}
    """
    size = _items("n", n, 2)
    expected = float(softmax_loss(size))
    columns = 2 * (1 - 1 / size)
    return {
        (1.0, 1.0): {
            "softmax": expected / 2,
            "sparsemax": columns,
            "plsoftmax": columns,
            "any map": least_slope(size, 1, 1),
        },
        (2.0, 2.0): {
            "softmax": expected / 2,
            "sparsemax": 1.0,
            "plsoftmax": float(np.linalg.norm(_smoothing(size), 2)),
            "any map": least_slope(size, 2, 2),
        },
        (math.inf, 1.0): {
            "softmax": expected,
            "sparsemax": size - (size % 2) / size,
            "plsoftmax": _signs(size),
            "any map": least_slope(size, math.inf, 1),
        },
    }


def _smoothing(n: int) -> Array:
    """`smoothing_matrix` in floating point."""
    j = np.arange(2, n + 1)
    matrix = np.zeros((n, n))
    matrix[:, 1:] = np.triu(np.broadcast_to(-1 / (j * (j - 1)), (n, n - 1)), 0)
    matrix[j - 1, j - 1] = 1 / j
    matrix[:, 0] = -1 / n
    matrix[0, 0] = 1 - 1 / n
    return matrix


def _signs(n: int) -> float:
    """The norm of SM from the maximum norm to l1, over all 2^n signs of its rows."""
    # best[c]: the largest sum over the signs of the first j rows, c of which are positive. By
    # symmetry the first is positive. Column j >= 2 gives |r_j - mean of r_1 ... r_(j-1)| / j.
    best = np.full(n + 1, -np.inf)
    best[1] = 0.0
    count = np.arange(n + 1)
    for j in range(2, n + 1):
        mean = (2 * count - (j - 1)) / (j - 1)
        up = best + np.abs(1 - mean) / j
        down = best + np.abs(1 + mean) / j
        best = np.maximum(down, np.r_[-np.inf, up[:-1]])
    return float((best + np.abs(1 - (2 * count - n) / n)).max())


def power_share(n: ArrayLike, power: ArrayLike) -> Array:
    r"""The share of the top that the power mechanism keeps at least: $n^{-1/(\alpha+1)}$.

    Arguments broadcast: `n` >= 1 items, `power` $\alpha$ > 0.

    >>> power_share(16, [1, 3, 9]).round(3)
    array([0.25 , 0.5  , 0.758])
    """
    return real("n", n, at_least=1) ** (-1 / (real("power", power, above=0) + 1))


def _items(name: str, value: int, least: int = 1) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if count < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
    return count


def _norm(name: str, value: float) -> float:
    number = float(value)
    if not number >= 1:
        raise ValueError(f"{name} must be from 1 to infinity, got {value!r}")
    return number
