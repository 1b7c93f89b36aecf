r"""Noise that cancels: which wrong answers of a multiplication unit it removes, which it cannot.

A unit with two inputs computes $f_1 f_2$ with $f_i = W_i x_i + 1 - W_i$ and should learn
$x_1 x_2$. In training, a stochastic unit multiplies an input by noise and divides the factor by
what the noise alone would have given: $(W N x + 1 - W) / (W N + 1 - W)$. Five facts:

* that is a plain factor with another weight, whose odds are multiplied by the noise
  (`shifted_weight`), so noise above 1 pushes every weight up; no noise keeps all weights where
  they are on average (`mean_moves`), and how far they move has a closed form (`shifted_moments`);
* for inputs of mean $\mu$ and variance v the corner (0, 0) is a trap if and only if
  $(1-\mu)^2(1+\mu) + \mu v < 0$, with any noise or none (`trap`);
* for a narrow range, starts with $W_1 + W_2 < 2/(1-\mu)$ fall into it, all others do not
  (`border`), which gives the rate of failure (`narrow_failure_rate`); above -1 they end in a valley
  of fractional weights that fit just as well (`valley`);
* for any range, some starts are lost and some are safe whatever the batches are and whatever the
  noise draws (`sure_weights`): noise from l on saves them all if $l\,|b| \ge 3$, for inputs up to
  b < 0;
* noise moves the border (`predicted_failure_rate`), and fills the valley where it spreads wide
  enough (`rest_points`).

Source: worked out here, on the surface of `multiplication`. The noise is that of Mistry et al.,
arXiv 2211.05624.
"""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory import multiplication
from sharplib.theory._checks import Array, real
from sharplib.theory.multiplication import Noise
from sharplib.theory.proof import Proof, Step

mu = sympy.Symbol("mu", real=True)
v = sympy.Symbol("v", nonnegative=True)
W, N = sympy.symbols("W N", positive=True)
W1, W2 = multiplication.W1, multiplication.W2

#: Where weights of a unit start: uniform between these two.
START = (0.25, 0.75)


# --- Statements -----------------------------------------------------------------------------------


def shifted_weight() -> Proof:
    r"""A noisy factor is a plain factor, with a weight V whose odds are those of W times N.

    >>> for step in shifted_weight():
    ...     print(step)
    Eq(f, (N*W*x - W + 1)/(N*W - W + 1))
    Eq(V, N*W/(N*W - W + 1))
    Eq(V/(1 - V), N*W/(1 - W))
    Eq(f, V*x - V + 1)
    """
    f, x, V = sympy.symbols("f x V", real=True)
    noisy = (W * N * x + 1 - W) / (W * N + 1 - W)
    shifted = W * N / (W * N + 1 - W)
    odds = N * (W / (1 - W))
    if sympy.simplify(noisy - (shifted * x + 1 - shifted)) != 0:
        raise AssertionError("a noisy factor is not a factor with a shifted weight")
    if sympy.simplify(shifted / (1 - shifted) - odds) != 0:
        raise AssertionError("the odds of a weight are not multiplied by the noise")
    return Proof(
        "Shifted weight",
        (
            Step(sympy.Eq(f, noisy), "noise on the input, divided out"),
            Step(sympy.Eq(V, shifted), "give this a name"),
            Step(sympy.Eq(V / (1 - V), odds), "odds are multiplied"),
            Step(sympy.Eq(f, V * x + 1 - V), "a factor without noise"),
        ),
    )


def mean_moves() -> Proof:
    r"""The mean of the shifted weight is W for all W only if the noise is always 1.

    It would need the slope 1 at both ends: $E N = 1$ at 0 and $E[1/N] = 1$ at 1.

    >>> print(mean_moves()[-1])
    Eq((N - 1)**2/N, N - 2 + 1/N)
    """
    shifted = W * N / (W * N + 1 - W)
    slope = sympy.Function("E")
    at_0, at_1 = (sympy.simplify(shifted.diff(W).subs(W, end)) for end in (0, 1))
    square = (N - 1) ** 2 / N
    return Proof(
        "No noise keeps the mean",
        (
            Step(sympy.Eq(slope(at_0), 1), "the slope of the mean at W = 0"),
            Step(sympy.Eq(slope(at_1), 1), "the slope of the mean at W = 1"),
            Step(
                sympy.Eq(square, sympy.expand(square), evaluate=False),
                "never negative, and of mean 1 - 2 + 1 = 0",
            ),
        ),
    )


def mean_and_square() -> Proof:
    r"""The first two moments of the shifted weight, for noise that is uniform from l to u.

    D is the divisor, $1 - W + W N$, and $D_l$ and $D_u$ are its two ends.

    >>> print(mean_and_square()[1])
    Eq(E(D**(-2)), 1/(D_l*D_u))
    """
    low, high, D, D_l, D_u = sympy.symbols("l u D D_l D_u", positive=True)
    mean = sympy.Function("E")
    ends = {D_l: 1 - W + W * low, D_u: 1 - W + W * high}
    inverse = sympy.log(D_u / D_l) / (W * (high - low))
    square = 1 / (D_l * D_u)
    # Both are integrals from l to u: they vanish at u = l times the width, and have this slope.
    for moment, power in ((inverse, 1), (square, 2)):
        total = (moment * (high - low)).subs(ends)
        if sympy.simplify(total.diff(high) - ends[D_u] ** -power) != 0:
            raise AssertionError("a moment of the divisor is not what is stated")
    first, second = mean(1 / D), mean(1 / D**2)
    V = sympy.Symbol("V")
    return Proof(
        "Moments of the shifted weight",
        (
            Step(sympy.Eq(first, inverse), "an integral from l to u"),
            Step(sympy.Eq(second, square), "another"),
            Step(sympy.Eq(mean(V), 1 - (1 - W) * first), "since V = 1 - (1 - W)/D"),
            Step(sympy.Eq(mean(V**2), 1 - 2 * (1 - W) * first + (1 - W) ** 2 * second), "likewise"),
        ),
    )


def trap() -> Proof:
    r"""The slope of the expected error at (0, 0), by mean and variance of the inputs.

    With noise a weight W near 0 acts as N W: the slope is multiplied by the mean of the noise,
    which is positive. So noise neither makes this trap nor removes it.

    >>> print(trap()[-1])
    mu*v + (1 - mu)**2*(mu + 1) < 0
    """
    slope = multiplication.corner_slope().subs(multiplication.m2, mu**2 + v)
    slope = slope.subs(multiplication.mu, mu)
    sign = (1 - mu) ** 2 * (1 + mu) + mu * v
    if sympy.expand(slope + 2 * sign) != 0:
        raise AssertionError("the slope at the corner is not what is stated")
    shifted = W * N / (W * N + 1 - W)
    return Proof(
        "The trap",
        (
            Step(sympy.Eq(sympy.Symbol("L_1"), -2 * sign, evaluate=False), "along W1 at (0, 0)"),
            Step(
                sympy.Eq(sympy.Symbol("dV/dW"), sympy.simplify(shifted.diff(W).subs(W, 0))),
                "with noise: times its mean",
            ),
            Step(sympy.Lt(sign, 0, evaluate=False), "uphill, and no weight goes below 0"),
        ),
    )


def border() -> Proof:
    r"""For inputs that are all $\mu$: the sum of the factors keeps its sign under gradient flow.

    f and g are the factors, each $1 - (1-\mu) W$.

    >>> for step in border():
    ...     print(step)
    Eq(L, (f*g - mu**2)**2)
    Eq(df, 2*g*(1 - mu)**2*(-f*g + mu**2))
    Eq(df + dg, 2*(1 - mu)**2*(f + g)*(-f*g + mu**2))
    Eq(W_1 + W_2, 2/(1 - mu))
    """
    f, g = sympy.symbols("f g", real=True)
    df, dg = sympy.symbols("df dg")
    loss = (f * g - mu**2) ** 2
    # W falls along its slope, and f changes (1 - mu) times as fast, twice.
    fall = {s: sympy.factor(-((1 - mu) ** 2) * loss.diff(s)) for s in (f, g)}
    wanted = 2 * (1 - mu) ** 2 * (mu**2 - f * g)
    if sympy.expand(fall[f] - wanted * g) != 0 or sympy.expand(fall[g] - wanted * f) != 0:
        raise AssertionError("the flow of a factor is not what is stated")
    factors = 1 - (1 - mu) * W1 + 1 - (1 - mu) * W2
    where = 2 / (1 - mu)
    if sympy.simplify(factors.subs(W1, where - W2)) != 0:
        raise AssertionError("the factors do not cancel at the border")
    return Proof(
        "The border",
        (
            Step(sympy.Eq(sympy.Symbol("L"), loss), "all inputs are mu"),
            Step(sympy.Eq(df, wanted * g), "downhill"),
            Step(sympy.Eq(df + dg, wanted * (f + g)), "so the sum keeps its sign"),
            Step(sympy.Eq(W1 + W2, where), "where the sum is 0"),
        ),
    )


def valley() -> Proof:
    r"""Above -1: a valley of weights that are no whole numbers and fit a narrow range exactly.

    >>> for step in valley():
    ...     print(step)
    Eq(f, -mu)
    Eq(W, (mu + 1)/(1 - mu))
    mu < -1/3
    """
    f = sympy.Symbol("f")
    (where,) = sympy.solve(1 - (1 - mu) * W + mu, W)
    middle = (1 + mu) / (1 - mu)
    if sympy.simplify(where - middle) != 0:
        raise AssertionError("the valley does not cross the diagonal where stated")
    (third,) = sympy.solve(middle - sympy.Rational(1, 2), mu)
    return Proof(
        "The valley",
        (
            Step(sympy.Eq(f, -mu), "both factors: a product of mu squared, by two wrong ones"),
            Step(sympy.Eq(W, middle), "the weight that does it, from 0 up for mu above -1"),
            Step(sympy.Lt(mu, third, evaluate=False), "where it is below 1/2: rounded to 0"),
        ),
    )


def diagonal() -> sympy.Expr:
    r"""The slope of the expected error along $W_1 = W_2 = W$, without noise, by its factors.

    A factor $W - 1$ for the right answer, and a square polynomial. Its constant term is the sign
    of `trap`, and its leading one is positive. So with a trap there is one more point of rest
    between 0 and 1, the saddle; without, there are two or none.

    >>> W = sympy.Symbol("W", positive=True)
    >>> sympy.factor(diagonal().subs({mu: -1, v: 0}))
    32*W*(W - 1)*(2*W - 1)
    """
    moments = {multiplication.m2: mu**2 + v, multiplication.mu: mu, W1: W, W2: W}
    error = multiplication.expected_error().subs(multiplication.m2, mu**2 + v).subs(moments)
    square = sympy.cancel(error.diff(W) / (4 * (W - 1)))
    return 4 * (W - 1) * sympy.collect(sympy.expand(square), W, sympy.factor)


# --- Numbers --------------------------------------------------------------------------------------


def shifted(weight: ArrayLike, noise: ArrayLike) -> Array:
    r"""The weight that a draw of noise makes of W: $V = W N / (W N + 1 - W)$.

    `weight` in [0, 1] and `noise` > 0 broadcast.

    >>> shifted([0.0, 0.25, 0.5, 1.0], 3.0)
    array([0.  , 0.5 , 0.75, 1.  ])
    """
    w, n = real("weight", weight, at_least=0), real("noise", noise, above=0)
    return w * n / (w * n + 1 - w)


def shifted_moments(weight: ArrayLike, noise: Noise) -> tuple[Array, Array]:
    r"""Mean and variance of `shifted` for noise that is uniform from l to u; see `mean_and_square`.

    `weight` in [0, 1], `noise` the pair l <= u, above 0. The variance is exact to about 1e-16.

    >>> mean, variance = shifted_moments([0.0, 0.25, 0.5, 1.0], (1.0, 5.0))
    >>> mean.round(3), variance.round(3)
    (array([0.   , 0.48 , 0.725, 1.   ]), array([0.   , 0.011, 0.008, 0.   ]))
    """
    w = real("weight", weight, at_least=0)
    low, high = _noise(noise)
    at_low, at_high = 1 - w + w * low, 1 - w + w * high
    r = w * (high - low) / at_low
    few = np.where(r > 1e-8, r, 1.0)
    # log(1 + r) / r, which is 1 - r/2 near 0
    inverse = np.where(r > 1e-8, np.log1p(few) / few, 1 - r / 2) / at_low
    square = 1 / (at_low * at_high)
    return 1 - (1 - w) * inverse, np.maximum((1 - w) ** 2 * (square - inverse**2), 0.0)


def rest_points(low: float, high: float, noise: Noise | None = None) -> Array:
    r"""Where the expected error is level along $W_1 = W_2 = W$, between 0 and 1; rising.

    Inputs are uniform from `low` to `high`, noise as in `multiplication.error`. Along the diagonal
    hills and dales take turns, and 1 is a dale. So one point is the saddle above a trap, and the
    first of two is a wrong optimum.

    >>> rest_points(-1.2, -1.1).round(3), rest_points(-0.2, -0.1).round(3)
    (array([0.465]), array([0.742, 0.865]))
    >>> rest_points(-0.2, -0.1, noise=(0.2, 1.8)).size
    0
    """
    if noise is not None:
        noise = _noise(noise)

    def slope(w: Array) -> Array:
        mean, square = multiplication.moments(low, high)
        p, q, p_slope, q_slope = multiplication._parts(w, mean, square, noise)
        return p_slope * p - 2 * q_slope * q

    w = np.linspace(0, 1, 2002)[1:-1]
    signs = np.sign(slope(w))
    left, right = w[:-1][signs[:-1] != signs[1:]], w[1:][signs[:-1] != signs[1:]]
    rises = slope(right) > 0
    for _ in range(50):  # halve them all
        middle = (left + right) / 2
        beyond = (slope(middle) > 0) == rises
        left, right = np.where(beyond, left, middle), np.where(beyond, middle, right)
    return (left + right) / 2


def predicted_failure_rate(low: float, high: float, noise: Noise | None = None) -> float:
    r"""The share of starts from which a unit fails, read off the points of rest of the diagonal.

    The last of them is the hill h before the right answer. Beyond it lies the corner, a trap, or a
    dale, which the regulariser rounds to 0 if it is below 1/2, and to 1 if not. By symmetry the
    border between the two sides crosses the diagonal at right angles; straight on, a start fails
    if $W_1 + W_2 < 2h$. For narrow ranges without noise that is exact (`border`).

    >>> [round(predicted_failure_rate(*ends), 2) for ends in ((-1.2, -1.1), (-2, -1), (-20, -10))]
    [0.37, 0.16, 0.0]
    >>> round(predicted_failure_rate(-0.2, -0.1, noise=(3.0, 3.0)), 2)
    0.96
    """
    points = rest_points(low, high, noise)
    trapped = points.size == 1 or (points.size == 2 and points[0] < 0.5)
    return float(_below(2 * points[-1])) if trapped else 0.0


def narrow_failure_rate(mean: ArrayLike) -> Array:
    r"""`predicted_failure_rate` of a range so narrow that all inputs are `mean`, without noise.

    It is 0 from $\mu = -1/3$ on (`valley`). Below, with $t = 4/(1-\mu) - 1$, it is $t^2/2$ where
    $t \le 1$, for means up to -1, then $1 - (2-t)^2/2$, and 0 where t < 0, for means below -3.

    >>> narrow_failure_rate([-3.0, -2.0, -1.15, -1.0, -0.6, -0.34, -0.3]).round(3)
    array([0.   , 0.056, 0.37 , 0.5  , 0.875, 1.   , 0.   ])
    """
    m = real("mean", mean)
    return np.where(m < -1 / 3, _below(2 / (1 - np.minimum(m, -1 / 3))), 0.0)


def sure_weights(low: float, high: float, noise: Noise | None = None) -> tuple[float, float]:
    r"""Below the first both weights are lost, above the second they are safe, whatever is drawn.

    For inputs from a to b < 0 and noise from l to u. If both weights have odds of at least
    $1/(l |b|)$, every factor is negative, and the error of no example, with no noise, falls by
    lowering a weight: gradient descent, with momentum or Adam, only raises them. If b <= -1 and
    both have odds of at most $1/(u |a|)$, all is turned round. Else the first number is 0.

    Raises
    ------
    ValueError
        If `high` is not below 0.

    Examples
    --------
    >>> [round(w, 3) for w in sure_weights(-1.2, -1.1)]
    [0.455, 0.476]
    >>> sure_weights(-1.2, -1.0, noise=(3.0, 5.0))[1]  # where the lowest weight starts
    0.25
    """
    multiplication.moments(low, high)
    if not high < 0:
        raise ValueError(f"high must be below 0, got {high!r}")
    least, most = (1.0, 1.0) if noise is None else _noise(noise)
    lost = 1 / (1 + most * -low) if high <= -1 else 0.0
    return lost, 1 / (1 + least * -high)


def sure_failure_rates(low: float, high: float, noise: Noise | None = None) -> tuple[float, float]:
    """Between which ends the rate of failure lies, by `sure_weights` of independent starts.

    >>> [round(share, 3) for share in sure_failure_rates(-1.2, -1.1)]
    [0.167, 0.7]
    >>> sure_failure_rates(-1.2, -1.1, noise=(3.0, 5.0))
    (0.0, 0.0)
    """
    lost, safe = (
        min(max((w - START[0]) / (START[1] - START[0]), 0.0), 1.0)
        for w in sure_weights(low, high, noise)
    )
    return lost**2, 1 - (1 - safe) ** 2


def _below(total: ArrayLike) -> Array:
    """The share of two independent starts with a sum below `total`."""
    t = np.clip((np.asarray(total) - 2 * START[0]) / (START[1] - START[0]), 0, 2)
    return np.where(t < 1, t * t / 2, 1 - (2 - t) ** 2 / 2)


def _noise(noise: Noise) -> Noise:
    low, high = noise
    if not 0 < low <= high < np.inf:
        raise ValueError(f"noise must be a pair 0 < low <= high, got {noise!r}")
    return float(low), float(high)
