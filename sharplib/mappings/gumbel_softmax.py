"""Gumbel-softmax: one item drawn at random, softened so that a gradient can pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib._arrays import Rows, _device, is_torch, namespace, rows, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings.softmax import softmax


def gumbel_softmax(
    x: Any, axis: int = -1, *, generator: Any, temperature: Any = 1.0, hard: bool = False
) -> Any:
    r"""Softmax of scores with Gumbel noise: a random choice that a gradient can follow.

    .. math:: p = \mathrm{softmax}\!\left(\frac{x + g}{\theta}\right), \qquad
        g_k = -\log E_k, \quad E_k \sim \mathrm{Exp}(1) \text{ independent}

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores: log-probabilities up to a constant. ``-inf`` masks an item.
    axis : int
        The axis along which weights sum to 1.
    generator : numpy.random.Generator, or torch.Generator for a tensor
        Where the noise comes from. The same seed gives the same weights.
    temperature : float, or array with one value per row
        :math:`\theta > 0`, in the units of the scores; as in `softmax`.
    hard : bool
        Give the drawn item itself, as weights 1 and 0, with the gradient of the soft weights
        (straight-through). This is then not the derivative of what is returned.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. Work is done in float32 or better. A
        row that is masked throughout gives zeros; NaN stays in its row.

    Raises
    ------
    TypeError
        Integer or complex scores, or a generator of another kind than the scores.
    ValueError
        A temperature that is not positive and finite, or an axis out of range.

    Notes
    -----
    At any temperature the largest weight falls on item k with probability ``softmax(x)[k]``, so
    that hard weights are an exact draw. Limits: :math:`\theta \to 0` gives the hard weights,
    :math:`\theta \to \infty` equal ones. At a low temperature the gradient varies much from draw to
    draw; at a high one its mean is far from that of the choice. Random, and so not in the
    catalogue.

    Source: arXiv 1611.01144 and arXiv 1611.00712.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> x = np.log([0.2, 0.3, 0.5])
    >>> sharplib.gumbel_softmax(x, generator=np.random.default_rng(0)).round(3)
    array([0.011, 0.011, 0.977])
    >>> rows = np.tile(x, (10_000, 1))
    >>> drawn = sharplib.gumbel_softmax(rows, generator=np.random.default_rng(0), hard=True)
    >>> drawn.mean(0).round(2)
    array([0.21, 0.3 , 0.5 ])
    """
    row = rows(x, axis)
    noisy = row.values - row.xp.log(_exponential(row, generator))
    p = softmax(noisy, row.axis, temperature)
    if hard and row.values.shape[row.axis]:
        (p,) = _DRAWN(p, axis=row.axis)
    return row.restore(p)


def _exponential(row: Rows, generator: Any) -> Any:
    """Exponential noise of mean 1 beside the scores, never 0."""
    x = row.values
    if is_torch(x):
        import torch

        if not isinstance(generator, torch.Generator):
            raise TypeError(f"generator must be a torch.Generator for a tensor, got {generator!r}")
        noise = torch.empty_like(x, requires_grad=False).exponential_(generator=generator)
    else:
        if not isinstance(generator, np.random.Generator):
            raise TypeError(f"generator must be a numpy.random.Generator, got {generator!r}")
        noise = generator.standard_exponential(x.shape)
        noise = row.xp.asarray(noise, dtype=x.dtype, device=_device(x))
    return row.xp.maximum(noise, scalar(float(row.xp.finfo(x.dtype).smallest_normal), x))


def _drawn(p: Any, *, axis: int) -> Arrays:
    """1 for the item with the largest weight, the first of several; 0 for a row of zeros."""
    xp = namespace(p)
    n = p.shape[axis]
    places = xp.reshape(
        xp.arange(n, dtype=xp.int64, device=_device(p)),
        tuple(n if i == axis else 1 for i in range(p.ndim)),
    )
    best = (places == xp.argmax(p, axis=axis, keepdims=True)) & (p > 0)
    return (xp.where(xp.isnan(p), p, xp.astype(best, p.dtype)),)


def _drawn_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    return grads


_DRAWN = ClosedForm(_drawn, _drawn_vjp, lambda inputs, outputs: (), name="drawn")
