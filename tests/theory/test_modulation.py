"""Bent scores: each statement tried on rows that `sharplib.multimax` and `softmax` weigh.

The theory shares no code with the map.
"""

import numpy as np
import pytest
import sympy
import torch

import sharplib
from sharplib.measures import multi_modality, smooth_sparsity
from sharplib.theory import modulation as theory


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def parameters(rng, order):
    return rng.normal(size=2 * order), rng.normal(size=2 * order)


@pytest.mark.parametrize("order", [1, 2])
def test_bend_is_what_the_map_puts_into_its_softmax(order, rng):
    for _ in range(20):
        r, c = parameters(rng, order)
        x = rng.normal(size=6)
        bent = theory.bend(x, r, c)
        # Logarithms of weights down to e^-40, each to a few roundings.
        np.testing.assert_allclose(
            np.diff(np.log(sharplib.multimax(x, r, c))), np.diff(bent), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("order", [1, 2])
def test_the_jacobian_is_that_of_softmax_times_the_slope(order, rng):
    for _ in range(20):
        r, c = parameters(rng, order)
        x = rng.normal(size=5)
        found = torch.func.jacrev(lambda z, r=r, c=c: sharplib.multimax(z, r.tolist(), c.tolist()))
        p = sharplib.multimax(x, r, c)
        expected = (np.diag(p) - np.outer(p, p)) * theory.slope(x, r, c)
        # Entries of order 10.
        np.testing.assert_allclose(found(torch.tensor(x)), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("order", [1, 2])
def test_slopes_are_the_extremes_on_a_fine_grid(order, rng):
    for _ in range(200):
        r, c = parameters(rng, order)
        if order == 2:
            c[2:] = [-abs(c[2]) * rng.integers(2), abs(c[3]) * rng.integers(2)]
        x = np.sort(np.concatenate([np.linspace(-6, 6, 4001), r - 1e-9, r + 1e-9]))
        found = theory.slope(x, r, c)
        least, most = theory.slopes(r, c)
        # Slopes of the squares move by at most 0.02 between grid points; 1e-9 beside a threshold.
        assert found.min() == pytest.approx(least, abs=1e-7)
        if np.isinf(most):
            assert order == 2
            assert found.max() > 1
        else:
            assert found.max() == pytest.approx(most, abs=1e-7)


def test_squares_of_the_wrong_sign_fall_without_end():
    assert theory.slopes([0] * 4, [0, 0, 0.01, 0])[0] == -np.inf
    assert theory.slopes([0] * 4, [0, 0, 0, -0.01])[0] == -np.inf
    assert theory.slopes([0] * 4, [0, 0, 0, 0.01]) == (1, np.inf)


def test_the_order_is_kept_exactly_where_no_slope_is_negative(rng):
    kept = 0
    for _ in range(300):
        order = int(rng.integers(1, 3))
        r, c = parameters(rng, order)
        c = c * 1.2
        if order == 2:
            c[2:] = [-abs(c[2]), abs(c[3])]
        x = np.sort(np.concatenate([rng.uniform(-4, 4, 400), r, r - 1e-4, r + 1e-4]))
        falls = (np.diff(theory.bend(x, r, c)) < -1e-12).any()
        assert falls == (theory.slopes(r, c)[0] < 0) or abs(theory.slopes(r, c)[0]) < 0.05
        p = sharplib.multimax(x[::40], r, c)
        if theory.slopes(r, c)[0] >= 0:
            kept += 1
            assert (np.diff(p) >= -1e-15).all()
    assert 50 < kept < 250


def test_odds_lie_between_the_ends_and_both_are_reached(rng):
    r, c = (-0.5, 0.5), (-1.0, -0.5)
    least, most = theory.slopes(r, c)
    for _ in range(200):
        x, g = rng.normal(size=7) * 2, rng.uniform(0.01, 3)
        p = sharplib.multimax(np.r_[x[0] + g, x], r, c)
        odds = np.log(p[0] / p[1])
        assert least * g - 1e-12 <= odds <= most * g + 1e-12
    for at, end in ((10.0, least), (-10.0, most)):  # far up, and far down
        p = sharplib.multimax(np.array([at + 1, at]), r, c)
        assert np.log(p[0] / p[1]) == pytest.approx(end, rel=1e-12)


@pytest.mark.parametrize("coefficients", [(-1.0, -0.5), (0.3, 1.0), (2.5, 0.0)])
def test_the_lipschitz_constant_is_half_the_steepest(coefficients, rng):
    r = (-0.5, 0.5)
    half = max(map(abs, theory.slopes(r, coefficients))) / 2

    def norm(x):
        jacobian = torch.func.jacrev(lambda z: sharplib.multimax(z, r, coefficients))
        return float(torch.linalg.matrix_norm(jacobian(torch.tensor(x)), 2))

    found = [norm(rng.normal(size=4) * 2) for _ in range(50)]
    assert max(found) <= half * (1 + 1e-12)
    reached = max(norm(np.full(2, at)) for at in (-2.0, 0.0, 2.0))
    assert reached == pytest.approx(half, rel=1e-12)
    assert reached > 0.99 * half  # one per cent tighter: broken


def test_bounded_scores_disperse(rng):
    r, c = (-0.5, 0.5), (-1.0, 0.5)
    for _ in range(100):
        n = int(rng.integers(2, 400))
        x = rng.uniform(-2, 3, n) * rng.choice([0.1, 1])
        most = theory.most_weight(n, np.ptp(x), theory.slopes(r, c)[1])
        assert sharplib.multimax(x, r, c).max() <= most * (1 + 1e-12)
    for n in (2, 100, 10_000):
        x = np.full(n, -3.0)
        x[0] = -1.0  # both where the slope is the largest, 2
        found = sharplib.multimax(x, r, c)[0]
        bound = float(theory.most_weight(n, 2.0, 2.0))
        assert found == pytest.approx(bound, rel=1e-10)
        assert found > theory.most_weight(n, 2.0, 2.0 * 0.99)  # one per cent tighter: broken


def measured(p, x, threshold, reference):
    return multi_modality(p, x, threshold), smooth_sparsity(p, x, threshold, reference)


def test_a_temperature_trades(rng):
    """As it cools, M falls and S rises, wherever the threshold lies and whatever the reference."""
    tried = 0
    for _ in range(400):
        x = rng.normal(size=int(rng.integers(3, 12))) * rng.choice([0.3, 1, 4])
        if rng.random() < 0.5:  # one item far below the others, which end up above the mean
            x[0] -= 20
        epsilon, reference = rng.uniform(x.min(), x.max()), 10 ** rng.uniform(-3, 0)
        if not ((x > epsilon).sum() > 1 and (x < epsilon).any()):
            continue
        tried += 1
        found = [
            measured(sharplib.softmax(t * x), x, epsilon, reference) for t in np.geomspace(0.01, 9)
        ]
        modality, sparsity = np.array(found).T
        assert (np.diff(modality) <= 1e-13).all()
        assert (np.diff(sparsity) >= -1e-13).all()
    assert tried > 200


def test_the_rate_at_which_s_rises(rng):
    x, reference = rng.normal(size=8), 0.1
    below = x < 0.2
    step = 1e-6

    def sparsity(t):
        return smooth_sparsity(sharplib.softmax(t * x), x, 0.2, reference)

    p = sharplib.softmax(x)
    rate = theory.temperature_trades().conclusion.rhs
    p_l, x_l = sympy.IndexedBase("p"), sympy.IndexedBase("x")
    names = {s.name: s for s in rate.free_symbols}
    count = int(below.sum())
    stated = rate.subs({names["L"]: count, names["s"]: reference, names["xbar"]: p @ x}).doit()
    items = enumerate(zip(p[below], x[below], strict=True), start=1)
    stated = stated.subs({k: v for i, (a, b) in items for k, v in ((p_l[i], a), (x_l[i], b))})
    numeric = (sparsity(1 + step) - sparsity(1 - step)) / (2 * step)
    # A central difference with a step of 1e-6: rounding 1e-16 / 1e-6.
    assert float(stated) == pytest.approx(numeric, abs=1e-8)


def three_levels(a, g, u, items):
    return np.r_[a + g, a, np.full(items, -u)]


def test_two_slopes_raise_both(rng):
    for _ in range(200):
        a, g, u = rng.uniform(0.1, 2, 3)
        items = int(rng.integers(1, 30))
        x, reference = three_levels(a, g, u, items), rng.uniform(0.01, 0.5)
        high = float(theory.flattest_top(a, g, u, items)) * rng.uniform(0.1, 1)
        low = float(theory.steepest_needed(a, g, u, high)) * 1.0001
        assert 0 < high < 1 < low
        soft = measured(sharplib.softmax(x), x, 0.0, reference)
        bent = measured(sharplib.multimax(x, (0, 0), (1 - low, high - 1)), x, 0.0, reference)
        assert bent[0] > soft[0]
        assert bent[1] > soft[1]
        # One per cent less, and S falls: the condition is exact.
        less = sharplib.multimax(x, (0, 0), (1 - 0.99 * low, high - 1))
        assert measured(less, x, 0.0, reference)[1] < soft[1]
        # No temperature does as much: M and S move in opposite directions.
        for t in np.geomspace(0.1, 10, 9):
            cooled = measured(sharplib.softmax(t * x), x, 0.0, reference)
            assert not (cooled[0] >= bent[0] and cooled[1] >= bent[1])


def test_the_slope_that_raises_m_is_the_best_without_the_items_below():
    """The condition on the top is sufficient, and exact as the items below lose their weight."""
    a, g, u, items = 1.0, 1.0, 1.0, 8
    x, high = three_levels(a, g, u, items), float(theory.flattest_top(a, g, u, items))
    soft = multi_modality(sharplib.softmax(x), x, 0.0)
    gone = [
        multi_modality(sharplib.multimax(x, (0, 0), (-30.0, f * high - 1)), x, 0.0)
        for f in (0.999, 1.01)
    ]
    assert gone[0] > soft > gone[1]


def test_floors_of_the_measures(rng):
    for _ in range(200):
        n = int(rng.integers(3, 50))
        x, p = rng.normal(size=n), rng.dirichlet(np.full(n, 0.3))
        below = x < 0
        if not below.any() or (x > 0).sum() < 2:
            continue
        reference = rng.uniform(0.01, 0.5)
        floors = theory.least_measures(p.max(), below.sum(), reference)
        modality, sparsity = measured(p, x, 0.0, reference)
        assert modality >= floors[0] - 1e-15
        assert sparsity >= floors[1] - 1e-15
    # Reached: one item not meant has all; and the items below share all the weight equally.
    x = np.array([2.0, 1.0, -1.0, -1.0])
    assert multi_modality(np.array([1.0, 0, 0, 0]), x, 0.0) == 0
    assert smooth_sparsity(np.array([0, 0, 0.5, 0.5]), x, 0.0, 0.25) == pytest.approx(np.exp(-2))


def test_statements_and_functions_agree():
    a, u, L = sympy.symbols("a u L", positive=True)
    values = {a: 0.7, u: 1.3, L: 5, theory.g: 0.9, theory.t_high: 0.6}
    steps = theory.both_rise()
    gap = steps[0].claim.rhs.subs(values)
    flat = steps[2].claim.rhs.subs(sympy.Symbol("D", positive=True), gap).subs(values)
    assert float(flat) == pytest.approx(float(theory.flattest_top(0.7, 0.9, 1.3, 5)), rel=1e-12)
    needed = float(steps[3].claim.rhs.subs(values))
    assert needed == pytest.approx(float(theory.steepest_needed(0.7, 0.9, 1.3, 0.6)), rel=1e-12)
    bound = theory.disperses().conclusion.rhs
    most = float(bound.subs({theory.n: 50, theory.W: 3, theory.s_max: 1.2}))
    assert most == pytest.approx(float(theory.most_weight(50, 3, 1.2)), rel=1e-12)
    assert len(theory.jacobian()) == len(theory.disperses()) == 3
    assert len(theory.temperature_trades()) == 4


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: theory.bend(0.0, (0, 0, 0), (0, 0)), "thresholds"),
        (lambda: theory.slope(0.0, (0, 0), (0, 0, 0, 0)), "coefficients"),
        (lambda: theory.slopes((0, np.nan), (0, 0)), "thresholds"),
        (lambda: theory.most_weight(0, 1, 1), "n"),
        (lambda: theory.flattest_top(1, 0, 1, 1), "gap"),
        (lambda: theory.steepest_needed(1, 1, 0, 1), "depth"),
        (lambda: theory.least_measures(0.5, 0, 1), "items"),
        (lambda: theory.least_measures(0.5, 1, 0), "reference"),
    ],
)
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        call()
