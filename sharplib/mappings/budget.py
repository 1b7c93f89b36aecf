"""Budget: weights between 0 and 1 that add up to k, a soft choice of k items."""

from __future__ import annotations

import math
from typing import Any

from sharplib._arrays import finished, namespace, per_row, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import pull_back_weighted, shifted, spread_out

# A Newton step is exact as soon as the items between 0 and 1 are known. Halving, in the logarithm
# of the distance from the top, ends after 64 steps for any float64 scores.
_NEWTON_STEPS = 24
_STEPS = _NEWTON_STEPS + 64


def budget(x: Any, k: Any, axis: int = -1) -> Any:
    r"""The closest point to the scores whose entries lie between 0 and 1 and add up to k.

    .. math:: p = \arg\min_{0 \le p \le 1,\; \sum_i p_i = k} \lVert p - x \rVert^2, \qquad
        p_i = \min(\max(x_i - \tau, 0), 1)

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    k : float, or array with one value per row
        What the weights add up to: a number of items, at least 0, not necessarily whole. An array
        broadcasts against `x` with length 1 along `axis`, and receives a gradient.
    axis : int
        The axis along which weights sum to `k`.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. A row with fewer than `k` unmasked
        items gives each of them 1. Among ``+inf`` entries `k` is shared equally, at most 1 for
        each; NaN stays in its row.

    Raises
    ------
    TypeError
        Integer or complex scores, a `k` of another array library, or an axis that is not an
        integer.
    ValueError
        A `k` that is negative or not finite, or an axis out of range. In a tensor on an accelerator
        or under a transform a bad `k` gives NaN instead.

    Notes
    -----
    The mean of a distribution over subsets of k items, where `k` is whole; `sparsemax` at k = 1. An
    item that lies 1 or more below the k-th largest weighs nothing, at any n. Limits of
    ``budget(x / θ, k)``: the k largest items at 1 for θ → 0, already exactly so for θ up to the gap
    that follows them; all items equal for θ → ∞. Lipschitz constant 1 in the Euclidean norm. A row
    whose weights are all 0 or 1 has no gradient: it does not move.

    Source: the package ``entmax``, version 1.3.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.budget(np.array([0.0, 0.25, 0.5, 0.75, 1.0]), k=2)
    array([0.   , 0.125, 0.375, 0.625, 0.875])
    """
    row = rows(x, axis)
    k = per_row(k, "k", row, minimum=0.0, strict=False)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_BUDGET(row.values, spread_out(k, row), axis=row.axis)[0])


def _budget(x: Any, k: Any, *, axis: int) -> Arrays:
    """The weights, and how many are strictly between 0 and 1."""
    xp = namespace(x)
    wide = xp.astype(x, widest(x), copy=False)
    infinity = scalar(math.inf, wide)
    goal = xp.astype(k, wide.dtype, copy=False)
    goal = xp.where(goal >= 0, goal, scalar(math.nan, wide))
    # Entries of +inf take 1 each and leave the rest of k to the others, or share k among them.
    first = wide == infinity
    claimed = xp.sum(xp.astype(first, wide.dtype), axis=axis, keepdims=True)
    first = first & (claimed < goal)
    goal = xp.where(claimed < goal, goal - claimed, goal)
    y = shifted(xp.where(first, -infinity, wide), axis)

    present = ~xp.isinf(y)
    count = xp.sum(xp.astype(present, y.dtype), axis=axis, keepdims=True)
    enough = count > goal
    settled = ~enough | (goal == 0)
    lowest = xp.min(xp.where(present, y, scalar(0.0, y)), axis=axis, keepdims=True)
    threshold = _threshold(y, xp.where(enough, goal, count), lowest - 1, settled, axis)
    p = xp.where(enough, xp.clip(y - threshold, 0.0, 1.0), xp.astype(present, y.dtype))
    p = xp.where(first, scalar(1.0, y), p)
    p = xp.where(xp.isnan(goal + threshold), scalar(math.nan, y), p)
    inside = xp.astype((p > 0) & (p < 1), k.dtype)
    return xp.astype(p, x.dtype, copy=False), xp.sum(inside, axis=axis, keepdims=True)


def _threshold(y: Any, goal: Any, low: Any, settled: Any, axis: int) -> Any:
    """τ with Σ min(max(y - τ, 0), 1) = goal, between low and 0, by Newton inside a bracket."""
    xp = namespace(y)
    one = scalar(1.0, y)
    high = xp.zeros_like(low)
    at = xp.where(goal == 0, high, xp.maximum(low, high - 1))
    rounding = 4 * float(xp.finfo(y.dtype).eps)
    for step in range(_STEPS):
        distance = y - at
        p = xp.clip(distance, 0.0, 1.0)
        inside = xp.astype((distance > 0) & (distance < 1), y.dtype)
        slope = xp.sum(inside, axis=axis, keepdims=True)
        excess = xp.sum(p, axis=axis, keepdims=True) - goal
        low = xp.where(excess > 0, at, low)
        high = xp.where(excess > 0, high, at)
        newton = at + excess / xp.where(slope == 0, one, slope)
        halved = -xp.expm1((xp.log1p(-low) + xp.log1p(-high)) / 2)
        follow = (slope > 0) & (newton > low) & (newton < high) & (step < _NEWTON_STEPS)
        moved = xp.where(follow, newton, halved)
        noise = rounding * ((1 - at) * (slope + 1) + goal)
        done = settled | (xp.abs(excess) <= noise) | (moved == at) | xp.isnan(excess)
        # The last step is exact: it keeps the items that are strictly inside.
        at = xp.where(done & ~settled & (slope > 0), newton, xp.where(done, at, moved))
        settled = done
        if finished(settled):
            break
    return at


def _budget_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    p, k = saved
    xp = namespace(p)
    inside = xp.astype((p > 0) & (p < 1), p.dtype)
    count = xp.sum(inside, axis=axis, keepdims=True)
    by_k = xp.sum(inside * grads[0], axis=axis, keepdims=True)
    by_k = by_k / xp.where(count == 0, scalar(1.0, p), count)
    return pull_back_weighted(inside, grads[0], axis), xp.astype(by_k, k.dtype, copy=False)


def _weights_and_k(inputs: Arrays, outputs: Arrays) -> Arrays:
    return outputs[0], inputs[1]


_BUDGET = ClosedForm(_budget, _budget_vjp, _weights_and_k, name="budget", iterative=True)
