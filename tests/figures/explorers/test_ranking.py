"""The ranking explorer's numbers on the page, run by Node beside the theory; its side in Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import traitlets

from sharplib.figures.explorers import Ranking, _ranking_table
from sharplib.theory import ranking as theory

KINDS = _ranking_table.KINDS


def test_the_stored_table_is_the_theory(in_node: Any, rng: np.random.Generator) -> None:
    (table,) = in_node("ranking-table", "() => table", [[]])
    assert 2 ** table["gaps"][0] == pytest.approx(_ranking_table.GAPS[0])
    assert 2 ** table["ratios"][0] == pytest.approx(_ranking_table.RATIOS[0])
    assert {len(table[name]) for name in (*KINDS, "best")} == {len(_ranking_table.GAPS)}
    for k in rng.choice(len(_ranking_table.GAPS), size=3, replace=False):
        gaps = _ranking_table.GAPS[k]
        for kind in KINDS:
            found, made = table[kind][k], _ranking_table.row(kind, gaps)
            assert [v is None for v in found] == [v is None for v in made]
            # One unit of the last digit that is stored.
            off = np.subtract(*([v for v in row if v is not None] for row in (found, made)))
            assert np.abs(off).max() <= 1
        # The search ends within 1 in 100, and a rounding can turn it there.
        assert table["best"][k] == pytest.approx(_ranking_table.best(gaps), rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_accuracy(kind: str, in_node: Any, rng: np.random.Generator) -> None:
    cases = []
    while len(cases) < 40:
        gaps, ratio = 2 ** rng.uniform(-10, 8), 2 ** rng.uniform(-3, 5)
        if gaps * ratio < 0.7 * _ranking_table.MOST:  # a knot beyond the end is missing
            cases.append([kind, gaps, ratio])
    n = 1000.0
    exact = [KINDS[kind](n, gaps * ratio / n, gaps / n) for _, gaps, ratio in cases]
    # A tenth of a percentage point: what a reader can see in the picture.
    np.testing.assert_allclose(in_node("ranking-noise", "accuracy", cases), exact, atol=1e-3)


def test_the_hard_maximum_is_the_cold_limit(in_node: Any, rng: np.random.Generator) -> None:
    gaps = 2 ** rng.uniform(-10, 8, 200)
    for kind, exact in (
        ("item", 0.1 + 0.9 * theory.ranking_with_item_noise(1, gaps)),
        ("class", theory.ranking_over_heads(1, gaps)),
    ):
        found = in_node("ranking-noise", "hardMaximum", [[kind, g] for g in gaps])
        np.testing.assert_allclose(found, exact, atol=2e-4)
        cold = in_node("ranking-noise", "accuracy", [[kind, g, 1e-9] for g in gaps])
        np.testing.assert_allclose(cold, found, atol=1e-8)
        # Colder than the table the way to it is a straight line.
        edge = in_node("ranking-noise", "accuracy", [[kind, g, 1 / 8] for g in gaps])
        half = in_node("ranking-noise", "accuracy", [[kind, g, 1 / 16] for g in gaps])
        np.testing.assert_allclose(half, np.add(edge, found) / 2, atol=1e-8)


def test_the_best_temperature(in_node: Any, rng: np.random.Generator) -> None:
    gaps = 2 ** rng.uniform(-10, 8, 20)
    exact = [theory.best_temperature(1, g) / g for g in gaps]
    found = in_node("ranking-noise", "bestRatio", [[g] for g in gaps])
    # The library's search ends within 1 in 100, at the knots and here.
    np.testing.assert_allclose(found, exact, rtol=0.03)


def test_no_number_where_the_theory_has_none(in_node: Any) -> None:
    cases = [["item", 1, 40], ["class", 300, 20], ["item", 1000, 1]]
    assert in_node("ranking-noise", "accuracy", cases) == [None] * 3


@pytest.mark.parametrize(
    "state", [{"n": 8}, {"n": 100.5}, {"sharpness": 1.0}, {"noise": 0.0}, {"beta": math.nan}]
)
def test_a_bad_state_is_named(state: dict[str, Any]) -> None:
    (name,) = state
    with pytest.raises(traitlets.TraitError, match=name):
        Ranking(**state)


def test_words_for_readers_without_the_figure() -> None:
    explorer = Ranking(n=1024, sharpness=256, noise=1)  # four gaps
    said = explorer.describe()
    assert "for 1,024 items" in said
    assert explorer.best_beta() == pytest.approx(1 / 1.2, rel=0.05)
    assert "where a softmax rule has 39.7% and the hard maximum 38.3%" in said
    item, start, *_ = explorer.figure().axes[0].get_lines()
    assert item.get_ydata().max() == pytest.approx(1.4, abs=0.1)
    assert start.get_ydata().max() <= 0.05  # the accuracy of the theory's numbers
