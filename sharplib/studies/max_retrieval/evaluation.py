"""Test trained heads at every size, under every rule, on the same sets."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from sharplib import measures, softmax
from sharplib.studies._record import Progress
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import careful
from sharplib.studies.max_retrieval.data import REFERENCE, draw
from sharplib.studies.max_retrieval.model import Heads
from sharplib.studies.max_retrieval.polynomial import fitted_polynomial
from sharplib.studies.max_retrieval.rules import RULES, Known
from sharplib.studies.max_retrieval.settings import Settings

__all__ = ["evaluate", "know", "slabs"]

_BLOCK = 2**12  # items per seed whose features are held at once


def slabs(sets: int, size: int, block: int) -> Iterator[range]:
    """Indices of as many sets at a time as fit into a block of items, and at least one."""
    at_once = max(1, block // size)
    for start in range(0, sets, at_once):
        yield range(start, min(start + at_once, sets))


def know(settings: Settings, heads: Heads, device: str, block: int = _BLOCK) -> Known:
    """Measure what the rules may know, on sets that no test uses."""
    training, count = settings.training, settings.test_sets
    size = training.largest_set
    total = torch.zeros(len(heads.seeds), dtype=torch.float64)
    for indices in slabs(count, size, block):
        sets = draw(training, heads.seeds, size, indices, device, REFERENCE)
        entropy = measures.entropy(softmax(heads.logits(sets, block)))
        total += entropy.double().sum(-1).cpu()
    known = Known(size, (total / count).float().view(-1, 1, 1).to(device))
    if "refitted" not in settings.rules:
        return known
    rows: list[list[tuple[Tensor, Tensor]]] = [[] for _ in heads.seeds]
    for size in settings.sizes:
        for indices in slabs(max(1, settings.sets(size) // settings.tests_per_fit), size, block):
            sets = draw(training, heads.seeds, size, indices, device, REFERENCE)
            logits = heads.logits(sets, block)
            wrong = logits.argmax(-1) != sets.maximum[..., 0]
            for of_head, x, top, use in zip(rows, logits, sets.maximum, wrong, strict=True):
                of_head.append((x[use], top[use]))
    return known._replace(polynomials=[fitted_polynomial(of_head) for of_head in rows])


class _Sums:
    """Sums over the test sets of one size so far, kept in the store every so many seconds."""

    def __init__(self, name: str, store: Store | None, checkpoint_seconds: float) -> None:
        self._name, self._store, self._every = name, store, checkpoint_seconds
        self._kept = time.monotonic()
        self.sums: dict[tuple[str, str], list[float]] = {}
        self.done = 0
        if store is not None and (data := store.read(name)) is not None:
            self.done, parts = json.loads(data)
            self.sums = {(rule, measure): values for rule, measure, values in parts}

    def add(self, rule: str, measure: str, values: Tensor) -> None:
        """Add values (seeds, sets) of some more sets."""
        more = values.double().sum(-1).tolist()
        sums = self.sums.get((rule, measure), [0.0] * len(more))
        self.sums[rule, measure] = [a + b for a, b in zip(sums, more, strict=True)]

    def advance(self, done: int) -> None:
        """Say that so many sets are done."""
        self.done = done
        if self._store is not None and time.monotonic() - self._kept > self._every:
            parts = [(rule, measure, values) for (rule, measure), values in self.sums.items()]
            self._store.write(self._name, json.dumps((done, parts)).encode())
            self._kept = time.monotonic()


def _evaluate_size(
    settings: Settings,
    heads: Heads,
    size: int,
    known: Known,
    device: str,
    block: int,
    sums: _Sums,
) -> list[dict[str, Any]]:
    """Rows of the table for sets of one size."""
    count = settings.sets(size)
    for indices in slabs(count, size, block):
        if indices.stop <= sums.done:
            continue
        sets = draw(settings.training, heads.seeds, size, indices, device)
        logits = heads.logits(sets, block)
        best_two = sets.priority.topk(2).values
        sums.add("logits", "ranking", logits.argmax(-1) == sets.maximum[..., 0])
        sums.add("logits", "spread", measures.spread(logits))
        sums.add("logits", "ties", best_two[..., 0] == best_two[..., 1])
        weights = torch.stack([RULES[rule](logits, known) for rule in settings.rules])
        predicted = heads.classify(sets, weights, block).argmax(-1)
        for rule, p, guess in zip(settings.rules, weights, predicted, strict=True):
            sums.add(rule, "accuracy", guess == sets.answer)
            sums.add(rule, "entropy", measures.entropy(p))
            sums.add(rule, "top_weight", measures.top_weight(p))
            sums.add(rule, "weight_of_maximum", p.gather(-1, sets.maximum)[..., 0])
        sums.advance(indices.stop)
    return [
        {
            "seed": seed,
            "size": size,
            "rule": rule,
            "measure": measure,
            "value": totals[i] / count,
            "sets": count,
        }
        for (rule, measure), totals in sums.sums.items()
        for i, seed in enumerate(heads.seeds)
    ]


def evaluate(
    settings: Settings,
    heads: Heads,
    device: str = "cpu",
    *,
    store: Store | None = None,
    progress: Progress | None = None,
    checkpoint_seconds: float = 60.0,
    block: int = _BLOCK,
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
    if store is not None:
        store = store.within(testing={**asdict(settings), "training": None})
    rows: list[dict[str, Any]] = []
    known = None
    with torch.inference_mode(), careful():
        for done, size in enumerate(settings.sizes):
            if progress is not None:
                progress("testing", done, len(settings.sizes))
            name = f"size-{size}.json"
            if store is not None and (data := store.read(name)) is not None:
                rows += json.loads(data)
                continue
            if known is None:
                known = know(settings, heads, device, block)
            sums = _Sums(f"size-{size}-so-far.json", store, checkpoint_seconds)
            new = _evaluate_size(settings, heads, size, known, device, block, sums)
            if store is not None:
                store.write(name, json.dumps(new).encode())
            rows += new
    if progress is not None:
        progress("testing", len(settings.sizes), len(settings.sizes))
    return pd.DataFrame(rows)
