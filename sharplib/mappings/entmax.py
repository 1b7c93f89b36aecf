"""Entmax: one parameter that leads from softmax through sparsemax to the hard maximum."""

from __future__ import annotations

import math
from typing import Any

from sharplib._arrays import finished, namespace, per_row, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import log_weights, pull_back_weighted, shifted, spread_out
from sharplib.mappings.entmax15 import entmax15
from sharplib.mappings.softmax import softmax
from sharplib.mappings.sparsemax import sparsemax

_NAMED = {1.0: softmax, 1.5: entmax15, 2.0: sparsemax}

# Up to alpha = 2 Newton is done after 5 to 10 steps. Above, the sum can be so steep that it
# is not; then the interval, of length log n, is halved until its ends are neighbours: 60 times.
_NEWTON_STEPS = 16
_STEPS = _NEWTON_STEPS + 60


def entmax(x: Any, alpha: Any = 1.5, axis: int = -1) -> Any:
    r"""Weights with the largest Tsallis entropy that the scores allow; exact zeros for alpha > 1.

    .. math:: p = \arg\max_{p \in \Delta} \langle p, x \rangle
        + \frac{\sum_i (p_i - p_i^\alpha)}{\alpha (\alpha - 1)}, \qquad
        p_i = \max((\alpha - 1) x_i - \tau, 0)^{1/(\alpha - 1)},
        \quad \tau \text{ such that } \textstyle\sum_i p_i = 1

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    alpha : float, or array with one value per row
        At least 1: softmax at 1, `entmax15` at 1.5, `sparsemax` at 2. An array broadcasts against
        `x` with length 1 along `axis`, and receives a gradient.
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
        An alpha below 1 or not finite, or an axis out of range. In a tensor on an accelerator or
        under a transform a bad alpha gives NaN instead.

    Notes
    -----
    An item that lies :math:`1/(\alpha-1)` or more below the top weighs nothing, so for
    :math:`\alpha > 1` the top weight stays away from 0 at any n as long as the others keep such a
    distance. As :math:`\alpha \to 1` weights and gradients tend to those of softmax without loss of
    accuracy; as :math:`\alpha \to \infty`, to equal shares of the maximal scores. For
    :math:`\alpha \le 2` the map is Lipschitz with constant 1 in the Euclidean norm; above, two
    weights that are nearly 0 part with a slope that has no bound. A learned alpha needs a lower
    end: ``1 + sigmoid(a)`` never leaves (1, 2).

    Source: arXiv 1905.05702.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.array([1.0, 0.9, -2.0, 0.2])
    >>> sharplib.entmax(x, alpha=1.25).round(3)
    array([0.452, 0.4  , 0.   , 0.148])
    >>> sharplib.entmax(np.stack([x, x]), alpha=np.array([[1.0], [3.0]])).round(3)
    array([[0.416, 0.376, 0.021, 0.187],
           [0.6  , 0.4  , 0.   , 0.   ]])
    """
    row = rows(x, axis)
    alpha = per_row(alpha, "alpha", row, minimum=1.0, strict=False)
    if isinstance(alpha, float) and alpha in _NAMED:
        return _NAMED[alpha](x, axis)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    rule = _ENTMAX if isinstance(alpha, float) else _LEARNED_ENTMAX
    return row.restore(rule(row.values, spread_out(alpha, row), axis=row.axis)[0])


def _entmax(x: Any, alpha: Any, *, axis: int) -> Arrays:
    """The weights, and how many are above 0."""
    xp = namespace(x)
    y = shifted(xp.astype(x, widest(x), copy=False), axis)
    zero, one = scalar(0.0, y), scalar(1.0, y)
    present = xp.sum(xp.astype(~xp.isinf(y), y.dtype), axis=axis, keepdims=True)
    y = xp.where(xp.isinf(y), scalar(-float(xp.finfo(y.dtype).max) / 1e3, y), y)
    delta = xp.astype(alpha, y.dtype, copy=False) - 1
    delta = xp.where(delta >= 0, delta, scalar(math.nan, y))
    # The unknown is the logarithm of the top weight: between 1/n and 1. A row of equal scores has
    # 1/n, and Newton shall land on it from inside.
    low = -xp.log(xp.where(present == 0, one, present)) - 1e-9
    high = xp.zeros_like(low)
    at = high
    rounding = 8 * float(xp.finfo(y.dtype).eps)
    for step in range(_STEPS):
        p, slope = _given_top(y, delta, at)
        total = xp.sum(p, axis=axis, keepdims=True)
        slope = xp.sum(slope, axis=axis, keepdims=True)
        low = xp.where(total < 1, at, low)
        high = xp.where(total < 1, high, at)
        total = xp.where(present == 0, one, total)
        newton = at - xp.log(total) * total / xp.where(slope == 0, one, slope)
        inside = (newton > low) & (newton < high) & (step < _NEWTON_STEPS)
        moved = xp.where(inside, newton, (low + high) / 2)
        settled = (xp.abs(total - 1) <= rounding * (1 - at)) | (moved == at) | xp.isnan(total)
        at = xp.where(settled, at, moved)
        if finished(settled):
            break
    exact = xp.abs(total - 1) <= rounding * (1 - at)
    here = _given_top(y, delta, at)[0] / total
    # Where an item enters so steeply that its weight is one thing at one end of the interval and
    # another at the other end, the sum decides.
    below, _ = _given_top(y, delta, low)
    above, _ = _given_top(y, delta, high)
    short = 1 - xp.sum(below, axis=axis, keepdims=True)
    rise = xp.sum(above - below, axis=axis, keepdims=True)
    share = xp.where(rise > 0, short / xp.where(rise > 0, rise, one), zero)
    p = xp.where(exact, here, below + share * (above - below))
    size = xp.sum(xp.astype(p > 0, alpha.dtype), axis=axis, keepdims=True)
    return xp.astype(p, x.dtype, copy=False), size


def _given_top(y: Any, delta: Any, log_top: Any) -> tuple[Any, Any]:
    """The weights if the top one is exp(log_top), and their derivatives in log_top.

    p = top (1 + δ y / top^δ)^(1/δ), which is top exp(y) at δ = 0.
    """
    xp = namespace(y)
    zero, one = scalar(0.0, y), scalar(1.0, y)
    most = math.log(float(xp.finfo(y.dtype).max)) - 10
    scaled = xp.exp(xp.minimum(-delta * log_top, scalar(most, y))) * y
    distance = delta * scaled
    outside = distance <= -1
    distance = xp.where(outside, zero, distance)
    log_ratio = xp.where(delta == 0, scaled, xp.log1p(distance) / xp.where(delta == 0, one, delta))
    p = xp.where(outside, zero, xp.exp(log_top + log_ratio))
    return p, p / (1 + distance)


def _pulled(p: Any, alpha: Any, grad: Any, axis: int) -> Any:
    """The transposed Jacobian, applied to a gradient."""
    xp = namespace(p)
    u = xp.where(p > 0, xp.exp((2 - alpha) * log_weights(p)), scalar(0.0, p))
    # The Jacobian does not see a constant. Above alpha = 2 the smallest weight can have a u beyond
    # all others; measured from its gradient, the rest keeps its digits.
    top = xp.astype(u == xp.max(u, axis=axis, keepdims=True), u.dtype)
    origin = xp.sum(top * grad, axis=axis, keepdims=True) / xp.sum(top, axis=axis, keepdims=True)
    return pull_back_weighted(u, grad - origin, axis)


def _entmax_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> tuple[Any, None]:
    p, alpha = saved
    xp = namespace(p)
    wide = xp.astype(p, widest(p), copy=False)
    return xp.astype(_pulled(wide, alpha, grads[0], axis), p.dtype, copy=False), None


def _learned_entmax_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # dp/dα = -J ψ with ψ = (1 - exp(a) (1 - a)) / δ², a = δ log p: the known formula without its
    # poles at δ = 0, where ψ = (log p)² / 2.
    p, alpha = saved
    xp = namespace(p)
    wide = xp.astype(p, widest(p), copy=False)
    pulled = _pulled(wide, alpha, grads[0], axis)
    log_p = log_weights(wide)
    psi = log_p**2 * remainder((alpha - 1) * log_p)
    by_alpha = -xp.sum(pulled * psi, axis=axis, keepdims=True)
    return xp.astype(pulled, p.dtype, copy=False), xp.astype(by_alpha, alpha.dtype, copy=False)


def remainder(a: Any) -> Any:
    """(1 - exp(a) (1 - a)) / a², for a at most 0: 1/2 at 0."""
    xp = namespace(a)
    small = a > -0.5
    near = xp.where(small, a, scalar(0.0, a))
    far = xp.where(small, scalar(-1.0, a), a)
    # a^k (k + 1) / (k + 2)!, to 1e-17 at a = -1/2
    series = xp.zeros_like(a)
    for k in range(13, -1, -1):
        series = series * near + (k + 1) / math.factorial(k + 2)
    return xp.where(small, series, (far * xp.exp(far) - xp.expm1(far)) / far**2)


def _weights_and_alpha(inputs: Arrays, outputs: Arrays) -> Arrays:
    return outputs[0], inputs[1]


_ENTMAX = ClosedForm(_entmax, _entmax_vjp, _weights_and_alpha, name="entmax", iterative=True)
_LEARNED_ENTMAX = ClosedForm(
    _entmax, _learned_entmax_vjp, _weights_and_alpha, name="learned_entmax", iterative=True
)
