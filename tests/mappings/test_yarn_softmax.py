"""yarn_softmax: softmax up to the training length, and the square of a logarithm beyond."""

from __future__ import annotations

import numpy as np
import scipy.optimize
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-8, 8, width=32))


@given(x=ROWS, length=st.integers(2, 60))
@settings(deadline=None)
def test_yarn_softmax_against_scipy(x, length):
    factor = (0.1 * np.log(max(len(x) / length, 1)) + 1) ** 2
    # Exponents up to 2 * 16, each good to a few roundings.
    np.testing.assert_allclose(
        sharplib.yarn_softmax(x, length), scipy.special.softmax(factor * x), rtol=1e-13
    )


def test_reads_the_ratio_of_the_lengths_and_not_the_length():
    """With the length in place of the ratio, every row longer than one item would change."""
    x = np.linspace(0, 3, 100)
    np.testing.assert_array_equal(sharplib.yarn_softmax(x, 100), sharplib.softmax(x))
    np.testing.assert_array_equal(sharplib.yarn_softmax(x, 4096), sharplib.softmax(x))
    absolute = scipy.special.softmax((0.1 * np.log(100) + 1) ** 2 * x)
    assert np.abs(sharplib.yarn_softmax(x, 50) - absolute).max() > 0.01


def test_the_length_is_that_of_the_items_that_are_not_masked(library, rng):
    values = rng.integers(-128, 128, size=(3, 8)) / 64
    masked = np.insert(values, [0, 5], -np.inf, axis=1)
    result = library.numpy(sharplib.yarn_softmax(library.array(masked), 4))
    without = library.numpy(sharplib.yarn_softmax(library.array(values), 4))
    # Sums run over another number of terms: a few rounding steps.
    np.testing.assert_allclose(np.delete(result, [0, 6], 1), without, rtol=8 * library.eps)


def test_ten_times_the_training_length_sharpens_by_half():
    x = np.append(np.zeros(639), 1.0)
    p = sharplib.yarn_softmax(x, 64)
    # The factor, read back from two weights: to two printed decimals.
    assert round(np.log(p[-1] / p[0]), 2) == 1.51


def test_overtakes_the_logarithm_for_any_gap():
    """The factor times a gap passes log n in the end, but only at lengths nobody has."""

    def excess(log_n, gap):
        return gap * (0.1 * (log_n - np.log(64)) + 1) ** 2 - log_n

    for gap in (0.5, 1.0, 2.0):
        crossing = scipy.optimize.brentq(excess, 20, 1000, args=(gap,))
        assert crossing > np.log(1e12)
        assert excess(2 * crossing, gap) > 0
