r"""Output maps: softmax, sparsemax or PLSoftMax at the end of a classifier, each with its loss.

A linear model scores the ten digits; a map turns the scores into weights, and the matching loss
trains it: cross-entropy, the loss of sparsemax, and for PLSoftMax, which is the gradient of no
function, the convex loss of `plsoftmax_loss`. Tasks, on the handwritten digits of scikit-learn:

* **one digit**: the target is one class;
* **two digits**: two pictures of different digits in one, the darker pixel of both; the target
  is one half on each.

**Equal terms.** Every map sees the scores divided by a scale (softmax's temperature, PLSoftMax's
delta), and has the same grid of scales and step sizes. Each seed draws its own split into training,
validation and test, the same for all maps; for each map and seed the cell with the best validation
accuracy is tested.

**Numbers.** All seeds and cells of a map are trained at once, by Adam on all pictures at a time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import sharplib
from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import NUMERICS, careful

__all__ = [
    "BASELINE",
    "DEVICES",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "VERSION",
    "Settings",
    "plsoftmax_loss",
    "published",
    "run",
]

VERSION = 1
KEYS = ("rule", "task")
HEADLINE = "accuracy"
BASELINE = "softmax"
DEVICES = ("cpu",)

RULES = ("softmax", "sparsemax", "plsoftmax")
TASKS = ("one digit", "two digits")
_CLASSES = 10
_PARTS = (1000, 400, 397)  # training, validation, test: all 1,797 pictures


@dataclass(frozen=True)
class Settings:
    """All that decides the figures, apart from the seeds.

    Examples
    --------
    >>> Settings(scales=(0.0,))
    Traceback (most recent call last):
      ...
    ValueError: scales must be positive numbers, got (0.0,)
    """

    rules: tuple[str, ...] = RULES
    tasks: tuple[str, ...] = TASKS
    scales: tuple[float, ...] = (0.1, 0.5, 2.0, 8.0, 32.0)
    """What scores are divided by."""
    rates: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.3)
    """Step sizes of Adam."""
    steps: int = 300

    def __post_init__(self) -> None:
        for name, known in {"rules": RULES, "tasks": TASKS}.items():
            if not getattr(self, name) or not set(getattr(self, name)) <= set(known):
                raise ValueError(f"{name} must be some of {known}, got {getattr(self, name)!r}")
        for name in ("scales", "rates"):
            if not getattr(self, name) or min(getattr(self, name)) <= 0:
                raise ValueError(f"{name} must be positive numbers, got {getattr(self, name)!r}")
        at_least(self, steps=1)

    @property
    def cells(self) -> tuple[tuple[float, float], ...]:
        """Every scale with every step size."""
        return tuple((scale, rate) for scale in self.scales for rate in self.rates)


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(Settings(scales=(0.5, 2.0), rates=(0.03, 0.1), steps=100), seeds=(0, 1)),
        "paper": Preset(Settings(), seeds=tuple(range(10))),
    }
)


class _Rows(NamedTuple):
    """Pictures and targets of several seeds."""

    pictures: Tensor  # (seeds, rows, pixels + 1), the last one is 1
    targets: Tensor  # (seeds, rows, classes), weights that add up to 1


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    """The 1,797 pictures of 8 x 8 pixels between 0 and 1, and their classes."""
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    return (pictures / 16).astype(np.float32), labels


def _parts(task: str, seeds: Sequence[int]) -> list[_Rows]:
    """Training, validation and test; a function of task and seed."""
    everything, labels = _digits()
    found: list[list[tuple[np.ndarray, np.ndarray]]] = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        places = np.split(rng.permutation(len(labels)), np.cumsum(_PARTS)[:-1])
        found.append([_rows(task, everything[at], labels[at], rng) for at in places])
    return [
        _Rows(*(torch.from_numpy(np.stack(parts)) for parts in zip(*of_all, strict=True)))
        for of_all in zip(*found, strict=True)
    ]


def _rows(
    task: str, pictures: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    targets = np.eye(_CLASSES, dtype=np.float32)[labels]
    if task == "two digits":
        # The partner is any picture of this part that shows another digit.
        other = labels[:, None] != labels
        partner = (rng.random(other.shape) * other).argmax(1)
        pictures = np.maximum(pictures, pictures[partner])
        targets = (targets + targets[partner]) / 2
    return np.concatenate([pictures, np.ones((len(labels), 1), np.float32)], 1), targets


def plsoftmax_loss(x: Tensor, target: Tensor, delta: float = 1.0) -> Tensor:
    r"""A convex loss that is 0 exactly if ``plsoftmax(x, delta)`` is the target.

    .. math:: \sum_{i<k} \bigl|x_{(i)} - x_{(i+1)} - i\,\delta\,(q_{(i)} - q_{(i+1)})\bigr|
        + \sum_{j>k} \max(0,\ x_{(j)} - x_{(1)} + \delta)

    The inverse of the map, written as a penalty: places in the order of the target q, of which k
    entries are positive. For a single class it is the hinge loss with the margin delta, summed over
    the wrong classes.

    Parameters
    ----------
    x : tensor
        Scores, finite, items along the last axis.
    target : tensor
        Weights q of the same shape that add up to 1 along the last axis.
    delta : float
        The width of the map, above 0, in the units of the scores.

    Returns
    -------
    tensor
        One loss for each row.

    Examples
    --------
    >>> x = torch.tensor([1.0, 0.8, 0.3])
    >>> plsoftmax_loss(x, sharplib.plsoftmax(x, 1.0)).abs() < 1e-6
    tensor(True)
    >>> plsoftmax_loss(x, torch.tensor([0.0, 0.0, 1.0]))  # hinges: 1 - (-0.7) and 1 - (-0.5)
    tensor(3.2000)
    """
    if not delta > 0:
        raise ValueError(f"delta must be > 0, got {delta!r}")
    return _ladder(x, target, delta, _order(target))


def _order(target: Tensor) -> Tensor:
    """The places of the weights, the largest first."""
    return target.sort(dim=-1, descending=True, stable=True).indices


def _ladder(x: Tensor, target: Tensor, delta: float, order: Tensor) -> Tensor:
    x, q = x.gather(-1, order), target.gather(-1, order)
    places = torch.arange(1, x.shape[-1], dtype=x.dtype, device=x.device)
    steps = (x[..., :-1] - x[..., 1:] - delta * places * (q[..., :-1] - q[..., 1:])).abs()
    hinges = (x[..., 1:] - x[..., :1] + delta).clamp(min=0)
    return torch.where(q[..., 1:] > 0, steps, hinges).sum(-1)


_MAPS = {
    "softmax": sharplib.softmax,
    "sparsemax": sharplib.sparsemax,
    "plsoftmax": lambda x: sharplib.plsoftmax(x, 1.0),
}


def _gradient(rule: str, x: Tensor, rows: _Rows, order: Tensor) -> Tensor:
    """The gradient in the scores of the sum of losses."""
    target = rows.targets[:, None].expand_as(x)
    if rule != "plsoftmax":
        return _MAPS[rule](x) - target  # that of the Fenchel-Young loss
    x = x.requires_grad_()
    loss = _ladder(x, target, 1.0, order[:, None].expand_as(x)).sum()
    return torch.autograd.grad(loss, x)[0]


def _train(
    settings: Settings, rule: str, rows: _Rows, progress: Progress | None, stage: str
) -> Tensor:
    """Weights (seeds, cells, pixels + 1, classes) of all seeds and cells."""
    scale, rate = (torch.tensor(part)[:, None, None] for part in zip(*settings.cells, strict=True))
    seeds, count, pixels = rows.pictures.shape
    weights = torch.zeros(seeds, len(settings.cells), pixels, _CLASSES)
    mean, square = torch.zeros_like(weights), torch.zeros_like(weights)
    order = _order(rows.targets)
    pictures = rows.pictures[:, None]
    for step in range(1, settings.steps + 1):
        if progress is not None and step % 50 == 1:
            progress(stage, step - 1, settings.steps)
        by_score = _gradient(rule, pictures @ weights / scale, rows, order)
        gradient = pictures.mT @ by_score / (count * scale)
        mean.lerp_(gradient, 0.1)
        square.lerp_(gradient.square(), 0.001)
        size = mean / (1 - 0.9**step)
        weights -= rate * size / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
    return weights / scale


def _measures(rule: str, weights: Tensor, rows: _Rows) -> dict[str, Tensor]:
    """Mean over the pictures, of shape (seeds, cells)."""
    # In float64, where a small weight of softmax is not rounded to 0.
    x = (rows.pictures[:, None] @ weights).double()
    p = _MAPS[rule](x)
    right = rows.targets[:, None] > 0
    wrong_top = x.masked_fill(right, -torch.inf).amax(-1)
    right_low = x.masked_fill(~right, torch.inf).amin(-1)
    found = {
        "accuracy": right_low > wrong_top,
        "right weight": (p * right).sum(-1),
        "items": (p > 0).sum(-1),
        "exact": ((p > 0) == right).all(-1),
    }
    return {name: each.double().mean(-1) for name, each in found.items()}


def _run_rule(
    settings: Settings,
    rule: str,
    task: str,
    seeds: tuple[int, ...],
    store: Store | None,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    alone = replace(settings, rules=(rule,), tasks=(task,))
    if store is not None:
        store = store.within(settings=asdict(alone), seeds=seeds)
        if (data := store.read("rows.json")) is not None:
            return list(json.loads(data))
    with careful():
        training, validation, test = _parts(task, seeds)
        weights = _train(settings, rule, training, progress, f"{rule}, {task}")
        best = _measures(rule, weights, validation)["accuracy"].argmax(1)
        tested = _measures(rule, weights, test)
    rows = []
    for place, seed in enumerate(seeds):
        scale, rate = settings.cells[best[place]]
        values = {name: float(value[place, best[place]]) for name, value in tested.items()}
        for measure, value in {**values, "scale": scale, "rate": rate}.items():
            rows.append(
                {"seed": seed, "rule": rule, "task": task, "measure": measure, "value": value}
            )
    if store is not None:
        store.write("rows.json", json.dumps(rows).encode())
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
    """Train every map on every task, and test for each seed the best cell of the grid.

    Parameters
    ----------
    settings, seeds
        What to run; by default the preset `paper`.
    device
        Has no effect: the models are small.
    jobs
        Processes that share the maps and tasks. The table is the same for any number of them.
    store
        Where the rows of a finished map and task are kept.
    progress
        Called with the map and task, steps done and steps in all.
    checkpoint_seconds
        Has no effect: a piece takes a minute.

    Returns
    -------
    A table with columns seed, rule, task, measure and value. Of the test pictures, `accuracy` is
    the share whose right classes score above all others, `right weight` the weight of the right
    classes, `items` the number of classes with weight, `exact` the share where those with weight
    are just the right ones; `scale` and `rate` name the cell that was taken.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    cases = [
        (settings, rule, task, tuple(seeds)) for task in settings.tasks for rule in settings.rules
    ]
    parts = in_processes(jobs, _run_rule, cases, store, progress)
    return pd.DataFrame([row for part in parts for row in part])


def published() -> pd.DataFrame:
    """Return an empty table: the paper's figures on classification are not known to us.

    Examples
    --------
    >>> len(published())
    0
    """
    return pd.DataFrame(columns=[*KEYS, "measure", "value", "tag"], dtype=object)
