"""The built book as a reader meets it: each page, opened in Chromium without a network."""

from __future__ import annotations

import functools
import html
import http.server
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright
from sphinx_external_toc.parsing import parse_toc_yaml

pytestmark = pytest.mark.site

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
PAGES = [f"{name}.html" for name in parse_toc_yaml(ROOT / "_toc.yml")]
LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

#: sphinx-thebe is loaded twice by Jupyter Book 1 and says so on every page. It does no harm.
KNOWN_ERRORS = {"Identifier 'THEBE_JS_URL' has already been declared"}


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

    def watch(self, tab: Page) -> None:
        """Record and block whatever the page asks of other hosts; record what goes wrong."""

        def guard(route: Route) -> None:
            if route.request.url.startswith(self.origin):
                route.continue_()
            else:
                self.outside.append(route.request.url)
                route.abort()

        tab.route("**/*", guard)
        tab.on("pageerror", lambda e: e.message in KNOWN_ERRORS or self.errors.append(e.message))
        tab.on("response", lambda r: r.status < 400 or self.failed.append(f"{r.status} {r.url}"))


def unavailable(reason: str) -> None:
    """Skip the tests of the site, or fail them where they are required (CI is set)."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, but CI is set: the site must be tested")
    pytest.skip(f"{reason}: the site is not tested")


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Address of the built site on this machine."""
    if not HTML.is_dir():
        unavailable("the book is not built (make book)")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(HTML))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as installed on this machine, which cannot look up any host name."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        unavailable("no Chromium found")
    switches = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    switches += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    switches += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=switches)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=PAGES)
def visit(request: pytest.FixtureRequest, origin: str, browser: Browser) -> Visit:
    """One page, seen wide and light, wide and dark, and narrow."""
    visit = Visit(request.param, origin)
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        tab = context.new_page()
        visit.watch(tab)
        tab.emulate_media(color_scheme="light")
        tab.goto(origin + visit.page)
        visit.light = tab.evaluate(LOOK)
        tab.emulate_media(color_scheme="dark")
        tab.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        visit.dark = tab.evaluate(LOOK)
        tab.set_viewport_size({"width": 360, "height": 740})
        visit.narrow = tab.evaluate(LOOK)
    return visit


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
