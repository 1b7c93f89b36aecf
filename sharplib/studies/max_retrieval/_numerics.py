"""How the study computes: in float32, and on a CPU in one thread without denormal numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import torch

__all__ = ["NUMERICS", "careful"]

NUMERICS = MappingProxyType({"precision": "float32", "cpu_threads": 1})


@contextmanager
def careful() -> Iterator[None]:
    """One thread, so that sums are added in one order; and no denormal numbers.

    After some thousand steps Adam's averages for dead inputs become denormal, which costs most of
    the speed of a CPU and changes nothing.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)
