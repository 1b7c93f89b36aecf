"""Scalable softmax: an inverse temperature that grows with the logarithm of the length."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import rows
from sharplib.mappings._length import log_length, scaled
from sharplib.mappings._positive import positive_per_row
from sharplib.mappings.softmax import softmax


def ssmax(x: Any, s: Any, axis: int = -1) -> Any:
    r"""Softmax with the base n of its powers instead of e: SSMax, scalable softmax.

    .. math:: p_k = \frac{n^{s x_k}}{\sum_j n^{s x_j}} = \mathrm{softmax}((s \log n)\, x)_k,

    where n counts the items of the row that are not masked.

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    s : float, or array with one value per row
        Positive; learned for each head and layer in the paper, whose first figure has s = 0.43. An
        array broadcasts against `x` with length 1 along `axis`, and receives a gradient.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`.

    Raises
    ------
    TypeError
        Integer or complex scores, an `s` of another array library.
    ValueError
        An `s` that is not positive and finite, an axis out of range. In a tensor on an accelerator
        or under a transform a bad `s` gives NaN instead.

    Notes
    -----
    With one item a gap :math:`\Delta` above n - 1 equal ones, the top weight is
    :math:`1/(1 + (n-1)\,n^{-s\Delta})`. As n grows it tends to 1 if :math:`s\Delta > 1` and to 0 if
    :math:`s\Delta < 1`. Lipschitz constant :math:`s \log(n)/2` in the Euclidean norm. A row of one
    item gets weight 1.

    Source: arXiv 2501.19399. The inverse temperature :math:`\gamma \log n` of critical attention
    scaling (arXiv 2510.05554) is the same map.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.array([3.0, -2.0, -2.0, -2.0, -2.0, -2.0, -2.0, -2.0, -2.0, -2.0])
    >>> round(float(sharplib.ssmax(x, s=0.43)[0]), 3)
    0.94
    """
    row = rows(x, axis)
    s = positive_per_row(s, "s", row)
    return row.restore(softmax(scaled(row, s * log_length(row)), row.axis))
