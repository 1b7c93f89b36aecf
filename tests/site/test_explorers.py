"""What every explorer owes to every reader, tried on each of them alone, from a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from sharplib.figures import explorers
from sharplib.figures.explorers import Explorer

Mount = Callable[..., Page]

pytestmark = pytest.mark.site

KINDS = [name for name in explorers.__all__ if name != "Explorer"]

#: A host of anywidget's kind: it loads the module and keeps a record of what the module tells it.
HOST = """
async ([source, state]) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const listeners = {};
  window.told = [];
  window.model = {
    get: (key) => state[key],
    set: (key, value) => {
      state[key] = value;
      told.push(["set", key, value]);
      (listeners[`change:${key}`] ?? []).forEach((listener) => listener());
    },
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    off: () => {},
    save_changes: () => told.push(["save"]),
  };
  const el = document.body.appendChild(document.createElement("div"));
  await module.default.render({ model, el });
}
"""


@pytest.fixture(scope="module", params=KINDS)
def explorer(request: pytest.FixtureRequest) -> Explorer:
    if request.param == "TrainedHead":  # the one that shows nothing without measurements
        return explorers.TrainedHead(*request.getfixturevalue("measured_heads"))
    return getattr(explorers, request.param)()


def test_where_scripts_are_off_a_picture_stands(explorer: Explorer, mounted: Mount) -> None:
    page = mounted(explorer, java_script_enabled=False)
    image = page.locator("figure img")
    assert image.is_visible()
    assert image.get_attribute("alt") == explorer.describe()
    assert page.locator("figcaption").inner_text() == explorer.caption


@pytest.mark.parametrize("width", [360, 704, 1440])  # 704: as wide as in the book
def test_nothing_jumps_when_it_comes_to_life(
    explorer: Explorer, mounted: Mount, width: int
) -> None:
    """The page keeps the room that it will need, and no more than one line too much."""
    still, page = (mounted(explorer, width, java_script_enabled=on) for on in (False, True))
    heights = [each.locator("figure > div").bounding_box()["height"] for each in (still, page)]
    assert heights[0] == heights[1]
    free = page.evaluate(
        """() => {
            const stage = document.querySelector(".sharp-stage");
            const before = stage.offsetHeight;
            stage.style.minHeight = 0;
            return before - stage.offsetHeight;
        }"""
    )
    # In the book a phone leaves less width than here, so that text there takes more lines.
    assert free <= (60 if width == 704 else 120)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_can_be_read_by_everyone(
    explorer: Explorer, mounted: Mount, width: int, theme: str
) -> None:
    page = mounted(explorer, width, theme)
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    too_small = """all => all.filter(e => parseFloat(getComputedStyle(e).fontSize) < 12)
                             .map(e => e.textContent)"""
    assert page.locator("figure svg text, figure div *").evaluate_all(too_small) == []


def test_text_stays_inside_its_drawing(explorer: Explorer, mounted: Mount) -> None:
    for width in (360, 704):
        page = mounted(explorer, width)
        outside = page.locator("figure svg").evaluate_all(
            """all => all.flatMap((svg) => {
                const box = svg.getBoundingClientRect();
                return [...svg.querySelectorAll("text")].filter((text) => {
                    const t = text.getBoundingClientRect();
                    return t.width && (t.left < box.left - 2 || t.right > box.right + 2);
                }).map((text) => text.textContent);
            })"""
        )
        assert outside == [], width


def test_in_jupyter_it_shows_and_tells_its_state(explorer: Explorer, browser: Browser) -> None:
    """The module that anywidget gets, under a host that keeps a record."""
    with browser.new_context() as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(error.message))
        page.evaluate(HOST, [explorer._esm, explorer.state()])
        assert page.locator(".sharp-stage").is_visible()
        assert page.evaluate("told") == []  # nobody has touched it

        page.locator(".sharp-stage input[type=range]").first.press("End")
        told = page.evaluate("told")
        assert told[0][0] == "set"
        assert told[-1] == ["save"]
        changes: dict[str, Any] = {
            key: value for kind, *what in told if what for key, value in [what]
        }
        # Python takes what the reader did, and says no to nothing.
        there = type(explorer)(**explorer.state())
        there.set_state(json.loads(json.dumps(changes)))
        assert there.state() == {**explorer.state(), **changes}
        assert errors == []


def test_what_python_changes_shows(explorer: Explorer, browser: Browser) -> None:
    """A change of every key, in the order of the alphabet, is drawn as if it had been there."""
    with browser.new_context() as context:
        page = context.new_page()
        page.evaluate(HOST, [explorer._esm, explorer.state()])
        page.locator(".sharp-stage input[type=range]").first.press("End")
        values = page.evaluate(
            "Object.fromEntries(told.filter(([k]) => k === 'set').map(([, k, v]) => [k, v]))"
        )
        numbers = "[...document.querySelectorAll('[data-exact]')].map((e) => e.dataset.exact)"
        reached = page.evaluate(numbers)

        page = context.new_page()
        page.evaluate(HOST, [explorer._esm, explorer.state()])
        page.evaluate("(values) => Object.entries(values).forEach((e) => model.set(...e))", values)
        assert page.evaluate(numbers) == reached
