r"""Out of range: why a small residue that nobody sees in training grows with the size of the test.

* *A straight piece misses a curve* (`straight_piece`, `least_error`): a ReLU network is affine
  beyond its last kink (`kinks`), and an affine function misses a square by a share of its length
  squared, whatever its coefficients.
* *Slack times size* (`slack`): a softmax whose rivals have the odds r of the leader loses like
  r (n - 1); a multiplication unit that should ignore an input, and has a weight s left for it, is
  wrong by s (M - 1). One line, once in the number of items and once in their magnitude.
* *Late arrival* (`arrival`): a weight that is a sigmoid gets to 0 like one over the root of time, a
  clipped weight with a penalty in finite time.

Source: worked out here; the units are those of Trask et al. (arXiv 1808.00508) and of Madsen and
Johansen (ICLR 2020).
"""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array, real
from sharplib.theory.proof import Proof, Step

M, n, r, s, c = sympy.symbols("M n r s c", positive=True)


# --- Statements -----------------------------------------------------------------------------------


def straight_piece() -> Proof:
    r"""On a length M an affine function misses a parabola by at least $c M^2 / 8$ somewhere.

    e is the error at a distance t from where the piece begins, D its second difference over both
    ends and the middle, E the largest error. The affine part falls out of D.

    >>> print(straight_piece().conclusion)
    E >= M**2*c/8
    """
    t, q, a, b = sympy.symbols("t q a b", real=True)
    most, second = sympy.Symbol("E", positive=True), sympy.Symbol("D", real=True)
    e = c * (q + t) ** 2 - (a + b * t)
    difference = sympy.expand(e.subs(t, 0) - 2 * e.subs(t, M / 2) + e.subs(t, M))
    return Proof(
        "A straight piece misses a curve",
        (
            Step(sympy.Eq(sympy.Symbol("e"), e), "a parabola less any affine function"),
            Step(sympy.Eq(second, difference), "its two ends, less twice its middle"),
            Step(sympy.Le(second, 4 * most, evaluate=False), "each of the four is at most E"),
            Step(sympy.Ge(most, difference / 4, evaluate=False), "put together"),
        ),
    )


def slack() -> Proof:
    r"""A lookup and a product: what should be left out comes in with the size of the test.

    P is the weight of a leader whose n - 1 rivals have the odds r, 1 being its own. y is what a
    multiplication unit makes of an x that it takes and an M that it should ignore, with the weight
    s left for it; x y' is what it makes of them if x has the weight 1 - s instead.

    >>> for step in slack():
    ...     print(step)
    Eq(P, 1/(r*(n - 1) + 1))
    Eq(-1 + 1/P, r*(n - 1))
    Eq(y, x*(M*s - s + 1))
    Eq(-1 + y/x, s*(M - 1))
    Eq(y' - 1, -s*(x - 1)/x)
    """
    P, y, other = sympy.symbols("P y y'", positive=True)
    x = sympy.Symbol("x", positive=True)
    weight = 1 / (1 + (n - 1) * r)
    unit = x * (s * M + 1 - s)
    left_out = sympy.factor(unit / x - 1)
    taken = sympy.factor(((1 - s) * x + s) / x - 1)
    return Proof(
        "Slack times size",
        (
            Step(sympy.Eq(P, weight), "softmax: n - 1 rivals"),
            Step(sympy.Eq(1 / P - 1, sympy.factor(1 / weight - 1)), "what the rivals hold"),
            Step(sympy.Eq(y, unit), "product: x taken, M nearly ignored"),
            Step(sympy.Eq(y / x - 1, left_out), "what the ignored input does"),
            Step(sympy.Eq(other - 1, taken), "an input nearly taken does no more than s"),
        ),
    )


def arrival() -> Proof:
    r"""Gradient flow on the loss $c W^2$, for a weight $W = \sigma(z)$ that should become 0.

    The chain rule brings the slope W (1 - W) of the sigmoid twice. So $u = 1/W^2$ grows at a rate
    of at most 4c, and W is never below the curve in the last line.

    >>> print(arrival().conclusion)
    W >= 1/sqrt(4*c*t + W_0**(-2))
    """
    t = sympy.Symbol("t", positive=True)
    W, start = sympy.symbols("W W_0", positive=True)
    u, rate = sympy.symbols("u u'", positive=True)
    slope = W * (1 - W)
    moves = -sympy.diff(c * W**2, W) * slope**2
    grows = sympy.factor(sympy.diff(W**-2, W) * moves)
    later = (start**-2 + 4 * c * t) ** sympy.Rational(-1, 2)
    return Proof(
        "Late arrival",
        (
            Step(sympy.Eq(sympy.Symbol("W'"), sympy.factor(moves)), "the slope of σ, twice"),
            Step(sympy.Eq(u, W**-2), "a slower quantity"),
            Step(sympy.Eq(rate, grows), "how fast it grows"),
            Step(sympy.Le(rate, 4 * c, evaluate=False), "since W is in (0, 1)"),
            Step(sympy.Ge(W, later, evaluate=False), "so for a start at W_0"),
        ),
    )


# --- Numbers --------------------------------------------------------------------------------------


def kinks(weight: ArrayLike, bias: ArrayLike, start: ArrayLike, direction: ArrayLike) -> Array:
    """Where the hidden ReLUs of a network switch along a line, in units of the direction; rising.

    Beyond the last of them the network is affine along the line, and before the first one too.

    Parameters
    ----------
    weight : (hidden, inputs)
    bias : (hidden,)
    start, direction : (inputs,)

    Examples
    --------
    >>> kinks([[1.0, 1.0], [1.0, -1.0]], [-3.0, 0.0], [0.0, 0.0], [1.0, 1.0])  # the second: never
    array([1.5])
    """
    w = real("weight", weight)
    slope = w @ real("direction", direction)
    value = w @ real("start", start) + real("bias", bias)
    return np.sort(-value[slope != 0] / slope[slope != 0])


def least_error(length: ArrayLike, pieces: ArrayLike = 1, curvature: ArrayLike = 1.0) -> Array:
    r"""The least largest error of so many straight pieces on a length of $c t^2$: $c L^2 / 8 p^2$.

    The product of two equal numbers t has c = 1. Attained by equal pieces. Arguments broadcast:
    `length` >= 0 and `curvature` >= 0 in any units, `pieces` >= 1.

    >>> [float(f"{error:.3g}") for error in least_error([1, 998], [65, 1])]
    [2.96e-05, 125000.0]
    """
    size, count = real("length", length, at_least=0), real("pieces", pieces, at_least=1)
    return real("curvature", curvature, at_least=0) * size**2 / (8 * count**2)


def product_ends(
    magnitude: ArrayLike, slack: ArrayLike, taken: int, ignored: int
) -> tuple[Array, Array]:
    r"""Least and most of (what an NMU says) / (what is right), for weights within `slack`.

    For inputs between 1 and M:

    .. math:: \bigl(1 - s (1 - 1/M)\bigr)^k \le y / y^* \le \bigl(1 + s (M - 1)\bigr)^m

    with k inputs that should be taken and m that should be ignored. Both ends are attained.
    Arguments broadcast: `magnitude` >= 1, `slack` in [0, 1).

    >>> product_ends([2.0, 1000.0], 0.001, taken=2, ignored=1)
    (array([0.99900025, 0.998003  ]), array([1.001, 1.999]))
    """
    size, gap = real("magnitude", magnitude, at_least=1), _slack(slack)
    for name, count in (("taken", taken), ("ignored", ignored)):
        if count < 0:
            raise ValueError(f"{name} must be at least 0, got {count!r}")
    return (1 - gap * (1 - 1 / size)) ** taken, (1 + gap * (size - 1)) ** ignored


def circuit_error(weight: ArrayLike, magnitude: ArrayLike) -> Array:
    r"""The largest relative error of one NMU, for inputs from 1 to M, against the rounded circuit.

    The larger of :math:`\prod_j (1 + w_j (M - 1)) - 1` over the weights below 1/2 and
    :math:`1 - \prod_i (1 - (1 - w_i)(1 - 1/M))` over the others. Attained: large inputs where the
    rounded weight is 0 and 1 elsewhere, or the other way round.

    Parameters
    ----------
    weight : (inputs,)
        In [0, 1].
    magnitude
        M, at least 1; any shape.

    >>> circuit_error([0.999, 0.999, 0.001], [2, 1000]).round(4)
    array([0.001, 0.999])
    """
    w = real("weight", weight, at_least=0)
    if w.ndim != 1 or w.max(initial=0) > 1:
        raise ValueError(f"weight must be one row of numbers from 0 to 1, got {weight!r}")
    size = real("magnitude", magnitude, at_least=1)[..., None]
    taken, ignored = w[w >= 0.5], w[w < 0.5]
    above = (1 + ignored * (size - 1)).prod(-1) - 1
    below = 1 - (1 - (1 - taken) * (1 - 1 / size)).prod(-1)
    return np.maximum(above, below)


def relative_error(size: ArrayLike, slack: ArrayLike) -> Array:
    r"""The line of `slack`: s (M - 1) for a product, r (n - 1) for a lookup.

    For a lookup it is the weight of the rivals over that of the leader, $1/P - 1$. Arguments
    broadcast: `size` >= 1, `slack` in [0, 1).

    >>> relative_error([2, 16, 1024], 0.001).round(3).tolist()
    [0.001, 0.015, 1.023]
    """
    return (real("size", size, at_least=1) - 1) * _slack(slack)


def largest_size(tolerated: ArrayLike, slack: ArrayLike) -> Array:
    r"""The size up to which `relative_error` is tolerated: $1 + \epsilon / s$.

    Arguments broadcast: `tolerated` >= 0, `slack` in (0, 1).

    >>> largest_size(0.01, [1e-2, 1e-3, 1e-6]).round()
    array([2.0000e+00, 1.1000e+01, 1.0001e+04])
    """
    gap = real("slack", slack, above=0, below=1)
    return 1 + real("tolerated", tolerated, at_least=0) / gap


def sigmoid_slack(time: ArrayLike, start: ArrayLike, curvature: ArrayLike = 1.0) -> Array:
    r"""A weight that gradient flow has not got below: $(W_0^{-2} + 4ct)^{-1/2}$. See `arrival`.

    Arguments broadcast: `time` >= 0, `start` in (0, 1), `curvature` c >= 0 of the loss c W^2.

    >>> sigmoid_slack([0, 1e2, 1e4, 1e6], 0.5).round(5)
    array([0.5    , 0.04975, 0.005  , 0.0005 ])
    """
    at, first = real("time", time, at_least=0), real("start", start, above=0, below=1)
    return 1 / np.sqrt(first**-2.0 + 4 * real("curvature", curvature, at_least=0) * at)


def clipped_arrival(start: ArrayLike, penalty: ArrayLike, curvature: ArrayLike = 1.0) -> Array:
    r"""When a clipped weight is exactly 0, under the loss $c W^2 + \lambda W$.

    $\log(1 + 2 c W_0 / \lambda) / 2c$, in the same units of time as `sigmoid_slack`. Arguments
    broadcast: `start` in (0, 1), `penalty` > 0, `curvature` > 0.

    >>> clipped_arrival(0.5, [1.0, 0.01, 1e-6]).round(2)
    array([0.35, 2.31, 6.91])
    """
    first, bend = real("start", start, above=0, below=1), real("curvature", curvature, above=0)
    return np.log1p(2 * bend * first / real("penalty", penalty, above=0)) / (2 * bend)


def _slack(slack: ArrayLike) -> Array:
    return real("slack", slack, at_least=0, below=1)
