"""Which rules Triton does on a GPU, for which tensors, and how they become rows."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

from sharplib._arrays import finished, is_torch
from sharplib._autograd import FASTER, Arrays, ClosedForm, Faster
from sharplib.kernels._tensors import mere_numbers, second_order

#: A longer row does not fit into the registers of one multiprocessor.
LONGEST = 1 << 15
DEVICE = "cuda"

Settings = dict[str, Any]


class Half(NamedTuple):
    """The value or the vector-Jacobian product of a rule."""

    #: The kernel, by its name in `_triton`.
    kernel: str
    #: What it takes, and after ``>`` what it gives: ``m`` a matrix of rows, ``r`` one number for
    #: each row, in the precision of the first such argument; ``-`` where there is no gradient.
    kinds: str


RULES: dict[str, tuple[Half, Half | None]] = {
    "sparsemax": (Half("sparsemax", "m>m"), Half("sparsemax_vjp", "mm>m")),
    "entmax15": (Half("entmax15", "m>m"), Half("entmax15_vjp", "mm>m")),
    "entmax": (Half("entmax", "mr>mr"), Half("entmax_vjp", "mrm>m-")),
    "learned_entmax": (Half("entmax", "mr>mr"), None),
}


def register() -> None:
    """Offer all kernels."""
    for name in RULES:
        FASTER[name] = (*FASTER.get(name, ()), faster(name))


def faster(name: str) -> Faster:
    """The kernels of a rule."""
    forward, backward = RULES[name]

    def value(rule: ClosedForm, arrays: Arrays, settings: Settings) -> Arrays | None:
        return _run(forward, arrays, settings["axis"])

    def vjp(rule: ClosedForm, saved: Arrays, grads: Arrays, settings: Settings) -> Arrays | None:
        if backward is None or second_order(saved[0]):
            return None
        # The second output of a rule, the size of the support, has no gradient.
        return _run(backward, (*saved, grads[0]), settings["axis"])

    return Faster(value, vjp)


def _run(half: Half, arrays: Arrays, axis: int) -> Arrays | None:
    return launch(half, arrays, axis) if _qualify(half, arrays, axis) else None


def launch(half: Half, arrays: Arrays, axis: int) -> Arrays:
    """Run a kernel over the rows of some tensors."""
    import torch

    takes, _, gives = half.kinds.partition(">")
    like = arrays[0]
    n = like.shape[axis]
    lead = tuple(size for i, size in enumerate(like.shape) if i != axis)
    count = math.prod(lead)
    inputs = [
        array.detach().movedim(axis, -1).expand(*lead, n if kind == "m" else 1).contiguous()
        for kind, array in zip(takes, arrays, strict=True)
    ]
    results = [
        torch.empty_like(inputs[0 if kind == "m" else takes.index("r")])
        for kind in gives.rstrip("-")
    ]
    block = 1 << max(n - 1, 15).bit_length()
    widest = 16 if torch.version.hip else 32  # warps that make 1,024 threads
    with torch.cuda.device_of(like):
        getattr(_kernels(), half.kernel)[(count,)](
            *inputs, *results, n, BLOCK=block, num_warps=min(max(block // 512, 1), widest)
        )
    return (*(result.movedim(-1, axis) for result in results), *[None] * gives.count("-"))


@cache
def _kernels() -> Any:
    """The kernels, imported at the first call; None where this Triton cannot read them."""
    try:
        from sharplib.kernels import _triton
    except (ImportError, AttributeError):
        return None
    return _triton


def _qualify(half: Half, arrays: Arrays, axis: int) -> bool:
    """Whether arrays are float32 scores on a GPU that Triton knows, in rows that it can hold."""
    x = arrays[0]
    if not is_torch(x) or x.device.type != DEVICE:
        return False
    import torch

    return (
        x.dtype == torch.float32
        and 0 < x.shape[axis] <= LONGEST
        and x.numel() > 0
        and mere_numbers(arrays, DEVICE)
        and _able(x.device)
        and _kernels() is not None
        and ("r" not in half.kinds or _moderate(arrays[half.kinds.index("r")]))
    )


def _moderate(alpha: Any) -> bool:
    """Whether the kernels of entmax can work with such alphas."""
    return finished((alpha > 1) & (alpha <= 2))


@cache
def _able(device: Any) -> bool:
    """Whether Triton compiles for this GPU: NVIDIA's from Ampere on, or AMD's."""
    import torch

    return torch.cuda.get_device_capability(device) >= (8, 0)
