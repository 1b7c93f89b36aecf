"""A circuit under the hands of a reader, beside the library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

from sharplib.figures.explorers import Circuit
from sharplib.theory.extrapolation import circuit_error

Mount = Callable[..., Page]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site


def check(page: Page, read: Read) -> dict[str, float]:
    """The page shows the library's errors of the weights on the page."""
    weights = np.array(read(page, "weight"))
    shown = {name: read(page, name)[0] for name in ("inside", "outside", "slack")}
    for name, size in (("inside", "trained"), ("outside", "tested")):
        expected = float(circuit_error(weights, read(page, size)[0]))
        # What is left of a product near 1, in two languages.
        np.testing.assert_allclose(shown[name], expected, rtol=1e-11, atol=1e-14)
    assert shown["slack"] == pytest.approx(np.abs(weights - weights.round()).max(), abs=1e-15)
    return shown


def test_dragging_a_weight_softens_the_circuit(mounted: Mount, read: Read) -> None:
    page = mounted(Circuit(weights=[1, 1, 0]))
    assert check(page, read) == {"inside": 0, "outside": 0, "slack": 0}
    assert "x₁ · x₂, exactly" in page.locator(".sharp-sentence").inner_text()
    box = page.locator("svg [role=slider] .sharp-grip").nth(2).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 20)
    soft = check(page, read)
    assert 0.1 < soft["slack"] < 0.3
    assert soft["outside"] > 100 * soft["inside"]
    page.mouse.move(x, y - 80)
    page.mouse.up()
    check(page, read)
    assert "x₁ · x₂ · x₃" in page.locator(".sharp-sentence").inner_text()


def test_everything_can_be_done_by_keyboard(mounted: Mount, read: Read) -> None:
    page = mounted(Circuit(weights=[0.9, 0.95, 0.1]))
    keys = page.keyboard
    keys.press("Tab")
    keys.press("ArrowDown")
    np.testing.assert_allclose(read(page, "weight"), [0.899, 0.95, 0.1])
    for _ in range(3):
        keys.press("Tab")
    assert page.evaluate("document.activeElement.name") == "trained"
    before = check(page, read)
    keys.press("End")
    assert check(page, read)["inside"] > before["inside"]
    keys.press("Tab")
    keys.press("Home")
    assert read(page, "tested") == [2]
    check(page, read)
    keys.press("Tab")
    keys.press("Enter")  # ten times sharper
    np.testing.assert_allclose(read(page, "weight"), [0.9899, 0.995, 0.01])
    keys.press("Tab")
    keys.press("Enter")  # round
    assert read(page, "weight") == [1, 1, 0]
    keys.press("Tab")
    keys.press("Enter")  # reset
    assert read(page, "weight") == [0.9, 0.95, 0.1]
    check(page, read)
