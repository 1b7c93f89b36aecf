"""Stick-breaking: each item, from the last to the first, takes a share of what is left."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import is_torch, namespace, rows
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._apart import log_logistic, logistic, nan_throughout


def stick_breaking(x: Any, axis: int = -1) -> Any:
    r"""Break a stick of length 1 from the end of the row: later items come first.

    .. math:: p_k = \beta_k \prod_{j > k} (1 - \beta_j), \qquad \beta_k = \frac{1}{1 + e^{-x_k}}

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores, in the order of time along `axis`: the last item is the most recent. ``-inf`` masks
        an item, which is passed over.
    axis : int
        The axis along which the stick is broken.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. They sum to
        :math:`1 - \prod_k (1 - \beta_k)`: what nobody took is left over.

    Raises
    ------
    TypeError
        Integer or complex scores.
    ValueError
        An axis out of range.

    Notes
    -----
    The order of the items matters, so that attention needs no positional encoding; permuted scores
    do not give permuted weights. Items added at the front of a row take nothing from those behind
    them, and an item far from the end gets little of a long row whatever its score: with scores in
    a fixed interval its weight falls exponentially with the number of items behind it. Products are
    sums of logarithms here, so that long rows do not underflow on the way.

    Source: arXiv 2410.17980.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.stick_breaking(np.array([0.0, 0.0, -np.inf, 0.0]))
    array([0.125, 0.25 , 0.   , 0.5  ])
    """
    row = rows(x, axis)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_BROKEN(row.values, axis=row.axis)[0])


def _sum_before(y: Any, axis: int) -> Any:
    """The sum of the items in front of each item."""
    xp = namespace(y)
    # Shifted by one place rather than the item subtracted: an infinite item must not meet itself.
    size = y.shape[axis]
    first = tuple(slice(0, size - 1) if i == axis else slice(None) for i in range(y.ndim))
    start = tuple(slice(0, 1) if i == axis else slice(None) for i in range(y.ndim))
    sums = y[first].cumsum(axis) if is_torch(y) else xp.cumulative_sum(y[first], axis=axis)
    # torch knows how to batch its own name for it alone.
    join = xp.cat if is_torch(y) else xp.concat
    return join([xp.zeros_like(y[start]), sums], axis=axis)


def _broken(x: Any, *, axis: int) -> Arrays:
    xp = namespace(x)
    left = xp.flip(_sum_before(log_logistic(xp.flip(-x, axis=axis)), axis), axis=axis)
    return (nan_throughout(xp.exp(log_logistic(x) + left), x, axis),)


def _broken_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # d log p_i / dx_k is 1 - β_k for k = i, -β_k for k behind i, and 0 in front of it.
    (x, p), (grad,) = saved, grads
    own = p * grad
    return (own - logistic(x) * (own + _sum_before(own, axis)),)


_BROKEN = ClosedForm(
    _broken, _broken_vjp, lambda inputs, outputs: (*inputs, *outputs), name="stick_breaking"
)
