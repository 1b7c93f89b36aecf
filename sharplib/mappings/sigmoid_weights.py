"""Sigmoid attention weights: every item is judged alone, against a bar that rises with n."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, per_row, rows, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._apart import logistic, nan_throughout
from sharplib.mappings._length import unmasked


def sigmoid_weights(x: Any, bias: Any = None, axis: int = -1) -> Any:
    r"""The logistic function of each score, with a bias that lowers it.

    .. math:: p_k = \frac{1}{1 + \exp(-(x_k + b))}, \qquad b = -\log n \text{ by default},

    where n counts the items of the row that are not masked.

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    bias : float, or array with one value per row, optional
        :math:`b`, in the units of the scores, in place of :math:`-\log n`. An array broadcasts
        against `x` with length 1 along `axis`, and receives a gradient.
    axis : int
        The axis along which n is counted. The weights do not sum to anything in particular.

    Returns
    -------
    array or tensor
        Weights between 0 and 1, of the shape, dtype, library and device of `x`.

    Raises
    ------
    TypeError
        Integer or complex scores, a bias of another array library.
    ValueError
        A bias that is not finite, an axis out of range.

    Notes
    -----
    No item takes weight from another, except through n. With the default bias scores near 0 give
    weights near 1/n, whose sum is near 1. With n scores inside a fixed interval every weight is
    then of order 1/n; with a fixed bias no weight falls, and their sum grows like n. Lipschitz
    constant 1/4 in the Euclidean norm.

    Source: arXiv 2409.04431.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.array([0.0, 0.0, 0.0, 3.0, -np.inf])
    >>> sharplib.sigmoid_weights(x).round(3)
    array([0.2  , 0.2  , 0.2  , 0.834, 0.   ])
    >>> sharplib.sigmoid_weights(x, bias=0.0).round(3)
    array([0.5  , 0.5  , 0.5  , 0.953, 0.   ])
    """
    row = rows(x, axis)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    if bias is None:
        n, one = unmasked(row), scalar(1.0, row.values)
        b = -row.xp.log(row.xp.where(n == 0, one, n))
    else:
        b = per_row(bias, "bias", row, minimum=-float("inf"), strict=True)
    b = scalar(b, row.values) if isinstance(b, float) else b
    return row.restore(_SIGMOID(row.values, b, axis=row.axis)[0])


def _sigmoid(x: Any, bias: Any, *, axis: int) -> Arrays:
    return (nan_throughout(logistic(x + bias), x, axis),)


def _sigmoid_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    (p,), (grad,) = saved, grads
    by_score = p * (1 - p) * grad
    return by_score, namespace(p).sum(by_score, axis=axis, keepdims=True)


_SIGMOID = ClosedForm(
    _sigmoid, _sigmoid_vjp, lambda inputs, outputs: outputs, name="sigmoid_weights"
)
