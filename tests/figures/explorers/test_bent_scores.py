"""The bent line's formulas on the page, run by Node beside the library; its side in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import traitlets

from sharplib import measures, multimax, softmax
from sharplib.figures.explorers import BentScores
from sharplib.theory import modulation as theory


def test_the_bent_line(in_node: Any, rng: np.random.Generator) -> None:
    cases = []
    for _ in range(500):
        low, high = np.sort(rng.uniform(-2, 2, 2))
        below, above = rng.uniform(-1, 4, 2)
        line = {"low": low, "high": high, "below": below, "above": above}
        cases.append([rng.uniform(-5, 5), line])
    exact = [
        theory.bend(x, (s["low"], s["high"]), (1 - s["below"], s["above"] - 1)) for x, s in cases
    ]
    # Sums of three numbers of order 10.
    np.testing.assert_allclose(in_node("bent", "bend", cases), exact, rtol=0, atol=1e-14)


def test_both_measures(in_node: Any, rng: np.random.Generator) -> None:
    cases, exact = [], []
    while len(cases) < 500:
        n = int(rng.integers(3, 13))
        x, p, epsilon = rng.normal(size=n), rng.dirichlet(np.full(n, 0.5)), rng.normal()
        if (x > epsilon).sum() < 2 or not (x < epsilon).any():
            continue
        cases.append([p.tolist(), x.tolist(), epsilon])
        exact.append(
            [
                measures.multi_modality(p, x, epsilon),
                measures.smooth_sparsity(p, x, epsilon, 1 / n),
            ]
        )
    np.testing.assert_allclose(in_node("bent", "measures", cases), exact, rtol=1e-13)


def test_the_weights_are_those_of_multimax() -> None:
    shown = BentScores(shift=0.5, low=-1, high=0.5, below=3, above=-0.5)
    x = np.array(shown.scores) + 0.5
    np.testing.assert_array_equal(shown.weights(), multimax(x, (-1, 0.5), (-2, -1.5)))
    words = BentScores(below=1, above=1).describe()
    modality, sparsity = BentScores().measures(softmax(np.array(BentScores().scores)))
    assert words.count(f"M {modality:.2f} and S {sparsity:.2f}") == 2  # unbent, both are softmax


@pytest.mark.parametrize(
    ("state", "named"),
    [
        ({"scores": [1.0, 1.0, -1.0]}, "scores must have two different ones above 0"),
        ({"scores": [1.0, 0.5, 0.2]}, "scores must have"),
        ({"scores": [1.0, -1.0]}, "scores"),
        ({"low": 0.5}, "low must be a number from -2 to 0, got 0.5"),
        ({"above": 5}, "above must be a number from -1 to 4"),
    ],
)
def test_a_bad_state_is_named(state: dict[str, Any], named: str) -> None:
    with pytest.raises(traitlets.TraitError, match=named):
        BentScores(**state)


def test_the_picture_shows_the_row_on_its_line() -> None:
    shown = BentScores()
    left, right = shown.figure().axes
    x, y = left.get_lines()[2].get_data()
    np.testing.assert_allclose(x, shown.scores)
    np.testing.assert_allclose(np.exp(y) / np.exp(y).sum(), shown.weights(), rtol=1e-12)
    (at_m,), (at_s,) = right.get_lines()[2].get_data()
    assert (at_m, at_s) == shown.measures(shown.weights())
