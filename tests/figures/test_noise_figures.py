"""The figures of reversible noise show what the theory computes and what the tables say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from sharplib.figures import reversible_noise as figures
from sharplib.studies import reversible_noise as study
from sharplib.theory import multiplication
from sharplib.theory import reversible_noise as theory


def texts(figure):
    return [t.get_text() for ax in figure.axes for t in ax.texts]


def marked(axes, marker):
    return [line.get_xydata().tolist() for line in axes.get_lines() if line.get_marker() == marker]


def test_every_unit_has_a_path_in_the_colour_of_its_end():
    weights = np.array([[[0.5, 0.6], [0.4, 0.3]], [[1.0, 1.0], [0.0, 0.0]]])
    figure = figures.paths(np.array([0, 10]), weights)
    for which, ax in enumerate(figure.axes):
        for unit, color in enumerate((figures.RIGHT, figures.WRONG)):
            line = ax.get_lines()[unit]
            assert list(line.get_ydata()) == list(weights[:, unit, which])
            assert line.get_color() == color
    assert texts(figure) == ["1 units", "1 units"]


def test_wrong_answers_and_borders_are_where_the_theory_has_them():
    cases = [
        ("trap", -1.2, -1.1, None),
        ("valley", -0.2, -0.1, None),
        ("none", -0.2, -0.1, (0.2, 1.8)),
    ]
    starts = np.array([[0.3, 0.3], [0.7, 0.7]])
    figure = figures.surfaces(cases, [(starts, np.array([False, True]))])
    trap, valley, none = figure.axes
    assert marked(trap, "X") == [[[0, 0]]]
    dale, hill = theory.rest_points(-0.2, -0.1)
    assert marked(valley, "X") == [[pytest.approx([dale, dale])]]
    assert marked(none, "X") == []
    dashed = [line for line in valley.get_lines() if line.get_linestyle() == "--"]
    assert dashed[0].get_xydata().sum(-1) == pytest.approx(2 * hill)
    assert [line for line in none.get_lines() if line.get_linestyle() == "--"] == []
    assert marked(trap, "o") == [[[0.7, 0.7]], [[0.3, 0.3]]]
    assert [ax.get_title() for ax in figure.axes] == ["trap", "valley", "none"]


def test_rates_stand_on_their_means():
    failed = pd.DataFrame({"mean": [-1.15, -0.35], "failures": [37, 100], "units": [100, 100]})
    (ax,) = figures.rates(failed, {-1.5: 0.2}).axes
    assert marked(ax, "o") == [[[-1.15, 0.37]], [[-0.35, 1.0]]]
    assert marked(ax, "D") == [[[-1.5, 0.2]]]
    mean, law = ax.get_lines()[0].get_data()
    assert law == pytest.approx(theory.narrow_failure_rate(mean))
    shown = [t.get_text() for t in ax.get_legend().get_texts()]
    assert shown == ["predicted", "100 units, 95 % interval", "published"]
    figures.rates(pd.DataFrame(), {})  # where nothing is stored


def test_the_push_is_the_shifted_weight():
    (ax,) = figures.push(4.0, (1.0, 2.0)).axes
    w, v = ax.get_lines()[1].get_data()
    assert v == pytest.approx(4 * w / (4 * w + 1 - w))
    assert {"noise always 4", "noise 1 to 2"} <= set(texts(ax.figure))


def test_cells_lie_at_their_prediction():
    table = pd.DataFrame(
        {"noise": ["none", "batch"], "predicted": [0.3, 0.1], "failures": [7, 2], "units": [20, 20]}
    )
    (ax,) = figures.agreement(table).axes
    dots = [line.get_xydata().tolist() for line in ax.get_lines()[1:]]
    assert dots == [[[0.3, 0.35]], [[0.1, 0.1]]]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["no noise", "batch noise"]


def test_every_noise_has_a_name_of_the_study():
    assert set(figures.NAMES) <= set(study.NOISE)


def test_the_shading_is_the_error():
    figure = figures.surfaces([("x", -2.0, -1.0, None)])
    (ax,) = figure.axes
    levels = ax.collections[0].levels
    top = np.log10(multiplication.error(*np.mgrid[0:1:121j, 0:1:121j], -2.0, -1.0).max())
    assert levels[-1] == pytest.approx(top, abs=1e-9)


@pytest.mark.parametrize("figure", [figures.push, lambda: figures.surfaces([("", 1, 2, None)])])
def test_figures_are_closed_and_on_white(figure):
    made = figure()
    assert made.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []
