"""All that decides the figures: ranges, how each unit is trained, and the sizes with names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from sharplib import arithmetic
from sharplib.arithmetic import Unit
from sharplib.studies._settings import Preset, at_least

__all__ = ["CASES", "OPERATIONS", "PRESETS", "RANGES", "UNITS", "Range", "Recipe"]
__all__ += ["Settings", "recipe"]

OPERATIONS = ("add", "sub", "mul", "div")


class Range(NamedTuple):
    """Where numbers come from in training, and in the test."""

    low: float
    high: float
    test_low: float
    test_high: float
    mirrored: bool = False
    """Whether the sign of each number of the test is a coin flip."""

    @property
    def name(self) -> str:
        """The range of the training."""
        return f"[{self.low:g}, {self.high:g}]"


RANGES: tuple[Range, ...] = (
    Range(-20, -10, -40, -20),
    Range(-2, -1, -6, -2),
    Range(-1.2, -1.1, -6.1, -1.2),
    Range(-0.2, -0.1, -2, -0.2),
    Range(-2, 2, 2, 6, mirrored=True),
    Range(0.1, 0.2, 0.2, 2),
    Range(1, 2, 2, 6),
    Range(1.1, 1.2, 1.2, 6),
    Range(10, 20, 20, 40),
)

UNITS: Mapping[str, Callable[..., Unit]] = MappingProxyType(
    {
        "NAC+": arithmetic.NACAdd,
        "NAC•": arithmetic.NACMul,
        "NAC•,σ": arithmetic.NACMulSigmoid,
        "NAC•,NMU": arithmetic.NACMulNMU,
        "NALU": arithmetic.NALU,
        "G-NALU": arithmetic.GoldenNALU,
        "SNALU": arithmetic.SNALU,
        "iNALU": arithmetic.INALU,
        "NAU": arithmetic.NAU,
        "NMU": arithmetic.NMU,
        "sigmoid NMU": arithmetic.SigmoidNMU,
        "sNMU": arithmetic.StochasticNMU,
        "batch sNMU": partial(arithmetic.StochasticNMU, noise="batch"),
        "NPU": arithmetic.NPU,
        "Real NPU": arithmetic.RealNPU,
        "modified Real NPU": arithmetic.ModifiedRealNPU,
        "NRU": arithmetic.NRU,
        "NMRU": arithmetic.NMRU,
        "MC-FC": arithmetic.MCFC,
        "MulMCFC": arithmetic.MulMCFC,
        "MulMCFC + iNALU sign": arithmetic.MulMCFCSignINALU,
        "MulMCFC + Real NPU sign": arithmetic.MulMCFCSignRealNPU,
    }
)
"""How to make each unit, by its name in the papers."""

CASES: tuple[tuple[str, str], ...] = tuple(
    (unit, operation)
    for operation in OPERATIONS
    for unit, make in UNITS.items()
    if operation in getattr(make, "func", make).operations  # type: ignore[attr-defined]
)
"""Every unit with every operation that it claims."""


@dataclass(frozen=True)
class Recipe:
    """How a unit is trained, besides Adam on the mean squared error."""

    learning_rate: float = 1e-3
    sparsity: float = 0.0
    """Weight of the unit's penalty at the end of the ramp ..."""
    ramp: tuple[int, int] = (20_000, 35_000)
    """... and where the ramp begins and ends, in steps."""
    l1: tuple[float, float] = (0.0, 0.0)
    """Weight of the sum of absolute values: at first, growing tenfold every 10,000 steps, to."""
    largest_gradient: float = float("inf")
    """Each number of a gradient is clipped to plus or minus this."""
    largest_norm: float = float("inf")
    """Each model's gradient is scaled down to this norm."""
    restarts: bool = False
    """Whether a model that stopped learning starts afresh."""


def recipe(unit: str, operation: str, inputs: int = 2) -> Recipe:
    """Return how the papers' code trains a unit.

    >>> recipe("NMU", "mul").sparsity
    10.0
    >>> recipe("NMU", "mul", inputs=10).ramp
    (50000, 75000)
    """
    if inputs > 2:
        how = replace(recipe(unit, operation), ramp=(50_000, 75_000))
        return replace(how, learning_rate=1e-3) if unit == "NRU" else how
    power = (1e-9, 1e-7) if operation == "div" else (1e-7, 1e-5)
    recipes = {
        "NAU": Recipe(sparsity=0.01),
        "iNALU": Recipe(sparsity=0.05, ramp=(10_000, 10_001), largest_gradient=0.1, restarts=True),
        "NPU": Recipe(5e-3, l1=power),
        "Real NPU": Recipe(5e-3, l1=power),
        "modified Real NPU": Recipe(5e-3, sparsity=1.0, ramp=(40_000, 50_000), l1=power),
        "NRU": Recipe(1.0, sparsity=10.0),
        "NMRU": Recipe(1e-2, sparsity=10.0, largest_norm=1.0),
    }
    if unit in recipes:
        return recipes[unit]
    regular = unit.endswith(("NMU", "sign")) or unit in ("MC-FC", "MulMCFC")
    return Recipe(sparsity=10.0) if regular and unit != "sigmoid NMU" else Recipe()


@dataclass(frozen=True)
class Settings:
    """What is trained, and how long. The defaults are the papers'.

    Examples
    --------
    >>> Settings(cases=(("NMU", "div"),))
    Traceback (most recent call last):
      ...
    ValueError: cases must hold units with operations that they claim, got ('NMU', 'div')
    """

    cases: tuple[tuple[str, str], ...] = CASES
    steps: int = 50_000
    batch: int = 128
    log_every: int = 1_000
    tests: int = 10_000
    """Numbers of pairs to validate on, and to test on."""
    hurry: int = 1
    """Schedules are so many times shorter, and learning rates so many times larger."""
    inputs: ClassVar[int] = 2
    """Numbers that a unit sees; the operation is on the first two."""

    def __post_init__(self) -> None:
        at_least(self, steps=0, batch=2, log_every=1, tests=1, hurry=1)
        for case in self.cases:
            if tuple(case) not in CASES:
                raise ValueError(
                    f"cases must hold units with operations that they claim, got {case!r}"
                )
        if not self.cases or len(set(self.cases)) < len(self.cases):
            raise ValueError(f"cases must be different and at least one, got {self.cases!r}")
        if self.steps % self.log_every:
            raise ValueError(
                f"steps must be a multiple of log_every, got {self.steps} and {self.log_every}"
            )


_STOCHASTIC = tuple((unit, "mul") for unit in ("NMU", "sNMU", "batch sNMU"))

PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(_STOCHASTIC, steps=5_000, log_every=100, tests=1_000, hurry=10),
            seeds=tuple(range(25)),
        ),
        "nmu": Preset(Settings(_STOCHASTIC), seeds=tuple(range(25))),
        "paper": Preset(Settings(), seeds=tuple(range(25))),
    }
)
