"""The figures of the dispersion theorem show what the library computes."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import sharplib
from sharplib.figures import dispersion
from sharplib.theory.compactness import Transformer, propagate
from sharplib.theory.critical_size import critical_size
from sharplib.theory.dispersion import weight_bounds

NET = Transformer.random(np.random.default_rng(0), layers=2, width=4, scale=0.7, norm_eps=1e-5)


@pytest.mark.parametrize(
    "draw",
    [
        dispersion.flattening_bars,
        lambda: dispersion.weights_against_size(largest=1000),
        lambda: dispersion.critical_sizes({"a": 2.0}),
        lambda: dispersion.transformer_spreads(NET, sizes=(2, 8)),
    ],
)
def test_a_figure_is_handed_over_closed(draw):
    assert isinstance(draw(), Figure)
    assert plt.get_fignums() == []


def test_flattening_bars_show_the_weights():
    figure = dispersion.flattening_bars([1.0, 2.0, 3.0], sizes=(3, 12))
    for ax, n in zip(figure.axes, (3, 12), strict=True):
        heights = [bar.get_height() for bar in ax.patches]
        np.testing.assert_allclose(heights, sharplib.softmax(np.resize([1.0, 2.0, 3.0], n)))


def test_weights_lie_between_the_tight_bounds():
    (ax,) = dispersion.weights_against_size(spread=2.0, largest=1000).axes
    lower, upper = ax.lines[:2]
    np.testing.assert_allclose(upper.get_ydata(), weight_bounds(upper.get_xdata(), 2.0)[1])
    np.testing.assert_allclose(lower.get_ydata(), weight_bounds(lower.get_xdata(), 2.0)[0])
    for dots in ax.lines[3:]:
        least, most = weight_bounds(dots.get_xdata()[0], 2.0)
        largest, smallest = dots.get_ydata()
        # two items with the full spread attain both bounds, up to rounding
        assert least * (1 - 1e-12) <= smallest <= largest <= most * (1 + 1e-12)


def test_critical_sizes_mark_the_named_spreads():
    (ax,) = dispersion.critical_sizes({"mean": 5.69}, weights=(0.5, 0.1)).axes
    dot = ax.lines[-1]
    assert dot.get_xdata() == [5.69]
    np.testing.assert_allclose(dot.get_ydata(), [critical_size(5.69, 0.1)])
    assert any("n = 2,664" in text.get_text() for text in ax.texts)


def test_transformer_spreads_stay_under_their_ceilings():
    left, _ = dispersion.transformer_spreads(NET, sizes=(2, 16, 64)).axes
    ceilings = propagate(NET, radius=1.0).spread.max(axis=-1)
    for layer, ceiling in enumerate(ceilings):
        measured, dashed = left.lines[2 * layer : 2 * layer + 2]
        np.testing.assert_allclose(dashed.get_ydata(), ceiling)
        assert (measured.get_ydata() <= ceiling).all()
