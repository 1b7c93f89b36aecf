"""softpick: scores above 0 share the weight, scores below 0 only take from it."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, rows, scalar
from sharplib._autograd import Arrays, ClosedForm


def softpick(x: Any, axis: int = -1) -> Any:
    r"""Rectified softmax: exact zeros, and a row may leave part of its weight unused.

    .. math:: p_k = \frac{[e^{x_k} - 1]_+}{\sum_j |e^{x_j} - 1|}, \qquad \frac{0}{0} = 0

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item, which does not count in the denominator.
    axis : int
        The axis along which weights sum to at most 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`: 0 for every score up to 0, and a row
        of zeros if no score is positive.

    Raises
    ------
    TypeError
        Integer or complex scores.
    ValueError
        An axis out of range.

    Notes
    -----
    The zero of the scores matters: a shift changes the weights. A negative score has weight 0, yet
    a gradient, through the denominator. The map is steep where all scores are near 0, and jumps at
    the row of zeros. The paper adds 1e-8 to the denominator, which is felt near that row alone.

    What n does depends on where the scores lie. Items at 0 cost nothing, so a score above them
    keeps its weight at any n. Items bounded away from 0, above or below, bring every weight down to
    order 1/n.

    Source: arXiv 2504.20966.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.softpick(np.array([1.0, 2.0, 0.0, -1.0])).round(3)
    array([0.197, 0.731, 0.   , 0.   ])
    """
    row = rows(x, axis)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_PICKED(row.values, axis=row.axis)[0])


def _settled(x: Any, axis: int) -> tuple[Any, Any]:
    """The scores with 0, which takes part in nothing, at the masks, and their top, at least 0.

    In a row with +inf those entries become 1 and the others 0: its limit.
    """
    xp = namespace(x)
    zero, one, infinity = scalar(0.0, x), scalar(1.0, x), scalar(float("inf"), x)
    endless = xp.max(x, axis=axis, keepdims=True) == infinity
    x = xp.where(x == -infinity, zero, x)
    x = xp.where(endless, xp.where(x == infinity, one, zero), x)
    top = xp.max(x, axis=axis, keepdims=True)
    return x, xp.where(top > 0, top, zero)


def _parts(x: Any, top: Any, axis: int) -> tuple[Any, Any]:
    """[e^x - 1]₊ and the sum of |e^x - 1|, both divided by e^top; the sum is not 0."""
    xp = namespace(x)
    zero, one = scalar(0.0, x), scalar(1.0, x)
    up, down = xp.where(x > 0, x, zero), xp.where(x > 0, zero, x)
    # e^(x - top) - e^(-top) would cancel for scores near 0.
    above = xp.exp(up - top) * -xp.expm1(-up)
    total = xp.sum(above - xp.exp(-top) * xp.expm1(down), axis=axis, keepdims=True)
    return above, xp.where(total == 0, one, total)


def _picked(x: Any, *, axis: int) -> Arrays:
    above, total = _parts(*_settled(x, axis), axis)
    return (above / total,)


def _picked_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    (x,), (grad,) = saved, grads
    xp = namespace(x)
    x, top = _settled(x, axis)
    above, total = _parts(x, top, axis)
    mean = xp.sum(above * grad, axis=axis, keepdims=True) / total
    slope = xp.where(x > 0, grad - mean, xp.where(x < 0, mean, scalar(0.0, x)))
    return (xp.exp(x - top) / total * slope,)


_PICKED = ClosedForm(_picked, _picked_vjp, lambda inputs, outputs: inputs, name="softpick")
