"""The rules: logits of a trained head -> weights."""

from collections.abc import Callable, Mapping, Sequence
from math import log
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from sharplib import adaptive_softmax, entropy_matched_softmax, softmax, sparsemax
from sharplib.studies.max_retrieval.settings import Rule

__all__ = ["RULES", "Known"]


class Known(NamedTuple):
    """What a rule may know of the training, and of sets that no test uses."""

    size: int
    """Items in the largest sets of the training."""
    entropy: Tensor
    """Mean entropy in nats of each head under plain softmax, on sets of `size`: (seeds, 1, 1)."""
    polynomials: Sequence[Sequence[float]] = ()
    """For each head the polynomial that `fitted_polynomial` gives, highest power first."""


def _hard_maximum(logits: Tensor, _known: Known) -> Tensor:
    top = logits.argmax(-1, keepdim=True)
    return torch.zeros_like(logits).scatter_(-1, top, 1.0)


def _cool(logits: Tensor, temperature: float) -> Tensor:
    return softmax(logits, temperature=temperature)


def _refitted(logits: Tensor, known: Known) -> Tensor:
    return torch.stack(
        [
            adaptive_softmax(one, coefficients=polynomial)
            for one, polynomial in zip(logits, known.polynomials, strict=True)
        ]
    )


RULES: Mapping[Rule, Callable[[Tensor, Known], Tensor]] = MappingProxyType(
    {
        "softmax": lambda logits, known: softmax(logits),
        "adaptive": lambda logits, known: adaptive_softmax(logits),
        "refitted": _refitted,
        "entropy-matched": lambda logits, known: entropy_matched_softmax(logits, known.entropy),
        "log n": lambda logits, known: _cool(logits, log(known.size) / log(logits.shape[-1])),
        "n": lambda logits, known: _cool(logits, known.size / logits.shape[-1]),
        "sparsemax": lambda logits, known: sparsemax(logits),
        "hard maximum": _hard_maximum,
    }
)
"""Ways to turn the logits of a trained head, (seeds, sets, items), into weights that sum to 1.

"adaptive" has the published polynomial, "refitted" one that was fitted to each head. The rules
"log n" and "n" divide the temperature by that function of the number of items, so that it is 1 at
the size of the training.
"""
