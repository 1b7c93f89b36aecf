"""Top-k softmax: a softmax over the k largest scores."""

from __future__ import annotations

import operator
from typing import Any

from sharplib._arrays import is_torch, namespace, rows, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import normalised, pull_back, shifted


def topk_softmax(x: Any, k: int, axis: int = -1) -> Any:
    r"""Softmax over the k largest scores of a row; every other item weighs nothing.

    .. math:: p_i = \frac{\exp(x_i)\, [i \in K]}{\sum_{j \in K} \exp(x_j)}, \qquad
        K = \text{the } k \text{ items with the largest scores}

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    k : int
        How many items are kept, at least 1. With `k` or fewer unmasked items this is `softmax`.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`, never more than `k` of them above 0:
        of several items that tie for the last place the first are kept. A row that is masked
        throughout gives zeros; ``+inf`` entries, up to `k` of them, share the mass; NaN stays in
        its row.

    Raises
    ------
    TypeError
        Integer or complex scores, or a `k` or an axis that is not an integer.
    ValueError
        A `k` below 1, or an axis out of range.

    Notes
    -----
    The largest weight is at least 1/k, at any n. The map jumps where two items swap ranks k and
    k + 1, and its gradient does not see that: it is the gradient of softmax over the items kept.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.topk_softmax(np.array([1.0, 2.0, 3.0, 4.0]), k=2).round(3)
    array([0.   , 0.   , 0.269, 0.731])
    """
    row = rows(x, axis)
    if isinstance(k, bool):
        raise TypeError(f"k must be an integer, got {k!r}")
    try:
        size = operator.index(k)
    except TypeError:
        raise TypeError(f"k must be an integer, got {k!r}") from None
    if size < 1:
        raise ValueError(f"k must be at least 1, got {k!r}")
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_TOPK_SOFTMAX(row.values, axis=row.axis, k=size)[0])


def _topk_softmax(x: Any, *, axis: int, k: int) -> Arrays:
    xp = namespace(x)
    y = shifted(x, axis)
    if k < y.shape[axis]:
        at = tuple(slice(k - 1, k) if i == axis else slice(None) for i in range(y.ndim))
        last = xp.sort(y, axis=axis, descending=True, stable=False)[at]
        tied = xp.astype(y == last, xp.int64)
        room = k - xp.sum(xp.astype(y > last, xp.int64), axis=axis, keepdims=True)
        place = tied.cumsum(axis) if is_torch(tied) else xp.cumulative_sum(tied, axis=axis)
        y = xp.where((y < last) | ((y == last) & (place > room)), scalar(-float("inf"), y), y)
    return normalised(y, axis)[:1]


def _topk_softmax_vjp(saved: Arrays, grads: Arrays, *, axis: int, k: int) -> Arrays:
    return (pull_back(saved[0], grads[0], axis),)


_TOPK_SOFTMAX = ClosedForm(
    _topk_softmax, _topk_softmax_vjp, lambda inputs, outputs: outputs, name="topk_softmax"
)
