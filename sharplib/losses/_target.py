"""What a loss is told to predict: a class for each row, or weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib._arrays import Rows, _device, as_array, namespace, readable
from sharplib.mappings._length import unmasked

# Weights in half precision add up to 1 no better than this.
LOOSE = 0.01


def target_weights(target: Any, row: Rows, total: Any = 1.0) -> Any:
    """The target as weights of the shape and precision of the rows.

    Integers are classes, one for each row: the shape of the scores without the axis. Floating-point
    numbers are weights, at least 0, that add up to `total` (one number, or one per row), but for
    rows that are masked throughout.
    """
    xp, shape = row.xp, row.values.shape
    if isinstance(target, int | list | tuple):
        target = xp.asarray(np.asarray(target), device=_device(row.values))
    kinds = hasattr(target, "dtype") and namespace(target) is xp
    if kinds and xp.isdtype(target.dtype, "integral"):
        q = _one_hot(target, row)
    else:
        q = as_array(target, "target")
        if namespace(q) is not xp:
            raise TypeError("target must be the same kind of array as x")
        if q.shape != shape:
            raise ValueError(
                f"target must have the shape of x, {tuple(shape)}, or hold integers of its shape "
                f"without the axis; got {tuple(q.shape)}"
            )
        q = xp.astype(q, row.values.dtype, copy=False)
    if readable(q):
        off = xp.abs(xp.sum(q, axis=row.axis, keepdims=True) - total) > LOOSE
        bad = (q < 0) | (off & (unmasked(row) > 0))
        if readable(bad) and bool(xp.any(bad)):
            raise ValueError("target must hold weights >= 0 that add up to what x is mapped to")
    return q


def _one_hot(classes: Any, row: Rows) -> Any:
    xp, shape = row.xp, row.values.shape
    expected = tuple(n for i, n in enumerate(shape) if i != row.axis)
    if classes.shape != expected:
        raise ValueError(
            f"target must hold one class for each row, shape {expected}, "
            f"got shape {tuple(classes.shape)}"
        )
    n = shape[row.axis]
    classes = xp.astype(classes, xp.int64, copy=False)  # places go further than an 8-bit integer
    bad = (classes < 0) | (classes >= n)
    if readable(bad) and bool(xp.any(bad)):
        raise ValueError(f"target must lie in [0, {n}), got {classes[bad][0]}")
    places = xp.arange(n, dtype=classes.dtype, device=_device(row.values))
    places = xp.reshape(places, tuple(n if i == row.axis else 1 for i in range(len(shape))))
    return xp.astype(places == xp.expand_dims(classes, axis=row.axis), row.values.dtype)
