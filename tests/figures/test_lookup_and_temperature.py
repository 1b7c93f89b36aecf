"""The figures show what the library computes, and appear once."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import sharplib
from sharplib.figures import lookup, style, temperature

ROWS = {"four": [1.0, 2.0, 3.0, 4.0], "tied": [0.0, 0.0, -1.0]}


@pytest.mark.parametrize(
    "draw",
    [
        lookup.same_lead,
        lookup.blurred_value,
        lambda: lookup.temperature_bars([1.0, 2.0, 3.0, 4.0]),
        lambda: temperature.cooling_curves(ROWS),
        lambda: temperature.heat_capacity([0.0, -0.02, -1.0]),
        temperature.adaptive_polynomial,
        temperature.rules_against_size,
    ],
)
def test_a_figure_is_handed_over_closed_and_on_white(draw):
    figure = draw()
    assert isinstance(figure, Figure)
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []  # a notebook would show an open figure a second time


def test_same_lead_shows_the_weights():
    figure = lookup.same_lead(lead=4.0, sizes=(4, 64))
    for ax, n in zip(figure.axes, (4, 64), strict=True):
        p = sharplib.softmax(np.r_[4.0, np.zeros(n - 1)])
        heights = [bar.get_height() for bar in ax.patches]
        np.testing.assert_allclose(heights, p[: len(heights)])


def test_temperature_bars_show_the_weights():
    figure = lookup.temperature_bars([1.0, 2.0, 3.0, 4.0], temperatures=(0.25, 4.0))
    for ax, theta in zip(figure.axes, (0.25, 4.0), strict=True):
        heights = [bar.get_height() for bar in ax.patches]
        np.testing.assert_allclose(heights, sharplib.softmax(np.arange(1.0, 5.0), -1, theta))


def test_cooling_curves_start_at_log_n_and_end_at_the_ties():
    (ax,) = temperature.cooling_curves(ROWS).axes
    four, tied = (line.get_ydata() for line in ax.lines[:2])
    assert four[0] == pytest.approx(np.log(4), abs=1e-3)
    assert tied[-1] == pytest.approx(np.log(2), abs=1e-9)


def test_the_polynomial_is_drawn_as_the_library_uses_it():
    ax = temperature.adaptive_polynomial().axes[0]
    entropy, beta = ax.lines[1].get_data()
    for n in (2, 10, 100, 1000):
        x = np.linspace(0, 1e-6, n)  # all but flat: entropy log n
        used = np.ptp(np.log(sharplib.adaptive_softmax(x))) / 1e-6
        # Read off a curve of 800 points; the tiny scores cost digits.
        assert np.interp(np.log(n), entropy, beta) == pytest.approx(used, abs=1e-3)


def test_style_is_set_for_a_session():
    with plt.rc_context():
        style.use()
        assert plt.rcParams["axes.prop_cycle"].by_key()["color"] == style.PALETTE
