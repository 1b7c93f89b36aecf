"""The figures of sharp arithmetic show what was measured."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from sharplib.figures import circuits as figures
from sharplib.studies import single_module


def texts(figure):
    return [t.get_text() for ax in figure.axes for t in ax.texts]


def solid(ax):
    return [line for line in ax.get_lines() if line.get_linestyle() == "-"]


@pytest.fixture
def table():
    rows = [
        ("mul", model, magnitude, seed, "error", error * magnitude * (1 + seed))
        for model, error in (("tanh network", 0.1), ("clipped", 0.0))
        for magnitude in (1.0, 4.0)
        for seed in range(3)
    ]
    rows.append(("mul", "clipped", 1.0, 0, "slack", 0.0))
    return pd.DataFrame(
        rows, columns=["operation", "model", "magnitude", "seed", "measure", "value"]
    )


def test_errors_are_medians_and_exact_ones_are_named(table):
    figure = figures.errors(table)
    one, other = solid(figure.axes[0])
    assert list(one.get_ydata()) == pytest.approx([0.2, 0.8])
    assert list(other.get_ydata()) == [figures.FLOOR] * 2
    assert sorted(texts(figure)) == ["clipped: exactly 0", "tanh network"]


def test_networks_are_drawn_twice_with_their_kinks():
    t = np.linspace(0.5, 20, 40)
    answers = pd.DataFrame({"ReLU network": 2 * t, "tanh network": 0 * t + 3}, index=t)
    figure = figures.straight(answers, np.array([-1.0, 1.5, 9.0, 99.0]), (1.0, 2.0))
    near, far = figure.axes
    kinks = [[line for line in ax.get_lines() if line.get_marker() == "|"] for ax in (near, far)]
    assert [list(line.get_xdata()) for (line,) in kinks] == [[1.5], [1.5, 9.0]]
    dashed = [line for line in far.get_lines() if line.get_linestyle() == "--"]
    assert list(dashed[0].get_ydata()) == pytest.approx(list(t**2))
    assert near.get_xlim()[1] <= 3
    assert texts(figure) == ["ReLU network", "tanh network", "t²"]


def test_the_line_of_slack_runs_through_the_last_point():
    measured = pd.Series([0.02, 0.3], index=[11.0, 101.0])
    figure = figures.slack({"lookup": measured})
    line, dots = figure.axes[0].get_lines()
    assert list(dots.get_ydata()) == [0.02, 0.3]
    slope = line.get_ydata() / (line.get_xdata() - 1)
    assert slope == pytest.approx(0.3 / 100)
    assert texts(figure) == ["lookup"]


def test_without_measurements_there_is_an_empty_figure():
    assert texts(figures.slack({})) == []


def test_a_weight_that_arrives_is_marked():
    paths = pd.DataFrame({"slow": [0.5, 0.4, 0.3], "fast": [0.5, 0.0, 0.0]}, index=[1, 2, 3])
    figure = figures.arrival(paths, pd.Series([0.5, 0.2, 0.1], index=[1, 2, 3]))
    slow, fast, dot, bound = figure.axes[0].get_lines()
    assert list(slow.get_ydata()) == [0.5, 0.4, 0.3]
    assert list(fast.get_ydata()) == [0.5, figures.FLOOR]
    assert (dot.get_xdata()[0], dot.get_marker()) == (2, "o")
    assert bound.get_linestyle() == ":"
    assert texts(figure) == ["slow", "fast: 0"]


def test_every_share_is_a_number_in_its_cell():
    rows = [
        (operation, unit, numbers.name, seed, "success", float(seed < 2))
        for operation, unit in (("add", "NAU"), ("mul", "NMU"), ("mul", "NALU"))
        for numbers in single_module.RANGES
        for seed in range(4)
    ]
    columns = ["operation", "unit", "train", "seed", "measure", "value"]
    figure = figures.success(single_module.summary(pd.DataFrame(rows, columns=columns)))
    assert [ax.get_title("left") or ax.get_title() for ax in figure.axes] == ["+", "×"]
    assert texts(figure) == ["50"] * 27
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == ["NMU", "NALU"]
    assert (np.asarray(figure.axes[1].images[0].get_array()) == np.full((2, 9), 0.5)).all()


def test_figures_are_closed_and_on_white(table):
    assert figures.errors(table).get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []
