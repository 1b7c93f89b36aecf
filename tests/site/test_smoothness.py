"""The explorer of smoothness under the hands of a reader, beside the library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

from sharplib.figures.explorers import Smoothness

Mount = Callable[..., Page]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site


def grip(page: Page, label: str) -> Locator:
    return page.locator(f'svg [role=slider][aria-label^="{label}"]')


def drag(page: Page, label: str, down: float) -> None:
    box = grip(page, label).locator(".sharp-grip").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + down)
    page.mouse.up()


def check(page: Page, read: Read, drop: float) -> Smoothness:
    """The page shows the library's numbers for what its sliders say."""
    (n,), (item,), (delta,), (step,) = (read(page, key) for key in ("n", "item", "delta", "step"))
    own = Smoothness(n=int(n), item=int(item), delta=delta, step=step, drop=drop)
    for name in ("softmax", "plsoftmax", "sparsemax"):
        x = own.scores()
        lost = x.max() - own.weights(name, x) @ x
        shown = [read(page, f"{what}-{name}")[0] for what in ("lost", "moved", "most")]
        expected = [lost, own.moved(name), own.at_most(name)]
        # The same formulas in two languages, and differences of weights.
        np.testing.assert_allclose(shown, expected, rtol=1e-9, atol=1e-12)
    return own


def test_it_begins_with_the_state_it_was_given(mounted: Mount, read: Read) -> None:
    page = mounted(Smoothness(n=5, drop=2, delta=1.5, item=3, step=-0.25))
    own = check(page, read, drop=2)
    assert (own.n, own.item, own.delta, own.step) == (5, 3, 1.5, -0.25)


def test_dragging_the_moved_dot(mounted: Mount, read: Read) -> None:
    page = mounted(Smoothness(n=5, drop=2, item=3, step=0))
    assert read(page, "moved-plsoftmax") == [0]
    drag(page, "Move of item", -10)
    own = check(page, read, drop=2)
    assert own.step > 0.2
    assert read(page, "moved-plsoftmax")[0] > 0
    drag(page, "Move of item", 300)
    assert check(page, read, drop=2).step == -1


def test_tilting_the_ramp(mounted: Mount, read: Read) -> None:
    page = mounted(Smoothness(n=5, drop=2, item=3, step=0.5))
    drag(page, "Last score", 400)
    assert grip(page, "Last score").get_attribute("aria-valuenow") == "-4"
    check(page, read, drop=4)
    drag(page, "Last score", -400)
    check(page, read, drop=0)
    # Level scores: PLSoftMax loses nothing, and moves as far as it can.
    assert read(page, "lost-plsoftmax") == [0]
    np.testing.assert_allclose(read(page, "moved-plsoftmax"), read(page, "most-plsoftmax"))


def test_sliders_and_keys(mounted: Mount, read: Read) -> None:
    page = mounted(Smoothness(n=8, drop=1, item=8))
    page.locator("input[name=n]").press("Home")
    assert read(page, "n") == [2]
    assert read(page, "item") == [2]  # the item stays within the ramp
    check(page, read, drop=1)
    page.locator("input[name=n]").press("End")
    page.locator("input[name=item]").press("End")
    own = check(page, read, drop=1)
    assert (own.n, own.item) == (64, 64)
    page.locator("input[name=delta]").press("Home")
    assert check(page, read, drop=1).delta == 0.2
    grip(page, "Move of item").press("ArrowUp")
    assert check(page, read, drop=1).step == pytest.approx(0.45)
    page.get_by_role("button", name="Reset").click()
    own = check(page, read, drop=1)
    assert (own.n, own.item, own.delta, own.step) == (8, 8, 1, 0.4)


def test_the_sentence_tells_the_worst_cases(mounted: Mount, read: Read) -> None:
    page = mounted(Smoothness(n=3, drop=4, delta=1))
    said = page.locator(".sharp-sentence").inner_text()
    assert "lies 4.00 below the top under softmax, 0 under PLSoftMax" in said


def test_it_fits_a_phone_and_keeps_its_room(mounted: Mount) -> None:
    for width, theme in ((360, "dark"), (760, "light")):
        page = mounted(Smoothness(n=64), width=width, theme=theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        room = page.locator("figure > div").evaluate("e => [e.offsetHeight, e.scrollHeight]")
        assert room[1] <= room[0]
