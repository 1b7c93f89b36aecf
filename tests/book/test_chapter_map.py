"""The map of the chapters: what it reads, and where it puts things."""

from __future__ import annotations

import doctest
import importlib
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def maps(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The extension."""
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    return importlib.import_module("chapter_map")


def chapters(maps: ModuleType, *book: tuple[str, str, str]) -> list:
    return [maps.Chapter(a, a, tuple(needs), tuple(helped), 1, 1) for a, needs, helped in book]


def test_examples(maps: ModuleType) -> None:
    assert doctest.testmod(maps).failed == 0


def test_every_chapter_says_what_it_needs(maps: ModuleType) -> None:
    read = {each.name: each for each in maps.chapters(ROOT)}
    files = ROOT.glob("notebooks/**/*.ipynb")
    assert set(read) == {f.relative_to(ROOT).with_suffix("").as_posix() for f in files}
    folder = "notebooks/dispersion"
    third = read[f"{folder}/temperature-and-entropy"]
    assert third.title == "Temperature and entropy"
    assert third.needs == (f"{folder}/a-sharp-lookup",)
    assert third.helped_by == (f"{folder}/dispersion-theorem",)
    first = json.loads((ROOT / f"{third.name}.ipynb").read_text("utf-8"))["cells"][0]
    assert f"{third.minutes} minutes, and {third.exercise_minutes} more" in "".join(first["source"])


def test_the_landing_page_lists_the_chapters_in_their_order(maps: ModuleType) -> None:
    page = (ROOT / "book" / "intro.md").read_text("utf-8")
    listed = re.findall(r"(?m)^(\d+)\. \{doc\}`.+ </(\S+)>`", page)
    assert listed == [(str(i), each.name) for i, each in enumerate(maps.chapters(ROOT), 1)]


def test_links_are_read_as_sphinx_reads_them(maps: ModuleType) -> None:
    text = "# B\n\n- **You need**: {doc}`c`, {doc}`../a/d` and {doc}`that <../a/e>`. "
    text += "{doc}`/f/g` helps.\n- **Time to read**: 1 minutes, and 2 more for the exercises."
    read = maps.Chapter.read("notebooks/b/b", text)
    assert read.needs == ("notebooks/b/c", "notebooks/a/d", "notebooks/a/e")
    assert read.helped_by == ("f/g",)


def test_a_cell_without_its_lines_is_an_error(maps: ModuleType) -> None:
    with pytest.raises(ValueError, match="first cell of a/b lacks"):
        maps.Chapter.read("a/b", "# B\n\n- **You need**: nothing.")


def test_chapters_stand_below_what_they_need(maps: ModuleType) -> None:
    book = chapters(maps, ("a", "", ""), ("b", "a", ""), ("c", "a", "b"), ("d", "abc", ""))
    layout = maps.Layout(book)
    assert [[place for place in row if len(place) == 1] for row in layout.rows] == [
        ["a"],
        ["b", "c"],
        ["d"],
    ]
    # d needs a through b already.
    assert layout.lines == {
        "needs": [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")],
        "helps": [("b", "c")],
    }


def test_a_line_passes_beside_the_chapters_between(maps: ModuleType) -> None:
    book = chapters(maps, ("a", "", ""), ("b", "a", ""), ("c", "b", "a"), ("d", "c", "a"))
    layout = maps.Layout(book)
    # What has been needed on the way need not be said to help.
    assert layout.lines["helps"] == []

    book = chapters(maps, ("a", "", ""), ("b", "", ""), ("c", "b", ""), ("d", "ac", ""))
    layout = maps.Layout(book)
    (bend,) = layout.ways["a", "d"][1:-1]
    assert layout.at(bend)[1] == layout.at("c")[1]
    assert abs(layout.at(bend)[0] - layout.at("c")[0]) >= 2
    # It keeps to the side that a is on, so that no lines cross.
    assert (layout.at("a")[0] < layout.at("b")[0]) == (layout.at(bend)[0] < layout.at("c")[0])


def test_needing_a_later_chapter_is_an_error(maps: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"a needs what does not come before it: \{'b'\}"):
        maps.Layout(chapters(maps, ("a", "b", ""), ("b", "", "")))


def test_no_chapters_make_an_empty_map(maps: ModuleType) -> None:
    assert maps.Layout([]).rows == []
