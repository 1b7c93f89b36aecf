"""Softmax off by one: a softmax that may add up to less than 1."""

from __future__ import annotations

from typing import Any

from sharplib.mappings.sink_softmax import sink_softmax


def softmax_off_by_one(x: Any, axis: int = -1) -> Any:
    r"""Softmax with 1 added to its denominator; also called softmax1.

    .. math:: p_k = \frac{\exp(x_k)}{1 + \sum_j \exp(x_j)}

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    axis : int
        The axis along which weights sum to less than 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`.

    Raises
    ------
    TypeError
        Integer or complex scores.
    ValueError
        An axis out of range.

    Notes
    -----
    This is `sink_softmax` with a sink of 0, and has its properties: scores far below 0 give weights
    near 0, a shift of the scores changes the weights, and with n scores inside a fixed interval
    every weight is of order 1/n. Lipschitz constant 1/2 in the Euclidean norm.

    Source: Evan Miller's blog.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.softmax_off_by_one(np.array([0.0, 0.0, -np.inf])).round(3)
    array([0.333, 0.333, 0.   ])
    """
    return sink_softmax(x, 0.0, axis)
