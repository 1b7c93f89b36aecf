"""r-softmax: a softmax with a dial for the share of weights that are exactly 0."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import (
    Rows,
    _device,
    is_torch,
    namespace,
    per_row,
    readable,
    rows,
    scalar,
    widest,
)
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import shifted, spread_out
from sharplib.mappings.tsoftmax import RAMPED, shared


def rsoftmax(x: Any, rate: Any, axis: int = -1, *, detach_quantile: bool = False) -> Any:
    r"""Softmax times a ramp that reaches 0 at a quantile of the scores.

    .. math:: p_i = \frac{w_i \exp(x_i)}{\sum_j w_j \exp(x_j)}, \qquad w_i = [x_i - q_r(x)]_+

    where :math:`q_r` interpolates between neighbours at rank :math:`r (n - 1)`, counted from 0 in
    ascending order over the n unmasked scores.

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item, which then does not count for the rate.
    rate : float, or array with one value per row
        :math:`r` between 0 and 1. An array broadcasts against `x` with length 1 along `axis`, and
        receives a gradient.
    axis : int
        The axis along which weights sum to 1.
    detach_quantile : bool
        Send no gradient through the quantile, as the authors' code does: its distance to the
        largest score is taken as given. This is then not the derivative of the map.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. Without ties, exactly
        floor(r (n - 1)) + 1 of them are 0 for 0 < r < 1.

    Raises
    ------
    TypeError
        Integer or complex scores, a rate of another array library.
    ValueError
        A rate outside [0, 1], an axis out of range. In a tensor on an accelerator or under a
        transform a bad rate gives NaN instead.

    Notes
    -----
    Rate 0 is softmax, with no zeros; rate 1 shares the mass among the maximal scores, and so does
    every row whose quantile is its maximum. The zeros stay where they are at any temperature: as
    the scores shrink to 0 the weights tend to :math:`[x_i - q]_+` divided by its sum, and not to
    uniform ones. As n grows at a fixed rate, a fixed share of the items stays, and their weights
    are of order 1/n; a lone leader that passes the quantile keeps all.

    The map jumps where more items share the top than it keeps, and is steep nearby; at any other
    tie, who crosses the line enters gently. The gradient of an order statistic is shared among the
    scores tied with it, and where the quantile is the maximum it is 0. Sorting takes most of the
    time.

    Source: arXiv 2304.05243 and its code, which adds 1e-8 to the ramp and has a zero at rate 0.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.rsoftmax(np.array([3.0, 2.0, 1.0, 1.0]), rate=0.5).round(4)
    array([0.8908, 0.1092, 0.    , 0.    ])
    """
    row = rows(x, axis)
    share = _checked(rate, row)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    low, high, rank = _NEIGHBOURS(row.values, share, axis=row.axis)
    quantile = low + row.xp.astype(rank - row.xp.floor(rank), low.dtype) * (high - low)
    infinity = scalar(float("inf"), quantile)
    distance = row.xp.where(share == 0, infinity, -quantile)
    if detach_quantile and is_torch(distance):
        distance = distance.detach()
    return row.restore(RAMPED(row.values, distance, axis=row.axis)[0])


def _checked(rate: Any, row: Rows) -> Any:
    """One rate per row; a number keeps the precision that the rank of ten million items needs."""
    xp = row.xp
    share = per_row(rate, "rate", row, minimum=0.0, strict=False)
    if isinstance(share, float):
        if share > 1:
            raise ValueError(f"rate must be <= 1, got {rate!r}")
        return spread_out(share, row)
    if readable(share) and bool(xp.any(share > 1)):
        raise ValueError(f"rate must be <= 1 in every row, got {share[share > 1][0]}")
    return xp.where((share >= 0) & (share <= 1), share, scalar(float("nan"), share))


def _neighbours(x: Any, rate: Any, *, axis: int) -> tuple[Any, Any, Any]:
    """The scores on either side of the quantile, less the largest score; and its rank.

    The rank counts from 0 over the items that are not masked. A neighbour that does not exist
    counts as 0: the upper one at rate 1, and both in a row that is masked throughout.
    """
    xp = namespace(x)
    y = shifted(x, axis)
    n = y.shape[axis]
    present, steps = _present_and_steps(y, axis)
    rank = xp.astype(rate, steps.dtype) * steps
    below = xp.astype(n - present + xp.floor(rank), xp.int64)
    places = xp.reshape(
        xp.arange(n, dtype=xp.int64, device=_device(y)),
        tuple(n if i == axis else 1 for i in range(y.ndim)),
    )
    ordered = xp.sort(y, axis=axis, stable=False)

    def at(place: Any) -> Any:
        chosen = xp.where(places == place, ordered, scalar(0.0, y))
        return xp.sum(chosen, axis=axis, keepdims=True)

    return at(below), at(below + 1), rank


def _present_and_steps(y: Any, axis: int) -> tuple[Any, Any]:
    """The number of items that are not masked, and the largest rank among them."""
    xp = namespace(y)
    present = xp.sum(xp.astype(xp.isfinite(y), xp.int8), axis=axis, keepdims=True)
    present = xp.astype(present, widest(y))
    return present, xp.where(present > 0, present - 1, present)


def _neighbours_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    x, rate, low, high = saved
    by_low, by_high, by_rank = grads
    xp = namespace(x)
    y = shifted(x, axis)
    by_x = (
        by_low * shared(y == low, y, axis)
        + by_high * shared(y == high, y, axis)
        - (by_low + by_high) * shared(y == 0, y, axis)
    )
    return by_x, xp.astype(by_rank * _present_and_steps(y, axis)[1], rate.dtype)


_NEIGHBOURS = ClosedForm(
    _neighbours,
    _neighbours_vjp,
    lambda inputs, outputs: (*inputs, *outputs[:2]),
    name="neighbours",
)
