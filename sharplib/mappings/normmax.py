"""Normmax: the scores against a norm of the weights; few items, nearly equal shares."""

from __future__ import annotations

import math
from typing import Any

from sharplib._arrays import finished, namespace, per_row, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import log_weights, pull_back, shifted, spread_out

# As for sparsemax: the bound on Newton's steps holds for every convex, decreasing function.
_STEPS = 64


def normmax(x: Any, alpha: Any = 2.0, axis: int = -1) -> Any:
    r"""Weights with a small norm: the larger alpha is, the closer to equal shares of a few items.

    .. math:: p = \arg\max_{p \in \Delta} \langle p, x \rangle - \lVert p \rVert_\alpha, \qquad
        p_i = z_i / \textstyle\sum_j z_j, \quad z_i = \max(x_i - \tau, 0)^{1/(\alpha - 1)},
        \quad \tau \text{ such that } \textstyle\sum_i z_i^\alpha = 1

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    alpha : float, or array with one value per row
        Above 1. An array broadcasts against `x` with length 1 along `axis`, and receives a
        gradient.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. A row that is masked throughout
        gives zeros; ``+inf`` entries share the mass; NaN stays in its row.

    Raises
    ------
    TypeError
        Integer or complex scores, an alpha of another array library, or an axis that is not an
        integer.
    ValueError
        An alpha of 1 or less or not finite, or an axis out of range. In a tensor on an accelerator
        or under a transform a bad alpha gives NaN instead.

    Notes
    -----
    An item that lies 1 or more below the top weighs nothing, whatever alpha is. Limits: alpha → 1
    shares the mass among the maximal scores; alpha → ∞ gives equal shares to all items that weigh
    anything. The slope grows with the number of such items, so there is no Lipschitz constant for
    rows of every length. No sort: Newton on the norm, convex in :math:`\tau`, in float64.

    Source: the package ``entmax``, version 1.3.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.normmax(np.array([-2.0, 0.0, 0.5])).round(4)
    array([0.   , 0.311, 0.689])
    """
    row = rows(x, axis)
    alpha = per_row(alpha, "alpha", row, minimum=1.0, strict=True)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_NORMMAX(row.values, spread_out(alpha, row), axis=row.axis)[0])


def _normmax(x: Any, alpha: Any, *, axis: int) -> Arrays:
    """The weights, and how many are above 0."""
    xp = namespace(x)
    y = shifted(xp.astype(x, widest(x), copy=False), axis)
    zero, one = scalar(0.0, y), scalar(1.0, y)
    wide = xp.astype(alpha, y.dtype, copy=False)
    root = 1 / xp.where(wide > 1, wide - 1, one)
    # No z is above 1.
    threshold = xp.where(wide > 1, -one, scalar(math.nan, y))
    for _ in range(_STEPS):
        # With d = x - τ and c = 1 + root, the norm (Σ d^c)^(1/c) is convex and decreasing in τ.
        distance = xp.maximum(y - threshold, zero)
        z = distance**root
        total = xp.sum(z, axis=axis, keepdims=True)
        norm = xp.sum(z * distance, axis=axis, keepdims=True) ** (1 / (1 + root))
        step = (norm - 1) * norm**root / xp.where(total == 0, one, total)
        settled = ~(threshold + step > threshold)
        threshold = xp.where(settled, threshold, threshold + step)
        if finished(settled):
            break
    z = xp.maximum(y - threshold, zero) ** root
    total = xp.sum(z, axis=axis, keepdims=True)
    p = z / xp.where(total == 0, one, total)
    size = xp.sum(xp.astype(p > 0, alpha.dtype), axis=axis, keepdims=True)
    return xp.astype(p, x.dtype, copy=False), size


def _normmax_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # log p = r log(x - τ) + const, r = 1/(α - 1), and x - τ = (p / norm)^(1/r). The condition on τ
    # makes dτ/dx = p and dτ/dr = Σ p (x - τ) log(x - τ) / (1 + r).
    p, alpha = saved
    xp = namespace(p)
    wide = xp.astype(p, widest(p), copy=False)
    root = 1 / (xp.astype(alpha, wide.dtype, copy=False) - 1)
    zero, one = scalar(0.0, wide), scalar(1.0, wide)
    inside = wide > 0
    # Relative to the largest weight, since small ones to a high power are 0 in floating point.
    log_top = log_weights(xp.max(wide, axis=axis, keepdims=True))
    log_p = xp.where(inside, log_weights(wide) - log_top, zero)
    powers = xp.where(inside, xp.exp((1 + 1 / root) * log_p), zero)
    total = xp.sum(powers, axis=axis, keepdims=True)
    log_norm = xp.log(xp.where(total == 0, one, total)) * root / (1 + root)
    log_distance = xp.where(inside, (log_p - log_norm) / root, zero)
    distance = xp.exp(log_distance)

    by_log = pull_back(wide, grads[0], axis)
    through = root * by_log / distance
    moved = xp.sum(through, axis=axis, keepdims=True)
    shift = xp.sum(wide * distance * log_distance, axis=axis, keepdims=True) / (1 + root)
    by_root = xp.sum(by_log * log_distance, axis=axis, keepdims=True) - shift * moved
    return (
        xp.astype(through - wide * moved, p.dtype, copy=False),
        xp.astype(-by_root * root**2, alpha.dtype, copy=False),
    )


def _weights_and_alpha(inputs: Arrays, outputs: Arrays) -> Arrays:
    return outputs[0], inputs[1]


_NORMMAX = ClosedForm(_normmax, _normmax_vjp, _weights_and_alpha, name="normmax", iterative=True)
