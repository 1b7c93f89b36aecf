"""ReLU attention weights: what lies above 0, divided by the length of the row."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, rows, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._apart import nan_throughout
from sharplib.mappings._length import unmasked


def relu_weights(x: Any, axis: int = -1) -> Any:
    r"""The positive part of each score over the number of items.

    .. math:: p_k = \frac{[x_k]_+}{n},

    where n counts the items of the row that are not masked.

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    axis : int
        The axis along which n is counted. The weights do not sum to anything in particular.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. They have no upper bound: ``+inf``
        stays ``+inf``.

    Raises
    ------
    TypeError
        Integer or complex scores.
    ValueError
        An axis out of range.

    Notes
    -----
    No item takes weight from another, except through n: with n scores inside a fixed interval every
    weight is at most of order 1/n. Lipschitz constant 1/n in the Euclidean norm.

    Source: arXiv 2309.08586.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.relu_weights(np.array([-1.0, 0.0, 1.0, 2.0, -np.inf]))
    array([0.  , 0.  , 0.25, 0.5 , 0.  ])
    """
    row = rows(x, axis)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    n, one = unmasked(row), scalar(1.0, row.values)
    return row.restore(_RELU(row.values, row.xp.where(n == 0, one, n), axis=row.axis)[0])


def _relu(x: Any, n: Any, *, axis: int) -> Arrays:
    positive = namespace(x).where(x > 0, x, scalar(0.0, x))
    return (nan_throughout(positive / n, x, axis),)


def _relu_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    x, n = saved
    xp = namespace(x)
    zero = scalar(0.0, x)
    return xp.where(x > 0, grads[0], zero) / n, xp.zeros_like(n)


_RELU = ClosedForm(_relu, _relu_vjp, lambda inputs, outputs: inputs, name="relu_weights")
