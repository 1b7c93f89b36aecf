"""The simplex under the hands of a reader, beside the library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

from sharplib import CATALOGUE
from sharplib.figures.explorers import Simplex, _maps

Mount = Callable[..., Page]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site


def middle(page: Page) -> tuple[float, float]:
    """The middle of the grip in the hexagon."""
    box = page.locator("svg [role=slider] .sharp-grip").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def check(page: Page, read: Read, name: str, temperature: float = 1, **parameters: float) -> None:
    """The page shows the library's weights of the scores on the page."""
    p = _maps.weights(name, np.array(read(page, "score")), parameters, temperature)
    shown = [read(page, item)[0] for item in ("first", "second", "third")]
    # The same formulas in two languages: the last digits may differ.
    np.testing.assert_allclose(shown, p, rtol=1e-12, atol=1e-14)


def test_it_begins_with_the_scores_it_was_given(mounted: Mount, read: Read) -> None:
    page = mounted(Simplex(scores=[0.5, 1, -0.25], map="entmax15", temperature=0.5))
    assert read(page, "score") == [0.5, 1, -0.25]
    check(page, read, "entmax15", 0.5)


def test_dragging_the_point_moves_the_weights(mounted: Mount, read: Read) -> None:
    page = mounted(Simplex(scores=[0, 0, 0]))
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 20)
    first, *others = read(page, "score")
    assert first > 0
    np.testing.assert_allclose(others, -first / 2, atol=1e-6)  # state has six decimals
    check(page, read, "sparsemax")
    page.mouse.move(x, y - 400)
    np.testing.assert_allclose(read(page, "score"), [4 / 3, -2 / 3, -2 / 3], atol=1e-6)
    check(page, read, "sparsemax")
    page.mouse.up()
    page.mouse.move(x, y)
    assert read(page, "score")[0] > 1  # let go


def test_a_finger_drags_and_does_not_scroll(mounted: Mount, read: Read) -> None:
    page = mounted(Simplex(scores=[0, 0, 0]), width=360, has_touch=True)
    page.set_viewport_size({"width": 360, "height": 400})  # there is something to scroll
    x, y = middle(page)
    finger = page.context.new_cdp_session(page)
    for kind, at in [("touchStart", y), *(("touchMove", y - 3 * k) for k in range(1, 11))]:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": at}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert read(page, "score")[0] > 0.1
    assert page.evaluate("scrollY") == 0
    check(page, read, "sparsemax")


def test_everything_can_be_done_by_keyboard(mounted: Mount, read: Read) -> None:
    page = mounted(Simplex(scores=[0, 0, 0]))
    keys = page.keyboard
    keys.press("Tab")
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        keys.press(key)
    # A step is a tenth in the plane; towards item 1 that is a lead of a tenth.
    np.testing.assert_allclose(
        read(page, "score"), [0.4 / 3, -0.2 / 3 - 0.1 / 3**0.5, -0.2 / 3 + 0.1 / 3**0.5], atol=2e-6
    )
    check(page, read, "sparsemax")
    keys.press("Home")
    assert read(page, "score") == [0, 0, 0]
    for expected in ("map", "temperature", "level"):
        keys.press("Tab")
        assert page.evaluate("document.activeElement.name") == expected
    keys.press("End")
    np.testing.assert_allclose(read(page, "score"), [3, 3, 3])
    keys.press("Tab")
    keys.press("Enter")  # reset
    assert read(page, "score") == [0, 0, 0]


def test_every_map_can_be_chosen(mounted: Mount, read: Read) -> None:
    page = mounted(Simplex(scores=[0.9, 0.35, -0.6]))
    for name in CATALOGUE:
        page.select_option("select", name)
        check(page, read, name)
        none = "No scores" in page.locator(".sharp-sentence").inner_text()
        assert none == (read(page, "zeros") == [0])


def test_the_share_with_an_exact_zero(mounted: Mount, read: Read) -> None:
    page = mounted(Simplex(map="sparsemax"))
    # All three have weight where none is 1/3 or more below the mean: a triangle whose corners are
    # 1 from the centre, in a hexagon whose corners are 2 from it. The page counts on a grid.
    share = 1 - 1 / (2 * 2**2)
    assert read(page, "zeros")[0] == pytest.approx(share, abs=0.01)
    page.locator("input[name=temperature]").press("Home")
    assert read(page, "zeros")[0] == pytest.approx(1 - (1 - share) / 100, abs=0.01)
    assert page.locator("svg image").get_attribute("href").startswith("data:image/png")


def test_it_fits_a_phone_and_keeps_its_room(mounted: Mount) -> None:
    for width, theme in ((360, "dark"), (760, "light")):
        page = mounted(Simplex(map="multimax"), width=width, theme=theme)  # the most sliders
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        room = page.locator("figure > div").evaluate("e => [e.offsetHeight, e.scrollHeight]")
        assert room[1] <= room[0]
