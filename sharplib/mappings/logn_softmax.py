"""Log-n scaling: a softmax that is sharpened beyond the length it was trained with."""

from __future__ import annotations

import math
from typing import Any

from sharplib._arrays import rows, scalar
from sharplib.mappings._length import log_length, scaled, training_length
from sharplib.mappings.softmax import softmax


def logn_softmax(x: Any, train_length: int, axis: int = -1) -> Any:
    r"""Softmax as trained, with scores that grow like log n in rows longer than those of training.

    .. math:: p = \mathrm{softmax}\Bigl(\max\Bigl(\frac{\log n}{\log m}, 1\Bigr)\, x\Bigr),

    where n counts the items of the row that are not masked, and m is the training length.

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    train_length : int
        The number of items m that the scores were trained with, at least 2.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. A row of at most m items gets
        ``softmax(x)``.

    Raises
    ------
    TypeError
        Integer or complex scores, a training length that is not an integer.
    ValueError
        A training length below 2, an axis out of range.

    Notes
    -----
    Nothing is learned: the factor is put in at prediction. Beyond the training length this is
    `ssmax` with :math:`s = 1/\log m`. So one item a gap :math:`\Delta` above equal ones keeps its
    weight as n grows if :math:`\Delta > \log m`, and loses it if :math:`\Delta < \log m`.

    Source: arXiv 2202.12172; in use as "LogN scaling" in language models.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.append(np.zeros(999), 6.0)
    >>> round(float(sharplib.softmax(x)[-1]), 3)
    0.288
    >>> round(float(sharplib.logn_softmax(x, train_length=64)[-1]), 3)
    0.955
    """
    row = rows(x, axis)
    factor = log_length(row) / math.log(training_length(train_length))
    factor = row.xp.where(factor < 1, scalar(1.0, factor), factor)
    return row.restore(softmax(scaled(row, factor), row.axis))
