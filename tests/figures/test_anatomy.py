"""The figures of heads in the making show the numbers of the table."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from sharplib.figures import anatomy as figures

STEPS = (0, 10, 100)
RECIPES = ("plain", "decay", "both", "neither")
MEASURES = ("sigma_q", "sigma_k", "query_norm", "item_gap", "bound", "spread")


@pytest.fixture(scope="module")
def table():
    """Two seeds of four recipes, looked at three times; every spread is below its bound."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([RECIPES, (0, 1), STEPS], names=["recipe", "seed", "step"])
    table = pd.DataFrame(rng.uniform(1, 9, (len(index), 6)), index, columns=MEASURES)
    table["bound"] = table["spread"] * rng.uniform(1, 4, len(index))
    return table.reset_index()


@pytest.fixture(scope="module")
def times(table):
    looked = table.set_index(["recipe", "seed", "step"])
    times = looked.xs(100, level="step") / looked.xs(0, level="step")
    return times.assign(use=times.spread / times[list(MEASURES[:4])].prod(axis=1))


def draw(name, table, times):
    singular = {"Q": {"a head": np.array([3.0, 1.0, 0.1])}, "K": {"a head": np.array([2.0, 1.0])}}
    arguments = {
        "growth": (table, "decay"),
        "bill": (times,),
        "recipes": (times, {"use": "use", "spread": "growth"}, ["spread"]),
        "spectra": (singular,),
    }
    return getattr(figures, name)(*arguments[name])


def title(ax):
    return ax.get_title(loc="left") or ax.get_title()


@pytest.mark.parametrize("name", ["growth", "bill", "recipes", "spectra"])
def test_a_figure_is_handed_over_closed_and_on_white(table, times, name):
    figure = draw(name, table, times)
    assert isinstance(figure, Figure)
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert plt.get_fignums() == []


def test_growth_shows_the_mean_of_the_seeds_and_every_seed(table, times):
    left, right = draw("growth", table, times).axes
    rows = table[table.recipe == "decay"].set_index(["step", "seed"]).sort_index()
    for ax, names, measures in (
        (left, ["bound", "spread"], ["bound", "spread"]),
        (right, list(figures.FACTORS.values()), list(figures.FACTORS)),
    ):
        lines = [line.get_ydata() for line in ax.lines if line.get_linestyle() != "None"]
        dots = [line.get_ydata() for line in ax.lines if line.get_linestyle() == "None"]
        for number, measure in enumerate(measures):
            seeds = rows.assign(use=rows.spread / rows.bound)[measure].unstack("seed")
            if ax is right:
                seeds = seeds / seeds.loc[0]
            np.testing.assert_allclose(lines[number], np.sqrt(seeds[0] * seeds[1]))
            np.testing.assert_allclose(dots[2 * number : 2 * number + 2], seeds.T)
        assert sorted(text.get_text() for text in ax.texts) == sorted(names)
        assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "10", "100"]


def test_names_of_lines_that_end_together_do_not_overlap(table):
    together = table.assign(**dict.fromkeys(MEASURES, 5.0))
    together.loc[together.step == 0, list(MEASURES)] = 1.0
    figure = figures.growth(together, "plain")
    figure.canvas.draw()
    for ax in figure.axes:
        boxes = sorted((text.get_window_extent() for text in ax.texts), key=lambda box: box.y0)
        for low, high in pairwise(boxes):
            # Line boxes include white above and below the letters: a third of them may be shared.
            assert high.y0 > low.y0 + 0.67 * low.height


def test_the_bill_multiplies_to_the_growth_of_the_spread(times):
    axes = [ax for ax in draw("bill", None, times).axes if ax.axison]
    assert [title(ax).split(":")[0] for ax in axes] == list(RECIPES)
    for ax, recipe in zip(axes, RECIPES, strict=True):
        ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
        expected = np.exp(np.log(times.loc[recipe]).mean())
        np.testing.assert_allclose(ends, expected[list(figures.FACTORS)])
        np.testing.assert_allclose(np.prod(ends), expected["spread"])
        assert title(ax).endswith(f"spread × {expected['spread']:,.0f}")


def test_every_head_is_a_dot_and_the_mean_suits_the_axis(times):
    logarithmic, linear = draw("recipes", None, times).axes
    for ax, measure in ((logarithmic, "use"), (linear, "spread")):
        for row, recipe in enumerate(RECIPES):
            seeds = times.loc[recipe, measure]
            dots, mean = ax.lines[2 * row : 2 * row + 2]
            np.testing.assert_allclose(dots.get_xdata(), seeds)
            expected = seeds.mean() if ax is linear else np.sqrt(seeds.prod())
            np.testing.assert_allclose(mean.get_xdata(), [expected])
    assert (logarithmic.get_xscale(), linear.get_xscale()) == ("log", "linear")
    assert linear.get_xlim()[0] == 0


def test_spectra_count_ranks_from_one():
    figure = figures.spectra({"Q": {"a": np.array([3.0, 1.0]), "b": np.array([2.0, 0.5])}})
    first, second = figure.axes[0].lines
    assert first.get_xydata().tolist() == [[1, 3], [2, 1]]
    assert second.get_xydata().tolist() == [[1, 2], [2, 0.5]]
    assert (first.get_label(), second.get_label()) == ("a", "b")
