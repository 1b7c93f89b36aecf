"""The figures of adaptive temperature show what the rules do, and appear once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import sharplib
from sharplib.figures import adaptive as figures
from sharplib.mappings import PUBLISHED_COEFFICIENTS

ROW = np.array([4.0, 3.0, 2.0, 1.0])
SIZES = (16, 64, 256)
CLOUD = (np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.5, 0.25]))


def table() -> pd.DataFrame:
    """Accuracy 1/n under softmax, and what softmax has at n/4 under "adaptive"."""
    rows = [
        {"size": n, "rule": rule, "measure": measure, "value": value}
        for n in SIZES
        for rule, measure, value in [
            ("softmax", "accuracy", 16 / n),
            ("adaptive", "accuracy", 64 / n),
            ("entropy-matched", "accuracy", 0.9),
            ("logits", "ranking", 0.95),
        ]
    ]
    return pd.DataFrame(rows)


def lines(ax):
    return {line.get_label(): line.get_data() for line in ax.lines}


COOLING = {
    "softmax": pd.Series(1.0, index=SIZES),
    "adaptive": pd.Series(4.0, index=SIZES),
}


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.weight_against_cooling(ROW, {"first": 0, "second": 1}),
        figures.two_readings,
        lambda: figures.fits({"head": CLOUD}, {"head": (2.0,)}),
        lambda: figures.trainings({"one": table(), "other": table()}),
        lambda: figures.one_curve(table(), COOLING),
    ],
)
def test_a_figure_is_handed_over_closed_and_on_white(draw):
    figure = draw()
    assert isinstance(figure, Figure)
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []  # a notebook would show an open figure a second time


def test_weights_are_those_of_softmax_and_the_dot_is_where_the_mean_reaches_the_item():
    (ax,) = figures.weight_against_cooling(ROW, {"first": 0, "second": 1}).axes
    first, second, dot = ax.lines[:3]
    for item, line in enumerate((first, second)):
        beta, weight = line.get_data()
        np.testing.assert_allclose(weight, sharplib.softmax(beta[:, None] * ROW)[:, item])
    (best,) = dot.get_xdata()
    p = sharplib.softmax(best * ROW)
    # the grid of β has steps of 2 %, and the mean moves by less than that
    assert p @ ROW == pytest.approx(ROW[1], abs=0.02)


def test_an_item_on_top_has_no_best_temperature_and_no_dot():
    (ax,) = figures.weight_against_cooling(ROW, {"first": 0}).axes
    assert [line.get_marker() for line in ax.lines] == ["None", "None"]


def test_the_published_reading_is_what_the_library_does_and_the_other_is_not():
    ax = figures.two_readings().axes[0]
    (h, right), (_, wrong) = (line.get_data() for line in ax.lines[:2])
    rng = np.random.default_rng(0)
    for scale in (0.5, 2.0, 4.0):
        x = scale * rng.standard_normal(64)
        entropy = sharplib.measures.entropy(sharplib.softmax(x))
        beta = np.interp(entropy, h, right)
        # the curve is drawn at every 0.005 nats
        np.testing.assert_allclose(sharplib.softmax(beta * x), sharplib.adaptive_softmax(x), 1e-3)
    assert wrong[h > 2.2].max() == 1
    assert wrong.max() > 3


def test_fits_show_temperatures_that_never_warm():
    (ax,) = figures.fits({"head": CLOUD}, {"head": (2.0,)}).axes
    dots, *_ = ax.lines
    np.testing.assert_array_equal(dots.get_ydata(), [1, 0.5, 0.25])
    h, published = lines(ax)["published"]
    expected = 1 / np.maximum(np.polyval(PUBLISHED_COEFFICIENTS, h), 1)
    np.testing.assert_allclose(published, expected)
    h, fitted = lines(ax)["fitted here"]
    assert (h.min(), h.max()) == (1, 3)
    np.testing.assert_array_equal(fitted, 0.5)


def test_trainings_stand_side_by_side_and_below_the_ranking():
    figure = figures.trainings({"one": table(), "other": table()})
    assert len(figure.axes) == 2
    for ax in figure.axes:
        sizes, accuracy = lines(ax)["adaptive"]
        assert tuple(sizes) == SIZES
        np.testing.assert_allclose(accuracy, [4, 1, 0.25])
        (forbidden,) = ax.collections
        assert forbidden.get_paths()[0].vertices[:, 1].min() == 0.95


def test_one_curve_divides_the_size_by_the_inverse_temperature():
    plain, moved = figures.one_curve(table(), COOLING).axes
    np.testing.assert_array_equal(lines(plain)["adaptive"][0], SIZES)
    n, accuracy = lines(moved)["adaptive"]
    np.testing.assert_array_equal(n, [4, 16, 64])
    np.testing.assert_allclose(accuracy, 16 / n)  # the curve of softmax
