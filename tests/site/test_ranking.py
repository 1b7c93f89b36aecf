"""The ranking explorer under the hands of a reader, beside the theory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page

from sharplib.figures.explorers import Ranking
from sharplib.theory import ranking as theory

Mount = Callable[..., Page]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site


def grip(page: Page) -> Locator:
    return page.locator("svg [role=slider]")


def check(page: Page, read: Read, noise: float, temperature: float) -> None:
    """The page shows what the theory says; noise in gaps, the temperature in units of it."""
    theta, sigma = noise * temperature / 1000, noise / 1000  # at n = 1000; any would do
    item = theory.accuracy_with_item_noise(1000, theta, sigma)
    start = theory.accuracy_with_head_starts(1000, theta, sigma)
    # The page interpolates, to a tenth of a percentage point.
    assert read(page, "item") == pytest.approx([item], abs=1e-3)
    assert read(page, "class") == pytest.approx([start], abs=1e-3)
    assert read(page, "item-hard") == pytest.approx(
        [theory.accuracy_with_item_noise(1000, 0, sigma)], abs=1e-3
    )
    assert read(page, "class-hard") == pytest.approx(
        [theory.accuracy_with_head_starts(1000, 0, sigma)], abs=1e-3
    )


def test_it_shows_the_theory(mounted: Mount, read: Read) -> None:
    page = mounted(Ranking(n=1024, sharpness=256, noise=0.5, beta=2))
    check(page, read, noise=2, temperature=1)
    (gain,), (item,), (hard,) = (read(page, name) for name in ("gain", "item", "item-hard"))
    assert gain == pytest.approx(item - hard, abs=2e-4)  # this is next to the best
    # One part in a hundred for each of two searches.
    best = 1 / (256 * theory.best_temperature(1024, 0.5 / 256))
    assert read(page, "best") == pytest.approx([best], rel=0.03)


def test_dragging_the_line(mounted: Mount, read: Read) -> None:
    page = mounted(Ranking(n=1024, sharpness=256, noise=0.5, beta=2))
    box = grip(page).locator("circle").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y)
    (beta,) = read(page, "beta")
    assert 3 < beta < 6
    check(page, read, noise=2, temperature=2 / beta)
    page.mouse.move(x + 1000, y)
    assert read(page, "beta") == [64]
    page.mouse.up()
    page.mouse.move(x, y)
    assert read(page, "beta") == [64]  # let go


def test_everything_can_be_done_by_keyboard(mounted: Mount, read: Read) -> None:
    page = mounted(Ranking(n=1024, sharpness=256, noise=0.5, beta=2))
    keys = page.keyboard
    keys.press("Tab")
    for key in ("PageUp", "ArrowRight", "ArrowDown"):
        keys.press(key)
    (beta,) = read(page, "beta")
    assert beta == pytest.approx(2 * 128 ** (10 / 160), rel=0.02)  # to the nearest step
    check(page, read, noise=2, temperature=2 / beta)
    for name in ("n", "sharpness", "noise", "beta"):
        keys.press("Tab")
        assert page.evaluate("document.activeElement.name") == name
        keys.press("ArrowRight")
    values = [read(page, name)[0] for name in ("n", "sharpness", "noise", "beta")]
    n, sharpness, noise, beta = values
    check(page, read, noise=n * noise / sharpness, temperature=1 / (beta * noise))
    keys.press("Tab")
    keys.press("Enter")  # reset
    assert [read(page, name)[0] for name in ("n", "sharpness", "noise", "beta")] == [
        1024, 256, 0.5, 2,
    ]  # fmt: skip


def test_the_best_temperature_follows_the_noise_and_not_n(mounted: Mount, read: Read) -> None:
    page = mounted(Ranking(n=2048, sharpness=200, noise=0.5))
    (best,) = read(page, "best")
    page.locator("input[name=n]").press("End")
    assert read(page, "best") == pytest.approx([best], rel=0.25)  # eight times as many items
    page.locator("input[name=noise]").press("End")
    assert read(page, "best")[0] < best / 2  # 2.4 times the noise


def test_no_state_breaks_the_picture(mounted: Mount, read: Read) -> None:
    page = mounted(Ranking())
    sliders = page.locator("input[type=range]")
    for ends in (
        "Home Home Home Home",
        "End Home End Home",
        "End End End End",
        "Home End Home End",
    ):
        for slider, key in zip(sliders.all(), ends.split(), strict=True):
            slider.press(key)
        assert "NaN" not in page.locator("svg").evaluate("e => e.outerHTML")
        (item,), (hard,), (gain,) = (read(page, name) for name in ("item", "item-hard", "gain"))
        assert gain >= item - hard - 1e-3
