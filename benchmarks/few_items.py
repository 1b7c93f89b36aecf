"""What a call costs on few items, where Python's own time is most of it.

Microseconds for a forward and a backward pass on one thread, float32: the best of many turns. Ours
as it comes, which leaves small arrays to the plain text; ours with the loops for arrays of any
size, as with ``SHARPLIB_KERNELS=always``; the same map in entmax 1.3; and `torch.softmax`.

    python benchmarks/few_items.py
"""

import time
from functools import partial

import entmax
import pandas as pd
import torch
from _measure import keep
from mappings import Map, softmax
from torch import Tensor

import sharplib
from sharplib._autograd import FASTER
from sharplib.kernels import _rules

SHAPES = ((8, 64), (32, 10), (16, 1000))
TURNS, CALLS = 20, 50

#: Ours and the peer's.
PAIRS: dict[str, tuple[Map, Map]] = {
    "softmax": (sharplib.softmax, softmax),
    "sparsemax": (sharplib.sparsemax, entmax.sparsemax),
    "entmax15": (sharplib.entmax15, entmax.entmax15),
    "entmax, alpha 1.333": (
        partial(sharplib.entmax, alpha=4 / 3),
        partial(entmax.entmax_bisect, alpha=4 / 3),
    ),
    "normmax": (sharplib.normmax, entmax.normmax_bisect),
    "budget, k 2": (partial(sharplib.budget, k=2), partial(entmax.budget_bisect, budget=2)),
}


def microseconds(mapping: Map, x: Tensor, grad: Tensor) -> float:
    """The mean of some calls, forward and backward."""
    start = time.perf_counter()
    for _ in range(CALLS):
        torch.autograd.grad(mapping(x), x, grad)
    return (time.perf_counter() - start) / CALLS * 1e6


def main() -> None:
    """Time all in turns, print the table and keep it."""
    torch.set_num_threads(1)
    as_it_comes = dict(FASTER)
    always = {name: (_rules.faster(name, smallest=0),) for name in _rules.RULES}
    rows = []
    for shape in SHAPES:
        torch.manual_seed(0)
        x, grad = torch.randn(shape, requires_grad=True), torch.randn(shape)
        for name, (ours, peer) in PAIRS.items():
            found: dict[str, list[float]] = {}
            for _ in range(TURNS):
                for way, mapping, kernels in (
                    ("ours", ours, as_it_comes),
                    ("ours, always", ours, always),
                    ("entmax 1.3", peer, as_it_comes),
                    ("torch.softmax", softmax, as_it_comes),
                ):
                    FASTER.update(kernels)
                    found.setdefault(way, []).append(microseconds(mapping, x, grad))
            best = {way: round(min(times), 1) for way, times in found.items()}
            rows.append({"map": name, "shape": "x".join(map(str, shape)), **best})
            print(*rows[-1].values(), flush=True)
    keep("few_items", pd.DataFrame(rows), threads=1, unit="microseconds", turns=TURNS, calls=CALLS)


if __name__ == "__main__":
    main()
