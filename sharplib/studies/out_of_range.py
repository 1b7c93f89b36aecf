r"""Which models are right a thousand times outside the range that they were trained on?

Three numbers go in, the sum or the product of the first two should come out, and the third is to be
ignored. Training draws all three from [1, 2]. The test multiplies that range by a magnitude.

**Models.** Networks with one hidden layer, of ReLU or tanh; the units of `sharplib.arithmetic` that
add or multiply, whose weights W are made in five ways:

* "NAC": the accumulators of Trask et al., weights tanh times sigmoid, products by logarithms;
* "sigmoid": :math:`W = \sigma(z)`, in the NAU or NMU;
* "clipped": W itself, kept in [0, 1], in the NAU or NMU;
* both of these with the penalty of the NAU or NMU, ramped up in the middle of training.

**Budget.** All models have the same steps, batches and learning rates to choose from. Of each model
and seed the learning rate is taken that has the smallest error inside the range; nothing outside it
is looked at.

**Numbers.** The batches of a seed are common to all models and rates. Training is in float32, tests
are in float64, so that weights are measured and not their rounding.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sharplib.arithmetic import nac_mul, nac_weight, nau, nmu, nmu_penalty, ramp
from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import careful

__all__ = [
    "BASELINE",
    "HEADLINE",
    "KEYS",
    "MODELS",
    "NUMERICS",
    "PRESETS",
    "VERSION",
    "Settings",
    "published",
    "run",
    "train",
]

VERSION = 1
KEYS = ("operation", "model", "magnitude")
HEADLINE = "error"
BASELINE = None
NUMERICS = MappingProxyType({"precision": "float32", "cpu_threads": 1})

Operation = Literal["add", "mul"]
MODELS = (
    "ReLU network",
    "tanh network",
    "NAC",
    "sigmoid",
    "sigmoid, penalty",
    "clipped",
    "clipped, penalty",
)
_CHUNK = 100  # steps whose batches are drawn at once
_VALIDATION, _TEST = 10, 11  # seeds of what all models are judged by


@dataclass(frozen=True)
class Settings:
    """What is trained, and how long.

    Examples
    --------
    >>> Settings(models=("ELU network",))
    Traceback (most recent call last):
      ...
    ValueError: models must be of ReLU network, tanh network, NAC, sigmoid, sigmoid, penalty, \
clipped, clipped, penalty; got ('ELU network',)
    """

    operations: tuple[Operation, ...] = ("add", "mul")
    models: tuple[str, ...] = MODELS
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    """Learning rates to choose from."""
    steps: int = 20_000
    batch: int = 128
    hidden: int = 64
    """Units of the hidden layer of a network."""
    low: float = 1.0
    high: float = 2.0
    magnitudes: tuple[float, ...] = tuple(float(2**k) for k in range(11))
    tests: int = 4_096

    def __post_init__(self) -> None:
        at_least(self, steps=1, batch=1, hidden=1, tests=1)
        for name, known in (("operations", ("add", "mul")), ("models", MODELS)):
            chosen = getattr(self, name)
            if not chosen or set(chosen) - set(known):
                raise ValueError(f"{name} must be of {', '.join(known)}; got {chosen!r}")
        if not 0 < self.low < self.high:
            raise ValueError(f"low must be above 0 and below high, got {self.low!r}, {self.high!r}")
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"rates must be above 0, got {self.rates!r}")
        if not self.magnitudes or self.magnitudes[0] != 1 or min(self.magnitudes) <= 0:
            raise ValueError(
                f"magnitudes must begin with 1, the range itself, got {self.magnitudes!r}"
            )


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(
                ("mul",),
                ("ReLU network", "tanh network", "sigmoid, penalty", "clipped, penalty"),
                rates=(1e-2,),
                steps=2_000,
                hidden=32,
                tests=512,
            ),
            seeds=(0, 1, 2),
        ),
        "paper": Preset(Settings(), seeds=tuple(range(10))),
    }
)


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
    """Train every model on every operation, inside the range, and test it at all magnitudes.

    Parameters
    ----------
    settings, seeds, device
        What to run, and where; by default the preset `paper`.
    jobs
        Processes that share the cases. The table is the same for any number of them.
    store
        Where the rows of a finished case are kept.
    progress
        Called with the case, steps done and steps in all.
    checkpoint_seconds
        Has no effect: a case takes a minute.

    Returns
    -------
    A table with columns operation, model, magnitude, seed, measure and value. `error` is the root
    of the mean squared error, relative to the right answer; `slack`, at magnitude 1 and of units
    only, the distance of the worst weight from 0 or 1; `rate`, the learning rate that was taken.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    cases = [(o, m) for o in settings.operations for m in settings.models]
    arguments = [(settings, operation, model, tuple(seeds), device) for operation, model in cases]
    parts = in_processes(jobs, _run_case, arguments, store, progress)
    return pd.DataFrame([row for part in parts for row in part])


def _run_case(
    settings: Settings,
    operation: Operation,
    model: str,
    seeds: tuple[int, ...],
    device: str,
    store: Store | None,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    alone = replace(settings, operations=(operation,), models=(model,))
    if store is not None:
        store = store.within(settings=asdict(alone), seeds=seeds)
        if (data := store.read("rows.json")) is not None:
            return list(json.loads(data))
    with careful():
        rows = _judge(settings, train(settings, operation, model, seeds, device, progress))
    if store is not None:
        store.write("rows.json", json.dumps(rows).encode())
    return rows


# --- Models ---------------------------------------------------------------------------------------


class Trained(NamedTuple):
    """Models of one kind: parameters with leading axes for learning rates and seeds."""

    operation: Operation
    model: str
    seeds: tuple[int, ...]
    parameters: dict[str, Tensor]

    def __call__(self, x: Tensor) -> Tensor:
        """Answers, (..., B), for inputs of shape (..., B, 3) with leading axes that broadcast."""
        p = self.parameters
        if "network" in self.model:
            act: Callable[[Tensor], Tensor] = torch.relu if "ReLU" in self.model else torch.tanh
            return (act(x @ p["in"] + p["bias"]) @ p["out"] + p["shift"])[..., 0]
        unit = nau if self.operation == "add" else nac_mul if self.model == "NAC" else nmu
        return unit(x, self.weight())[..., 0]

    def weight(self) -> Tensor:
        """Weights of a unit, (..., 1, 3)."""
        raw = self.parameters["weight"]
        if self.model == "NAC":
            return nac_weight(raw, self.parameters["amount"])
        return torch.sigmoid(raw) if "sigmoid" in self.model else raw


def answers(operation: Operation, x: Tensor) -> Tensor:
    """The right results for inputs of shape (..., 3)."""
    return x[..., 0] + x[..., 1] if operation == "add" else x[..., 0] * x[..., 1]


def _initial(settings: Settings, model: str, seed: int) -> dict[str, Tensor]:
    """Parameters of one model: networks as torch starts them, units around the middle."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))

    def uniform(bound: float, *shape: int) -> Tensor:
        return torch.from_numpy(rng.uniform(-bound, bound, shape).astype(np.float32))

    if "network" in model:
        inner, outer = 3**-0.5, settings.hidden**-0.5
        return {
            "in": uniform(inner, 3, settings.hidden),
            "bias": uniform(inner, 1, settings.hidden),
            "out": uniform(outer, settings.hidden, 1),
            "shift": uniform(outer, 1, 1),
        }
    weight = 0.5 + uniform(0.25, 1, 3)  # as in the NMU
    if model == "NAC":
        return {"weight": uniform(1, 1, 3), "amount": uniform(1, 1, 3)}
    return {"weight": weight.logit() if "sigmoid" in model else weight}


def train(
    settings: Settings,
    operation: Operation,
    model: str,
    seeds: Sequence[int],
    device: str = "cpu",
    progress: Progress | None = None,
) -> Trained:
    """Train a model for every learning rate and seed, side by side."""
    parts = [_initial(settings, model, seed) for seed in seeds]
    rates = torch.tensor(settings.rates, device=device)[:, None, None, None]
    parameters = {
        name: torch.stack([part[name] for part in parts])
        .expand(len(settings.rates), -1, -1, -1)
        .to(device, copy=True)
        .requires_grad_()
        for name in parts[0]
    }
    models = Trained(operation, model, tuple(seeds), parameters)
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in parameters.items()}
    # As in the papers: 10 for products, 0.01 for sums, ramped up from two to three and a half
    # fifths of the training.
    most = 10.0 if operation == "mul" else 0.01
    start, end = 2 * settings.steps // 5, 7 * settings.steps // 10 + 1
    for step, x in enumerate(_batches(settings, seeds)):
        x = x.to(device)
        # The mean over a batch, the sum over models: these do not meet.
        loss = (models(x) - answers(operation, x)).square().mean(-1).sum()
        if model.endswith("penalty") and step >= start:
            loss = loss + most * ramp(step, start, end) * nmu_penalty(models.weight()).sum()
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        with torch.no_grad():
            for (name, p), gradient in zip(parameters.items(), gradients, strict=True):
                _adam(p, gradient, moments[name], rates, step + 1)
                if model.startswith("clipped"):
                    p.clamp_(0, 1)
        if progress is not None and step % 1_000 == 999:
            progress(f"{model}, {operation}", step + 1, settings.steps)
    return models


def _adam(
    p: Tensor, gradient: Tensor, moments: tuple[Tensor, Tensor], rates: Tensor, step: int
) -> None:
    """A step of Adam in place, each model with the learning rate of its own."""
    first, second = moments
    first.lerp_(gradient, 0.1)
    second.lerp_(gradient.square(), 0.001)
    size = (second / (1 - 0.999**step)).sqrt_().add_(1e-8)
    p.sub_(rates / (1 - 0.9**step) * first / size)


def _batches(settings: Settings, seeds: Sequence[int]) -> Iterator[Tensor]:
    """Inputs of shape (seeds, batch, 3), functions of seed and step."""
    draws = [np.random.default_rng(np.random.SeedSequence(s, spawn_key=(1,))) for s in seeds]
    for start in range(0, settings.steps, _CHUNK):
        shape = (_CHUNK, settings.batch, 3)
        random = np.stack([rng.random(shape, dtype=np.float32) for rng in draws], axis=1)
        x = torch.from_numpy(settings.low + (settings.high - settings.low) * random)
        yield from x[: settings.steps - start]


# --- Judgement ------------------------------------------------------------------------------------


def relative_errors(settings: Settings, models: Trained, seed: int, magnitude: float) -> Tensor:
    """Root of the mean squared relative error, (rates, seeds)."""
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.uniform(settings.low, settings.high, (settings.tests, 3))) * magnitude
    right = answers(models.operation, x)
    return (models(x) / right - 1).square().mean(-1).sqrt()


def _judge(settings: Settings, models: Trained) -> list[dict[str, Any]]:
    """Rows of the table: the best rate of each seed in validation, tested."""
    exact = {name: p.detach().double().cpu() for name, p in models.parameters.items()}
    models = models._replace(parameters=exact)
    best = relative_errors(settings, models, _VALIDATION, 1.0).argmin(0)
    found = {
        ("error", magnitude): relative_errors(settings, models, _TEST, magnitude)
        for magnitude in settings.magnitudes
    }
    found["rate", 1.0] = torch.tensor(settings.rates)[:, None].expand(-1, len(models.seeds))
    if "network" not in models.model:
        weight = models.weight()
        found["slack", 1.0] = torch.minimum(weight.abs(), (1 - weight).abs()).amax((-2, -1))
    return [
        {
            "operation": models.operation,
            "model": models.model,
            "magnitude": magnitude,
            "seed": seed,
            "measure": measure,
            "value": float(values[best[s], s]),
        }
        for (measure, magnitude), values in found.items()
        for s, seed in enumerate(models.seeds)
    ]


def published() -> pd.DataFrame:
    """Return an empty table: the comparison is ours, and nothing is published.

    Examples
    --------
    >>> len(published())
    0
    """
    return pd.DataFrame(columns=[*KEYS, "measure", "value", "tag"], dtype=object)
