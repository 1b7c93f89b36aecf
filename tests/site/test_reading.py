"""What helps a reader find the way: numbers, terms, index, search, neighbours, and Colab."""

from __future__ import annotations

import functools
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin

import pytest
import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import Browser
from sphinx_external_toc.parsing import parse_toc_yaml

pytestmark = pytest.mark.site

ROOT = Path(__file__).resolve().parents[2]
PAGES = list(parse_toc_yaml(ROOT / "_toc.yml"))
CHAPTERS = [name for name in PAGES if name.startswith("notebooks/")]
NUMBERED = r"Fig\.|Table|Exercise|Definition|Theorem|Lemma|Proposition|Corollary"


@functools.cache
def read(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def links(site: Path, name: str, selector: str) -> list[str]:
    """Where the links on a page lead, from the root of the site."""
    found = read(site, name).select(selector)
    return [urljoin(f"/{name}.html", link["href"]).lstrip("/") for link in found]


@pytest.mark.parametrize("name", CHAPTERS)
def test_numbers_carry_the_chapter(site: Path, name: str) -> None:
    article, chapter = read(site, name).article, CHAPTERS.index(name) + 1
    numbers = [each.get_text().strip() for each in article.select(".caption-number")]
    assert numbers
    assert [n for n in numbers if not re.fullmatch(rf"(?:{NUMBERED}) {chapter}\.\d+", n)] == []
    equations = [re.search(r"\(.*\)", each.get_text())[0] for each in article.select(".eqno")]
    assert equations == [f"({chapter}.{i})" for i in range(1, len(equations) + 1)]


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_figure_of_a_cell_is_numbered(site: Path, name: str) -> None:
    for image in read(site, name).article.select(".cell_output img"):
        figure = image.find_parent("figure")
        assert figure, image["alt"]
        explorer = "sharp-explorer" in figure.get("class", [])
        assert explorer or figure.select_one(".caption-number"), image["alt"]


def test_every_term_of_the_glossary_is_used(site: Path) -> None:
    terms = {dt["id"] for dt in read(site, "book/glossary").select("dl.glossary dt")}
    used = {
        link.split("#")[1]
        for name in set(PAGES) - {"book/glossary", "genindex"}
        for link in links(site, name, "article a[href*='glossary.html#term-']")
    }
    assert terms
    assert used == terms


@pytest.mark.parametrize("name", [name for name in PAGES if name != "genindex"])
def test_a_page_links_a_term_once(site: Path, name: str) -> None:
    found = links(site, name, "article a:not(dl.glossary a)[href*='glossary.html#term-']")
    assert sorted(found) == sorted(set(found))


def test_every_theorem_is_in_the_index(site: Path) -> None:
    index = set(links(site, "genindex", "table.indextable a"))
    for name in CHAPTERS:
        theorems = [
            div["id"] for div in read(site, name).article.select("div.proof:has(.caption-number)")
        ]
        assert {f"{name}.html#{each}" for each in theorems} <= index


@pytest.mark.parametrize("name", CHAPTERS)
def test_colab_opens_the_file_of_the_repository(site: Path, name: str) -> None:
    repository = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
    path = repository["url"].removeprefix("https://github.com/")
    assert (ROOT / f"{name}.ipynb").is_file()
    assert links(site, name, "a[href*='colab.research']") == [
        f"https://colab.research.google.com/github/{path}/blob/{repository['branch']}/{name}.ipynb"
    ]


@pytest.mark.parametrize(("name", "following"), list(pairwise(PAGES)))
def test_next_and_previous_follow_the_contents(site: Path, name: str, following: str) -> None:
    assert links(site, name, "a.right-next") == [f"{following}.html"]
    # Sphinx writes the page of the index itself, without neighbours.
    if following != "genindex":
        assert links(site, following, "a.left-prev") == [f"{name}.html"]


def test_search_finds_a_word_without_a_network(origin: str, site: Path, browser: Browser) -> None:
    with browser.new_context() as context:
        tab = context.new_page()
        for start in (origin, f"{site.as_uri()}/"):
            tab.goto(f"{start}book/intro.html")
            tab.keyboard.press("Control+k")
            tab.locator("input[type=search]:visible").fill("dispersion")
            tab.keyboard.press("Enter")
            # Results come one by one; this fails after 30 seconds without the right one.
            title = tab.locator("#search-results li > a", has_text="The dispersion theorem")
            title.first.wait_for()
            assert "dispersion-theorem.html" in title.first.get_attribute("href")
