"""MultiMax with learned parameters."""

from __future__ import annotations

from itertools import pairwise

import torch

from sharplib.mappings.multimax import multimax


class MultiMax(torch.nn.Module):
    r"""`sharplib.multimax` with learned thresholds and coefficients; a plain softmax to begin with.

    .. math:: p = \mathrm{softmax}(\sigma(x)), \qquad
        \sigma(x) = x + c_0 [r_0 - x]_+ + c_1 [x - r_1]_+
        \;\bigl(+\; c_2 [r_2 - x]_+^2 + c_3 [x - r_3]_+^2\bigr)

    Parameters
    ----------
    order : 1 or 2
        Without or with the squared terms. The paper uses 2.
    axis : int
        The axis along which weights sum to 1.

    Attributes
    ----------
    thresholds : torch.nn.Parameter, shape (2 order,)
        :math:`r`, 0 to begin with, in the units of the scores.
    coefficients : torch.nn.Parameter, shape (2 order,)
        :math:`c`, 0 to begin with.

    Raises
    ------
    ValueError
        An order that is neither 1 nor 2.

    Notes
    -----
    Use one for all heads of an attention layer, or for the logits of a classifier. Mask before or
    after, with ``-inf``. Keep the parameters out of weight decay. As long as all coefficients are
    0, the thresholds get no gradient: coefficients learn first. Nothing keeps :math:`\sigma` from
    falling, which `is_monotone` tells.

    Source: arXiv 2406.01189 and its code, which starts from small random numbers instead.

    Examples
    --------
    >>> import torch
    >>> from sharplib.nn import MultiMax
    >>> attend = MultiMax(order=1)
    >>> attend(torch.tensor([1.0, 2.0, 3.0, 4.0])).detach().numpy().round(3)
    array([0.032, 0.087, 0.237, 0.644], dtype=float32)
    """

    def __init__(self, order: int = 2, axis: int = -1) -> None:
        super().__init__()
        if order not in (1, 2):
            raise ValueError(f"order must be 1 or 2, got {order!r}")
        self.order, self.axis = order, axis
        self.thresholds = torch.nn.Parameter(torch.zeros(2 * order))
        self.coefficients = torch.nn.Parameter(torch.zeros(2 * order))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The weights of the scores `x`, of any shape."""
        return multimax(x, self.thresholds, self.coefficients, self.axis)

    def is_monotone(self) -> bool:
        r"""Whether :math:`\sigma` falls nowhere, so that the order of all scores is kept."""
        r, c = self.thresholds.tolist(), self.coefficients.tolist()
        r, c = (r, c) if self.order == 2 else (r + r, [*c, 0.0, 0.0])
        if c[2] > 0 or c[3] < 0:  # falls far enough out
            return False
        # The slope is linear between thresholds, and outside it grows from there.
        for low, high in pairwise([min(r) - 1, *sorted(r), max(r) + 1]):
            middle = (low + high) / 2
            jumps = -c[0] * (middle < r[0]) + c[1] * (middle > r[1])
            for x in (low, high):
                ramps = -2 * c[2] * max(r[2] - x, 0) + 2 * c[3] * max(x - r[3], 0)
                if low < high and 1 + jumps + ramps < 0:
                    return False
        return True

    def extra_repr(self) -> str:
        return f"order={self.order}, axis={self.axis}"
