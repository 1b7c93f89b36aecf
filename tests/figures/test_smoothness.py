"""The figures of the price of smoothness show what the theory and the studies say."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import sharplib
from sharplib.figures import smoothness as figures
from sharplib.theory import smoothness as theory


def texts(figure):
    return [t.get_text() for ax in figure.axes for t in ax.texts]


def test_softmax_lies_on_lines_of_equal_price():
    figure = figures.softmax_only([16, 1024], [0.5, 2])
    lines = [line for line in figure.axes[0].lines if line.get_marker() == "None"]
    for n, line in zip((16, 1024), lines, strict=True):
        product = line.get_xdata() * line.get_ydata()
        assert product == pytest.approx(float(theory.softmax_loss(n)) / 2)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [float(dot.get_ydata()[0]) for dot in dots] == [1, 0.25, 1, 0.25]
    assert {"16 items", "1,024 items", "θ = 0.5", "θ = 2"} == set(texts(figure))


def test_no_map_is_below_the_lower_curve():
    figure = figures.privacy_price([2, 16, 1000])
    own, least = figure.axes[0].lines
    assert own.get_ydata() == pytest.approx(theory.softmax_privacy_price([2, 16, 1000]))
    assert least.get_ydata() == pytest.approx(theory.least_privacy_price([2, 16, 1000]))
    assert texts(figure)[:2] == ["softmax", "least for any map"]


@pytest.mark.parametrize(
    ("scores", "delta"), [([1.0, 0.8, 0.3, -0.4], 1.0), ([0.3, 0.5], 2.0), ([1.0, 0.0], 0.5)]
)
def test_bands_add_up_to_the_weights(scores, delta):
    figure = figures.threshold(scores, delta)
    p = sharplib.plsoftmax(np.array(scores), delta)
    order = np.argsort(scores)[::-1]
    found = dict.fromkeys(range(len(scores)), 0.0)
    for bar in figure.axes[0].patches:
        # A bar is as opaque as the share is large.
        found[round(bar.get_y() + bar.get_height() / 2)] += bar.get_width() * bar.get_alpha()
    assert [found[place] / delta for place in range(len(scores))] == pytest.approx(list(p[order]))
    assert [text for text in texts(figure) if text.startswith("item")] == [
        f"item {i + 1}: {p[i]:.2f}" if p[i] else f"item {i + 1}: 0" for i in order
    ]


def test_three_pairs_of_norms():
    figure = figures.norms([2, 16, 64])
    for ax, pair in zip(figure.axes, theory.PAIRS, strict=True):
        lines = {line.get_label(): line.get_ydata() for line in ax.lines}
        assert lines["PLSoftMax"][1] == theory.slopes(16)[pair]["plsoftmax"]
        assert lines["sparsemax"][2] == theory.slopes(64)[pair]["sparsemax"]
        assert lines["softmax"][0] == theory.slopes(2)[pair]["softmax"]
    assert theory.PAIRS[2] == (math.inf, 1.0)


def test_maps_lie_on_the_plane_where_they_were_measured():
    measured = pd.DataFrame(
        {"loss": [1.4, 0.2], "slope": [0.5, 1.9]}, index=["softmax", "sparsemax"]
    )
    figure = figures.plane(measured, 16)
    dots = {line.get_marker(): line.get_xydata()[0] for line in figure.axes[0].lines}
    assert list(dots["o"]) == [1.4, 0.5]
    assert list(dots["s"]) == [0.2, 1.9]  # gives exact zeros
    assert {"softmax", "sparsemax", "price 1"} <= set(texts(figure))


def test_private_choices_are_means_with_intervals():
    rows = [
        (seed, rule, kind, "digits", budget, 0.5 + 0.1 * seed)
        for seed in (0, 1, 2)
        for rule, kind in (("power", "by a factor"), ("exp", "by one record"))
        for budget in (1.0, 4.0)
    ]
    names = ["seed", "rule", "neighbours", "data", "budget", "value"]
    figure = figures.private(pd.DataFrame(rows, columns=names), "digits")
    for ax, kind in zip(figure.axes, ("by a factor", "by one record"), strict=True):
        assert (ax.get_title() or ax.get_title("left")) == f"neighbours differ {kind}"
        (line,) = ax.lines
        assert list(line.get_xdata()) == [1, 4]
        assert line.get_ydata() == pytest.approx([60, 60])
        band = ax.collections[0].get_paths()[0].vertices[:, 1]
        # t(0.975, 2) = 4.303 times the standard error 10 / sqrt(3)
        assert (band.min(), band.max()) == pytest.approx((60 - 24.84, 60 + 24.84), abs=0.01)


def test_figures_are_closed_and_on_white():
    for figure in (figures.privacy_price([2, 16]), figures.threshold([1.0, 0.5], 1.0)):
        assert figure.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []
