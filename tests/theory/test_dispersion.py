"""Lemma 2.1 in both forms: SymPy steps, numeric bounds, and attempts to break them."""

import itertools

import mpmath
import numpy as np
import pytest
import scipy.optimize
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from sharplib.theory import dispersion
from sharplib.theory.dispersion import (
    entropy_deficit,
    exponential,
    least_entropy,
    lemma_2_1,
    rate,
    simple_entropy,
    simple_least_entropy,
    simple_weight_bounds,
    tight_entropy,
    tight_weights,
    weight_bounds,
)
from sharplib.theory.proof import ends

SIZES = [1, 2, 3, 16, 1000, 10**9]
RATIOS = [0.0, 1e-9, 0.3, 1.0, 5.0, 40.0, 700.0]
SCORE_MAPS = {
    "exp": exponential,
    "1 + exp": lambda e: 1 + sympy.exp(e),
    "softplus": lambda e: sympy.log(1 + sympy.exp(e)),
    "cubic": lambda e: 30 + e**3,
}


def entropy_of(scores):
    """Entropy at temperature 1, in 30 digits."""
    w = [mpmath.exp(s) for s in scores]
    return -sum(x / sum(w) * mpmath.log(x / sum(w)) for x in w)


# --- the SymPy steps ------------------------------------------------------------------------------


@pytest.mark.parametrize("score_map", SCORE_MAPS.values(), ids=SCORE_MAPS)
@pytest.mark.parametrize("make", [lemma_2_1, tight_weights])
def test_lemma_2_1_each_step_holds_for_any_increasing_score_map(make, score_map, rng, holds):
    for _ in range(5):
        scores, temperature = rng.uniform(-2, 2, 6), rng.uniform(0.5, 2)
        f = sympy.lambdify(dispersion.score, score_map(dispersion.score).subs("theta", 1), "numpy")
        w = np.exp(scores / temperature) if score_map is exponential else f(scores)
        values = {
            "n": 6,
            "m": scores.min(),
            "M": scores.max(),
            "delta": np.ptp(scores),
            "theta": temperature,
            "e_k": scores[0],
            "Z": w.sum(),
            "alpha_k": w[0] / w.sum(),
            "a": w[0],
            "r": w[1:].sum(),
        }
        assert all(holds(step.claim, values) for step in make(score_map))


def test_lemma_2_1_a_false_claim_is_noticed(holds):
    """The check of the steps can fail: an upper bound without its exponential is refused."""
    step = lemma_2_1()[-1].claim
    assert not holds(step, {"n": 4, "delta": 0.1, "theta": 1.0, "alpha_k": 0.5})


@pytest.mark.parametrize("make", [lemma_2_1, tight_weights])
def test_lemma_2_1_both_ends_are_of_order_one_over_n(make):
    lower, _, upper = ends(make().conclusion)
    ratio = dispersion.delta / dispersion.theta
    assert rate(lower).claim.rhs == sympy.exp(-ratio)
    assert rate(upper).claim.rhs == sympy.exp(ratio)


def test_lemma_2_1_entropy_steps_hold(rng, holds):
    for _ in range(5):
        scores, temperature = rng.uniform(-2, 2, 6), rng.uniform(0.5, 2)
        p = np.exp(scores / temperature) / np.exp(scores / temperature).sum()
        values = {
            "n": 6,
            "delta": np.ptp(scores),
            "theta": temperature,
            "alpha_k": p[0],
            "s_k": -np.log(p[0]),
            "H": -(p * np.log(p)).sum(),
        }
        assert all(holds(step.claim, values) for step in simple_entropy())


def test_lemma_2_1_tight_entropy_steps_hold(rng, holds):
    steps = tight_entropy()
    for _ in range(5):
        scores = rng.uniform(0, 2, 6)
        others = np.exp(scores[1:])
        row = {
            "n": 6,
            "d": np.ptp(scores),
            "e": scores[0],
            "R": others.sum(),
            "S": (scores[1:] * others).sum(),
            "H": float(entropy_of(scores)),
        }
        assert all(holds(steps[i].claim, row) for i in (0, 1, 2, 5))
    d, n, k = 1.7, 9, 3
    levels = {
        "n": n,
        "d": d,
        "u": (k * np.exp(d) + n - k) / n,
        "H": float(entropy_of([d] * k + [0] * (n - k))),
    }
    assert holds(steps[3].claim, levels)
    # the best mean u, found without calculus
    height = sympy.lambdify(list(map(sympy.Symbol, "und")), _plain(steps[3].claim.rhs))
    found = scipy.optimize.minimize_scalar(
        lambda u: height(u, n, d), bounds=(1, np.exp(d)), method="bounded"
    )
    best = sympy.lambdify(sympy.Symbol("d"), _plain(steps[4].claim.rhs))
    # a minimum is flat: its place is known to the square root of the precision of its height
    assert best(d) == pytest.approx(found.x, rel=1e-5)


def _plain(expression):
    """An expression with symbols that carry no assumptions, to be looked up by name."""
    return expression.subs({s: sympy.Symbol(s.name) for s in expression.free_symbols})


def test_lemma_2_1_curvature_where_the_slope_is_zero():
    """The step that sends every score to an end of the range, by finite differences."""
    e, R, S = sympy.symbols("e R S")
    steps = tight_entropy()
    H = sympy.lambdify((e, R, S), _plain(steps[0].claim.rhs), "mpmath")
    curvature = sympy.lambdify((e, R), _plain(steps[2].claim.lhs), "mpmath")
    others = [mpmath.mpf("0.2"), mpmath.mpf("1.5"), mpmath.mpf("2.5")]
    fixed = sum(map(mpmath.exp, others)), sum(x * mpmath.exp(x) for x in others)
    flat = mpmath.findroot(lambda x: mpmath.diff(lambda y: H(y, *fixed), x), 1.0)
    second = mpmath.diff(lambda x: H(x, *fixed), flat, 2)
    assert float(curvature(flat, fixed[0])) == pytest.approx(float(second), rel=1e-6)
    assert second < 0


# --- the numeric face -----------------------------------------------------------------------------


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("ratio", RATIOS)
def test_lemma_2_1_numbers_against_mpmath(n, ratio):
    with mpmath.workdps(40):
        grow = mpmath.exp(mpmath.mpf(ratio))
        exact = [1 / (1 + (n - 1) * grow), 1 / (1 + (n - 1) / grow), 1 / grow / n, grow / n]
        got = [*weight_bounds(n, ratio), *simple_weight_bounds(n, ratio)]
        # exp(d) is as exact as d * eps, here 1e-13; weights below 1e-307 may become 0
        np.testing.assert_allclose(got, [float(x) for x in exact], rtol=3e-13, atol=1e-307)


@settings(deadline=None)
@given(
    st.integers(1, 10**6), st.floats(0, 50), st.floats(0.1, 10), st.floats(-3, 3), st.integers(1, 9)
)
def test_lemma_2_1_bounds_are_nested_and_depend_on_spread_over_temperature(n, d, theta, shift, k):
    lower, upper = weight_bounds(n, d, theta)
    loose_lower, loose_upper = simple_weight_bounds(n, d, theta)
    assert loose_lower <= lower * (1 + 1e-12)  # equal at n = 1 or d = 0, up to rounding
    assert lower <= 1 / n * (1 + 1e-12)
    assert 1 / n <= upper * (1 + 1e-12)
    assert upper <= loose_upper * (1 + 1e-12)
    np.testing.assert_allclose(weight_bounds(n, d * k, theta * k), (lower, upper), rtol=1e-12)


def test_lemma_2_1_extreme_spreads_do_not_overflow():
    np.testing.assert_array_equal(weight_bounds([1, 2], 1e4), ([1, 0], [1, 1]))
    np.testing.assert_array_equal(simple_weight_bounds(2, 1e4), (0, np.inf))
    np.testing.assert_array_equal(least_entropy([1, 2], 1e4), [0, 0])
    assert entropy_deficit(1e4) == pytest.approx(1e4 - 1 - np.log(1e4))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("spread", [0.0, 0.01, 1.0, 3.0, 30.0])
def test_lemma_2_1_least_entropy_against_every_two_level_row(n, spread):
    rows = itertools.product((0.0, spread), repeat=n)
    lowest = min(float(entropy_of(row)) for row in rows)
    assert least_entropy(n, spread) == pytest.approx(lowest, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("n", "spread"), [(2, 1.0), (4, 2.5), (7, 0.4), (12, 4.0)])
def test_lemma_2_1_least_entropy_withstands_an_optimiser(n, spread, rng):
    def entropy(scores):
        p = np.exp(scores) / np.exp(scores).sum()
        return -(p * np.log(p)).sum()

    found = min(
        scipy.optimize.minimize(
            entropy, rng.uniform(0, spread, n), bounds=[(0, spread)] * n, method="L-BFGS-B"
        ).fun
        for _ in range(20)
    )
    bound = least_entropy(n, spread)
    assert found >= bound - 1e-12
    assert found == pytest.approx(bound, rel=1e-6)  # and the optimiser gets there


@pytest.mark.parametrize("d", [0.0, 1e-8, 1e-5, 0.99e-4, 1.01e-4, 0.01, 1.0, 7.0, 300.0])
def test_lemma_2_1_entropy_deficit_against_mpmath(d):
    with mpmath.workdps(50):
        c = mpmath.mpf(d) / -mpmath.expm1(-mpmath.mpf(d)) if d else mpmath.mpf(1)
        exact = float(c - 1 - mpmath.log(c))
    # c - 1 - log c loses digits like eps / d^2 at a small d; there it is tiny beside log n
    assert entropy_deficit(d) == pytest.approx(exact, rel=1e-9, abs=1e-16)


@settings(deadline=None)
@given(st.integers(1, 10**7), st.floats(0, 40))
def test_lemma_2_1_entropy_bounds_are_nested(n, spread):
    exact = least_entropy(n, spread)
    assert np.log(n) >= exact - 1e-12
    assert exact >= np.log(n) - entropy_deficit(spread) - 1e-9  # cancellation in log n + d - ...
    assert entropy_deficit(spread) <= spread + 1e-12
    assert simple_least_entropy(n, spread) <= exact + 1e-12


def test_lemma_2_1_entropy_catches_up_with_log_n():
    n = np.array([1e2, 1e8, 1e300])
    share = least_entropy(n, 5.0) / np.log(n)
    assert (np.diff(share) > 0).all()
    assert share[-1] > 0.99


def test_arguments_broadcast():
    lower, upper = weight_bounds(np.arange(1, 4)[:, None], [0.0, 1.0], 2.0)
    assert lower.shape == upper.shape == (3, 2)
    assert least_entropy([[2], [3]], [0.0, 1.0, 2.0]).shape == (2, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 1.0), ValueError, r"n must be finite and >= 1, got 0\.0"),
        ((2, -1.0), ValueError, r"spread must be finite and >= 0, got -1\.0"),
        ((2, np.nan), ValueError, r"spread must be finite and >= 0, got nan"),
        ((2, np.inf), ValueError, r"spread must be finite and >= 0, got inf"),
        ((2, [1.0, -3.0]), ValueError, r"spread must be finite and >= 0, got -3\.0"),
        ((2, 1.0, 0.0), ValueError, r"temperature must be finite and > 0, got 0\.0"),
        (("ten", 1.0), TypeError, r"n must hold real numbers, got 'ten'"),
        ((True, 1.0), TypeError, r"n must hold real numbers, got True"),
        ((2, 1j), TypeError, r"spread must hold real numbers, got 1j"),
        ((2, [[1.0], [1.0, 2.0]]), TypeError, r"spread must hold real numbers"),
    ],
)
@pytest.mark.parametrize(
    "function", [weight_bounds, simple_weight_bounds, simple_least_entropy, least_entropy]
)
def test_bad_arguments_are_named(function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(*arguments)


def test_least_entropy_wants_whole_numbers():
    with pytest.raises(ValueError, match=r"n must hold whole numbers, got 2\.5"):
        least_entropy([2, 2.5], 1.0)
