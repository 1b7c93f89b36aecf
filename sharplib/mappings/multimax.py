"""MultiMax: a softmax of scores that were bent at learned thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sharplib._arrays import Rows, _device, as_array, namespace, readable, rows, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import normalised, pull_back, shifted


def multimax(x: Any, thresholds: Any, coefficients: Any, axis: int = -1) -> Any:
    r"""Softmax of scores that are bent below one threshold and above another.

    .. math:: p = \mathrm{softmax}(\sigma(x)), \qquad
        \sigma(x) = x + c_0 [r_0 - x]_+ + c_1 [x - r_1]_+
        \;\bigl(+\; c_2 [r_2 - x]_+^2 + c_3 [x - r_3]_+^2\bigr)

    The first two terms make order 1: slope :math:`t_b = 1 - c_0` below :math:`b = r_0`, slope
    :math:`t_d = 1 + c_1` above :math:`d = r_1`, and 1 in between. All four make order 2.

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item, whatever becomes of the others.
    thresholds : two or four numbers, or an array of them
        :math:`r`, in the units of the scores. An array receives a gradient.
    coefficients : as many numbers, or an array of them
        :math:`c`; all 0 gives softmax. An array receives a gradient.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. A score of ``+inf`` gets its limit
        where :math:`\sigma` ends in a rise, and makes its row NaN where not.

    Raises
    ------
    TypeError
        Integer or complex scores; parameters that are not numbers, or of another array library.
    ValueError
        Neither two nor four parameters, more of one kind than of the other, one that is not finite,
        an axis out of range.

    Notes
    -----
    Meant for :math:`c_0 < 0`, which pushes low scores down, and :math:`c_1 < 0`, which draws high
    ones together: fewer items matter, but more than one. The thresholds stand where they are, so
    that a constant added to the scores changes the weights. The order of the scores is kept only
    where :math:`\sigma` rises. At a temperature, ``multimax(x / θ)`` tends to the maximal score as
    θ → 0 (where :math:`\sigma` rises), and to equal weights as θ → ∞. At order 1 the Lipschitz
    constant is half the steepest slope; at order 2 there is none. Scores from a fixed interval stay
    in one, so that all weights are of order 1/n as n grows.

    Source: arXiv 2406.01189 and its code, whose ``ranges`` and ``ts`` are these parameters.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.array([1.0, 0.9, -2.0, 0.2])
    >>> sharplib.multimax(x, thresholds=(-0.5, 0.5), coefficients=(-1.0, -0.5)).round(3)
    array([0.393, 0.374, 0.006, 0.227])
    """
    row = rows(x, axis)
    r = _checked(thresholds, "thresholds", row)
    c = _checked(coefficients, "coefficients", row)
    if r.shape != c.shape:
        raise ValueError(
            f"thresholds and coefficients must be equally many, got {r.shape[0]} and {c.shape[0]}"
        )
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_MULTIMAX(row.values, r, c, axis=row.axis)[0])


def _checked(values: Any, name: str, row: Rows) -> Any:
    """Two or four numbers as an array beside the scores."""
    xp, like = row.xp, row.values
    if isinstance(values, list | tuple):
        if not all(isinstance(v, int | float | np.integer | np.floating) for v in values):
            raise TypeError(f"{name} must be numbers, or one array of them, got {values!r}")
        values = xp.asarray([float(v) for v in values], dtype=like.dtype, device=_device(like))
    values = as_array(values, name)
    if namespace(values) is not xp:
        raise TypeError(f"{name} must be numbers or the same kind of array as x")
    if tuple(values.shape) not in {(2,), (4,)}:
        raise ValueError(
            f"{name} must be two numbers (order 1) or four (order 2), "
            f"got shape {tuple(values.shape)}"
        )
    bad = ~xp.isfinite(values)
    if readable(values) and bool(xp.any(bad)):
        raise ValueError(f"{name} must be finite, got {values[bad][0]}")
    return xp.astype(values, like.dtype, copy=False)


def _terms(x: Any, r: Any, c: Any) -> Iterator[tuple[Any, Any, int, bool]]:
    """For each term: [± (x - r)]_+, its coefficient, the sign, and whether it is squared."""
    xp = namespace(x)
    for k in range(r.shape[0]):
        sign = 1 if k % 2 else -1
        yield xp.maximum(sign * (x - r[k]), scalar(0.0, x)), c[k], sign, k >= 2


def _finite(x: Any) -> Any:
    """x, with 0 in the place of infinities, on which the terms would be inf - inf."""
    xp = namespace(x)
    return xp.where(xp.isinf(x), scalar(0.0, x), x)


def _multimax(x: Any, r: Any, c: Any, *, axis: int) -> Arrays:
    xp = namespace(x)
    infinity = scalar(float("inf"), x)
    bent = _finite(x)
    for gap, coefficient, _, squared in _terms(bent, r, c):
        term = coefficient * gap  # first, so that a coefficient of 0 ends a square that overflows
        bent = bent + (term * gap if squared else term)
    rises = 1 + c[1] > 0
    if r.shape[0] == 4:
        rises = (c[3] > 0) | ((c[3] == 0) & rises)
    end = xp.where(rises, infinity, scalar(float("nan"), x))
    bent = xp.where(xp.isinf(x), xp.where(x > 0, end, -infinity), bent)
    return normalised(shifted(bent, axis), axis)[:1]


def _multimax_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # (diag p - p pᵀ) grad, times the slope of σ for the scores, and for each parameter summed
    # against its share in σ.
    x, r, c, p = saved
    xp = namespace(x)
    x = _finite(x)
    pulled = pull_back(p, grads[0], axis)
    by_x, by_r, by_c = pulled, [], []
    for gap, coefficient, sign, squared in _terms(x, r, c):
        inside = pulled * xp.astype(gap > 0, x.dtype)
        along = inside * gap
        moved = coefficient * (2 * along if squared else inside)
        by_x = by_x + sign * moved
        by_r.append(-sign * xp.sum(moved))
        by_c.append(xp.sum(along * gap if squared else along))
    return by_x, xp.stack(by_r), xp.stack(by_c)


_MULTIMAX = ClosedForm(
    _multimax, _multimax_vjp, lambda inputs, outputs: (*inputs, *outputs), name="multimax"
)
