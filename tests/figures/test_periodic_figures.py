"""The figures of periodic maps show what the library computes."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import sharplib
from sharplib.figures import periodic as figures


def lines(ax, style="-"):
    return [line for line in ax.get_lines() if line.get_linestyle() == style]


def test_one_score_on_its_way():
    figure = figures.along(5, ["softmax", "siren_max"])
    weights, slopes = figure.axes
    for line, mapping in zip(
        weights.get_lines(), [sharplib.softmax, sharplib.siren_max], strict=True
    ):
        x, y = line.get_data()
        rows = np.zeros((len(x), 5))
        rows[:, 0] = x
        np.testing.assert_allclose(y, mapping(rows)[:, 0], rtol=1e-9, atol=1e-12)
    x, weight = weights.get_lines()[0].get_data()
    slope = slopes.get_lines()[0].get_ydata()
    np.testing.assert_allclose(slope, weight * (1 - weight), rtol=1e-9)  # softmax
    assert [text.get_text() for text in weights.get_legend().get_texts()] == [
        "softmax",
        "siren-max",
    ]


def test_ceilings_are_dotted():
    measured = {"softmax": pd.Series([0.5, 0.2], index=[4, 64])}
    bound = {"sin-softmax": pd.Series([0.7, 0.1], index=[4, 64])}
    (ax,) = figures.ceilings(measured, bound).axes
    assert list(lines(ax)[0].get_ydata()) == [0.5, 0.2]
    (dotted,) = lines(ax, ":")
    assert list(dotted.get_ydata()) == [0.7, 0.1]
    assert dotted.get_color() == figures.COLORS["sin-softmax"]
    assert [text.get_text() for text in ax.texts] == ["softmax"]


def test_the_last_scale_has_the_large_dot():
    table = pd.DataFrame(
        {"name": ["softmax"] * 2, "scale": [1.0, 3.0], "top": [0.1, 0.4], "size": [0.2, 0.3]}
    )
    (ax,) = figures.sharpness_and_slope(table).axes
    small, large = ax.get_lines()
    assert list(small.get_xdata()) == [0.1, 0.4]
    assert (large.get_xdata()[0], large.get_ydata()[0]) == (0.4, 0.3)
    assert large.get_markersize() > small.get_markersize()


@pytest.fixture
def table():
    rows = [
        (rule, depth, seed, 9, layer, measure, value + seed / 10)
        for rule, value in (("softmax", 0.5), ("norm siren-max", 0.2))
        for depth in (1, 3)
        for seed in range(3)
        for measure, deepest in (("accuracy", 0), ("top weight", depth), ("gradient", depth))
        for layer in ([0] if measure == "accuracy" else range(1, deepest + 1))
    ]
    return pd.DataFrame(
        rows, columns=["rule", "depth", "seed", "step", "layer", "measure", "value"]
    )


def test_accuracies_have_student_intervals(table):
    figure = figures.accuracies(table, ["softmax", "norm siren-max"])
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["depth 1", "depth 3"]
    dots, intervals = figure.axes[0].collections[1], figure.axes[0].collections[0]
    np.testing.assert_allclose(dots.get_offsets()[:, 0], [60, 30])
    # 4.303: Student's t for two degrees of freedom; a standard deviation of 10 over three seeds.
    half = 4.3027 * 10 / 3**0.5
    np.testing.assert_allclose(intervals.get_segments()[0][:, 0], [60 - half, 60 + half], rtol=1e-4)
    # A rule after normalisation has the colour of its map.
    assert figures.color("norm siren-max, undivided") == figures.COLORS["siren-max"]


def test_layers_are_shown_at_the_end(table):
    start = table.assign(step=0, value=0.9)
    figure = figures.layers(pd.concat([table, start]), ["softmax"], depth=3)
    top, gradient = figure.axes
    for ax in (top, gradient):
        assert list(lines(ax)[0].get_xdata()) == [1, 2, 3]
        np.testing.assert_allclose(lines(ax)[0].get_ydata(), 0.6)
    assert lines(top, ":")[0].get_ydata()[0] == 1 / 16  # an even share


def test_figures_are_closed_and_on_white():
    made = figures.along(3, ["softmax"])
    assert made.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []
