"""Ev-softmax: a softmax over the items that score at least the mean."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import normalised, pull_back, shifted


def ev_softmax(x: Any, axis: int = -1) -> Any:
    r"""Softmax over the items that score at least the mean of their row; the others weigh nothing.

    .. math:: p_i = \frac{\exp(x_i)\, [x_i \ge \bar x]}{\sum_j \exp(x_j)\, [x_j \ge \bar x]}, \qquad
        \bar x = \text{the mean over the unmasked items}

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item: it weighs nothing and does not count in the mean.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. A row that is masked throughout
        gives zeros; ``+inf`` entries share the mass; NaN stays in its row.

    Raises
    ------
    TypeError
        Integer or complex scores, or an axis that is not an integer.
    ValueError
        An axis out of range.

    Notes
    -----
    Which items count does not depend on the scale of the scores. ``ev_softmax(x / θ)`` therefore
    tends, for θ → ∞, to equal shares of the items above the mean, not of all. As n grows, a single
    high item stays alone above the mean; if a fixed share of the items lies above it, the weights
    fall like 1/n. The map jumps where an item crosses the mean, and its gradient does not see that:
    it is the gradient of softmax over the items kept. The paper trains with the others at 1e-6
    instead of 0; this is the map that it evaluates with.

    Source: arXiv 2110.14182.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.ev_softmax(np.array([0.4, 1.4, -0.8])).round(3)
    array([0.269, 0.731, 0.   ])
    """
    row = rows(x, axis)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_EV_SOFTMAX(row.values, axis=row.axis)[0])


def _ev_softmax(x: Any, *, axis: int) -> Arrays:
    xp = namespace(x)
    # Measured from the top, the mean is at most 0: rounding cannot lift it above every item.
    y = shifted(xp.astype(x, widest(x), copy=False), axis)
    masked = xp.isinf(y)
    zero = scalar(0.0, y)
    count = xp.sum(xp.astype(~masked, y.dtype), axis=axis, keepdims=True)
    count = xp.where(count == 0, scalar(1.0, y), count)
    depths = xp.where(masked, zero, y)
    total = xp.sum(depths, axis=axis, keepdims=True)
    # Divided last: the mean of whole scores is then exact, and an item that scores it stays.
    # Divided first where the sum has no bound.
    mean = xp.where(
        xp.isinf(total), xp.sum(depths / count, axis=axis, keepdims=True), total / count
    )
    (p, _) = normalised(xp.where(y < mean, scalar(-float("inf"), y), y), axis)
    return (xp.astype(p, x.dtype, copy=False),)


def _ev_softmax_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    return (pull_back(saved[0], grads[0], axis),)


_EV_SOFTMAX = ClosedForm(
    _ev_softmax, _ev_softmax_vjp, lambda inputs, outputs: outputs, name="ev_softmax"
)
