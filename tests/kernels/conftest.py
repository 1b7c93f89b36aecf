"""The fast way for arrays of any size, or for none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from sharplib._autograd import FASTER
from sharplib.kernels import _gpu, _rules


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops wherever they apply."""
    for name in _rules.RULES:
        monkeypatch.setitem(FASTER, name, (_rules.faster(name, smallest=0),))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> str:
    """Kernels for a GPU, and where a tensor must be for them: without one, Triton interprets."""
    for name in _gpu.RULES:
        monkeypatch.setitem(FASTER, name, (_gpu.faster(name),))
    if torch.cuda.is_available():
        return "cuda"
    monkeypatch.setattr(_gpu, "DEVICE", "cpu")
    monkeypatch.setattr(_gpu, "_able", lambda device: True)
    return "cpu"


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Any]:
    """Call something with the plain text alone."""

    def run(work: Callable[[], Any]) -> Any:
        with monkeypatch.context() as patch:
            for name in list(FASTER):
                patch.delitem(FASTER, name)
            return work()

    return run


ROWS = [
    "normal", "nearly flat", "scattered", "flat", "ties", "offset 1e6", "offset -1e6",
    "crowded", "half masked", "one left", "masked throughout", "+inf", "NaN", "subnormal",
    "largest",
]  # fmt: skip


@pytest.fixture
def kinds() -> list[str]:
    """What the rows of `scores` are."""
    return ROWS


@pytest.fixture
def scores(rng: np.random.Generator) -> Callable[[int], np.ndarray]:
    """One row of every kind, of n scores."""
    return lambda n: _scores(n, rng)


def _scores(n: int, rng: np.random.Generator) -> np.ndarray:
    x = rng.standard_normal((len(ROWS), n))
    x[ROWS.index("nearly flat")] *= 1e-3
    x[ROWS.index("scattered")] *= 30
    x[ROWS.index("flat")] = 0
    x[ROWS.index("ties")] = np.round(x[ROWS.index("ties")])
    x[ROWS.index("offset 1e6")] += 1e6
    x[ROWS.index("offset -1e6")] -= 1e6
    # Next to each other, and a 16th of the row apart: where loops look for candidates together.
    x[ROWS.index("crowded"), n // 3 : n // 2] += 3
    x[ROWS.index("crowded"), :: max(n // 16, 1)] += 3
    x[ROWS.index("half masked"), 1::2] = -np.inf
    x[ROWS.index("one left"), 1:] = -np.inf
    x[ROWS.index("masked throughout")] = -np.inf
    x[ROWS.index("+inf"), 0] = np.inf
    x[ROWS.index("NaN"), n // 2] = np.nan
    x[ROWS.index("subnormal")] = np.round(x[ROWS.index("subnormal")]) * 1e-44
    x[ROWS.index("largest")] = np.sign(x[ROWS.index("largest")]) * 3e38
    return x
