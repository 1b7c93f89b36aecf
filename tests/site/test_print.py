"""Chapters on paper: all of their text, solutions included, in ink on white, on filled pages."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sphinx_external_toc.parsing import parse_toc_yaml

pytestmark = pytest.mark.site

TOC = Path(__file__).resolve().parents[2] / "_toc.yml"
CHAPTERS = [f"{name}.html" for name in parse_toc_yaml(TOC) if name.startswith("notebooks/")]

#: Width of the text on A4 inside the margins of the print style, in CSS pixels: 210 mm - 30 mm.
PAPER = 680


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(request: pytest.FixtureRequest, origin: str, browser: Browser) -> Iterator[Page]:
    """A chapter open on a dark screen."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        tab = context.new_page()
        tab.emulate_media(color_scheme="dark")
        tab.goto(origin + request.param)
        tab.evaluate("async () => { await MathJax.startup.promise; }")
        yield tab


def marks(pdf: bytes) -> list[int]:
    """How many pieces of text and pictures each page of a PDF shows."""
    found = []
    for page in re.findall(rb"<<\s*/Type /Page\b(?!s).*?endobj", pdf, re.S):
        number = int(re.search(rb"/Contents (\d+) 0 R", page)[1])
        head = re.search(rb"\n%d 0 obj\s*<<(.*?)>>\s*stream\r?\n" % number, pdf, re.S)
        length = int(re.search(rb"/Length (\d+)", head[1])[1])
        content = zlib.decompress(pdf[head.end() : head.end() + length])
        found.append(len(re.findall(rb"\b(?:Tj|TJ|Do)\b", content)))
    return found


def test_pages_are_filled(chapter: Page) -> None:
    pages = marks(chapter.pdf(format="A4"))
    # An hour's reading: fewer pages, and text is missing; more, and something pushes it apart.
    assert 6 <= len(pages) <= 40
    assert min(pages) > 0


def test_paper_shows_the_article_alone_and_all_of_it(chapter: Page) -> None:
    folded = chapter.locator("article details:not(.hide):not([open])").count()
    chapter.evaluate("dispatchEvent(new Event('beforeprint'))")
    chapter.emulate_media(media="print", color_scheme="dark")
    chapter.set_viewport_size({"width": PAPER, "height": 900})
    seen = chapter.evaluate("""() => {
        const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
        const width = (e) => e.getBoundingClientRect().right;
        const all = (selector) => [...document.querySelectorAll(selector)];
        return {
            theme: document.documentElement.dataset.theme,
            solutions: all("article .solution p").length,
            hidden: all("article .solution p, article details:not(.hide) p")
                .filter((e) => !shown(e)).map((e) => e.textContent.slice(0, 40)),
            furniture: all(".bd-sidebar, .bd-header-article, .copybtn, .prev-next-area")
                .filter(shown).map((e) => e.className),
            cut: all("article :is(p, pre, img, table, figure, mjx-math, svg)")
                .filter((e) => shown(e) && width(e) > innerWidth + 1)
                .map((e) => `${e.tagName} ${width(e)} ${e.textContent.slice(0, 40)}`),
        };
    }""")
    chapter.evaluate("dispatchEvent(new Event('afterprint'))")
    chapter.emulate_media(media="screen", color_scheme="dark")
    assert seen["theme"] == "light"
    assert seen["solutions"] > 0
    assert (seen["hidden"], seen["furniture"], seen["cut"]) == ([], [], [])
    # The screen is as it was.
    assert chapter.evaluate("document.documentElement.dataset.theme") == "dark"
    assert chapter.locator("article details:not(.hide):not([open])").count() == folded
