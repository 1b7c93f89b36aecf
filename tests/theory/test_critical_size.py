"""The critical size and its contrapositive."""

import math

import mpmath
import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from sharplib.theory.critical_size import (
    critical_size,
    critical_size_proof,
    required_spread,
    simple_critical_size,
)


def best_weight(n, spread, temperature=1.0):
    """The weight of one score at the top among n - 1 at the bottom, by its definition."""
    scores = [spread / temperature] + [0.0] * (n - 1)
    return math.exp(scores[0]) / math.fsum(map(math.exp, scores))


def test_critical_size_steps_hold(rng, holds):
    for _ in range(5):
        scores, theta = rng.uniform(-2, 2, 6), rng.uniform(0.5, 2)
        p = np.exp(scores / theta) / np.exp(scores / theta).sum()
        values = {"n": 6, "delta": np.ptp(scores), "theta": theta, "c": p.max()}
        assert all(holds(step.claim, values) for step in critical_size_proof())


@pytest.mark.parametrize("spread", [0.0, 0.5, 2.28, 4.0])
@pytest.mark.parametrize("weight", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_critical_size_is_the_last_size_that_works(spread, weight, temperature):
    # at spread 0 the size is 1 / weight, a whole number: rounding must not decide
    last = math.floor(critical_size(spread, weight, temperature) * (1 + 1e-12))
    assert best_weight(last, spread, temperature) >= weight * (1 - 1e-12)
    assert best_weight(last + 1, spread, temperature) < weight


@pytest.mark.parametrize("spread", [0.0, 1.0, 100.0, 700.0])
@pytest.mark.parametrize("weight", [1e-6, 0.3, 1 - 1e-6])
def test_critical_size_against_mpmath(spread, weight):
    with mpmath.workdps(40):
        grow, c = mpmath.exp(spread), mpmath.mpf(weight)
        exact = float(1 + (1 / c - 1) * grow), float(grow / c)
    got = critical_size(spread, weight), simple_critical_size(spread, weight)
    np.testing.assert_allclose(got, exact, rtol=3e-13)  # exp(d) is as exact as d * eps


def test_critical_size_of_the_gemma_spreads():
    """The table of the notes on the paper, whose entries are rounded."""
    spreads = [2.28, 5.69, 14.78]
    np.testing.assert_allclose(critical_size(spreads, 0.1)[:2].round(), [89, 2664])
    np.testing.assert_allclose(simple_critical_size(spreads, 0.1)[:2].round(), [98, 2959])
    assert f"{critical_size(14.78, 0.1):.1e}" == "2.4e+07"
    assert f"{simple_critical_size(14.78, 0.1):.1e}" == "2.6e+07"


def test_critical_size_overflows_to_infinity_in_silence():
    assert critical_size(1e4, 0.5) == simple_critical_size(1e4, 0.5) == np.inf
    assert critical_size(1.0, 5e-324) == np.inf


@pytest.mark.parametrize("n", [3, 16, 1000])
@pytest.mark.parametrize("weight", [0.4, 0.5, 0.99])
def test_required_spread_against_a_root_finder(n, weight):
    root = scipy.optimize.brentq(lambda d: best_weight(n, d, 2.0) - weight, 0, 100, xtol=1e-13)
    assert required_spread(n, weight, 2.0) == pytest.approx(root, rel=1e-10)


@settings(deadline=None)
@given(st.floats(0.001, 30), st.floats(0.01, 0.99), st.floats(0.1, 10))
def test_required_spread_undoes_critical_size(spread, weight, temperature):
    size = critical_size(spread, weight, temperature)
    # n - 1 drops the digits of (1/c - 1) e^d that lie below those of 1
    again = required_spread(size, weight, temperature)
    assert again == pytest.approx(spread, rel=1e-9, abs=1e-9 * temperature)


def test_required_spread_is_zero_where_an_even_share_is_enough():
    np.testing.assert_array_equal(required_spread([1, 2, 4, 10], 0.1), [0, 0, 0, 0])


def test_required_spread_grows_like_log_n():
    n = np.array([1e3, 1e6, 1e12])
    np.testing.assert_allclose(required_spread(n, 0.5) / np.log(n), 1, atol=2e-4)  # log(n-1)


@pytest.mark.parametrize("weight", [0.0, 1.0, -0.1, np.nan])
@pytest.mark.parametrize("function", [critical_size, simple_critical_size, required_spread])
def test_bad_weight_is_named(function, weight):
    with pytest.raises(ValueError, match=rf"weight must be .*, got {weight}"):
        function(2.0, weight)


@pytest.mark.parametrize("function", [critical_size, simple_critical_size, required_spread])
def test_bad_temperature_is_named(function):
    with pytest.raises(ValueError, match=r"temperature must be finite and > 0, got -1\.0"):
        function(2.0, 0.5, -1)


@pytest.mark.parametrize("function", [critical_size, simple_critical_size])
def test_bad_spread_is_named(function):
    with pytest.raises(ValueError, match=r"spread must be finite and >= 0, got -2\.0"):
        function(-2.0, 0.5)
