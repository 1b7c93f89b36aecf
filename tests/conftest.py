"""The array libraries that every function is tried on."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # There is a process for each core; threads on top would wait for one another. Read by NumPy
    # and torch when they are loaded, and by every process that a test starts.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import dataclass
from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch

if not torch.cuda.is_available():
    # Before anything imports Triton: its kernels then run on the CPU, in NumPy.
    os.environ["TRITON_INTERPRET"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshots",
        action="store_true",
        help="keep pictures of every page of the book, in each look, in _build/screenshots",
    )


@dataclass(frozen=True)
class Library:
    """One array library at one precision."""

    name: str
    precision: str

    @property
    def eps(self) -> float:
        """Half the distance from 1 to the next number, the rounding error of one result."""
        return {"float16": 2**-11, "bfloat16": 2**-8, "float32": 2**-24, "float64": 2**-53}[
            self.precision
        ]

    @property
    def work_eps(self) -> float:
        """The rounding error of the precision that work is done in: float32 or better."""
        return 2**-53 if self.precision == "float64" else 2**-24

    @property
    def dtype(self) -> Any:
        module = {"numpy": np, "torch": torch, "strict": array_api_strict}[self.name]
        return getattr(module, self.precision)

    def array(self, values: Any) -> Any:
        """Values in this library; NumPy's are read-only, so that a change in place is an error."""
        values = np.array(values, dtype=np.float64)
        if self.name == "torch":
            return torch.tensor(values).to(self.dtype)
        if self.name == "strict":
            return array_api_strict.asarray(values, dtype=self.dtype)
        values = values.astype(self.dtype)
        values.setflags(write=False)
        return values

    def numpy(self, result: Any) -> np.ndarray:
        """A result as float64, after checking that it kept library and precision."""
        assert result.dtype == self.dtype
        if self.name == "torch":
            assert isinstance(result, torch.Tensor)
            return result.detach().double().numpy()
        if self.name == "strict":
            assert isinstance(result, type(array_api_strict.asarray(0.0)))
            return np.asarray(result, dtype=np.float64)
        assert isinstance(result, np.ndarray | np.floating)
        return np.asarray(result, dtype=np.float64)


LIBRARIES = [
    *(Library("numpy", p) for p in ("float16", "float32", "float64")),
    *(Library("torch", p) for p in ("float16", "bfloat16", "float32", "float64")),
    *(Library("strict", p) for p in ("float32", "float64")),
]


@pytest.fixture(params=LIBRARIES, ids=lambda lib: f"{lib.name}-{lib.precision}")
def library(request: pytest.FixtureRequest) -> Library:
    return request.param


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2410_01104)
