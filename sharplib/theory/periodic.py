r"""Periodic maps: what shares of a function of the scores can and cannot do.

$$p_i = \frac{g(x_i)}{\sum_j g(x_j)}, \qquad g \ge 0.$$

At $g = e^x$ this is softmax. A periodic g is meant to keep the gradient alive where a softmax
saturates. Eight facts, as proofs to read and, where there is a number, as functions:

* one Jacobian serves all of them (`shares`, `jacobian`);
* a weight cannot rise without end: order or gradient must go (`climb`);
* a weight moves at most at the speed 2 H p (1 - p), so sharp is flat (`speed`, `most_speed`);
* if g lies between two positive bounds, all weights disperse (`ceiling`, `weight_bounds`);
* where g has a pole or a zero, pointing is a matter of aim, and the target shrinks with n
  (`targets`, `pole_window`, `zero_window`);
* at a pole chance points, at any n (`lottery`);
* two identities (`siren_as_softmax`, `shifted_sine`);
* normalising the scores first brings back what was to be avoided (`normalised`,
  `normalised_weight_bound`).

Source: arXiv 2108.07153 for the maps; the statements are worked out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array, real
from sharplib.theory.proof import Proof, Step, between

x = sympy.Symbol("x", real=True)
n, P, H = sympy.symbols("n P H", positive=True)
m, M = sympy.symbols("m M", positive=True)

#: g of each map, by the map's name in `sharplib`; `sin_max` is that of the public demo.
SHARES: Mapping[str, sympy.Expr] = MappingProxyType(
    {
        "softmax": sympy.exp(x),
        "sin_softmax": sympy.exp(sympy.sin(x)),
        "shifted_sin2_max": sympy.sin(x + sympy.pi / 4) ** 2,
        "siren_max": (1 + sympy.sin(x)) / (2 - 2 * sympy.sin(x)),
        "sin_max": 1 + sympy.sin(10 * x),
        "sin2_max": sympy.sin(x) ** 2,
        "cos_max": sympy.cos(x),
    }
)


# --- Statements -----------------------------------------------------------------------------------


def shares() -> Proof:
    r"""The Jacobian of every map of this form, and the same with the log slope $h = g'/g$.

    >>> print(shares()[-1])
    Eq(Derivative(p_i, x_j), -p_i*p_j*h(x_j))
    """
    g, h = sympy.Function("g"), sympy.Function("h")
    xi, xj, rest, S = sympy.symbols("x_i x_j R S")
    pi, pj = sympy.symbols("p_i p_j")
    total = g(xi) + g(xj) + rest  # R: all other items
    weight = g(xi) / total
    own = g(xi).diff(xi) * (1 - pi) / S
    other = -pi * g(xj).diff(xj) / S
    for at, claim in ((xi, own), (xj, other)):
        if sympy.simplify(weight.diff(at) - claim.subs({pi: weight, S: total})) != 0:
            raise AssertionError("the quotient rule gives another derivative")

    def slope(at: sympy.Symbol) -> sympy.Derivative:
        return sympy.Derivative(pi, at)

    return Proof(
        "Shares",
        (
            Step(sympy.Eq(pi, g(xi) / S), "S is the sum of all g"),
            Step(sympy.Eq(slope(xi), own, evaluate=False), "quotient rule"),
            Step(sympy.Eq(slope(xj), other, evaluate=False), "another item moves S alone"),
            Step(sympy.Eq(slope(xi), h(xi) * pi * (1 - pi), evaluate=False), "slope of g is h g"),
            Step(sympy.Eq(slope(xj), -h(xj) * pi * pj, evaluate=False), "likewise"),
        ),
    )


def climb() -> Proof:
    r"""No weight can rise at the rate s for longer than 1/s: it lives between 0 and 1.

    w is a weight along the way of one score, a and b are two places on it.

    >>> print(climb()[-1])
    -a + b <= 1/s
    """
    w = sympy.Function("w")
    s = sympy.Symbol("s", positive=True)
    t, a, b = sympy.symbols("t a b", real=True)
    rise = w(b) - w(a)
    whole = sympy.Integral(w(t).diff(t), (t, a, b))
    return Proof(
        "A climb ends",
        (
            Step(sympy.Eq(whole, rise, evaluate=False), "the slopes add up to the rise"),
            Step(sympy.Le(rise, 1, evaluate=False), "a weight lies between 0 and 1"),
            Step(sympy.Ge(whole, s * (b - a), evaluate=False), "if the slope is never below s"),
            Step(sympy.Le(b - a, 1 / s, evaluate=False), "put together"),
        ),
    )


def speed() -> Proof:
    r"""How fast a weight can move: its slopes in all scores add up to at most 2 H p (1 - p).

    H is the largest $|g'/g|$ at the scores of the row. Equality where every $|h|$ is H, which is
    always so for softmax.

    >>> print(speed()[-1])
    V_i <= 2*H*p_i*(1 - p_i)
    """
    pi, V = sympy.symbols("p_i V_i", positive=True)
    hi = sympy.Symbol("h_i", real=True)
    j = sympy.Symbol("j", integer=True, positive=True)
    h, p = sympy.IndexedBase("h"), sympy.IndexedBase("p")
    others = sympy.Sum(sympy.Abs(h[j]) * p[j], (j, 2, n))
    bound = 2 * H * pi * (1 - pi)
    if sympy.expand(bound - H * pi * (1 - pi) - pi * H * (1 - pi)) != 0:
        raise AssertionError("the two parts do not add up to the bound")
    return Proof(
        "Speed of a weight",
        (
            Step(
                sympy.Eq(V, sympy.Abs(hi) * pi * (1 - pi) + pi * others, evaluate=False),
                "own slope, and those in the others",
            ),
            Step(sympy.Le(others, H * (1 - pi), evaluate=False), "the others weigh the rest"),
            Step(sympy.Le(V, bound, evaluate=False), "both parts are at most half of it"),
        ),
    )


def ceiling() -> Proof:
    r"""If g lies between m and M, so does every weight between two bounds of order 1/n.

    >>> print(ceiling()[-1])
    m/(M*(n - 1) + m) <= P <= M/(M + m*(n - 1))
    """
    gi, S = sympy.symbols("g_i S", positive=True)
    low, high = m / (m + (n - 1) * M), M / (M + (n - 1) * m)
    # g/(g + R) rises with g and falls with the rest R.
    rest = sympy.Symbol("R", positive=True)
    share = gi / (gi + rest)
    if not (sympy.simplify(share.diff(gi)).is_positive and share.diff(rest).is_negative):
        raise AssertionError("a share must rise with its own g and fall with the others")
    return Proof(
        "Ceiling",
        (
            Step(sympy.Eq(P, gi / (gi + (S - gi)), evaluate=False), "own share, and the rest"),
            Step(between(m * (n - 1), S - gi, M * (n - 1)), "the other items"),
            Step(between(low, P, high), "most g, least rest; least g, most rest"),
        ),
    )


def targets() -> Proof:
    r"""How well a row must aim to give one item the weight P among n.

    r is the odds against the item, per rival. Softmax needs a lead above $\log(1/r)$. Siren-max,
    with its rivals at score 0, needs the item within d of the pole; the shifted squared sine, with
    the item at its top, needs the rivals within d of a zero.

    >>> print(targets()[1])
    Eq(d_softmax, log(1/r))
    """
    r, d = sympy.symbols("r d", positive=True)
    odds = (1 - P) / (P * (n - 1))
    pole = 2 * sympy.atan(sympy.sqrt(r))
    zero = sympy.asin(sympy.sqrt(r))
    siren = SHARES["siren_max"]
    ratio = sympy.simplify(siren.subs(x, 0) / siren.subs(x, sympy.pi / 2 - d))
    if sympy.simplify(sympy.expand_trig(ratio.subs(d, pole)) - r) != 0:
        raise AssertionError("the window at the pole is another one")
    sine = SHARES["shifted_sin2_max"]
    ratio = sine.subs(x, d - sympy.pi / 4) / sine.subs(x, sympy.pi / 4)
    if sympy.simplify(ratio.subs(d, zero) - r) != 0:
        raise AssertionError("the window at the zero is another one")
    lead, at_pole, at_zero = sympy.symbols("d_softmax d_pole d_zero", positive=True)
    return Proof(
        "Targets",
        (
            Step(sympy.Eq(r, odds, evaluate=False), "g of a rival over g of the item"),
            Step(sympy.Eq(lead, sympy.log(1 / r)), "softmax: a lead of this or more"),
            Step(sympy.Eq(at_pole, pole), "siren-max: this near to the pole"),
            Step(sympy.Eq(at_zero, zero), "shifted: rivals this near to a zero"),
        ),
    )


def lottery() -> Proof:
    r"""Scores at random under siren-max: the squares of the weights add up to 1/2 at any large n.

    g has the tail $t^{-\alpha}$ with $\alpha = 1/2$. Its Laplace transform is
    $\varphi(\lambda) \approx e^{-c \lambda^\alpha}$, and $1/S^2 = \int \lambda e^{-\lambda S}
    d\lambda$ turns the squares into an integral over $\lambda$.

    >>> print(lottery()[-1])
    Eq(Q, 1/2)
    """
    t, c, lam, v, Q = sympy.symbols("t c lambda v Q", positive=True)
    a = sympy.Symbol("alpha", positive=True)
    d = 2 * sympy.atan(1 / sympy.sqrt(2 * t))  # g is above t this near to a pole
    tail = d / sympy.pi
    if sympy.limit(tail * sympy.sqrt(t), t, sympy.oo) != sympy.sqrt(2) / sympy.pi:
        raise AssertionError("the tail of g does not have the power 1/2")
    phi = sympy.exp(-c * lam**a)
    curve = sympy.expand(phi.diff(lam, 2) / phi)
    # As n grows only small lambda count, where the first power of c leads.
    leading = sympy.simplify(curve.coeff(c, 1))
    # v = n c lambda^alpha
    inner = sympy.simplify(leading * lam * c * n * lam / (a * v)).subs(lam**a, v / (n * c))
    squares = sympy.integrate(sympy.simplify(inner) * sympy.exp(-v), (v, 0, sympy.oo))
    if sympy.simplify(squares - (1 - a)) != 0:
        raise AssertionError("the integral is not 1 - alpha")
    whole = sympy.Integral(
        n * c * a * (1 - a) * lam ** (a - 1) * sympy.exp(-n * c * lam**a), (lam, 0, sympy.oo)
    )
    return Proof(
        "Lottery",
        (
            Step(sympy.Eq(sympy.Symbol("T"), tail), "share of scores whose g is above t"),
            Step(sympy.Eq(Q, whole, evaluate=False), "mean sum of squares, for large n"),
            Step(sympy.Eq(Q, 1 - a, evaluate=False), "whatever n and c are"),
            Step(sympy.Eq(Q, (1 - a).subs(a, sympy.Rational(1, 2))), "the tail has the power 1/2"),
        ),
    )


def siren_as_softmax() -> Proof:
    r"""Siren-max is a softmax of scores that a finite interval has stretched without end.

    >>> print(siren_as_softmax()[1])
    Eq(log(2*g), 2*atanh(sin(x)))
    """
    g = sympy.Symbol("g", positive=True)
    h = sympy.Symbol("h", real=True)
    stretched = 2 * sympy.atanh(sympy.sin(x))
    log_slope = sympy.simplify(SHARES["siren_max"].diff(x) / SHARES["siren_max"])
    same_start = sympy.log(2 * SHARES["siren_max"].subs(x, 0)) == stretched.subs(x, 0)
    if sympy.simplify(log_slope - stretched.diff(x)) != 0 or not same_start:
        raise AssertionError("siren-max is not this softmax")
    return Proof(
        "Siren-max",
        (
            Step(sympy.Eq(g, SHARES["siren_max"]), "as in the code"),
            Step(sympy.Eq(sympy.log(2 * g), stretched), "same slope, and both 0 at 0"),
            Step(sympy.Eq(h, 2 / sympy.cos(x)), "log slope: no bound at the pole"),
        ),
    )


def shifted_sine() -> Proof:
    r"""The shifted squared sine is a plain sine with an offset, at twice the frequency.

    >>> print(shifted_sine()[-1])
    Eq(2*g, sin(2*x) + 1)
    """
    g = sympy.Symbol("g", positive=True)
    plain = 1 + sympy.sin(2 * x)
    if sympy.simplify(2 * SHARES["shifted_sin2_max"] - plain) != 0:
        raise AssertionError("the shifted squared sine is not this sine")
    return Proof(
        "Shifted squared sine",
        (
            Step(sympy.Eq(g, SHARES["shifted_sin2_max"]), "as in the code"),
            Step(sympy.Eq(2 * g, plain), "half-angle formula"),
        ),
    )


def normalised() -> Proof:
    r"""Scores of mean 0 and variance 1: their slopes, their size, and what happens to large ones.

    >>> print(normalised()[1])
    z <= (n - 1)/sqrt(n)
    """
    values = sympy.symbols("x_1:4", real=True)
    mean = sum(values) / 3
    root = sympy.sqrt(sum((v - mean) ** 2 for v in values) / 2)
    z = [(v - mean) / root for v in values]
    point = dict(zip(values, (0, 1, 5), strict=True))  # an identity of rational functions of root
    for i in range(3):
        for j in range(3):
            claim = (sympy.Integer(i == j) - sympy.Rational(1, 3) - z[i] * z[j] / 2) / root
            if sympy.simplify((z[i].diff(values[j]) - claim).subs(point)) != 0:
                raise AssertionError("the Jacobian of the normalisation is another one")
    zi, zj, delta, sigma = sympy.symbols("z_i z_j delta_ij sigma", real=True)
    top, lead, c = sympy.symbols("z D c", positive=True)
    slope = (delta - 1 / n - zi * zj / (n - 1)) / sigma
    # One item at z and the others level below it: sum 0, squares n - 1.
    level = -top / (n - 1)
    (largest,) = (
        s for s in sympy.solve(top**2 + (n - 1) * level**2 - (n - 1), top) if s.subs(n, 5) > 0
    )
    largest = sympy.simplify(largest)
    if sympy.simplify(largest - (n - 1) / sympy.sqrt(n)).subs(n, 7) != 0:
        raise AssertionError("the largest normalised score is another one")
    J = sympy.Function("J")
    return Proof(
        "Normalised scores",
        (
            Step(
                sympy.Eq(sympy.Derivative(zi, sympy.Symbol("x_j")), slope, evaluate=False),
                "sigma is the spread of the row",
            ),
            Step(sympy.Le(top, (n - 1) / sympy.sqrt(n), evaluate=False), "one item against all"),
            Step(sympy.Eq(lead, sympy.sqrt(n)), "its lead over them, whatever it was before"),
            Step(sympy.Eq(J(c * x), J(x) / c, evaluate=False), "c times the scores change nothing"),
        ),
    )


# --- Numbers --------------------------------------------------------------------------------------


def jacobian(name: str, scores: ArrayLike) -> Array:
    r"""$\partial p_i/\partial x_j = (\delta_{ij} - p_i)\, g'(x_j)/S$ of one of `SHARES`.

    `scores` has the items along its last axis, any number of rows before it; the result has one
    axis more, i before j. Not for a row whose g add up to 0, nor at a pole.
    Raises ValueError for an unknown name, TypeError or ValueError for scores that are not finite.

    >>> jacobian("softmax", [0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    if name not in SHARES:
        raise ValueError(f"name must be one of {', '.join(SHARES)}, got {name!r}")
    at = real("scores", scores)
    g, slope = numbers(SHARES[name], at), numbers(SHARES[name].diff(x), at)
    total = g.sum(-1, keepdims=True)
    return (np.eye(at.shape[-1]) - (g / total)[..., None]) * (slope / total)[..., None, :]


def numbers(function: sympy.Expr, scores: ArrayLike) -> Array:
    """What a function of `x` gives at these scores, which may have any shape.

    >>> numbers(SHARES["siren_max"], [0.0])
    array([0.5])
    """
    return sympy.lambdify(x, function, "numpy")(real("scores", scores))


def weight_bounds(n: ArrayLike, low: ArrayLike, high: ArrayLike) -> tuple[Array, Array]:
    r"""Least and largest weight of n shares of a g between `low` and `high`.

    $m/(m + (n-1)M)$ and $M/(M + (n-1)m)$; both are attained, and of order 1/n if `low` is above 0.
    Arguments broadcast; `n` >= 1, `low` >= 0, `high` > 0 and at least `low`.
    Raises TypeError or ValueError that names the argument.

    >>> low, high = weight_bounds(64, np.exp(-1), np.e)  # sin-softmax
    >>> round(float(low), 4), round(float(high), 4)
    (0.0021, 0.105)
    """
    size = real("n", n, at_least=1)
    least, most = real("low", low, at_least=0), real("high", high, above=0)
    if (least > most).any():
        raise ValueError(f"low must be at most high, got {low!r} and {high!r}")
    return least / (least + (size - 1) * most), most / (most + (size - 1) * least)


def most_speed(weight: ArrayLike, log_slope: ArrayLike = 1.0) -> Array:
    r"""The most that the slopes of a weight can add up to: $2 H p (1-p)$.

    If every score moves by at most $\epsilon$, a small number, the weight moves by at most
    $\epsilon$ times this. `weight` in [0, 1], `log_slope` H >= 0 in 1 over units of the scores.

    >>> most_speed([0.01, 0.5, 0.99]).round(4)
    array([0.0198, 0.5   , 0.0198])
    """
    p = real("weight", weight, at_least=0)
    if (p > 1).any():
        raise ValueError(f"weight must be at most 1, got {p.max()}")
    return 2 * real("log_slope", log_slope, at_least=0) * p * (1 - p)


def pole_window(n: ArrayLike, weight: ArrayLike) -> Array:
    r"""How near to its pole siren-max must have an item for this weight, rivals at score 0.

    $2\arctan\sqrt r$ with $r = (1-P)/(P(n-1))$: on either side, in radians. Falls like
    $n^{-1/2}$. `n` > 1 and `weight` in (0, 1) broadcast.

    >>> pole_window([10, 1000], 0.5).round(3)
    array([0.644, 0.063])
    """
    return 2 * np.arctan(np.sqrt(_odds(n, weight)))


def zero_window(n: ArrayLike, weight: ArrayLike) -> Array:
    r"""How near to a zero of the shifted squared sine all rivals must be, the item at its top.

    $\arcsin\sqrt r$ with $r = (1-P)/(P(n-1))$, in radians; $\pi/2$, all of them, where r is 1 or
    more. Falls like $n^{-1/2}$. Same arguments.

    >>> zero_window([10, 1000], 0.5).round(3)
    array([0.34 , 0.032])
    """
    return np.arcsin(np.sqrt(np.minimum(_odds(n, weight), 1)))


def normalised_weight_bound(n: ArrayLike, divisor: ArrayLike = 1.0) -> Array:
    r"""The largest weight of softmax of normalised scores, divided by `divisor`.

    $1/(1 + (n-1)e^{-\sqrt n/c})$: attained by one item above level others, however small its lead
    was before, up to the $\epsilon$ of the normalisation. `n` >= 2, `divisor` c > 0.

    >>> normalised_weight_bound(64, [1.0, 8.0]).round(3)
    array([0.979, 0.041])
    """
    size, c = real("n", n, at_least=2), real("divisor", divisor, above=0)
    return 1 / (1 + (size - 1) * np.exp(-np.sqrt(size) / c))


def _odds(n: ArrayLike, weight: ArrayLike) -> Array:
    size, p = real("n", n, above=1), real("weight", weight, above=0, below=1)
    return (1 - p) / (p * (size - 1))
