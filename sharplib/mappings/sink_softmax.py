"""Softmax with a sink: one more score, whose weight goes nowhere."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, per_row, rows, scalar
from sharplib._autograd import Arrays, ClosedForm


def sink_softmax(x: Any, sink: Any, axis: int = -1) -> Any:
    r"""Softmax over the scores and a sink, without the weight of the sink.

    .. math:: p_k = \frac{\exp(x_k)}{\exp(s) + \sum_j \exp(x_j)}

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    sink : float, or array with one value per row
        The score :math:`s` of the sink, in the units of `x`; learned for each head in the models
        that have one. An array broadcasts against `x` with length 1 along `axis`, and receives a
        gradient.
    axis : int
        The axis along which weights sum to less than 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. They sum to 1 minus the weight of
        the sink.

    Raises
    ------
    TypeError
        Integer or complex scores, a sink of another array library.
    ValueError
        A sink that is not finite, an axis out of range.

    Notes
    -----
    A head can attend to nothing: scores far below the sink give weights near 0. A shift of the
    scores changes the weights, unless the sink moves too. Limits: :math:`s \to -\infty` is
    `softmax`. With n scores inside a fixed interval every weight is of order 1/n, as without a
    sink. Lipschitz constant 1/2 in the Euclidean norm, for any sink.

    Source: the gpt-oss models (OpenAI, 2025), where `sink` is a parameter of each head.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.sink_softmax(np.array([1.0, 2.0, 3.0]), sink=4.0).round(3)
    array([0.032, 0.087, 0.237])
    """
    row = rows(x, axis)
    s = per_row(sink, "sink", row, minimum=-float("inf"), strict=True)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    s = scalar(s, row.values) if isinstance(s, float) else s
    return row.restore(_SINK(row.values, s, axis=row.axis)[0])


def _sink(x: Any, sink: Any, *, axis: int) -> Arrays:
    """The weights, and that of the sink."""
    xp = namespace(x)
    zero, infinity = scalar(0.0, x), scalar(float("inf"), x)
    top = xp.maximum(xp.max(x, axis=axis, keepdims=True), sink)
    endless = top == infinity  # then the +inf entries are the whole row
    y = x - xp.where(endless, zero, top)
    y = xp.where(endless, xp.where(x == infinity, zero, -infinity), y)
    powers, spare = xp.exp(y), xp.exp(sink - top)
    total = spare + xp.sum(powers, axis=axis, keepdims=True)
    return powers / total, spare / total


def _sink_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # The softmax Jacobian of the row and its sink together.
    (p, spare), (grad, grad_spare) = saved, grads
    mean = namespace(p).sum(p * grad, axis=axis, keepdims=True) + spare * grad_spare
    return p * (grad - mean), spare * (grad_spare - mean)


_SINK = ClosedForm(_sink, _sink_vjp, lambda inputs, outputs: outputs, name="sink_softmax")
