"""A browser without a network, the built site, and a bare page with one explorer on it."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sharplib.figures.explorers import Explorer, _bundle
from sharplib.studies import max_retrieval

HTML = Path(__file__).resolve().parents[2] / "_build" / "html"

#: The first is Chromium without a window, which needs half the time for a new page.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def unavailable(reason: str) -> None:
    """Skip the tests of the site, or fail them where they are required (CI is set)."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, but CI is set: the site must be tested")
    pytest.skip(f"{reason}: the site is not tested")


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built book."""
    if not HTML.is_dir():
        unavailable("the book is not built (make book)")
    return HTML


@pytest.fixture(scope="session")
def origin(site: Path) -> Iterator[str]:
    """Address of the built site on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def read() -> Callable[[Page, str], list[float]]:
    """``read(page, "weight")``: the numbers of that name on the page, with all their digits."""

    def numbers(page: Page, name: str) -> list[float]:
        found = page.locator(f'[data-value="{name}"]')
        return [float(text) for text in found.evaluate_all("all => all.map(e => e.dataset.exact)")]

    return numbers


@pytest.fixture(scope="session")
def measured_heads() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables that the study of max retrieval gives for two heads that nobody trained."""
    settings = max_retrieval.Settings(
        max_retrieval.Training(width=4),
        sizes=(16, 64, 1024, 2048),
        test_sets=8,
        rules=("softmax", "hard maximum"),
    )
    heads = max_retrieval.initial(settings.training, [0, 1])
    return max_retrieval.evaluate(settings, heads), max_retrieval.heat_maps(settings, heads)


@pytest.fixture(scope="session")
def html() -> Callable[[Explorer], str]:
    """``html(explorer)``: its HTML, with a picture that is drawn once for each state."""
    drawn: dict[str, str] = {}

    def remember(explorer: Explorer) -> str:
        key = f"{explorer.module} {json.dumps(explorer.state(), sort_keys=True)}"
        if key not in drawn:
            drawn[key] = explorer.html()
        return drawn[key]

    return remember


@pytest.fixture
def mounted(
    browser: Browser, html: Callable[[Explorer], str], tmp_path: Path
) -> Iterator[Callable[..., Page]]:
    """A function that opens a bare page with one explorer, from a file; no error may occur there.

    ``mounted(explorer, width=360, theme="dark", has_touch=True)``: further arguments are those of
    a browser context.
    """
    errors: list[str] = []
    with ExitStack() as contexts:

        def mount(explorer: Explorer, width: int = 760, theme: str = "light", **how: Any) -> Page:
            path = tmp_path / f"{explorer.module}.html"
            script = _bundle.page_script([explorer.module])
            path.write_text(
                f'<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8">'
                f'<meta name="viewport" content="width=device-width"><title>One explorer</title>'
                f"<style>{explorer._css} html {{ background: "
                f"{'#121212; color: white' if theme == 'dark' else 'white'} }}</style>"
                f"<main><h1>One explorer</h1>{html(explorer)}</main><script>{script}</script>",
                encoding="utf-8",
            )
            size = {"width": width, "height": 900}
            page = contexts.enter_context(browser.new_context(viewport=size, **how)).new_page()
            page.on("pageerror", lambda error: errors.append(error.message))
            page.on("console", lambda said: said.type == "error" and errors.append(said.text))
            page.goto(path.as_uri())
            return page

        yield mount
    assert errors == []
