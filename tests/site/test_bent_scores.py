"""The bent line under the hands of a reader, beside the library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

from sharplib import softmax
from sharplib.figures.explorers import BentScores

Mount = Callable[..., Page]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site


def grip(page: Page, label: str) -> Locator:
    return page.get_by_role("slider", name=label, exact=True).and_(page.locator("g"))


def value(page: Page, label: str) -> float:
    return float(grip(page, label).get_attribute("aria-valuenow") or "nan")


def check(page: Page, read: Read, **state: float) -> None:
    """The page shows the measures and weights of the library in this state."""
    there = BentScores(**state)
    p = there.weights()
    shown = [read(page, name)[0] for name in ("modality", "sparsity", "top")]
    np.testing.assert_allclose(shown, [*there.measures(p), p.max()], rtol=1e-12)
    soft = [read(page, name)[0] for name in ("soft-modality", "soft-sparsity")]
    np.testing.assert_allclose(soft, there.measures(softmax(np.array(there.scores))), rtol=1e-12)


def drag(page: Page, label: str, by: tuple[float, float]) -> None:
    box = grip(page, label).locator(".sharp-grip").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0], y + by[1])
    page.mouse.up()


def test_it_begins_as_it_was_given(mounted: Mount, read: Read) -> None:
    page = mounted(BentScores(below=3, above=0.25, low=-0.5))
    check(page, read, below=3, above=0.25, low=-0.5)
    assert page.locator(".sharp-sentence").inner_text() == (
        "The line falls nowhere: the order is kept. "
        "No temperature of softmax has as large an M and S."
    )


def test_dragging_the_line_changes_thresholds_and_slopes(mounted: Mount, read: Read) -> None:
    page = mounted(BentScores())
    drag(page, "Lower threshold", (-30, 25))
    low = value(page, "Lower threshold")
    assert -2 < low < 0
    drag(page, "Slope above the upper threshold", (10, -30))
    above = value(page, "Slope above the upper threshold")
    assert above > 0.9
    check(page, read, low=low, above=above)
    drag(page, "Slope below the lower threshold", (0, -100))  # up: flatter, then falling
    below = value(page, "Slope below the lower threshold")
    assert below < 0
    check(page, read, low=low, above=above, below=below)
    words = page.locator(".sharp-sentence").inner_text()
    assert words.startswith("Careful: the line falls below. Here a higher score has a smaller")


def test_raising_all_scores_changes_the_weights_but_not_those_of_softmax(
    mounted: Mount, read: Read
) -> None:
    page = mounted(BentScores())
    before = read(page, "modality"), read(page, "soft-modality")
    page.get_by_label("Raise all scores by").press("End")
    check(page, read, shift=2)
    assert abs(read(page, "modality")[0] - before[0][0]) > 0.005
    assert read(page, "soft-modality") == pytest.approx(before[1], rel=1e-12)
    page.get_by_role("button", name="Reset").click()
    check(page, read)


def test_everything_can_be_done_by_keyboard(mounted: Mount, read: Read) -> None:
    page = mounted(BentScores())
    for label, key, at in (
        ("Lower threshold", "ArrowLeft", {"low": -0.05}),
        ("Upper threshold", "Home", {"high": 0.0}),
        ("Slope above the upper threshold", "ArrowDown", {"above": 0.35}),
        ("Slope below the lower threshold", "End", {"below": 4.0}),
    ):
        grip(page, label).press(key)
        (wanted,) = at.values()
        assert value(page, label) == pytest.approx(wanted)
    check(page, read, low=-0.05, high=0.0, above=0.35, below=4.0)
