"""The softmax bench under the hands of a reader, beside the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

from sharplib import CATALOGUE, measures, softmax
from sharplib.figures.explorers import SoftmaxBench

Mount = Callable[..., Page]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site


def handles(page: Page) -> Locator:
    return page.locator("svg [role=slider]")


def scores(page: Page) -> list[float]:
    """The scores as a screen reader is told them."""
    told = handles(page).evaluate_all("all => all.map(e => e.getAttribute('aria-valuenow'))")
    return [float(text) for text in told]


def grip(page: Page, item: int) -> tuple[float, float]:
    """The middle of the grip of one item, counted from 0."""
    box = handles(page).nth(item).locator("circle").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def check(page: Page, read: Read, name: str = "softmax", **settings: Any) -> np.ndarray:
    """The page shows what the library computes from the scores on the page."""
    temperature = settings.pop("temperature", 1.0)
    x = np.array(scores(page))
    p = CATALOGUE[name].function(x / temperature, **settings)
    # The same formulas in two languages: the last digits may differ.
    np.testing.assert_allclose(read(page, "weight"), p, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(read(page, "top"), [p.max()], rtol=1e-12)
    np.testing.assert_allclose(read(page, "entropy"), [measures.entropy(p)], rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(read(page, "support"), [measures.effective_support(p)], rtol=1e-11)
    return p


def test_it_begins_with_the_scores_it_was_given(mounted: Mount, read: Read) -> None:
    page = mounted(SoftmaxBench(scores=[0.5, -2, 4]))
    assert scores(page) == [0.5, -2, 4]
    check(page, read)


def test_dragging_a_score_moves_the_weights(mounted: Mount, read: Read) -> None:
    page = mounted(SoftmaxBench(scores=[1, 2, 3, 4]))
    x, y = grip(page, 0)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 30)
    assert scores(page)[0] == pytest.approx(3)  # the panel has 15 pixels for a point
    check(page, read)
    page.mouse.move(x, y - 500)
    assert scores(page) == [5, 2, 3, 4]  # the end of the scale
    page.mouse.up()
    page.mouse.move(x, y)
    assert scores(page) == [5, 2, 3, 4]  # let go
    check(page, read)


def test_a_finger_drags_and_does_not_scroll(mounted: Mount, read: Read) -> None:
    page = mounted(SoftmaxBench(scores=[1, 2, 3, 4]), width=360, has_touch=True)
    page.set_viewport_size({"width": 360, "height": 400})  # there is something to scroll
    x, y = grip(page, 1)
    finger = page.context.new_cdp_session(page)
    for kind, at in [("touchStart", y), *(("touchMove", y - 3 * k) for k in range(1, 11))]:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": at}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert scores(page) == [1, 4, 3, 4]
    assert page.evaluate("scrollY") == 0
    check(page, read)


def test_everything_can_be_done_by_keyboard(mounted: Mount, read: Read) -> None:
    page = mounted(SoftmaxBench(scores=[1, 2]))
    keys = page.keyboard
    keys.press("Tab")
    for key in ("ArrowUp", "ArrowRight", "PageUp", "ArrowDown"):
        keys.press(key)
    assert scores(page) == [2.1, 2]
    keys.press("Tab")
    keys.press("Home")
    assert scores(page) == [2.1, -5]
    check(page, read)
    keys.press("Tab")
    assert page.evaluate("document.activeElement.name") == "map"
    keys.type("sparsemax")
    check(page, read, "sparsemax")
    keys.press("Tab")
    assert page.evaluate("document.activeElement.name") == "temperature"
    keys.press("End")
    check(page, read, "sparsemax", temperature=10)
    for _ in range(2):
        keys.press("Tab")
    keys.press("Enter")  # remove one
    assert scores(page) == [2.1]
    keys.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Reset"
    keys.press("Enter")
    assert scores(page) == [1, 2]
    check(page, read)


def test_every_map_of_the_catalogue_can_be_chosen(mounted: Mount, read: Read) -> None:
    page = mounted(SoftmaxBench(scores=[-1.5, 0.3, 0.7, 1.2, 2.0]))
    offered = page.locator("select option").evaluate_all("all => all.map(e => e.value)")
    assert sorted(offered) == sorted(CATALOGUE)
    for name, entry in CATALOGUE.items():
        page.select_option("select", name)
        p = entry.function(np.array(scores(page)), **entry.settings)
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(
                read(page, "weight"), p, rtol=1e-12, atol=1e-15, err_msg=name
            )


def test_the_own_parameter_of_a_map_has_a_slider(mounted: Mount, read: Read) -> None:
    page = mounted(SoftmaxBench(scores=[1, 2, 3, 4], map="entmax", temperature=2))
    alpha = page.locator("input[name=alpha]")
    for key in ("End", "Home", "PageUp"):
        alpha.press(key)
        check(page, read, "entmax", temperature=2, alpha=read(page, "alpha")[0])
    page.select_option("select", "softmax")
    assert alpha.count() == 0


def test_items_come_and_go_between_one_and_twelve(mounted: Mount, read: Read) -> None:
    page = mounted(SoftmaxBench(scores=[1]))
    assert page.get_by_text("Remove one").is_disabled()
    for _ in range(11):
        page.get_by_text("Add an item").click()
    assert scores(page) == [1] + [0] * 11
    assert page.get_by_text("Add an item").is_disabled()
    check(page, read)


def test_the_sentence_says_what_is_seen(mounted: Mount, read: Read) -> None:
    page = mounted(SoftmaxBench(scores=[-5, 0, 1], map="sparsemax"))
    said = page.locator(".sharp-sentence")
    assert said.inner_text() == (
        "Item 3 holds 100 % of the weight; a plain softmax would give it 73.0 %. "
        "2 of 3 get exactly nothing."
    )
    page.select_option("select", "softmax")
    assert said.inner_text() == "Item 3 holds 73.0 % of the weight. Every item gets something."
    assert said.get_attribute("aria-busy") == "true"  # still changing: nothing is read aloud
    page.wait_for_function("!document.querySelector('.sharp-sentence').ariaBusy")


def test_the_outline_is_plain_softmax(mounted: Mount) -> None:
    page = mounted(SoftmaxBench(scores=[1, 2, 3, 4], map="sparsemax", temperature=0.5))
    heights = page.locator(".sharp-outline").evaluate_all(
        "all => all.map(e => +e.getAttribute('height'))"
    )
    p = softmax(np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_allclose(np.array(heights) / heights[3], p / p[3], rtol=1e-12)
