"""Fast versions of the mappings: compiled loops on the CPU, kernels on a GPU.

Nothing here has to be called. Large arrays take this way where the packages are there: Numba for
the CPU, from the extra ``fast``; Triton for a GPU, which comes with torch on Linux.

On the CPU
    Every mapping with work worth saving, for NumPy arrays and torch tensors. A row stays in the
    cache from the first step to the last. What is taken: float32 and float64, from 16,384 items.
    Half precision is worked on in float32, as always.

On a GPU
    Sparsemax, 1.5-entmax, and entmax for alphas up to 2, in rows of float32 of up to 32,768 items.
    A row stays in registers. The kernels are tested in Triton's interpreter, and compiled for
    NVIDIA's Ampere and Hopper and AMD's MI300; nobody has run or timed them on a GPU yet. The
    gradient of entmax in its alpha is plain text.

What they leave
    Small arrays on the CPU; rows of float64 of more than 65,536 items; other devices and libraries;
    whatever torch traces or transforms, as in ``torch.func``, in a backward pass that is itself
    differentiated and, but for the weights of maps that iterate, in ``torch.compile``. These go
    through the plain text of the mapping, which is the specification. So do single rows on the CPU
    that hold NaN or ``+inf`` or are masked throughout.

What they promise
    Values and gradients as close to the exact ones as those of the plain text, but for a few
    roundings of the largest number of the row. A GPU works in float32 alone: there, a gradient is
    that at the weights which came out. A row comes out the same to the last bit whatever rows are
    beside it and, on the CPU, on however many threads.

Threads
    As many as ``torch.get_num_threads()`` says, and the very threads of torch where that can be;
    without torch, as many as Numba would use.

The first call
    Loops and kernels come as text, so that there is nothing to build for each processor and system.
    The first call on a machine compiles those that it needs, forward and backward: loops in two to
    nine seconds, kernels in about one. Loops are kept on disk beside the library, or where
    ``NUMBA_CACHE_DIR`` says, and from then on the first call in a process takes less than a second,
    for loading Numba. Triton keeps what it compiles too.

How to switch them off
    ``SHARPLIB_KERNELS=0`` in the environment. ``SHARPLIB_KERNELS=always`` makes the CPU take small
    arrays too.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

__all__: list[str] = []

_wanted = os.environ.get("SHARPLIB_KERNELS")

if _wanted != "0" and find_spec("numba"):
    from sharplib.kernels import _rules

    _rules.register(smallest=0 if _wanted == "always" else _rules.WORTH_IT)

if _wanted != "0" and find_spec("triton"):
    from sharplib.kernels import _gpu

    _gpu.register()
