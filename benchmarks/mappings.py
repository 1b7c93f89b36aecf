"""How fast every mapping is, and how much memory it takes, beside torch.softmax and entmax 1.3.

A map and `torch.softmax` take turns on the same scores, twice each, and what counts is the best
time of either: whatever else the machine does can only add. Freed memory stays with the process.
Otherwise a large array may be given back and asked for again page by page, which takes ten times as
long as a softmax and happens to one of the two and not to the other. Softmax gains most from that.

The floor is the time in which the machine can copy as many bytes as must move: scores in and
weights out, and for the backward pass weights and gradient in and a gradient out. Memory is the
peak above scores, weights and both gradients, in tensors of their size.

    python benchmarks/mappings.py [names]
"""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from _measure import keep
from joblib.externals.loky import ProcessPoolExecutor
from torch import Tensor

import sharplib

THREADS = 2
SHAPES = ((4096, 512), (1024, 4096), (64, 65536), (1, 10_000_000))
#: Turns go on for so long, for every map, shape and precision.
SECONDS = 0.5
DTYPES = (torch.float32, torch.bfloat16)

#: How many times a softmax a map may take, forward and backward, float32, on the first three.
GOALS = {"sparsemax": 2, "entmax15": 2, "adaptive_softmax": 3, "entropy_matched_softmax": 8}
ALPHAS = (1.05, 1.25, 4 / 3, 3.0)

Map = Callable[[Tensor], Tensor]


def maps() -> dict[str, Map]:
    """Every mapping of the catalogue, and entmax at more alphas."""
    more = {f"entmax, alpha {alpha:.4g}": partial(sharplib.entmax, alpha=alpha) for alpha in ALPHAS}
    return dict(sharplib.CATALOGUE) | more


def goal(name: str) -> float:
    return 8 if name.startswith("entmax,") or name == "entmax" else GOALS.get(name, 6)


def peers() -> dict[str, Map]:
    """The functions of entmax 1.3, if it is installed."""
    try:
        import entmax
    except ImportError:
        return {}
    return {
        "entmax 1.3: sparsemax": entmax.sparsemax,
        "entmax 1.3: entmax15": entmax.entmax15,
        "entmax 1.3: entmax_bisect, alpha 1.333": partial(entmax.entmax_bisect, alpha=4 / 3),
        "entmax 1.3: normmax_bisect": entmax.normmax_bisect,
        "entmax 1.3: budget_bisect": entmax.budget_bisect,
    }


def softmax(x: Tensor) -> Tensor:
    return torch.softmax(x, -1)


def timed(function: Map, x: Tensor, grad: Tensor) -> tuple[float, float]:
    """Seconds for the forward pass, and for both."""
    start = time.perf_counter()
    y = function(x)
    middle = time.perf_counter()
    torch.autograd.grad(y, x, grad)
    return middle - start, time.perf_counter() - start


def copied(x: Tensor, target: Tensor) -> tuple[float, float]:
    """Seconds to read and write one tensor, and to read two and write one more."""
    start = time.perf_counter()
    target.copy_(x)
    one = time.perf_counter() - start
    return one, 2.5 * one


def ratios(function: Map, x: Tensor, grad: Tensor) -> list[float]:
    """Forward, and forward and backward: over softmax and over the floor."""
    values, target = x.detach(), torch.empty_like(x)
    workers = [
        lambda: timed(softmax, x, grad),
        lambda: timed(function, x, grad),
        lambda: copied(values, target),
    ]
    found: list[list[tuple[float, float]]] = [[], [], []]
    timed(function, x, grad)  # compiles what it needs
    end = time.perf_counter() + SECONDS
    while not found[0] or time.perf_counter() < end:
        for worker, times in zip(workers, found, strict=True):
            times += [worker(), worker()]
    soft, own, floor = ([min(half) for half in zip(*times, strict=True)] for times in found)
    return [own[half] / other[half] for other in (soft, floor) for half in (0, 1)]


def keep_memory() -> None:
    """Let the C library keep what is freed, for any size; there is one that can."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD


def extra_memory(name: str, shape: tuple[int, int]) -> float:
    """Peak memory above scores, weights and both gradients, in tensors; in a process of its own."""
    peak = Path("/proc/self/clear_refs")
    if not peak.exists():
        return float("nan")
    libc = ctypes.CDLL(None)
    libc.mallopt(-3, 1 << 16)  # every array its own mapping, given back when it is freed
    torch.set_num_threads(THREADS)
    function = ({"torch.softmax": softmax} | maps() | peers())[name]
    torch.manual_seed(0)
    x, grad = torch.randn(shape, requires_grad=True), torch.randn(shape)
    small = torch.randn((256, 4096), requires_grad=True)
    timed(function, small, torch.randn_like(small))

    def status(field: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

    gc.collect()
    libc.malloc_trim(0)
    peak.write_text("5")
    before = status("VmRSS")
    y = function(x)
    (by_x,) = torch.autograd.grad(y, x, grad)
    size = x.element_size() * x.numel()
    del y, by_x
    return max((status("VmHWM") - before) / size - 2, 0.0)


def main() -> None:
    """Time all, print the table and keep it."""
    torch.set_num_threads(THREADS)
    keep_memory()
    chosen = {name: f for name, f in maps().items() if not sys.argv[1:] or name in sys.argv[1:]}
    others = peers() if not sys.argv[1:] else {}
    rows = []
    for dtype in DTYPES:
        for shape in SHAPES:
            torch.manual_seed(0)
            x = torch.randn(shape).to(dtype).requires_grad_()
            grad = torch.randn(shape).to(dtype)
            every = {"torch.softmax": softmax} | chosen
            if dtype == torch.float32:
                every |= others
            for name, function in every.items():
                rows.append(
                    [
                        name,
                        str(dtype).removeprefix("torch."),
                        "x".join(map(str, shape)),
                        *(round(ratio, 2) for ratio in ratios(function, x, grad)),
                    ]
                )
                print(*rows[-1], flush=True)
    columns = ["forward / softmax", "both / softmax", "forward / floor", "both / floor"]
    table = pd.DataFrame(rows, columns=["map", "precision", "shape", *columns])
    names = list(table["map"].unique())
    with ProcessPoolExecutor(1) as pool:
        memory = {name: pool.submit(extra_memory, name, (64, 65536)).result() for name in names}
    asked = (
        (table["precision"] == "float32")
        & (table["shape"] != "x".join(map(str, (1, 10_000_000))))
        & table["map"].isin(list(chosen))
    )
    table["goal"] = [goal(name) if a else None for name, a in zip(table["map"], asked, strict=True)]
    at = (table["precision"] == "float32") & (table["shape"] == "64x65536")
    table["extra tensors"] = [
        round(memory[name], 1) if here else None
        for name, here in zip(table["map"], at, strict=True)
    ]
    missed = table[table["both / softmax"] > table["goal"]]
    keep(
        "mappings" if not sys.argv[1:] else "mappings-part",
        table,
        threads=THREADS,
        seconds_for_each=SECONDS,
        scores="independent standard normal",
        ratios="of the best times, taken in turns; freed memory stays with the process",
        goals_missed=[f"{row['map']}, {row['shape']}" for _, row in missed.iterrows()],
    )


if __name__ == "__main__":
    main()
