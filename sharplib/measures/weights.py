"""Measures of one row of weights, or of scores."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import Rows, rows, scalar


def entropy(p: Any, axis: int = -1) -> Any:
    r"""Shannon entropy in nats.

    .. math:: H(p) = -\sum_k p_k \log p_k, \qquad 0 \log 0 = 0

    Between 0 (all weight on one item) and log n (equal weights), for weights that sum to 1. The
    gradient at a weight of exactly 0 is taken as 0. A negative weight gives NaN.

    >>> import numpy as np
    >>> round(float(entropy(np.array([0.5, 0.5, 0.0]))), 6)
    0.693147
    """
    row = rows(p, axis, "p")
    return row.restore(_entropy(row))


def effective_support(p: Any, axis: int = -1) -> Any:
    r"""The number of equally weighted items that have the same entropy, :math:`e^{H(p)}`.

    Between 1 and n, for weights that sum to 1; 0 for a row of zeros.

    >>> import numpy as np
    >>> round(float(effective_support(np.array([0.25, 0.25, 0.25, 0.25, 0.0]))), 6)
    4.0
    """
    row = rows(p, axis, "p")
    xp = row.xp
    total = xp.sum(row.values, axis=row.axis)
    support = xp.exp(_entropy(row))
    return row.restore(xp.where(total == 0, scalar(0.0, support), support))


def spread(x: Any, axis: int = -1) -> Any:
    r"""The largest score minus the smallest, :math:`\delta = \max_i x_i - \min_j x_j`.

    In the units of the scores. Masked items (``-inf``) do not count.

    >>> import numpy as np
    >>> float(spread(np.array([1.0, 4.0, -np.inf])))
    3.0
    """
    row = rows(x, axis)
    xp = row.xp
    if row.values.shape[row.axis] == 0:
        return row.restore(_zeros(row))
    infinity = scalar(float("inf"), row.values)
    top = xp.max(row.values, axis=row.axis)
    bottom = xp.min(xp.where(row.values == -infinity, infinity, row.values), axis=row.axis)
    masked = top == -infinity
    zero = scalar(0.0, top)
    unbounded = (top == infinity) & (bottom == infinity)  # every unmasked score is +inf
    return row.restore(
        xp.where(masked | unbounded, zero, top) - xp.where(masked | unbounded, zero, bottom)
    )


def top_weight(p: Any, axis: int = -1) -> Any:
    r"""The largest weight, :math:`\max_k p_k`.

    >>> import numpy as np
    >>> float(top_weight(np.array([0.2, 0.5, 0.3])))
    0.5
    """
    row = rows(p, axis, "p")
    if row.values.shape[row.axis] == 0:
        return row.restore(_zeros(row))
    return row.restore(row.xp.max(row.values, axis=row.axis))


def sparsity(p: Any, axis: int = -1) -> Any:
    r"""The share of weights that are exactly 0, between 0 and 1.

    >>> import numpy as np
    >>> float(sparsity(np.array([0.5, 0.5, 0.0, 0.0])))
    0.5
    """
    row = rows(p, axis, "p")
    xp = row.xp
    length = max(row.values.shape[row.axis], 1)
    zeros = xp.astype(row.values == 0, row.values.dtype)
    return row.restore(xp.sum(zeros, axis=row.axis) / length)


def _entropy(row: Rows) -> Any:
    xp = row.xp
    logs = xp.log(xp.where(row.values == 0, scalar(1.0, row.values), row.values))
    return 0.0 - xp.sum(row.values * logs, axis=row.axis)  # 0.0 - 0.0 is 0.0, -(0.0) is not


def _zeros(row: Rows) -> Any:
    return row.xp.sum(row.values, axis=row.axis)
