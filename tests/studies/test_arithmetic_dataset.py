"""The arithmetic data-set study: its batches, its thresholds, and its step against a plain loop."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch

from sharplib.arithmetic import NAU, NMU, nau_penalty, nmu_penalty
from sharplib.studies import arithmetic_dataset as study
from sharplib.studies._storage import Store
from sharplib.studies.arithmetic_dataset import CASES, Settings, threshold
from sharplib.studies.single_module import RANGES

TINY = Settings(
    (("NMU", "mul"), ("sNMU", "mul"), ("NAU", "sub")),
    steps=20,
    inputs=40,
    batch=4,
    log_every=10,
    tests=8,
)


def test_thresholds_are_those_of_the_public_code():
    """Stored values for products; its subsets have 26 elements, 13 in common, which ours have not.

    On the mixed range that matters: 2.21e-4 with 25 and 12.
    """
    known = [505.4, 0.160, 0.1113, 9.20e-4, 2.21e-4, 9.20e-4, 0.160, 0.1053, 505.4]
    for numbers, value in zip(RANGES, known, strict=True):
        assert math.isclose(threshold("mul", numbers), value, rel_tol=0.015), numbers.name


@pytest.mark.parametrize("operation", ["add", "sub"])
@pytest.mark.parametrize("numbers", [RANGES[4], RANGES[6]], ids=["mixed", "[2, 6]"])
def test_thresholds_of_sums_are_those_of_moments(operation, numbers):
    """The error of a + b is epsilon times a sum with known coefficients of independent numbers."""
    # how often an input counts: in both subsets 12, in one of them 13 and 13, in none 62
    groups = {(1, 1): 12, (1, 0): 13, (0, 1): 13, (0, 0): 62}
    low, high = numbers.test_low, numbers.test_high
    square = (low**2 + low * high + high**2) / 3
    mean = 0.0 if numbers.mirrored else (low + high) / 2
    second = 1 if operation == "add" else -1
    each = {g: (1 - 2 * g[0]) + second * (1 - 2 * g[1]) for g in groups}
    average = sum(count * each[g] for g, count in groups.items()) * mean
    variance = sum(count * each[g] ** 2 for g, count in groups.items()) * (square - mean**2)
    want = 1e-10 * (average**2 + variance)
    # 100,000 rows give a mean square to a percent
    assert math.isclose(threshold(operation, numbers), want, rel_tol=0.015)


@pytest.mark.parametrize("done", [0, 1_500_000])
def test_a_step_is_that_of_plain_networks(done):
    """One step, for all ranges and cases, against torch's Adam on one network after the other."""
    settings = Settings((("NMU", "mul"), ("NAU", "sub")), inputs=40, batch=16)
    models = study._Models(settings, (3, 4))
    first, second = (
        models.first.detach().clone(),
        [u.weight.detach().clone() for u in models.second],
    )
    models.step(done)
    rngs = [np.random.Generator(np.random.SFC64(seed)) for seed in (3, 4)]
    random = [torch.from_numpy(rng.random((16, 40), dtype=np.float32)) for rng in rngs]
    for c, s, r in itertools.product(range(2), range(2), range(len(RANGES))):
        sums, last = NAU(40, 2), (NMU, NAU)[c](2, 1)
        sums.weight.data, last.weight.data = first[c, s, r].clone(), second[c][s, r].clone()
        network = torch.nn.Sequential(sums, last)
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
        numbers = RANGES[r]
        x = numbers.low + (numbers.high - numbers.low) * random[s]
        a, b = x[:, :10].sum(1), x[:, 5:15].sum(1)
        loss = (network(x)[:, 0] - (a * b if c == 0 else a - b)).square().mean()
        if done:
            penalty = nmu_penalty if c == 0 else nau_penalty
            weight = 5.0 if c == 0 else 0.01
            loss = loss + weight * (nau_penalty(sums.weight) + penalty(last.weight))
        loss.backward()
        optimiser.step()
        sums.clip()
        last.clip()
        # The first step of Adam has the size 1e-3 whatever the gradient; its sign may be lost to
        # rounding where the gradient is near zero, which few are.
        off = (models.first[c, s, r] - sums.weight).abs() > 1e-6
        assert off.float().mean() < 0.05
        torch.testing.assert_close(models.second[c].weight[s, r], last.weight, rtol=0, atol=1e-6)


def test_errors_are_those_of_the_units():
    models = study._Models(TINY, (0, 1))
    x = study._inputs(50, 40, np.random.default_rng(1), RANGES, test=True)
    found = models.errors(x)
    for c, s, r in itertools.product(range(3), range(2), range(len(RANGES))):
        sums = x[r] @ models.first[c, s, r].mT
        a, b = x[r][:, :10].sum(1), x[r][:, 5:15].sum(1)
        w = models.second[c].weight[s, r, 0]
        if c == 2:
            error = sums @ w - (a - b)
        else:
            error = (w[0] * sums[:, 0] + 1 - w[0]) * (w[1] * sums[:, 1] + 1 - w[1]) - a * b
        assert math.isclose(found[c, s, r], error.square().mean().item(), rel_tol=1e-4)


def test_a_right_network_is_solved():
    models = study._Models(TINY, (0,))
    with torch.no_grad():
        models.first.zero_()
        models.first[..., 0, :10] = 1
        models.first[..., 1, 5:15] = 1
        for unit, sign in zip(models.second, (1.0, 1.0, -1.0), strict=True):
            unit.weight[:] = torch.tensor([1.0, sign])
    x = study._inputs(50, 40, np.random.default_rng(1), RANGES, test=True)
    error = models.errors(x)
    for (c, _, r), value in np.ndenumerate(error):
        assert value < threshold(TINY.cases[c][1], RANGES[r], inputs=40)
    assert (models.sparsity_errors() == 0).all()
    with torch.no_grad():
        models.first[0, ..., 0, 30] = 0.25
    np.testing.assert_allclose(models.sparsity_errors()[0], 0.25)


def test_inputs_are_where_they_should_be():
    for test in (False, True):
        x = study._inputs(500, 40, np.random.default_rng(2), RANGES, test=test)
        for rows, numbers in zip(x, RANGES, strict=True):
            low, high = numbers[2:4] if test else numbers[:2]
            mirrored = test and numbers.mirrored
            size = rows.abs() if mirrored else rows
            assert low <= size.min() < low + 0.01 * (high - low)
            assert high - 0.01 * (high - low) < size.max() <= high
            assert (rows.sign().unique().numel() == 2) == (numbers.low < 0 < numbers.high)


def test_a_stop_changes_nothing(tmp_path):
    whole = study.run(TINY, (0, 1, 2, 3, 4, 5))
    assert list(whole.columns) == [*study.KEYS, "seed", "measure", "value"]
    assert len(whole[whole.measure == "success"]) == 3 * 6 * len(RANGES)
    store = Store(tmp_path, {})
    study.run(TINY, (0, 1, 2, 3, 4), store=store)  # the first group of five
    seen = []
    resumed = study.run(
        TINY, (0, 1, 2, 3, 4, 5), store=store, progress=lambda stage, *_: seen.append(stage)
    )
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
    assert set(seen) == {"seeds 5 to 5"}


def test_the_report_shows_both_sides():
    rows = [("mul", "NMU", "[1, 2]", seed, "success", 1.0) for seed in range(10)]
    table = pd.DataFrame(rows, columns=[*study.KEYS, "seed", "measure", "value"])
    report = study.report({"ours": table})
    assert "100 (72-100)" in report
    assert study.published().value.between(0, 1).all()
    assert set(zip(study.published().unit, study.published().operation, strict=True)) <= set(CASES)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cases": ()}, r"cases must be different and at least one, got \(\)"),
        ({"cases": (("NAU", "mul"),)}, r"cases must be some of .* got \('NAU', 'mul'\)"),
        ({"inputs": 7}, "inputs must be at least 8, got 7"),
        ({"hidden": 1}, "hidden must be at least 2, got 1"),
        ({"steps": 1500}, "steps must be a multiple of log_every, got 1500 and 1000"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        Settings(**change)


def test_seeds_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="seeds must be different numbers from 0 on"):
        study.run(TINY, (1, 1))
