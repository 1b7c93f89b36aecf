"""The explorer of one score: its formulas in Node, and what it says and draws without a page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from traitlets import TraitError

import sharplib
from sharplib.figures.explorers import OneScore
from sharplib.theory import periodic

MAPS = {
    "softmax": sharplib.softmax,
    "sin_softmax": sharplib.sin_softmax,
    "shifted_sin2_max": sharplib.shifted_sin2_max,
    "siren_max": sharplib.siren_max,
    "sin_max": lambda x: sharplib.sin_max(x, offset=1.0, frequency=10.0),
}


@pytest.mark.parametrize("name", MAPS)
def test_the_page_has_weight_and_slope(name: str, in_node: Any, rng: np.random.Generator) -> None:
    scores, sizes = rng.uniform(-7, 7, 300), rng.integers(2, 200, 300)
    cases = [[name, x, n] for x, n in zip(scores.tolist(), sizes.tolist(), strict=True)]
    for (_, x, n), found in zip(cases, in_node("theory", "oneAmong", cases), strict=True):
        row = np.r_[x, np.zeros(n - 1)]
        # Near a zero of g, 1 + sin keeps an absolute error of a rounding step.
        np.testing.assert_allclose(found["weight"], MAPS[name](row)[0], rtol=1e-9, atol=1e-15)
        slope = periodic.jacobian(name, row)[0, 0]
        # Next to a pole g itself, which the page does not form, loses digits.
        np.testing.assert_allclose(found["slope"], slope, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", MAPS)
def test_no_score_gives_more_than_the_most(name: str, in_node: Any) -> None:
    (found,) = in_node("theory", "oneAmong", [[name, 0.0, 50]])
    explorer = OneScore(map=name, n=50)
    assert found["most"] == pytest.approx(explorer.most(), rel=1e-14)
    weights = explorer.weight(np.linspace(-7, 7, 20_000))
    assert weights.max() <= explorer.most()
    if name != "softmax":  # reached, to what a grid of scores can say
        assert weights.max() > 0.999 * explorer.most()


def test_at_a_pole_nothing_breaks(in_node: Any) -> None:
    (found,) = in_node("theory", "oneAmong", [["siren_max", np.pi / 2, 10]])
    assert found["weight"] == pytest.approx(1)
    assert abs(found["slope"]) < 1e-6


def test_words_for_readers_without_the_figure() -> None:
    said = OneScore(score=0, n=4, map="sin_softmax").describe()
    assert "among 4 against its score, under sin_softmax" in said
    assert "At the score 0 it is 0.25 under sin_softmax and 0.25 under softmax" in said
    assert "more than 0.475." in said  # e / (e + 3)


def test_the_figure_shows_the_state() -> None:
    explorer = OneScore(score=1.5, n=9)
    (ax,) = explorer.figure().axes
    _, curve, dot, most = ax.get_lines()
    assert dot.get_xdata() == [1.5]
    assert dot.get_ydata()[0] == pytest.approx(sharplib.sin_softmax(np.r_[1.5, np.zeros(8)])[0])
    assert max(curve.get_ydata()) <= most.get_ydata()[0]


@pytest.mark.parametrize(
    "state", [{"n": 1}, {"n": 2.5}, {"score": 7.5}, {"score": float("nan")}, {"map": "sine"}]
)
def test_a_bad_state_is_named(state: dict[str, Any]) -> None:
    (name,) = state
    with pytest.raises(TraitError, match=rf"\b{name}\b"):
        OneScore(**state)
