"""t-softmax: a softmax that lets go of every item more than t below the top."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, rows, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._positive import positive_per_row
from sharplib.mappings._rows import shifted


def tsoftmax(x: Any, t: Any, axis: int = -1) -> Any:
    r"""Softmax times a ramp that reaches 0 at a distance t below the largest score.

    .. math:: p_i = \frac{w_i \exp(x_i)}{\sum_j w_j \exp(x_j)}, \qquad
        w_i = [x_i - \max_j x_j + t]_+

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    t : float, or array with one value per row
        Distance :math:`t > 0`, in the units of the scores. An array broadcasts against `x` with
        length 1 along `axis`, and receives a gradient.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`; exactly 0 for every score that lies
        `t` or more below the largest one.

    Raises
    ------
    TypeError
        Integer or complex scores, a `t` of another array library.
    ValueError
        A `t` that is not positive and finite, an axis out of range. In a tensor on an accelerator
        or under a transform a bad `t` gives NaN instead.

    Notes
    -----
    Limits: :math:`t \to \infty` gives softmax, :math:`t \to 0` shares the mass among the maximal
    scores. Continuous, with a slope of order 1 + 1/t. As n grows, the top weight stays above a
    constant if the other scores lie `t` or more below it; n scores closer than that get weights of
    order 1/n. Where several scores are maximal, the gradient of the maximum is shared among them.

    Source: arXiv 2304.05243 and its code.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.tsoftmax(np.array([1.0, 0.9, -2.0, 0.2]), t=1.0).round(3)
    array([0.525, 0.428, 0.   , 0.047])
    """
    row = rows(x, axis)
    distance = positive_per_row(t, "t", row)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(RAMPED(row.values, distance, axis=row.axis)[0])


def _ramped(x: Any, t: Any, *, axis: int) -> tuple[Any, Any, Any]:
    """The weights p; exp(x - max) / Z on their support; and the items at the top.

    Z is the sum of w exp(x - max). An infinite t gives softmax, and 0 its limit, the uniform
    weights of the maximal scores.
    """
    xp = namespace(x)
    zero, one = scalar(0.0, x), scalar(1.0, x)
    y = shifted(x, axis)
    top = y == 0
    powers = xp.exp(y)
    sloped = (t != 0) & ~xp.isinf(t)
    fair = xp.where(sloped, t, one)
    # Divided by t, so that neither a huge t nor a tiny one can take the sum out of range.
    ramp = xp.maximum(y + fair, zero) / fair
    ramp = xp.where(sloped, ramp, xp.where(top | (t != 0), one, zero))
    mass = ramp * powers
    total = xp.sum(mass, axis=axis, keepdims=True)
    total = xp.where(total == 0, one, total)
    slope = xp.where((ramp > 0) & sloped, powers, zero) / (fair * total)
    return mass / total, slope, top


def _ramped_value(x: Any, t: Any, *, axis: int) -> Arrays:
    return _ramped(x, t, axis=axis)[:1]


def _ramped_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # J = diag(p + g) - p (p + g)ᵀ - (g - G p) eᵀ with g the slope, G its sum, and e the top;
    # dp/dt = g - G p. At t = 0 the map jumps, and nothing moves.
    x, t = saved
    xp = namespace(x)
    p, slope, top = _ramped(x, t, axis=axis)
    centred = grads[0] - xp.sum(p * grads[0], axis=axis, keepdims=True)
    by_t = xp.sum(slope * centred, axis=axis, keepdims=True)
    by_x = xp.where(t == 0, scalar(0.0, x), (p + slope) * centred - by_t * shared(top, x, axis))
    return by_x, by_t


def shared(chosen: Any, like: Any, axis: int) -> Any:
    """Equal shares, adding up to 1, for the chosen items of a row; zeros where there are none."""
    xp = namespace(like)
    members = xp.astype(chosen, like.dtype)
    count = xp.sum(members, axis=axis, keepdims=True)
    return members / xp.where(count == 0, scalar(1.0, like), count)


#: The weights from scores and one distance per row, which may also be 0 or infinite.
RAMPED = ClosedForm(_ramped_value, _ramped_vjp, lambda inputs, outputs: inputs, name="ramped")
