"""The surface of the multiplication unit: against integrals, torch's Adam, and trained models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sharplib.studies import single_module
from sharplib.studies._record import read
from sharplib.theory import multiplication
from sharplib.theory.multiplication import (
    W1,
    W2,
    batch_noise,
    corner_slope,
    corner_traps,
    descend,
    error,
    expected_error,
    failure_rate,
    flip,
    m2,
    moments,
    mu,
)

RANGES = [(numbers.low, numbers.high) for numbers in single_module.RANGES]
RESULTS = Path(__file__).resolve().parents[2] / "results"


def integrate(weights, low, high, noise=None, nodes=12):
    """The error as a sum over a grid of both inputs and the noise of both, from its definition."""
    at, share = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(nodes))
    x = (low + high) / 2 + (high - low) / 2 * at
    ends = noise or (1.0, 1.0)
    n = (ends[0] + ends[1]) / 2 + (ends[1] - ends[0]) / 2 * at
    # a factor for every input (first axis) and every noise (second)
    one, two = ((w * n * x[:, None] + 1 - w) / (w * n + 1 - w) for w in weights)
    square = (one[:, :, None, None] * two - x[:, None, None, None] * x[:, None]) ** 2
    for _ in range(4):
        square = square @ share / 2
    return square


@pytest.mark.parametrize("noise", [None, (1.0, 5.0), (0.1, 0.5)])
@pytest.mark.parametrize("ends", [(-1.2, -1.1), (-2.0, 2.0), (10.0, 20.0)])
def test_the_error_is_the_integral(ends, noise):
    rng = np.random.default_rng(0)
    for weights in [*rng.random((3, 2)), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0)]:
        want = integrate(weights, *ends, noise).item()
        # twelve nodes are exact for the inputs and good to seven digits for the noise
        assert np.isclose(error(*weights, *ends, noise), want, rtol=1e-7, atol=1e-9 * ends[1] ** 4)


def test_the_statement_is_the_function():
    rng = np.random.default_rng(1)
    statement = expected_error()
    for ends in RANGES:
        mean, square = moments(*ends)
        a, b = rng.random(2)
        value = float(statement.subs({W1: a, W2: b, mu: mean, m2: square}))
        assert np.isclose(value, error(a, b, *ends), rtol=1e-9, atol=1e-9)


def test_slopes_at_the_corner():
    """Values worked out elsewhere from 2 E[(1 - x1 x2)(x1 - 1)]."""
    known = [7418, 6.5, 1.389, -2.25, -2, -1.66, -1.5, -0.099, -6522]
    slope = corner_slope()
    for ends, value in zip(RANGES, known, strict=True):
        mean, square = moments(*ends)
        found = float(slope.subs({mu: mean, m2: square}))
        assert np.isclose(found, value, rtol=0.01)
        assert corner_traps(*ends) == (value > 0)
        step = 1e-5
        assert (error(step, 0.0, *ends) > error(0.0, 0.0, *ends)) == (value > 0)


def test_a_factor_changes_sign_at_the_flip():
    for x in (-0.15, -1.5, -15.0):
        w = float(flip(x))
        assert (w - 1e-9) * x + 1 - (w - 1e-9) > 0 > (w + 1e-9) * x + 1 - (w + 1e-9)


@pytest.mark.parametrize("noise", [None, (1.0, 5.0)])
def test_descent_is_torchs_adam_on_the_integral(noise):
    weights = torch.nn.Parameter(torch.tensor([0.3, 0.6], dtype=torch.float64))
    optimiser = torch.optim.Adam([weights], lr=0.01)
    for _ in range(60):
        optimiser.zero_grad()
        integrate(weights, -1.2, -1.1, noise).backward()
        optimiser.step()
        with torch.no_grad():
            weights.clamp_(0, 1)
    found = descend([0.3, 0.6], -1.2, -1.1, noise, steps=60, rate=0.01)
    np.testing.assert_allclose(found, weights.detach(), atol=1e-5)


def test_predicted_fates_are_those_of_trained_models():
    """All 225 models of the full-size study, one by one, from where they started."""
    stored = read(RESULTS, "single-module", "paper")
    table = stored.table.query("unit == 'NMU' and operation == 'mul' and measure == 'success'")
    seeds = stored.provenance["seeds"]
    starts = single_module.Models("NMU", seeds).parameters[: len(seeds)]
    failures = 0
    for numbers in single_module.RANGES:
        solved = (descend(starts, numbers.low, numbers.high) > 0.5).all(-1)
        measured = table[table.train == numbers.name].set_index("seed").value[seeds] == 1
        # The surface is exact and batches are noisy: a start near the ridge may go either way.
        assert (solved != measured.to_numpy()).sum() <= 1
        failures += int((~solved).sum())
    assert failures > 10  # so that there was something to predict


@pytest.mark.parametrize("ends", RANGES[1:3])
def test_failures_and_their_repair(ends):
    assert 0.1 < failure_rate(*ends, grid=4) < 0.5
    for noise in ((1.0, 5.0), batch_noise(*ends)):
        assert failure_rate(*ends, noise, grid=3) == 0


def test_one_trap_lies_beyond_the_starts():
    """All factors of a start are negative there, on the right side of the ridge."""
    assert corner_traps(-20.0, -10.0)
    assert flip(-10.0) < 0.25


def test_a_range_upside_down_is_refused():
    with pytest.raises(ValueError, match=r"low must be at most high, got 2.0 and 1.0"):
        multiplication.moments(2.0, 1.0)
