"""The two steps that every exponential map shares: shift by the maximum, divide by the sum."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import Rows, namespace, scalar, widest


def shifted(x: Any, axis: int) -> Any:
    """x minus its maximum along the axis: at most 0, and 0 at the top.

    Masked scores (-inf) stay -inf. A row with +inf becomes 0 at its +inf entries and -inf
    elsewhere, its limit. NaN spreads over its row.
    """
    xp = namespace(x)
    zero, infinity = scalar(0.0, x), scalar(float("inf"), x)
    top = xp.max(x, axis=axis, keepdims=True)
    below = x - xp.where(xp.isinf(top), zero, top)
    return xp.where(top == infinity, xp.where(x == infinity, zero, -infinity), below)


def normalised(y: Any, axis: int) -> tuple[Any, Any]:
    """exp(y) divided by its sum along the axis, and the sum; a row of -inf gives zeros."""
    xp = namespace(y)
    powers = xp.exp(y)
    total = xp.sum(powers, axis=axis, keepdims=True)
    return powers / xp.where(total == 0, scalar(1.0, y), total), total


def pull_back(p: Any, grad: Any, axis: int) -> Any:
    """(diag p - p pᵀ) grad: the softmax Jacobian at weights p, applied to a gradient."""
    xp = namespace(p)
    return p * (grad - xp.sum(p * grad, axis=axis, keepdims=True))


def pull_back_weighted(u: Any, grad: Any, axis: int) -> Any:
    """(diag u - u uᵀ / sum u) grad: the Jacobian of the maps with a threshold.

    u is 0 outside the support; a row without support gives zeros.
    """
    xp = namespace(u)
    total = xp.sum(u, axis=axis, keepdims=True)
    mean = xp.sum(u * grad, axis=axis, keepdims=True) / xp.where(total == 0, scalar(1.0, u), total)
    return u * (grad - mean)


def log_weights(p: Any) -> Any:
    """log p, with 0 where p is 0: there every term that uses it carries a factor p."""
    xp = namespace(p)
    return xp.log(xp.where(p == 0, scalar(1.0, p), p))


def in_every_row(value: Any, row: Rows) -> Any:
    """A zero-dimensional array, as one with a value for each row."""
    shape = tuple(1 if i == row.axis else n for i, n in enumerate(row.values.shape))
    return row.xp.broadcast_to(value, shape)


def spread_out(value: Any, row: Rows) -> Any:
    """A parameter of the rows as an array with one value for each; a number keeps its digits."""
    if not isinstance(value, float):
        return value
    wide = row.xp.astype(scalar(0.0, row.values), widest(row.values)) + value
    return in_every_row(wide, row)
