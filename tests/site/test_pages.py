"""The built book as a reader meets it: each page, opened in Chromium without a network."""

from __future__ import annotations

import functools
import html
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route
from sphinx_external_toc.parsing import parse_toc_yaml

pytestmark = pytest.mark.site

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
PAGES = [f"{name}.html" for name in parse_toc_yaml(ROOT / "_toc.yml")]
#: With --screenshots: a picture of each page in each look, for a human to leaf through.
PICTURES = ROOT / "_build" / "screenshots"
LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")

#: sphinx-thebe is loaded twice by Jupyter Book 1 and says so on every page. It does no harm.
KNOWN_ERRORS = {"Identifier 'THEBE_JS_URL' has already been declared"}

#: docutils gives entries of a bibliography the role doc-biblioentry, which is a kind of list item;
#: axe does not know that.
KNOWN_BARRIERS = {'aria-required-children: <div role="list" class="citation-list">'}


@dataclass
class Visit:
    """What happened when a page was opened, and what was seen there."""

    page: str
    origin: str
    outside: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    light: dict[str, Any] = field(default_factory=dict)
    dark: dict[str, Any] = field(default_factory=dict)
    narrow: dict[str, Any] = field(default_factory=dict)
    barriers: list[str] = field(default_factory=list)

    def keep_picture(self, tab: Page, look: str) -> None:
        """Store what the page looks like, from the top down; a JPEG has at most 65,535 lines."""
        PICTURES.mkdir(exist_ok=True)
        width, height = tab.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        tab.screenshot(
            path=PICTURES / f"{PurePosixPath(self.page).stem}-{look}.jpg",
            full_page=True,
            clip={"x": 0, "y": 0, "width": width, "height": min(height, 60_000)},
            type="jpeg",
            quality=30,
        )

    def watch(self, tab: Page) -> None:
        """Record and block whatever the page asks of other hosts; record what goes wrong."""

        def turn_away(route: Route) -> None:
            self.outside.append(route.request.url)
            route.abort()

        tab.route(re.compile(f"^(?!{re.escape(self.origin)})"), turn_away)
        tab.on("pageerror", lambda e: e.message in KNOWN_ERRORS or self.errors.append(e.message))
        tab.on("response", lambda r: r.status < 400 or self.failed.append(f"{r.status} {r.url}"))


@pytest.fixture(scope="module", params=PAGES)
def visit(request: pytest.FixtureRequest, origin: str, browser: Browser) -> Visit:
    """One page, seen wide and light, wide and dark, and narrow."""
    visit = Visit(request.param, origin)
    pictures = request.config.getoption("--screenshots")
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        tab = context.new_page()
        visit.watch(tab)
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            if not visit.light:
                tab.goto(origin + visit.page)
            tab.wait_for_function("(s) => document.documentElement.dataset.theme === s", arg=scheme)
            setattr(visit, scheme, tab.evaluate(LOOK))
            if pictures:
                visit.keep_picture(tab, scheme)
        tab.set_viewport_size({"width": 360, "height": 740})
        visit.narrow = tab.evaluate(LOOK)
        if pictures:
            visit.keep_picture(tab, "phone")
        tab.set_viewport_size({"width": 1280, "height": 900})
        visit.barriers = barriers(tab)
    return visit


def barriers(tab: Page) -> list[str]:
    """What axe-core finds in the way of readers with a disability: rule and element.

    MathJax describes its formulas itself, and thousands of them would take minutes. So a word
    takes their place, for good.
    """
    tab.evaluate("document.querySelectorAll('mjx-container').forEach((e) => e.replaceWith('x'))")
    # Style sheets are there already; axe would fetch those that they import from wrong places.
    # Contrast, the one rule that depends on the colours, is measured by look.js in both themes;
    # axe takes half a minute for it on a page of the reference.
    options = {
        "resultTypes": ["violations"],
        "preload": False,
        "rules": {"color-contrast": {"enabled": False}},
    }
    found = Axe().run(tab, options=options).response["violations"]
    grave = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    barriers = [f"{rule['id']}: {node['html'][:200]}" for rule in grave for node in rule["nodes"]]
    return [barrier for barrier in barriers if barrier not in KNOWN_BARRIERS]


def test_asks_nothing_of_other_hosts(visit: Visit) -> None:
    assert visit.outside == []


def test_everything_loads_without_an_error(visit: Visit) -> None:
    assert (visit.failed, visit.errors) == ([], [])


def test_mathematics_is_typeset(visit: Visit) -> None:
    seen = visit.light
    assert seen["typeset"] == seen["formulas"]
    assert (seen["mathErrors"], seen["rawMath"]) == ([], [])


def test_no_markup_shows(visit: Visit) -> None:
    assert visit.light["rawMarkup"] == []


def test_every_link_leads_somewhere(visit: Visit) -> None:
    inside = [link for link in visit.light["links"] if link.startswith(visit.origin)]
    assert inside
    assert [link for link in inside if not _exists(link)] == []


def _exists(link: str) -> bool:
    address, anchor = urldefrag(link)
    path = HTML / unquote(urlsplit(address).path).lstrip("/")
    if path.is_dir():
        path /= "index.html"
    if not anchor or path.suffix != ".html":
        return path.is_file()
    return path.is_file() and unquote(anchor) in _anchors(str(path))


@functools.cache
def _anchors(path: str) -> set[str]:
    with open(path, encoding="utf-8") as page:
        return set(map(html.unescape, re.findall(r'\bid="([^"]*)"', page.read())))


def test_every_image_loads_and_is_described(visit: Visit) -> None:
    for image in visit.light["images"]:
        assert image["loaded"], image
        # A file name, or nothing, tells a blind reader nothing. Three words are little enough.
        assert len(image["alt"].split()) >= 3, image
        assert PurePosixPath(image["source"]).name not in image["alt"], image


def test_no_cell_complains(visit: Visit) -> None:
    assert visit.light["complaints"] == []


def test_fits_a_narrow_screen(visit: Visit) -> None:
    assert visit.narrow["width"] <= 360, visit.narrow["tooWide"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(visit: Visit, scheme: str) -> None:
    seen = getattr(visit, scheme)
    # Relative luminance of the page: 0 is black, 1 is white.
    assert (seen["background"] > 0.5) == (scheme == "light")
    assert seen["faint"] == []


def test_nothing_bars_the_way(visit: Visit) -> None:
    assert visit.barriers == []
