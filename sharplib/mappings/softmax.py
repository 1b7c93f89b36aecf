"""Softmax at a temperature, and its logarithm."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import namespace, per_row, rows, scalar
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._rows import log_weights, normalised, pull_back, shifted


def softmax(x: Any, axis: int = -1, temperature: Any = 1.0) -> Any:
    r"""Weights in proportion to the exponential of the scores.

    .. math:: p_k = \frac{\exp(x_k/\theta)}{\sum_j \exp(x_j/\theta)}
        = \arg\max_{p \in \Delta} \langle p, x \rangle + \theta H(p)

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item: its weight is exactly 0.
    axis : int
        The axis along which weights sum to 1.
    temperature : float, or array with one value per row
        :math:`\theta > 0`, in the units of the scores. An array broadcasts against `x` with
        length 1 along `axis`, and receives a gradient.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. Work is done in float32 or better. A
        row that is masked throughout gives zeros; ``+inf`` entries share the mass; NaN stays in its
        row.

    Raises
    ------
    TypeError
        Integer or complex scores, or an axis that is not an integer.
    ValueError
        A temperature that is not positive and finite, or an axis out of range. In a tensor on an
        accelerator or under a transform a bad temperature gives NaN instead.

    Notes
    -----
    Limits: :math:`\theta \to 0` shares the mass among the maximal scores, :math:`\theta \to \infty`
    among all. With n scores inside a fixed interval every weight is of order 1/n
    (arXiv 2410.01104, Lemma 2.1). Lipschitz constant :math:`1/(2\theta)` in the Euclidean norm. The
    exponential mechanism with the inverse temperature :math:`\alpha = 1/\theta` is this map
    (arXiv 2010.11450).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.softmax(np.array([1.0, 2.0, 3.0, 4.0])).round(3)
    array([0.032, 0.087, 0.237, 0.644])
    >>> sharplib.softmax(np.array([0.0, 2.0, -np.inf]), temperature=0.5).round(3)
    array([0.018, 0.982, 0.   ])
    """
    return _apply(_SOFTMAX, _TEMPERED_SOFTMAX, x, axis, temperature)


def log_softmax(x: Any, axis: int = -1, temperature: Any = 1.0) -> Any:
    r"""The logarithm of `softmax`, exact where the weights themselves underflow.

    .. math:: \log p_k = x_k/\theta - \log \sum_j \exp(x_j/\theta)

    Parameters, errors and masking are those of `softmax`. A masked item gives ``-inf``, and so does
    every item of a row that is masked throughout. In nats.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.log_softmax(np.array([0.0, -1000.0]))
    array([    0., -1000.])
    """
    return _apply(_LOG_SOFTMAX, _TEMPERED_LOG_SOFTMAX, x, axis, temperature)


def _apply(fixed: ClosedForm, tempered: ClosedForm, x: Any, axis: int, temperature: Any) -> Any:
    row = rows(x, axis)
    theta = per_row(temperature, "temperature", row, minimum=0.0, strict=True)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    if isinstance(theta, float):
        # A temperature that the scores' precision cannot tell from 0 is as cold as it can tell.
        theta = max(theta, float(row.xp.finfo(row.values.dtype).smallest_normal))
        (result,) = fixed(row.values, axis=row.axis, temperature=theta)
    else:
        (result,) = tempered(row.values, theta, axis=row.axis)
    return row.restore(result)


def _scaled(x: Any, temperature: Any, axis: int) -> Any:
    """(x - max x) / temperature."""
    xp = namespace(x)
    y = shifted(x, axis)
    if isinstance(temperature, float):
        return y if temperature == 1 else y / temperature
    return y / xp.where(temperature > 0, temperature, scalar(float("nan"), x))


def _softmax(x: Any, temperature: Any = 1.0, *, axis: int) -> Arrays:
    return normalised(_scaled(x, temperature, axis), axis)[:1]


def _softmax_vjp(saved: Arrays, grads: Arrays, *, axis: int, temperature: float) -> Arrays:
    return (pull_back(saved[0], grads[0], axis) / temperature,)


def _tempered_softmax_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    p, theta = saved
    pulled = pull_back(p, grads[0], axis)
    # <x, pulled> / θ = <log p, pulled>, since the entries of `pulled` add up to 0.
    by_theta = namespace(p).sum(log_weights(p) * pulled, axis=axis, keepdims=True)
    return pulled / theta, -by_theta / theta


def _log_softmax(x: Any, temperature: Any = 1.0, *, axis: int) -> Arrays:
    y = _scaled(x, temperature, axis)
    total = normalised(y, axis)[1]
    xp = namespace(x)
    return (y - xp.log(xp.where(total == 0, scalar(1.0, x), total)),)


def _push_through_log(log_p: Any, grad: Any, axis: int) -> Any:
    """grad - p sum(grad), over the items that are not masked."""
    xp = namespace(log_p)
    grad = xp.where(xp.isinf(log_p), scalar(0.0, grad), grad)
    return grad - xp.exp(log_p) * xp.sum(grad, axis=axis, keepdims=True)


def _log_softmax_vjp(saved: Arrays, grads: Arrays, *, axis: int, temperature: float) -> Arrays:
    return (_push_through_log(saved[0], grads[0], axis) / temperature,)


def _tempered_log_softmax_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    log_p, theta = saved
    xp = namespace(log_p)
    pulled = _push_through_log(log_p, grads[0], axis)
    finite = xp.where(xp.isinf(log_p), scalar(0.0, log_p), log_p)
    by_theta = xp.sum(finite * pulled, axis=axis, keepdims=True)
    return pulled / theta, -by_theta / theta


def _outputs(inputs: Arrays, outputs: Arrays) -> Arrays:
    return outputs


def _outputs_and_temperature(inputs: Arrays, outputs: Arrays) -> Arrays:
    return *outputs, inputs[1]


_SOFTMAX = ClosedForm(_softmax, _softmax_vjp, _outputs, name="softmax")
_TEMPERED_SOFTMAX = ClosedForm(_softmax, _tempered_softmax_vjp, _outputs_and_temperature)
_LOG_SOFTMAX = ClosedForm(_log_softmax, _log_softmax_vjp, _outputs)
_TEMPERED_LOG_SOFTMAX = ClosedForm(
    _log_softmax, _tempered_log_softmax_vjp, _outputs_and_temperature
)
