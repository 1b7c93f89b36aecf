r"""Private greedy: pick k items that cover much, without telling what the data are.

A greedy choice takes, k times, the item that covers most of what is not covered yet. A private one
draws it: with weights in proportion to the power of its gain (Power), or to the exponential (Exp).
A step costs :math:`D_\infty`, the most that the logarithm of a weight can move between neighbouring
data, and the steps add up to the budget :math:`\varepsilon` (basic composition). What counts as
neighbours decides what the same budget buys:

* **by a factor**: the weight of every record may be off by a factor of up to :math:`e^\Gamma`.
  Logarithms of gains move by :math:`\Gamma`, so a step of Power costs :math:`2\alpha\Gamma`. For
  Exp the gains move by up to :math:`(e^\Gamma - 1)` times a bound on the gains. "exp" has the
  number of all records as that bound; "exp, told the top" is given the largest gain of each step,
  which is not private: no honest Exp can do better.
* **by one record**: a record may be there or not, so gains move by up to 1, and a step of Exp with
  factor :math:`\alpha` costs :math:`2\alpha`. Logarithms of gains have no bound: Power needs a
  floor s under the gains, and costs :math:`2\alpha \log(1 + 1/s)`.

**Data.** "digits": each seed draws 400 candidates and 1,200 other pictures, the records, of
scikit-learn's handwritten digits; a candidate covers the records that are as close as a fiftieth of
all pairs. "random": 400 candidates, each of which covers every record with a probability of its
own; the probabilities fall from 20 % by a factor of 20.

**Numbers.** The covered share of what the greedy choice without privacy covers, exactly that of
this data, and the mean over `repeats` private choices. There is nothing to tune: a budget fixes
every rule but for s, whose values are all shown.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store

__all__ = [
    "BASELINE",
    "DEVICES",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "VERSION",
    "Settings",
    "published",
    "run",
]

VERSION = 1
KEYS = ("rule", "neighbours", "data", "budget")
HEADLINE = "share of greedy"
BASELINE = None
DEVICES = ("cpu",)
NUMERICS = MappingProxyType({"precision": "float64", "cpu_threads": 1})

DATA = ("digits", "random")
NEIGHBOURS = ("by a factor", "by one record")
_CANDIDATES, _RECORDS = 400, 1200


@dataclass(frozen=True)
class Settings:
    """All that decides the figures, apart from the seeds.

    Examples
    --------
    >>> Settings(budgets=())
    Traceback (most recent call last):
      ...
    ValueError: budgets must be positive numbers, got ()
    """

    data: tuple[str, ...] = DATA
    picks: int = 10
    """How many items are chosen, k."""
    budgets: tuple[float, ...] = tuple(2.0**k for k in range(-2, 7))
    """Privacy budgets, in nats."""
    gamma: float = 0.1
    """Neighbours by a factor: up to e^gamma."""
    floors: tuple[float, ...] = (1.0, 10.0)
    """What Power adds to the gains where neighbours differ by one record."""
    repeats: int = 100
    """Private choices for each seed, rule and budget."""

    def __post_init__(self) -> None:
        if not self.data or not set(self.data) <= set(DATA):
            raise ValueError(f"data must be some of {DATA}, got {self.data!r}")
        for name in ("budgets", "floors"):
            if not getattr(self, name) or min(getattr(self, name)) <= 0:
                raise ValueError(f"{name} must be positive numbers, got {getattr(self, name)!r}")
        if not self.gamma > 0:
            raise ValueError(f"gamma must be above 0, got {self.gamma!r}")
        at_least(self, picks=1, repeats=1)


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(data=("digits",), budgets=(1.0, 4.0, 16.0, 64.0), repeats=10), seeds=(0, 1)
        ),
        "paper": Preset(Settings(), seeds=tuple(range(10))),
    }
)

# A rule: gains (..., candidates) and what a step may cost -> logarithms of weights, but for a
# constant in each row.
_Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _rules(settings: Settings) -> dict[tuple[str, str], _Rule]:
    """Rule and kind of neighbours -> how it draws, at a cost of a step."""
    gamma, grown = settings.gamma, math.expm1(settings.gamma)

    def power(gains: np.ndarray, cost: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):  # nothing gained, nothing weighed
            return cost / (2 * gamma) * np.log(gains)

    def exp(gains: np.ndarray, cost: np.ndarray) -> np.ndarray:
        return cost / (2 * grown * _RECORDS) * gains

    def told(gains: np.ndarray, cost: np.ndarray) -> np.ndarray:
        top = np.maximum(gains.max(-1, keepdims=True), 1)
        return cost / (2 * grown * top) * gains

    rules: dict[tuple[str, str], _Rule] = {
        ("power", "by a factor"): power,
        ("exp, told the top", "by a factor"): told,
        ("exp", "by a factor"): exp,
        ("exp", "by one record"): lambda gains, cost: cost / 2 * gains,
    }
    for floor in settings.floors:
        rules[f"power, floor {floor:g}", "by one record"] = lambda gains, cost, s=floor: (
            cost / (2 * math.log1p(1 / s)) * np.log(gains + s)
        )
    return rules


def _covers(data: str, rng: np.random.Generator) -> np.ndarray:
    """Which candidate (rows) covers which record (columns), as 0 and 1."""
    if data == "random":
        shares = 0.2 * np.geomspace(1, 1 / 20, _CANDIDATES)
        return (rng.random((_CANDIDATES, _RECORDS)) < shares[:, None]).astype(float)
    from sklearn.datasets import load_digits

    pictures = load_digits(return_X_y=True)[0]
    order = rng.permutation(len(pictures))[: _CANDIDATES + _RECORDS]
    candidates, records = np.split(pictures[order], [_CANDIDATES])
    # Squared distances between whole numbers: exact.
    apart = (candidates**2).sum(1)[:, None] + (records**2).sum(1) - 2 * candidates @ records.T
    return (apart <= np.quantile(apart, 0.02)).astype(float)


def _greedy(covers: np.ndarray, picks: int) -> float:
    """How many records the best next item, again and again, covers."""
    open_ = np.ones(covers.shape[1])
    for _ in range(picks):
        open_ *= 1 - covers[(covers @ open_).argmax()]
    return float((1 - open_).sum())


def _draws(
    covers: np.ndarray, rule: _Rule, costs: np.ndarray, settings: Settings, rng: np.random.Generator
) -> np.ndarray:
    """How many records are covered: (budgets, repeats)."""
    open_ = np.ones((len(costs), settings.repeats, covers.shape[1]))
    for _ in range(settings.picks):
        gains = open_ @ covers.T
        logits = rule(gains, costs[:, None, None])
        # The largest of logits plus Gumbel noise is a draw by their softmax. Where nothing can be
        # gained any more, all logits are -inf, and whatever is drawn changes nothing.
        chosen = (logits + rng.gumbel(size=logits.shape)).argmax(-1)
        open_ *= 1 - covers[chosen]
    return covers.shape[1] - open_.sum(-1)


def _run_seed(
    settings: Settings, seed: int, data: str, store: Store | None, progress: Progress | None
) -> list[dict[str, Any]]:
    if store is not None:
        store = store.within(settings=asdict(settings))
        if (found := store.read(f"seed-{seed}-{data}.json")) is not None:
            return list(json.loads(found))
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(DATA.index(data),)))
    covers = _covers(data, rng)
    best = _greedy(covers, settings.picks)
    costs = np.array(settings.budgets) / settings.picks
    rules = _rules(settings)
    rows = []
    for done, ((rule, neighbours), draw) in enumerate(rules.items()):
        if progress is not None:
            progress(f"seed {seed}, {data}", done, len(rules))
        covered = _draws(covers, draw, costs, settings, rng).mean(1) / best
        rows += [
            {
                "seed": seed,
                "rule": rule,
                "neighbours": neighbours,
                "data": data,
                "budget": budget,
                "measure": HEADLINE,
                "value": float(value),
            }
            for budget, value in zip(settings.budgets, covered, strict=True)
        ]
    if store is not None:
        store.write(f"seed-{seed}-{data}.json", json.dumps(rows).encode())
    return rows


def run(
    settings: Settings | None = None,
    seeds: Sequence[int] | None = None,
    device: str = "cpu",
    *,
    jobs: int = 1,
    store: Store | None = None,
    progress: Progress | None = None,
    checkpoint_seconds: float = 60.0,
) -> pd.DataFrame:
    """Choose privately at every budget, under both kinds of neighbours.

    Parameters
    ----------
    settings, seeds
        What to run; by default the preset `paper`.
    device
        Has no effect.
    jobs
        Processes that share the seeds and data. The table is the same for any number of them.
    store
        Where the rows of a finished seed are kept.
    progress
        Called with the seed and data, rules done and rules in all.
    checkpoint_seconds
        Has no effect: a piece takes seconds.

    Returns
    -------
    A table with columns seed, rule, neighbours, data, budget (in nats), measure and value: the
    records covered, as a share of those that the greedy choice without privacy covers.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    cases = [(settings, seed, data) for seed in seeds for data in settings.data]
    parts = in_processes(jobs, _run_seed, cases, store, progress)
    return pd.DataFrame([row for part in parts for row in part])


def published() -> pd.DataFrame:
    """Return an empty table: the paper's figures on private maximisation are not known to us.

    Examples
    --------
    >>> len(published())
    0
    """
    return pd.DataFrame(columns=[*KEYS, "measure", "value", "tag"], dtype=object)
