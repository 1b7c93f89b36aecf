"""The price of smoothness: each statement tried on rows, each constant at its edge.

The theory shares no code with the mappings, nor with the search of `measures.tradeoff`.
"""

from __future__ import annotations

import itertools
import math
from functools import partial

import numpy as np
import pytest
import scipy.optimize
import sympy

import sharplib
from sharplib.measures import tradeoff
from sharplib.theory import smoothness as theory

ROUNDING = 1 + 1e-9  # quotients of differences of weights in float64


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def random_rows(rng, count, n):
    """Rows of many shapes: normal ones, ties, a leader, a few levels."""
    x = rng.normal(size=(count, n)) * rng.choice([0.1, 1, 10], size=(count, 1))
    x[: count // 4] = x[: count // 4].round()
    x[count // 4 : count // 2, 0] += rng.uniform(0, 10, count // 2 - count // 4)
    return x


# --- softmax -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 5, 64, 1000])
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_no_row_loses_more_than_the_exact_loss(n, temperature, rng):
    x = random_rows(rng, 500, n)
    p = sharplib.softmax(x, temperature=temperature)
    most = theory.softmax_loss(n, temperature)
    assert (x.max(-1) - (p * x).sum(-1)).max() <= most * ROUNDING
    assert most < temperature * np.log(n)
    # Attained: a leader, and all others level at the loss plus one temperature below it.
    worst = np.r_[most + temperature, np.zeros(n - 1)]
    lost = worst[0] - sharplib.softmax(worst, temperature=temperature) @ worst
    assert lost == pytest.approx(most, rel=1e-12)
    assert lost > 0.99 * most  # one per cent less would be wrong


def test_the_mean_and_the_entropy_make_the_soft_maximum(rng):
    for x in random_rows(rng, 20, 6):
        p = sharplib.softmax(x, temperature=0.7)
        soft = 0.7 * np.log(np.exp((x - x.max()) / 0.7).sum()) + x.max()
        entropy = sharplib.measures.entropy(p)
        assert p @ x + 0.7 * entropy == pytest.approx(soft, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("n", [2, 10])
def test_softmax_is_private_and_no_more(n, rng):
    theta = 0.5
    x, y = rng.normal(size=(2, 2000, n)) * 3
    ratio = np.log(sharplib.softmax(x, temperature=theta) / sharplib.softmax(y, temperature=theta))
    assert (ratio.max(-1) <= 2 / theta * np.abs(x - y).max(-1) * ROUNDING).all()
    # Nearly attained far from the top: item 0 rises by r while all others fall by r.
    low, r = np.r_[-40.0, np.zeros(n - 1)], 0.1
    moved = low + r * np.r_[1.0, -np.ones(n - 1)]
    before, after = (sharplib.softmax(row, temperature=theta)[0] for row in (low, moved))
    assert np.log(after / before) > 0.99 * 2 / theta * r


def laplace_like(t, n, constant):
    """The steepest rise of a leader's weight with its lead that a privacy constant allows."""
    rise = np.exp(constant * t / 2) / n
    half = 2 / constant * np.log(n / 2)
    return np.where(rise < 0.5, rise, 1 - 0.5 * np.exp(-constant * (t - half) / 2))


@pytest.mark.parametrize("n", [16, 1000])
def test_the_least_privacy_price_is_attained_along_one_lead(n):
    """A weight that rises as fast as it may loses just that much on these rows, and no less."""
    price = float(theory.least_privacy_price(n))
    t = np.linspace(1e-3, 6 * np.log(n), 400_001)
    lost = (t * (1 - laplace_like(t, n, 1.0))).max()
    assert lost == pytest.approx(price, rel=1e-6)  # the grid has steps of 1e-4
    assert lost < 1.01 * price  # a bound one per cent higher would be wrong for these rows


@pytest.mark.parametrize("n", [2, 4, 16, 300])
def test_softmax_keeps_to_the_least_privacy_price(n):
    least, own = theory.least_privacy_price(n), theory.softmax_privacy_price(n)
    assert 0 < least <= own

    def negative(t):  # for a loss of 1
        return -2 / t * math.log(n * (1 - 1 / t))

    best = scipy.optimize.minimize_scalar(
        negative, bounds=(1 + 1e-9, 60), method="bounded", options={"xatol": 1e-10}
    )
    assert -best.fun == pytest.approx(float(least), rel=1e-8)


def test_softmax_is_as_good_as_any_map_in_the_end():
    ratio = theory.least_privacy_price(n := np.logspace(1, 300, 50)) / theory.softmax_privacy_price(
        n
    )
    assert (np.diff(ratio) > 0).all()
    assert 0.99 < ratio[-1] < 1


@pytest.mark.parametrize("mapping", ["softmax", "stieltjes"])
def test_measured_prices_keep_to_the_least_privacy_price(mapping):
    n, entry = 8, sharplib.CATALOGUE[mapping]
    lost = tradeoff.expected_error(entry, n, 12.0, steps=300)
    steep = tradeoff.renyi_constant(entry, n, 12.0, steps=300)
    # The search finds each of the two from below, to about a per cent.
    assert lost * steep > 0.98 * theory.least_privacy_price(n)


# --- PLSoftMax -----------------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(1, 7))
def test_three_faces_are_one_map_and_that_of_the_library(k, rng):
    faces = [make(k) for make in (theory.by_threshold, theory.by_recursion, theory.by_matrix)]
    symbols = [*theory.scores(k), theory.delta]
    functions = [sympy.lambdify(symbols, face) for face in faces]
    for _ in range(20):
        x = -np.sort(rng.uniform(0, 2, k))
        x[0] = 0
        expected = sharplib.plsoftmax(np.r_[x, -5.0], 2.0)[:k]  # one item out of reach
        for function in functions:
            assert function(*x, 2.0)[:, 0] == pytest.approx(expected, abs=1e-14)


def test_the_steps_of_the_proof_are_the_weights():
    proof = theory.three_faces(4)
    values = {**dict(zip(theory.scores(4), (0, -0.1, -0.4, -0.5), strict=True)), theory.delta: 0.8}
    found = [float(step.claim.rhs.subs(values)) for step in proof]
    assert found == pytest.approx(sharplib.plsoftmax(np.array([0, -0.1, -0.4, -0.5]), 0.8))


def test_draws_of_a_threshold_have_these_weights(rng):
    x, delta, draws = np.array([1.0, 0.8, 0.3, -0.4]), 1.0, 200_000
    above = x >= 1 - delta * rng.random((draws, 1))
    chosen = (rng.random(above.shape) * above).argmax(1)
    share = np.bincount(chosen, minlength=4) / draws
    # four standard errors of a share
    assert share == pytest.approx([0.55, 0.35, 0.1, 0], abs=4 * 0.5 / math.sqrt(draws))


@pytest.mark.parametrize("k", [2, 3, 7])
def test_columns_add_up(k):
    columns = sympy.ones(1, k) * theory.smoothing_matrix(k).applyfunc(abs)
    assert columns[0] == sympy.Rational(2 * (k - 1), k)
    assert list(columns[1:]) == [sympy.Rational(2, j) for j in range(2, k + 1)]


@pytest.mark.parametrize("n", [2, 5, 12])
def test_weights_move_by_no_more_than_the_constant(n, rng):
    delta = 0.7
    x = random_rows(rng, 300, n)
    y = x + rng.normal(size=x.shape) * rng.choice([1e-3, 0.1, 1], size=(300, 1))
    y[:100] = x[:100]
    y[:100, 0] += 0.1
    moved = np.abs(sharplib.plsoftmax(x, delta) - sharplib.plsoftmax(y, delta)).sum(-1)
    constant = theory.slopes(n)[1, 1]["plsoftmax"] / delta
    assert (moved <= constant * np.abs(x - y).sum(-1) * ROUNDING).all()
    level = np.zeros(n)
    lifted = level + 0.1 * np.eye(n)[0]
    move = np.abs(sharplib.plsoftmax(level, delta) - sharplib.plsoftmax(lifted, delta)).sum()
    assert move > 0.99 * constant * 0.1  # attained: one per cent less would be wrong


def norm_of(matrix, p, q):
    """Operator norm by brute force: signs for the maximum norm, columns for l1, singular values."""
    if (p, q) == (1, 1):
        return np.abs(matrix).sum(0).max()
    if (p, q) == (2, 2):
        return np.linalg.svd(matrix, compute_uv=False)[0]
    signs = np.array(list(itertools.product([-1, 1], repeat=matrix.shape[1])))
    return np.abs(signs @ matrix.T).sum(1).max()


@pytest.mark.parametrize("n", [2, 3, 4, 7, 11])
@pytest.mark.parametrize("pair", theory.PAIRS)
def test_slopes_are_the_largest_norms_of_the_jacobians(n, pair):
    found = theory.slopes(n)[pair]
    pl = [np.array(theory.smoothing_matrix(k), dtype=float) for k in range(1, n + 1)]
    assert found["plsoftmax"] == pytest.approx(max(norm_of(m, *pair) for m in pl), rel=1e-12)
    sparse = [np.eye(k) - 1 / k for k in range(1, n + 1)]
    assert found["sparsemax"] == pytest.approx(max(norm_of(m, *pair) for m in sparse), rel=1e-12)
    half = np.r_[0.5, 0.5, np.zeros(n - 2)]  # two items share: the steepest place of softmax
    jacobian = (np.diag(half) - np.outer(half, half)) * theory.softmax_loss(n)
    assert found["softmax"] == pytest.approx(norm_of(jacobian, *pair), rel=1e-12)


@pytest.mark.parametrize("n", [2, 6, 30])
@pytest.mark.parametrize("pair", theory.PAIRS)
def test_no_map_is_below_the_least_slope(n, pair):
    least = theory.slopes(n)[pair]["any map"]
    for mapping in (
        sharplib.sparsemax,
        partial(sharplib.plsoftmax, delta=1.0),
        partial(sharplib.tsoftmax, t=1.0),
        lambda x: sharplib.entmax(x, 2.5) if n < 7 else sharplib.sparsemax(x),
    ):
        steep = tradeoff.lipschitz_constant(mapping, n, 2.0, p=pair[0], q=pair[1], steps=30)
        reach = tradeoff.worst_case_error(mapping, n, 2.0, steps=100)
        # The search finds both from below, to a per cent.
        assert steep * reach > 0.98 * least


@pytest.mark.parametrize("p", [1, 1.5, 2, 4, math.inf])
@pytest.mark.parametrize("q", [1, 2, 3, math.inf])
def test_the_least_slope_by_a_solver(p, q):
    n = 5
    lifted = np.eye(n)[0]
    apart = scipy.optimize.minimize_scalar(
        lambda b: np.linalg.norm(lifted - b, p), bounds=(0, 1), method="bounded"
    ).fun
    free = scipy.optimize.minimize(
        lambda f: np.linalg.norm(lifted - np.r_[f[0], f[1:]], q),
        np.full(n, 1 / n),
        bounds=[(0, 1 / n)] + [(0, 1)] * (n - 1),
        constraints={"type": "eq", "fun": lambda f: f.sum() - 1},
        method="SLSQP",
    ).fun
    # Bounded searches stop within 1e-5 of the minimum.
    assert theory.least_slope(n, p, q) == pytest.approx(free / apart, rel=1e-4)


def test_sparsemax_is_the_best_in_the_euclidean_norm_and_plsoftmax_up_to_six():
    for n in (2, 3, 4, 5, 6):
        found = theory.slopes(n)[math.inf, 1]
        assert found["plsoftmax"] == pytest.approx(found["any map"], rel=1e-12)
    seven = theory.slopes(7)[math.inf, 1]
    assert seven["plsoftmax"] > 1.01 * seven["any map"]
    for n in (2, 9, 100):
        found = theory.slopes(n)
        assert found[2, 2]["sparsemax"] == pytest.approx(found[2, 2]["any map"], rel=1e-12)
        for name in ("sparsemax", "plsoftmax"):
            assert found[1, 1][name] == pytest.approx(found[1, 1]["any map"], rel=1e-12)


def test_from_the_maximum_norm_plsoftmax_grows_like_the_logarithm():
    for n in (64, 256):
        harmonic = (1 / np.arange(1, n + 1)).sum()
        # the sheet's H_n + 0.96 for many items, with two printed digits
        assert theory.slopes(n)[math.inf, 1]["plsoftmax"] == pytest.approx(
            harmonic + 0.96, abs=0.04
        )


def test_two_points_and_the_function_agree():
    for step, pair in zip(theory.two_points(), theory.PAIRS, strict=True):
        value = float(step.claim.rhs.subs({theory.n: 9, theory.delta: 0.5}))
        assert value == pytest.approx(theory.least_slope(9, *pair) / 0.5, rel=1e-12)


@pytest.mark.parametrize("k", [2, 3, 8])
def test_the_asymmetry_of_the_jacobian(k):
    claim = theory.not_a_gradient().conclusion.rhs
    (size,) = claim.free_symbols - {theory.delta}
    m = theory.smoothing_matrix(k)
    assert claim.subs({size: k, theory.delta: 1}) == m[0, 1] - m[1, 0]
    assert (m[0, 1] == m[1, 0]) == (k == 2)


# --- ratios --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 10, 1000])
@pytest.mark.parametrize("power", [0.5, 3.0, 20.0])
def test_the_power_mechanism_keeps_its_share(n, power, rng):
    x = rng.random((2000, n)) ** rng.choice([0.1, 1, 10], size=(2000, 1))
    x[:500] = np.where(rng.random((500, n)) < 0.9, 1e-3, 1)
    kept = (sharplib.power_softmax(x, power) * x).sum(-1) / x.max(-1)
    assert (kept >= theory.power_share(n, power) / ROUNDING).all()


def test_the_bound_of_the_power_mechanism_is_close_but_not_attained():
    n, power = 1000, 3.0

    def kept(y):
        return (1 + (n - 1) * y ** (power + 1)) / (1 + (n - 1) * y**power)

    worst = scipy.optimize.minimize_scalar(kept, bounds=(0, 1), method="bounded").fun
    bound = float(theory.power_share(n, power))
    assert 1.5 * bound < worst < 1.7 * bound


def test_every_pair_of_gains_is_decided_by_the_neighbours(rng):
    ratios, differences = theory.same_cost()
    M, g, s = sympy.symbols("M g s", positive=True)
    sides = [
        sympy.lambdify((M, g, s), side)
        for claim in (ratios.claim, differences.claim)
        for side in (claim.lhs, claim.rhs)
    ]
    for _ in range(300):
        low, floor = rng.integers(1, 50), rng.uniform(0.1, 30)
        high = low + rng.integers(1, 500)
        power, exp, floored, one = (float(side(high, low, floor)) for side in sides)
        assert power > exp
        assert floored <= one * ROUNDING
    # One per cent tighter is wrong: two gains that are nearly equal, and a gain of 0 beside 1.
    near = [float(side(1000, 999, 1)) for side in sides[:2]]
    assert near[0] < 1.01 * near[1]
    edge = [math.log((1 + 2.0) / (0 + 2.0)), math.log(1 + 1 / 2.0)]
    assert edge[0] > 0.99 * edge[1]


# --- all together --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        theory.gibbs,
        theory.exact_loss,
        theory.privacy,
        theory.least_privacy,
        theory.column_slopes,
        theory.power_mean,
    ],
)
def test_statements_hold_for_numbers(statement):
    """The last claim of each, with numbers from the function or the map that it is about."""
    claim = statement().conclusion
    values = {"n": 16, "theta": 0.5, "delta": 0.8, "alpha": 3.0}
    exact = float(theory.softmax_loss(16, 0.5))
    v = float(np.real(scipy.special.lambertw(16 * math.e)))
    extra = {
        "L": exact,
        "D": 0.39,
        "r": 0.1,
        "c": float(theory.least_privacy_price(16)) / 0.8
        if statement is theory.least_privacy
        else theory.slopes(16)[1, 1]["plsoftmax"] / 0.8,
        "v": v,
        "A": 1 + 15 * 0.6**3,
        "B": 1 + 15 * 0.6**4,
    }
    names = {s: {**values, **extra}[s.name] for s in claim.free_symbols}
    left, right = (float(side.subs(names)) for side in (claim.lhs, claim.rhs))
    if isinstance(claim, sympy.Eq):
        assert left == pytest.approx(right, rel=1e-12)
    elif isinstance(claim, sympy.Le):
        assert left <= right * ROUNDING
    else:
        assert left * ROUNDING >= right


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: theory.softmax_loss(0), ValueError, "n must be finite and >= 1, got 0"),
        (lambda: theory.softmax_loss(2, 0.0), ValueError, "temperature must be"),
        (lambda: theory.least_privacy_price("x"), TypeError, "n must hold real numbers"),
        (lambda: theory.least_slope(1, 1, 1), ValueError, "n must be at least 2, got 1"),
        (lambda: theory.least_slope(4, 0.5, 1), ValueError, "p must be from 1 to infinity"),
        (lambda: theory.least_slope(4, 1, float("nan")), ValueError, "q must be from 1"),
        (lambda: theory.slopes(2.5), TypeError, r"n must be an integer, got 2\.5"),
        (lambda: theory.scores(0), ValueError, "k must be at least 1, got 0"),
        (lambda: theory.power_share(4, 0), ValueError, "power must be"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=f"^{message}"):
        call()
