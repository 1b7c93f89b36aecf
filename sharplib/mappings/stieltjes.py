"""The Stieltjes map: a softmax with a polynomial tail."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import finished, namespace, per_row, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import in_every_row, log_weights, shifted

# Newton on a concave, increasing function climbs to its root from below and cannot overshoot. It
# took at most 10 steps on all rows tried, up to a million items at any scale.
_STEPS = 32


def stieltjes(x: Any, q: Any, axis: int = -1) -> Any:
    r"""Weights that fall like a power of the distance to a point above the scores.

    .. math:: p_k = \frac{1}{(\lambda - x_k)^q}, \qquad
        \lambda > \max_j x_j \text{ such that } \textstyle\sum_k p_k = 1

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    q : float, or array with one value per row
        The power, at least 1. An array broadcasts against `x` with length 1 along `axis`, and
        receives a gradient.
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
        Integer or complex scores, a `q` of another array library.
    ValueError
        A `q` that is below 1 or not finite, an axis out of range. In a tensor on an accelerator or
        under a transform a `q` that is below 1 or NaN gives NaN instead.

    Notes
    -----
    Limits: ``stieltjes(x / q, q)`` tends to ``softmax(x)`` as q grows. The map is positive and
    normalised, so it disperses like softmax: with n scores inside an interval of width D weights
    are of order 1/n as soon as n is well above :math:`D^q`. Lipschitz constant
    :math:`q\,2^{-1-1/q}` in the Euclidean norm, reached by two equal scores.
    Newton on :math:`\lambda`, in float64, runs to convergence, and a last division makes the sum 1.

    Source: the public code ``jtaylor-eng/probability-simplex-mappings``; no paper is known.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.stieltjes(np.array([1.0, 2.0, 3.0, 4.0]), q=2).round(3)
    array([0.056, 0.095, 0.199, 0.65 ])
    """
    row = rows(x, axis)
    power = per_row(q, "q", row, minimum=1.0, strict=False)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    if isinstance(power, float):
        power = in_every_row(scalar(power, row.values), row)
    return row.restore(_STIELTJES(row.values, power, axis=row.axis)[0])


def _stieltjes(x: Any, q: Any, *, axis: int) -> Arrays:
    """The weights, and their sum before it is made 1, which is 1 to rounding."""
    xp = namespace(x)
    y = shifted(xp.astype(x, widest(x), copy=False), axis)
    power = xp.astype(q, y.dtype, copy=False)
    power = xp.where(power >= 1, power, scalar(float("nan"), y))
    one = scalar(1.0, y)
    rounding = 4 * float(xp.finfo(y.dtype).eps)
    pole = xp.ones_like(power)  # λ - max x: at 1 the top alone weighs 1
    for _ in range(_STEPS):
        distance = pole - y
        weights = distance**-power
        total = xp.sum(weights, axis=axis, keepdims=True)
        slope = xp.sum(weights / distance, axis=axis, keepdims=True)
        # Newton on total^(-1/q) = 1: straight in λ where all scores are equal.
        step = (total ** (1 / power) - 1) * total / xp.where(slope == 0, one, slope)
        settled = ~(step > rounding * pole)  # NaN is settled too
        if finished(settled):
            break
        pole = xp.where(settled, pole, pole + step)
    p = weights / xp.where(total == 0, one, total)
    return xp.astype(p, x.dtype, copy=False), xp.astype(total, x.dtype, copy=False)


def _stieltjes_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # The sum is held at 1: only the weights pass a gradient on.
    (p, q), grad = saved, grads[0]
    xp = namespace(p)
    log_p = log_weights(p)
    u = p * xp.exp(log_p / q)  # p^(1 + 1/q), and -q times it is dp/dλ
    total = xp.sum(u, axis=axis, keepdims=True)
    mean = xp.sum(u * grad, axis=axis, keepdims=True)
    off = grad - mean / xp.where(total == 0, scalar(1.0, u), total)
    return q * u * off, xp.sum(p * log_p * off, axis=axis, keepdims=True) / q


_STIELTJES = ClosedForm(
    _stieltjes,
    _stieltjes_vjp,
    lambda inputs, outputs: (outputs[0], inputs[1]),
    name="stieltjes",
    iterative=True,
)
