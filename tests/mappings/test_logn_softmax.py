"""logn_softmax: softmax up to the training length, and a logarithm beyond."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-8, 8, width=32))


@given(x=ROWS, length=st.integers(2, 60))
@settings(deadline=None)
def test_logn_softmax_against_scipy(x, length):
    factor = max(np.log(len(x)) / np.log(length), 1)
    # Exponents up to 6 * 16, each good to a few roundings.
    np.testing.assert_allclose(
        sharplib.logn_softmax(x, length), scipy.special.softmax(factor * x), rtol=1e-13
    )


def test_rows_up_to_the_training_length_are_left_alone(library, rng):
    values = rng.integers(-128, 128, size=(4, 9)) / 64
    for length in (9, 10, 4096):
        np.testing.assert_array_equal(
            library.numpy(sharplib.logn_softmax(library.array(values), length)),
            library.numpy(sharplib.softmax(library.array(values))),
        )
    # Ten items, of which nine can be seen: masked items are not part of the length.
    masked = np.insert(values, 3, -np.inf, axis=1)
    np.testing.assert_array_equal(
        library.numpy(sharplib.logn_softmax(library.array(masked), 9)),
        library.numpy(sharplib.softmax(library.array(masked))),
    )


def test_stays_sharp_exactly_if_the_gap_exceeds_the_logarithm_of_the_training_length():
    for gap in (np.log(100) - 0.5, np.log(100) + 0.5):
        top = [
            sharplib.logn_softmax(np.append(np.zeros(n - 1), gap), 100)[-1]
            for n in (100, 1000, 10_000, 100_000)
        ]
        assert (np.diff(top) > 0).all() == (gap > np.log(100))
        # The closed form for two levels at s = 1 / log 100.
        assert top[-1] == pytest.approx(1 / (1 + 99_999 * 100_000 ** (-gap / np.log(100))))


@pytest.mark.parametrize("bad", [1, 0, -5])
@pytest.mark.parametrize("function", [sharplib.logn_softmax, sharplib.yarn_softmax])
def test_a_training_length_below_two_is_refused(function, bad):
    with pytest.raises(ValueError, match=rf"^train_length must be at least 2, got {bad}$"):
        function(np.zeros(3), bad)


@pytest.mark.parametrize("bad", [64.0, "long", None])
@pytest.mark.parametrize("function", [sharplib.logn_softmax, sharplib.yarn_softmax])
def test_a_training_length_that_is_no_integer_is_refused(function, bad):
    with pytest.raises(TypeError, match=r"^train_length must be an integer, got "):
        function(np.zeros(3), bad)
