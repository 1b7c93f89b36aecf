r"""Why a multiplication unit fails on some ranges, and how noise mends it.

A neural multiplication unit with two inputs computes $(W_1 x_1 + 1 - W_1)(W_2 x_2 + 1 - W_2)$ and
should learn $x_1 x_2$, so both weights should become 1. Inputs are independent and uniform on a
range with mean $\mu$ and second moment $m_2$. Then the expected squared error is a polynomial in
the two weights, and everything about it can be said exactly.

* *The trap*: at $W = (0, 0)$ the unit always says 1. With weights kept in $[0, 1]$ this corner is a
  local minimum if and only if `corner_slope` is positive: for negative ranges whose products
  exceed 1.
* *The basin*: `descend` follows Adam on the expected error from any start, and `failure_rate` says
  which share of starts ends at the wrong corner. Nothing is sampled.
* *The noise*: in expectation, the noise of a stochastic unit replaces $W$ and $W^2$ by the moments
  of a weight that is shifted at random, $\sigma(\mathrm{logit} W + \ln N)$. That changes the
  surface between the corners and leaves the corners as they are.

Source: worked out here; the unit is that of Madsen and Johansen (ICLR 2020), the noise that of
Mistry et al. (arXiv 2211.05624), who saw the failures.
"""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array

mu, m2 = sympy.symbols("mu m_2", real=True)
W1, W2 = sympy.symbols("W_1 W_2", nonnegative=True)

Noise = tuple[float, float]

# Noise is uniform and what is averaged over it is smooth: 32 nodes give eleven digits up to n = 40.
_NODES, _SHARE = np.polynomial.legendre.leggauss(32)
_SHARE = _SHARE / 2


# --- Statements -----------------------------------------------------------------------------------


def expected_error() -> sympy.Expr:
    r"""$E[(y - x_1 x_2)^2]$ as a polynomial in the weights and the two moments.

    >>> expected_error().subs({W1: 1, W2: 1})
    0
    >>> expected_error().subs({W1: 0, W2: 0}).expand()
    m_2**2 - 2*mu**2 + 1
    """

    def square(w: sympy.Expr) -> sympy.Expr:
        return w**2 * m2 + 2 * w * (1 - w) * mu + (1 - w) ** 2

    def against_input(w: sympy.Expr) -> sympy.Expr:
        return w * m2 + (1 - w) * mu

    return sympy.expand(square(W1) * square(W2) - 2 * against_input(W1) * against_input(W2) + m2**2)


def corner_slope() -> sympy.Expr:
    r"""The slope of `expected_error` along either weight at $W = (0, 0)$.

    If it is positive, the clamp at 0 makes the corner a local minimum: a trap.

    >>> corner_slope()
    -2*m_2*mu + 2*mu**2 + 2*mu - 2
    """
    return sympy.expand(sympy.diff(expected_error(), W1).subs({W1: 0, W2: 0}))


def moments(low: float, high: float) -> tuple[float, float]:
    r"""$\mu$ and $m_2$ of a number that is uniform on a range.

    >>> moments(-2.0, 2.0)
    (0.0, 1.3333333333333333)
    """
    if not low <= high:
        raise ValueError(f"low must be at most high, got {low!r} and {high!r}")
    return (low + high) / 2, (low * low + low * high + high * high) / 3


def corner_traps(low: float, high: float) -> bool:
    """Whether the corner (0, 0) is a local minimum for inputs from this range.

    >>> [corner_traps(*ends) for ends in ((-2, -1), (-1.2, -1.1), (-0.2, -0.1), (1, 2))]
    [True, True, False, False]
    """
    mean, square = moments(low, high)
    return float(corner_slope().subs({mu: mean, m2: square})) > 0


def flip(x: ArrayLike) -> Array:
    r"""The weight at which a factor $W x + 1 - W$ changes sign, for negative x: $1/(1 - x)$.

    From a start below it, the way to 1 leads through a factor of 0.

    >>> flip([-1.15, -15.0]).round(3)
    array([0.465, 0.062])
    """
    return 1 / (1 - np.asarray(x, float))


# --- Numbers --------------------------------------------------------------------------------------


def _shifted(weight: Array, noise: Noise | None) -> tuple[Array, Array, Array, Array]:
    """First and second moment of a weight under noise, and their slopes in the weight."""
    if noise is None:
        return weight, weight**2, np.ones_like(weight), 2 * weight
    n = (noise[0] + noise[1]) / 2 + (noise[1] - noise[0]) / 2 * _NODES
    w = weight[..., None]
    below = w * n + 1 - w
    moved, slope = w * n / below, n / below**2
    return moved @ _SHARE, moved**2 @ _SHARE, slope @ _SHARE, 2 * moved * slope @ _SHARE


def _parts(weight: Array, mean: float, square: float, noise: Noise | None) -> tuple[Array, ...]:
    """E f^2 and E f x of a factor, and their slopes in the weight."""
    first, second, slope, bend = _shifted(weight, noise)
    return (
        second * square + 2 * (first - second) * mean + 1 - 2 * first + second,
        first * square + (1 - first) * mean,
        bend * square + 2 * (slope - bend) * mean - 2 * slope + bend,
        slope * (square - mean),
    )


def error(
    weight1: ArrayLike, weight2: ArrayLike, low: float, high: float, noise: Noise | None = None
) -> Array:
    """The expected squared error of a unit with these weights, for plots of the surface.

    Parameters
    ----------
    weight1, weight2
        In [0, 1]; they broadcast.
    low, high
        The range of the inputs.
    noise
        The range of the noise of a stochastic unit in training, above 0.

    Examples
    --------
    >>> error([0.0, 1.0], [0.0, 1.0], 1.0, 2.0).round(3)
    array([1.944, 0.   ])
    """
    mean, square = moments(low, high)
    one = _parts(np.asarray(weight1, float), mean, square, noise)
    two = _parts(np.asarray(weight2, float), mean, square, noise)
    return one[0] * two[0] - 2 * one[1] * two[1] + square**2


def batch_noise(low: float, high: float) -> Noise:
    """The noise range of a batch sNMU, from 1 to 1 + 1/sd, for a large batch from a range.

    >>> [round(end, 2) for end in batch_noise(-1.2, -1.1)]
    [1.0, 35.64]
    """
    return 1.0, 1 + 12**0.5 / (high - low)


def descend(
    starts: ArrayLike,
    low: float,
    high: float,
    noise: Noise | None = None,
    *,
    steps: int = 4_000,
    rate: float = 1e-3,
) -> Array:
    """Where Adam on the expected error takes weights, kept in [0, 1], without a regulariser.

    Parameters
    ----------
    starts
        Of shape (..., 2).
    low, high, noise
        As in `error`.
    steps, rate
        A weight crosses the whole range in about 1 / rate steps.

    Returns
    -------
    An array of the shape of `starts`.

    Examples
    --------
    >>> descend([[0.3, 0.3], [0.6, 0.6]], -1.2, -1.1).round(3)
    array([[0., 0.],
           [1., 1.]])
    """
    mean, square = moments(low, high)
    w = np.array(starts, float)
    first, second = np.zeros_like(w), np.zeros_like(w)
    for step in range(1, steps + 1):
        p, q, p_slope, q_slope = _parts(w, mean, square, noise)
        # the slope along a weight takes the other's factors
        gradient = p_slope * p[..., ::-1] - 2 * q_slope * q[..., ::-1]
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        size = np.sqrt(second / (1 - 0.999**step)) + 1e-8
        w = np.clip(w - rate * first / (1 - 0.9**step) / size, 0, 1)
    return w


def failure_rate(low: float, high: float, noise: Noise | None = None, *, grid: int = 41) -> float:
    """The share of starts, uniform in (0.25, 0.75)^2, from which a weight ends nearer 0 than 1.

    Starts are a square grid; the share is known to about 1 / grid.

    >>> failure_rate(1.0, 2.0, grid=5)
    0.0
    """
    one = 0.25 + 0.5 * (np.arange(grid) + 0.5) / grid
    starts = np.stack(np.meshgrid(one, one, indexing="ij"), -1)
    return float((descend(starts, low, high, noise) < 0.5).any(-1).mean())
