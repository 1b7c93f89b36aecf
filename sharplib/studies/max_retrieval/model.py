"""The model: item and query MLPs, one attention head, and an MLP that reads the class."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import gelu, one_hot

from sharplib import CATALOGUE
from sharplib.studies.max_retrieval.data import INITIAL, Sets, random
from sharplib.studies.max_retrieval.settings import Training

__all__ = ["Heads", "attend", "initial"]


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


def attend(query: Tensor, items: Tensor, attention: str = "softmax") -> Tensor:
    """Mean of the items weighted by <query, item>: query (b, m), items (b, n, m) -> (b, m)."""
    if attention == "softmax":
        return _Attend.apply(query, items)
    weights = CATALOGUE[attention](torch.bmm(query[:, None], items.mT))
    return torch.bmm(weights, items)[:, 0]


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


def initial(training: Training, seeds: Sequence[int], device: str | torch.device = "cpu") -> Heads:
    """Return untrained heads; a seed gets the same weights whatever the other seeds are."""
    m, classes = training.width, training.classes
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
        rng = random(seed, INITIAL)
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
