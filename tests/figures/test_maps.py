"""The small pictures of a map show what the map computes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba

import sharplib
from sharplib import CATALOGUE
from sharplib.figures import maps, style

every_mapping = pytest.mark.parametrize("mapping", CATALOGUE.values(), ids=CATALOGUE.keys())


@every_mapping
@pytest.mark.parametrize("draw", [maps.simplex, maps.ramp])
def test_a_picture_is_handed_over_closed_and_on_white(mapping, draw):
    figure = draw(mapping)
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert tuple(figure.get_size_inches()) == (3.0, 2.5)  # all alike, to be compared
    assert plt.get_fignums() == []


def test_lines_of_scores_keep_two_items_at_a_distance():
    lines = maps.score_lines(reach=2.0, spacing=1.0, points=7)
    assert lines.shape == (3 * 5 * 7, 3)
    np.testing.assert_allclose(lines.sum(-1), 0, atol=1e-15)
    gaps = lines[: 5 * 7, 0] - lines[: 5 * 7, 1]
    np.testing.assert_allclose(np.unique(gaps.round(12)), [-2, -1, 0, 1, 2])


def test_the_plane_of_scores_is_to_scale():
    plane = maps.score_plane(reach=3.0, points=7)
    np.testing.assert_allclose(plane.sum(-1), 0, atol=1e-15)
    # One step of the grid is a distance of 1 between scores, in either direction.
    for axis in (0, 1):
        np.testing.assert_allclose(np.linalg.norm(np.diff(plane, axis=axis), axis=-1), 1)


def test_shares_add_up_to_one_or_are_not_there():
    rows = np.array([[1.0, 2.0, 0.0], [-1.0, -2.0, 0.0]])
    shares = maps.shares(CATALOGUE["relu_weights"], rows)
    np.testing.assert_allclose(shares[0], [1 / 3, 2 / 3, 0])
    assert np.isnan(shares[1]).all()


def points(figure, color):
    """The points of the triangle that have this colour, as weights of three items."""
    found = [line for line in figure.axes[0].lines[1:] if to_rgba(line.get_color()) == color]
    x, y = np.concatenate([line.get_data() for line in found], axis=1)
    third = y / np.sqrt(0.75)
    second = x - third / 2
    return np.stack([1 - second - third, second, third], -1)


@pytest.mark.parametrize("name", ["softmax", "sparsemax", "entmax15"])
def test_the_triangle_holds_the_weights_of_the_lines(name):
    figure = maps.simplex(CATALOGUE[name])
    p = getattr(sharplib, name)(maps.score_lines(3.0, 0.5))
    zeros = (p == 0).any(-1)
    np.testing.assert_allclose(points(figure, to_rgba(style.PALETTE[0])), p[~zeros], atol=1e-12)
    np.testing.assert_allclose(points(figure, to_rgba(style.PALETTE[1])), p[zeros], atol=1e-12)
    assert zeros.any() == (name != "softmax")


def test_negative_weights_lie_outside_the_triangle():
    figure = maps.simplex(CATALOGUE["cos_max"])
    assert (points(figure, to_rgba(style.PALETTE[0])) > 0).all()
    assert (points(figure, to_rgba(style.PALETTE[3])).min(-1) < 0).all()
    (disc,) = figure.axes[0].child_axes
    counts = np.asarray(disc.images[0].get_array().filled(np.nan))
    assert counts[80, 80] == 3  # equal scores
    assert counts[157, 80] == 4  # the third score is 2.4, where its cosine is below 0
    seen = maps.describe(CATALOGUE["cos_max"])["simplex"]
    assert re.search(r"no scores give an exact zero, \d+% a negative weight", seen)


def test_the_disc_is_shaded_where_sparsemax_has_zeros():
    (disc,) = maps.simplex(CATALOGUE["sparsemax"]).axes[0].child_axes
    counts = np.asarray(disc.images[0].get_array().filled(np.nan))
    assert counts[80, 80] == 3  # equal scores in the middle
    assert np.isnan(counts[0, 0])  # outside the disc
    assert counts[157, 80] == 1  # far towards the third item
    assert counts[2, 80] == 2  # far away from it, half-way between the other two
    # The scores with three weights are the triangle with corners at distance sqrt(2/3), area
    # sqrt(3)/2, of the disc's 9 pi; the grid has steps of 6/159.
    assert (counts == 3).sum() * (6 / 159) ** 2 == pytest.approx(np.sqrt(3) / 2, rel=0.03)


def test_the_ramp_shows_weights_at_three_temperatures_and_rings_for_zeros():
    (ax,) = maps.ramp(CATALOGUE["sparsemax"]).axes
    curves = {line.get_label(): line for line in ax.lines if line.get_label().startswith("θ")}
    for temperature in (0.5, 1.0, 2.0):
        expected = sharplib.sparsemax(np.linspace(-2, 2, 8) / temperature)
        np.testing.assert_allclose(curves[f"θ = {temperature:g}"].get_ydata(), expected)
    rings = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    heights = np.concatenate([line.get_ydata() for line in rings])
    assert (heights == 0).all()
    assert len(heights) == 7 + 6 + 5


def test_leaders_are_five_above_the_lowest():
    alone, crowd = maps.leaders(6)
    np.testing.assert_array_equal(alone, [6, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(crowd, [6, 5, 4, 3, 2, 1])


def test_top_weights_follow_their_formulas():
    n = np.array([2, 100, 10_000])
    alone, crowd = maps.top_weights("softmax", tuple(n.tolist()))
    np.testing.assert_allclose(alone, 1 / (1 + (n - 1) * np.exp(-5)))
    step = 5 / (n - 1)
    np.testing.assert_allclose(crowd, (1 - np.exp(-step)) / (1 - np.exp(-step * n)), rtol=1e-10)


@pytest.mark.parametrize("name", ["softmax", "sparsemax", "stick_breaking"])
def test_growth_draws_the_top_weights_beside_those_of_softmax(name):
    (ax,) = maps.growth(CATALOGUE[name]).axes
    drawn = {line.get_label(): line for line in ax.lines}
    alone, crowd = maps.top_weights(name)
    np.testing.assert_array_equal(drawn["alone"].get_ydata(), alone)
    np.testing.assert_array_equal(drawn["in a crowd"].get_ydata(), crowd)
    np.testing.assert_array_equal(drawn["softmax"].get_ydata(), maps.top_weights("softmax")[0])
    assert drawn["alone"].get_xdata()[0] == 2
    assert drawn["alone"].get_xdata()[-1] == 1_000_000


def test_descriptions_say_what_is_drawn():
    seen = maps.describe(CATALOGUE["sparsemax"])
    assert set(seen) == {"simplex", "ramp", "growth"}
    # The triangle without zeros has the area sqrt(3)/2, the disc 9 pi: 97 % have one.
    assert "97% of the scores" in seen["simplex"]
    assert "weighs 1.00, 0.79, 0.62, and 7, 6, 5 of" in seen["ramp"]
    assert re.search(r"alone from 1 .* to 1 at a million", seen["growth"])
    assert "no scores give an exact zero" in maps.describe(CATALOGUE["softmax"])["simplex"]
