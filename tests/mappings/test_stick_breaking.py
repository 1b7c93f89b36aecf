"""stick_breaking against a stick broken by hand, piece by piece, at 50 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(-30, 30, width=32))


def broken(x: np.ndarray) -> tuple[list[float], float]:
    """Walk back from the last item; each takes its share of what is left."""
    with mpmath.workdps(50):
        left, pieces = mpmath.mpf(1), []
        for v in x[::-1]:
            share = 1 / (1 + mpmath.exp(-mpmath.mpf(float(v))))
            pieces.append(share * left)
            left *= 1 / (1 + mpmath.exp(mpmath.mpf(float(v))))
        return [float(p) for p in pieces[::-1]], float(left)


@given(x=ROWS)
@settings(deadline=None)
def test_stick_breaking_against_mpmath(x):
    # Logarithms down to -360, each good to a rounding or two: 360 * 2**-52 = 8e-14.
    np.testing.assert_allclose(sharplib.stick_breaking(x), broken(x)[0], rtol=3e-13)


@given(x=ROWS)
@settings(deadline=None)
def test_what_nobody_took_is_left_over(x):
    assert 1 - sharplib.stick_breaking(x).sum() == pytest.approx(broken(x)[1], abs=1e-14)


def test_items_added_in_front_take_nothing_from_those_behind(library, rng):
    values = rng.integers(-128, 128, size=(3, 4)) / 64
    longer = np.concatenate([np.full((3, 50), 4.0), values], axis=1)
    np.testing.assert_array_equal(
        library.numpy(sharplib.stick_breaking(library.array(longer)))[:, 50:],
        library.numpy(sharplib.stick_breaking(library.array(values))),
    )


def test_the_most_recent_item_comes_first():
    # Sums of up to four logarithms of 2, a rounding each.
    np.testing.assert_allclose(
        sharplib.stick_breaking(np.zeros(4)), [1 / 16, 1 / 8, 1 / 4, 1 / 2], rtol=1e-15
    )
    # A clear winner at the end leaves nothing to those in front, however high they score.
    p = sharplib.stick_breaking(np.array([40.0, 40.0, 30.0]))
    assert p[-1] == pytest.approx(1, abs=1e-12)
    assert p[0] < 1e-13


def test_masked_items_are_passed_over(library):
    """A causal mask: row i is the stick of its first i + 1 items."""
    scores = np.array([0.5, -1.0, 2.0, 0.25])
    masked = np.where(np.tri(4, dtype=bool), scores, -np.inf)
    result = library.numpy(sharplib.stick_breaking(library.array(masked)))
    for i in range(4):
        expected = broken(scores[: i + 1])[0]
        # Logarithms of at most 5, summed: a few rounding steps, and one of the result.
        np.testing.assert_allclose(
            result[i, : i + 1], expected, rtol=library.eps + 20 * library.work_eps
        )


def test_a_share_of_all_that_is_left_ends_the_stick():
    x = np.array([1.0, np.inf, 0.0, np.inf, -np.inf, 0.0])
    # A half as the exponential of its logarithm: a rounding.
    np.testing.assert_allclose(sharplib.stick_breaking(x), [0, 0, 0, 0.5, 0, 0.5], rtol=4e-16)
    row = torch.tensor(x, requires_grad=True)
    sharplib.stick_breaking(row)[3].backward()
    np.testing.assert_array_equal(row.grad, [0, 0, 0, 0, 0, -0.25])


def test_small_shares_of_a_long_row_are_added_up_without_loss():
    """A million shares of 1e-6: the first item keeps 1e-6 e^-1 of the stick."""
    share, n = 1e-6, 1_000_000
    x = np.full(n, np.log(share / (1 - share)))
    p = sharplib.stick_breaking(x)
    assert p[0] == pytest.approx(share * (1 - share) ** (n - 1), rel=1e-9)  # 1e6 roundings
    assert p.sum() == pytest.approx(1 - (1 - share) ** n, rel=1e-9)
    single = sharplib.stick_breaking(torch.tensor(x, dtype=torch.float32))
    # Scores near 14 rounded to float32 are off by 5e-7, and so are the shares.
    np.testing.assert_allclose(single, p, rtol=1e-4)


def test_the_jacobian_as_derived():
    """dp_i/dx_k: p_i (1 - β_i) on the diagonal, -p_i β_k behind it, 0 in front."""
    x = np.array([0.5, -1.0, 2.0, 0.25])
    p, share = sharplib.stick_breaking(x), 1 / (1 + np.exp(-x))
    expected = np.diag(p * (1 - share)) - np.triu(np.outer(p, share), 1)
    jacobian = torch.func.jacrev(sharplib.stick_breaking)(torch.tensor(x))
    np.testing.assert_allclose(jacobian, expected, rtol=1e-13, atol=1e-17)
