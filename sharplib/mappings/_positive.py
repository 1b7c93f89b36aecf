"""A positive parameter, as an array with one value per row."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import Rows, per_row, scalar
from sharplib.mappings._rows import in_every_row


def positive_per_row(value: Any, name: str, row: Rows) -> Any:
    """The checked parameter, of length 1 along the axis; NaN where it is bad but cannot be read.

    A number that the rows' precision cannot tell from 0 or from infinity is as close to it as the
    precision can tell.
    """
    value = per_row(value, name, row, minimum=0.0, strict=True)
    if not isinstance(value, float):
        return row.xp.where(value > 0, value, scalar(float("nan"), value))
    limits = row.xp.finfo(row.values.dtype)
    value = min(max(value, float(limits.smallest_normal)), float(limits.max))
    return in_every_row(scalar(value, row.values), row)
