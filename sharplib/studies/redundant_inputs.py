"""Can a unit find the two numbers that matter among ten, and is it right outside the range?

The single-module task with redundant inputs, of Mistry et al. (TMLR 2022, arXiv 2110.05177): ten
numbers from one of nine ranges, an operation on two of them. All else is as in `single_module`,
whose models, losses and tests these are; the threshold grants an error for every input.

**Choices where the papers are silent, or ours.** The two are the first ones: inputs are alike, so
their place does not matter.

The preset `short` has ten seeds, `paper` the papers' 25, some ten minutes for two processes. Both
take the papers' 100,000 steps: with larger steps weights do not come to rest near enough to 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from sharplib.studies import single_module
from sharplib.studies._settings import Preset, at_least
from sharplib.studies.single_module import (
    BASELINE,
    DEVICES,
    HEADLINE,
    KEYS,
    NUMERICS,
    side_by_side,
)

__all__ = [
    "BASELINE",
    "CASES",
    "DEVICES",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "VERSION",
    "Settings",
    "published",
    "report",
    "run",
]

VERSION = 1

CASES: tuple[tuple[str, str], ...] = (
    ("NAU", "add"),
    ("NAU", "sub"),
    ("NMU", "mul"),
    ("sNMU", "mul"),
    ("batch sNMU", "mul"),
    ("Real NPU", "div"),
    ("modified Real NPU", "div"),
    ("NRU", "div"),
    ("NMRU", "div"),
)
"""Units with the operations that they are tried on."""


@dataclass(frozen=True)
class Settings(single_module.Settings):
    """What is trained, and how long. The defaults are the papers'.

    Examples
    --------
    >>> Settings(inputs=2)
    Traceback (most recent call last):
      ...
    ValueError: inputs must be at least 3, got 2
    """

    cases: tuple[tuple[str, str], ...] = CASES
    steps: int = 100_000
    inputs: int = 10  # type: ignore[misc]  # a constant in the class that this one extends
    """Numbers that a unit sees; the operation is on the first two."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, inputs=3)
        for case in self.cases:
            if tuple(case) not in CASES:
                raise ValueError(f"cases must be some of {CASES}, got {case!r}")


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(CASES[2:4], steps=10_000, log_every=100, tests=1_000, hurry=10),
            seeds=(0, 1, 2),
        ),
        "short": Preset(Settings(), seeds=tuple(range(10))),
        "paper": Preset(Settings(), seeds=tuple(range(25))),
    }
)


def run(
    settings: Settings | None = None,
    seeds: Sequence[int] | None = None,
    device: str = "cpu",
    **how: Any,
) -> pd.DataFrame:
    """Train and test every case, a model for each seed and range. See `single_module.run`."""
    settings = PRESETS["paper"].settings if settings is None else settings
    return single_module.run(settings, seeds, device, **how)


def published() -> pd.DataFrame:
    """Return the published shares of all 225 models of a unit: `train` is "all".

    They are from the abstract of arXiv 2110.05177 ("paper"), on quotients: the modified Real NPU,
    the original, which is 15.1 points below, and NMRU.

    Examples
    --------
    >>> published().set_index("unit").value["NMRU"]
    np.float64(0.916)
    """
    shares = {"Real NPU": 0.702, "modified Real NPU": 0.853, "NMRU": 0.916}
    rows = [("div", unit, "all", "success", share, "paper") for unit, share in shares.items()]
    return pd.DataFrame(rows, columns=[*KEYS, "measure", "value", "tag"])


def report(ours: Mapping[str, pd.DataFrame]) -> str:
    """Return the part of `sharp show` between its first line and its notes."""
    rows = [(row.operation, row.unit, "published", row.value) for row in published().itertuples()]
    for name, table in ours.items():
        for (operation, unit), found in table[table.measure == "success"].groupby(
            ["operation", "unit"], sort=False
        ):
            rows.append((operation, unit, name, found.value.mean()))
    wide = pd.DataFrame(rows, columns=["operation", "unit", "of", "share"]).pivot_table(
        index=["operation", "unit"], columns="of", values="share", sort=False
    )
    text = (100 * wide).map(lambda share: "" if pd.isna(share) else f"{share:.1f}")
    return "\n".join(
        ["", "% of models of all ranges", text.to_string(), side_by_side(published(), ours)]
    )
