"""Arguments of the numeric faces: real arrays inside a stated range, or one clear error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def real(
    name: str,
    value: ArrayLike,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
) -> Array:
    """`value` as a float64 array, finite and inside the range; else an error that names it."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "iuf":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must hold real numbers, got {value!r}") from None
    inside = np.isfinite(array)
    wanted = ["finite"]
    for sign, limit, test in (
        (">", above, np.greater),
        (">=", at_least, np.greater_equal),
        ("<", below, np.less),
    ):
        if limit is not None:
            inside &= test(array, limit)
            wanted.append(f"{sign} {limit:g}")
    if not inside.all():
        offender = array[~inside].flat[0]
        raise ValueError(f"{name} must be {' and '.join(wanted)}, got {offender}")
    return array


def ratio_of(spread: ArrayLike, temperature: ArrayLike) -> Array:
    """The spread in units of the temperature, delta / theta."""
    return real("spread", spread, at_least=0) / real("temperature", temperature, above=0)
