"""Noise that cancels: each statement against integrals, random batches, and many trained starts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import scipy.integrate
import sympy
import torch

from sharplib.arithmetic import nmu, snmu
from sharplib.studies import reversible_noise
from sharplib.studies._record import read
from sharplib.theory import multiplication
from sharplib.theory import reversible_noise as theory

RESULTS = Path(__file__).resolve().parents[2] / "results"
TRAPS = [(-1.2, -1.1), (-2.0, -1.0), (-20.0, -10.0), (-2.5, 0.5)]
NOISES = [(1.0, 5.0), (0.2, 1.8), (3.0, 3.0), (1.0, 35.6)]


@pytest.fixture
def rng():
    return np.random.default_rng(7)


# --- The shifted weight ---------------------------------------------------------------------------


def test_a_noisy_unit_is_a_plain_one_with_shifted_weights(rng):
    x, weight, noise = rng.normal(size=(9, 3)), rng.random(3), rng.uniform(0.01, 40, (9, 3))
    noisy = snmu(*(torch.from_numpy(a) for a in (x, weight[None], noise)))
    rows = [
        nmu(torch.from_numpy(x[[b]]), torch.from_numpy(theory.shifted(weight, noise[b])[None]))
        for b in range(9)
    ]
    torch.testing.assert_close(noisy, torch.cat(rows), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("noise", [*NOISES, (1e-3, 1e3)])
def test_moments_are_integrals(noise):
    """Also near weight 0 and width 0, where the closed form divides by nearly nothing."""
    low, high = noise
    for w in (0.0, 1e-12, 1e-5, 0.1, 0.5, 0.999, 1.0):
        mean, variance = theory.shifted_moments(w, noise)
        if low == high:
            want, spread = float(theory.shifted(w, low)), 0.0
        else:
            # in ln N, where a weight is a smooth step
            ends = {"a": np.log(low), "b": np.log(high), "epsabs": 1e-13, "limit": 200}

            def average(f, w=w, ends=ends):
                inner = lambda t: f(float(theory.shifted(w, np.exp(t)))) * np.exp(t)  # noqa: E731
                return scipy.integrate.quad(inner, **ends)[0] / (high - low)

            want = average(lambda v: v)
            spread = average(lambda v, want=want: (v - want) ** 2)
        # 1 - (1 - w) E[1/D] is a difference of numbers near 1
        assert float(mean) == pytest.approx(want, abs=1e-12)
        assert float(variance) == pytest.approx(spread, abs=1e-12)


def test_the_statement_is_the_function():
    proof = theory.mean_and_square()
    W = theory.W
    symbols = {s.name: s for s in proof[0].claim.rhs.free_symbols | proof[1].claim.rhs.free_symbols}
    w, low, high = 0.3, 0.5, 4.0
    at = {W: w, symbols["l"]: low, symbols["u"]: high}
    at |= {symbols["D_l"]: 1 - w + w * low, symbols["D_u"]: 1 - w + w * high}
    first, second = (float(proof[k].claim.rhs.subs(at)) for k in (0, 1))
    mean, variance = theory.shifted_moments(w, (low, high))
    assert 1 - 0.7 * first == pytest.approx(float(mean), rel=1e-12)
    square = 1 - 2 * 0.7 * first + 0.7**2 * second
    assert square == pytest.approx(float(variance + mean**2), rel=1e-12)


def test_no_noise_keeps_the_mean(rng):
    """Random laws of noise of mean 1, and the one without spread."""
    w = np.linspace(0.02, 0.98, 49)
    for _ in range(50):
        draws = rng.gamma(rng.uniform(0.3, 30), size=2000)
        draws /= draws.mean()
        moved = theory.shifted(w[:, None], draws).mean(-1) - w
        assert (moved < 0).all()  # of mean 1: weights are pulled down
    assert theory.shifted(w, 1.0) == pytest.approx(w, rel=1e-12)


# --- The trap -------------------------------------------------------------------------------------


def test_the_trap_is_where_the_error_rises_from_the_corner(rng):
    sign = sympy.lambdify((theory.mu, theory.v), theory.trap().conclusion.lhs)
    trapped = 0
    for _ in range(100):
        low, high = np.sort(rng.uniform(-3, 1, 2))
        mean, square = multiplication.moments(low, high)
        value = sign(mean, square - mean**2)
        if abs(value) < 1e-3:
            continue  # too near the edge for a step of 1e-5
        rises = multiplication.error(1e-5, 0.0, low, high) > multiplication.error(0, 0, low, high)
        assert rises == (value < 0) == multiplication.corner_traps(low, high)
        trapped += int(rises)
    assert 20 < trapped < 80


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("ends", [*TRAPS, (1.0, 2.0), (-0.2, -0.1)])
def test_noise_multiplies_the_slope_at_the_corner_by_its_mean(ends, noise):
    step = 1e-6

    def slope(noise):
        at = multiplication.error(step, 0.0, *ends, noise)
        return float(at - multiplication.error(0.0, 0.0, *ends, noise)) / step

    # The second derivative is below 1e4 here, times the step.
    assert slope(noise) == pytest.approx(np.mean(noise) * slope(None), rel=1e-3, abs=1e-3)
    assert (slope(noise) > 0) == multiplication.corner_traps(*ends)


# --- Its border -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", [-1.02, -1.15, -1.5, -2.5])
def test_the_border_of_a_narrow_range(mean, rng):
    """Euler's steps down the slope, kept in [0, 1], from both sides of the border."""
    where = float(theory.border().conclusion.rhs.subs(theory.mu, mean))
    starts = rng.random((400, 2))
    apart = starts.sum(-1) - where
    starts = starts[np.abs(apart) > 0.002]  # Euler's steps are short, not endless
    w = starts.copy()
    for _ in range(20_000):
        f = 1 - (1 - mean) * w
        slope = -2 * (f.prod(-1, keepdims=True) - mean**2) * f[:, ::-1] * (1 - mean)
        w = np.clip(w - 0.01 / (1 - mean) ** 4 * slope, 0, 1)
    # A corner without slope is reached in the limit only.
    assert np.abs(w - (starts.sum(-1) > where)[:, None]).max() < 0.02


@pytest.mark.parametrize("mean", [-0.3, -0.38, -0.6, -0.9, -1.02, -1.15, -1.5, -2.5, -3.5])
def test_the_rate_of_a_narrow_range(mean, rng):
    starts = rng.uniform(0.25, 0.75, (4000, 2))
    # In a valley it is the width of the range that takes weights to the middle, slowly.
    width, steps = (1e-3, 1500) if mean < -1 else (0.05, 6000)
    ends = multiplication.descend(starts, mean - width, mean + width, steps=steps, rate=2e-3)
    failed = (ends < 0.5).any(-1).mean()
    rate = float(theory.narrow_failure_rate(mean))
    # four standard errors of a share of 4,000; the width of 0.05 moves the border by a hundredth
    assert failed == pytest.approx(rate, abs=4 * np.sqrt(rate / 4000) + 0.4 * width + 1e-3)


def test_the_valley_fits(rng):
    where = sympy.lambdify(theory.mu, theory.valley()[1].claim.rhs)
    for mean in rng.uniform(-1, 0, 20):
        w = where(mean)
        assert multiplication.error(w, w, mean, mean) == pytest.approx(0, abs=1e-14)
        assert (w < 0.5) == (mean < theory.valley().conclusion.rhs)


@pytest.mark.parametrize("ends", TRAPS)
@pytest.mark.parametrize("noise", [None, *NOISES])
def test_the_predicted_rate_is_that_of_adam(ends, noise):
    """Straight on from the saddle is an estimate: within three points here, grid included."""
    one = 0.25 + 0.5 * (np.arange(20) + 0.5) / 20
    starts = np.stack(np.meshgrid(one, one, indexing="ij"), -1)
    found = multiplication.descend(starts, *ends, noise, steps=1500, rate=4e-3)
    failed = (found < 0.5).any(-1).mean()
    assert theory.predicted_failure_rate(*ends, noise) == pytest.approx(failed, abs=0.03)


def test_rest_points_are_roots_of_the_statement():
    for ends in [*TRAPS, (-0.2, -0.1), (1.0, 2.0), (-2.0, 2.0)]:
        mean, square = multiplication.moments(*ends)
        slope = theory.diagonal().subs({theory.mu: mean, theory.v: square - mean**2})
        roots = [complex(r) for r in sympy.Poly(slope, theory.W).nroots(n=15)]
        want = sorted(r.real for r in roots if abs(r.imag) < 1e-9 and 0 < r.real < 1 - 1e-9)
        assert theory.rest_points(*ends) == pytest.approx(want, abs=1e-9)
        assert (len(want) == 1) == multiplication.corner_traps(*ends)


@pytest.mark.parametrize("noise", ["none", "always 3", "0.2 to 1.8", "0.1 to 0.5", "1 to 2"])
def test_the_predicted_rate_is_that_of_trained_units(noise):
    """Every range of the full-size study: 100 units each."""
    stored = read(RESULTS, "reversible-noise", "paper").table.query("measure == 'right'")
    failed = 1 - stored[stored.noise == noise].groupby(["low", "high"]).value.mean()
    assert len(failed) >= 20
    for ends, rate in failed.items():
        predicted = theory.predicted_failure_rate(*ends, reversible_noise.NOISE[noise])
        # four standard errors of a share of 100, and three points for going straight on
        error = 4 * np.sqrt(predicted * (1 - predicted) / 100) + 0.03
        assert rate == pytest.approx(predicted, abs=error), ends


def test_hills_and_dales_take_turns():
    w = np.linspace(0, 1, 501)
    level = multiplication.error(w, w, -0.2, -0.1)
    dale, hill = theory.rest_points(-0.2, -0.1)
    assert (np.diff(level[w < dale]) < 0).all()
    assert (np.diff(level[(w > dale) & (w < hill)]) > 0).all()
    assert (np.diff(level[w > hill]) < 0).all()


def test_wide_noise_takes_the_dale_away():
    for noise, there in (((3.0, 3.0), 2), ((1.0, 5.0), 2), ((0.2, 1.8), 0), ((1.0, 35.6), 0)):
        assert theory.rest_points(-0.2, -0.1, noise).size == there
    ends = multiplication.descend([0.4, 0.6], -0.2, -0.1, (1.0, 35.6), steps=8000, rate=4e-3)
    assert ends == pytest.approx(1, abs=1e-6)


# --- What is sure ---------------------------------------------------------------------------------


def train(w, low, high, noise, rng, steps=150):
    """Torch's Adam on batches of one to four, at random or from the worst ends of the range."""
    weights = torch.nn.Parameter(torch.tensor(w, dtype=torch.float64)[None])
    optimiser = torch.optim.Adam([weights], lr=0.01)
    path = [weights.detach().clone()[0]]
    for _ in range(steps):
        size = (int(rng.integers(1, 5)), 2)
        x = rng.choice([low, high], size) if rng.random() < 0.5 else rng.uniform(low, high, size)
        n = rng.choice(noise, size) if rng.random() < 0.5 else rng.uniform(*noise, size)
        x, n = torch.from_numpy(x), torch.from_numpy(n)
        optimiser.zero_grad()
        (snmu(x, weights, n)[:, 0] - x.prod(-1)).square().mean().backward()
        optimiser.step()
        with torch.no_grad():
            weights.clamp_(0, 1)
        path.append(weights.detach().clone()[0])
    return torch.stack(path).numpy()


@pytest.mark.parametrize("noise", [(1.0, 1.0), (1.0, 5.0), (0.2, 1.8)])
@pytest.mark.parametrize("ends", [(-1.2, -1.1), (-2.0, -1.0), (-0.2, -0.1)])
def test_what_is_sure_happens_with_any_batches(ends, noise, rng):
    lost, safe = theory.sure_weights(*ends, noise)
    for _ in range(2):
        path = train(rng.uniform(safe, 1, 2), *ends, noise, rng)
        assert all((later >= earlier).all() for earlier, later in pairwise(path))
        if lost:
            path = train(rng.uniform(0, lost, 2), *ends, noise, rng)
            assert all((later <= earlier).all() for earlier, later in pairwise(path))


@pytest.mark.parametrize("ends", [(-1.2, -1.1), (-2.0, -1.0), (-20.0, -10.0)])
def test_what_is_sure_is_so_up_to_its_edge(ends):
    """One per cent of the odds further on, some batch goes the other way."""

    def slope(w, x):
        at = torch.full((1, 2), w, dtype=torch.float64, requires_grad=True)
        x = torch.full((1, 2), x, dtype=torch.float64)
        (nmu(x, at)[0, 0] - x.prod()).square().backward()
        return float(at.grad[0, 0])

    lost, safe = theory.sure_weights(*ends)
    for w, x, odds, sign in ((safe, ends[1], 0.99, 1), (lost, ends[0], 1.01, -1)):
        beyond = w * odds / (1 - w + w * odds)
        assert sign * slope(beyond, x) > 0
        assert sign * slope(w * odds**-1 / (1 - w + w / odds), x) < 0


@pytest.mark.parametrize("noise", [None, (1.0, 5.0), (0.1, 0.5), (3.0, 3.0)])
@pytest.mark.parametrize("ends", [(-1.2, -1.1), (-2.0, -1.0), (-20.0, -10.0)])
def test_rates_lie_between_the_sure_ones(ends, noise):
    least, most = theory.sure_failure_rates(*ends, noise)
    assert least <= theory.predicted_failure_rate(*ends, noise) <= most


def test_a_push_of_three_saves_all():
    assert theory.sure_failure_rates(-1.2, -1.0, (3.0, 9.0)) == (0.0, 0.0)
    assert theory.sure_failure_rates(-1.2, -1.0, (2.97, 9.0))[1] > 0
    # and without any randomness a little less does not
    assert theory.predicted_failure_rate(-1.001, -1.0, (2.9, 2.9)) > 0
    assert theory.predicted_failure_rate(-1.001, -1.0, (3.0, 3.0)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.shifted(-0.1, 1.0), "weight must be"),
        (lambda: theory.shifted(0.1, 0.0), "noise must be"),
        (lambda: theory.shifted_moments(0.5, (2.0, 1.0)), "noise must be a pair"),
        (lambda: theory.rest_points(-2, -1, (0.0, 1.0)), "noise must be a pair"),
        (lambda: theory.sure_weights(-1.0, 0.0), "high must be below 0, got 0.0"),
        (lambda: theory.sure_weights(-1.0, -2.0), "low must be at most high"),
        (lambda: theory.narrow_failure_rate(np.nan), "mean must be"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
