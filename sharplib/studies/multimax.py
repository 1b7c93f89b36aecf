r"""Does attention do better if its scores are bent before the softmax?

MultiMax (arXiv 2406.01189) bends scores at four learned thresholds. The paper trains DeiT on
ImageNet and language models on WikiText-103 and One Billion Words. Here two small transformers
(`sharplib.studies._transformer`) learn from data that needs no download: two layers of two heads,
width 32. *text* predicts the next character of Python's help texts behind a causal mask, 64
characters at a time; *digits* tells scikit-learn's handwritten digits apart, in 16 patches, with
the mean over tokens in the place of a class token, as in the paper.

**Maps.** Softmax; a learned temperature for each layer, or one for the output; the four largest of
16, or sixteen of 64 (*top quarter*); sparsemax; 1.5-entmax; ev-softmax; MultiMax of order 2, one
set of parameters for each layer, from the identity. In three places: attention, output logits,
both. *multimax, centred* takes the mean of the visible scores away first, so that a shift of all
scores changes nothing.

**Tuning.** Every map has the same budget: the step sizes of `rates`, each with the `tuning_seeds`,
`tuning_steps` long. The best mean validation loss decides. Then ten other seeds train with it.

**Measures.** `loss` is the test loss in nats, per character or image, and `accuracy` the share
that the top logit gets right. Of each layer: `M` and `S`, the paper's measures, with the mean score
of a row as threshold and one over the number of visible items as reference; `support`, the
effective number of items; `zeros`, the share of exact zeros; over rows that see at least half of
the items. Of each MultiMax: thresholds `r0` to `r3`, coefficients `c0` to `c3`, `order_kept`, 1 if
the learned function falls nowhere, and `falling`, the share of scores at which it does. Layer 0 is
the output.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sharplib import entmax15, ev_softmax, measures, nn, sparsemax, topk_softmax
from sharplib.studies import _data
from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, resolve
from sharplib.studies._storage import Store
from sharplib.studies._transformer import Make, Seen, Shape, Transformer, losses, train
from sharplib.studies.max_retrieval._numerics import NUMERICS as _NUMERICS
from sharplib.studies.max_retrieval._numerics import careful

__all__ = [
    "BASELINE",
    "COST",
    "DEVICES",
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "RULES",
    "VERSION",
    "Bend",
    "Settings",
    "Task",
    "batches",
    "build",
    "published",
    "report",
    "run",
    "train",
]

VERSION = 1
KEYS = ("rule", "task")
HEADLINE = "loss"
BASELINE = "softmax"
DEVICES = ("cpu",)
# Other versions of Python have other help texts.
NUMERICS = MappingProxyType(dict(_NUMERICS, text_sha256=_data.help_texts().digest))


@dataclass(frozen=True)
class Task:
    """Sizes of a model, and how long it is trained, in batches."""

    shape: Shape
    batch: int
    steps: int
    tuning_steps: int


_TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "text": Task(Shape(outputs=103, tokens=103, length=64), 16, 300, 100),
        "digits": Task(Shape(outputs=10, patch=4, length=16), 32, 500, 150),
    }
)


# --- maps -----------------------------------------------------------------------------------------


class Bend(torch.nn.Module):
    r"""The $\sigma$ of MultiMax of order 2, with one set of parameters for each replica.

    $\sigma(x) = x + c_0 [r_0 - x]_+ + c_1 [x - r_1]_+ + c_2 [r_2 - x]_+^2 + c_3 [x - r_3]_+^2$,
    from c = r = 0; the first dimension of the scores is that of the replicas.
    """

    def __init__(self, replicas: int) -> None:
        super().__init__()
        self.thresholds = torch.nn.Parameter(torch.zeros(replicas, 4))
        self.coefficients = torch.nn.Parameter(torch.zeros(replicas, 4))

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Thresholds and coefficients, each (4, replicas, 1, ...)."""
        shape = (4, -1, *[1] * (x.ndim - 1))
        return self.thresholds.T.reshape(shape), self.coefficients.T.reshape(shape)

    def forward(self, x: Tensor) -> Tensor:
        """The bent scores."""
        r, c = self._parts(x)
        below, above = (r[2] - x).relu(), (x - r[3]).relu()
        first = x + c[0] * (r[0] - x).relu() + c[1] * (x - r[1]).relu()
        return first + c[2] * below * below + c[3] * above * above

    @torch.no_grad()
    def slope(self, x: Tensor) -> Tensor:
        """The slope of the function at the scores."""
        r, c = self._parts(x)
        first = 1 - c[0] * (x < r[0]) + c[1] * (x > r[1])
        return first - 2 * c[2] * (r[2] - x).relu() + 2 * c[3] * (x - r[3]).relu()


class _Centred(Bend):
    """The same of scores less their mean, over those that are visible; and the softmax."""

    def centre(self, masked: Tensor) -> Tensor:
        hidden = masked == -torch.inf
        seen = masked.masked_fill(hidden, 0)
        return seen - seen.sum(-1, keepdim=True) / (~hidden).sum(-1, keepdim=True)

    def forward(self, masked: Tensor) -> Tensor:
        bent = super().forward(self.centre(masked))
        return torch.softmax(bent.masked_fill(masked == -torch.inf, -torch.inf), -1)


class _Temperature(torch.nn.Module):
    """Scores over a learned temperature, which is 1 at the start."""

    def __init__(self, replicas: int) -> None:
        super().__init__()
        self.cold = torch.nn.Parameter(torch.zeros(replicas))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.cold.exp().view(-1, *[1] * (x.ndim - 1))


def _top_quarter(scores: Tensor) -> Tensor:
    return topk_softmax(scores, scores.shape[-1] // 4)


def _always(function: Callable[[Tensor], Tensor]) -> Make:
    return lambda replicas: function


RULES: Mapping[str, Mapping[str, Make]] = MappingProxyType(
    {
        "softmax": {},
        "temperature": {"modulate": _Temperature},
        "temperature, output": {"finish": _Temperature},
        "top quarter": {"weigh": _always(_top_quarter)},
        "sparsemax": {"weigh": _always(sparsemax)},
        "entmax15": {"weigh": _always(entmax15)},
        "ev_softmax": {"weigh": _always(ev_softmax)},
        "multimax": {"modulate": Bend},
        "multimax, output": {"finish": Bend},
        "multimax, both": {"modulate": Bend, "finish": Bend},
        "multimax, centred": {"weigh": _Centred},
    }
)
"""What each rule changes in a transformer: arguments of `Transformer`."""


def build(rule: str, task: Task, seeds: Sequence[int]) -> Transformer:
    """Return an untrained model of a rule, with one replica for each seed.

    >>> model = build("multimax", Settings().tasks["digits"], [0, 1, 2])
    >>> sum(p[0].numel() for p in model.made.parameters())  # of one replica, two layers
    16
    """
    return Transformer(task.shape, seeds, **RULES[rule])


# --- settings -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """All that decides the figures, apart from the seeds.

    Examples
    --------
    >>> Settings(rules=("softmax", "hardmax"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
      ...
    ValueError: rules must be among softmax, temperature, ..., got 'hardmax'
    """

    tasks: dict[str, Task] = field(default_factory=lambda: dict(_TASKS))
    rules: tuple[str, ...] = tuple(RULES)
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    tuning_seeds: tuple[int, ...] = (1000, 1001, 1002)

    def __post_init__(self) -> None:
        for rule in self.rules:
            if rule not in RULES:
                raise ValueError(f"rules must be among {', '.join(RULES)}, got {rule!r}")
        for name in self.tasks:
            if name not in _TASKS:
                raise ValueError(f"tasks must be among {', '.join(_TASKS)}, got {name!r}")
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"rates must hold numbers above 0, got {self.rates!r}")


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(
                {"digits": replace(_TASKS["digits"], steps=150)},
                ("softmax", "temperature", "multimax"),
                rates=(1e-2,),
            ),
            tuple(range(10)),
        ),
        "paper": Preset(Settings(), tuple(range(10))),
    }
)


# --- data and training ----------------------------------------------------------------------------


def batches(name: str, task: Task, seeds: Sequence[int]) -> Iterator[tuple[Tensor, Tensor]]:
    """Give training batches of a task without end: inputs and targets, a seed for each replica."""
    return _parts(name, task, seeds).batches


class _Parts(NamedTuple):
    """What to train on, and pairs (inputs, targets) whose first dimension is the replicas."""

    batches: Iterator[tuple[Tensor, Tensor]]
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


def _parts(name: str, task: Task, seeds: Sequence[int]) -> _Parts:
    if name == "digits":
        data = _data.digits(seeds)
        return _Parts(_data.digit_batches(*data.train, seeds, task.batch), *data[1:])
    text = _data.help_texts()
    held_out = []
    for part in (text.validation, text.test):
        cut = _data.windows(part, task.shape.length)
        held_out.append(tuple(each.expand(len(seeds), *each.shape) for each in cut))
    batches = _data.text_batches(text.train, seeds, task.batch, task.shape.length)
    return _Parts(batches, *held_out)


def _judge(model: Transformer, part: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    """Loss and accuracy of each replica on a held-out part."""
    total = {"loss": torch.zeros(len(model.seeds)), "accuracy": torch.zeros(len(model.seeds))}
    chunk = 4096 // model.shape.length
    for inputs, targets in zip(*(each.split(chunk, 1) for each in part), strict=True):
        logits = model(inputs)
        right = (logits.argmax(-1) == targets).flatten(1).float()
        total["loss"] += losses(logits, targets) * inputs.shape[1]
        total["accuracy"] += right.mean(1) * inputs.shape[1]
    return {name: value / part[0].shape[1] for name, value in total.items()}


def _tuned(settings: Settings, rule: str, name: str, progress: Progress | None) -> float:
    """The step size with the best mean validation loss over the tuning seeds."""
    if len(settings.rates) == 1:
        return settings.rates[0]
    task, seeds = settings.tasks[name], settings.tuning_seeds * len(settings.rates)
    model, parts = build(rule, task, seeds), _parts(name, task, seeds)
    rates = np.repeat(settings.rates, len(settings.tuning_seeds)).tolist()
    train(model, parts.batches, task.tuning_steps, rates, progress=progress)
    with torch.no_grad(), careful():
        loss = _judge(model, parts.validation)["loss"].view(len(settings.rates), -1).mean(1)
    return settings.rates[int(loss.nan_to_num(torch.inf).argmin())]


def _attention(layer: Seen, causal: bool) -> dict[str, Tensor]:
    """Measures of one layer's weights, the mean of each replica over rows that see enough."""
    n = layer.scores.shape[-1]
    visible = torch.ones(n, n, dtype=torch.bool)
    if causal:
        visible = visible.tril()
    rows = slice(n // 2, None) if causal else slice(None)
    visible = visible[rows]
    scores = layer.scores[..., rows, :].masked_fill(~visible, -torch.inf)
    weights, count = layer.weights[..., rows, :], visible.sum(-1)
    reference = (1 / count)[:, None]
    mean = scores.masked_fill(~visible, 0).sum(-1, keepdim=True) * reference
    found = {
        "M": measures.multi_modality(weights, scores, mean),
        "S": measures.smooth_sparsity(weights, scores, mean, reference),
        "support": measures.effective_support(weights),
        "zeros": ((weights == 0) & visible).sum(-1) / count,
    }
    return {name: value.flatten(1).nanmean(1) for name, value in found.items()}


def _bends(model: Transformer, seen: list[Seen], logits: Tensor) -> dict[int, dict[str, Tensor]]:
    """What every MultiMax has learned, by layer; 0 is the output."""
    bends = [module for module in model.made if isinstance(module, Bend)]
    layers = [0] if len(bends) == 1 else [*range(1, len(seen) + 1), 0][: len(bends)]
    return {
        layer: _bend(bend, logits if layer == 0 else seen[layer - 1].scores, model)
        for layer, bend in zip(layers, bends, strict=True)
    }


def _bend(bend: Bend, met: Tensor, model: Transformer) -> dict[str, Tensor]:
    """Parameters of a MultiMax, and whether it keeps the order of all scores, and of those met."""
    visible = torch.ones(met.shape[-2:], dtype=torch.bool)
    if model.shape.tokens and met.shape[-1] == met.shape[-2]:
        visible = visible.tril()
    if isinstance(bend, _Centred):
        met = bend.centre(met.masked_fill(~visible, -torch.inf))
    falls = (bend.slope(met) < 0) & visible
    thresholds, coefficients = bend.thresholds.detach(), bend.coefficients.detach()
    alone, kept = nn.MultiMax(), []
    for r, c in zip(thresholds, coefficients, strict=True):
        alone.load_state_dict({"thresholds": r, "coefficients": c})
        kept.append(float(alone.is_monotone()))
    share = visible.float().mean()
    return {
        "order_kept": torch.tensor(kept),
        "falling": falls.flatten(1).float().mean(1) / share,
        **{f"r{k}": thresholds[:, k] for k in range(4)},
        **{f"c{k}": coefficients[:, k] for k in range(4)},
    }


# --- run ------------------------------------------------------------------------------------------


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
    """Tune, train and test every rule on every task.

    Parameters
    ----------
    settings, seeds
        What to run; by default the preset `paper`.
    device
        Has no effect: the models are too small to gain from a GPU.
    jobs
        Processes that share the pairs of rule and task. The table is the same for any number.
    store
        Where the rows of a finished pair are kept.
    progress
        Called with the stage, steps done and steps in all.
    checkpoint_seconds
        Has no effect: a pair takes about a minute.

    Returns
    -------
    A table with columns rule, task, seed, layer, measure and value; layer 0 is the model's output.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    parts = in_processes(
        jobs,
        _run_pair,
        [
            (settings, rule, task, tuple(seeds))
            for task in settings.tasks
            for rule in settings.rules
        ],
        store,
        progress,
    )
    return pd.DataFrame([row for part in parts for row in part])


def _run_pair(
    settings: Settings,
    rule: str,
    name: str,
    seeds: tuple[int, ...],
    store: Store | None,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    task = settings.tasks[name]
    if store is not None:
        alone = replace(settings, rules=(rule,), tasks={name: task})
        store = store.within(settings=asdict(alone), seeds=seeds, text=NUMERICS["text_sha256"])
        if (data := store.read("rows.json")) is not None:
            return list(json.loads(data))
    rate = _tuned(settings, rule, name, progress)
    model, parts = build(rule, task, seeds), _parts(name, task, seeds)
    train(model, parts.batches, task.steps, rate, progress=progress)
    with torch.no_grad(), careful():
        found = {
            0: _judge(model, parts.test)
            | {"rate": torch.tensor([rate] * len(seeds), dtype=torch.double)}
        }
        seen: list[Seen] = []
        logits = model(parts.test[0][:, : task.batch], seen)
        for i, layer in enumerate(seen):
            found[i + 1] = _attention(layer, bool(task.shape.tokens))
        for i, measured in _bends(model, seen, logits).items():
            found[i] |= measured
    rows = [
        {"rule": rule, "task": name, "seed": seed, "layer": layer, "measure": m, "value": value}
        for layer, measured in found.items()
        for m, values in measured.items()
        for seed, value in zip(seeds, values.tolist(), strict=True)
    ]
    if store is not None:
        store.write("rows.json", json.dumps(rows).encode())
    return rows


def published() -> pd.DataFrame:
    """Return an empty table: the paper's figures belong to models a thousand times this size.

    What is known of them, from the authors' code, is the cost: see `COST`.

    >>> len(published())
    0
    """
    return pd.DataFrame(columns=[*KEYS, "measure", "value", "tag"], dtype=object)


def report(ours: Mapping[str, pd.DataFrame]) -> str:
    """Return the part of `sharp show` between its first line and its notes."""
    lines = []
    for name, table in ours.items():
        for task in dict.fromkeys(table.task):
            rows = table[(table.task == task) & table.measure.isin(["loss", "accuracy"])]
            cells = rows.groupby(["rule", "measure"], sort=False).value.agg(["mean", "sem"])
            text = cells["mean"].map("{:.4f}".format) + cells["sem"].map(" ± {:.4f}".format)
            lines += ["", f"{task}: {name}, mean and standard error", text.unstack().to_string()]
    return "\n".join(lines)


COST = pd.DataFrame(
    [
        ("DeiT-small, 12 layers", "ImageNet-1K", 22e6, 96, 0.1887, 0.2120),
        ("Transformer-XL-Base, 18 layers", "One Billion Words", 460e6, 144, 1.949, 2.035),
    ],
    columns=["model", "data", "parameters", "more with MultiMax", "softmax, s", "MultiMax, s"],
)
"""Seconds per step of training that the authors' README gives [code]; 8 parameters per layer."""
