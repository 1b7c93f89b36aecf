"""The noisy surface under the hands of a reader, beside the library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

from sharplib.figures.explorers import NoisySurface

Mount = Callable[..., Page]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site


def check(page: Page, read: Read, **state: object) -> None:
    """The page shows where the library's descent ends."""
    for name, end in zip(("plain", "noisy"), NoisySurface(**state).ends(), strict=True):
        shown = [read(page, f"{name}-{i}")[0] for i in (1, 2)]
        # Adam follows signs; 1,500 steps of 0.002 with eight nodes of noise for thirty-two.
        np.testing.assert_allclose(shown, end, atol=2e-3)


def grip(page: Page) -> tuple[float, float, float, float]:
    """The middle of the grip, and the lengths that weights of 1 have on the screen."""
    box = page.locator("svg [role=slider] .sharp-grip").bounding_box()
    frame = page.locator("svg rect.sharp-frame").bounding_box()
    assert box is not None
    assert frame is not None
    return (
        box["x"] + box["width"] / 2,
        box["y"] + box["height"] / 2,
        frame["width"],
        frame["height"],
    )


def test_it_begins_where_it_was_put(mounted: Mount, read: Read) -> None:
    state = {"weights": [0.35, 0.5], "least": 1, "ratio": 5}
    page = mounted(NoisySurface(**state))
    check(page, read, **state)
    said = page.locator(".sharp-sentence").inner_text()
    assert "From (0.35, 0.50), without noise training comes to (0.00, 0.00)" in said
    assert "with noise from 1.00 to 5.00, to (1.00, 1.00), which is right" in said


def test_dragging_the_start_over_the_border(mounted: Mount, read: Read) -> None:
    page = mounted(NoisySurface(weights=[0.4, 0.4]))
    assert read(page, "plain-1") == [0]
    x, y, width, height = grip(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.2 * width, y - 0.1 * height)
    page.mouse.up()
    assert read(page, "plain-1") == [1]
    label = page.locator("svg [role=slider]").get_attribute("aria-valuetext")
    start = [float(part) for part in label.strip("()").split(",")]
    np.testing.assert_allclose(start, [0.6, 0.5], atol=0.011)  # a pixel and two digits
    page.mouse.move(x, y)
    assert read(page, "plain-1") == [1]  # let go


def test_everything_can_be_done_by_keyboard(mounted: Mount, read: Read) -> None:
    page = mounted(NoisySurface(weights=[0.46, 0.46], ratio=1))
    keys = page.keyboard
    keys.press("Tab")
    for key in ("ArrowUp", "ArrowRight"):
        keys.press(key)
    check(page, read, weights=[0.47, 0.47], ratio=1)
    assert read(page, "plain-1") == [1]
    keys.press("Home")
    assert read(page, "plain-1") == [0]
    for expected in ("range", "least", "ratio"):
        keys.press("Tab")
        assert page.evaluate("document.activeElement.name") == expected
    keys.press("End")
    check(page, read, weights=[0.46, 0.46], ratio=40)
    keys.press("Tab")
    keys.press("Enter")  # reset
    check(page, read, weights=[0.46, 0.46], ratio=1)


def test_a_push_ruins_what_worked(mounted: Mount, read: Read) -> None:
    page = mounted(NoisySurface(weights=[0.5, 0.45], least=3, ratio=1))
    page.select_option("select", "[-0.3, -0.2]")
    check(page, read, range="[-0.3, -0.2]", weights=[0.5, 0.45], least=3, ratio=1)
    assert min(read(page, "plain-1") + read(page, "plain-2")) > 0.5 > read(page, "noisy-1")[0]
    assert "which is rounded up" in page.locator(".sharp-sentence").inner_text()
    assert "which is wrong" in page.locator(".sharp-sentence").inner_text()


def test_the_surface_is_painted_and_fits_a_phone(mounted: Mount) -> None:
    for width, theme in ((360, "dark"), (760, "light")):
        page = mounted(NoisySurface(), width=width, theme=theme)
        assert page.locator("svg image").get_attribute("href").startswith("data:image/png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        room = page.locator("figure > div").evaluate("e => [e.offsetHeight, e.scrollHeight]")
        assert room[1] <= room[0]
