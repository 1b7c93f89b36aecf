"""Sphinx extension: ``{chapter-map}`` draws which chapter needs which, as a map of links.

Everything comes from the first cells of the chapters: the title, the line *You need*, whose first
sentence names the chapters that one must have read and whose other sentences name those that help,
and the line *Time to read*.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx_external_toc.parsing import parse_toc_yaml


@dataclass(frozen=True)
class Chapter:
    """What the first cell of a chapter says. Chapters are known by their names in ``_toc.yml``."""

    name: str
    title: str
    needs: tuple[str, ...]
    helped_by: tuple[str, ...]
    minutes: int
    exercise_minutes: int

    @classmethod
    def read(cls, name: str, text: str) -> Chapter:
        r"""Read the first cell.

        >>> Chapter.read("notebooks/a/c", "# C\n\n- **You need**: {doc}`a`. {doc}`b` helps.\n"
        ...     "- **Time to read**: 20 minutes, and 5 more for the exercises.").needs
        ('notebooks/a/a',)
        """
        title = re.search(r"^# (.+)$", text, re.M)
        needs = re.search(r"^- \*\*You need\*\*: (.+)$", text, re.M)
        time = re.search(
            r"^- \*\*Time to read\*\*: (\d+) minutes, and (\d+) more for the exercises\.$",
            text,
            re.M,
        )
        if not (title and needs and time):
            raise ValueError(f"the first cell of {name} lacks title, 'You need' or 'Time to read'")
        first, *others = re.split(r"(?<=\.)\s", needs[1])

        def named(sentences: str) -> tuple[str, ...]:
            found = re.findall(r"\{doc\}`(?:[^`<]+<)?([^`<>]+)>?`", sentences)
            # As Sphinx reads it: from the chapter's folder, or from the top after a slash.
            at = [posixpath.join("/", posixpath.dirname(name), link) for link in found]
            return tuple(posixpath.normpath(path).lstrip("/") for path in at)

        return cls(
            name, title[1], named(first), named(" ".join(others)), int(time[1]), int(time[2])
        )


def chapters(root: Path) -> list[Chapter]:
    """The chapters of a book, in its order."""
    read = []
    for name in parse_toc_yaml(root / "_toc.yml"):
        path = root / f"{name}.ipynb"
        if path.is_file():
            first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
            read.append(Chapter.read(name, "".join(first["source"])))
    return read


Place = str | tuple[str, str, int]
"""A chapter, or the way of a line through a row: from, to, row."""


class Layout:
    """Rows of places. A chapter stands below all that it needs; a line bends in every row."""

    def __init__(self, book: Sequence[Chapter]) -> None:
        self.known: dict[str, set[str]] = {}  # what one has read by then
        row: dict[str, int] = {}
        for each in book:
            if unknown := {*each.needs, *each.helped_by} - set(self.known):
                raise ValueError(f"{each.name} needs what does not come before it: {unknown}")
            row[each.name] = 1 + max((row[need] for need in each.needs), default=-1)
            self.known[each.name] = set(each.needs).union(*(self.known[n] for n in each.needs))

        needed = [(a, each.name) for each in book for a in self._direct(each.needs)]
        helping = [
            (a, each.name)
            for each in book
            for a in each.helped_by
            if a not in self.known[each.name]
        ]
        self.rows: list[list[Place]] = [[] for _ in range(max(row.values(), default=-1) + 1)]
        for each in book:
            self.rows[row[each.name]].append(each.name)
        self.lines = {"needs": needed, "helps": helping}
        self.ways: dict[tuple[str, str], list[Place]] = {}
        for a, b in [*needed, *helping]:
            bends: list[Place] = [(a, b, r) for r in range(row[a] + 1, row[b])]
            self.ways[a, b] = [a, *bends, b]
            for bend in bends:
                self.rows[bend[2]].append(bend)
        self._order()

    def _direct(self, needs: Iterable[str]) -> list[str]:
        """Without what another of the needs has needed already."""
        needs = list(needs)
        return [a for a in needs if not any(a in self.known[b] for b in needs)]

    def _order(self) -> None:
        """Put places below those that lead to them."""
        x: dict[Place, float] = {}
        # The first way to a place counts, so it is entered last.
        before = {b: a for way in reversed(self.ways.values()) for a, b in pairwise(way)}
        for places in self.rows:
            places.sort(key=lambda place: x.get(before.get(place), 0))
            for index, place in enumerate(places):
                x[place] = 2 * index - len(places)

    @property
    def columns(self) -> int:
        return max(map(len, self.rows), default=0)

    def at(self, place: Place) -> tuple[int, int]:
        """Where the middle of a place is: half columns from the left, half rows from the top."""
        for r, places in enumerate(self.rows):
            if place in places:
                return self.columns - len(places) + 2 * places.index(place) + 1, 2 * r + 1
        raise KeyError(place)

    def path(self, way: Sequence[Place]) -> str:
        """A way as the path of an SVG picture."""
        (x, y), *points = map(self.at, way)
        path = f"M{x} {y}"
        for to_x, to_y in points:
            path += f"C{x} {y + 1} {to_x} {to_y - 1} {to_x} {to_y}" if to_y != y else f"H{to_x}"
            x, y = to_x, to_y
        return path


class ChapterMap(SphinxDirective):
    """The directive; it takes no arguments and no content."""

    def run(self) -> list[nodes.Node]:
        book = chapters(Path(self.env.srcdir))
        return [nodes.raw("", self.draw(book, Layout(book)), format="html")]

    def draw(self, book: Sequence[Chapter], layout: Layout) -> str:
        number = {each.name: i for i, each in enumerate(book, 1)}
        lines = "".join(
            f'<path class="{kind}" d="{layout.path(layout.ways[ends])}"/>'
            for kind, pairs in layout.lines.items()
            for ends in pairs
        )
        items = []
        for each in book:
            x, y = layout.at(each.name)
            needs = [f"needs {number[name]}" for name in each.needs]
            needs += [f"is helped by {number[name]}" for name in each.helped_by]
            hidden = f'<span class="visually-hidden"> {", ".join(needs)}</span>' if needs else ""
            uri = self.env.app.builder.get_relative_uri(self.env.docname, each.name)
            items.append(
                f'<li style="grid-area: {(y + 1) // 2} / {x} / auto / span 2"><a href="{uri}">'
                f"<b>{number[each.name]}</b> {escape(each.title)}"
                f"<small>{each.minutes} + {each.exercise_minutes} min</small>"
                f"{hidden}</a></li>"
            )
        return (
            '<nav class="chapter-map" aria-label="Map of the chapters">'
            f'<svg viewBox="0 0 {2 * layout.columns} {2 * len(layout.rows)}" '
            f'preserveAspectRatio="none" aria-hidden="true">{lines}</svg>'
            f"<ol>{''.join(items)}</ol></nav>"
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("chapter-map", ChapterMap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
