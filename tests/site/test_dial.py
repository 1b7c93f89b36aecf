"""The dial under the hands of a reader, beside the library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

import sharplib
from sharplib.figures.explorers import Dial

Mount = Callable[..., Page]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site


def check(page: Page, read: Read, item: int = 0) -> np.ndarray:
    """The page shows what the library computes from the scores and sliders on the page."""
    grips = page.locator("svg [role=slider]")
    told = grips.evaluate_all("all => all.map(e => Number(e.getAttribute('aria-valuenow')))")
    x, (rate,), (t,) = np.array(told, dtype=float), read(page, "rate"), read(page, "t")
    p = sharplib.rsoftmax(x, rate)
    # The same formulas in two languages: the last digits may differ.
    np.testing.assert_allclose(read(page, "ranked"), p, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(read(page, "near"), sharplib.tsoftmax(x, t), rtol=1e-11, atol=1e-13)
    assert read(page, "zeros") == [(p == 0).sum()]
    assert read(page, "formula") == [np.floor(rate * (len(x) - 1)) + 1]
    np.testing.assert_allclose(read(page, "rank"), [np.quantile(x, rate)], atol=1e-12)
    np.testing.assert_allclose(read(page, "distance"), [x.max() - t], atol=1e-12)
    slope = torch.func.jacrev(lambda v: sharplib.rsoftmax(v, rate)[item])(torch.tensor(x))
    np.testing.assert_allclose(read(page, "pull"), slope, rtol=1e-9, atol=1e-11)
    return x


def test_dragging_a_score_leaves_the_number_of_zeros(mounted: Mount, read: Read) -> None:
    page = mounted(Dial())
    before = check(page, read)
    box = page.locator("svg [role=slider] circle").nth(4).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for rise in (40, 90, 130):
        page.mouse.move(x, y - rise, steps=4)
        after = check(page, read, item=4)
        assert after[4] > before[4]
        assert read(page, "zeros") == [3]
    page.mouse.up()
    assert after.argmax() == 4


def test_the_weight_jumps_where_one_is_kept_and_the_top_two_swap(
    mounted: Mount, read: Read
) -> None:
    page = mounted(Dial(scores=[1.01, 1.0, 0, -1], rate=0.99, t=2))
    check(page, read)
    assert read(page, "ranked") == [1, 0, 0, 0]
    near = read(page, "near")
    page.get_by_role("button", name="Swap the top two").click()
    check(page, read)
    assert read(page, "ranked") == [0, 1, 0, 0]
    assert abs(read(page, "near")[0] - near[0]) < 0.01


def test_a_tie_for_the_top_is_named_as_the_jump(mounted: Mount, read: Read) -> None:
    page = mounted(Dial(scores=[1.01, 1.0, 0, -1], rate=0.99))
    page.locator("svg [role=slider]").first.press("ArrowDown")
    check(page, read)
    assert "jumps here" in page.locator(".sharp-sentence").inner_text()


def test_shrinking_keeps_the_zeros_of_ranks_alone(mounted: Mount, read: Read) -> None:
    page = mounted(Dial(t=1.0))
    blue, vermilion = read(page, "zeros"), read(page, "others")
    page.get_by_role("button", name="Shrink tenfold").click()
    check(page, read)
    assert read(page, "zeros") == blue
    assert read(page, "others") == [0] != vermilion


def test_the_rate_turns_the_number_of_zeros(mounted: Mount, read: Read) -> None:
    page = mounted(Dial())
    slider = page.locator("input[name=rate]")
    for key, zeros in (("Home", 1), ("End", 5)):
        slider.press(key)
        check(page, read)
        assert read(page, "zeros") == [zeros]


def test_the_sentence_says_who_is_heard_from_below(mounted: Mount, read: Read) -> None:
    page = mounted(Dial())
    # The quantile lies halfway between items 3 and 4; item 4 has no weight.
    assert "In truth even item 4 is heard" in page.locator(".sharp-sentence").inner_text()
    page.locator("svg [role=slider]").nth(5).press("ArrowUp")
    assert "answers to nobody" in page.locator(".sharp-sentence").inner_text()
    check(page, read, item=5)
