"""Ways to turn scores into weights, and what becomes of them as the number of items grows.

>>> import numpy as np, sharplib
>>> x = np.array([1.0, 2.0, 3.0, 4.0])
>>> sharplib.softmax(x).round(3)
array([0.032, 0.087, 0.237, 0.644])

Every mapping takes NumPy arrays or torch tensors, works along any axis, treats ``-inf`` as a mask,
and computes in float32 or better. `CATALOGUE` lists them with what they promise.
"""

from sharplib import losses, measures
from sharplib.mappings import (
    CATALOGUE,
    adaptive_softmax,
    asentmax,
    budget,
    entmax,
    entmax15,
    entropy_matched_softmax,
    ev_softmax,
    log_softmax,
    logn_softmax,
    multimax,
    normmax,
    plsoftmax,
    plsoftmax_inverse,
    power_softmax,
    relu_weights,
    rsoftmax,
    sigmoid_weights,
    sink_softmax,
    softmax,
    softmax_off_by_one,
    softpick,
    sparsegen,
    sparsehourglass,
    sparsemax,
    ssmax,
    stick_breaking,
    stieltjes,
    topk_softmax,
    tsoftmax,
    yarn_softmax,
)

__version__ = "0.1.0"

__all__ = [
    "CATALOGUE",
    "adaptive_softmax",
    "asentmax",
    "budget",
    "entmax",
    "entmax15",
    "entropy_matched_softmax",
    "ev_softmax",
    "log_softmax",
    "logn_softmax",
    "losses",
    "measures",
    "multimax",
    "normmax",
    "plsoftmax",
    "plsoftmax_inverse",
    "power_softmax",
    "relu_weights",
    "rsoftmax",
    "sigmoid_weights",
    "sink_softmax",
    "softmax",
    "softmax_off_by_one",
    "softpick",
    "sparsegen",
    "sparsehourglass",
    "sparsemax",
    "ssmax",
    "stick_breaking",
    "stieltjes",
    "topk_softmax",
    "tsoftmax",
    "yarn_softmax",
]
