"""Iterations end as soon as they can, with a root at an end too, or where Newton would circle."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import sharplib

# Up to how many steps, where nothing is steep. To halve an interval to the last bit takes 50.
STEPS = {
    "sparsemax": 10,
    "entmax15": 10,
    "entmax": 12,
    "normmax": 12,
    "budget": 16,
    "entropy_matched_softmax": 16,
    "stieltjes": 10,
}
PARAMETERS = {
    "entmax": ({"alpha": 1.05}, {"alpha": 1.9}),
    "normmax": ({"alpha": 1.3}, {"alpha": 4.0}),
    "budget": ({"k": 0.5}, {"k": 2}, {"k": 3.3}),
    "entropy_matched_softmax": ({"target": 0.1}, {"target": 1.0}),
    "stieltjes": ({"q": 1.0}, {"q": 4.0}),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_handful_of_steps(name, monkeypatch, rng):
    module = sys.modules[f"sharplib.mappings.{name}"]
    seen = []
    inner = module.finished
    monkeypatch.setattr(module, "finished", lambda settled: seen.append(0) or inner(settled))
    for parameters in PARAMETERS.get(name, ({},)):
        for shape in ((32, 10), (64, 5), (16, 256)):
            for spread in (0, 1e-3, 1, 30):
                x = rng.standard_normal(shape) * spread
                for scores in (x, np.round(x)):
                    seen.clear()
                    getattr(sharplib, name)(scores, **parameters)
                    assert 0 < len(seen) <= STEPS[name], (parameters, shape, spread)
