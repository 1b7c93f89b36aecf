"""The paper's way to a polynomial from entropy to inverse temperature, redone on our own heads.

Take the rows of logits in which the item that should win is not on top, since for the others the
colder the better. In each of them some inverse temperature gives that item the largest weight that
softmax can give it. Regress those optima on the entropy of the row.
"""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.polynomial import Polynomial
from scipy.optimize import least_squares
from torch import Tensor

from sharplib import measures, softmax

__all__ = ["best_inverse_temperature", "fitted_polynomial"]


def best_inverse_temperature(logits: Tensor, item: Tensor) -> Tensor:
    r"""Return the inverse temperature at which softmax gives an item its largest weight.

    .. math:: \frac{d \log p_m}{d\beta} = x_m - \mathbb{E}_\beta[x] = 0

    The mean under the weights rises with :math:`\beta`, by their variance, so there is one root.

    Parameters
    ----------
    logits
        Scores (rows, items).
    item
        Index of the item in each row, (rows, 1).

    Returns
    -------
    Float64 (rows,). Infinite where the item is on top, 0 where it is at the mean or below.

    Examples
    --------
    >>> x = torch.tensor([[0.0, 1.0, 2.0], [0.0, 1.0, 1.5]])
    >>> best_inverse_temperature(x, torch.tensor([[2], [1]]))
    tensor([   inf, 0.4621], dtype=torch.float64)
    """
    x = logits.double()
    x = x - x.gather(-1, item)  # now the root is where the mean is 0
    top = x.amax(-1) <= 0
    below = (x.mean(-1) >= 0) & ~top

    def mean_is_negative(beta: Tensor) -> Tensor:
        return (softmax(x * beta[:, None]) * x).sum(-1) < 0

    low = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    high = torch.ones_like(low)
    search = ~(top | below)
    while (grow := search & mean_is_negative(high)).any():
        low, high = torch.where(grow, high, low), torch.where(grow, 2 * high, high)
    for _ in range(52):  # as many halvings as float64 has digits
        middle = (low + high) / 2
        colder = mean_is_negative(middle)
        low, high = torch.where(colder, middle, low), torch.where(colder, high, middle)
    root = (low + high) / 2
    return torch.where(top, torch.inf, torch.where(below, 0.0, root))


def fitted_polynomial(rows: Iterable[tuple[Tensor, Tensor]], degree: int = 4) -> tuple[float, ...]:
    r"""Fit a polynomial P so that the temperature 1/P(H) suits rows of entropy H.

    .. math:: \min_P \sum \left(\min(1/\beta^*, 1) - \frac{1}{\max(P(H), 1)}\right)^2

    Least squares in the temperature, since a near tie has an optimum of any height. As adaptive
    softmax never warms, an optimum above temperature 1 counts as 1.

    Parameters
    ----------
    rows
        Pairs of logits (rows, items) and the index of the item that should win (rows, 1). Rows
        where that item is on top are left out.
    degree
        Of the polynomial.

    Returns
    -------
    Coefficients, highest power first; (1,), which leaves softmax as it is, where fewer than ten
    rows for each coefficient have another item on top.
    """
    entropies, optima = [np.empty(0)], [np.empty(0)]
    for logits, item in rows:
        beta = best_inverse_temperature(logits, item)
        used = beta.isfinite()
        entropies.append(measures.entropy(softmax(logits[used].double())).cpu().numpy())
        optima.append(1 / beta[used].clamp_min(1).cpu().numpy())
    entropy, temperature = np.concatenate(entropies), np.concatenate(optima)
    if len(entropy) < 10 * (degree + 1):
        return (1.0,)
    domain = [entropy.min(), entropy.max()]
    start = Polynomial.fit(entropy, 1 / np.clip(temperature, 0.1, 1), degree, domain)

    def misses(coefficients: np.ndarray) -> np.ndarray:
        return temperature - 1 / np.maximum(Polynomial(coefficients, domain)(entropy), 1)

    best = least_squares(misses, start.coef).x
    return tuple(Polynomial(best, domain).convert().coef[::-1].tolist())
