"""How many of the scores that matter get a say, and how little the others get."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import Rows, per_row, rows, scalar


def multi_modality(p: Any, x: Any, threshold: Any, axis: int = -1) -> Any:
    r"""How close the weights of the relevant items come to the largest weight.

    .. math:: M = 1 - \frac{1}{N} \sum_{\epsilon < x_n < \max x} \bigl(\max_k p_k - p_n\bigr)

    where N is the number of terms: items with a score above the threshold :math:`\epsilon`, those
    at the maximum left out. 1 if they all weigh as much as the top, near 0 if the top has all.
    NaN for a row without such an item.

    Parameters
    ----------
    p : array or tensor, any shape
        Weights.
    x : array or tensor of the same kind and shape
        The scores that were given these weights. Masked ones (``-inf``) do not count.
    threshold : float, or array with one value per row
        :math:`\epsilon`, in the units of the scores.
    axis : int
        The axis along which the weights of a row lie.

    Notes
    -----
    At a higher temperature a softmax is more multi-modal and less sparse; compare with
    `smooth_sparsity` at the same threshold. A threshold so high that few items pass it makes M a
    statement about those few.

    Source: arXiv 2406.01189, Definition 3.2 (second-hand).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.array([3.0, 2.5, -1.0, -1.0])
    >>> round(float(multi_modality(sharplib.softmax(x), x, threshold=0.0)), 3)
    0.761
    """
    weights, scores = _pair(p, x, axis)
    epsilon = per_row(threshold, "threshold", scores, minimum=-float("inf"), strict=False)
    xp, axis = weights.xp, weights.axis
    if weights.values.shape[axis] == 0:
        return weights.restore(_mean(weights, weights.values, weights.values > 0))
    top = xp.max(scores.values, axis=axis, keepdims=True)
    relevant = (scores.values > epsilon) & (scores.values < top)
    short = xp.max(weights.values, axis=axis, keepdims=True) - weights.values
    return weights.restore(1 - _mean(weights, short, relevant))


def smooth_sparsity(p: Any, x: Any, threshold: Any, reference: Any, axis: int = -1) -> Any:
    r"""How close the weights of the irrelevant items come to 0, on a smooth scale.

    .. math:: S = \frac{1}{L} \sum_{x_l < \epsilon} \exp(-p_l / s)

    where L is the number of terms: items with a score below the threshold :math:`\epsilon`. 1 if
    they all weigh exactly 0, and 1/e if they all weigh `reference`. NaN for a row without such an
    item.

    Parameters
    ----------
    p : array or tensor, any shape
        Weights.
    x : array or tensor of the same kind and shape
        The scores that were given these weights. Masked ones (``-inf``) do not count.
    threshold : float, or array with one value per row
        :math:`\epsilon`, in the units of the scores.
    reference : float, or array with one value per row
        :math:`s > 0`, the weight that counts as small.
    axis : int
        The axis along which the weights of a row lie.

    Notes
    -----
    Take the reference from elsewhere, 1/n for instance: a smallest weight of the same row would
    move with what it measures. `sparsity` counts exact zeros instead.

    Source: arXiv 2406.01189, Definition 3.3 (second-hand).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.array([3.0, 2.5, -1.0, -1.0])
    >>> soft, sparse = sharplib.softmax(x), sharplib.sparsemax(x)
    >>> round(float(smooth_sparsity(soft, x, threshold=0.0, reference=0.25)), 3)
    0.956
    >>> float(smooth_sparsity(sparse, x, threshold=0.0, reference=0.25))
    1.0
    """
    weights, scores = _pair(p, x, axis)
    epsilon = per_row(threshold, "threshold", scores, minimum=-float("inf"), strict=False)
    small = per_row(reference, "reference", weights, minimum=0.0, strict=True)
    masked = scores.values == -float("inf")
    irrelevant = (scores.values < epsilon) & ~masked
    return weights.restore(_mean(weights, weights.xp.exp(-weights.values / small), irrelevant))


def _pair(p: Any, x: Any, axis: int) -> tuple[Rows, Rows]:
    """Weights and their scores, checked to belong together."""
    weights, scores = rows(p, axis, "p"), rows(x, axis)
    if weights.xp is not scores.xp:
        raise TypeError("p and x must be the same kind of array")
    if weights.values.shape != scores.values.shape:
        raise ValueError(
            "p and x must have the same shape, "
            f"got {tuple(weights.values.shape)} and {tuple(scores.values.shape)}"
        )
    return weights, scores


def _mean(row: Rows, values: Any, chosen: Any) -> Any:
    """The mean of the chosen values of each row; NaN where none is chosen."""
    xp = row.xp
    count = xp.sum(xp.astype(chosen, values.dtype), axis=row.axis)
    total = xp.sum(xp.where(chosen, values, scalar(0.0, values)), axis=row.axis)
    nan, one = scalar(float("nan"), values), scalar(1.0, values)
    return xp.where(count == 0, nan, total / xp.where(count == 0, one, count))
