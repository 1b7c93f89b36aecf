"""What a row of weights, or of scores, is like: how spread out, how sharp, how sparse.

Every measure of a row takes an array and an axis and returns one number per row, in the precision
of its input; it works in float32 or better. Entropies are in nats. An empty row measures 0.
`tradeoff` measures a map instead of a row: how far it falls short of the maximum, and how steep it
is.
"""

from sharplib.measures import tradeoff
from sharplib.measures.modality import multi_modality, smooth_sparsity
from sharplib.measures.weights import effective_support, entropy, sparsity, spread, top_weight

__all__ = [
    "effective_support",
    "entropy",
    "multi_modality",
    "smooth_sparsity",
    "sparsity",
    "spread",
    "top_weight",
    "tradeoff",
]
