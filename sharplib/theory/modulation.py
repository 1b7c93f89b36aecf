r"""Bent scores: what MultiMax can do that no temperature can, and what it cannot.

$$p = \mathrm{softmax}(\sigma(x)), \qquad \sigma(x) = x + c_0 [r_0 - x]_+ + c_1 [x - r_1]_+
\;\bigl(+\; c_2 [r_2 - x]_+^2 + c_3 [x - r_3]_+^2\bigr).$$

At order 1 the slopes of $\sigma$ are $t_b = 1 - c_0$ below $r_0$, 1, and $t_d = 1 + c_1$ above
$r_1$. All that follows is about slopes:

* a slope is an inverse temperature of its own for each score (`jacobian`), so that the log-odds of
  two items lie between the least and the largest slope times their distance (`odds`);
* a temperature buys sparsity with multi-modality, in every row (`temperature_trades`); two slopes
  can raise both (`both_rise`);
* bounded scores stay bounded, and disperse (`disperses`).

Source: MultiMax, arXiv 2406.01189, for the map, the two measures and the claims that a temperature
trades them and MultiMax does not; conditions and constants are worked out here.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array, real
from sharplib.theory.proof import Proof, Step, between

n, g, W = sympy.symbols("n g W", positive=True)
t_low, t_high, s_min, s_max = sympy.symbols("t_b t_d s_- s_+", real=True)


# --- Statements -----------------------------------------------------------------------------------


def jacobian() -> Proof:
    r"""A slope is an inverse temperature: the Jacobian is that of softmax times diag(sigma').

    Two items stand for all: i, and the sum R of the powers of the others.

    >>> print(jacobian()[-1])
    Eq(Derivative(p_i, x_j), -p_i*p_j*s_j)
    """
    x_i, x_j = sympy.symbols("x_i x_j", real=True)
    p_i, p_j, s_i, s_j = sympy.symbols("p_i p_j s_i s_j", real=True)
    rest = sympy.Symbol("R", positive=True)
    bent = sympy.Function("sigma")
    own, other = sympy.exp(bent(x_i)), sympy.exp(bent(x_j))
    total = own + other + rest
    weight = own / total
    by_own = weight.diff(x_i) - weight * (1 - weight) * bent(x_i).diff(x_i)
    by_other = weight.diff(x_j) + weight * (other / total) * bent(x_j).diff(x_j)
    if sympy.simplify(by_own) != 0 or sympy.simplify(by_other) != 0:
        raise AssertionError("the derivatives are not those of softmax times a slope")
    return Proof(
        "Jacobian",
        (
            Step(sympy.Eq(p_i, weight), "R: the powers of all others"),
            Step(sympy.Eq(sympy.Derivative(p_i, x_i), p_i * (1 - p_i) * s_i), "s: the slope there"),
            Step(sympy.Eq(sympy.Derivative(p_i, x_j), -p_i * p_j * s_j), "for another item j"),
        ),
    )


def odds() -> Proof:
    r"""Two items at a distance g, wherever they are: their log-odds lie between two slopes times g.

    >>> print(odds()[-1])
    g*s_- <= log(p_i/p_j) <= g*s_+
    """
    p_i, p_j = sympy.symbols("p_i p_j", positive=True)
    y, x = sympy.symbols("y x", real=True)
    slope = sympy.Function(r"\sigma'")
    ratio = sympy.log(p_i / p_j)
    return Proof(
        "Odds",
        (
            Step(
                sympy.Eq(ratio, sympy.Integral(slope(y), (y, x, x + g))),
                "the sum of the powers cancels",
            ),
            Step(between(g * s_min, ratio, g * s_max), "least and largest slope"),
        ),
    )


def temperature_trades() -> Proof:
    r"""As a softmax of $t x$ cools (t rises), M falls and S rises, in every row.

    $\bar x$ is the mean score under the weights. The second line is positive: if $x_n$ is below
    $\bar x$ by its sign, if not since both factors of the top are the larger ones. In the third,
    items below the threshold score less than all others, and so does their mean. In the last, the
    terms below 0, if there are any, belong to the larger weights, and so have the smaller factors
    $e^{-p/s}$: they cannot outweigh the others.

    >>> print(temperature_trades()[0])
    Eq(Derivative(p_n, t), p_n*(x_n - xbar))
    """
    t, s, L = sympy.symbols("t s L", positive=True)
    x_top, x_n = sympy.symbols("x_1 x_n", real=True)
    p_top, p_n = sympy.symbols("p_1 p_n", positive=True)
    mean, S = sympy.symbols("xbar S", real=True)
    rest, pull = sympy.symbols("R Q", real=True)  # of the other items: powers, and their derivative
    powers = sympy.exp(t * x_n) + rest
    weight = sympy.exp(t * x_n) / powers
    average = (x_n * sympy.exp(t * x_n) + pull) / powers
    derived = weight.diff(t) + weight.diff(rest) * pull
    if sympy.simplify(derived - weight * (x_n - average)) != 0:
        raise AssertionError("the derivative is not p (x - mean)")
    item = sympy.Symbol("l", integer=True)
    p_l, x_l = sympy.IndexedBase("p")[item], sympy.IndexedBase("x")[item]
    below = sympy.Sum(p_l * (mean - x_l), (item, 1, L))
    rise = sympy.Sum(sympy.exp(-p_l / s) * p_l * (mean - x_l), (item, 1, L)) / (L * s)
    apart = p_top * (x_top - mean) - p_n * (x_n - mean)
    return Proof(
        "A temperature trades",
        (
            Step(sympy.Eq(sympy.Derivative(p_n, t), p_n * (x_n - mean)), "any item"),
            Step(sympy.Gt(apart, 0, evaluate=False), "the top draws away: M falls"),
            Step(sympy.Gt(below, 0, evaluate=False), "the L items below the threshold lose"),
            Step(sympy.Eq(sympy.Derivative(S, t), rise), "positive too: S rises"),
        ),
    )


def both_rise() -> Proof:
    r"""Three levels: a top and a second that matter, L items that do not; both thresholds at 0.

    The scores are a + g, a and -u, the slopes are t_d > 0 above and t_b >= 0 below. The first two
    lines are the gap of the two weights, of softmax and, from above, of MultiMax; the last two say
    when each measure rises, in one slope each.

    >>> print(both_rise()[1])
    G < tanh(g*t_d/2)
    """
    a, u, L = sympy.symbols("a u L", positive=True)
    gap, bent = sympy.symbols("D G", positive=True)
    top, second = sympy.exp(a + g), sympy.exp(a)
    soft = (top - second) / (top + second + L * sympy.exp(-u))
    relevant, raised = top + second, sympy.exp(t_high * (a + g)) + sympy.exp(t_high * a)
    # Without the L items: (e^(t g) - 1) / (e^(t g) + 1), which is the tanh.
    alone = (sympy.exp(t_high * g) - 1) / (sympy.exp(t_high * g) + 1)
    half = sympy.tanh(t_high * g / 2)
    if sympy.simplify((alone - half).rewrite(sympy.exp)) != 0:
        raise AssertionError("the gap of two items is not a tanh")
    # Weight of an item below: 1 / (L + e^u * relevant), and e^(t_b u) * raised in its place.
    least = 1 + sympy.log(relevant / raised) / u
    if sympy.simplify(sympy.exp(least * u) * raised - sympy.exp(u) * relevant) != 0:
        raise AssertionError("the weight of an item below is not the same there")
    return Proof(
        "Both rise",
        (
            Step(sympy.Eq(gap, soft), "softmax"),
            Step(sympy.Lt(bent, half, evaluate=False), "MultiMax, without the items below"),
            Step(sympy.Le(t_high, 2 * sympy.atanh(gap) / g, evaluate=False), "then G < D: M rises"),
            Step(sympy.Gt(t_low, least, evaluate=False), "then each weight below falls: S rises"),
        ),
    )


def disperses() -> Proof:
    r"""Scores from an interval of width W: their odds have an end, so no weight can stay large.

    >>> print(disperses()[-1])
    p_1 <= 1/((n - 1)*exp(-W*s_+) + 1)
    """
    p_top, p_j = sympy.symbols("p_1 p_j", positive=True)
    least = sympy.exp(-s_max * W)
    return Proof(
        "Bent scores disperse",
        (
            Step(sympy.Ge(p_j / p_top, least, evaluate=False), "the odds of any two items"),
            Step(sympy.Ge(1 / p_top, 1 + (n - 1) * least, evaluate=False), "sum over the others"),
            Step(sympy.Le(p_top, 1 / (1 + (n - 1) * least), evaluate=False), "turn it over"),
        ),
    )


# --- Numbers --------------------------------------------------------------------------------------


def bend(x: ArrayLike, thresholds: ArrayLike, coefficients: ArrayLike) -> Array:
    r"""$\sigma(x)$, of any shape, in the units of the scores; two parameters each, or four.

    >>> bend([-2.0, 0.0, 2.0], (-0.5, 0.5), (-1.0, -0.5))
    array([-3.5 ,  0.  ,  1.25])
    """
    scores, (r, c) = real("x", x), _parameters(thresholds, coefficients)
    gaps = _gaps(scores, r)
    return scores + c[0] * gaps[0] + c[1] * gaps[1] + c[2] * gaps[2] ** 2 + c[3] * gaps[3] ** 2


def slope(x: ArrayLike, thresholds: ArrayLike, coefficients: ArrayLike) -> Array:
    r"""$\sigma'(x)$: what the gradient of a score is multiplied with, an inverse temperature.

    At a threshold it is that of the middle piece.

    >>> slope([-2.0, 0.0, 2.0], (-0.5, 0.5), (-1.0, -0.5))
    array([2. , 1. , 0.5])
    """
    scores, (r, c) = real("x", x), _parameters(thresholds, coefficients)
    low, high, lower, higher = _gaps(scores, r)
    return 1 - c[0] * (low > 0) + c[1] * (high > 0) - 2 * c[2] * lower + 2 * c[3] * higher


def slopes(thresholds: ArrayLike, coefficients: ArrayLike) -> tuple[float, float]:
    r"""The least and the largest slope of $\sigma$, over all scores; infinite at order 2.

    The order of any two scores is kept exactly if the least is at least 0. Half the larger of the
    two in size is a Lipschitz constant of the weights, for two scores the least one. Raises
    TypeError or ValueError that names the argument.

    >>> slopes((-0.5, 0.5), (-1.0, -0.5))
    (0.5, 2.0)
    >>> slopes((0.5, -0.5), (0.75, -0.75))  # they overlap, and between them it falls
    (-0.5, 0.25)
    """
    r, c = _parameters(thresholds, coefficients)
    # Between thresholds the slope is linear: its ends there are the candidates.
    ends = np.unique(np.concatenate([r, [r.min() - 1, r.max() + 1]]))
    found = []
    for low, high in pairwise(ends):
        middle = slope((low + high) / 2, r, c)
        tilt = (2 * c[2] * ((low + high) / 2 < r[2]) + 2 * c[3] * ((low + high) / 2 > r[3])) / 2
        found += [middle - tilt * (high - low), middle + tilt * (high - low)]
    least, most = float(np.min(found)), float(np.max(found))
    if c[2] > 0 or c[3] < 0:
        least = -np.inf
    if c[2] < 0 or c[3] > 0:
        most = np.inf
    return least, most


def most_weight(n: ArrayLike, width: ArrayLike, steepest: ArrayLike) -> Array:
    r"""The largest weight among n scores from an interval: $1/(1 + (n-1)e^{-s_+ W})$.

    `width` W in units of the scores, `steepest` the largest slope $s_+$, up or down, that the bend
    has on the interval; softmax has 1. Reached if
    the slope is the largest all over the interval, by one score at its top above the others at its
    bottom. Arguments broadcast; n >= 1, width >= 0, steepest >= 0.

    >>> most_weight([100, 10_000], 5.0, 2.0).round(3)
    array([0.996, 0.688])
    """
    size = real("n", n, at_least=1)
    reach = real("width", width, at_least=0) * real("steepest", steepest, at_least=0)
    return 1 / (1 + (size - 1) * np.exp(-reach))


def flattest_top(height: ArrayLike, gap: ArrayLike, depth: ArrayLike, items: ArrayLike) -> Array:
    r"""The largest slope $t_d$ that is sure to raise M: $2\,\mathrm{artanh}(D)/g$, below 1.

    For the three levels of `both_rise`: scores `height` + `gap` and `height` above 0, and `items`
    more at minus `depth`. All above 0; they broadcast. Slopes as there: $t_d > 0$, $t_b \ge 0$.

    >>> flattest_top(1.0, 1.0, 1.0, [1, 8]).round(3)
    array([0.959, 0.749])
    """
    a, lead = real("height", height, above=0), real("gap", gap, above=0)
    u, count = real("depth", depth, above=0), real("items", items, above=0)
    apart = np.expm1(lead) / (np.exp(lead) + 1 + count * np.exp(-u - a))
    return 2 * np.arctanh(apart) / lead


def steepest_needed(
    height: ArrayLike, gap: ArrayLike, depth: ArrayLike, high_slope: ArrayLike
) -> Array:
    r"""The slope $t_b$ from which on S rises, if the top has the slope $t_d$ = `high_slope`.

    $1 + \frac1u \log\frac{e^{a+g} + e^a}{e^{t_d(a+g)} + e^{t_d a}}$, exact for the three levels,
    for any number of items below and any reference. Arguments as in `flattest_top`.

    >>> steepest_needed(1.0, 1.0, 1.0, [0.5, 0.1]).round(3)
    array([1.839, 2.469])
    """
    a, lead = real("height", height, above=0), real("gap", gap, above=0)
    u, t = real("depth", depth, above=0), real("high_slope", high_slope)
    return 1 + (np.logaddexp(a + lead, a) - np.logaddexp(t * (a + lead), t * a)) / u


def least_measures(top: ArrayLike, items: ArrayLike, reference: ArrayLike) -> tuple[Array, Array]:
    r"""What M and S cannot fall below, however bad the map: $1 - p_{\max}$ and $e^{-1/(Ls)}$.

    `top` is the largest weight, L = `items` the number of items below the threshold, s =
    `reference`. Rows that disperse have an M near 1 for that reason alone, and a reference of 1/n
    keeps S near 1/e or above where most items are below the threshold.

    >>> modality, sparsity = least_measures([0.02, 0.9], 90, 0.01)
    >>> modality, float(sparsity.round(3))
    (array([0.98, 0.1 ]), 0.329)
    """
    count = real("items", items, above=0)
    small = real("reference", reference, above=0)
    return 1 - real("top", top, at_least=0), np.exp(-1 / (count * small))


def _gaps(x: Array, r: Array) -> list[Array]:
    return [np.maximum(r[k] - x if k % 2 == 0 else x - r[k], 0) for k in range(4)]


def _parameters(thresholds: ArrayLike, coefficients: ArrayLike) -> tuple[Array, Array]:
    """Both as four numbers: at order 1 the squares have the coefficient 0."""
    r, c = real("thresholds", thresholds), real("coefficients", coefficients)
    for name, value in (("thresholds", r), ("coefficients", c)):
        if value.shape not in {(2,), (4,)} or value.shape != r.shape:
            raise ValueError(
                f"{name} must be two numbers, or four, as many as the others, got {value.tolist()}"
            )
    return np.resize(r, 4), np.concatenate([c, np.zeros(4 - len(c))])
