"""ASEntmax: entmax at an inverse temperature that grows with a power of the logarithm of n."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import per_row, rows, scalar
from sharplib.mappings._length import log_length, scaled
from sharplib.mappings._positive import positive_per_row
from sharplib.mappings.entmax import entmax


def asentmax(
    x: Any, beta: Any, gamma: Any, axis: int = -1, *, delta: Any = 1.0, alpha: Any = 1.5
) -> Any:
    r"""Adaptive-scalable entmax: scores scaled by the length of their row, then `entmax`.

    .. math:: p = \alpha\text{-entmax}\bigl((\delta + \beta (\log n)^\gamma)\, x\bigr),

    where n counts the items of the row that are not masked.

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    beta : float, or array with one value per row
        Positive. The paper computes it, and `gamma`, from the hidden state of each query and head,
        as a softplus.
    gamma : float, or array with one value per row
        Any finite number; in the paper between -2 and 2, as 2 tanh.
    axis : int
        The axis along which weights sum to 1.
    delta : float, or array with one value per row
        At least 0; 1 in the paper.
    alpha : float, or array with one value per row
        At least 1, as in `entmax`; 1.5 in the paper. At 1 this is a scaled softmax.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. Every parameter that is an array
        broadcasts against `x` with length 1 along `axis`, and receives a gradient.

    Raises
    ------
    TypeError
        Integer or complex scores, a parameter of another array library.
    ValueError
        A parameter out of its range or not finite, an axis out of range. In a tensor on an
        accelerator or under a transform a parameter out of its range gives NaN instead.

    Notes
    -----
    A row of one item gets weight 1; its logarithm is taken as log 2, so that a negative power stays
    finite. The authors' code has log(n + 1) in place of log n in every row of a causal mask. Exact
    zeros keep a row sharp at any n if the others stay a gap below the top; a growing scale makes
    the gap that is needed smaller.

    Source: arXiv 2506.16640 and the code ``deep-spin/asentmax``.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.append(np.linspace(0, 1, 99), 1.5)
    >>> round(float(sharplib.entmax15(x)[-1]), 3)
    0.226
    >>> round(float(sharplib.asentmax(x, beta=0.5, gamma=1.0)[-1]), 3)
    0.934
    """
    row = rows(x, axis)
    beta = positive_per_row(beta, "beta", row)
    gamma = per_row(gamma, "gamma", row, minimum=-float("inf"), strict=True)
    delta = per_row(delta, "delta", row, minimum=0.0, strict=False)
    scale = delta + beta * log_length(row) ** gamma
    if not isinstance(delta, float):
        scale = row.xp.where(delta >= 0, scale, scalar(float("nan"), scale))
    return row.restore(entmax(scaled(row, scale), alpha, row.axis))
