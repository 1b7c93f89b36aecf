"""Sparsity by dial: each statement tried on rows that `sharplib.rsoftmax` maps, and at its edge.

The theory shares no code with the mapping.
"""

import math

import numpy as np
import pytest
import scipy.integrate
import sympy
import torch

import sharplib
from sharplib.theory import dial as theory


@pytest.fixture
def rng():
    return np.random.default_rng(11)


# --- the number of zeros --------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 7, 40, 1000])
def test_zeros_are_counted(n, rng):
    for rate in (0.01, 0.3, 0.5, 0.77, 0.99):
        p = sharplib.rsoftmax(rng.standard_normal(n), rate)
        assert (p == 0).sum() == theory.zeros(rate, n)


@pytest.mark.parametrize("n", [2, 3, 10, 101, 5000])
def test_the_rate_for_a_count_keeps_that_count(n, rng):
    x = rng.standard_normal(n)
    for kept in {1, 2, n // 2, n - 1} - {0, n}:
        rate = float(theory.rate_for(kept, n))
        p = sharplib.rsoftmax(x, rate)
        assert set(np.flatnonzero(p)) == set(np.argsort(x)[n - kept :])
        assert theory.zeros(rate, n) == n - kept


def test_the_proof_of_the_count_in_numbers():
    h, whole, zeros, kept = (step.claim for step in theory.keeps_the_count())
    for n, c in ((5, 1), (5, 4), (31, 12)):
        at = {theory.n: n, theory.c: c}
        rank = sympy.Rational(n - c, n) * (n - 1)
        assert h.rhs.subs(at) == rank
        assert whole.rhs.subs(at) == math.floor(rank)
        assert zeros.rhs.subs(at) + kept.rhs.subs(at) == n


# --- both derivatives -----------------------------------------------------------------------------


def printed(x, threshold, coefficients):
    """The Jacobian as the proof states it."""
    p_i, p_j, g_i, g_j, c_j, G, same = sympy.symbols("p_i p_j g_i g_j c_j G same")
    claim = theory.derivative().conclusion.rhs
    names = {"p[i]": p_i, "p[j]": p_j, "g[i]": g_i, "g[j]": g_j, "c[j]": c_j}
    swap = {a: names[str(a)] for a in claim.atoms(sympy.Indexed)}
    swap |= dict.fromkeys(claim.atoms(sympy.KroneckerDelta), same)
    swap |= {a: G for a in claim.free_symbols if str(a) == "G"}
    law = sympy.lambdify((p_i, p_j, g_i, g_j, c_j, G, same), claim.subs(swap), "numpy")
    mass = np.maximum(x - threshold, 0) * np.exp(x)
    p, g = mass / mass.sum(), (x > threshold) * np.exp(x) / mass.sum()
    rows, columns = np.indices((len(x), len(x)))
    return law(
        p[rows], p[columns], g[rows], g[columns], coefficients[columns], g.sum(), np.eye(len(x))
    )


@pytest.mark.parametrize("detached", [False, True])
def test_the_formula_is_the_derivative(detached, rng):
    for rate in (0.1, 0.37, 0.5, 0.9):
        x = rng.standard_normal(9)
        order, rank = x.argsort(), rate * 8
        low = math.floor(rank)
        coefficients = np.zeros(9)
        if detached:
            coefficients[order[-1]] = 1
        else:
            coefficients[order[low : low + 2]] = [1 - rank + low, rank - low]
        found = torch.func.jacrev(
            lambda v, r=rate: sharplib.rsoftmax(v, r, detach_quantile=detached)
        )(torch.tensor(x))
        # Some roundings of entries of order 10.
        np.testing.assert_allclose(
            found, printed(x, np.quantile(x, rate), coefficients), atol=1e-11
        )


def test_the_two_derivatives_differ_by_rank_one(rng):
    x = torch.tensor(rng.standard_normal(12))
    true, theirs = (
        torch.func.jacrev(lambda v, d=d: sharplib.rsoftmax(v, 0.43, detach_quantile=d))(x)
        for d in (False, True)
    )
    singular = torch.linalg.svdvals(true - theirs)
    assert singular[0] > 0.01
    assert singular[1] < 1e-12 * singular[0] + 1e-15
    # An item without weight moves the others through the quantile, by the true derivative alone.
    silent = sharplib.rsoftmax(x, 0.43) == 0
    assert (theirs[:, silent] == 0).all()
    assert (true[:, silent] != 0).any(0).sum() == 1


# --- where it jumps -------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "kept"), [(5, 1), (5, 3), (12, 4)])
def test_it_jumps_where_one_more_than_it_keeps_share_the_top(n, kept, rng):
    rate = float(theory.rate_for(kept, n))
    tied = np.r_[np.zeros(kept + 1), -1 - rng.random(n - kept - 1)]
    push = np.r_[np.arange(kept + 1.0), np.zeros(n - kept - 1)]
    other = np.r_[push[: kept + 1][::-1], np.zeros(n - kept - 1)]
    for size in (1e-3, 1e-6, 1e-9):
        jump = sharplib.rsoftmax(tied + size * push, rate) - sharplib.rsoftmax(
            tied + size * other, rate
        )
        # The first item is left out on one way, and has the largest ramp on the other.
        assert abs(jump[0]) > 1 / kept - 1e-3


@pytest.mark.parametrize(("n", "kept"), [(5, 2), (5, 4), (12, 4)])
def test_it_does_not_jump_where_fewer_do(n, kept, rng):
    """Ties at the edge and at the top: as long as the quantile is below the maximum."""
    rate = float(theory.rate_for(kept, n))
    top = np.r_[np.ones(kept), rng.random(n - kept) - 1]
    edge = np.r_[np.linspace(2, 1, kept - 1), 0, 0, -1 - rng.random(n - kept - 1)]
    for row in (top, edge):
        for size in (1e-4, 1e-8):
            moved = [sharplib.rsoftmax(row + size * rng.uniform(-1, 1, n), rate) for _ in range(9)]
            # The slope is of order n / (maximum - quantile): some ten here.
            assert np.ptp(moved, axis=0).max() < 300 * size


def test_a_distance_to_the_top_never_jumps(rng):
    for row in (np.zeros(5), np.r_[np.ones(3), -1, -2]):
        moved = [sharplib.tsoftmax(row + 1e-8 * rng.uniform(-1, 1, 5), 0.5) for _ in range(20)]
        assert np.ptp(moved, axis=0).max() < 1e-6  # a slope of order 1 + 1/t


def test_the_nearer_to_the_tie_the_steeper():
    def steepest(size):
        x = size * torch.tensor([3.0, 2.0, 0.0, -1.0], dtype=torch.float64)
        slope = torch.func.jacrev(lambda v: sharplib.rsoftmax(v, 0.5))(x)
        return float(torch.linalg.matrix_norm(slope, 2))

    # The shape alone decides on the weights, so that the slope is 1 over the size.
    assert steepest(1e-4) / steepest(1e-3) == pytest.approx(10, rel=1e-2)


# --- temperature ----------------------------------------------------------------------------------


def test_hot_rows_tend_to_the_ramp(rng):
    for rate in (0.2, 0.5, 0.83):
        x = rng.standard_normal(7)
        hot = theory.hot_weights(x, rate)
        for T in (1e3, 1e6):
            # exp(x/T) is 1 up to the range of the scores, 5, over T.
            np.testing.assert_allclose(sharplib.rsoftmax(x / T, rate), hot, atol=10 / T)
        assert ((hot == 0) == (sharplib.rsoftmax(x, rate) == 0)).all()
        assert hot.max() > 1.01 * hot[hot > 0].mean()  # not uniform, by more than one per cent


def test_hot_statement_and_function_agree():
    x1, x2, q = sympy.symbols("x1 x2 q", real=True)
    claim = theory.hot().conclusion.rhs
    row = [0.7, 0.3, -1.0, -2.0]
    at = {x1: 0.7, x2: 0.3, q: float(np.quantile(row, 0.5))}
    assert float(claim.subs(at)) == pytest.approx(theory.hot_weights(row, 0.5)[0], rel=1e-14)


# --- what a lead keeps, what a crowd takes --------------------------------------------------------


def test_a_leader_never_has_less(rng):
    for _ in range(300):
        n = int(rng.integers(3, 400))
        kept, spread = int(rng.integers(1, n)), rng.uniform(0.1, 8)
        lead = spread * rng.uniform(0.01, 1)
        others = (spread - lead) * rng.random(n - 1) ** rng.choice([0.1, 1, 10])
        row = np.r_[spread, others]
        p = sharplib.rsoftmax(row, float(theory.rate_for(kept, n)))
        assert p[0] >= theory.least_leader_weight(lead, spread, kept) * (1 - 1e-12)


@pytest.mark.parametrize(("n", "kept"), [(5, 3), (101, 51), (1001, 101)])
def test_the_least_weight_of_a_leader_is_attained(n, kept):
    lead, spread = 1.5, 4.0
    row = np.r_[spread, np.full(kept - 1, spread - lead), np.zeros(n - kept)]
    # A whole rank, so that the quantile is one of the smallest scores itself.
    p = sharplib.rsoftmax(row, (n - kept - 1) / (n - 1))
    least = float(theory.least_leader_weight(lead, spread, kept))
    assert p[0] == pytest.approx(least, rel=1e-9)
    assert p[0] < 1.01 * least  # one per cent tighter: broken


def test_no_upper_end_below_one():
    for n in (10, 10_000):
        assert sharplib.rsoftmax(np.r_[1e-3, np.zeros(n - 1)], 0.5)[0] == 1


def test_softmax_is_worse_by_a_constant_at_a_fixed_rate():
    n = np.array([10, 1000, 100_000])
    dial = theory.least_leader_weight(2.0, 4.0, n / 2)
    row = 1 / (1 + (n - 1) * np.exp(-2.0))
    gain = dial / row
    assert gain[-1] == pytest.approx(1 / (0.5 * 0.5), rel=1e-3)
    assert (gain < 4).all()


@pytest.mark.parametrize("rate", [0.3, 0.5, 0.9])
@pytest.mark.parametrize(("n", "sharpness"), [(20_000, 30.0), (20_000, 3.0), (5_000, 0.2)])
def test_a_crowd(n, sharpness, rate):
    row = sharpness * (np.arange(n) + 0.5) / n
    found = sharplib.rsoftmax(row, rate).max()
    law = float(theory.crowd_weight(n, sharpness, rate))
    # A sum over steps of B/n in place of an integral over d and over 1, whichever is shorter.
    step = sharpness / n / min(1.0, (1 - rate) * sharpness)
    assert found == pytest.approx(law, rel=2 * step)
    assert abs(found / law - 1) < 0.01


def test_the_statement_on_the_crowd_in_numbers():
    depth, total, weight = (step.claim.rhs for step in theory.crowd())
    at = {theory.B: 7.0, theory.r: 0.6, theory.n: 900}
    d = float(depth.subs(at))
    by_hand = scipy.integrate.quad(lambda t: (d - t) * math.exp(-t) * 900 / 7, 0, d)[0]
    assert float(total.subs({**at, theory.d: d})) == pytest.approx(by_hand, rel=1e-12)
    law = float(weight.subs({**at, theory.d: d}))
    assert law == pytest.approx(float(theory.crowd_weight(900, 7.0, 0.6)), rel=1e-12)
    assert law == pytest.approx(d / by_hand, rel=1e-12)


def test_statement_and_function_of_the_lead_agree():
    end = theory.lead_keeps().conclusion.rhs
    at = {theory.lead: 0.8, theory.B: 3, theory.k: 20}
    assert float(end.subs(at)) == pytest.approx(
        float(theory.least_leader_weight(0.8, 3.0, 20)), rel=1e-14
    )


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: theory.zeros(0.0, 5), "rate"),
        (lambda: theory.zeros(1.0, 5), "rate"),
        (lambda: theory.zeros(0.5, 1), "n"),
        (lambda: theory.zeros(0.5, 2.5), "n"),
        (lambda: theory.rate_for(0, 5), "kept"),
        (lambda: theory.rate_for(5, 5), "kept"),
        (lambda: theory.hot_weights([1.0], 0.5), "scores"),
        (lambda: theory.hot_weights([1.0, 1.0, 1.0], 0.5), "scores"),
        (lambda: theory.hot_weights([1.0, 2.0], 1.5), "rate"),
        (lambda: theory.least_leader_weight(3.0, 2.0, 4), "lead"),
        (lambda: theory.least_leader_weight(0.0, 2.0, 4), "lead"),
        (lambda: theory.least_leader_weight(1.0, 2.0, 0), "kept"),
        (lambda: theory.crowd_weight(1, 1.0, 0.5), "n"),
        (lambda: theory.crowd_weight(5, 0.0, 0.5), "sharpness"),
    ],
)
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ValueError, match=f"^{name} must "):
        call()
