"""Max retrieval: say which class the largest of n items has.

One attention head learns it on sets of at most 16 items and is then shown sets of thousands. This
is the central experiment of Veličković et al., "softmax is not enough (for sharp
out-of-distribution)", arXiv 2410.01104, section 3 and Table 1.

**Task.** An item has a priority, uniform in (0, 1), and one of ten classes. The query is one random
number that says nothing. The answer is the class of the item with the largest priority.

**Model.** Items and query pass through an MLP each (linear, GELU, linear), meet in one attention
head, and a third MLP reads the class from what the head returns. No residual, normalisation or
position. All widths are equal.

**Choices where the paper is silent, or not known to us.** AdamW, so that weight decay is decoupled.
One set size for each batch, uniform in 5 ... 16 and common to all seeds. A constant learning rate.
Biases everywhere but on the keys, where softmax would not feel one. Weights and biases start
uniform in ±1/sqrt(fan-in). Priorities in float32: with 24 bits the two largest of n items tie in
about n/2^24 of the sets, which the measure `ties` counts; the first of them is then the answer.

**Numbers.** Every set of items is a function of (seed, what it is for, index) and of nothing else:
no random state is carried along, so a run can stop and go on anywhere, a seed sees the same data
alone or among others, and all devices see the same data. On a CPU the work is done by one thread,
so that sums are added in one order on every machine; use several processes to use several cores.
"""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from math import log, sqrt
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, gelu, one_hot

from sharplib import adaptive_softmax, entropy_matched_softmax, measures, softmax
from sharplib.studies._record import Progress
from sharplib.studies._storage import Store

__all__ = [
    "HEADLINE",
    "KEYS",
    "NUMERICS",
    "PRESETS",
    "RULES",
    "VERSION",
    "Heads",
    "Preset",
    "Profile",
    "Sets",
    "Settings",
    "draw",
    "evaluate",
    "initial",
    "profile",
    "published",
    "run",
    "train",
    "weights_by_rank",
]

VERSION = 1
KEYS = ("rule", "size")
HEADLINE = "accuracy"
NUMERICS = MappingProxyType({"precision": "float32", "cpu_threads": 1})


# --- Rules: logits -> weights --------------------------------------------------------------------


class Known(NamedTuple):
    """What a rule may know of the training."""

    entropy: Tensor
    """Mean entropy in nats of each head under plain softmax, on sets of `size`: (seeds, 1, 1)."""
    size: int
    """Items in the largest sets of the training."""


def _hardmax(logits: Tensor, _known: Known) -> Tensor:
    top = logits.argmax(-1, keepdim=True)
    return torch.zeros_like(logits).scatter_(-1, top, 1.0)


def _cool(logits: Tensor, temperature: float) -> Tensor:
    return softmax(logits, temperature=temperature)


RULES: Mapping[str, Callable[[Tensor, Known], Tensor]] = MappingProxyType(
    {
        "softmax": lambda logits, known: softmax(logits),
        "adaptive": lambda logits, known: adaptive_softmax(logits),
        "entropy-matched": lambda logits, known: entropy_matched_softmax(logits, known.entropy),
        "log n": lambda logits, known: _cool(logits, log(known.size) / log(logits.shape[-1])),
        "n": lambda logits, known: _cool(logits, known.size / logits.shape[-1]),
        "hard maximum": _hardmax,
    }
)
"""Ways to turn the logits of a trained head, (seeds, sets, items), into weights that sum to 1.

The rules "log n" and "n" divide the temperature by that function of the number of items, so that it
is 1 at the size of the training.
"""


# --- Settings ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """All that decides the figures, apart from the seeds. The defaults are the paper's.

    Examples
    --------
    >>> Settings(width=64).width
    64
    >>> Settings(steps=-1)
    Traceback (most recent call last):
      ...
    ValueError: steps must be at least 0, got -1
    """

    classes: int = 10
    width: int = 128
    steps: int = 100_000
    batch: int = 128
    smallest_training_set: int = 5
    largest_training_set: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    sizes: tuple[int, ...] = tuple(2**k for k in range(4, 15))
    test_sets: int = 1024
    """Test sets per seed and size ..."""
    test_items: int = 2**24
    """... but no more than make this many items (and at least one set)."""
    seeds_together: int = 5
    """Seeds trained as one batched model. It can change the last digits, so it is a setting."""
    rules: tuple[str, ...] = tuple(RULES)

    def __post_init__(self) -> None:
        at_least = {
            "classes": 2,
            "width": 1,
            "steps": 0,
            "batch": 1,
            "smallest_training_set": 1,
            "largest_training_set": max(2, self.smallest_training_set),
            "learning_rate": 0,
            "weight_decay": 0,
            "test_sets": 1,
            "test_items": 1,
            "seeds_together": 1,
        }
        for name, least in at_least.items():
            value = getattr(self, name)
            if not value >= least:
                raise ValueError(f"{name} must be at least {least}, got {value!r}")
        if self.classes > 255:
            raise ValueError(f"classes must be at most 255, got {self.classes!r}")
        if not self.sizes or min(self.sizes) < 2:
            raise ValueError(f"sizes must hold numbers of items from 2 on, got {self.sizes!r}")
        unknown = [rule for rule in self.rules if rule not in RULES]
        if unknown or not self.rules:
            raise ValueError(f"rules must be among {', '.join(RULES)}; got {self.rules!r}")

    def sets(self, size: int) -> int:
        """Test sets of `size` items for each seed."""
        return max(1, min(self.test_sets, self.test_items // size))


class Preset(NamedTuple):
    """Settings with a name, and the seeds that go with them."""

    settings: Settings
    seeds: tuple[int, ...]


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "quick": Preset(
            Settings(
                width=64,
                steps=5_000,
                sizes=tuple(2**k for k in range(4, 13)),
                test_sets=256,
                rules=("softmax", "adaptive", "entropy-matched", "hard maximum"),
            ),
            seeds=(0, 1, 2),
        ),
        "paper": Preset(Settings(), seeds=tuple(range(10))),
    }
)


# --- Data ----------------------------------------------------------------------------------------

# What a random stream is for. The stream is named by (seed, purpose, index, ...).
_INITIAL, _TRAINING, _REFERENCE, _TEST, _SIZES = range(5)
_CHUNK = 100  # training steps whose data are drawn at once


class Sets(NamedTuple):
    """A batch of sets of items, for each seed."""

    priority: Tensor  # (seeds, sets, items), float32 in [0, 1)
    kind: Tensor  # (seeds, sets, items), the class as uint8
    query: Tensor  # (seeds, sets, 1), float32 in [0, 1)

    @property
    def maximum(self) -> Tensor:
        """Index of the item with the largest priority, the first of equals: (seeds, sets, 1)."""
        return self.priority.argmax(-1, keepdim=True)

    @property
    def answer(self) -> Tensor:
        """Class of that item, (seeds, sets)."""
        return self.kind.gather(-1, self.maximum)[..., 0].long()


def _random(seed: int, *purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))


def _draw(rng: np.random.Generator, sets: int, items: int, classes: int) -> Any:
    priority = rng.random((sets, items), dtype=np.float32)
    kind = rng.integers(classes, size=(sets, items), dtype=np.uint8)
    return priority, kind, rng.random((sets, 1), dtype=np.float32)


def _stack(drawn: Sequence[Any], device: str | torch.device) -> Sets:
    return Sets(*(torch.from_numpy(np.stack(part)).to(device) for part in zip(*drawn, strict=True)))


def draw(
    settings: Settings,
    seeds: Sequence[int],
    size: int,
    indices: Sequence[int],
    device: str | torch.device = "cpu",
    purpose: int = _TEST,
) -> Sets:
    """Return the test sets with the given indices, the same at every call.

    Parameters
    ----------
    settings
        Only `classes` matters here.
    seeds, size, indices
        For each seed the sets number `indices` among the sets of `size` items.

    Returns
    -------
    Sets of shape (len(seeds), len(indices), size).

    Examples
    --------
    >>> sets = draw(Settings(), seeds=[0], size=4, indices=[7])
    >>> sets.priority.shape, bool(sets.priority.max() < 1)
    (torch.Size([1, 1, 4]), True)
    """
    return _stack(
        [
            [
                np.concatenate(part)
                for part in zip(
                    *(
                        _draw(_random(seed, purpose, size, index), 1, size, settings.classes)
                        for index in indices
                    ),
                    strict=True,
                )
            ]
            for seed in seeds
        ],
        device,
    )


def _training_batches(
    settings: Settings, seeds: Sequence[int], chunk: int, device: str | torch.device
) -> Iterator[Sets]:
    """The batches of one chunk of `_CHUNK` steps."""
    # The largest size is drawn for every batch, and a batch takes what it needs of it.
    sizes = _random(0, _SIZES, chunk).integers(
        settings.smallest_training_set, settings.largest_training_set + 1, _CHUNK
    )
    drawn = _stack(
        [
            _draw(
                _random(seed, _TRAINING, chunk),
                _CHUNK * settings.batch,
                settings.largest_training_set,
                settings.classes,
            )
            for seed in seeds
        ],
        device,
    )
    for step, size in enumerate(sizes):
        batch = slice(step * settings.batch, (step + 1) * settings.batch)
        yield Sets(
            drawn.priority[:, batch, :size], drawn.kind[:, batch, :size], drawn.query[:, batch]
        )


# --- Model ---------------------------------------------------------------------------------------


class _Attend(torch.autograd.Function):
    """Mean of the items under softmax(<query, item>): query (b, m), items (b, n, m) -> (b, m).

    Keys and values are the same here, so that the two rank-one terms of the gradient in the items
    become one product of matrices. That is half the time of a training step.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, items: Tensor) -> Tensor:
        weights = torch.softmax(torch.bmm(query[:, None], items.mT), -1)
        ctx.save_for_backward(query, items, weights)
        return torch.bmm(weights, items)[:, 0]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        query, items, weights = ctx.saved_tensors
        grad, query = grad[:, None], query[:, None]
        by_weight = torch.bmm(grad, items.mT)
        by_logit = weights * (by_weight - (weights * by_weight).sum(-1, keepdim=True))
        left = torch.cat([weights, by_logit], 1).mT
        return torch.bmm(by_logit, items)[:, 0], torch.bmm(left, torch.cat([grad, query], 1))


@dataclass(frozen=True)
class Heads:
    """One model per seed, all in one: every weight has the seeds as its first dimension.

    The item MLP ends in a linear map, and so do keys and values begin with one. Linear maps can
    change places with a weighted mean, so three of them, and the scale of the logits, are folded
    into the query or wait until after the mean, and no item ever meets a (width, width) matrix.
    That leaves the function as it was, with about a tenth of the work.
    """

    seeds: tuple[int, ...]
    weights: Mapping[str, Tensor]

    def features(self, priority: Tensor, kind: Tensor) -> Tensor:
        """Hidden layer of the item MLP: (seeds, sets, items) -> (seeds, sets * items, width)."""
        w = self.weights
        classes = w["item_in"].shape[1] - 1
        x = torch.cat([priority[..., None], one_hot(kind.long(), classes)], -1).flatten(1, 2)
        return gelu(torch.baddbmm(w["item_in_bias"], x, w["item_in"]))

    def queries(self, query: Tensor) -> Tensor:
        """What a feature is multiplied with to give its logit: (seeds, sets, width).

        Logits leave out what all items of a set share, which no rule here can feel.
        """
        w = self.weights
        hidden = gelu(torch.baddbmm(w["query_in_bias"], query, w["query_in"]))
        hidden = torch.baddbmm(w["query_out_bias"], hidden, w["query_out"])
        asked = torch.baddbmm(w["q_bias"], hidden, w["q"])
        return asked @ w["k"].mT @ w["item_out"].mT / sqrt(w["k"].shape[-1])

    def read(self, pooled: Tensor) -> Tensor:
        """Class logits from the weighted mean of features: (seeds, sets, width) -> classes.

        The weights of the mean must sum to 1.
        """
        w = self.weights
        item = torch.baddbmm(w["item_out_bias"], pooled, w["item_out"])
        value = torch.baddbmm(w["v_bias"], item, w["v"])
        hidden = gelu(torch.baddbmm(w["read_in_bias"], value, w["read_in"]))
        return torch.baddbmm(w["read_out_bias"], hidden, w["read_out"])

    def logits(self, sets: Sets, block: int = 2**12) -> Tensor:
        """Attention logits (seeds, sets, items), up to a constant for each set."""
        queries = self.queries(sets.query)
        parts = [
            torch.einsum("rsnm,rsm->rsn", features, queries)
            for _, features in self._blocks(sets, block)
        ]
        return torch.cat(parts, -1)

    def classify(self, sets: Sets, weights: Tensor, block: int = 2**12) -> Tensor:
        """Class logits under given weights: (..., seeds, sets, items) -> (..., sets, classes)."""
        pooled: Tensor | float = 0.0
        for where, features in self._blocks(sets, block):
            pooled = pooled + torch.einsum("krsn,rsnm->krsm", weights[..., where], features)
        return torch.stack([self.read(one) for one in pooled])

    def _blocks(self, sets: Sets, block: int) -> Iterator[tuple[slice, Tensor]]:
        """Features of `block` items of each set after another: (seeds, sets, block, width)."""
        for start in range(0, sets.priority.shape[-1], block):
            where = slice(start, start + block)
            priority = sets.priority[..., where]
            features = self.features(priority, sets.kind[..., where])
            yield where, features.unflatten(1, priority.shape[1:])


def initial(settings: Settings, seeds: Sequence[int], device: str | torch.device = "cpu") -> Heads:
    """Return untrained heads; a seed gets the same weights whatever the other seeds are."""
    m, classes = settings.width, settings.classes
    shapes = {
        "item_in": (1 + classes, m),
        "item_out": (m, m),
        "query_in": (1, m),
        "query_out": (m, m),
        "q": (m, m),
        "k": (m, m),
        "v": (m, m),
        "read_in": (m, m),
        "read_out": (m, classes),
    }
    weights: dict[str, list[np.ndarray]] = {}
    for seed in seeds:
        rng = _random(seed, _INITIAL)
        for name, (fan_in, fan_out) in shapes.items():
            bound = 1 / sqrt(fan_in)
            weights.setdefault(name, []).append(rng.uniform(-bound, bound, (fan_in, fan_out)))
            if name != "k":
                bias = rng.uniform(-bound, bound, (1, fan_out))
                weights.setdefault(f"{name}_bias", []).append(bias)
    return Heads(
        tuple(seeds),
        {
            name: torch.tensor(np.stack(value), dtype=torch.float32, device=device)
            for name, value in weights.items()
        },
    )


# --- Training ------------------------------------------------------------------------------------


@contextmanager
def _careful() -> Iterator[None]:
    """One thread, so that sums are added in one order; and no denormal numbers.

    After some thousand steps Adam's averages for dead inputs become denormal, which costs most of
    the speed of a CPU and changes nothing.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)


def train(
    settings: Settings,
    seeds: Sequence[int],
    device: str = "cpu",
    *,
    store: Store | None = None,
    progress: Progress | None = None,
    checkpoint_seconds: float = 60.0,
) -> Heads:
    """Train one head per seed, all at once.

    Parameters
    ----------
    settings, seeds, device
        What to train. The seeds of one call are one batched model, however many they are.
    store
        Where to keep checkpoints. A finished model is read from there, an unfinished one goes on
        from its last checkpoint and ends with the same digits as if it had never stopped.
    progress
        Called with "training", steps done and steps in all, about once per `_CHUNK` steps.
    checkpoint_seconds
        Time between checkpoints.

    Returns
    -------
    The trained heads.
    """
    heads = initial(settings, seeds, device)
    parameters = [weight.requires_grad_() for weight in heads.weights.values()]
    optimizer = torch.optim.AdamW(
        parameters, settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    name = f"seeds-{'-'.join(map(str, seeds))}.pt"
    step = 0
    if store is not None and (data := store.read(name)) is not None:
        saved = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
        step = saved["step"]
        optimizer.load_state_dict(saved["optimizer"])
        with torch.no_grad():
            for parameter, value in zip(parameters, saved["parameters"], strict=True):
                parameter.copy_(value)

    def checkpoint() -> None:
        if store is None:
            return
        file = io.BytesIO()
        state = {"step": step, "parameters": parameters, "optimizer": optimizer.state_dict()}
        torch.save(state, file)
        store.write(name, file.getvalue())

    kept = time.monotonic()
    if progress is not None:
        progress("training", step, settings.steps)
    with _careful():
        while step < settings.steps:
            for sets in _training_batches(settings, seeds, step // _CHUNK, device):
                seen = heads.features(sets.priority, sets.kind)
                asked = heads.queries(sets.query).flatten(0, 1)
                pooled = _Attend.apply(asked, seen.view(len(asked), -1, settings.width))
                scores = heads.read(pooled.view(len(seeds), settings.batch, settings.width))
                # The sum over seeds, so that each gets the gradient that it would get alone.
                loss = cross_entropy(scores.flatten(0, 1), sets.answer.flatten()) * len(seeds)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                if step == settings.steps:
                    break
            if step == settings.steps or time.monotonic() - kept > checkpoint_seconds:
                checkpoint()
                kept = time.monotonic()
            if progress is not None:
                progress("training", step, settings.steps)
    return Heads(heads.seeds, {name: w.detach() for name, w in heads.weights.items()})


# --- Evaluation ----------------------------------------------------------------------------------


def _slabs(sets: int, size: int, block: int) -> Iterator[range]:
    """Indices of as many sets at a time as fit into a block of items, and at least one."""
    at_once = max(1, block // size)
    for start in range(0, sets, at_once):
        yield range(start, min(start + at_once, sets))


def _know(settings: Settings, heads: Heads, device: str, block: int) -> Known:
    """Measure what the rules may know, on sets that no test uses."""
    size, count = settings.largest_training_set, settings.test_sets
    total = torch.zeros(len(heads.seeds), dtype=torch.float64)
    for indices in _slabs(count, size, block):
        sets = draw(settings, heads.seeds, size, indices, device, _REFERENCE)
        entropy = measures.entropy(softmax(heads.logits(sets, block)))
        total += entropy.double().sum(-1).cpu()
    return Known((total / count).float().view(-1, 1, 1).to(device), size)


def _evaluate_size(
    settings: Settings, heads: Heads, size: int, known: Known, device: str, block: int
) -> list[dict[str, Any]]:
    """Rows of the table for sets of one size."""
    count = settings.sets(size)
    sums: dict[tuple[str, str], Tensor] = {}

    def add(rule: str, measure: str, values: Tensor) -> None:
        total = values.double().sum(-1).cpu()
        sums[rule, measure] = sums.get((rule, measure), 0.0) + total

    for indices in _slabs(count, size, block):
        sets = draw(settings, heads.seeds, size, indices, device)
        logits = heads.logits(sets, block)
        best_two = sets.priority.topk(2).values
        add("logits", "ranking", logits.argmax(-1) == sets.maximum[..., 0])
        add("logits", "spread", measures.spread(logits))
        add("logits", "ties", best_two[..., 0] == best_two[..., 1])
        weights = torch.stack([RULES[rule](logits, known) for rule in settings.rules])
        predicted = heads.classify(sets, weights, block).argmax(-1)
        for rule, p, guess in zip(settings.rules, weights, predicted, strict=True):
            add(rule, "accuracy", guess == sets.answer)
            add(rule, "entropy", measures.entropy(p))
            add(rule, "top_weight", measures.top_weight(p))
            add(rule, "weight_of_maximum", p.gather(-1, sets.maximum)[..., 0])
    return [
        {
            "seed": seed,
            "size": size,
            "rule": rule,
            "measure": measure,
            "value": float(total[i]) / count,
            "sets": count,
        }
        for (rule, measure), total in sums.items()
        for i, seed in enumerate(heads.seeds)
    ]


def evaluate(
    settings: Settings,
    heads: Heads,
    device: str = "cpu",
    *,
    store: Store | None = None,
    progress: Progress | None = None,
    block: int = 2**12,
) -> pd.DataFrame:
    """Test heads at every size, under every rule, on the same sets.

    A set is held as three numbers per item. What is large, the features of the items, is computed
    for `block` items per seed at a time and thrown away: once for the logits, and, since a rule
    needs all logits of a row before it can give any weight, once more for the weighted mean.

    Returns
    -------
    A table with columns seed, size, rule, measure, value and sets; a value is a mean over that many
    sets. Under each rule: `accuracy`, `entropy` in nats, `top_weight`, and `weight_of_maximum`, the
    weight of the item with the largest priority. Under the name "logits", what no rule can change:
    `ranking`, the share of sets in which that item has the top logit; `spread`, largest minus
    smallest logit; `ties`, the share of sets whose two largest priorities are equal.
    """
    rows: list[dict[str, Any]] = []
    known = None
    with torch.inference_mode(), _careful():
        for done, size in enumerate(settings.sizes):
            if progress is not None:
                progress("testing", done, len(settings.sizes))
            name = f"seeds-{'-'.join(map(str, heads.seeds))}-size-{size}.json"
            if store is not None and (data := store.read(name)) is not None:
                rows += json.loads(data)
                continue
            if known is None:
                known = _know(settings, heads, device, block)
            new = _evaluate_size(settings, heads, size, known, device, block)
            if store is not None:
                store.write(name, json.dumps(new).encode())
            rows += new
    if progress is not None:
        progress("testing", len(settings.sizes), len(settings.sizes))
    return pd.DataFrame(rows)


def run(
    settings: Settings | None = None,
    seeds: Sequence[int] | None = None,
    device: str = "cpu",
    *,
    store: Store | None = None,
    progress: Progress | None = None,
    checkpoint_seconds: float = 60.0,
) -> pd.DataFrame:
    """Train and test one head per seed; by default the paper's experiment, which takes hours.

    Returns
    -------
    The table that `evaluate` describes, sorted by seed, with sizes and rules in the order of the
    settings.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative.
    """
    settings = PRESETS["paper"].settings if settings is None else settings
    seeds = PRESETS["paper"].seeds if seeds is None else seeds
    if not len(seeds) or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise ValueError(f"seeds must be different numbers from 0 on, got {list(seeds)!r}")
    tables = []
    for start in range(0, len(seeds), settings.seeds_together):
        group = tuple(seeds[start : start + settings.seeds_together])
        heads = train(
            settings,
            group,
            device,
            store=store,
            progress=progress,
            checkpoint_seconds=checkpoint_seconds,
        )
        tables.append(evaluate(settings, heads, device, store=store, progress=progress))
    return pd.concat(tables).sort_values("seed", kind="stable", ignore_index=True)


# --- Looking at it -------------------------------------------------------------------------------


def weights_by_rank(
    settings: Settings,
    heads: Heads,
    size: int,
    sets: int = 32,
    items: int = 16,
    rule: str = "softmax",
    block: int = 2**12,
) -> np.ndarray:
    """Return the weights of the items with the largest priorities, the largest last.

    Returns
    -------
    Array (seeds, sets, items) of what the paper's heat maps show. A sharp head has all weight in
    the last column.
    """
    device = next(iter(heads.weights.values())).device
    parts = []
    with torch.inference_mode(), _careful():
        known = _know(settings, heads, str(device), block)
        for indices in _slabs(sets, size, block):
            drawn = draw(settings, heads.seeds, size, indices, device)
            weights = RULES[rule](heads.logits(drawn, block), known)
            order = drawn.priority.argsort(stable=True, dim=-1)[..., -items:]
            parts.append(weights.gather(-1, order))
    return torch.cat(parts, 1).cpu().numpy()


class Profile(NamedTuple):
    """Eleven numbers for each head: near the top, logit = sharpness (priority + head start)."""

    sharpness: np.ndarray  # (seeds,), logit per unit of priority
    head_start: np.ndarray  # (seeds, classes), in units of priority, mean 0


def profile(heads: Heads, low: float = 0.98, query: float = 0.5) -> Profile:
    """Measure how a head scores the items that can win, those with priorities from `low` to 1.

    The logit of an item is a function of its priority and its class alone. For each class a
    straight line is put through its two ends; the sharpness is the mean of the slopes, and a head
    start is how far to the left of the mean line a class lies.

    Examples
    --------
    >>> profile(initial(Settings(), [0, 1])).head_start.shape
    (2, 10)
    """
    seeds, classes = len(heads.seeds), heads.weights["item_in"].shape[1] - 1
    device = heads.weights["q"].device
    kind = torch.arange(classes, dtype=torch.uint8, device=device).repeat(2)
    priority = torch.tensor([low, 1.0], device=device).repeat_interleave(classes)
    shape = (seeds, 1, 2 * classes)
    with torch.inference_mode(), _careful():
        logits = heads.logits(
            Sets(
                priority.expand(shape),
                kind.expand(shape),
                torch.full((seeds, 1, 1), query, device=device),
            )
        )
    bottom, top = logits.view(seeds, 2, classes).double().cpu().numpy().swapaxes(0, 1)
    sharpness = (top - bottom).mean(-1) / (1 - low)
    middle = (top + bottom) / 2
    return Profile(sharpness, (middle - middle.mean(-1, keepdims=True)) / sharpness[:, None])


def published() -> pd.DataFrame:
    """Return Table 1 of the paper: columns rule, size, measure, value and tag.

    The tag says how well a figure is known. "second-hand": read in somebody's notes or code, not in
    the paper. "recalled": from memory, to be shown only as unverified.

    Examples
    --------
    >>> table = published()
    >>> table[(table.rule == "softmax") & (table["size"] == 16)].value.item()
    0.986
    """
    text = files("sharplib.studies").joinpath("max_retrieval.csv").read_text()
    return pd.read_csv(io.StringIO(text))
