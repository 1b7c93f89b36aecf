"""When a model counts as solved, and what is noted of one that is."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from sharplib.studies.single_module.settings import RANGES, Range, Settings
from sharplib.studies.single_module.training import Log, inputs

__all__ = ["FLAT", "judge", "threshold"]

FLAT = 1e-5
"""The threshold of the paper on sNMU: the same squared error for every range."""

_SELECTED = 5_000  # the last steps, of whose logs the best is taken


def threshold(operation: str, numbers: Range, epsilon: float = 1e-5, inputs: int = 2) -> float:
    r"""The mean squared error, in the test, of a module that is wrong by `epsilon`.

    With :math:`m = E|x|`, :math:`m_2 = E[x^2]` and :math:`E[x^{-2}] = 1/ab` on :math:`[a, b]`:

    .. math:: \text{add, sub: } 2\epsilon^2 (m_2 + m^2) \qquad
        \text{mul: } \epsilon^2 (2 - \epsilon)^2 m_2^2 \qquad
        \text{div: } \Bigl(\frac{2\epsilon}{1 + \epsilon}\Bigr)^2 \frac{m_2}{ab}

    The module computes :math:`y - \epsilon(|x_1| + |x_2|)`, :math:`(1 - \epsilon)^2 x_1 x_2` or
    :math:`\frac{1 - \epsilon}{1 + \epsilon} x_1 / x_2`. The public benchmark simulates the same.
    Of more than two inputs, a sum is wrong by :math:`\epsilon` times each of them, and what
    multiplies is multiplied by :math:`1 - \epsilon |x_j|` for each that it should leave out.

    >>> f"{threshold('mul', RANGES[6]):.2e}"  # tested on [2, 6]
    '1.20e-07'
    """
    a, b = sorted((abs(numbers.test_low), abs(numbers.test_high)))
    mean, square = (a + b) / 2, (b**3 - a**3) / (3 * (b - a))
    if operation in ("add", "sub"):
        return inputs * epsilon**2 * (square + (inputs - 1) * mean**2)
    scale = square**2 if operation == "mul" else square / (a * b)
    off = epsilon * (2 - epsilon) if operation == "mul" else 2 * epsilon / (1 + epsilon)
    # E[(1 - (1 - off) P)^2] for the product P of the factors of what is left out
    first = math.expm1((inputs - 2) * math.log1p(-epsilon * mean))
    second = math.expm1((inputs - 2) * math.log1p(epsilon * (epsilon * square - 2 * mean)))
    return scale * (off**2 - 2 * (1 - off) * first + (1 - off) ** 2 * second)


def judge(
    settings: Settings, unit: str, operation: str, logs: Iterable[Log]
) -> list[dict[str, Any]]:
    """Rows of the table for models in training.

    The log with the smallest error in validation, of those of the last 5,000 steps, is tested.
    """
    validation, test = inputs(settings, test=False), inputs(settings, test=True)
    limit = np.array([[threshold(operation, n, inputs=settings.inputs)] for n in RANGES])
    since = settings.steps - _SELECTED // settings.hurry
    solved_at = tested = sparsity = None
    for log in logs:
        error = log.models.errors(test, operation)
        if solved_at is None or tested is None or sparsity is None:
            best = np.full(error.shape, np.inf)
            solved_at, tested, sparsity = (np.full(error.shape, np.nan) for _ in range(3))
        solved_at = np.where(np.isnan(solved_at) & (error < limit), log.step, solved_at)
        if log.step > since:
            valid = log.models.errors(validation, operation)
            better = valid < best
            best = np.where(better, valid, best)
            tested = np.where(better, error, tested)
            sparsity = np.where(better, log.models.sparsity_errors(), sparsity)
        seeds = log.models.seeds
    assert solved_at is not None
    assert tested is not None
    assert sparsity is not None
    rows = []
    for (r, s), error in np.ndenumerate(tested):
        success = bool(error < limit[r, 0])
        values = {"success": float(success), "success_flat": float(error < FLAT)}
        if success:
            values |= {"solved_at": solved_at[r, s], "sparsity_error": sparsity[r, s]}
        rows += [
            {
                "operation": operation,
                "unit": unit,
                "train": RANGES[r].name,
                "seed": seeds[s],
                "measure": measure,
                "value": float(value),
            }
            for measure, value in values.items()
        ]
    return rows
