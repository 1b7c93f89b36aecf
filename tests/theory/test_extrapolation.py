"""Out of range: each bound tried on networks, units and lookups, which share no code with it."""

import itertools

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import torch

import sharplib
from sharplib.arithmetic import nau, nmu
from sharplib.theory import critical_size
from sharplib.theory import extrapolation as theory


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def network(rng, hidden, depth=1):
    """A random ReLU network of two inputs: a function of rows, and the first layer."""
    sizes = [2, *[hidden] * depth, 1]
    layers = [
        (rng.normal(size=(a, b)) / a**0.5, rng.normal(size=b)) for a, b in itertools.pairwise(sizes)
    ]

    def answer(x):
        for weight, bias in layers[:-1]:
            x = np.maximum(x @ weight + bias, 0)
        return (x @ layers[-1][0] + layers[-1][1])[..., 0]

    return answer, layers[0]


def test_a_network_is_affine_between_its_kinks_and_nowhere_else(rng):
    for _ in range(20):
        answer, (weight, bias) = network(rng, 12)
        start, direction = rng.normal(size=(2, 2))
        at = theory.kinks(weight.T, bias, start, direction)
        assert (np.diff(at) >= 0).all()
        ends = np.r_[at[0] - 5, at, at[-1] + 1e4]
        for low, high in itertools.pairwise(ends):
            t = np.linspace(low, high, 7)[:, None]
            y = answer(start + t * direction)
            # float64 at numbers up to 1e5
            assert np.diff(y, 2) == pytest.approx(0, abs=1e-9)
        step = 0.4 * np.diff(at).min()
        bend = np.diff(answer(start + (at[5] + step * np.array([[-1], [0], [1]])) * direction), 2)
        assert abs(bend[0]) > 1e-9 * step


def test_a_deep_network_is_affine_in_the_end_too(rng):
    for _ in range(20):
        answer, _ = network(rng, 8, depth=4)
        start, direction = rng.normal(size=(2, 2))
        y = answer(start + np.linspace(1e6, 1e7, 50)[:, None] * direction)
        assert np.diff(y, 2) == pytest.approx(0, abs=1e-9 * (1 + abs(y).max()))


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_no_straight_pieces_come_closer(pieces, rng):
    length, curvature = 3.0, 0.7
    least = float(theory.least_error(length, pieces, curvature))
    t = np.linspace(0, length, 2801)  # of every piece the ends and the middle
    curve = curvature * (t + 1.5) ** 2
    for _ in range(30):  # the best continuous function with kinks at random places
        at = np.sort(rng.uniform(0, length, pieces - 1))
        basis = np.stack([np.ones_like(t), t, *np.maximum(t - at[:, None], 0)], 1)
        found = best(basis, curve)
        # a grid of 2801 points sees the largest error of a parabola to a millionth
        assert found >= least * (1 - 1e-5)
    even = np.arange(1, pieces) * length / pieces
    basis = np.stack([np.ones_like(t), t, *np.maximum(t - even[:, None], 0)], 1)
    assert best(basis, curve) == pytest.approx(least, rel=1e-5)
    assert best(basis, curve) < least * 1.01  # one per cent tighter: broken


def best(basis, curve):
    """The smallest largest error of a combination of functions: a linear programme."""
    size = basis.shape[1]
    ones = np.ones((len(curve), 1))
    result = scipy.optimize.linprog(
        np.r_[np.zeros(size), 1],
        np.block([[basis, -ones], [-basis, -ones]]),
        np.r_[curve, -curve],
        bounds=[(None, None)] * (size + 1),
    )
    assert result.success
    return result.fun


def test_a_product_stays_between_its_ends(rng):
    for _ in range(200):
        taken, ignored = (int(k) for k in rng.integers(0, 4, 2))
        if taken + ignored == 0:
            continue
        magnitude, slack = 10 ** rng.uniform(0, 3), 10 ** rng.uniform(-4, -0.5)
        right = np.r_[np.ones(taken), np.zeros(ignored)]
        weight = np.abs(right - rng.uniform(0, slack, taken + ignored))
        x = rng.uniform(1, magnitude, (50, taken + ignored))
        said = nmu(torch.tensor(x), torch.tensor(weight[None]))[:, 0].numpy()
        low, high = theory.product_ends(magnitude, slack, taken, ignored)
        ratio = said / x[:, :taken].prod(-1)
        assert (ratio >= low * (1 - 1e-12)).all()
        assert (ratio <= high * (1 + 1e-12)).all()


def test_both_ends_of_a_product_are_attained():
    weight = torch.tensor([[0.99, 0.99, 0.01]], dtype=torch.float64)
    low, high = theory.product_ends(1000.0, 0.01, 2, 1)
    x = torch.tensor([[1000.0, 1000.0, 1.0], [1.0, 1.0, 1000.0]], dtype=torch.float64)
    said = nmu(x, weight)[:, 0] / (x[:, 0] * x[:, 1])
    assert said.tolist() == pytest.approx([float(low), float(high)], rel=1e-12)
    # one per cent less slack: both are broken
    tight_low, tight_high = theory.product_ends(1000.0, 0.0099, 2, 1)
    assert said[0] < tight_low
    assert said[1] > tight_high


def test_the_error_of_a_circuit_is_that_of_its_worst_corner(rng):
    for _ in range(50):
        count, magnitude = int(rng.integers(1, 5)), 10 ** rng.uniform(0, 4)
        weight = rng.uniform(0, 1, count)
        corners = torch.tensor(
            [*itertools.product([1, magnitude], repeat=count)], dtype=torch.float64
        )
        inner = torch.tensor(rng.uniform(1, magnitude, (100, count)))
        x = torch.cat([corners, inner])
        right = nmu(x, torch.tensor(weight.round()[None]))
        off = (nmu(x, torch.tensor(weight[None])) / right - 1).abs()[:, 0]
        expected = float(theory.circuit_error(weight, magnitude))
        # what is left of products near 1
        assert off.max().item() == pytest.approx(expected, rel=1e-9, abs=1e-13)


def test_a_sum_is_wrong_by_slack_times_its_inputs(rng):
    for _ in range(100):
        right, slack = rng.integers(-1, 2, 5), rng.uniform(0, 0.2)
        off, x = rng.uniform(-slack, slack, 5), rng.normal(size=5) * 10 ** rng.uniform(0, 3)
        said = nau(torch.tensor(x[None]), torch.tensor((right + off)[None])).item()
        assert abs(said - right @ x) <= slack * abs(x).sum() * (1 + 1e-9)
        worst = nau(torch.tensor(x[None]), torch.tensor((right + slack * np.sign(x))[None])).item()
        assert abs(worst - right @ x) == pytest.approx(slack * abs(x).sum(), rel=1e-9)


def test_a_lookup_and_a_product_share_a_line(rng):
    for size in (2, 3, 17, 1024):
        odds = 10 ** rng.uniform(-6, -0.5)
        weight = sharplib.softmax(np.r_[-np.log(odds), np.zeros(size - 1)])[0]
        line = float(theory.relative_error(size, odds))
        assert 1 / weight - 1 == pytest.approx(line, rel=1e-9)
        x = torch.tensor([[3.0, size]], dtype=torch.float64)
        said = nmu(x, torch.tensor([[1.0, odds]], dtype=torch.float64)).item()
        assert said / 3 - 1 == pytest.approx(line, rel=1e-9)


def test_rivals_nearer_than_the_odds_only_make_it_worse(rng):
    for _ in range(50):
        lead, size = rng.uniform(0.5, 8), int(rng.integers(2, 3000))
        others = -rng.uniform(0, lead, size - 1)  # all at most `lead` below the leader
        weight = sharplib.softmax(np.r_[0, others])[0]
        assert 1 / weight - 1 >= theory.relative_error(size, np.exp(-lead)) * (1 - 1e-9)


def test_the_largest_size_is_the_critical_size():
    for lead, tolerated in ((3.0, 0.01), (8.0, 0.5)):
        mine = theory.largest_size(tolerated, np.exp(-lead))
        theirs = critical_size.critical_size(lead, 1 / (1 + tolerated))
        assert float(mine) == pytest.approx(float(theirs), rel=1e-12)


@pytest.mark.parametrize("start", [0.01, 0.5, 0.95])
def test_a_sigmoid_is_late(start):
    times = np.r_[0.0, np.geomspace(0.1, 1e4, 20)]

    def flow(_, z, curvature=0.8):
        w = 1 / (1 + np.exp(-z))
        return -2 * curvature * w * w * (1 - w)

    found = scipy.integrate.solve_ivp(
        flow, (0, 1e4), [np.log(start / (1 - start))], t_eval=times, rtol=1e-10, method="LSODA"
    )
    weight = 1 / (1 + np.exp(-found.y[0]))
    least = theory.sigmoid_slack(times, start, 0.8)
    assert (weight >= least * (1 - 1e-7)).all()
    if start == 0.01:  # the slope 1 - W is left out, and W is small: within 1 %, and no tighter
        assert (weight[-1] < least[-1] * 1.01).all()


@pytest.mark.parametrize(("penalty", "curvature"), [(1.0, 1.0), (0.01, 0.3), (1e-4, 5.0)])
def test_a_clipped_weight_arrives(penalty, curvature):
    at = float(theory.clipped_arrival(0.5, penalty, curvature))
    found = scipy.integrate.solve_ivp(
        lambda _, w: -2 * curvature * w - penalty, (0, at), [0.5], rtol=1e-11, atol=1e-14
    )
    assert found.y[0, -1] == pytest.approx(0, abs=1e-9)
    early = scipy.integrate.solve_ivp(
        lambda _, w: -2 * curvature * w - penalty, (0, 0.99 * at), [0.5], rtol=1e-11
    )
    assert early.y[0, -1] > 0


def test_the_statements_are_the_functions(holds):
    for t, start in ((0.0, 0.3), (70.0, 0.9)):
        w = float(theory.sigmoid_slack(t, start, 2.0))
        assert holds(theory.arrival().conclusion, {"W": w, "c": 2.0, "t": t, "W_0": start})
        assert not holds(
            theory.arrival().conclusion, {"W": 0.999 * w, "c": 2.0, "t": t, "W_0": start}
        )
    error = float(theory.least_error(4.0, 1, 0.5))
    assert holds(theory.straight_piece().conclusion, {"E": error, "c": 0.5, "M": 4.0})
    lookup, product = (theory.slack()[k].claim.rhs for k in (1, 3))
    for line in (lookup, product):
        size, gap = sorted(line.free_symbols, key=lambda symbol: symbol.name in "rs")
        value = line.subs({size: 40, gap: 0.02})
        assert float(value) == pytest.approx(float(theory.relative_error(40, 0.02)), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: theory.kinks([[np.nan, 1]], [0.0], [0.0, 0.0], [1.0, 1.0]), "weight"),
        (lambda: theory.least_error(-1.0), "length"),
        (lambda: theory.least_error(1.0, 0), "pieces"),
        (lambda: theory.least_error(1.0, 1, -1.0), "curvature"),
        (lambda: theory.product_ends(0.5, 0.1, 1, 1), "magnitude"),
        (lambda: theory.product_ends(2.0, 1.0, 1, 1), "slack"),
        (lambda: theory.product_ends(2.0, 0.1, -1, 1), "taken"),
        (lambda: theory.product_ends(2.0, 0.1, 1, -1), "ignored"),
        (lambda: theory.circuit_error([0.5, 1.1], 2.0), "weight"),
        (lambda: theory.circuit_error([[0.5]], 2.0), "weight"),
        (lambda: theory.circuit_error([0.5], 0.9), "magnitude"),
        (lambda: theory.relative_error(0, 0.1), "size"),
        (lambda: theory.largest_size(-1, 0.1), "tolerated"),
        (lambda: theory.largest_size(1, 0.0), "slack"),
        (lambda: theory.sigmoid_slack(-1.0, 0.5), "time"),
        (lambda: theory.sigmoid_slack(1.0, 1.0), "start"),
        (lambda: theory.clipped_arrival(0.5, 0.0), "penalty"),
        (lambda: theory.clipped_arrival(0.5, 1.0, 0.0), "curvature"),
    ],
)
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        call()
