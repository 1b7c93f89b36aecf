"""What the length-aware maps share: how many items a row has, and scores at a scale of its own."""

from __future__ import annotations

import operator
from typing import Any

from sharplib._arrays import Rows, namespace, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import shifted


def unmasked(row: Rows) -> Any:
    """How many items of each row are not masked, as a number of the rows' own dtype."""
    there = row.xp.astype(row.values != -float("inf"), row.values.dtype)
    return row.xp.sum(there, axis=row.axis, keepdims=True)


def log_length(row: Rows) -> Any:
    """log n in nats, and log 2 for a row of one item, which gets all the weight at any scale."""
    n, two = unmasked(row), scalar(2.0, row.values)
    return row.xp.log(row.xp.where(n < 2, two, n))


def training_length(value: int) -> int:
    """Check a number of items that a model was trained with."""
    try:
        length = operator.index(value)
    except TypeError:
        raise TypeError(f"train_length must be an integer, got {value!r}") from None
    if length < 2:
        raise ValueError(f"train_length must be at least 2, got {value!r}")
    return length


def scaled(row: Rows, scale: Any) -> Any:
    """scale (x - max x) at one positive scale per row; masked items stay -inf.

    For maps that ignore a shift: the maximum is taken as a constant in the gradient.
    """
    if row.values.shape[row.axis] == 0:
        return row.values
    return _SCALED(row.values, scale, axis=row.axis)[0]


def _finite(y: Any) -> tuple[Any, Any]:
    """Which scores are not masked, and y with 0 for the others."""
    xp = namespace(y)
    there = y != -float("inf")
    return there, xp.where(there, y, scalar(0.0, y))


def _scaled(x: Any, scale: Any, *, axis: int) -> Arrays:
    xp = namespace(x)
    there, y = _finite(shifted(x, axis))
    # An infinite scale is the largest there is: 0 at the top must stay 0.
    scale = xp.where(xp.isinf(scale), scalar(float(xp.finfo(x.dtype).max), x), scale)
    return (xp.where(there, scale * y, scalar(-float("inf"), x)),)


def _scaled_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    x, scale = saved
    xp = namespace(x)
    there, y = _finite(shifted(x, axis))
    grad = xp.where(there, grads[0], scalar(0.0, x))
    return scale * grad, xp.sum(y * grad, axis=axis, keepdims=True)


_SCALED = ClosedForm(_scaled, _scaled_vjp, lambda inputs, outputs: inputs, name="scaled")
