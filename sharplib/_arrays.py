"""What every function asks of its input: which array library, which axis, which precision.

Errors name the argument and its value. torch is recognised only if somebody else has imported it,
so that `import sharplib` stays quick and needs NumPy alone.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import Any, NamedTuple

import array_api_compat
import numpy as np


def is_torch(x: Any) -> bool:
    """Whether x is a torch tensor."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def namespace(x: Any) -> Any:
    """The array API namespace of x."""
    if is_torch(x):  # spares torch.compile the cached look-up of array_api_compat
        from array_api_compat import torch as torch_namespace

        return torch_namespace
    return array_api_compat.array_namespace(x)


def as_array(x: Any, name: str) -> Any:
    """x as a real floating-point array of its own library; nested sequences become NumPy."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array; put -inf where its mask is set")
    if isinstance(x, list | tuple | float | int):
        try:
            x = np.asarray(x)
        except ValueError:
            raise ValueError(f"{name} must be rows of one length, got {x!r}") from None
    if not (is_torch(x) or array_api_compat.is_array_api_obj(x)):
        raise TypeError(f"{name} must be an array or a tensor, got {type(x).__name__}")
    if not namespace(x).isdtype(x.dtype, "real floating"):
        raise TypeError(f"{name} must hold real floating-point numbers, got dtype {x.dtype}")
    return x


class Rows(NamedTuple):
    """Scores ready for work: at least float32, with the axis as an index from 0."""

    xp: Any
    values: Any
    axis: int
    dtype: Any

    def restore(self, result: Any) -> Any:
        """The result in the precision that the caller gave."""
        return self.xp.astype(result, self.dtype, copy=False)


def rows(x: Any, axis: int, name: str = "x") -> Rows:
    """Check an argument and its axis, and raise half precision to float32."""
    x = as_array(x, name)
    try:
        index = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis must be an integer, got {axis!r}") from None
    if not -x.ndim <= index < x.ndim:
        raise np.exceptions.AxisError(
            f"axis must lie in [-{x.ndim}, {x.ndim}) for {name} of {x.ndim} dimensions, got {axis}"
        )
    xp = namespace(x)
    half = xp.finfo(x.dtype).bits < 32
    return Rows(xp, xp.astype(x, xp.float32, copy=False) if half else x, index % x.ndim, x.dtype)


def per_row(value: Any, name: str, like: Rows, *, minimum: float, strict: bool) -> Any:
    """A parameter that is one number, or one number for each row.

    A number is checked and returned as a float. An array must broadcast against the rows with
    length 1 along the axis; it comes back in the rows' precision and with that shape. Its values
    are checked where they can be read without waiting for an accelerator.
    """
    bound = f"{'>' if strict else '>='} {minimum:g} and finite"
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a number {bound}, got {value!r}")
    if isinstance(value, int | float | np.number) and not isinstance(value, np.complexfloating):
        number = float(value)
        good = number > minimum if strict else number >= minimum
        if not (good and math.isfinite(number)):
            raise ValueError(f"{name} must be {bound}, got {value!r}")
        most = float(like.xp.finfo(like.values.dtype).max)
        return min(max(number, -most), most)  # as close to it as the rows' precision can tell
    value = as_array(value, name)
    xp = like.xp
    if namespace(value) is not xp:
        raise TypeError(f"{name} must be a number or the same kind of array as x")
    shape = tuple(1 if i == like.axis else n for i, n in enumerate(like.values.shape))
    try:
        value = xp.broadcast_to(xp.astype(value, like.values.dtype, copy=False), shape)
    except (RuntimeError, ValueError):
        raise ValueError(
            f"{name} must be one number or broadcast to one per row, shape {shape}, "
            f"got shape {tuple(value.shape)}"
        ) from None
    bad = ~((value > minimum if strict else value >= minimum) & xp.isfinite(value))
    if readable(value) and bool(xp.any(bad)):
        raise ValueError(f"{name} must be {bound} in every row, got {value[bad][0]}")
    return value


def readable(value: Any) -> bool:
    """Whether a value can be looked at now: not traced, not batched, not on an accelerator."""
    return not is_torch(value) or (value.device.type == "cpu" and not _followed(value))


def finished(settled: Any) -> bool:
    """Whether an iteration may end: every row has settled, and that can be seen.

    On a GPU too, where looking means waiting, but for less than the steps that it spares. Not
    while a GPU records the steps, to repeat them with other numbers.
    """
    if not is_torch(settled):
        return bool(namespace(settled).all(settled))
    import torch

    device = settled.device.type
    recorded = device == "cuda" and torch.cuda.is_current_stream_capturing()
    seen = device in ("cpu", "cuda") and not recorded and not _followed(settled)
    return seen and bool(settled.all())


def _followed(value: Any) -> bool:
    """Whether torch traces or batches what is done with a tensor, or it has a shape alone."""
    import torch

    return bool(
        torch.compiler.is_compiling()
        or torch._C._functorch.is_functorch_wrapped_tensor(value)
        or isinstance(value, torch._subclasses.FakeTensor)
    )


def scalar(value: float, like: Any) -> Any:
    """A number as a zero-dimensional array beside `like`."""
    return namespace(like).full((), value, dtype=like.dtype, device=_device(like))


def widest(like: Any) -> Any:
    """float64, or float32 on a device that has nothing wider."""
    xp = namespace(like)
    return xp.float32 if getattr(_device(like), "type", None) == "mps" else xp.float64


def _device(x: Any) -> Any:
    """Where x lives. NumPy 1.26 arrays do not say, and need not."""
    return getattr(x, "device", None)
