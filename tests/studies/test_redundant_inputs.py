"""What ten inputs add to the single-module study; its loops are tested with those of two."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from sharplib.arithmetic import NMU
from sharplib.studies import redundant_inputs as study
from sharplib.studies.redundant_inputs import CASES, Settings
from sharplib.studies.single_module import RANGES, recipe, threshold, training

TINY = Settings(CASES[2:4], steps=20, batch=4, log_every=10, tests=8)


@pytest.mark.parametrize("operation", ["add", "mul", "div"])
@pytest.mark.parametrize("numbers", RANGES, ids=lambda numbers: numbers.name)
def test_thresholds_are_the_error_of_a_nearly_right_module(operation, numbers):
    epsilon = 1e-4
    rng = np.random.default_rng(1234)
    x = rng.uniform(numbers.test_low, numbers.test_high, (10, 100_000))
    a, b = x[:2]
    left_out = np.prod(1 - epsilon * abs(x[2:]), axis=0)
    error = {
        "add": epsilon * abs(x).sum(0),
        "mul": (1 - epsilon) ** 2 * a * b * left_out - a * b,
        "div": (1 - epsilon) / (1 + epsilon) * a / b * left_out - a / b,
    }[operation]
    # 100,000 samples give a mean square to a percent or so.
    found = threshold(operation, numbers, epsilon, inputs=10)
    assert math.isclose((error**2).mean(), found, rel_tol=0.02)


def test_a_unit_that_takes_the_first_two_is_right():
    models = training.Models("NMU", (0, 1), 10)
    models.parameters[:] = [1.0, 1.0, *[0.0] * 8]
    x = training.inputs(Settings(tests=50), test=True)
    assert x.shape == (len(RANGES), 50, 10)
    assert (models.errors(x, "mul") == 0).all()
    assert isinstance(models.within(0), NMU)


def test_training_is_that_of_a_plain_loop():
    """Ten steps of one sNMU from the same numbers, with torch's Adam and clip."""
    settings = Settings((("NMU", "mul"),), steps=10, log_every=10)
    *_, log = training.train(settings, "NMU", "mul", (7,))
    (plain,) = [training.Models("NMU", (7,), 10).within(2).train()]
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-3)
    numbers = RANGES[2]
    for random in training._random(7, training._BATCHES).random((10, 10, 128)):
        x = numbers.low + (numbers.high - numbers.low) * random
        x = torch.from_numpy(x.astype(np.float32)).T
        loss = (plain(x)[0, :, 0] - x[:, 0] * x[:, 1]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        plain.clip()
    # Steps of 1e-3 whose size Adam sets: ten of them differ by roundings of the gradient.
    torch.testing.assert_close(log.models.within(2).weight, plain.weight, rtol=0, atol=2e-6)


def test_ten_inputs_are_trained_as_their_paper_says():
    assert recipe("NRU", "div", inputs=10).learning_rate == 1e-3
    assert recipe("NMRU", "div", inputs=10).learning_rate == 1e-2
    assert all(recipe(*case, inputs=10).ramp == (50_000, 75_000) for case in CASES)


def test_the_table_and_its_report():
    table = study.run(TINY, (0, 1))
    assert list(table.columns) == [*study.KEYS, "seed", "measure", "value"]
    assert len(table[table.measure == "success"]) == 2 * 2 * len(RANGES)
    rows = [
        ("div", "NMRU", n.name, seed, "success", float(seed)) for n in RANGES for seed in (0, 1)
    ]
    table = pd.DataFrame(rows, columns=table.columns)
    (line,) = [line for line in study.report({"ours": table}).split("\n") if "91.6" in line]
    assert line.split()[-2:] == ["91.6", "50.0"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"inputs": 2}, "inputs must be at least 3, got 2"),
        ({"cases": (("NALU", "mul"),)}, r"cases must be some of .* got \('NALU', 'mul'\)"),
        ({"batch": 1}, "batch must be at least 2, got 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        Settings(**change)
