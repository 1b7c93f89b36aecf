"""The search for the worst row, against constants that are proved or found by other means."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
import scipy.optimize
import scipy.special

import sharplib
from sharplib.measures.tradeoff import (
    expected_error,
    lipschitz_constant,
    relative_error,
    renyi_constant,
    worst_case_error,
)

INF = np.inf
ROUNDING = 1 + 1e-8  # differences over 1e-5 of the width, in float64


def plsoftmax(delta):
    return partial(sharplib.plsoftmax, delta=delta)


# --- approximation error -------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 8, 32])
@pytest.mark.parametrize("theta", [0.5, 2.0])
def test_expected_error_of_softmax(n, theta):
    """One item leads the others by the same gap: θ W((n - 1)/e), which θ log n bounds."""
    mapping = partial(sharplib.softmax, temperature=theta)
    exact = theta * scipy.special.lambertw((n - 1) / np.e).real
    found = expected_error(mapping, n, width=10 * theta, steps=300)
    assert 0.999 * exact <= found <= exact * ROUNDING
    assert found <= theta * np.log(n)


@pytest.mark.parametrize("n", [2, 8, 32])
def test_expected_error_of_plsoftmax(n):
    """Against a solver that knows the formula; never above δ/2."""
    places = np.arange(1, n + 1)

    def negative_error(gaps):  # of depths from 0 to 1, in order
        mean_depths = np.cumsum(np.r_[0, np.cumsum(gaps[:-1])]) / places
        return -(gaps @ mean_depths)

    best = scipy.optimize.minimize(
        negative_error,
        np.full(n, 1 / n),
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda gaps: gaps.sum() - 1},
        method="SLSQP",
        options={"maxiter": 500},
    )
    delta = 0.5
    found = expected_error(plsoftmax(delta), n, width=2.0)
    # The solver stops within 1e-6 of its objective.
    assert found == pytest.approx(-best.fun * delta, rel=1e-3)
    assert found <= delta / 2


@pytest.mark.parametrize(
    ("mapping", "error"),
    [
        (plsoftmax(0.5), 0.5),
        (plsoftmax(1.5), 1.5),
        (sharplib.sparsemax, 1.0),
        (lambda x: sharplib.sparsemax(x / 2), 2.0),
        (sharplib.softmax, 3.0),  # every item has a weight: no guarantee but the width itself
    ],
)
def test_worst_case_error(mapping, error):
    found = worst_case_error(mapping, 6, width=3.0, steps=300)
    assert 0.99 * error <= found <= error


@pytest.mark.parametrize("n", [2, 8, 32])
@pytest.mark.parametrize("alpha", [1.0, 4.0])
def test_relative_error_of_the_power_mechanism(n, alpha):
    """One item leads and the others are equal; never above the proved bound."""

    def kept(y):
        return (1 + (n - 1) * y ** (alpha + 1)) / (1 + (n - 1) * y**alpha)

    exact = 1 - scipy.optimize.minimize_scalar(kept, bounds=(0, 1), method="bounded").fun
    found = relative_error(partial(sharplib.power_softmax, alpha=alpha), n, width=1.0)
    assert 0.999 * exact <= found <= exact * (1 + 1e-6)  # the solver's own accuracy
    assert found <= 1 - n ** (-1 / (alpha + 1))


def test_no_multiple_of_a_row_is_worse_for_the_power_mechanism():
    mapping = partial(sharplib.power_softmax, alpha=2.0)
    small, large = (relative_error(mapping, 4, width=width) for width in (1e-3, 1e3))
    assert small == pytest.approx(large, rel=1e-3)  # the search ends close to the worst row


# --- smoothness ----------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, 1.5, 2, INF])
@pytest.mark.parametrize("q", [1, 2, 3, INF])
def test_the_slope_of_a_linear_map_is_its_operator_norm(p, q, rng):
    a = rng.standard_normal((5, 5))
    found = lipschitz_constant(lambda x: x @ a, 5, width=1.0, p=p, q=q, steps=1)
    if p == 1:  # a corner of the ball: one input
        exact = np.linalg.norm(a, ord=q, axis=1).max()
    elif p == INF:  # a corner of the ball: signs
        signs = np.array(list(itertools.product([-1, 1], repeat=5)))
        exact = np.linalg.norm(signs @ a, ord=q, axis=1).max()
    elif q == INF:  # one output, in the dual norm
        exact = np.linalg.norm(a, ord=p / (p - 1), axis=0).max()
    else:
        h = rng.standard_normal((200_000, 5))
        ratios = np.linalg.norm(h @ a, ord=q, axis=1) / np.linalg.norm(h, ord=p, axis=1)
        # 200 000 directions come within a few percent of the best of five dimensions.
        assert ratios.max() <= found * ROUNDING <= 1.03 * ratios.max()
        if p == q == 2:
            assert found == pytest.approx(np.linalg.norm(a, 2), rel=1e-6)
        return
    assert found == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize(
    ("p", "q", "n", "constant"),
    [
        (1, 1, 4, 2 * (1 - 1 / 4)),
        (1, 1, 16, 2 * (1 - 1 / 16)),
        (INF, INF, 8, 2 * (1 - 1 / 8)),
        (2, 2, 8, 1.116),
        (INF, 1, 2, 2.0),
        (INF, 1, 4, 3.0),
        (INF, 1, 8, 3.667),
        (INF, 1, 16, 4.352),
    ],
)
@pytest.mark.parametrize("delta", [1.0, 0.25])
def test_the_constants_of_plsoftmax(p, q, n, constant, delta):
    found = lipschitz_constant(plsoftmax(delta), n, width=2 * delta, p=p, q=q, steps=60)
    assert found * delta == pytest.approx(constant, abs=6e-4)  # three printed decimals


@pytest.mark.parametrize(("p", "q"), [(1, 1), (2, 1), (3, 1.5), (2, 4), (INF, 1), (INF, INF)])
def test_plsoftmax_stays_below_the_proved_bound(p, q):
    n, delta = 12, 0.5
    limits = [1 + np.log(n), p, q / (q - 1) if q > 1 else INF]
    found = lipschitz_constant(plsoftmax(delta), n, width=1.0, p=p, q=q, steps=50)
    assert found <= 2 / delta * min(limits) * ROUNDING


@pytest.mark.parametrize("theta", [0.5, 2.0])
@pytest.mark.parametrize(
    ("p", "q", "constant"), [(1, 1, 0.5), (2, 2, 0.5), (INF, INF, 0.5), (INF, 1, 1)]
)
def test_the_constants_of_softmax(theta, p, q, constant):
    mapping = partial(sharplib.softmax, temperature=theta)
    found = lipschitz_constant(mapping, 6, width=10 * theta, p=p, q=q, steps=60)
    assert 0.99 * constant / theta <= found <= constant / theta * ROUNDING


@pytest.mark.parametrize("n", [4, 8])
def test_sparsemax_in_the_maximum_norm_grows_with_the_support(n):
    assert lipschitz_constant(sharplib.sparsemax, n, 1.0, p=INF, q=1, steps=40) == pytest.approx(n)
    assert lipschitz_constant(sharplib.sparsemax, n, 1.0, steps=40) == pytest.approx(1)


@pytest.mark.parametrize("p", [1, 2, INF])
def test_no_map_with_a_worst_case_is_smoother_than_it_can_be(p):
    """From l_p to l_1 at least 2 (1 - 1/n) / δ; plsoftmax reaches it for p = 1."""
    n, delta = 6, 0.5
    least = 2 * (1 - 1 / n) / delta
    found = []
    for mapping in (plsoftmax(delta), lambda x: sharplib.sparsemax(x / delta)):
        assert worst_case_error(mapping, n, width=2.0, steps=300) <= delta
        found.append(lipschitz_constant(mapping, n, width=1.0, p=p, q=1, steps=50))
    assert min(found) >= least / ROUNDING
    if p == 1:
        assert found[0] == pytest.approx(least)


@pytest.mark.parametrize("p", [100.0, 1e3])
def test_a_high_order_is_nearly_the_maximum_norm(p):
    """Though the hundredth power of a step of 1e-5 is 0 in floating point."""
    # It is up to 5^(1/p) times that, 1.6 %, and the search may end in another row.
    near = {"rel": 0.04}
    for which in ({"p": p}, {"q": p}):
        limit = dict.fromkeys(which, INF)
        found = lipschitz_constant(sharplib.softmax, 5, 5.0, steps=50, **which)
        assert found == pytest.approx(
            lipschitz_constant(sharplib.softmax, 5, 5.0, steps=50, **limit), **near
        )
    found = renyi_constant(sharplib.softmax, 5, 5.0, p=p, steps=50)
    assert found == pytest.approx(renyi_constant(sharplib.softmax, 5, 5.0, steps=50), **near)


def test_a_jump_is_as_steep_as_the_step_allows():
    def hard(x):
        return (x == x.max(-1, keepdims=True)) * 1.0

    assert lipschitz_constant(hard, 3, width=1.0, steps=20) > 1e4


# --- smoothness in the sense of privacy -----------------------------------------------------------


@pytest.mark.parametrize("theta", [0.5, 2.0])
def test_the_privacy_of_softmax(theta):
    """2/θ in the maximum norm, less the smallest weight that the width allows."""
    n, width = 3, 4 * theta
    smallest = 1 / (1 + (n - 1) * np.exp(width / theta))
    mapping = partial(sharplib.softmax, temperature=theta)
    found = renyi_constant(mapping, n, width)
    assert 0.99 * 2 / theta * (1 - smallest) <= found <= 2 / theta


@pytest.mark.parametrize("order", [1.5, 3.0, 20.0])
def test_renyi_constant_of_two_items_against_a_grid(order):
    """Only the gaps a and b of the two rows count, and the rows are (a - b)/2 apart at least."""
    width = 4.0
    a, b = np.meshgrid(np.linspace(-width, width, 401), np.linspace(-width, width, 401))
    log_f = -np.log1p(np.exp(-np.stack([a, -a])))
    log_g = -np.log1p(np.exp(-np.stack([b, -b])))
    total = scipy.special.logsumexp(order * log_f + (1 - order) * log_g, axis=0)
    apart = np.abs(a - b) / 2
    grid = (total / (order - 1))[apart > 0] / apart[apart > 0]
    found = renyi_constant(sharplib.softmax, 2, width, order=order)
    # The grid has steps of 0.02 around a smooth peak.
    assert found == pytest.approx(grid.max(), rel=2e-3)


def test_a_higher_order_is_harder_to_keep():
    found = [
        renyi_constant(sharplib.softmax, 3, 4.0, order=order, steps=300)
        for order in (1.1, 2, 10, INF)
    ]
    assert found == sorted(found)


def test_exact_zeros_keep_nothing_private():
    assert renyi_constant(plsoftmax(1.0), 3, 2.0, steps=10) == INF


@pytest.mark.parametrize("alpha", [1.0, 4.0])
def test_the_power_mechanism_is_private_in_the_logarithms(alpha):
    found = renyi_constant(lambda z: sharplib.power_softmax(np.exp(z), alpha), 3, width=8 / alpha)
    assert 0.99 * 2 * alpha <= found <= 2 * alpha * ROUNDING


# --- any map -------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", sharplib.CATALOGUE.values(), ids=sharplib.CATALOGUE.keys())
def test_no_catalogue_entry_is_steeper_than_it_claims(entry):
    found = lipschitz_constant(entry, 4, width=4.0, steps=20)
    assert found > 0
    if entry.properties.lipschitz is not None:
        assert found <= entry.properties.lipschitz * ROUNDING


def test_more_steps_find_more_and_a_seed_repeats_itself():
    few, more = (expected_error(sharplib.softmax, 16, 8.0, steps=steps) for steps in (5, 100))
    assert few < more
    assert more == expected_error(sharplib.softmax, 16, 8.0, steps=100)
    assert more != expected_error(sharplib.softmax, 16, 8.0, steps=100, seed=1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0}, ValueError, r"^n must be at least 1, got 0"),
        ({"n": 2.5}, TypeError, r"^n must be an integer, got 2\.5"),
        ({"width": 0.0}, ValueError, r"^width must be > 0 and finite, got 0\.0"),
        ({"width": INF}, ValueError, r"^width must be > 0 and finite, got inf"),
        ({"steps": 0}, ValueError, r"^steps must be at least 1, got 0"),
    ],
)
@pytest.mark.parametrize(
    "function",
    [expected_error, worst_case_error, relative_error, lipschitz_constant, renyi_constant],
)
def test_bad_arguments_are_refused(function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(sharplib.softmax, **{"n": 3, "width": 1.0, "steps": 1, **arguments})


@pytest.mark.parametrize("bad", [0.5, -1, float("nan")])
def test_what_is_no_norm_is_refused(bad):
    for name in ("p", "q"):
        with pytest.raises(ValueError, match=rf"^{name} must be >= 1, got {bad}"):
            lipschitz_constant(sharplib.softmax, 3, 1.0, **{name: bad})
    with pytest.raises(ValueError, match=rf"^order must be > 1, got {bad}"):
        renyi_constant(sharplib.softmax, 3, 1.0, order=bad)
