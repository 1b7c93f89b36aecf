"""One score under the hands of a reader, beside the library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

import sharplib
from sharplib.figures.explorers import OneScore
from sharplib.theory import periodic

Mount = Callable[..., Page]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site

MAPS = {
    "sin_softmax": sharplib.sin_softmax,
    "shifted_sin2_max": sharplib.shifted_sin2_max,
    "siren_max": sharplib.siren_max,
    "sin_max": lambda x: sharplib.sin_max(x, offset=1.0, frequency=10.0),
    "softmax": sharplib.softmax,
}


def check(page: Page, read: Read, name: str) -> float:
    """The page shows the library's numbers at the score on the page; gives back the score."""
    (x,), (n,) = read(page, "score"), read(page, "n")
    row = np.r_[x, np.zeros(int(n) - 1)]
    # The sum over n items here, one product there.
    np.testing.assert_allclose(read(page, "weight"), MAPS[name](row)[0], rtol=1e-8)
    slope = periodic.jacobian(name, row)[0, 0]
    np.testing.assert_allclose(read(page, "slope"), slope, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(read(page, "softmax"), sharplib.softmax(row)[0], rtol=1e-9)
    most = OneScore(map=name, n=int(n)).most()
    np.testing.assert_allclose(read(page, "most"), most, rtol=1e-12)
    words = page.locator(".sharp-sentence").inner_text()
    assert ("less weight" in words) == (slope < 0)
    return x


def test_dragging_the_score_along_its_axis(mounted: Mount, read: Read) -> None:
    page = mounted(OneScore(score=0))
    box = page.locator("svg [role=slider] .sharp-grip").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    scores, weights = [], []
    for step in range(1, 13):
        page.mouse.move(x + 15 * step, y)
        scores.append(check(page, read, "sin_softmax"))
        weights += read(page, "weight")
    page.mouse.up()
    assert scores == sorted(set(scores))  # always to the right
    assert scores[-1] > np.pi
    turn = int(np.argmax(weights))
    assert 0 < turn < len(weights) - 1  # up, and down again
    assert abs(scores[turn] - np.pi / 2) < 0.5


def test_every_map_and_size(mounted: Mount, read: Read) -> None:
    page = mounted(OneScore(score=2.5, n=40))
    for name in MAPS:
        page.select_option("select", name)
        check(page, read, name)
    page.select_option("select", "sin_softmax")
    page.locator("input[name=n]").press("End")
    check(page, read, "sin_softmax")
    assert read(page, "most")[0] < 3e-4
    page.get_by_role("button", name="Reset").click()
    assert read(page, "n") == [40]


def test_by_keyboard(mounted: Mount, read: Read) -> None:
    page = mounted(OneScore(score=1.5))
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert read(page, "score") == [1.51]
    page.keyboard.press("End")
    assert read(page, "score") == [7]
    check(page, read, "sin_softmax")
