"""Fenchel-Young losses of softmax, the entmax family, normmax and budget."""

from __future__ import annotations

from functools import partial
from typing import Any

from sharplib._arrays import Rows, namespace, per_row, readable, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.losses._regulariser import NORM, TSALLIS, Regulariser
from sharplib.losses._target import LOOSE, target_weights
from sharplib.mappings._length import unmasked
from sharplib.mappings._rows import shifted, spread_out
from sharplib.mappings.budget import budget
from sharplib.mappings.entmax import entmax
from sharplib.mappings.normmax import normmax


def entmax_loss(x: Any, target: Any, alpha: Any = 1.5, axis: int = -1) -> Any:
    r"""The loss whose gradient is ``entmax(x, alpha) - target``.

    .. math:: L = \langle p - q, x \rangle + \Omega(q) - \Omega(p), \qquad
        \Omega(p) = \frac{\sum_i (p_i^\alpha - p_i)}{\alpha (\alpha - 1)},
        \quad p = \mathrm{entmax}_\alpha(x)

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    target : array or tensor
        Integers, one class for each row: the shape of `x` without the axis. Or weights q of the
        shape of `x`, at least 0, that add up to 1 along the axis; they receive a gradient.
    alpha : float, or array with one value per row
        At least 1. An array broadcasts against `x` with length 1 along `axis`, and receives a
        gradient.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        One loss for each row, in the units of the scores: the shape of `x` without the axis. 0
        exactly where the prediction is the target. Infinite where the target is masked; 0, with no
        gradient, for a row that is masked throughout; NaN stays in its row.

    Raises
    ------
    TypeError
        Scores that are not real floating-point numbers, a target of another kind of array.
    ValueError
        An alpha below 1 or not finite; a class out of range; a target of the wrong shape, negative,
        or with another sum.

    Notes
    -----
    Convex in `x`. For a class y and :math:`\alpha > 1` the loss is 0 as soon as
    :math:`x_y \ge x_j + 1/(\alpha - 1)` for all others. At :math:`\alpha = 1` it is the
    cross-entropy, in nats, less the entropy of q.

    Source: arXiv 1905.05702.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.array([[1.0, 0.9, -2.0, 0.2], [3.0, 0.0, 0.0, 0.0]])
    >>> sharplib.losses.entmax_loss(x, np.array([1, 0])).round(3)
    array([0.463, 0.   ])
    """
    row = _wide(x, axis)
    alpha = per_row(alpha, "alpha", row, minimum=1.0, strict=False)
    return _loss(_ENTMAX_LOSS, row, target_weights(target, row), entmax, alpha, alpha)


def softmax_loss(x: Any, target: Any, axis: int = -1) -> Any:
    r"""The loss whose gradient is ``softmax(x) - target``: cross-entropy less the target's entropy.

    .. math:: L = \log \textstyle\sum_i \exp(x_i) - \langle q, x \rangle + \sum_i q_i \log q_i

    In nats. `entmax_loss` at alpha = 1, which describes parameters, masking and errors. Never
    exactly 0 for a class, since softmax never gives all its weight to one item.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> round(float(sharplib.losses.softmax_loss(np.array([1.0, 0.9, -2.0, 0.2]), 1)), 3)
    0.977
    """
    return entmax_loss(x, target, 1.0, axis)


def sparsemax_loss(x: Any, target: Any, axis: int = -1) -> Any:
    r"""The loss whose gradient is ``sparsemax(x) - target``.

    .. math:: L = \langle p - q, x \rangle + \tfrac12 \lVert q \rVert^2
        - \tfrac12 \lVert p \rVert^2, \qquad p = \mathrm{sparsemax}(x)

    `entmax_loss` at alpha = 2, which describes parameters, masking and errors. For a class it is 0
    as soon as its score leads all others by 1; between two classes it is a Huber-like parabola.

    Source: arXiv 1602.02068.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> round(float(sharplib.losses.sparsemax_loss(np.array([1.0, 0.9, -2.0, 0.2]), 1)), 3)
    0.302
    """
    return entmax_loss(x, target, 2.0, axis)


def entmax15_loss(x: Any, target: Any, axis: int = -1) -> Any:
    r"""The loss whose gradient is ``entmax15(x) - target``.

    .. math:: L = \langle p - q, x \rangle + \tfrac43 \textstyle\sum_i (q_i^{3/2} - p_i^{3/2}),
        \qquad p = \mathrm{entmax15}(x)

    `entmax_loss` at alpha = 1.5, which describes parameters, masking and errors. For a class it is
    0 as soon as its score leads all others by 2.

    Source: arXiv 1905.05702.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> round(float(sharplib.losses.entmax15_loss(np.array([1.0, 0.9, -2.0, 0.2]), 1)), 3)
    0.463
    """
    return entmax_loss(x, target, 1.5, axis)


def normmax_loss(x: Any, target: Any, alpha: Any = 2.0, axis: int = -1) -> Any:
    r"""The loss whose gradient is ``normmax(x, alpha) - target``.

    .. math:: L = \langle p - q, x \rangle + \lVert q \rVert_\alpha - \lVert p \rVert_\alpha,
        \qquad p = \mathrm{normmax}_\alpha(x)

    Parameters, masking and errors are those of `entmax_loss`, with an `alpha` above 1. For a class
    it is 0 as soon as its score leads all others by 1, whatever alpha is.

    Source: the package ``entmax``, version 1.3.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> round(float(sharplib.losses.normmax_loss(np.array([1.0, 0.9, -2.0, 0.2]), 1)), 3)
    0.345
    """
    row = _wide(x, axis)
    alpha = per_row(alpha, "alpha", row, minimum=1.0, strict=True)
    return _loss(_NORMMAX_LOSS, row, target_weights(target, row), normmax, alpha, alpha)


def budget_loss(x: Any, target: Any, k: Any, axis: int = -1) -> Any:
    r"""The loss whose gradient is ``budget(x, k) - target``: k right answers instead of one.

    .. math:: L = \langle p - q, x \rangle + \tfrac12 \lVert q \rVert^2
        - \tfrac12 \lVert p \rVert^2, \qquad p = \mathrm{budget}_k(x)

    The target q holds weights between 0 and 1 of the shape of `x`, which add up to `k` along the
    axis, or to the number of items that are not masked where that is less. `k` is a number, or an
    array with one for each row, which receives no gradient. Masking and errors are those of
    `entmax_loss`. The loss is 0 as soon as the k right scores lead all others by 1.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.array([1.0, 0.75, -2.0, 0.5])
    >>> round(float(sharplib.losses.budget_loss(x, np.array([1.0, 0.0, 0.0, 1.0]), k=2)), 4)
    0.3958
    """
    row = _wide(x, axis)
    k = per_row(k, "k", row, minimum=0.0, strict=False)
    q = target_weights(target, row, total=row.xp.clip(unmasked(row), max=k))
    if readable(q) and bool(row.xp.any(q > 1 + LOOSE)):
        raise ValueError(f"target must hold weights between 0 and 1, got {q[q > 1 + LOOSE][0]}")
    return _loss(_ENTMAX_LOSS, row, q, budget, k, 2.0)


def _wide(x: Any, axis: int) -> Rows:
    """The rows in float64: what is left of the terms of a small loss has few digits."""
    row = rows(x, axis)
    return row._replace(values=row.xp.astype(row.values, widest(row.values), copy=False))


def _loss(rule: ClosedForm, row: Rows, q: Any, mapping: Any, parameter: Any, alpha: Any) -> Any:
    """One loss for each row; alpha is the regulariser's, `parameter` the mapping's."""
    x = row.values
    if x.shape[row.axis] == 0:
        return row.restore(row.xp.sum(x, axis=row.axis))
    p = mapping(x, parameter, row.axis)
    (loss,) = rule(x, p, q, spread_out(alpha, row), axis=row.axis)
    return row.restore(row.xp.squeeze(loss, axis=row.axis))


def _value(x: Any, p: Any, q: Any, alpha: Any, *, axis: int, omega: Regulariser) -> Arrays:
    xp = namespace(x)
    zero, infinity = scalar(0.0, x), scalar(float("inf"), x)
    y = shifted(x, axis)
    masked = xp.isinf(y)
    y = xp.where(masked, zero, y)
    linear = xp.sum((p - q) * y, axis=axis, keepdims=True)
    loss = xp.maximum(linear + omega.value(q, alpha, axis) - omega.value(p, alpha, axis), zero)
    missed = xp.sum(xp.where(masked, q, zero), axis=axis, keepdims=True)
    loss = xp.where(missed > 0, infinity, loss)
    return (
        xp.where(xp.sum(xp.astype(~masked, x.dtype), axis=axis, keepdims=True) == 0, zero, loss),
    )


def _vjp(saved: Arrays, grads: Arrays, *, axis: int, omega: Regulariser) -> tuple[Any, ...]:
    # The prediction is the best p for the scores, so the loss does not change with it.
    x, p, q, alpha = saved
    xp = namespace(x)
    zero = scalar(0.0, x)
    y = shifted(x, axis)
    masked = xp.isinf(y)
    nothing = xp.sum(xp.astype(~masked, x.dtype), axis=axis, keepdims=True) == 0
    grad = xp.where(nothing, zero, grads[0])
    by_target = omega.by_weights(q, alpha, axis) - xp.where(masked, zero, y)
    by_alpha = omega.by_alpha(q, alpha, axis) - omega.by_alpha(p, alpha, axis)
    return (p - q) * grad, None, by_target * grad, by_alpha * grad


def _inputs(inputs: Arrays, outputs: Arrays) -> Arrays:
    return inputs


_ENTMAX_LOSS = ClosedForm(partial(_value, omega=TSALLIS), partial(_vjp, omega=TSALLIS), _inputs)
_NORMMAX_LOSS = ClosedForm(partial(_value, omega=NORM), partial(_vjp, omega=NORM), _inputs)
