"""Periodic maps: each statement tried on rows that the library maps, each constant at its edge.

The theory shares no code with the mappings: it has its own g, and SymPy's derivatives.
"""

import numpy as np
import pytest
import sympy
import torch

import sharplib
from sharplib.theory import periodic as theory

MAPS = {
    "softmax": sharplib.softmax,
    "sin_softmax": sharplib.sin_softmax,
    "shifted_sin2_max": sharplib.shifted_sin2_max,
    "siren_max": sharplib.siren_max,
    "sin_max": lambda x: sharplib.sin_max(x, offset=1.0, frequency=10.0),
    "sin2_max": sharplib.sin2_max,
    "cos_max": sharplib.cos_max,
}
EVERY = pytest.mark.parametrize("name", MAPS)
#: Those whose g and |g'/g| are bounded: name -> least g, largest g, largest |g'/g|.
BOUNDED = {"sin_softmax": (np.exp(-1), np.e, 1.0)}
#: A few dozen roundings; sums of up to a few thousand terms.
EXACT = {"rtol": 1e-10, "atol": 1e-13}


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def rows(rng, n):
    """Scores near and far; for cos_max on the part where weights are positive."""
    return rng.uniform(-1.2, 1.2, n) * rng.choice([0.1, 1.0])


@EVERY
def test_every_map_of_the_library_has_its_g(name):
    assert set(MAPS) == set(theory.SHARES)
    x = np.linspace(-1.4, 1.3, 7)
    g = np.array([float(theory.SHARES[name].subs(theory.x, v)) for v in x])
    np.testing.assert_allclose(MAPS[name](x), g / g.sum(), **EXACT)


@EVERY
def test_the_jacobian_is_that_of_autograd(name, rng):
    for n in (1, 2, 9):
        x = rows(rng, n)
        slope = torch.func.jacrev(MAPS[name])(torch.tensor(x)).numpy()
        found = theory.jacobian(name, x)
        # Siren-max has slopes of about 100 here.
        np.testing.assert_allclose(found, slope, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found.sum(-2), 0, atol=1e-10)  # the weights add up to 1
    batch = rng.uniform(-1, 1, (3, 4, 5))
    assert theory.jacobian(name, batch).shape == (3, 4, 5, 5)
    np.testing.assert_allclose(
        theory.jacobian(name, batch)[2, 1], theory.jacobian(name, batch[2, 1])
    )


@EVERY
def test_no_climb_is_longer_than_its_slope_allows(name, rng):
    # One score moves, the others stay: the longest way on which the slope is at least s.
    others = rng.uniform(-0.3, 0.3, 6)
    t = np.linspace(-7, 7, 20_001)
    slope = np.array([theory.jacobian(name, np.r_[v, others])[0, 0] for v in t[::20]])
    at = t[::20]
    for s in (0.02, 0.05, 0.1):
        steep = slope >= s
        edges = np.flatnonzero(np.diff(np.r_[0, steep, 0]))
        longest = (at[edges[1::2] - 1] - at[edges[::2]]).max(initial=0)
        if name != "cos_max":  # which has weights outside of [0, 1]
            assert longest <= 1 / s


def test_a_climb_can_be_that_long():
    # A weight that is a straight line from 0 to 1 has the slope s on a way of 1/s, and no longer.
    t = np.linspace(0, 10, 1001)
    p = sharplib.sparsemax(np.stack([t / 5, np.ones_like(t)], -1))[:, 0]  # slope 1/10
    assert (p[0], p[-1]) == (0, 1)
    np.testing.assert_allclose(np.diff(p) / np.diff(t), 0.1, rtol=1e-9)


@EVERY
def test_no_weight_moves_faster(name, rng):
    for _ in range(200):
        x = rows(rng, int(rng.integers(2, 30)))
        if name == "cos_max":
            x = np.clip(x, -1.5, 1.5)
        p, slopes = MAPS[name](x), theory.jacobian(name, x)
        if (p < 0).any():
            continue
        g, dg = (f for f in (theory.SHARES[name], theory.SHARES[name].diff(theory.x)))
        h = sympy.lambdify(theory.x, dg / g, "numpy")(x)
        most = theory.most_speed(p, np.abs(h).max())
        total = np.abs(slopes).sum(-1)
        assert (total <= most * (1 + 1e-9) + 1e-12).all()
        if name == "softmax":  # attained: one per cent less is broken
            np.testing.assert_allclose(total, most, rtol=1e-9)
            assert (total > 0.99 * most).all()


def test_a_small_step_moves_a_weight_by_its_speed(rng):
    x = rng.normal(size=6)
    step = 1e-6 * np.r_[1, -np.ones(5)]
    moved = sharplib.softmax(x + step)[0] - sharplib.softmax(x)[0]
    # The second derivative adds a millionth of the first.
    most = float(theory.most_speed(sharplib.softmax(x)[0]))
    assert moved == pytest.approx(1e-6 * most, rel=1e-5)


@pytest.mark.parametrize(("name", "bounds"), BOUNDED.items())
@pytest.mark.parametrize("n", [1, 2, 64, 5000])
def test_weights_stay_under_the_ceiling(name, bounds, n, rng):
    low, high = theory.weight_bounds(n, *bounds[:2])
    for size in (0.1, 1.0, 100.0, 1e6):  # however large the scores are
        p = MAPS[name](rng.normal(size=(50, n)) * size)
        assert p.min() >= low * (1 - 1e-12)
        assert p.max() <= high * (1 + 1e-12)
    top = MAPS[name](np.r_[np.pi / 2, np.full(n - 1, -np.pi / 2)])
    bottom = MAPS[name](np.r_[-np.pi / 2, np.full(n - 1, np.pi / 2)])
    np.testing.assert_allclose([bottom[0], top[0]], [low, high], rtol=1e-12)  # attained
    if n > 1:
        assert top[0] > 0.99 * high
        assert bottom[0] < 1.01 * low


def test_without_a_floor_there_is_no_ceiling():
    # The shifted squared sine points, if every rival sits on a zero of g.
    p = sharplib.shifted_sin2_max(np.r_[np.pi / 4, np.full(999, -np.pi / 4)])
    assert p[0] > 1 - 1e-12
    assert theory.weight_bounds(1000, 0.0, 1.0)[1] == 1


@pytest.mark.parametrize("n", [3, 10, 1000, 100_000])
@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9])
def test_the_target_at_the_pole(n, weight):
    d = float(theory.pole_window(n, weight))
    for nearer, hit in ((0.99, True), (1.01, False)):
        for side in (-1, 1):
            p = sharplib.siren_max(np.r_[np.pi / 2 + side * nearer * d, np.zeros(n - 1)])
            assert (p[0] >= weight) == hit
    p = sharplib.siren_max(np.r_[np.pi / 2 - d, np.zeros(n - 1)])
    assert p[0] == pytest.approx(weight, rel=1e-9)


@pytest.mark.parametrize("n", [10, 1000, 100_000])
@pytest.mark.parametrize("weight", [0.2, 0.5, 0.9])
def test_the_target_at_the_zeros(n, weight, rng):
    d = float(theory.zero_window(n, weight))
    top = np.pi / 4
    level = sharplib.shifted_sin2_max(np.r_[top, np.full(n - 1, -top + d)])
    assert level[0] == pytest.approx(weight, rel=1e-9)
    inside = sharplib.shifted_sin2_max(np.r_[top, -top + d * rng.uniform(-1, 1, n - 1)])
    outside = np.r_[top, -top + rng.choice([-1, 1], n - 1) * rng.uniform(1.01 * d, 1.5, n - 1)]
    assert inside[0] >= weight
    assert sharplib.shifted_sin2_max(outside)[0] < weight


def test_targets_shrink_like_one_over_the_root_of_n():
    for window in (theory.pole_window, theory.zero_window):
        ratio = window(10**6, 0.5) / window(10**8, 0.5)
        assert float(ratio) == pytest.approx(10, rel=1e-4)
    assert theory.zero_window(2, 0.3) == np.pi / 2  # any place will do


@pytest.mark.parametrize("n", [256, 16_384])
def test_chance_points_at_any_n(n, rng):
    p = sharplib.siren_max(rng.uniform(0, 2 * np.pi, (1000, n)))
    squares = (p**2).sum(-1)
    # Four standard errors; the limit is off by about one over the root of n at a finite n.
    error = 4 * squares.std() / np.sqrt(1000) + 1 / np.sqrt(n)
    assert squares.mean() == pytest.approx(float(theory.lottery().conclusion.rhs), abs=error)
    softer = sharplib.sin_softmax(rng.uniform(0, 2 * np.pi, (100, n)))
    assert (softer**2).sum(-1).max() < 3 / n


def test_identities(rng):
    x = rng.uniform(-1.5, 1.5, (20, 7))
    np.testing.assert_allclose(
        sharplib.siren_max(x), sharplib.softmax(2 * np.arctanh(np.sin(x))), rtol=1e-10
    )
    plain = 1 + np.sin(2 * x)
    np.testing.assert_allclose(
        sharplib.shifted_sin2_max(x), plain / plain.sum(-1, keepdims=True), **EXACT
    )
    assert theory.siren_as_softmax()[1].claim.rhs.subs(theory.x, 0) == 0
    assert theory.shifted_sine().conclusion.rhs.subs(theory.x, 0) == 1


@pytest.mark.parametrize("n", [2, 16, 64, 1000])
@pytest.mark.parametrize("divisor", [1.0, 8.0])
def test_normalised_scores_are_bounded(n, divisor, rng):
    most = float(theory.normalised_weight_bound(n, divisor))
    largest = (n - 1) / np.sqrt(n)
    for _ in range(100):
        x = rng.standard_t(1, size=n) if rng.integers(2) else rng.normal(size=n)
        z = sharplib.prenormalise(x * rng.choice([1, 1e3]))
        assert np.abs(z).max() <= largest * (1 + 1e-12)
        assert sharplib.softmax(z / divisor).max() <= most * (1 + 1e-12)
    # Attained by one item above level others, with the smallest lead that epsilon lets through.
    z = sharplib.prenormalise(np.r_[1e-3, np.zeros(n - 1)], epsilon=0.0)
    assert z[0] == pytest.approx(largest, rel=1e-9)
    assert z[0] - z[1] == pytest.approx(np.sqrt(n), rel=1e-9)
    assert sharplib.softmax(z / divisor)[0] == pytest.approx(most, rel=1e-9)
    assert sharplib.softmax(z / divisor)[0] > 0.99 * most


def test_larger_scores_have_a_smaller_slope_after_normalising(rng):
    x = torch.tensor(rng.normal(size=8))

    def slopes(scale):
        return torch.func.jacrev(lambda v: sharplib.prenormalise(v, epsilon=0.0))(scale * x)

    z = sharplib.prenormalise(x, epsilon=0.0)
    eye = torch.eye(8, dtype=torch.float64)
    expected = (eye - 1 / 8 - torch.outer(z, z) / 7) / x.std()
    np.testing.assert_allclose(slopes(1.0), expected, **EXACT)
    np.testing.assert_allclose(slopes(100.0), expected / 100, **EXACT)
    np.testing.assert_allclose(slopes(1.0) @ x, 0, atol=1e-12)  # along the scores: nothing


def test_statements_and_functions_agree():
    n, P = theory.n, theory.P
    lower, upper = theory.ceiling().conclusion.args
    ends = {lower.lhs, upper.rhs, lower.rhs, upper.lhs} - {P}
    values = {theory.m: 0.2, theory.M: 3.0, n: 50}
    numbers = sorted(float(end.subs(values)) for end in ends)
    assert numbers == pytest.approx([float(v) for v in theory.weight_bounds(50, 0.2, 3.0)])
    odds, lead, pole, zero = (step.claim for step in theory.targets())
    r = float(odds.rhs.subs({P: 0.3, n: 50}))
    assert float(pole.rhs.subs(odds.lhs, r)) == pytest.approx(float(theory.pole_window(50, 0.3)))
    assert float(zero.rhs.subs(odds.lhs, r)) == pytest.approx(float(theory.zero_window(50, 0.3)))
    row = np.r_[float(lead.rhs.subs(odds.lhs, r)), np.zeros(49)]
    assert sharplib.softmax(row)[0] == pytest.approx(0.3)
    speed = theory.speed().conclusion.rhs
    (p,) = speed.free_symbols - {theory.H}
    assert float(speed.subs({p: 0.3, theory.H: 2})) == pytest.approx(
        float(theory.most_speed(0.3, 2))
    )


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: theory.jacobian("sine", [0.0]), "name"),
        (lambda: theory.jacobian("softmax", [np.inf]), "scores"),
        (lambda: theory.weight_bounds(0, 1, 2), "n"),
        (lambda: theory.weight_bounds(2, 3, 2), "low"),
        (lambda: theory.weight_bounds(2, 0, 0), "high"),
        (lambda: theory.most_speed(1.1), "weight"),
        (lambda: theory.most_speed(0.5, -1), "log_slope"),
        (lambda: theory.pole_window(1, 0.5), "n"),
        (lambda: theory.zero_window(9, 1.0), "weight"),
        (lambda: theory.normalised_weight_bound(1), "n"),
        (lambda: theory.normalised_weight_bound(2, 0), "divisor"),
    ],
)
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        call()
