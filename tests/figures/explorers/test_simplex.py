"""The simplex explorer's side in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import traitlets

from sharplib import multimax, topk_softmax
from sharplib.figures.explorers import Simplex, _maps


@pytest.mark.parametrize(
    "state",
    [
        {"scores": [1.0, 2.0]},
        {"scores": [0.0, 0.0, 2.1]},
        {"scores": [3.5, 3.5, 3.5]},
        {"scores": [0.0, 0.0, float("nan")]},
        {"map": "hardmax"},
        {"temperature": 0.0},
    ],
)
def test_a_bad_state_is_named(state: dict[str, Any]) -> None:
    (name,) = state
    with pytest.raises(traitlets.TraitError, match=name):
        Simplex(**state)


def test_words_for_readers_without_the_figure() -> None:
    said = Simplex(scores=[1, 0, 0], map="topk_softmax", parameters={"k": 1}).describe()
    assert "topk_softmax" in said
    assert "scores 1, 0, 0 have the weights 1.00, 0.00, 0.00" in said


def test_the_way_from_hot_to_cold_leads_from_the_middle_to_a_corner() -> None:
    figure = Simplex(scores=[0.4, 0.1, -0.5], map="softmax").figure()
    way, _ = figure.axes[1].get_lines()
    x, y = way.get_data()
    assert np.hypot(x[0], y[0]) < 0.1
    np.testing.assert_allclose([x[-1], y[-1]], [0, 1], atol=0.1)


def test_settings_of_the_sliders_are_those_of_the_library() -> None:
    x = np.array([[0.3, -2.0, 1.5], [0.0, 0.1, 0.2]])
    np.testing.assert_array_equal(
        _maps.weights("multimax", x, {"r0": -1.0, "c1": 0.5}, temperature=2.0),
        multimax(x / 2, thresholds=(-1.0, 0.5), coefficients=(-1.0, 0.5)),
    )
    np.testing.assert_array_equal(
        _maps.weights("topk_softmax", x, {"k": 2.0}), topk_softmax(x, k=2)
    )
