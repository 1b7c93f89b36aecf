"""The figures of bent scores show what the library computes."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import sharplib
from sharplib.figures import modulation as figures
from sharplib.figures import style

ROW = [2.0, 1.5, -0.5, -1.0]
BEND = (0.0, 1.0), (-1.5, -0.75)


@pytest.fixture
def table():
    """What the study gives, for two seeds, of which the second has a line that falls."""
    rows = []
    for seed, c0 in ((0, -0.5), (1, 1.5)):
        for layer in (1, 2):
            measured = {f"{letter}{k}": 0.0 for letter in "rc" for k in range(4)}
            measured |= {"c0": c0, "order_kept": float(c0 < 1), "M": 0.5 + seed, "S": layer / 4}
            for measure, value in measured.items():
                rows.append(("multimax", "digits", seed, layer, measure, value))
    columns = ["rule", "task", "seed", "layer", "measure", "value"]
    return pd.DataFrame(rows, columns=columns)


def test_both_measures_have_one_over_n_as_reference():
    p, x = np.array([0.5, 0.3, 0.1, 0.1]), np.array([2.0, 1.0, -1.0, -1.0])
    assert figures.both(p, x, 0.0) == pytest.approx((0.8, np.exp(-0.4)))


def test_dots_lie_on_the_line_and_bars_are_the_weights():
    left, right = figures.bent(ROW, *BEND).axes
    x, y = left.get_lines()[2].get_data()
    assert list(x) == ROW
    p = sharplib.multimax(np.array(ROW), *BEND)
    assert np.exp(y) / np.exp(y).sum() == pytest.approx(p)
    heights = [bar.get_height() for bar in right.patches]
    assert heights == pytest.approx([*sharplib.softmax(np.array(ROW)), *p])
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["softmax", "bent"]


def test_the_plane_has_the_way_of_the_temperatures_and_a_square():
    (ax,) = figures.plane(ROW, 0.0, {"mine": BEND}).axes
    way, *dots, square = ax.get_lines()
    modality, sparsity = way.get_data()
    assert (np.diff(modality) > 0).all()  # hotter to the right
    assert (np.diff(sparsity) < 1e-15).all()  # at the cold end S is 1 to the last bit
    assert len(dots) == 3
    p = sharplib.multimax(np.array(ROW), *BEND)
    (at_m,), (at_s,) = square.get_data()
    assert (at_m, at_s) == pytest.approx(figures.both(p, np.array(ROW), 0.0))
    assert "mine" in [text.get_text() for text in ax.texts]


def test_lines_that_fall_are_orange(table):
    axes = figures.learned(table, [1, 2]).axes
    assert [ax.get_title() for ax in axes] == ["layer 1", "layer 2"]
    _, kept, fallen = axes[0].get_lines()
    assert kept.get_color() == style.PALETTE[0]
    assert fallen.get_color() == style.PALETTE[1]
    x, y = fallen.get_data()
    assert np.diff(y)[x[1:] < 0] == pytest.approx(-0.5 * np.diff(x)[x[1:] < 0])
    assert y[x == 0] == pytest.approx(0)


def test_trained_attention_lies_at_the_mean_over_seeds(table):
    (ax,) = figures.trained(table, ["multimax"]).axes
    dots = [line.get_data() for line in ax.get_lines() if len(line.get_xdata())]
    assert [(float(x[0]), float(y[0])) for x, y in dots] == [(1.0, 0.25), (1.0, 0.5)]


@pytest.mark.parametrize(
    "figure", [lambda: figures.bent(ROW, *BEND), lambda: figures.plane(ROW, 0.0, {})]
)
def test_figures_are_closed_and_on_white(figure):
    made = figure()
    assert made.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []
