"""Terms of the glossary: linked once a page, at their first use, and listed in the index."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]

GLOSSARY = """\
# Glossary

```{glossary}
mask
  A {term}`weight` of 0.

weight
  A share.

weight decay
  A loss.
```
"""

PAGE = """\
# Weights on a page

The `weight` of $weight$, [a weight](https://example.org), and weight decay.
Some **weights** weigh; Gemma has more weights, and weight-like things.
The masks come {term}`later <mask>`.
"""


@pytest.fixture(scope="module")
def terms() -> ModuleType:
    """The extension."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "book" / "_ext")
        return importlib.import_module("terms")


@pytest.fixture(scope="module")
def site(terms: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book with a page, a glossary and an index."""
    root = tmp_path_factory.mktemp("terms")
    (root / "book").mkdir()
    (root / "book" / "glossary.md").write_text(GLOSSARY)
    (root / "genindex.md").write_text("# Index\n\n- Gemma\n- weight loss\n")
    (root / "index.md").write_text(PAGE)
    settings = {"extensions": ["myst_parser", "terms"], "myst_enable_extensions": ["dollarmath"]}
    out = root / "out"
    Sphinx(root, None, out, out / "doctrees", "html", settings, status=None).build()
    return out


def read(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_examples(terms: ModuleType) -> None:
    assert doctest.testmod(terms).failed == 0


def test_each_term_is_linked_once_where_prose_first_uses_it(site: Path) -> None:
    links = read(site / "index.html").select("a[href*='glossary.html#term-']")
    assert [(a.text, a["href"].split("#")[1]) for a in links] == [
        ("weight decay", "term-weight-decay"),
        ("weights", "term-weight"),
        ("later", "term-mask"),
    ]
    assert links[1].find_parent("strong")


def test_the_index_leads_to_the_first_uses(site: Path) -> None:
    index, page = read(site / "genindex.html"), read(site / "index.html")
    places = {
        link["href"].split("#")[1]: link.text for link in index.select("a[href^='index.html#']")
    }
    assert places.keys() == {"use-gemma", "use-mask", "use-weight", "use-weight-decay"}
    assert set(places.values()) == {"Weights on a page"}
    for anchor in places:
        assert page.find(id=anchor).text
    assert page.find(id="use-gemma").text == "Gemma"


def test_every_word_of_the_real_index_is_used(terms: ModuleType) -> None:
    sought = terms.Uses(terms.words((ROOT / "genindex.md").read_text(encoding="utf-8")))
    pages = [*ROOT.glob("book/*.md"), *ROOT.glob("notebooks/**/*.ipynb")]
    prose = [re.sub(r"\\n", " ", page.read_text(encoding="utf-8")) for page in pages]
    found = {term for text in prose for term, _ in sought.find(text)}
    assert set(sought.terms.values()) - found == set()
