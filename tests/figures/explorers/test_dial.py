"""The dial's side in Python, and the page's formulas, run by Node beside the library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from traitlets import TraitError

import sharplib
from sharplib.figures.explorers import Dial


def rows(rng: np.random.Generator, count: int = 1500) -> list[tuple[list[float], float]]:
    """Scores and rates: with and without ties, at whole ranks and between them."""
    found = []
    for _ in range(count):
        n = int(rng.integers(2, 9))
        x = rng.normal(size=n) * rng.choice([0.01, 1.0, 3.0])
        if rng.random() < 0.3:
            x = rng.choice(x, size=n)
        rate = rng.integers(1, n) / (n - 1) if rng.random() < 0.3 else rng.uniform(0.01, 0.99)
        found.append((x.tolist(), float(min(rate, 0.99))))
    return found


def test_the_quantile(in_node: Any, rng: np.random.Generator) -> None:
    cases = rows(rng)
    found = in_node("quantile", "quantile", cases)
    for (x, rate), quantile in zip(cases, found, strict=True):
        assert quantile["value"] == pytest.approx(np.quantile(x, rate), abs=1e-14)
        # What follows it: its own derivative, so that moving all scores moves it as far.
        assert sum(quantile["follows"]) == pytest.approx(1, abs=1e-12)
        assert np.dot(quantile["follows"], x) == pytest.approx(quantile["value"], abs=1e-14)


@pytest.mark.parametrize("detached", [False, True])
def test_the_answers_are_the_rows_of_the_jacobian(
    in_node: Any, rng: np.random.Generator, detached: bool
) -> None:
    cases = rows(rng, 400)
    calls = [[x, rate, i, detached] for x, rate in cases for i in range(len(x))]
    found = iter(in_node("quantile", "answers", calls))
    for x, rate in cases:
        slopes = torch.func.jacrev(
            lambda v, r=rate: sharplib.rsoftmax(v, r, detach_quantile=detached)
        )(torch.tensor(x, dtype=torch.float64))
        for row in slopes.numpy():
            # Sums of a few terms; with ramps of 1e-6 their terms are as large as 1e6, and cancel.
            tolerance = 1e-8 * max(1.0, float(abs(slopes).max()))
            np.testing.assert_allclose(next(found), row, rtol=0, atol=tolerance)


def test_the_words_say_zeros_and_weights() -> None:
    said = Dial(scores=[3, 2, 1, 0], rate=0.5, t=6).describe()
    assert "r-softmax has 2 zeros and the weights 0.89, 0.11, 0.00, 0.00" in said
    assert "t-softmax has 0 zeros" in said


def test_the_figure_has_both_thresholds() -> None:
    above, below = Dial(scores=[2, 1, 0], rate=0.5, t=0.5).figure().axes
    lines = [line for line in above.get_lines() if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in lines] == [1, 1.5]
    heights = [bar.get_height() for bar in below.patches]
    np.testing.assert_allclose(heights, [1, 0, 0, 1, 0, 0])


@pytest.mark.parametrize(
    "state",
    [
        {"scores": [1.0]},
        {"scores": [4.0, 0.0]},
        {"scores": [0.0] * 9},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"t": 0.0},
        {"item": -1},
    ],
)
def test_a_bad_state_is_named(state: dict[str, Any]) -> None:
    (name,) = state
    with pytest.raises(TraitError, match=rf"\b{name}\b"):
        Dial(**state)
