"""Look into trained heads: where their weight goes, and what their logits are made of."""

from typing import NamedTuple

import numpy as np
import torch

from sharplib.studies.max_retrieval._numerics import careful
from sharplib.studies.max_retrieval.data import Sets, draw
from sharplib.studies.max_retrieval.evaluation import know, slabs
from sharplib.studies.max_retrieval.model import Heads
from sharplib.studies.max_retrieval.rules import RULES
from sharplib.studies.max_retrieval.settings import Settings

__all__ = ["Profile", "profile", "weights_by_rank"]


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
