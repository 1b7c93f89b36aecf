"""What the explorer of circuits says and draws without a page."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets import TraitError

from sharplib.figures.explorers import Circuit


def test_formulas_are_those_of_the_rounded_weights() -> None:
    for weights, formula in (
        ([1, 0.5, 0], "x₁ · x₂"),
        ([0.2, 0.4, 0.9], "x₃"),
        ([0.1, 0, 0.49], "1"),
    ):
        assert Circuit(weights=weights).formula() == formula


def test_in_words() -> None:
    said = Circuit(weights=[1, 1, 0.01], trained=2, tested=101).describe()
    assert "the weights 1, 1, 0.01; rounded, the circuit says x₁ · x₂" in said
    # 0.01 (M - 1): a hundredth, and all of it
    assert said.endswith("up to 2, in training, 0.01; up to 101 1.")


def test_the_figure_shows_weights_and_both_errors() -> None:
    above, below = Circuit(weights=[1, 0.9, 0], trained=2, tested=1000).figure().axes
    assert [bar.get_height() for bar in above.patches] == [1, 0.9, 0]
    dots = [line for line in below.get_lines() if line.get_marker() == "o"]
    places = [float(dot.get_xdata()[0]) for dot in dots]
    errors = [float(dot.get_ydata()[0]) for dot in dots]
    assert places == [2, 1000]
    assert errors == pytest.approx([0.05, 0.0999])  # 0.1 (1 - 1/M)


@pytest.mark.parametrize(
    "state",
    [
        {"weights": [0.5, 0.5]},
        {"weights": [0.5, 0.5, 1.1]},
        {"weights": [0.5, 0.5, float("nan")]},
        {"trained": 1},
        {"tested": 1e5},
    ],
)
def test_bad_arguments_are_named(state: dict[str, Any]) -> None:
    (name,) = state
    with pytest.raises(TraitError, match=rf"\b{name}\b"):
        Circuit(**state)
