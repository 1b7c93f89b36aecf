"""Explorers in their place, the built book: light, quick, steady, and without a kernel."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest
from playwright.sync_api import Browser
from sphinx_external_toc.parsing import parse_toc_yaml

pytestmark = pytest.mark.site

ROOT = Path(__file__).resolve().parents[2]
PAGES = [f"{name}.html" for name in parse_toc_yaml(ROOT / "_toc.yml")]

FIGURE = re.compile(r'<figure class="sharp-explorer".*?</figure>', re.DOTALL)
OWN_FILES = re.compile(r"_static/explorers[\w/.-]*\.(?:js|css)")

#: Notes the time, in milliseconds since the page was asked for, at which the last explorer lived.
CLOCK = """
new MutationObserver(() => {
    const living = document.querySelectorAll("figure[data-mounted]").length;
    if (living > (window.living ?? 0)) [window.living, window.alive] = [living, performance.now()];
}).observe(document, { attributes: true, subtree: true });
"""
HEIGHTS = "[...document.querySelectorAll('figure.sharp-explorer > div')].map((e) => e.offsetHeight)"


@pytest.fixture(scope="module", params=PAGES)
def page_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def source(page_name: str, site: Path) -> str:
    return (site / page_name).read_text(encoding="utf-8")


def test_only_pages_with_an_explorer_load_the_script(source: str) -> None:
    found = {PurePosixPath(name).suffix for name in OWN_FILES.findall(source)}
    assert found == ({".js", ".css"} if FIGURE.search(source) else set())


def test_no_widget_manager_is_there(source: str) -> None:
    assert re.findall(r"widget-state|widget-view|html-manager|requirejs?\b", source) == []


def test_script_and_data_are_small(source: str, site: Path) -> None:
    """At most 150 kB: script, style, and what the explorers know. A picture is none of these."""
    files = sum((site / name).stat().st_size for name in set(OWN_FILES.findall(source)))
    figures = [re.sub("<img[^>]*>", "", figure) for figure in FIGURE.findall(source)]
    assert files + sum(len(figure.encode()) for figure in figures) <= 150_000


def test_explorers_live_within_a_second(
    page_name: str, source: str, site: Path, browser: Browser
) -> None:
    """From a file; the machine may be busy, so a page may try ten times."""
    wanted = len(FIGURE.findall(source))
    times: list[float] = []
    while wanted and min(times, default=1001) > 1000 and len(times) < 10:
        with browser.new_context() as context:
            page = context.new_page()
            page.add_init_script(CLOCK)
            page.goto((site / page_name).as_uri())
            page.wait_for_function("(wanted) => window.living === wanted", arg=wanted)
            times.append(page.evaluate("window.alive"))
    assert min(times, default=0) <= 1000, times


def test_no_explorer_jumps(page_name: str, source: str, site: Path, browser: Browser) -> None:
    """The room kept for an explorer is the room that it takes, also after a screen was turned."""
    if not FIGURE.search(source):
        return
    heights: dict[bool, list[list[int]]] = {False: [], True: []}
    for scripts, found in heights.items():
        with browser.new_context(java_script_enabled=scripts) as context:
            page = context.new_page()
            page.route("**/mathjax/**", lambda route: route.abort())  # no formulas in there
            page.goto((site / page_name).as_uri())
            for width in (1280, 360):
                page.set_viewport_size({"width": width, "height": 800})
                found.append(page.evaluate(HEIGHTS))
    assert heights[False] == heights[True]
