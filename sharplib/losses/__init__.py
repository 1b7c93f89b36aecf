"""Losses, each made for one mapping: their gradient is the mapping's prediction minus the target.

A mapping that maximises :math:`\\langle p, x \\rangle - \\Omega(p)` has the Fenchel-Young loss

.. math:: L(x, q) = \\max_p \\left( \\langle p, x \\rangle - \\Omega(p) \\right)
    + \\Omega(q) - \\langle q, x \\rangle,

which is convex in the scores x, never negative, and 0 exactly if the prediction is the target q.
Every function here gives one loss per row.
"""

from sharplib.losses.fenchel_young import (
    budget_loss,
    entmax15_loss,
    entmax_loss,
    normmax_loss,
    softmax_loss,
    sparsemax_loss,
)

__all__ = [
    "budget_loss",
    "entmax15_loss",
    "entmax_loss",
    "normmax_loss",
    "softmax_loss",
    "sparsemax_loss",
]
