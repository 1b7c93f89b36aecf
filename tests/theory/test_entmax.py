"""Exact zeros: each statement tried on rows that `sharplib.entmax` maps, each constant at its edge.

The theory shares no code with the mapping; the threshold form itself is tried against an optimiser.
"""

import numpy as np
import pytest
import scipy.optimize
import sympy
import torch

import sharplib
from sharplib import losses
from sharplib.theory import entmax as theory

ALPHAS = [1.1, 1.25, 1.5, 2.0, 3.0]
# entmax solves its sum to a few roundings; the exponent 1/(alpha - 1) = 10 multiplies them.
EXACT = {"rel": 1e-12, "abs": 1e-15}


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def row_with_lead(rng, lead, n):
    """Scores of which the first leads the best other by `lead`."""
    others = rng.normal(size=n - 1) * rng.choice([0.01, 0.3, 3.0])
    return np.concatenate([[others.max() + lead], others])


@pytest.mark.parametrize("alpha", [1.25, 1.5, 2.0, 3.0])
def test_the_threshold_form_is_what_an_optimiser_finds(alpha, rng):
    power, tau, a = theory.threshold_form().conclusion.rhs, theory.tau, theory.alpha
    (x,) = power.free_symbols - {tau, a}
    weight = sympy.lambdify((x, tau), power.subs(a, sympy.Rational(alpha)), "numpy")
    scores = rng.normal(size=5)

    def total(level):
        above = (alpha - 1) * scores > level
        return weight(scores[above], level).sum() - 1

    top = (alpha - 1) * scores.max()
    level = scipy.optimize.brentq(total, top - 1, top - 1e-9)
    found = np.zeros(5)
    above = (alpha - 1) * scores > level
    found[above] = weight(scores[above], level)

    def loss(p):
        p = np.clip(p, 0, None)
        return -(p @ scores) - (p - p**alpha).sum() / (alpha * (alpha - 1))

    best = scipy.optimize.minimize(
        loss,
        np.full(5, 0.2),
        bounds=[(0, 1)] * 5,
        constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    # The optimiser is at the maximum to about the root of its tolerance.
    assert best.x == pytest.approx(found, abs=2e-5)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_nothing_out_of_reach_has_weight(alpha, rng):
    reach = theory.reach(alpha)
    for n in (2, 5, 40):
        x = row_with_lead(rng, 0.0, n)
        p = sharplib.entmax(x, alpha)
        assert (p[x <= x.max() - reach] == 0).all()
    # Tight: one competitor just inside the reach has some weight.
    assert sharplib.entmax(np.array([reach * 0.99, 0.0]), alpha)[1] > 0
    assert sharplib.entmax(np.array([reach * 1.0001, 0.0]), alpha)[1] == 0


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_leader_stays_between_its_ends(alpha, rng):
    for _ in range(100):
        lead, n = rng.uniform(0, 1.2) / (alpha - 1), int(rng.integers(2, 2000))
        kept = sharplib.entmax(row_with_lead(rng, lead, n), alpha)[0]
        assert kept >= theory.least_leader_weight(lead, alpha) * (1 - 1e-12)
        level = sharplib.entmax(np.r_[lead, np.zeros(n - 1)], alpha)[0]
        assert level <= theory.most_leader_weight(lead, n, alpha) * (1 + 1e-12)
        assert level <= kept * (1 + 1e-12)  # level others are the worst


@pytest.mark.parametrize("alpha", [1.5, 2.0, 3.0])
def test_the_least_weight_is_the_limit(alpha):
    lead = 0.5 / (alpha - 1)
    level = sharplib.entmax(np.r_[lead, np.zeros(10**6)], alpha)[0]
    # n^(1 - alpha) is left over in the bracket: 1e-3 at alpha = 1.5.
    assert level == pytest.approx(float(theory.least_leader_weight(lead, alpha)), rel=5e-3)
    assert level < theory.least_leader_weight(lead, alpha) * 1.01  # one per cent tighter: broken


def test_softmax_is_the_end_where_nothing_is_kept():
    kept = theory.least_leader_weight(0.5, [1.5, 1.2, 1.1, 1.05, 1.02])
    assert (np.diff(kept) < 0).all()
    assert kept[-1] < 1e-80


@pytest.mark.parametrize("alpha", [1.25, 1.5, 2.0, 3.0])
@pytest.mark.parametrize(("n", "sharpness"), [(20_000, 100.0), (5_000, 3.0)])
def test_a_crowd(alpha, n, sharpness):
    x = sharpness * (np.arange(n) + 0.5) / n
    p = sharplib.entmax(x, alpha)
    # The sum over n/B items a unit is replaced by an integral of as many steps as the support.
    # The top stands half a step low, and its weight is a power 1/(alpha - 1) of its height.
    support = theory.crowd_support(n, sharpness, alpha)
    error = (1 + 0.5 / (alpha - 1)) / float(support)
    assert p.max() == pytest.approx(float(theory.crowd_weight(n, sharpness, alpha)), rel=error)
    assert (p > 0).sum() == pytest.approx(float(support), rel=error)


def test_the_crowd_of_softmax():
    x = 100 * (np.arange(20_000) + 0.5) / 20_000
    # The first step is B/n = 0.005 wide, and the top stands in its middle.
    assert sharplib.softmax(x).max() == pytest.approx(
        float(theory.crowd_weight(20_000, 100, 1)), rel=0.005
    )


@pytest.mark.parametrize("alpha", [1.1, 1.5, 2.0])
def test_weights_never_move_faster_than_scores(alpha, rng):
    for _ in range(20):
        x = torch.tensor(rng.normal(size=6) * rng.choice([0.1, 1, 3]))
        slope = torch.func.jacrev(lambda z: sharplib.entmax(z, alpha))(x).numpy()
        p = sharplib.entmax(x, alpha).numpy()
        u = np.where(p > 0, np.where(p > 0, p, 1) ** (2 - alpha), 0)
        assert slope == pytest.approx(np.diag(u) - np.outer(u, u) / u.sum(), abs=1e-9)
        assert np.linalg.norm(slope, 2) <= 1 + 1e-9


def test_above_two_they_do():
    # Two items, the second with a weight near 0: u = p^(2 - alpha) has no bound.
    x = torch.tensor([1 / 3 - 1e-4, 0.0], dtype=torch.float64)
    slope = torch.func.jacrev(lambda z: sharplib.entmax(z, 4.0))(x)
    assert float(torch.linalg.matrix_norm(slope, 2)) > 1.05


@pytest.mark.parametrize("alpha", [1.25, 1.5, 2.0, 3.0])
def test_the_margin_of_the_loss(alpha, rng):
    margin = float(theory.reach(alpha))
    for lead, zero in ((margin * 1.001, True), (margin * 0.9, False)):
        x = row_with_lead(rng, lead, 7)
        loss = losses.entmax_loss(x, np.array(0), alpha)
        assert (abs(float(loss)) < 1e-12) == zero


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("leaders", [1, 3])
def test_the_temperature_at_which_it_hardens(alpha, leaders):
    x = np.array([2.0] * leaders + [1.3, 0.5, -1.0])
    at = float(theory.hardening_temperature(0.7, alpha, leaders))
    hard = np.array([1 / leaders] * leaders + [0.0] * 3)
    assert sharplib.entmax(x / (0.999 * at), alpha) == pytest.approx(hard, **EXACT)
    assert sharplib.entmax(x / (1.01 * at), alpha)[leaders] > 0


def test_statements_and_functions_agree():
    P, a, n = sympy.Symbol("P", positive=True), theory.alpha, theory.n
    lower, upper = theory.leader_keeps().conclusion.args
    ends = {lower.lhs, upper.rhs, lower.rhs, upper.lhs} - {P}
    values = {a: 1.4, theory.lead: 0.8, n: 50}
    numbers = sorted(float(end.subs(values)) for end in ends)
    assert numbers == pytest.approx(
        [theory.least_leader_weight(0.8, 1.4), theory.most_leader_weight(0.8, 50, 1.4)], rel=1e-12
    )
    weight = theory.crowd()[2].claim.rhs
    assert float(weight.subs({a: 1.4, theory.B: 30, n: 5000})) == pytest.approx(
        float(theory.crowd_weight(5000, 30, 1.4)), rel=1e-12
    )
    assert theory.zero_loss().conclusion.rhs.subs(a, 1.4) == pytest.approx(
        float(theory.reach(1.4)), rel=1e-12
    )


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: theory.reach(1.0), "alpha"),
        (lambda: theory.least_leader_weight(-0.1, 2.0), "lead"),
        (lambda: theory.most_leader_weight(0.1, 0, 2.0), "n"),
        (lambda: theory.crowd_weight(10, 0.0, 2.0), "sharpness"),
        (lambda: theory.crowd_support(10, 1.0, 0.9), "alpha"),
        (lambda: theory.hardening_temperature(0.0, 2.0), "gap"),
        (lambda: theory.hardening_temperature(1.0, 2.0, 0), "leaders"),
    ],
)
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        call()
