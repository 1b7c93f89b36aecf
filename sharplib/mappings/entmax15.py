"""Entmax at alpha = 1.5: half-way between softmax and sparsemax, smooth where items enter."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import finished, namespace, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import pull_back_weighted, shifted

# As for sparsemax: the bound on Newton's steps holds for every convex, decreasing function.
_STEPS = 64


def entmax15(x: Any, axis: int = -1) -> Any:
    r"""Weights that fall off like a square, with exact zeros below.

    .. math:: p = \arg\max_{p \in \Delta} \langle p, x \rangle
        + \tfrac43 \textstyle\sum_i (p_i - p_i^{3/2}), \qquad
        p_i = \max(x_i/2 - \tau, 0)^2, \quad \tau \text{ such that } \textstyle\sum_i p_i = 1

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`; the same as
        ``entmax(x, alpha=1.5)``. A row that is masked throughout gives zeros; ``+inf`` entries
        share the mass; NaN stays in its row.

    Raises
    ------
    TypeError
        Integer or complex scores, or an axis that is not an integer.
    ValueError
        An axis out of range.

    Notes
    -----
    An item that lies 2 or more below the top weighs nothing, so the top weight stays away from 0 at
    any n as long as the others keep such a distance. The gradient is continuous. Lipschitz constant
    1 in the Euclidean norm, approached only by long rows; at most :math:`1/\sqrt2` for two items.
    No sort: Newton on :math:`\tau`, in float64.

    Source: arXiv 1905.05702.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.entmax15(np.array([1.0, 0.9, -2.0, 0.2])).round(3)
    array([0.489, 0.422, 0.   , 0.09 ])
    """
    row = rows(x, axis)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_ENTMAX15(row.values, axis=row.axis)[0])


def _entmax15(x: Any, *, axis: int) -> Arrays:
    xp = namespace(x)
    y = shifted(xp.astype(x, widest(x), copy=False), axis) / 2
    zero, one = scalar(0.0, y), scalar(1.0, y)
    threshold = (
        xp.zeros_like(xp.max(y, axis=axis, keepdims=True)) - 1
    )  # the top weight is at most 1
    for _ in range(_STEPS):
        # The norm of the distances to the threshold is convex and decreasing in it, and almost
        # linear: Newton comes from below, and fast.
        distance = xp.maximum(y - threshold, zero)
        total = xp.sum(distance, axis=axis, keepdims=True)
        norm = xp.sqrt(xp.sum(distance**2, axis=axis, keepdims=True))
        step = (norm - 1) * norm / xp.where(total == 0, one, total)
        settled = ~(threshold + step > threshold)
        threshold = xp.where(settled, threshold, threshold + step)
        if finished(settled):
            break
    p = xp.maximum(y - threshold, zero) ** 2
    total = xp.sum(p, axis=axis, keepdims=True)
    return (xp.astype(p / xp.where(total == 0, one, total), x.dtype, copy=False),)


def _entmax15_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    (p,) = saved
    xp = namespace(p)
    zero = scalar(0.0, p)
    root = xp.where(p == 0, zero, xp.sqrt(xp.where(p == 0, scalar(1.0, p), p)))
    return (pull_back_weighted(root, grads[0], axis),)


_ENTMAX15 = ClosedForm(
    _entmax15, _entmax15_vjp, lambda inputs, outputs: outputs, name="entmax15", iterative=True
)
