"""Shares of a periodic function of the scores: large scores keep their gradient, and their order is
lost from one period to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sharplib._arrays import Rows, namespace, per_row, rows, scalar
from sharplib._autograd import Arrays, ClosedForm

Root = Callable[..., tuple[Any, Any]]


def sin_max(x: Any, axis: int = -1, *, offset: float = 0.0, frequency: float = 1.0) -> Any:
    r"""Shares of a sine, with an offset that can keep it positive.

    .. math:: p_k = \frac{g(x_k)}{\sum_j g(x_j)}, \qquad g(x) = c + \sin(\omega x)

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores, in radians at frequency 1. ``-inf`` masks an item.
    axis : int
        The axis along which weights sum to 1.
    offset : float
        :math:`c \ge 0`. Below 1 there are negative weights, and weights without bound next to rows
        whose sines add up to 0.
    frequency : float
        :math:`\omega > 0`.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. A row whose every g is 0 gets equal
        weights, its limit as a constant is added; a row whose g add up to 0 otherwise has no
        weights and gives NaN. So does a row with ``+inf``, where a periodic function has no limit.

    Raises
    ------
    TypeError
        Integer or complex scores, an offset or a frequency that is not a number.
    ValueError
        A negative offset, a frequency that is not positive, an axis out of range.

    Notes
    -----
    The authors have two versions: a plain sine, and ``offset=1, frequency=10``. A shift of the
    scores by one period changes nothing. At most :math:`(c + 1)/(c - 1)/n` for c > 1: the weights
    disperse. The map jumps where every g is 0.

    Source: arXiv 2108.07153 and its public code (sin-max).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.sin_max(np.array([0.1, 0.2, 0.3])).round(3)
    array([0.168, 0.334, 0.497])
    >>> sharplib.sin_max(np.array([0.1, 0.2, 0.3]), offset=1.0, frequency=10.0).round(3)
    array([0.376, 0.39 , 0.233])
    """
    row = rows(x, axis)
    offset = _number(offset, "offset", row, strict=False)
    frequency = _number(frequency, "frequency", row, strict=True)
    return _applied(_SIN, row, offset=offset, frequency=frequency)


def cos_max(x: Any, axis: int = -1) -> Any:
    r"""Shares of a cosine: the scores nearest to 0 weigh most, with either sign.

    .. math:: p_k = \frac{\cos x_k}{\sum_j \cos x_j}

    Parameters, masking, the rules for rows that have no weights, and the errors are those of
    `sin_max`. Weights are negative beyond :math:`\pm\pi/2` and have no bound next to rows whose
    cosines add up to 0. The gradient is 0 at scores of 0.

    Source: arXiv 2108.07153 and its public code (cos-max).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.cos_max(np.array([0.0, 1.0, -1.0])).round(3)
    array([0.481, 0.26 , 0.26 ])
    """
    return _applied(_COS, rows(x, axis))


def sin2_max(x: Any, axis: int = -1) -> Any:
    r"""Shares of a squared sine: a score of 0 weighs nothing.

    .. math:: p_k = \frac{\sin^2 x_k}{\sum_j \sin^2 x_j}

    Parameters, masking, the rules for rows that have no weights, and the errors are those of
    `sin_max`; the weights are not negative. The map jumps at a row of zeros, which gets equal
    weights. Next to scores of 0 any other keeps its weight at every n; between two bounds without a
    multiple of :math:`\pi` the weights disperse.

    Source: arXiv 2108.07153 and its public code (sin2-max).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.sin2_max(np.array([0.0, 1.0, 2.0])).round(3)
    array([0.   , 0.461, 0.539])
    """
    return _applied(_SIN2, rows(x, axis))


def shifted_sin2_max(x: Any, axis: int = -1) -> Any:
    r"""Shares of a squared sine, shifted so that scores of 0 lie on its rising branch.

    .. math:: p_k = \frac{g(x_k)}{\sum_j g(x_j)}, \qquad
        g(x) = \sin^2(x + \pi/4) = \tfrac12 (1 + \sin 2x)

    Parameters, masking, the rules for rows that have no weights, and the errors are those of
    `sin_max`; the weights are not negative. It rises for scores in :math:`[-\pi/4, \pi/4]` and has
    period :math:`\pi`. The map jumps where every g is 0.

    Source: arXiv 2108.07153 and its public code (sin2-max-shifted).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.shifted_sin2_max(np.array([-0.5, 0.0, 0.5])).round(3)
    array([0.053, 0.333, 0.614])
    """
    return _applied(_SHIFTED_SIN2, rows(x, axis))


def siren_max(x: Any, axis: int = -1) -> Any:
    r"""Shares of a function with poles: a score at one has all the weight.

    .. math:: p_k = \frac{g(x_k)}{\sum_j g(x_j)}, \qquad
        g(x) = \frac{1 + \sin x}{2 - 2\sin x} = \tfrac12 \tan^2(\pi/4 + x/2)

    Parameters, masking, the rules for rows that have no weights, and the errors are those of
    `sin_max`; the weights are not negative. It rises for scores in :math:`(-\pi/2, \pi/2)`, has its
    poles at :math:`\pi/2 + 2\pi k`, and is softmax of :math:`2 \mathrm{artanh}(\sin x)`. The map
    jumps where two scores meet poles.

    Source: arXiv 2108.07153 and its public code (siren-max).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.siren_max(np.array([0.0, 0.5, 1.5])).round(3)
    array([0.001, 0.004, 0.995])
    """
    return _applied(_SIREN, rows(x, axis))


def sin_softmax(x: Any, axis: int = -1) -> Any:
    r"""Softmax of the sines of the scores.

    .. math:: p_k = \frac{\exp(\sin x_k)}{\sum_j \exp(\sin x_j)}

    Parameters, masking and errors are those of `sin_max`; the weights are positive, at most
    :math:`e^2/(e^2 + n - 1)`. A row with ``+inf`` gives NaN. Lipschitz constant 1/2 in the
    Euclidean norm.

    Source: arXiv 2108.07153 and its public code (sin-softmax).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.sin_softmax(np.array([0.0, 1.5, 3.0])).round(3)
    array([0.206, 0.558, 0.237])
    """
    return _applied(_SIN_SOFTMAX, rows(x, axis))


def _number(value: float, name: str, row: Rows, *, strict: bool) -> float:
    checked = per_row(value, name, row, minimum=0.0, strict=strict)
    if not isinstance(checked, float):
        raise TypeError(f"{name} must be one number, not an array")
    return checked


def _applied(shares: ClosedForm, row: Rows, **settings: float) -> Any:
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(shares(row.values, axis=row.axis, **settings)[0])


def _shares(name: str, root: Root, power: int) -> ClosedForm:
    """p = r^power / sum r^power, for a function that gives r and its slope."""

    def parts(x: Any, axis: int, settings: dict[str, float]) -> tuple[Any, Any, Any, Any]:
        """The weights, r and its slope over the largest |r| of the row, and the sum of powers."""
        xp = namespace(x)
        zero, one, nan = (scalar(v, x) for v in (0.0, 1.0, float("nan")))
        there = x != -float("inf")
        r, slope = root(xp.where(there, xp.where(x == float("inf"), nan, x), zero), **settings)
        r, slope = xp.where(there, r, zero), xp.where(there, slope, zero)
        top = xp.max(xp.abs(r), axis=axis, keepdims=True)
        flat = top == 0  # masked throughout, or at zeros of g throughout
        top = xp.where(flat, one, top)
        r, slope = r / top, xp.where(flat, zero, slope / top)
        powers = xp.where(flat & there, one, r**power)
        total = xp.sum(powers, axis=axis, keepdims=True)
        total = xp.where(total == 0, xp.where(flat, one, nan), total)
        return powers / total, r, slope, total

    def value(x: Any, *, axis: int, **settings: float) -> Arrays:
        return parts(x, axis, settings)[:1]

    def vjp(saved: Arrays, grads: Arrays, *, axis: int, **settings: float) -> Arrays:
        xp = namespace(saved[0])
        p, r, slope, total = parts(saved[0], axis, settings)
        # Relative to the gradient of the leader, whose own centred gradient is small next to a
        # pole, where its slope is large.
        leads = xp.astype(xp.abs(r) == 1, p.dtype)
        count = xp.sum(leads, axis=axis, keepdims=True)
        count = xp.where(count == 0, scalar(1.0, p), count)
        grad = grads[0] - xp.sum(leads * grads[0], axis=axis, keepdims=True) / count
        centred = grad - xp.sum(p * grad, axis=axis, keepdims=True)
        return (power * r ** (power - 1) * slope / total * centred,)

    return ClosedForm(value, vjp, lambda inputs, outputs: inputs, name=name)


def _sin(x: Any, offset: float, frequency: float) -> tuple[Any, Any]:
    xp = namespace(x)
    # Beyond this no digit of the phase is left, but the angle must stay finite.
    most = scalar(0.99 * float(xp.finfo(x.dtype).max) / max(frequency, 1.0), x)
    angle = frequency * xp.maximum(xp.minimum(x, most), -most)
    return offset + xp.sin(angle), frequency * xp.cos(angle)


def _siren(x: Any) -> tuple[Any, Any]:
    """tan(π/4 + x/2), large but finite at a pole."""
    xp = namespace(x)
    sin, cos = xp.sin(x / 2), xp.cos(x / 2)
    pole = cos == sin
    below = xp.where(pole, scalar(float(xp.finfo(x.dtype).smallest_normal), x), cos - sin)
    safe = xp.where(pole, scalar(1.0, x), below)
    return (cos + sin) / below, xp.where(pole, scalar(0.0, x), 1 / safe**2)


def _exp_sin(x: Any) -> tuple[Any, Any]:
    xp = namespace(x)
    r = xp.exp(xp.sin(x))
    return r, xp.cos(x) * r


_SIN = _shares("sin_max", _sin, 1)
_COS = _shares("cos_max", lambda x: (namespace(x).cos(x), -namespace(x).sin(x)), 1)
_SIN2 = _shares("sin2_max", lambda x: (namespace(x).sin(x), namespace(x).cos(x)), 2)
_SHIFTED_SIN2 = _shares(
    "shifted_sin2_max",
    lambda x: (
        namespace(x).sin(x) + namespace(x).cos(x),
        namespace(x).cos(x) - namespace(x).sin(x),
    ),
    2,
)
_SIREN = _shares("siren_max", _siren, 2)
_SIN_SOFTMAX = _shares("sin_softmax", _exp_sin, 1)
