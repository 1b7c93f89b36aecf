"""Piecewise linear softmax: linear in the scores; nothing beyond a fixed width below the top."""

from __future__ import annotations

from typing import Any

from sharplib._arrays import is_torch, namespace, rows, scalar, widest
from sharplib._autograd import Arrays, ClosedForm
from sharplib.mappings._positive import positive_per_row
from sharplib.mappings._rows import shifted


def plsoftmax(x: Any, delta: Any, axis: int = -1) -> Any:
    r"""Weights that are linear in the scores, and 0 for items further than `delta` below the top.

    .. math:: p_i = \frac{1}{\delta} \int_0^\delta
        \frac{[x_i \ge x_{(1)} - t]}{\#\{j : x_j \ge x_{(1)} - t\}} \, dt

    Draw a threshold anywhere within :math:`\delta` of the top, then one of the items above it:
    :math:`p` is the distribution of that item. With the scores sorted downwards,

    .. math:: p_{(i)} = \sum_{j \ge i} \frac{u_{(j+1)} - u_{(j)}}{j}, \qquad
        u_{(j)} = \min\{(x_{(1)} - x_{(j)})/\delta,\, 1\}, \quad u_{(n+1)} = 1.

    Parameters
    ----------
    x : array or tensor of floating-point numbers, any shape
        Scores. ``-inf`` masks an item.
    delta : float, or array with one value per row
        The width :math:`\delta > 0`, in the units of the scores. An array broadcasts against `x`
        with length 1 along `axis`, and receives a gradient.
    axis : int
        The axis along which weights sum to 1.

    Returns
    -------
    array or tensor
        Weights of the shape, dtype, library and device of `x`. ``+inf`` entries share the mass.

    Raises
    ------
    TypeError
        Integer or complex scores, a `delta` of another array library.
    ValueError
        A `delta` that is not positive and finite, an axis out of range. In a tensor on an
        accelerator or under a transform a bad `delta` gives NaN instead.

    Notes
    -----
    Limits: :math:`\delta \to 0` shares the mass among the maximal scores,
    :math:`\delta \to \infty` among all. One item has all the weight exactly when it leads by
    :math:`\delta`; the mean score under :math:`p` is at most :math:`\delta/2` below the top. The
    Lipschitz constant is :math:`2(1 - 1/n)/\delta` from :math:`\ell_1` to :math:`\ell_1`; no map
    without weight beyond :math:`\delta` has a smaller one. In the Euclidean norm it rises with n
    towards :math:`2/(\sqrt 3\,\delta)`, as computed up to n = 1024. For two items this is sparsemax
    of :math:`x/\delta`; for more it is not, and it is the gradient of no function: its Jacobian is
    not symmetric. `plsoftmax_inverse` takes it back.

    Source: arXiv 2010.11450 (PLSoftMax).

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.plsoftmax(np.array([1.0, 0.8, 0.3]), delta=1.0).round(3)
    array([0.55, 0.35, 0.1 ])
    >>> sharplib.plsoftmax(np.array([1.0, 0.8, 0.3]), delta=0.5).round(3)
    array([0.7, 0.3, 0. ])
    """
    row = rows(x, axis)
    delta = positive_per_row(delta, "delta", row)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    return row.restore(_PLSOFTMAX(row.values, delta, axis=row.axis)[0])


def plsoftmax_inverse(p: Any, delta: Any, axis: int = -1) -> Any:
    r"""The scores whose `plsoftmax` is `p`, with the top at 0.

    .. math:: x_i = -\delta \sum_j \max(p_j - p_i, 0)

    Every row of weights that are not negative and sum to 1 has such scores. They are unique but
    for a constant, and but for the items of weight 0: any score of :math:`-\delta` or less gives
    that, and :math:`-\delta` is given.

    Parameters
    ----------
    p : array or tensor of floating-point numbers, any shape
        Weights that sum to 1 along `axis`. A row of zeros is a row that was masked throughout, and
        gives ``-inf``. A negative weight gives NaN in its row.
    delta, axis
        As in `plsoftmax`.

    Returns
    -------
    array or tensor
        Scores between :math:`-\delta` and 0, of the shape, dtype, library and device of `p`.

    Notes
    -----
    Worked out from the definition in arXiv 2010.11450.

    Examples
    --------
    >>> import numpy as np, sharplib
    >>> sharplib.plsoftmax_inverse(np.array([0.55, 0.35, 0.1]), delta=1.0).round(3)
    array([ 0. , -0.2, -0.7])
    """
    row = rows(p, axis, "p")
    delta = positive_per_row(delta, "delta", row)
    if row.values.shape[row.axis] == 0:
        return row.restore(row.values)
    xp = row.xp
    zero, nan = scalar(0.0, row.values), scalar(float("nan"), row.values)
    total = xp.sum(xp.where(row.values < 0, nan, row.values), axis=row.axis, keepdims=True)
    order = xp.argsort(row.values, axis=row.axis, descending=True)
    p = _sorted(row.values, order, row.axis)
    drops = -xp.diff(p, axis=row.axis, prepend=xp.max(p, axis=row.axis, keepdims=True))
    depths = _running_sum((_places(p, row.axis) - 1) * drops, row.axis)
    x = -delta * _unsorted(depths, order, row.axis, row.values)
    x = xp.where(row.values == zero, -delta, x)
    x = xp.where(total == 0, -scalar(float("inf"), row.values), x)
    return row.restore(xp.where(xp.isnan(total), nan, x))


def _sorted(values: Any, order: Any, axis: int) -> Any:
    """Values in the given order, wide enough for sums over long rows."""
    xp = namespace(values)
    return xp.astype(xp.take_along_axis(values, order, axis=axis), widest(values), copy=False)


def _unsorted(values: Any, order: Any, axis: int, like: Any) -> Any:
    xp = namespace(values)
    back = xp.argsort(order, axis=axis)
    return xp.astype(xp.take_along_axis(values, back, axis=axis), like.dtype, copy=False)


def _running_sum(values: Any, axis: int) -> Any:
    xp = namespace(values)
    # The wrapper of array_api_compat makes torch.compile warn.
    sums = xp.cumsum if is_torch(values) else xp.cumulative_sum
    return sums(values, axis=axis)


def _places(values: Any, axis: int) -> Any:
    """1, 2, 3, ... along the axis."""
    return _running_sum(namespace(values).ones_like(values), axis)


def _depths(x: Any, delta: Any, axis: int) -> Any:
    """How far each score is below the top, as a share of delta: 0 at the top, at most 1."""
    xp = namespace(x)
    return xp.minimum(-shifted(x, axis), delta) / delta


def _plsoftmax(x: Any, delta: Any, *, axis: int) -> Arrays:
    xp = namespace(x)
    depths = _depths(x, delta, axis)
    order = xp.argsort(depths, axis=axis)
    u = _sorted(depths, order, axis)
    gaps = xp.diff(u, axis=axis, append=xp.ones_like(xp.min(u, axis=axis, keepdims=True)))
    shares = gaps / _places(u, axis)
    p = xp.flip(_running_sum(xp.flip(shares, axis=axis), axis), axis=axis)
    return (_unsorted(p, order, axis, x),)


def _plsoftmax_vjp(saved: Arrays, grads: Arrays, *, axis: int) -> Arrays:
    # On the support the j-th score from the top moves as (its gradient - the mean of those above
    # it) / (j δ); the top score moves against all the others.
    x, delta = saved
    xp = namespace(x)
    depths = _depths(x, delta, axis)
    order = xp.argsort(depths, axis=axis)
    u, g = _sorted(depths, order, axis), _sorted(grads[0], order, axis)
    place, zero = _places(u, axis), scalar(0.0, u)
    first = place == 1
    above = (_running_sum(g, axis) - g) / xp.where(first, scalar(1.0, u), place - 1)
    pulled = xp.where((u < 1) & ~first, (g - above) / place, zero)
    pulled = xp.where(first, -xp.sum(pulled, axis=axis, keepdims=True), pulled)
    by_delta = xp.astype(xp.sum(pulled * u, axis=axis, keepdims=True), x.dtype, copy=False)
    return _unsorted(pulled, order, axis, x) / delta, by_delta / delta


_PLSOFTMAX = ClosedForm(
    _plsoftmax, _plsoftmax_vjp, lambda inputs, outputs: inputs, name="plsoftmax"
)
