"""The normalisation of scores that a periodic map can want before it."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, per_row, rows, scalar
from sharplib._autograd import Arrays, ClosedForm


def prenormalise(x: Any, axis: int = -1, *, epsilon: float = 1e-5) -> Any:
    r"""Scores of mean 0 and variance 1, for a map to start from: ``sin_max(prenormalise(x))``.

    .. math:: z_k = \frac{x_k - m}{\sqrt{v + \epsilon}}, \qquad
        m = \frac1n \sum_j x_j, \quad v = \frac{1}{n - 1} \sum_j (x_j - m)^2

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. An item at ``-inf`` stays there and does not count.
    axis : int
        The axis along which a row runs.
    epsilon : float
        What keeps a flat row from being blown up; at least 0, in squared units of the scores.

    Returns
    -------
    array or tensor
        Scores of the shape, dtype, library and device of `x`, of size :math:`(n - 1)/\sqrt n` at
        most. Equal scores give 0. A row with ``+inf`` or NaN gives NaN, masked items too.

    Raises
    ------
    TypeError
        Integer or complex scores, an epsilon that is not a number.
    ValueError
        A negative epsilon, an axis out of range.

    Notes
    -----
    With it any map is unchanged when a constant is added to the scores, and nearly unchanged when
    they are multiplied by one. The authors divide by the root of the key size either before it or
    after it, in two programs that differ; here the caller says which.

    Source: arXiv 2108.07153 and its public code (the names that begin with ``norm_``).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> z = sharplib.prenormalise(np.array([1.0, 2.0, 3.0, -np.inf]))
    >>> z.round(3)
    array([ -1.,   0.,   1., -inf])
    >>> sharplib.sin_softmax(z).round(3)
    array([0.115, 0.267, 0.618, 0.   ])
    """
    row = rows(x, axis)
    epsilon = per_row(epsilon, "epsilon", row, minimum=0.0, strict=False)
    if not isinstance(epsilon, float):
        raise TypeError("epsilon must be one number, not an array")
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_NORMALISED(row.values, axis=row.axis, epsilon=epsilon)[0])


def _parts(x: Any, axis: int, epsilon: float) -> tuple[Any, Any, Any, Any]:
    """Which items count, how many, z where they do, and the root of the variance."""
    xp = namespace(x)
    zero, one, infinity = (scalar(v, x) for v in (0.0, 1.0, float("inf")))
    there = x != -infinity
    half = xp.where(there, xp.where(x == infinity, scalar(float("nan"), x), x), zero) / 2
    # Half the distance to the top, over its largest value: nothing here can overflow.
    top = xp.max(xp.where(there, half, -infinity), axis=axis, keepdims=True)
    depth = xp.where(there, half - xp.where(top == -infinity, zero, top), zero)
    size = xp.max(-depth, axis=axis, keepdims=True)
    size = xp.where(size == 0, one, size)
    depth = depth / size
    n = xp.sum(xp.astype(there, x.dtype), axis=axis, keepdims=True)
    mean = xp.sum(depth, axis=axis, keepdims=True) / xp.where(n == 0, one, n)
    centred = xp.where(there, depth - mean, zero)
    freedom = xp.where(n > 1, n - 1, one)
    variance = xp.sum(centred**2, axis=axis, keepdims=True) / freedom
    root = xp.sqrt(variance + (epsilon**0.5 / 2 / size) ** 2)
    root = xp.where(root == 0, one, root)
    return there, n, centred / root, 2 * size * root


def _normalised(x: Any, *, axis: int, epsilon: float) -> Arrays:
    xp = namespace(x)
    there, _, z, root = _parts(x, axis, epsilon)
    masked = xp.where(xp.isnan(root), root, scalar(-float("inf"), x))
    return (xp.where(there, z, masked),)


def _normalised_vjp(saved: Arrays, grads: Arrays, *, axis: int, epsilon: float) -> Arrays:
    xp = namespace(saved[0])
    there, n, z, root = _parts(saved[0], axis, epsilon)
    zero, one = scalar(0.0, z), scalar(1.0, z)
    grad = xp.where(there, grads[0], zero)
    mean = xp.sum(grad, axis=axis, keepdims=True) / xp.where(n == 0, one, n)
    along = xp.sum(z * grad, axis=axis, keepdims=True) / xp.where(n > 1, n - 1, one)
    return (xp.where(there, (grad - mean - z * along) / root, zero),)


_NORMALISED = ClosedForm(_normalised, _normalised_vjp, lambda inputs, outputs: inputs)
