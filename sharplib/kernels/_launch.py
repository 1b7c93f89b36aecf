"""From arrays to rows, and back: what a loop is given, on which threads, and who does the rest."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from sharplib._arrays import is_torch

# Fewer items than this for each thread are not worth the thread.
_ITEMS_PER_THREAD = 1 << 15


def launch(
    loop: Callable[..., None],
    kinds: str,
    arrays: tuple[Any, ...],
    axis: int,
    plain: Callable[..., tuple[Any, ...]],
    *settings: Any,
) -> tuple[Any, ...]:
    """Run a loop over the rows of some arrays.

    Parameters
    ----------
    loop
        One of `_loops`.
    kinds
        What its arguments are, and after ``>`` its results: ``m`` a matrix of rows, ``r`` one
        number for each row, ``v`` a vector that all rows share. A result ``r`` has the precision of
        the first argument ``r``, a result ``s`` that of the scores, a result ``w`` float64.
    arrays
        The arguments; the first is the scores, or weights in their place.
    plain
        The plain text, called with the arguments as rows along axis 1, for the rows that the loop
        leaves out.
    """
    takes, _, gives = kinds.partition(">")
    like = arrays[0]
    lead = tuple(size for i, size in enumerate(like.shape) if i != axis)
    count, length = math.prod(lead), like.shape[axis]
    inputs = [
        _matrix(array, axis, count, length)
        if kind == "m"
        else _numbers(array, axis, (*lead, 1) if kind == "r" else array.shape)
        for kind, array in zip(takes, arrays, strict=True)
    ]
    results: list[Any] = []
    for kind in gives:
        if kind == "m":
            results.append(_empty(like, (count, length)))
        else:
            results.append(np.empty((count, 2 * inputs[1].size) if kind == "k" else count))
    odd = np.zeros(count, bool)
    _share_out(loop, count, length, (*map(_writable, [*inputs, *results]), odd), settings)

    left = np.flatnonzero(odd)
    if left.size:
        rest = [
            array
            if kind == "v" or array.ndim == 0
            else _as_rows(array, axis, count, length if kind == "m" else 1)[left]
            for kind, array in zip(takes, arrays, strict=True)
        ]
        for result, part in zip(results, plain(*rest), strict=True):
            result[left] = part if result.ndim == 2 else part[:, 0]
    parameter = arrays[takes.index("r")].dtype if "r" in takes else like.dtype
    dtypes = {"m": like.dtype, "s": like.dtype, "r": parameter, "w": _wide(like)}
    return tuple(
        result.sum(0) if kind == "k" else _back(result, lead, axis, like, dtypes[kind])
        for kind, result in zip(gives, results, strict=True)
    )


def _wide(like: Any) -> Any:
    if is_torch(like):
        import torch

        return torch.float64
    return np.dtype(np.float64)


def _as_rows(array: Any, axis: int, count: int, length: int) -> Any:
    """An array as (count, length), in its own library and precision."""
    if is_torch(array):
        return array.detach().movedim(axis, -1).reshape(count, length)
    return np.moveaxis(array, axis, -1).reshape(count, length)


def _matrix(array: Any, axis: int, count: int, length: int) -> Any:
    array = _as_rows(array, axis, count, length)
    return array.contiguous().numpy() if is_torch(array) else np.ascontiguousarray(array)


def _numbers(array: Any, axis: int, shape: tuple[int, ...]) -> Any:
    """One float64 number for each row."""
    if is_torch(array):
        array = array.detach().movedim(axis, -1) if array.ndim == len(shape) > 1 else array.detach()
        array = array.double().numpy()
    elif array.ndim == len(shape) > 1:
        array = np.moveaxis(array, axis, -1)
    return np.ascontiguousarray(np.broadcast_to(array, shape), np.float64).reshape(-1)


def _empty(like: Any, shape: tuple[int, int]) -> Any:
    """A result where torch, or NumPy, would put it."""
    if is_torch(like):
        import torch

        return torch.empty(shape, dtype=like.dtype, device="cpu")
    return np.empty(shape, like.dtype)


def _writable(array: Any) -> np.ndarray:
    """An array that Numba takes for writable, so that there is one compiled loop and not two.

    Loops do not write to their arguments.
    """
    if is_torch(array):
        return array.numpy()
    if array.flags.writeable:
        return array

    class Alias:
        __array_interface__ = array.__array_interface__ | {"data": (array.ctypes.data, False)}
        owner = array

    return np.asarray(Alias())


def _back(result: Any, lead: tuple[int, ...], axis: int, like: Any, dtype: Any) -> Any:
    """A result in the shape, the library and the precision that the plain text would give it."""
    if is_torch(like):
        import torch

        result = torch.as_tensor(result, dtype=dtype, device="cpu")
        return result.reshape(*lead, -1 if result.ndim == 2 else 1).movedim(-1, axis)
    length = result.shape[1] if result.ndim == 2 else 1
    return np.moveaxis(result.astype(dtype, copy=False).reshape(*lead, length), -1, axis)


def _share_out(
    loop: Callable[..., None],
    count: int,
    length: int,
    arrays: tuple[Any, ...],
    settings: tuple[Any, ...],
) -> None:
    """Give each thread its share of the rows, and wait for all."""
    parts = min(_threads(), count, max(1, count * length // _ITEMS_PER_THREAD))
    ends = [count * part // parts for part in range(parts + 1)]
    shares = iter(tuple(pairwise(ends)))
    errors: list[BaseException] = []

    def work(_: object = None) -> None:
        try:
            for start, stop in shares:
                loop(*arrays, start, stop, *settings)
        except BaseException as error:  # raised again by the caller, below
            errors.append(error)

    _team()(work, parts)
    if errors:
        raise errors[0]


def _team() -> Callable[[Callable[..., None], int], None]:
    """What calls a function once on each of so many threads, the caller's among them.

    The threads of torch where they can be had: after each operation of torch these spin for some
    milliseconds, and other threads would have to share the cores with them.
    """
    if "torch" in sys.modules and os.getpid() == _HOME:
        return _team_of_torch() or _team_of_python
    return _team_of_python


# OpenMP's threads do not survive a fork, and it does not notice.
_HOME = os.getpid()


@cache
def _team_of_torch() -> Callable[[Callable[..., None], int], None] | None:
    """The OpenMP library that torch is linked to, by the entry that compilers use."""
    import torch

    try:
        parallel = ctypes.CDLL(torch._C.__file__).GOMP_parallel
    except (AttributeError, OSError):
        return None
    signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    parallel.argtypes = [signature, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    parallel.restype = None

    def run(work: Callable[..., None], threads: int) -> None:
        if threads == 1:
            work()
        else:
            parallel(signature(work), None, threads, 0)

    return run


def _team_of_python(work: Callable[..., None], threads: int) -> None:
    others = [_pool(os.getpid(), threads).submit(work) for _ in range(threads - 1)]
    work()
    for other in others:
        other.result()


def _threads() -> int:
    """As many as torch uses, or as Numba would."""
    torch = sys.modules.get("torch")
    if torch is not None:
        return torch.get_num_threads()
    from numba import config

    return int(vars(config)["NUMBA_NUM_THREADS"])


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """One for each process, since threads do not survive a fork."""
    return ThreadPoolExecutor(threads - 1, "sharplib")
