"""Does it help to train a head with the sparse map that it will use?

The heads, the task and the test sets are those of the study of max retrieval. What differs is the
map that turns logits into weights while a head is trained: softmax, entmax with alpha 1.5,
sparsemax, and entmax with an alpha that each head learns. Every head is then tested with the map of
its training, with softmax, with sparsemax, and with the hard maximum.

**Tuning.** Every map gets the same learning rates. The one whose heads are right most often with
their own map, on sets of the training's largest size that no test uses, goes into the test; of
equals the smaller one.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from types import MappingProxyType

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from sharplib import entmax, measures, softmax, sparsemax
from sharplib.nn import AdaptiveEntmax
from sharplib.studies import max_retrieval
from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval import Heads, Sets, Training
from sharplib.studies.max_retrieval import data as _data
from sharplib.studies.max_retrieval._numerics import careful
from sharplib.studies.max_retrieval.evaluation import slabs
from sharplib.studies.max_retrieval.training import learning_rate

__all__ = [
    "BASELINE",
    "HEADLINE",
    "KEYS",
    "LEARNED",
    "MAPS",
    "NUMERICS",
    "PRESETS",
    "VERSION",
    "Settings",
    "published",
    "run",
]

VERSION = 1
KEYS = ("map", "rule", "size")
HEADLINE = "accuracy"
BASELINE = None
NUMERICS = max_retrieval.NUMERICS

LEARNED = "entmax, learned alpha"
MAPS: Mapping[str, float | None] = MappingProxyType(
    {"softmax": 1.0, "entmax 1.5": 1.5, "sparsemax": 2.0, LEARNED: None}
)
"""The maps of the training, by their alpha; None is learned, from 1.5 on."""


_TRAINING = Training(width=32, steps=5_000, schedule="cosine", weight_decay=0.33, seeds_together=10)


@dataclass(frozen=True)
class Settings:
    """How heads are trained, but for map and learning rate, and on what they are tested."""

    training: Training = _TRAINING
    maps: tuple[str, ...] = tuple(MAPS)
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    validation_sets: int = 2048
    sizes: tuple[int, ...] = (16, 64, 256, 1024, 4096, 16384)
    test_sets: int = 512

    def __post_init__(self) -> None:
        if not self.maps or any(name not in MAPS for name in self.maps):
            raise ValueError(f"maps must be among {', '.join(MAPS)}; got {self.maps!r}")
        if not self.learning_rates or min(self.learning_rates) <= 0:
            raise ValueError(f"learning_rates must be positive, got {self.learning_rates!r}")
        if min(self.sizes, default=0) < 2:
            raise ValueError(f"sizes must hold numbers of items from 2 on, got {self.sizes!r}")
        at_least(self, validation_sets=1, test_sets=1)


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(
                Training(
                    width=16, steps=600, schedule="cosine", weight_decay=0.33, seeds_together=2
                ),
                maps=("softmax", "sparsemax"),
                learning_rates=(1e-2,),
                validation_sets=64,
                sizes=(16, 256, 1024),
                test_sets=64,
            ),
            seeds=(0, 1),
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
    """Train heads with every map and learning rate, choose the rates, and test.

    Arguments and errors are those of the study of max retrieval; what is kept is a trained group.

    Returns
    -------
    A table with columns map, learning_rate, seed, size, rule, measure, value and sets. For every
    learning rate: `validation`, the accuracy under the rule "as trained" on sets that no test uses.
    For the chosen one, at every size and under the rules "as trained", "softmax", "sparsemax" and
    "hard maximum": `accuracy`, `top_weight` and `support` (items with weight); under "logits" their
    `spread`; and once for each head its `alpha`.
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    parts = [
        (settings, name, rate, group, device)
        for name in settings.maps
        for rate in sorted(settings.learning_rates)
        for group in max_retrieval.groups(settings.training, seeds)
    ]
    trained = pd.concat(in_processes(jobs, _train, parts, store, progress), ignore_index=True)
    means = trained.groupby(["map", "learning_rate"], sort=False).value.mean().unstack()
    chosen = means.idxmax(axis=1)
    parts = [
        (settings, name, float(chosen[name]), group, device)
        for name in settings.maps
        for group in max_retrieval.groups(settings.training, seeds)
    ]
    tested = in_processes(jobs, _test, parts, store, progress)
    return pd.concat([trained, *tested], ignore_index=True)[
        ["map", "learning_rate", "seed", "size", "rule", "measure", "value", "sets"]
    ]


def published() -> pd.DataFrame:
    """Return no rows: nobody has published these figures.

    Examples
    --------
    >>> len(published())
    0
    """
    return pd.DataFrame(columns=[*KEYS, "measure", "value", "tag"])


class _Group:
    """Heads of several seeds with their map, trained as one batched model."""

    def __init__(self, training: Training, name: str, seeds: Sequence[int], device: str) -> None:
        self.training, self.seeds, self.device = training, tuple(seeds), device
        heads = max_retrieval.initial(training, seeds, device)
        self.heads = heads
        self.alpha = MAPS[name]
        self.learned = AdaptiveEntmax((len(self.seeds), 1, 1)).to(device)

    def weigh(self, logits: Tensor) -> Tensor:
        """The weights of logits (seeds, sets, items)."""
        if self.alpha == 1:
            return softmax(logits)
        return self.learned(logits) if self.alpha is None else entmax(logits, self.alpha)

    @property
    def alphas(self) -> Tensor:
        """One alpha for each seed."""
        if self.alpha is None:
            return self.learned.alpha.detach().flatten()
        return torch.full((len(self.seeds),), self.alpha)

    def state(self) -> bytes:
        file = io.BytesIO()
        torch.save([dict(self.heads.weights), self.learned.state_dict()], file)
        return file.getvalue()

    def load(self, state: bytes) -> None:
        weights, learned = torch.load(io.BytesIO(state), map_location=self.device)
        self.heads = Heads(self.seeds, weights)
        self.learned.load_state_dict(learned)

    def train(self, progress: Progress | None) -> None:
        """Train to the last step."""
        training, parameters = self.training, list(self.heads.weights.values())
        for weight in parameters:
            weight.requires_grad_()
        # Decay would draw a learned alpha to 1.5.
        groups = [{"params": parameters}, {"params": [self.learned.logit], "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(
            groups, training.learning_rate, weight_decay=training.weight_decay, fused=True
        )
        step = 0
        while step < training.steps:
            batches = _data.training_batches(training, self.seeds, step // _data.CHUNK, self.device)
            for sets in islice(batches, training.steps - step):
                # The sum over seeds, so that each gets the gradient that it would get alone.
                loss = cross_entropy(self._scores(sets).flatten(0, 1), sets.answer.flatten()) * len(
                    self.seeds
                )
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(training, step)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
            if progress is not None:
                progress("training", step, training.steps)
        for weight in parameters:
            weight.requires_grad_(False)

    def _scores(self, sets: Sets) -> Tensor:
        features = self.heads.features(sets.priority, sets.kind)
        features = features.unflatten(1, sets.priority.shape[1:])
        logits = torch.einsum("rsnm,rsm->rsn", features, self.heads.queries(sets.query))
        return self.heads.read(torch.einsum("rsn,rsnm->rsm", self.weigh(logits), features))


def _rows(group: _Group, size: int, rule: str, measure: str, values: Tensor, sets: int) -> list:
    return [
        {"seed": s, "size": size, "rule": rule, "measure": measure, "value": v, "sets": sets}
        for s, v in zip(group.seeds, values.tolist(), strict=True)
    ]


def _trained(
    settings: Settings,
    name: str,
    rate: float,
    seeds: Sequence[int],
    device: str,
    store: Store | None,
    progress: Progress | None,
) -> _Group:
    training = Training(**{**asdict(settings.training), "learning_rate": rate})
    group = _Group(training, name, seeds, device)
    if store is not None:
        store = store.within(training=asdict(training), map=name, seeds=tuple(seeds))
        if (state := store.read("heads.pt")) is not None:
            group.load(state)
            return group
    with careful():
        group.train(progress)
    if store is not None:
        store.write("heads.pt", group.state())
    return group


def _train(
    settings: Settings,
    name: str,
    rate: float,
    seeds: tuple[int, ...],
    device: str,
    store: Store | None,
    progress: Progress | None,
) -> pd.DataFrame:
    """Train a group, and see how often it is right on sets that no test uses."""
    group = _trained(settings, name, rate, seeds, device, store, progress)
    size = settings.training.largest_set
    rows = _look(settings, group, size, settings.validation_sets, _data.REFERENCE, {})
    rows = [row | {"measure": "validation"} for row in rows if row["measure"] == "accuracy"]
    return pd.DataFrame(rows).assign(map=name, learning_rate=rate)


def _test(
    settings: Settings,
    name: str,
    rate: float,
    seeds: tuple[int, ...],
    device: str,
    store: Store | None,
    progress: Progress | None,
) -> pd.DataFrame:
    group = _trained(settings, name, rate, seeds, device, store, progress)
    if store is not None:
        store = store.within(testing=asdict(settings), map=name, rate=rate, seeds=seeds)
    others = {"softmax": softmax, "sparsemax": sparsemax, "hard maximum": _hard_maximum}
    rows: list[dict] = []
    for done, size in enumerate(settings.sizes):
        piece = f"size-{size}.json"
        if store is not None and (data := store.read(piece)) is not None:
            rows += json.loads(data)
            continue
        new = _look(settings, group, size, settings.test_sets, _data.TEST, others)
        if store is not None:
            store.write(piece, json.dumps(new).encode())
        rows += new
        if progress is not None:
            progress("testing", done + 1, len(settings.sizes))
    rows += _rows(group, settings.training.largest_set, "as trained", "alpha", group.alphas, 1)
    return pd.DataFrame(rows).assign(map=name, learning_rate=rate)


def _hard_maximum(logits: Tensor) -> Tensor:
    return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)


def _look(
    settings: Settings,
    group: _Group,
    size: int,
    count: int,
    purpose: int,
    others: Mapping[str, Callable[[Tensor], Tensor]],
) -> list[dict]:
    """Rows of the table for `count` sets of one size."""
    rules = {"as trained": group.weigh, **others}
    sums: dict[tuple[str, str], Tensor] = {}
    with torch.inference_mode(), careful():
        for indices in slabs(count, size, 2**12):
            sets = _data.draw(settings.training, group.seeds, size, indices, group.device, purpose)
            logits = group.heads.logits(sets)
            weights = torch.stack([rule(logits) for rule in rules.values()])
            right = group.heads.classify(sets, weights).argmax(-1) == sets.answer
            found = {
                "accuracy": right,
                "top_weight": measures.top_weight(weights),
                "support": (weights > 0).sum(-1),
            }
            for measure, values in found.items():
                for rule, each in zip(rules, values, strict=True):
                    sums[rule, measure] = sums.get((rule, measure), 0) + each.double().sum(-1)
            spread = measures.spread(logits).double().sum(-1)
            sums["logits", "spread"] = sums.get(("logits", "spread"), 0) + spread
    return [
        row
        for (rule, measure), total in sums.items()
        for row in _rows(group, size, rule, measure, total.cpu() / count, count)
    ]
