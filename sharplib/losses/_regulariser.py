"""What a mapping pays for its weights, and how that changes with them and with alpha."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sharplib._arrays import namespace, scalar
from sharplib.mappings._rows import log_weights
from sharplib.mappings.entmax import remainder


class Regulariser(NamedTuple):
    """Ω(p, alpha) along an axis, and its derivatives."""

    value: Callable[..., Any]
    by_weights: Callable[..., Any]
    by_alpha: Callable[..., Any]


def _power(p: Any, delta: Any) -> Any:
    """(p^δ - 1) / δ, which is log p at δ = 0; and 0 for p = 0."""
    xp = namespace(p)
    log_p = log_weights(p)
    return xp.where(
        delta == 0,
        log_p,
        xp.expm1(delta * log_p) / xp.where(delta == 0, scalar(1.0, p), delta),
    )


def _tsallis(p: Any, alpha: Any, axis: int) -> Any:
    """Σ (p^α - p) / (α (α - 1)), and Σ p log p at α = 1."""
    return namespace(p).sum(p * _power(p, alpha - 1), axis=axis, keepdims=True) / alpha


def _tsallis_by_weights(p: Any, alpha: Any, axis: int) -> Any:
    xp = namespace(p)
    at_zero = (p == 0) & (alpha > 1)
    room = xp.where(alpha > 1, alpha - 1, scalar(1.0, p))
    return xp.where(at_zero, -1 / room, _power(p, alpha - 1)) + 1 / alpha


def _tsallis_by_alpha(p: Any, alpha: Any, axis: int) -> Any:
    xp = namespace(p)
    log_p = log_weights(p)
    slope = log_p**2 * remainder((alpha - 1) * log_p) - _power(p, alpha - 1) / alpha
    return xp.sum(p * slope, axis=axis, keepdims=True) / alpha


def _powers(p: Any, alpha: Any, axis: int) -> tuple[Any, Any]:
    """p^α over its sum, and the logarithm of the sum; 0 in a row of zeros.

    Small weights to a high power are 0 in floating point: taken relative to the largest, not all.
    """
    xp = namespace(p)
    log_top = log_weights(xp.max(p, axis=axis, keepdims=True))
    below = xp.where(p > 0, log_weights(p) - log_top, scalar(0.0, p))
    powers = xp.where(p > 0, xp.exp(alpha * below), scalar(0.0, p))
    total = xp.sum(powers, axis=axis, keepdims=True)
    total = xp.where(total == 0, scalar(1.0, p), total)
    return powers / total, alpha * log_top + xp.log(total)


def _norm(p: Any, alpha: Any, axis: int) -> Any:
    """||p||_α - 1."""
    xp = namespace(p)
    return xp.exp(_powers(p, alpha, axis)[1] / alpha) - 1


def _norm_by_weights(p: Any, alpha: Any, axis: int) -> Any:
    xp = namespace(p)
    log_norm = _powers(p, alpha, axis)[1] / alpha
    slope = xp.exp((alpha - 1) * (log_weights(p) - log_norm))
    return xp.where(p > 0, slope, scalar(0.0, p))


def _norm_by_alpha(p: Any, alpha: Any, axis: int) -> Any:
    xp = namespace(p)
    shares, log_total = _powers(p, alpha, axis)
    mean = xp.sum(shares * log_weights(p), axis=axis, keepdims=True)
    return xp.exp(log_total / alpha) * (mean - log_total / alpha) / alpha


TSALLIS = Regulariser(_tsallis, _tsallis_by_weights, _tsallis_by_alpha)
NORM = Regulariser(_norm, _norm_by_weights, _norm_by_alpha)
