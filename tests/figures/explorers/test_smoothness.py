"""The explorer of smoothness: its numbers on the page, run by Node, and its side in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from traitlets import TraitError

import sharplib
from sharplib.figures.explorers import Smoothness
from sharplib.theory import smoothness as theory

NAMES = ("softmax", "plsoftmax", "sparsemax")


def states(rng: np.random.Generator, count: int = 300) -> list[dict[str, Any]]:
    found = []
    for _ in range(count):
        n = int(rng.integers(2, 65))
        found.append(
            {
                "n": n,
                "drop": round(rng.uniform(0, 4), 2) * bool(rng.integers(4)),
                "delta": round(rng.uniform(0.2, 4), 2),
                "item": int(rng.integers(1, n + 1)),
                "step": round(rng.uniform(-1, 1), 2),
            }
        )
    return found


def test_the_loss_of_softmax_and_the_slopes(in_node: Any) -> None:
    sizes = list(range(2, 65))
    found = in_node("theory", "softmaxLoss", [[n] for n in sizes])
    # Newton's last step against SciPy's: a few roundings.
    np.testing.assert_allclose(found, theory.softmax_loss(sizes), rtol=1e-13)
    for n, slopes in zip(
        sizes, in_node("theory", "columnSlopes", [[n] for n in sizes]), strict=True
    ):
        assert slopes == pytest.approx({k: theory.slopes(n)[1, 1][k] for k in NAMES}, rel=1e-13)


def test_the_page_computes_what_the_library_does(in_node: Any, rng: np.random.Generator) -> None:
    cases = states(rng)
    for state, page in zip(
        cases, in_node("smoothness", "compared", [[s] for s in cases]), strict=True
    ):
        explorer = Smoothness(**state)
        x = explorer.scores()
        for name in NAMES:
            p = explorer.weights(name, x)
            # Sums of up to 64 weights of two languages.
            np.testing.assert_allclose(page[name]["p"], p, rtol=1e-12, atol=1e-14)
            assert page[name]["lost"] == pytest.approx(x.max() - p @ x, rel=1e-11, abs=1e-13)
            if not ((p + page[name]["p"] > 0) & (p < 1e-12)).any():  # not at the very edge
                assert page[name]["worst"] == pytest.approx(-x[p > 0].min(), rel=1e-12, abs=1e-13)
            assert page[name]["moved"] == pytest.approx(explorer.moved(name), rel=1e-9, abs=1e-13)
            assert page[name]["most"] == pytest.approx(explorer.at_most(name), rel=1e-12)


def test_nothing_loses_or_moves_more_than_it_may(rng: np.random.Generator) -> None:
    for state in states(rng):
        explorer = Smoothness(**state)
        x = explorer.scores()
        for name in NAMES:
            p = explorer.weights(name, x)
            assert x.max() - p @ x <= state["delta"] * (1 + 1e-12)
            assert explorer.moved(name) <= explorer.at_most(name) * (1 + 1e-9) + 1e-14
            if name != "softmax":
                assert x.max() - x[p > 0].min() <= state["delta"]


def test_level_scores_move_plsoftmax_by_all_that_may_be() -> None:
    level = Smoothness(n=20, drop=0, item=7, step=0.5)
    for name in ("plsoftmax", "sparsemax"):
        assert level.moved(name) == pytest.approx(level.at_most(name))
        assert level.at_most(name) == pytest.approx(0.95)
    assert Smoothness(n=20, delta=0.2, step=1).at_most("plsoftmax") == 2  # there is no more weight


def test_in_words_and_as_a_figure() -> None:
    explorer = Smoothness(n=2, drop=1, delta=1, item=1, step=-0.5)
    said = explorer.describe()
    assert "PLSoftMax loses 0.00 and moves 0.50 of at most 0.50" in said
    figure = explorer.figure()
    heights = [bar.get_height() for bar in figure.axes[1].patches]
    cold = float(theory.softmax_loss(2))
    expected = [*sharplib.softmax(cold * np.array([0.0, -1.0]))]
    assert heights[:2] == pytest.approx(expected)
    assert heights[2:] == pytest.approx([*sharplib.softmax(cold * np.array([-0.5, -1.0]))])


@pytest.mark.parametrize(
    ("state", "name"),
    [
        ({"n": 1}, "n"),
        ({"n": 4, "item": 5}, "item"),
        ({"delta": 0}, "delta"),
        ({"drop": 9}, "drop"),
        ({"step": float("nan")}, "step"),
    ],
)
def test_bad_arguments_are_named(state: dict[str, Any], name: str) -> None:
    with pytest.raises(TraitError, match=rf"\b{name}\b"):
        Smoothness(**state)
