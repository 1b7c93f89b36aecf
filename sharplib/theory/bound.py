"""The form of a bound: what it says, where it is to be tried, and where it is attained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array


@dataclass(frozen=True)
class Bound:
    """A proved inequality between a measured quantity and a computed value.

    A case is whatever `quantity` and `value` understand: a row of scores, a head, a transformer
    with its input. `sample` draws one at random; at `attain()` the two sides meet, within 1 %.
    """

    name: str
    label: str
    statement: sympy.Basic
    kind: Literal["upper", "lower"]
    quantity: Callable[[Any], ArrayLike]
    value: Callable[[Any], ArrayLike]
    sample: Callable[[np.random.Generator], Any]
    attain: Callable[[], Any]

    def slack(self, case: Any, tighten: float = 0.0) -> Array:
        """How far the quantity is inside the bound, or inside one that is tighter by a share.

        Negative where the bound is broken. `tighten` = 0.01 multiplies the value of an upper bound
        by 0.99 and that of a lower bound by 1.01; both are made for positive values.
        """
        quantity, value = np.asarray(self.quantity(case)), np.asarray(self.value(case))
        if self.kind == "upper":
            return value * (1 - tighten) - quantity
        return quantity - value * (1 + tighten)
