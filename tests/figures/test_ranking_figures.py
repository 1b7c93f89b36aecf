"""The figures of ranking noise show the table, beside what the theory predicts."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from sharplib.figures import ranking as figures
from sharplib.studies import ranking_noise as study
from sharplib.theory import ranking as theory

SIZES = (64, 256)


@pytest.fixture(scope="module")
def table():
    settings = study.Settings(
        sizes=SIZES, noise=(2.0**-8, 2.0**-5), temperatures=(0.0, 0.5, 2.0, 8.0), sets=20
    )
    return study.run(settings, (0, 1))


@pytest.fixture(scope="module")
def accuracy(table):
    return figures.accuracy_against_temperature(table, size=256)


@pytest.fixture(scope="module")
def ranking(table):
    return figures.ranking_against_size(table)


@pytest.mark.parametrize("name", ["accuracy", "ranking"])
def test_a_figure_is_handed_over_closed_and_on_white(request, name):
    figure = request.getfixturevalue(name)
    assert isinstance(figure, Figure)
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []


def lines(ax, marker):
    return [line.get_data() for line in ax.lines if line.get_marker() == marker]


@pytest.mark.parametrize(("panel", "kind"), [(0, "class"), (1, "item")])
def test_accuracy_is_the_mean_over_seeds(table, accuracy, panel, kind):
    dots = lines(accuracy.axes[panel], "o")
    assert len(dots) == 3
    for noise, (x, y) in zip((0.0, 2.0**-8, 2.0**-5), dots, strict=True):
        cell = table[
            (table["size"] == 256)
            & (table.measure == "accuracy")
            & (table.noise == noise)
            & (table.noise_kind == (kind if noise else "none"))
        ]
        np.testing.assert_allclose(y, cell.groupby("temperature").value.mean())
        np.testing.assert_allclose(x, [0.25, 0.5, 2.0, 8.0])  # in gaps; 0 stands at the left


def test_the_best_temperature_is_marked_on_the_prediction(accuracy):
    head_starts, items = (lines(ax, "*") for ax in accuracy.axes)
    for noise, (x, y) in zip((0.0, 2.0**-8, 2.0**-5), head_starts, strict=True):
        assert x[0] == 0.25  # the place of the hard maximum
        assert y[0] == pytest.approx(float(theory.ranking_over_heads(256, noise)))
    for noise, (x, y) in zip((2.0**-8, 2.0**-5), items[1:], strict=True):
        best = theory.best_temperature(256, noise)
        assert x[0] == pytest.approx(256 * best)
        assert y[0] == pytest.approx(theory.accuracy_with_item_noise(256, best, noise))
    assert items[0][0][0] == 0.25


def test_ranking_is_drawn_beside_its_prediction(table, ranking):
    (ax,) = ranking.axes
    dots, curves = lines(ax, "o"), lines(ax, "None")[:2]
    rows = table[(table.measure == "ranking") & (table.noise_kind == "class")]
    for noise, (x, y), (n, curve) in zip((2.0**-8, 2.0**-5), dots, curves, strict=True):
        cell = rows[rows.noise == noise].groupby("size").value.mean()
        assert tuple(x) == SIZES
        np.testing.assert_allclose(y, cell)
        assert (n[0], n[-1]) == pytest.approx(SIZES)
        assert curve[-1] == pytest.approx(float(theory.ranking_over_heads(256, noise)))
    names = {text.get_text() for text in ax.texts}
    assert {"head starts 1/256", "head starts 1/32"} < names
