"""Which rule finds the labels of a sample that has several?

A network scores the classes. A rule makes the scores into a set of labels: those whose weight is
above a threshold, or those that r-softmax leaves a weight when its rate is 1 - c/n and a second
head of the network has guessed the count c. The second is the task on which r-softmax was proposed
(arXiv 2304.05243).

**Rules.** Each is a loss and a decision, see `RULES`. Two of them take r-softmax apart: since its
rate keeps exactly the c highest scores (`sharplib.theory.dial.keeps_the_count`), any ranking with a
count head makes the same kind of decision. "softmax, count" trains the ranking with cross-entropy.

**Equal tuning.** Every rule has three learning rates and eleven values of one number for its
decision: the threshold, or a factor of the expected count. Both are chosen for each seed by the
mean F1 of the validation samples. Test samples are looked at once.

**Data.** `make_multilabel_classification` of scikit-learn, drawn anew for each seed; every sample
has a label. The preset "yeast" is a real set, which scikit-learn downloads from OpenML.

**Ours.** The body of the paper is not known to us. Network, optimiser, sizes of the sweep, margin
and tuning are our choices, and so is the pairwise hinge loss as it stands here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.stats import ttest_rel
from sklearn.datasets import fetch_openml, make_multilabel_classification
from torch import Tensor
from torch.nn import functional as F

import sharplib
from sharplib import losses
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
    "RULES",
    "VERSION",
    "Rule",
    "Settings",
    "gains",
    "published",
    "run",
    "yeast",
]

VERSION = 1
KEYS = ("rule", "classes", "labels")
HEADLINE = "f1"
BASELINE = "softmax, threshold"
DEVICES = ("cpu",)


@dataclass(frozen=True)
class Settings:
    """All that decides the figures, apart from the seeds.

    Examples
    --------
    >>> Settings(cells=((4, 8.0),))
    Traceback (most recent call last):
      ...
    ValueError: cells must hold (classes, mean labels) with 1 <= labels < classes, got (4, 8.0)
    """

    cells: tuple[tuple[int, float], ...] = ((10, 4), (20, 4), (40, 4), (20, 2), (20, 8))
    """Numbers of classes, and mean numbers of labels before samples without labels are left out."""
    samples: int = 5_000
    """Of which a fifth is for the test and a fifth of the rest for validation."""
    source: Literal["generated", "yeast"] = "generated"
    width: int = 64
    epochs: int = 20
    batch: int = 128
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)

    def __post_init__(self) -> None:
        at_least(self, samples=25, width=1, epochs=1, batch=1)
        for cell in self.cells:
            if not 1 <= cell[1] < cell[0]:
                raise ValueError(
                    f"cells must hold (classes, mean labels) with 1 <= labels < classes, got {cell}"
                )
        if not self.learning_rates or min(self.learning_rates) <= 0:
            raise ValueError(f"learning_rates must be above 0, got {self.learning_rates!r}")


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(cells=((10, 4),), samples=1_500, learning_rates=(1e-2,)),
            seeds=tuple(range(10)),
        ),
        "paper": Preset(Settings(), seeds=tuple(range(10))),
        "yeast": Preset(
            Settings(cells=((14, 4.2),), samples=2_417, source="yeast"), seeds=tuple(range(10))
        ),
    }
)


# --- Rules ----------------------------------------------------------------------------------------

Loss = Callable[[Tensor, Tensor], Tensor]


def _shares(labels: Tensor) -> Tensor:
    """Equal weights for the labels of a sample."""
    return labels / labels.sum(-1, keepdim=True)


def _hinge(scores: Tensor, labels: Tensor, margin: Any, level: float) -> Tensor:
    """Every label ahead of every other class by the margin; and labels level among themselves."""
    gap = scores[..., :, None] - scores[..., None, :]
    others = 1 - labels
    pairs = labels[..., :, None] * others[..., None, :]
    short = (pairs * F.relu(margin - gap)).sum((-1, -2)) / pairs.sum((-1, -2)).clamp_min(1)
    if not level:
        return short
    alike = labels[..., :, None] * labels[..., None, :]
    return short + level * (alike * gap.abs()).sum((-1, -2)) / alike.sum((-1, -2))


def _projected_hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """0 exactly where sparsemax gives the labels equal shares and the others nothing."""
    return _hinge(scores, labels, 1 / labels.sum(-1)[..., None, None], level=1.0)


def _hourglass_scale(scores: Tensor, q: float = 1.0) -> Tensor:
    n = scores.shape[-1]
    return (1 + n * q) / (scores.sum(-1, keepdim=True).abs() + n * q)


_THRESHOLDS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)
_PROBABILITIES = tuple((5 + 3 * i) / 50 for i in range(11))
_FACTORS = tuple((7 + i) / 10 for i in range(11))


class Rule(NamedTuple):
    """How scores become labels, and what the network is trained on."""

    loss: Loss
    """Of scores and labels, one number for each sample."""
    weights: Callable[[Tensor], Tensor] | None
    """Labels are the classes with a weight above a threshold. None: those that r-softmax keeps."""
    choices: tuple[float, ...]
    """Thresholds, or what the expected count is multiplied by."""


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "softmax, threshold": Rule(
            lambda x, y: losses.softmax_loss(x, _shares(y)), sharplib.softmax, _THRESHOLDS
        ),
        "sparsemax, threshold": Rule(
            lambda x, y: losses.sparsemax_loss(x, _shares(y)), sharplib.sparsemax, _THRESHOLDS
        ),
        "entmax-1.5, threshold": Rule(
            lambda x, y: losses.entmax15_loss(x, _shares(y)), sharplib.entmax15, _THRESHOLDS
        ),
        "sparsemax, hinge": Rule(_projected_hinge, sharplib.sparsemax, _THRESHOLDS),
        "sparsehourglass, hinge": Rule(
            lambda x, y: _projected_hinge(_hourglass_scale(x) * x, y),
            lambda x: sharplib.sparsehourglass(x, q=1.0),
            _THRESHOLDS,
        ),
        "r-softmax": Rule(lambda x, y: _hinge(x, y, 1.0, level=0.0), None, _FACTORS),
        "softmax, count": Rule(lambda x, y: losses.softmax_loss(x, _shares(y)), None, _FACTORS),
        "sigmoid, threshold": Rule(
            lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none").sum(-1),
            torch.sigmoid,
            _PROBABILITIES,
        ),
    }
)
"""By name; each has eleven choices."""


def _decide(rule: Rule, scores: Tensor, counts: Tensor, choice: float) -> Tensor:
    """Which classes are labels, from scores and from the weights of the counts 1 to n."""
    if rule.weights is not None:
        return rule.weights(scores) > choice
    n = scores.shape[-1]
    expected = (counts * torch.arange(1, n + 1)).sum(-1, keepdim=True)
    kept = (expected * choice).round().clamp(1, n)
    return sharplib.rsoftmax(scores.double(), (1 - kept.double() / n)) > 0


# --- Data -----------------------------------------------------------------------------------------


class _Part(NamedTuple):
    inputs: Tensor  # (seeds, samples, features)
    labels: Tensor  # (seeds, samples, classes), 0 or 1


def yeast() -> tuple[np.ndarray, np.ndarray]:
    """Return 2,417 yeast genes: 103 numbers for each, and which of 14 functions it has.

    Downloads the set from OpenML (name "yeast", version 4) through scikit-learn, which checks the
    file against its checksum and keeps it.

    Raises
    ------
    ValueError
        What arrives has another shape, or other labels than TRUE and FALSE.
    """
    found = fetch_openml("yeast", version=4, as_frame=False, parser="liac-arff")
    inputs, labels = np.asarray(found.data, dtype=np.float64), np.asarray(found.target)
    if inputs.shape != (2417, 103) or labels.shape != (2417, 14):
        raise ValueError(
            f"yeast must be 2417 x 103 and 2417 x 14, got {inputs.shape}, {labels.shape}"
        )
    if set(np.unique(labels)) != {"FALSE", "TRUE"}:
        raise ValueError(f"labels of yeast must be TRUE or FALSE, got {np.unique(labels)}")
    return inputs, (labels == "TRUE").astype(np.int64)


def _samples(
    settings: Settings, cell: tuple[int, float], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    if settings.source == "generated":
        return make_multilabel_classification(
            settings.samples,
            n_classes=cell[0],
            n_labels=cell[1],
            allow_unlabeled=False,
            random_state=np.random.RandomState([seed, cell[0], round(10 * cell[1])]),
        )
    inputs, labels = yeast()
    order = np.random.default_rng(seed).permutation(len(inputs))[: settings.samples]
    return inputs[order], labels[order]


def _split(
    settings: Settings, cell: tuple[int, float], seeds: Sequence[int]
) -> tuple[_Part, _Part, _Part]:
    """Training, validation and test, the inputs in units of the training's scatter."""
    parts: list[list[tuple[np.ndarray, np.ndarray]]] = [[], [], []]
    for seed in seeds:
        inputs, labels = _samples(settings, cell, seed)
        test = len(inputs) // 5
        check = (len(inputs) - test) // 5
        first = inputs[test + check :]
        inputs = (inputs - first.mean(0)) / np.maximum(first.std(0), 1e-6)
        edges = (slice(test + check, None), slice(test, test + check), slice(test))
        for part, edge in zip(parts, edges, strict=True):
            part.append((inputs[edge], labels[edge]))
    return tuple(  # type: ignore[return-value]
        _Part(
            *(torch.tensor(np.stack(each), dtype=torch.float32) for each in zip(*part, strict=True))
        )
        for part in parts
    )


# --- Training -------------------------------------------------------------------------------------


class _Models:
    """A network for each rule, learning rate and seed: one hidden layer, scores and counts."""

    def __init__(self, settings: Settings, features: int, classes: int, seeds: Sequence[int]):
        self.shape = (len(RULES), len(settings.learning_rates), len(seeds))
        sizes = ((features, settings.width), (settings.width, 2 * classes))
        self.parameters: list[Tensor] = []
        for fan_in, fan_out in sizes:
            drawn = []
            for seed in seeds:  # all rules and rates of a seed begin alike
                generator = torch.Generator().manual_seed(seed)
                bound = fan_in**-0.5
                drawn.append(bound * (2 * torch.rand(fan_in + 1, fan_out, generator=generator) - 1))
            start = torch.stack(drawn).repeat(len(RULES) * len(settings.learning_rates), 1, 1)
            self.parameters.append(start.requires_grad_())
        self.rates = torch.tensor(settings.learning_rates).repeat_interleave(len(seeds))
        self.rates = self.rates.repeat(len(RULES))[:, None, None]
        self.moments = [[torch.zeros_like(p), torch.zeros_like(p)] for p in self.parameters]
        self.steps = 0

    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and scores of the counts: (rules, rates, seeds, samples, classes)."""
        models = len(self.parameters[0])
        x = inputs.repeat(models // len(inputs), 1, 1)
        for layer, p in enumerate(self.parameters):
            x = torch.baddbmm(p[:, -1:], F.relu(x) if layer else x, p[:, :-1])
        x = x.view(*self.shape, *x.shape[1:])
        scores, counts = x.chunk(2, -1)
        return scores, counts

    def step(self) -> None:
        """Adam, with each model's own learning rate."""
        self.steps += 1
        with torch.no_grad():
            for p, (mean, square) in zip(self.parameters, self.moments, strict=True):
                assert p.grad is not None
                mean.lerp_(p.grad, 0.1)
                square.lerp_(p.grad.square(), 0.001)
                size = (square / (1 - 0.999**self.steps)).sqrt_().add_(1e-8)
                p -= self.rates / (1 - 0.9**self.steps) * mean / size
                p.grad = None


def _train(
    settings: Settings,
    cell: tuple[int, float],
    seeds: Sequence[int],
    data: _Part,
    progress: Progress | None,
) -> _Models:
    models = _Models(settings, data.inputs.shape[-1], cell[0], seeds)
    samples = data.inputs.shape[1]
    generator = torch.Generator().manual_seed(0)  # the order of samples: the data differ anyway
    name = f"{cell[0]} classes, {cell[1]:g} labels"
    for epoch in range(settings.epochs):
        if progress is not None:
            progress(name, epoch, settings.epochs)
        for some in torch.randperm(samples, generator=generator).split(settings.batch):
            inputs, labels = data.inputs[:, some], data.labels[:, some]
            scores, counts = models(inputs)
            total = scores.new_zeros(())
            for i, rule in enumerate(RULES.values()):
                wanted = labels.expand_as(scores[i])
                loss = rule.loss(scores[i], wanted)
                if rule.weights is None:
                    number = wanted.sum(-1).long() - 1
                    loss = loss + F.cross_entropy(
                        counts[i].flatten(0, -2), number.flatten(), reduction="none"
                    ).view_as(loss)
                total = total + loss.mean(-1).sum()
            total.backward()
            models.step()
    if progress is not None:
        progress(name, settings.epochs, settings.epochs)
    return models


# --- Measures -------------------------------------------------------------------------------------


def _f1(found: Tensor, labels: Tensor) -> Tensor:
    """Mean over samples of 2 |found and right| / (|found| + |right|)."""
    hits = (found * labels).sum(-1)
    return (2 * hits / (found.sum(-1) + labels.sum(-1))).mean(-1)


def _measures(found: Tensor, labels: Tensor) -> dict[str, Tensor]:
    hits = (found * labels).sum((-1, -2))
    return {
        "f1": _f1(found, labels),
        "micro_f1": 2 * hits / (found.sum((-1, -2)) + labels.sum((-1, -2))),
        "right_count": (found.sum(-1) == labels.sum(-1)).float().mean(-1),
        "kept": found.sum(-1).mean(-1),
    }


def _judge(
    settings: Settings,
    cell: tuple[int, float],
    seeds: Sequence[int],
    models: _Models,
    check: _Part,
    test: _Part,
) -> list[dict[str, Any]]:
    """Choose on the validation samples, measure on those of the test."""
    (scores, counts), (later, later_counts) = models(check.inputs), models(test.inputs)
    rows = []
    for i, (name, rule) in enumerate(RULES.items()):
        tried = torch.stack(
            [
                _f1(_decide(rule, scores[i], counts[i].softmax(-1), choice).float(), check.labels)
                for choice in rule.choices
            ]
        )  # (choices, rates, seeds)
        for s, seed in enumerate(seeds):
            best = int(tried[:, :, s].argmax())
            choice, rate = divmod(best, len(settings.learning_rates))
            found = _decide(
                rule, later[i, rate, s], later_counts[i, rate, s].softmax(-1), rule.choices[choice]
            )
            values = {
                measure: float(value)
                for measure, value in _measures(found.float(), test.labels[s]).items()
            }
            values["learning_rate"] = settings.learning_rates[rate]
            values["choice"] = rule.choices[choice]
            common = {"classes": cell[0], "labels": cell[1], "rule": name, "seed": seed}
            rows += [{**common, "measure": m, "value": v} for m, v in values.items()]
    return rows


# --- The study ------------------------------------------------------------------------------------


def _run_cell(
    settings: Settings,
    cell: tuple[int, float],
    seeds: tuple[int, ...],
    store: Store | None,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    if store is not None:
        store = store.within(settings=asdict(replace(settings, cells=(cell,))), seeds=seeds)
        if (data := store.read("rows.json")) is not None:
            return list(json.loads(data))
    train, check, test = _split(settings, cell, seeds)
    with careful():
        models = _train(settings, cell, seeds, train, progress)
        with torch.inference_mode():
            rows = _judge(settings, cell, seeds, models, check, test)
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
    """Train and test every rule on every cell of the sweep.

    Parameters
    ----------
    settings, seeds
        What to run; by default the preset `paper`.
    device
        Has no effect: the networks are small, and a CPU is quick.
    jobs
        Processes that share the cells. The table is the same for any number of them.
    store
        Where the rows of a finished cell are kept.
    progress
        Called with the cell, epochs done and epochs in all.
    checkpoint_seconds
        Has no effect here: a cell takes a minute or two.

    Returns
    -------
    A table with columns classes, labels, rule, seed, measure and value. Measures of the test:
    `f1`, the mean over samples; `micro_f1`, over all pairs of sample and class; `right_count`, the
    share of samples with as many labels as there are; `kept`, the mean number of labels found. And
    what was chosen: `learning_rate`, `choice`.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    parts = in_processes(
        jobs,
        _run_cell,
        [(settings, cell, tuple(seeds)) for cell in settings.cells],
        store,
        progress,
    )
    return pd.DataFrame([row for part in parts for row in part])


def published() -> pd.DataFrame:
    """Return an empty table: of the paper's figures none was seen.

    Examples
    --------
    >>> len(published())
    0
    """
    return pd.DataFrame(columns=[*KEYS, "measure", "value", "tag"], dtype=object)


def gains(table: pd.DataFrame, measure: str = HEADLINE) -> pd.DataFrame:
    """Return how much better each rule is than `BASELINE`, seed by seed.

    Returns
    -------
    A table with the columns `KEYS`, gain (the mean difference), low and high (the ends of its 95 %
    interval, from Student's t over seeds) and p_value (two-sided, paired).

    Examples
    --------
    >>> cell = {"classes": 10, "labels": 4, "measure": "f1"}
    >>> rows = [{**cell, "rule": BASELINE, "seed": s, "value": 0.5} for s in (0, 1, 2)]
    >>> rows += [{**cell, "rule": "other", "seed": s, "value": 0.6 + s / 100} for s in (0, 1, 2)]
    >>> found = gains(pd.DataFrame(rows))
    >>> found[["gain", "low", "high", "p_value"]].round(3).values.tolist()
    [[0.11, 0.085, 0.135, 0.003]]
    """
    wide = table[table.measure == measure].pivot_table(
        "value", ["classes", "labels", "seed"], "rule", sort=False
    )
    rows = []
    for classes, labels in table[["classes", "labels"]].drop_duplicates().itertuples(index=False):
        block = wide.loc[(classes, labels)]
        for rule in block.columns.drop(BASELINE):
            test = ttest_rel(block[rule], block[BASELINE])
            low, high = test.confidence_interval(0.95)
            gain = (block[rule] - block[BASELINE]).mean()
            rows.append((rule, classes, labels, gain, low, high, test.pvalue))
    return pd.DataFrame(rows, columns=[*KEYS, "gain", "low", "high", "p_value"])
