"""Sparsehourglass: sparsemax between dividing by the sum and ignoring a shift."""

from __future__ import annotations

import math
from typing import Any

from sharplib._arrays import namespace, per_row, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import pull_back_weighted, shifted, spread_out
from sharplib.mappings.sparsemax import project


def sparsehourglass(x: Any, q: Any, axis: int = -1) -> Any:
    r"""Sparsemax of scores at a scale that their sum sets.

    .. math:: p = \mathrm{sparsemax}(s x), \qquad s = \frac{1 + n q}{\lvert\sum_i x_i\rvert + n q},
        \quad n = \text{the number of unmasked items}

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item: it weighs nothing and does not count in n and the sum.
    q : float, or array with one value per row
        Above 0, in the units of the scores. An array broadcasts against `x` with length 1 along
        `axis`, and receives a gradient.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. A row that is masked throughout
        gives zeros; ``+inf`` entries share the mass; NaN stays in its row.

    Raises
    ------
    TypeError
        Integer or complex scores, a `q` of another array library, or an axis that is not an
        integer.
    ValueError
        A `q` that is not positive and finite, or an axis out of range. In a tensor on an
        accelerator or under a transform a bad `q` gives NaN instead.

    Notes
    -----
    Limits: for :math:`q \to \infty` this is `sparsemax`, which ignores a shift of the scores; for
    :math:`q \to 0` it ignores their scale, and divides positive scores by their sum. Weights map to
    themselves. As n grows with the scores in a fixed interval, the scale stays bounded.

    Source: Laha et al., NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.sparsehourglass(np.array([1.0, 0.9, -2.0, 0.2]), q=0.5).round(3)
    array([0.571, 0.429, 0.   , 0.   ])
    """
    row = rows(x, axis)
    q = per_row(q, "q", row, minimum=0.0, strict=True)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_SPARSEHOURGLASS(row.values, spread_out(q, row), axis=row.axis)[0])


def _mean_and_count(x: Any, axis: int) -> tuple[Any, Any]:
    """The mean of the finite scores, and 1 over their number."""
    xp = namespace(x)
    masked = xp.isinf(x)
    count = xp.sum(xp.astype(~masked, x.dtype), axis=axis, keepdims=True)
    count = xp.where(count == 0, scalar(1.0, x), count)
    return xp.sum(xp.where(masked, scalar(0.0, x), x / count), axis=axis, keepdims=True), 1 / count


def _sparsehourglass(x: Any, q: Any, *, axis: int) -> Arrays:
    """The weights, and how many are above 0."""
    xp = namespace(x)
    wide = xp.astype(x, widest(x), copy=False)
    width = xp.astype(q, wide.dtype, copy=False)
    width = xp.where(width > 0, width, scalar(math.nan, wide))
    mean, share = _mean_and_count(wide, axis)
    scale = (share + width) / (xp.abs(mean) + width)
    p = project(scale * shifted(wide, axis), axis)
    size = xp.sum(xp.astype(p > 0, q.dtype), axis=axis, keepdims=True)
    return xp.astype(p, x.dtype, copy=False), size


def _sparsehourglass_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # <x, pulled> = <p, pulled> / scale, since the entries of `pulled` add up to 0.
    p, x, q = saved
    xp = namespace(p)
    wide = xp.astype(x, widest(x), copy=False)
    width = xp.astype(q, wide.dtype, copy=False)
    mean, share = _mean_and_count(wide, axis)
    below = xp.abs(mean) + width
    pulled = pull_back_weighted(xp.astype(p > 0, wide.dtype), grads[0], axis)
    along = xp.sum(pulled * p, axis=axis, keepdims=True)
    sign = xp.astype(mean > 0, p.dtype) - xp.astype(mean < 0, p.dtype)
    by_mean = -along * sign / below
    by_x = (share + width) / below * pulled + by_mean * share
    by_x = xp.where(xp.isinf(wide), scalar(0.0, wide), by_x)
    by_q = along * (1 / (share + width) - 1 / below)
    return xp.astype(by_x, p.dtype, copy=False), xp.astype(by_q, q.dtype, copy=False)


def _weights_and_inputs(inputs: Arrays, outputs: Arrays) -> Arrays:
    return outputs[0], *inputs


_SPARSEHOURGLASS = ClosedForm(
    _sparsehourglass,
    _sparsehourglass_vjp,
    _weights_and_inputs,
    name="sparsehourglass",
    iterative=True,
)
