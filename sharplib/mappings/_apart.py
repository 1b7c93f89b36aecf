"""What the maps share that judge an item by its own score: the logistic function, and NaN."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, scalar


def logistic(z: Any) -> Any:
    """1 / (1 + exp(-z)), without overflow and to full relative precision."""
    xp = namespace(z)
    small = xp.exp(-xp.abs(z))
    return xp.where(z >= 0, scalar(1.0, z), small) / (1 + small)


def log_logistic(z: Any) -> Any:
    """The logarithm of `logistic`: at most 0, and -inf only at -inf."""
    xp = namespace(z)
    zero = scalar(0.0, z)
    return xp.where(z < 0, z, zero) - xp.log1p(xp.exp(-xp.abs(z)))


def nan_throughout(p: Any, x: Any, axis: int) -> Any:
    """p, with NaN all over the rows in which x has one."""
    xp = namespace(x)
    top = xp.max(x, axis=axis, keepdims=True)
    return xp.where(xp.isnan(top), top, p)
