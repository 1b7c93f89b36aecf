"""The power mechanism: weights in proportion to a power of the scores."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, rows, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._positive import positive_per_row
from sharplib.mappings._rows import log_weights, normalised, pull_back, shifted


def power_softmax(x: Any, alpha: Any, axis: int = -1) -> Any:
    r"""Weights in proportion to a power of the scores; a score of 0 or less weighs nothing.

    .. math:: p_k = \frac{\max(x_k, 0)^\alpha}{\sum_j \max(x_j, 0)^\alpha}

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores, in any unit: :math:`p` is that of :math:`cx` for every c > 0. ``-inf`` masks an
        item.
    alpha : float, or array with one value per row
        The power :math:`\alpha > 0`. An array broadcasts against `x` with length 1 along `axis`,
        and receives a gradient.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. A row without a positive score
        gives equal weights to its unmasked items.

    Raises
    ------
    TypeError
        Integer or complex scores, an `alpha` of another array library.
    ValueError
        An `alpha` that is not positive and finite, an axis out of range. In a tensor on an
        accelerator or under a transform a bad `alpha` gives NaN instead.

    Notes
    -----
    This is `softmax` of :math:`\alpha \log x`: it looks at ratios of scores where softmax looks at
    differences. Limits: :math:`\alpha \to 0` shares the mass among the positive scores,
    :math:`\alpha \to \infty` among the maximal ones. The mean score under :math:`p` is at least
    :math:`n^{-1/(\alpha + 1)}` times the maximum. Scores between two positive bounds disperse as n
    grows; next to scores of 0 a positive one keeps its weight. The gradient is that of
    the row without its scores of 0 or less, for which it is 0; it grows without bound as the scores
    shrink, and the map jumps where the last positive score vanishes.

    Source: arXiv 2010.11450 (the power mechanism), for scores that are not negative.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.power_softmax(np.array([1.0, 2.0, 3.0, 0.0]), alpha=2.0).round(3)
    array([0.071, 0.286, 0.643, 0.   ])
    """
    row = rows(x, axis)
    alpha = positive_per_row(alpha, "alpha", row)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_POWER(row.values, alpha, axis=row.axis)[0])


def _positive(x: Any) -> tuple[Any, Any]:
    """Which scores are positive, and x with 1 for the others; NaN counts as positive."""
    xp = namespace(x)
    positive = ~(x <= 0)
    return positive, xp.where(positive, x, scalar(1.0, x))


def _power(x: Any, alpha: Any, *, axis: int) -> Arrays:
    xp = namespace(x)
    infinity = scalar(float("inf"), x)
    positive, safe = _positive(x)
    y = shifted(xp.where(positive, xp.log(safe), -infinity), axis)
    none = xp.max(x, axis=axis, keepdims=True) <= 0
    y = xp.where(none & (x != -infinity), scalar(0.0, x), y)
    return normalised(alpha * y, axis)[:1]


def _power_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    x, alpha, p = saved
    xp = namespace(x)
    positive, safe = _positive(x)
    v = pull_back(p, grads[0], axis)
    # <log x, v> = <log p, v> / α, since the entries of v add up to 0.
    by_alpha = xp.sum(log_weights(p) * v, axis=axis, keepdims=True) / alpha
    return xp.where(positive, alpha * v / safe, scalar(0.0, x)), by_alpha


_POWER = ClosedForm(
    _power, _power_vjp, lambda inputs, outputs: (*inputs, *outputs), name="power_softmax"
)
