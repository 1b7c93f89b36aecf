"""Sparsegen: sparsemax with a parameter for how sparse."""

from __future__ import annotations

import math
from typing import Any

from sharplib._arrays import namespace, per_row, readable, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import pull_back_weighted, shifted, spread_out
from sharplib.mappings.sparsemax import project


def sparsegen(x: Any, lam: Any, axis: int = -1) -> Any:
    r"""Sparsemax that is pulled towards a single item (lam > 0) or towards equal shares (lam < 0).

    .. math:: p = \arg\min_{p \in \Delta} \lVert p - x \rVert^2 - \lambda \lVert p \rVert^2
        = \mathrm{sparsemax}\!\left(\frac{x}{1 - \lambda}\right)

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    lam : float, or array with one value per row
        :math:`\lambda < 1`. An array broadcasts against `x` with length 1 along `axis`, and
        receives a gradient.
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
        Integer or complex scores, a `lam` of another array library, or an axis that is not an
        integer.
    ValueError
        A `lam` of 1 or more or not finite, or an axis out of range. In a tensor on an accelerator
        or under a transform a bad `lam` gives NaN instead.

    Notes
    -----
    This is sparsemax at the temperature :math:`1 - \lambda`: the linear form of the paper, whose
    other forms are ``sparsegen(exp(x), lam)`` and ``sparsegen(x**2, lam)``. Limits:
    :math:`\lambda \to 1` shares the mass among the maximal scores, :math:`\lambda \to -\infty`
    among all. Lipschitz constant :math:`1/(1 - \lambda)` in the Euclidean norm.

    Source: Laha et al., NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.array([1.0, 0.9, -2.0, 0.2])
    >>> sharplib.sparsegen(x, lam=0.5).round(3)
    array([0.6, 0.4, 0. , 0. ])
    >>> sharplib.sparsegen(x, lam=-1.0).round(3)
    array([0.483, 0.433, 0.   , 0.083])
    """
    row = rows(x, axis)
    lam = per_row(lam, "lam", row, minimum=-math.inf, strict=True)
    if isinstance(lam, float):
        if lam >= 1:
            raise ValueError(f"lam must be < 1, got {lam!r}")
    elif readable(lam) and bool(row.xp.any(lam >= 1)):
        raise ValueError(f"lam must be < 1 in every row, got {lam[lam >= 1][0]}")
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_SPARSEGEN(row.values, spread_out(lam, row), axis=row.axis)[0])


def _room(lam: Any, like: Any) -> Any:
    """1 - lam, the temperature."""
    xp = namespace(like)
    lam = xp.astype(lam, widest(like), copy=False)
    return xp.where(lam < 1, 1 - lam, scalar(math.nan, lam))


def _sparsegen(x: Any, lam: Any, *, axis: int) -> Arrays:
    """The weights, and how many are above 0."""
    xp = namespace(x)
    y = shifted(xp.astype(x, widest(x), copy=False), axis)
    p = project(y / _room(lam, x), axis)
    size = xp.sum(xp.astype(p > 0, lam.dtype), axis=axis, keepdims=True)
    return xp.astype(p, x.dtype, copy=False), size


def _sparsegen_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # dp/dλ = J x / (1 - λ)², and J x / (1 - λ) = J p since J does not see the threshold.
    p, lam = saved
    xp = namespace(p)
    room = _room(lam, p)
    pulled = pull_back_weighted(xp.astype(p > 0, p.dtype), grads[0], axis) / room
    by_lam = xp.sum(pulled * p, axis=axis, keepdims=True)
    return xp.astype(pulled, p.dtype, copy=False), xp.astype(by_lam, lam.dtype, copy=False)


def _weights_and_lam(inputs: Arrays, outputs: Arrays) -> Arrays:
    return outputs[0], inputs[1]


_SPARSEGEN = ClosedForm(
    _sparsegen, _sparsegen_vjp, _weights_and_lam, name="sparsegen", iterative=True
)
