"""The figures of max retrieval show the numbers of the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from sharplib.figures import max_retrieval as figures
from sharplib.studies import max_retrieval as study

SIZES = (16, 64, 256)


@pytest.fixture(scope="module")
def table():
    settings = study.Settings(study.Training(width=4, steps=2, batch=2), sizes=SIZES, test_sets=4)
    return study.run(settings, (0, 1))


def lines(ax):
    return {line.get_label(): line.get_data() for line in ax.lines}


@pytest.mark.parametrize("name", ["heat_maps", "accuracy", "decomposition", "head_starts"])
def test_a_figure_is_handed_over_closed_and_on_white(table, name):
    arguments = {
        "heat_maps": ({n: np.eye(4) for n in SIZES},),
        "accuracy": (table, study.published()),
        "decomposition": (table,),
        "head_starts": ([100.0], np.zeros((1, 10))),
    }
    figure = getattr(figures, name)(*arguments[name])
    assert isinstance(figure, Figure)
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []


def test_heat_maps_show_the_weights_on_one_scale():
    panels = {n: np.random.default_rng(n).random((32, 16)) for n in SIZES}
    shown = [ax for ax in figures.heat_maps(panels).axes if ax.images]
    for ax, (n, panel) in zip(shown, panels.items(), strict=True):
        assert f"n = {n}" in (ax.get_title(), ax.get_title(loc="left"))  # as the style says
        np.testing.assert_array_equal(ax.images[0].get_array(), panel)
        assert ax.images[0].get_clim() == (0, 1)


def test_accuracy_is_the_mean_over_seeds_beside_the_published_figure(table):
    (ax,) = figures.accuracy(table, study.published()).axes
    sizes, ours = lines(ax)["adaptive, ours"]
    rows = table[(table.rule == "adaptive") & (table.measure == "accuracy")]
    assert tuple(sizes) == SIZES
    np.testing.assert_allclose(ours, [rows[rows["size"] == n].value.mean() for n in SIZES])
    open_circles = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata().tolist() for line in open_circles] == [[32, 128, 8192]] * 2


def test_decomposition_shows_ranking_and_top_weight(table):
    predicted = pd.DataFrame({"ranking": [1.0, 0.5], "top_weight": [0.9, 0.1]}, index=[16, 256])
    left, right = figures.decomposition(table, predicted).axes
    ranking = table[table.measure == "ranking"].groupby("size").value.mean()
    np.testing.assert_allclose(lines(left)["trained heads"][1], ranking)
    top = table[(table.measure == "top_weight") & (table.rule == "softmax")]
    np.testing.assert_allclose(lines(right)["softmax"][1], top.groupby("size").value.mean())
    assert lines(left)["eleven numbers per head"][1].tolist() == [1.0, 0.5]
    assert lines(right)["eleven numbers per head"][1].tolist() == [0.9, 0.1]


def test_head_starts_are_drawn_on_the_scale_of_the_gaps():
    starts = np.array([[0.001, -0.001], [0.002, -0.002]])
    (ax,) = figures.head_starts([100.0, 120.0], starts, sizes=(99,)).axes
    drawn = [line.get_xdata() for line in ax.lines]
    np.testing.assert_allclose(drawn, [[1, -1], [2, -2], [0, 10]])
    assert [label.get_text() for label in ax.texts] == ["B = 100", "B = 120"]


def test_a_rule_without_published_figures_can_be_drawn(table):
    published = study.published()
    (ax,) = figures.accuracy(table, published, rules=["hard maximum"]).axes
    assert "hard maximum, published" not in lines(ax)
