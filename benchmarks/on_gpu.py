"""How fast every mapping is on a GPU, as it comes and compiled, beside torch.softmax.

Times are medians of the GPU's own clock, its cache emptied before each call. The floor is a copy of
as many bytes as must move, as in ``mappings.py``.

    python benchmarks/on_gpu.py [names]

``DEVICE=cpu`` tries the script where there is no GPU; that measures nothing and keeps nothing.
"""

import os
import sys
from collections.abc import Callable

import pandas as pd
import torch
from _measure import keep, seconds
from mappings import Map, maps, softmax
from torch import Tensor

SHAPES = ((4096, 512), (1024, 4096), (4096, 32768))
DTYPES = (torch.float32, torch.bfloat16)
#: How many times a softmax the maps with kernels may take, forward and backward, float32.
GOAL = 1.3
KERNELS = ("sparsemax", "entmax15", "entmax")

Clock = Callable[[Callable[[], object]], float]


def clock_of(device: str) -> Clock:
    """What gives the seconds that some work takes on a device."""
    if device == "cpu":
        return lambda work: seconds(work, repeats=1)
    from triton.testing import do_bench

    return lambda work: do_bench(work, return_mode="median") / 1000


def timed(clock: Clock, mapping: Map, x: Tensor, grad: Tensor) -> tuple[float, float]:
    """Seconds for the forward pass, and for both."""
    return clock(lambda: mapping(x)), clock(lambda: torch.autograd.grad(mapping(x), x, grad))


def ratios(clock: Clock, ways: dict[str, Map], x: Tensor, grad: Tensor) -> dict[str, list[float]]:
    """Forward, and forward and backward: over softmax and over the floor."""
    source, target = x.detach(), torch.empty_like(x)
    copy = clock(lambda: target.copy_(source))
    soft, floor = timed(clock, softmax, x, grad), (copy, 2.5 * copy)
    found = {}
    for name, mapping in ways.items():
        torch.compiler.reset()
        own = timed(clock, mapping, x, grad)
        found[name] = [round(own[i] / other[i], 2) for other in (soft, floor) for i in (0, 1)]
        print(name, tuple(x.shape), x.dtype, *found[name], flush=True)
    return found


def main() -> None:
    """Time all, print the table and keep it."""
    device = os.environ.get("DEVICE", "cuda")
    if device == "cuda" and not torch.cuda.is_available():
        print("No GPU: nothing to measure.")
        return
    clock = clock_of(device)
    chosen = {name: f for name, f in maps().items() if not sys.argv[1:] or name in sys.argv[1:]}
    rows = []
    for dtype in DTYPES:
        ways = dict(chosen)
        if dtype == torch.float32:
            ways |= {f"{name}, compiled": torch.compile(f) for name, f in chosen.items()}
        for shape in SHAPES:
            torch.manual_seed(0)
            x = torch.randn(shape, device=device, dtype=dtype).requires_grad_()
            found = ratios(clock, ways, x, torch.randn_like(x))
            labels = str(dtype).removeprefix("torch."), "x".join(map(str, shape))
            rows += [[name, *labels, *numbers] for name, numbers in found.items()]
    columns = ["forward / softmax", "both / softmax", "forward / floor", "both / floor"]
    table = pd.DataFrame(rows, columns=["map", "precision", "shape", *columns])
    asked = table["map"].isin(KERNELS) & (table["precision"] == "float32")
    missed = table[asked & (table["both / softmax"] > GOAL)]
    if device == "cuda":
        keep(
            "on_gpu" if not sys.argv[1:] else "on_gpu-part",
            table,
            goal=GOAL,
            goals_missed=[f"{row['map']}, {row['shape']}" for _, row in missed.iterrows()],
        )


if __name__ == "__main__":
    main()
