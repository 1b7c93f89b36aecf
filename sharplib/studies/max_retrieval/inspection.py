"""Look into trained heads: where their weight goes, and what their logits are made of."""

from math import sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import gelu

from sharplib.studies.max_retrieval._numerics import careful
from sharplib.studies.max_retrieval.data import REFERENCE, Sets, draw
from sharplib.studies.max_retrieval.evaluation import know, slabs
from sharplib.studies.max_retrieval.model import Heads
from sharplib.studies.max_retrieval.rules import RULES
from sharplib.studies.max_retrieval.settings import Settings, Training

__all__ = ["Profile", "anatomy", "heat_maps", "profile", "weights_by_rank"]


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
    with torch.inference_mode(), careful():
        known = know(settings, heads, str(device), block)
        for indices in slabs(sets, size, block):
            drawn = draw(settings.training, heads.seeds, size, indices, device)
            weights = RULES[rule](heads.logits(drawn, block), known)
            order = drawn.priority.argsort(stable=True, dim=-1)[..., -items:]
            parts.append(weights.gather(-1, order))
    return torch.cat(parts, 1).cpu().numpy()


def heat_maps(settings: Settings, heads: Heads, sets: int = 16, items: int = 16) -> pd.DataFrame:
    """Return the heat maps of the first head at every size and under every rule.

    Returns
    -------
    A table with a row for each set: columns size, rule, set, and the weights of the items by the
    rank of their priority, "16" to "1", to three decimals.

    Raises
    ------
    ValueError
        If a size has fewer than `items`, or `items` is below 1.

    Examples
    --------
    >>> from sharplib.studies.max_retrieval import initial
    >>> settings = Settings(Training(width=4), sizes=(4,), rules=("hard maximum",))
    >>> heat_maps(settings, initial(settings.training, [0]), sets=1, items=2).columns.to_list()
    ['size', 'rule', 'set', '2', '1']
    """
    if not 1 <= items <= min(settings.sizes):
        raise ValueError(f"items must be 1 to the smallest size, got {items!r}")
    first = Heads(heads.seeds[:1], {name: weight[:1] for name, weight in heads.weights.items()})
    tables = []
    for size in settings.sizes:
        for rule in settings.rules:
            weights = weights_by_rank(settings, first, size, sets, items, rule)[0].round(3)
            table = pd.DataFrame(weights, columns=[str(rank) for rank in range(items, 0, -1)])
            table.insert(0, "set", range(sets))
            table.insert(0, "rule", rule)
            table.insert(0, "size", size)
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


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
    >>> from sharplib.studies.max_retrieval import Training, initial
    >>> profile(initial(Training(), [0, 1])).head_start.shape
    (2, 10)
    """
    seeds, classes = len(heads.seeds), heads.weights["item_in"].shape[1] - 1
    device = heads.weights["q"].device
    kind = torch.arange(classes, dtype=torch.uint8, device=device).repeat(2)
    priority = torch.tensor([low, 1.0], device=device).repeat_interleave(classes)
    shape = (seeds, 1, 2 * classes)
    with torch.inference_mode(), careful():
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


def anatomy(training: Training, heads: Heads, sets: int = 64) -> dict[str, np.ndarray]:
    r"""Measure what Proposition 3.1 ties together, on sets of the training's largest size.

    The key matrix has no bias; that of the query counts as a column of its matrix, with a 1 added
    to every query.

    Returns
    -------
    Arrays (seeds,), means over sets: `sigma_q` and `sigma_k`, the largest singular values;
    `query_norm`, :math:`\|y\|`; `item_gap`, :math:`\max_{ij} \|x_i - x_j\|`; `bound`, their product
    over the square root of the width; and `spread`, which the bound must exceed.

    Examples
    --------
    >>> from sharplib.studies.max_retrieval import Training, initial
    >>> measured = anatomy(Training(), initial(Training(), [0, 1]))
    >>> bool((measured["spread"] <= measured["bound"]).all())
    True
    """
    device = heads.weights["q"].device
    with torch.inference_mode(), careful():
        drawn = draw(training, heads.seeds, training.largest_set, range(sets), device, REFERENCE)
        drawn = Sets(drawn.priority.double(), drawn.kind, drawn.query.double())
        w = {name: weight.double() for name, weight in heads.weights.items()}
        double = Heads(heads.seeds, w)
        hidden = gelu(torch.baddbmm(w["query_in_bias"], drawn.query, w["query_in"]))
        y = torch.baddbmm(w["query_out_bias"], hidden, w["query_out"])
        y = torch.cat([y, torch.ones_like(y[..., :1])], -1)[..., None]
        features = double.features(drawn.priority, drawn.kind)
        x = (features @ w["item_out"]).unflatten(1, (sets, -1))
        logits = double.logits(drawn)
        query = torch.cat([w["q"], w["q_bias"]], 1)
        gaps = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").amax((-2, -1))
        parts = {
            "sigma_q": torch.linalg.matrix_norm(query, 2),
            "sigma_k": torch.linalg.matrix_norm(w["k"], 2),
            "query_norm": y.norm(dim=-2)[..., 0],
            "item_gap": gaps,
        }
        parts["bound"] = (
            (parts["sigma_q"] * parts["sigma_k"])[:, None] * parts["query_norm"] * gaps
        ) / sqrt(w["k"].shape[-1])
        parts["spread"] = logits.amax(-1) - logits.amin(-1)
    return {
        name: (part.mean(-1) if part.ndim == 2 else part).cpu().numpy()
        for name, part in parts.items()
    }
