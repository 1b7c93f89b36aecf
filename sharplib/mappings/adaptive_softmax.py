"""Adaptive temperature: a softmax that reads its own entropy and sharpens itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sharplib._arrays import namespace, per_row, rows, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import log_weights, normalised, pull_back, shifted

#: The published fit of the inverse temperature against entropy in nats, highest power first.
PUBLISHED_COEFFICIENTS = (-0.037, 0.481, -2.3, 4.917, -1.791)


def adaptive_softmax(
    x: Any,
    axis: int = -1,
    coefficients: Sequence[float] = PUBLISHED_COEFFICIENTS,
    *,
    gate: float = 0.5,
) -> Any:
    r"""Softmax, sharpened by an inverse temperature that a polynomial reads off its entropy.

    .. math:: p = \mathrm{softmax}(\beta x), \qquad
        \beta = \begin{cases} \max(P(H), 1) & H > \text{gate} \\ 1 & \text{otherwise,} \end{cases}

    where :math:`H` is the entropy of :math:`\mathrm{softmax}(x)`.

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    axis : int
        The axis along which weights sum to 1.
    coefficients : sequence of float
        :math:`P`, highest power first; the default is the paper's fit of degree 4.
    gate : float
        Entropy in nats, at least 0, up to which a row is left alone.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`, with the entropy of ``softmax(x)``
        or less.

    Raises
    ------
    TypeError
        Integer or complex scores; coefficients that are not numbers.
    ValueError
        No coefficients, one that is not finite, a negative gate, an axis out of range.

    Notes
    -----
    With the published coefficients :math:`\beta > 1` only where 0.8486 < H < 5.9445, at most 2.42.
    A row spread over more than about 382 items is therefore left as it is, and weights remain of
    order 1/n as n grows. The gradient flows through the entropy. The listing in the paper adds 1e-9
    inside the logarithm of the entropy; here the entropy is exact.

    Source: arXiv 2410.01104, section 5 and its JAX listing.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.adaptive_softmax(np.array([1.0, 2.0, 3.0, 4.0])).round(4)
    array([0.0202, 0.0657, 0.2145, 0.6996])
    """
    row = rows(x, axis)
    settings = {
        "axis": row.axis,
        "coefficients": _checked(coefficients),
        "gate": per_row(gate, "gate", row, minimum=0.0, strict=False),
    }
    if not isinstance(settings["gate"], float):
        raise TypeError("gate must be one number, not an array")
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_ADAPTIVE(row.values, **settings)[0])


def _checked(coefficients: Sequence[float]) -> tuple[float, ...]:
    try:
        checked = tuple(float(c) for c in coefficients)
    except (TypeError, ValueError):
        raise TypeError(f"coefficients must be numbers, got {coefficients!r}") from None
    if not checked or not all(map(math.isfinite, checked)):
        raise ValueError(f"coefficients must be one or more finite numbers, got {coefficients!r}")
    return checked


def _horner(coefficients: Sequence[float], at: Any) -> Any:
    value = namespace(at).zeros_like(at)
    for c in coefficients:
        value = value * at + c
    return value


def _entropy(p: Any, axis: int) -> Any:
    return -namespace(p).sum(p * log_weights(p), axis=axis, keepdims=True)


def _polynomial(entropy: Any, coefficients: tuple[float, ...], gate: float) -> tuple[Any, Any]:
    """Where the polynomial acts, and the inverse temperature."""
    wanted = _horner(coefficients, entropy)
    acts = (entropy > gate) & (wanted > 1)
    return acts, namespace(entropy).where(acts, wanted, scalar(1.0, entropy))


def _adaptive(x: Any, *, axis: int, coefficients: tuple[float, ...], gate: float) -> Arrays:
    y = shifted(x, axis)
    entropy = _entropy(normalised(y, axis)[0], axis)
    _, beta = _polynomial(entropy, coefficients, gate)
    return normalised(beta * y, axis)[:1]


def _adaptive_vjp(
    saved: Arrays, grads: Arrays, *, axis: int, coefficients: tuple[float, ...], gate: float
) -> Arrays:
    # With v = (diag p - p pᵀ) grad: β v + P'(H) <x, v> dH/dx, and <x, v> = <log p0, v>.
    xp = namespace(saved[0])
    y = shifted(saved[0], axis)
    p0 = normalised(y, axis)[0]
    log_p0, entropy = log_weights(p0), _entropy(p0, axis)
    acts, beta = _polynomial(entropy, coefficients, gate)
    v = pull_back(normalised(beta * y, axis)[0], grads[0], axis)
    degree = len(coefficients) - 1
    slope = _horner([c * (degree - i) for i, c in enumerate(coefficients[:-1])] or [0.0], entropy)
    through = xp.sum(log_p0 * v, axis=axis, keepdims=True) * slope
    through = xp.where(acts, through, scalar(0.0, through))
    return (beta * v - through * p0 * (log_p0 + entropy),)


_ADAPTIVE = ClosedForm(
    _adaptive, _adaptive_vjp, lambda inputs, outputs: inputs, name="adaptive_softmax"
)
