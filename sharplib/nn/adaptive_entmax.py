"""Entmax with a learned alpha."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from sharplib.mappings.entmax import entmax


class AdaptiveEntmax(torch.nn.Module):
    r"""`sharplib.entmax` with a learned alpha, between softmax and sparsemax.

    .. math:: p = \mathrm{entmax}_\alpha(x), \qquad \alpha = 1 + \mathrm{sigmoid}(a)

    Parameters
    ----------
    shape : sequence of int
        The shape of a. It broadcasts against the scores, with length 1 along `axis`: for one alpha
        per head, scores of shape (batch, heads, queries, keys) want ``(heads, 1, 1)``.
    axis : int
        The axis along which weights sum to 1.
    alpha : float
        Where to begin, strictly between 1 and 2.

    Attributes
    ----------
    logit : torch.nn.Parameter
        a. Whatever it learns, alpha stays between 1 and 2; at both ends the map and its gradients
        are well defined.

    Raises
    ------
    ValueError
        An alpha that is not strictly between 1 and 2.
    TypeError
        A shape that is no sequence: 8 heads are ``(8, 1, 1)``.

    Notes
    -----
    Source: Correia, Niculae and Martins, 2019.

    Examples
    --------
    >>> import torch
    >>> from sharplib.nn import AdaptiveEntmax
    >>> attend = AdaptiveEntmax((8, 1, 1))
    >>> attend(torch.zeros(2, 8, 5, 5)).shape, attend.alpha.shape
    (torch.Size([2, 8, 5, 5]), torch.Size([8, 1, 1]))
    """

    def __init__(self, shape: Sequence[int] = (), axis: int = -1, alpha: float = 1.5) -> None:
        super().__init__()
        if not 1 < alpha < 2:
            raise ValueError(f"alpha must lie strictly between 1 and 2, got {alpha!r}")
        if not isinstance(shape, Sequence):
            raise TypeError(f"shape must be a sequence of integers, got {shape!r}")
        self.axis = axis
        logit = math.log((alpha - 1) / (2 - alpha))
        self.logit = torch.nn.Parameter(torch.full(tuple(shape), logit))

    @property
    def alpha(self) -> torch.Tensor:
        """The alphas, of the shape of `logit`."""
        return 1 + torch.sigmoid(self.logit)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The weights of the scores `x`."""
        return entmax(x, self.alpha, self.axis)

    def extra_repr(self) -> str:
        return f"shape={tuple(self.logit.shape)}, axis={self.axis}"
