"""Fast versions of the mappings on the CPU, a row at a time, where Numba is installed.

Nothing here has to be called. The extra ``fast`` makes large NumPy arrays and torch tensors on the
CPU go through compiled loops, which keep a row in the cache from the first step to the last.

What they take
    float32 and float64, from 16,384 items. Half precision is worked on in float32, as always.

What they leave
    Small arrays; rows of float64 of more than 65,536 items; other devices and libraries; whatever
    torch traces or transforms, as in ``torch.compile``, in ``torch.func`` and in a backward pass
    that is itself differentiated. These go through the plain text of the mapping, which is the
    specification. So do single rows that hold NaN or ``+inf`` or are masked throughout.

What they promise
    Values and gradients as close to the exact ones as those of the plain text, but for a few
    roundings of the largest number of the row. A row comes out the same to the last bit whatever
    rows are beside it and on however many threads.

Threads
    As many as ``torch.get_num_threads()`` says, and the very threads of torch where that can be;
    without torch, as many as Numba would use.

The first call
    Loops come as text, so that there is nothing to build for each processor and system. The first
    call on a machine compiles those that it needs, forward and backward, in two to nine seconds.
    They are kept on disk beside the library, or where ``NUMBA_CACHE_DIR`` says, and from then on
    the first call in a process takes less than a second, for loading Numba.

How to switch them off
    ``SHARPLIB_KERNELS=0`` in the environment. ``SHARPLIB_KERNELS=always`` makes them take small
    arrays too.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

__all__: list[str] = []

if os.environ.get("SHARPLIB_KERNELS") != "0" and find_spec("numba"):
    from sharplib.kernels import _rules

    _rules.register(
        smallest=0 if os.environ.get("SHARPLIB_KERNELS") == "always" else _rules.WORTH_IT
    )
