"""YaRN's attention scaling: a softmax sharpened by the square of a logarithm of the length."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import rows, scalar
from sharplib.mappings._length import scaled, training_length, unmasked
from sharplib.mappings.softmax import softmax


def yarn_softmax(x: Any, train_length: int, axis: int = -1) -> Any:
    r"""Softmax with the temperature that YaRN gives to rows longer than those of training.

    .. math:: p = \mathrm{softmax}\bigl((0.1 \log r + 1)^2\, x\bigr), \qquad
        r = \max\Bigl(\frac{n}{m}, 1\Bigr),

    where n counts the items of the row that are not masked, and m is the training length.

    Parameters, masking and errors are those of `logn_softmax`; a row of at most m items gets
    ``softmax(x)``.

    Notes
    -----
    r is a ratio, not a length. YaRN fixes it once for a model, as the ratio of the context lengths;
    here each row has its own. As n grows the factor overtakes log n, at which a fixed gap
    stays visible, so weights end up on the top item whatever its lead; but the square
    of a tenth of a logarithm takes its time: ten times the training length gives a factor of 1.51.

    Source: arXiv 2309.00071. The same paper's change of rotary frequencies is not part of this map.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.append(np.zeros(999), 6.0)
    >>> round(float(sharplib.softmax(x)[-1]), 3)
    0.288
    >>> round(float(sharplib.yarn_softmax(x, train_length=64)[-1]), 3)
    0.945
    """
    row = rows(x, axis)
    ratio = unmasked(row) / training_length(train_length)
    root = 0.1 * row.xp.log(row.xp.where(ratio < 1, scalar(1.0, ratio), ratio)) + 1
    return row.restore(softmax(scaled(row, root**2), row.axis))
