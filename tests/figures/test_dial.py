"""The figures of the dial show what the library computes."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import sharplib
from sharplib.figures import dial as figures


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_lines_of_what_is_kept_end_at_their_names():
    figure = figures.kept(pd.DataFrame({"a": [1, 3], "b": [2, 2]}, index=[0.1, 10]))
    assert [list(line.get_ydata()) for line in figure.axes[0].get_lines()] == [[1, 3], [2, 2]]
    assert texts(figure) == ["b", "a"]  # from below


def test_weights_on_the_way_through_a_tie():
    steps = np.linspace(-1, 1, 41)
    rows = {name: np.stack([steps, 0 * steps, 0 * steps - 1], -1) for name in ("a tie", "again")}
    figure = figures.crossing(rows, steps, rate=0.55, t=1.0)
    above, _, below, _ = figure.axes
    first = above.get_lines()[0].get_ydata()
    assert np.isnan(first).any()  # the jump
    assert set(first[~np.isnan(first)]) == {0, 1}
    smooth = below.get_lines()[2].get_ydata()  # nowhere near 0.1 from one step to the next
    np.testing.assert_allclose(smooth, sharplib.tsoftmax(rows["a tie"], 1.0)[:, 2])


def test_the_law_of_the_crowd_is_dotted():
    tops = pd.DataFrame({"softmax": [0.1, 0.01], "r = 0.9": [0.2, 0.02]}, index=[100, 1000])
    figure = figures.crowd(tops, 20.0, {"r = 0.9": 0.9})
    (law,) = [line for line in figure.axes[0].get_lines() if line.get_linestyle() == ":"]
    # B/n times d/(d - 1 + exp(-d)) with d = 2
    np.testing.assert_allclose(
        law.get_ydata(), [0.2 * 2 / (1 + np.exp(-2)), 0.02 * 2 / (1 + np.exp(-2))]
    )


@pytest.fixture
def found():
    cell = {"classes": 10, "labels": 4}
    return pd.DataFrame(
        [
            {**cell, "rule": "r-softmax", "gain": -0.01, "low": -0.02, "high": 0.0},
            {**cell, "rule": "other", "gain": 0.01, "low": 0.005, "high": 0.015},
        ]
    )


def test_gains_in_points_with_intervals(found):
    figure = figures.gains(found)
    (ax,) = figure.axes
    lines = ax.get_lines()[1:]  # the first is at 0
    np.testing.assert_allclose([line.get_xdata()[0] for line in lines], [-2, -1, 0.5, 1])
    np.testing.assert_allclose(lines[0].get_xdata(), [-2, 0])
    assert lines[0].get_color() != lines[2].get_color()
    assert ax.get_title() == "10 classes,\n4 labels"


def test_figures_are_closed_and_on_white(found):
    plt.close("all")
    made = figures.gains(found)
    assert made.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []
