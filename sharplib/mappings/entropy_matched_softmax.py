"""Softmax at the temperature that brings a row's entropy down to a target."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import finished, namespace, per_row, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import in_every_row, log_weights, normalised, pull_back, shifted

# exp(-800) is 0 in float64: at this depth every item below the top has left the row.
_GONE = 800.0
# Halving an interval of at most 1500 (the logarithm of any ratio of two float64 numbers) 64 times
# leaves less than one rounding step; Newton's steps make it 5 to 10 in practice.
_STEPS = 64


def entropy_matched_softmax(x: Any, target: Any, axis: int = -1) -> Any:
    r"""Softmax, sharpened until the entropy of the row is at most a target.

    .. math:: p = \mathrm{softmax}(\beta x), \qquad
        \beta = \min\{\beta \ge 1 : H(\mathrm{softmax}(\beta x)) \le \text{target}\}

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    target : float, or array with one value per row
        Entropy in nats, at least 0. An array broadcasts against `x` with length 1 along `axis`, and
        receives a gradient.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. A row whose entropy is below the
        target already is left as it is. A row whose k tied maxima keep it above (target <= log k)
        gets the limit, 1/k for each of them.

    Raises
    ------
    TypeError
        Integer or complex scores, a target of another array library.
    ValueError
        A target that is negative or not finite, an axis out of range. In a tensor on an accelerator
        or under a transform a target that is negative or NaN gives NaN instead.

    Notes
    -----
    The entropy falls with :math:`\beta` at the rate :math:`-\beta\,\mathrm{Var}_p(x)`
    (arXiv 2410.01104, Proposition 3.2), so the root is unique; bracketed Newton on
    :math:`\log\beta` in float64 finds it for every finite row. The gradient is that of the implicit
    function: the softmax gradient without its component along the entropy. The top weight is at
    least :math:`e^{-\text{target}}` at any n, unless maxima tie. At a tie the map jumps.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> p = sharplib.entropy_matched_softmax(np.array([1.0, 2.0, 3.0, 4.0]), target=0.5)
    >>> p.round(3)
    array([0.003, 0.02 , 0.13 , 0.848])
    >>> round(float(sharplib.measures.entropy(p)), 12)
    0.5
    """
    row = rows(x, axis)
    goal = per_row(target, "target", row, minimum=0.0, strict=False)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    if isinstance(goal, float):
        goal = in_every_row(scalar(goal, row.values), row)
    return row.restore(_MATCHED(row.values, goal, axis=row.axis)[0])


def _matched(x: Any, target: Any, *, axis: int) -> Arrays:
    """The weights, and the inverse temperature: 1 in a row left alone, infinite at the limit."""
    xp = namespace(x)
    wide = xp.astype(x, widest(x), copy=False)
    y = shifted(wide, axis)
    goal = xp.astype(target, y.dtype, copy=False)
    goal = xp.where(goal >= 0, goal, scalar(float("nan"), y))
    # Gaps so small that β might overflow count as ties: below 4.5e-303 in float64.
    ties = y >= -_GONE / float(xp.finfo(y.dtype).max) * 1e3
    tied = xp.astype(ties, y.dtype)
    count = xp.sum(tied, axis=axis, keepdims=True)
    one, infinity = scalar(1.0, y), scalar(float("inf"), y)
    at_limit = goal <= xp.log(xp.where(count == 0, one, count))
    alone = _entropy_and_slope(y, axis)[0] <= goal
    gap = xp.min(xp.where(ties, infinity, -y), axis=axis, keepdims=True)
    log_beta = _solve(y, goal, gap, at_limit | alone, axis)
    beta = xp.where(at_limit, infinity, xp.exp(log_beta))
    beta = xp.where(alone, one, beta)
    p = normalised(xp.where(xp.isinf(beta), one, beta) * y, axis)[0]
    limit = tied / xp.where(count == 0, one, count)
    p = xp.where(at_limit & ~alone, limit, p)
    p = xp.where(xp.isnan(goal), goal, p)
    return xp.astype(p, x.dtype, copy=False), xp.astype(beta, x.dtype, copy=False)


def _entropy_and_slope(y: Any, axis: int) -> tuple[Any, Any]:
    """H(softmax(y)) and dH/dlog β = -Var_p(y), for y at most 0."""
    xp = namespace(y)
    y = xp.where(y < -_GONE, scalar(-_GONE, y), y)
    p, total = normalised(y, axis)
    mean = xp.sum(p * y, axis=axis, keepdims=True)
    variance = xp.sum(p * (y - mean) ** 2, axis=axis, keepdims=True)
    total = xp.where(total == 0, scalar(1.0, y), total)  # masked throughout
    return xp.log(total) - mean, -variance


def _solve(y: Any, goal: Any, gap: Any, settled: Any, axis: int) -> Any:
    """log β with H(softmax(β y)) = goal, by Newton inside a bracket."""
    xp = namespace(y)
    zero = scalar(0.0, y)
    low = xp.zeros_like(goal)
    # At β = 800 / gap only the ties are left, so the entropy is log k, below the goal.
    high = xp.log(_GONE / xp.where(gap < _GONE, gap, scalar(_GONE, y)))
    at = xp.where(settled, zero, xp.where(high < 1, high, scalar(1.0, y)))
    rounding = 4 * float(xp.finfo(y.dtype).eps)
    for _ in range(_STEPS):
        entropy, slope = _entropy_and_slope(xp.exp(at) * y, axis)
        excess = entropy - goal
        low = xp.where(excess > 0, at, low)
        high = xp.where(excess > 0, high, at)
        newton = at - excess / xp.where(slope < 0, slope, scalar(-1.0, y))
        inside = (newton > low) & (newton < high) & (slope < 0)
        moved = xp.where(inside, newton, (low + high) / 2)
        still = (moved == at) | (newton == at)
        done = settled | (xp.abs(excess) <= rounding * goal) | still | xp.isnan(excess)
        at = xp.where(done, at, moved)
        if finished(done):
            break
    return at


def _matched_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # c = log p + H is β times the centred scores; holding the entropy removes the direction p c.
    p, beta = saved
    grad_p, grad_beta = grads
    xp = namespace(p)
    zero, one = scalar(0.0, p), scalar(1.0, p)
    log_p = log_weights(p)
    c = log_p - xp.sum(p * log_p, axis=axis, keepdims=True)
    variance = xp.sum(p * c**2, axis=axis, keepdims=True)
    active = (beta > 1) & xp.isfinite(beta) & (variance > 0)
    finite = xp.where(xp.isfinite(beta), beta, zero)  # at the limit nothing moves
    v = pull_back(p, grad_p, axis)
    along = xp.sum(c * v, axis=axis, keepdims=True) + finite * grad_beta
    along = xp.where(active, along / xp.where(active, variance, one), zero)
    return finite * (v - along * p * c), -along


_MATCHED = ClosedForm(
    _matched,
    _matched_vjp,
    lambda inputs, outputs: outputs,
    name="entropy_matched_softmax",
    iterative=True,
)
