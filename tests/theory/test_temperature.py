"""Proposition 3.2: the symbolic identities, the numbers, and the fall of entropy."""

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from sharplib.theory import temperature
from sharplib.theory.temperature import (
    entropy,
    entropy_slope,
    largest_fall,
    log_partition,
    mean_energy,
    proposition_3_2,
    score_variance,
    steepest_slope,
    variance_bound,
)

ROWS = {
    "four": [1.0, 2.0, 3.0, 4.0],
    "one": [7.0],
    "tied": [0.5, 0.5, 0.5],
    "far": [-1000.0, 0.0, 1000.0],
    "large": [1e6, 1e6 + 1, 1e6 + 3],
}
rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
scores_strategy = st.lists(st.floats(-20, 20), min_size=1, max_size=12)


def oracle(row, beta):
    """log Z, U, H and Var in 60 digits, from their definitions."""
    x = [mpmath.mpf(s) for s in row]
    w = [mpmath.exp(beta * s) for s in x]
    p = [v / sum(w) for v in w]
    mean = sum(a * b for a, b in zip(p, x, strict=True))
    return (
        mpmath.log(sum(w)),
        -mean,
        -sum(a * mpmath.log(a) for a in p),
        sum(a * (b - mean) ** 2 for a, b in zip(p, x, strict=True)),
    )


@pytest.mark.parametrize("size", [2, 3, 4])
def test_proposition_3_2_identities_hold_for_symbolic_scores(size):
    """The three lines that are identities vanish as rational functions of w_i = exp(beta x_i)."""
    for step in proposition_3_2(size)[3], proposition_3_2(size)[4], proposition_3_2(size)[5]:
        gap = sympy.expand_log(step.claim.lhs - step.claim.rhs, force=True)
        weights = {
            sympy.exp(temperature.beta * x): sympy.Symbol(f"w_{x}", positive=True)
            for x in gap.free_symbols - {temperature.beta}
        }
        assert sympy.cancel(sympy.together(sympy.expand_log(gap.subs(weights), force=True))) == 0


def test_proposition_3_2_definitions_are_the_numbers(holds):
    row, beta = [0.3, -1.0, 2.0], 0.7
    log_z, U, H, _ = (float(v) for v in oracle(row, beta))
    values = {"beta": beta, "Z": np.exp(log_z), "U": U, "H": H}
    values |= {f"x_{i + 1}": x for i, x in enumerate(row)}
    assert all(holds(step.claim, values) for step in proposition_3_2(3))


def test_proposition_3_2_variance_steps_hold(rng, holds):
    for _ in range(5):
        row, beta = rng.uniform(-2, 2, 5), rng.uniform(-2, 2)
        _, U, H, variance = (float(v) for v in oracle(row, beta))
        values = {"x": row[0], "m": row.min(), "mu": -U, "delta": np.ptp(row), "Var": variance}
        values |= {"n": 5, "H": H, "beta": beta}
        assert all(holds(step.claim, values) for step in variance_bound())


@rows
@pytest.mark.parametrize("beta", [-3.0, -0.1, 0.0, 0.5, 1.0, 4.0])
def test_proposition_3_2_numbers_against_mpmath(row, beta):
    with mpmath.workdps(60):
        exact = [float(v) for v in oracle(row, beta)]
    got = [f(row, beta) for f in (log_partition, mean_energy, entropy, score_variance)]
    # beta * x carries a rounding error of eps * |beta x|, 1e-9 for scores of 1e6 and beta of 4;
    # in differences of scores it shows as an error of that size in H, U and Var
    np.testing.assert_allclose(got, exact, rtol=1e-13, atol=1e-15 * (1 + np.max(np.abs(row)) * 5))


@settings(deadline=None)
@given(scores_strategy, st.floats(-3, 3))
def test_proposition_3_2_slope_against_a_finite_difference(row, beta):
    step = 1e-4
    measured = (entropy(row, beta + step) - entropy(row, beta - step)) / (2 * step)
    # the third derivative of H is bounded by (4 * spread^3 + |beta| spread^4) / 2 or so
    spread = np.ptp(row)
    curvature = 4 * spread**3 + abs(beta) * spread**4
    assert entropy_slope(row, beta) == pytest.approx(measured, abs=curvature * step**2 + 1e-9)


@settings(deadline=None)
@given(scores_strategy, st.floats(0, 5), st.floats(0, 5), st.sampled_from([-1, 1]))
def test_proposition_3_2_entropy_never_rises(row, first, second, sign):
    warm, cold = sorted((first, second))
    assert entropy(row, sign * cold) <= entropy(row, sign * warm) + 1e-12  # rounding of two sums


@settings(deadline=None)
@given(scores_strategy, st.floats(-5, 5))
def test_proposition_3_2_rate_bounds_hold(row, beta):
    spread = np.ptp(row)
    assert abs(entropy_slope(row, beta)) <= steepest_slope(spread, beta) * (1 + 1e-12) + 1e-12
    assert np.log(len(row)) - entropy(row, beta) <= largest_fall(spread, beta) + 1e-12


def test_proposition_3_2_limits():
    assert entropy([1.0, 2.0, 3.0], 0.0) == pytest.approx(np.log(3), rel=1e-15)
    assert entropy([3.0, 3.0, 1.0], 1e4) == pytest.approx(np.log(2), rel=1e-15)
    assert entropy([3.0, 2.0, 1.0], 1e4) == 0


def test_beta_broadcasts_against_the_rows(rng):
    scores, beta = rng.standard_normal((4, 1, 6)), rng.standard_normal(5)
    for function in (log_partition, mean_energy, entropy, score_variance, entropy_slope):
        together = function(scores, beta)
        assert together.shape == (4, 5)
        np.testing.assert_allclose(together[2, 3], function(scores[2, 0], beta[3]), rtol=1e-13)


@pytest.mark.parametrize("function", [log_partition, mean_energy, entropy, score_variance])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([],), ValueError, r"scores must have at least one entry, got shape \(0,\)"),
        ((1.0,), ValueError, r"scores must have at least one entry, got shape \(\)"),
        (([1.0, -np.inf],), ValueError, "scores must be finite, got -inf"),
        (([1.0], np.nan), ValueError, "beta must be finite, got nan"),
        ((["a"],), TypeError, "scores must hold real numbers"),
    ],
)
def test_bad_arguments_are_named(function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(*arguments)


@pytest.mark.parametrize("size", [0, -1, 2.0, True, "3"])
def test_proposition_3_2_wants_a_whole_number_of_scores(size):
    with pytest.raises(ValueError, match="size must be a whole number >= 1"):
        proposition_3_2(size)
