"""The figures of exact zeros show what the library computes."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import sharplib
from sharplib.figures import sparse as figures


def texts(figure):
    return [t.get_text() for ax in figure.axes for t in ax.texts]


@pytest.fixture
def shares():
    index = [2, 1000]
    return pd.DataFrame({1.0: [0.7, 0.01], 1.5: [0.8, 0.2], 2.0: [0.9, 0.8]}, index=index)


def test_what_stands_out_is_the_weight():
    x = [0.6, 0.5, 0.2, -1.0]
    figure = figures.threshold(x)
    bars = figure.axes[0].patches[len(x) :]
    assert [bar.get_height() for bar in bars] == pytest.approx(sharplib.sparsemax(np.array(x)))
    assert all(bar.get_y() == pytest.approx(0.1) for bar in bars)
    assert {"τ = 0.10", "0.50", "0.40", "0.10", "0"} <= set(texts(figure))


def test_a_leader_and_what_it_keeps(shares):
    figure = figures.leader(shares, lead=0.8)
    lines = figure.axes[0].get_lines()
    solid = [line for line in lines if line.get_linestyle() == "-"]
    dotted = [line for line in lines if line.get_linestyle() == ":"]
    assert [list(line.get_ydata()) for line in solid] == [list(shares[a]) for a in shares]
    assert [line.get_ydata()[0] for line in dotted] == pytest.approx([0.16, 0.8])
    assert texts(figure) == ["softmax", "entmax, α = 1.5", "sparsemax"]


def test_heads_lie_where_they_were_measured(shares):
    dots = pd.Series([0.5, 0.1], index=[1.0, 30.0])
    figure = figures.crowd(shares, {"sparsemax": dots})
    (found,) = [line for line in figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert list(found.get_xdata()) == [1.0, 30.0]
    assert list(found.get_ydata()) == [0.5, 0.1]
    assert found.get_color() == figures.COLORS[2.0]


def test_margins_are_marked_where_the_loss_ends():
    figure = figures.margins()
    dots = [line for line in figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert [float(dot.get_xdata()[0]) for dot in dots] == [2.0, 1.0]
    lead, loss = figure.axes[0].get_lines()[0].get_data()
    assert loss == pytest.approx(np.log1p(np.exp(-lead)), abs=1e-12)  # cross-entropy of two items


def test_learned_paths_end_at_their_names():
    figure = figures.learned(pd.DataFrame({1.1: [1.5, 1.2], 1.8: [1.5, 1.7]}))
    assert texts(figure) == ["made with 1.1", "made with 1.8"]


@pytest.mark.parametrize("figure", [figures.margins, lambda: figures.threshold([1.0, 0.5])])
def test_figures_are_closed_and_on_white(figure):
    made = figure()
    assert made.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []
