"""Fast versions of the mappings on the CPU, a row at a time, where Numba is installed.

Nothing here has to be called. ``pip install sharplib[fast]`` makes large NumPy arrays and torch
tensors on the CPU go this way, with the same results to rounding; what does not qualify, and
anything that torch traces, goes through the plain text of the mapping, which is the specification.
The first call of a mapping compiles it, in a second or two; the result is kept on disk.

``SHARPLIB_KERNELS=0`` in the environment switches all of it off, and ``SHARPLIB_KERNELS=always``
takes the fast way for small arrays too.
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
