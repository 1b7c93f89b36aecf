"""Sphinx extension: pages link the terms of the glossary, and the index knows where they are used.

Each page links each term once, where its prose first uses it. The text itself stays plain, since a
chapter is read as a notebook too, where a role would show as raw markup. Where the first use means
something else, or another place is better, ``{term}`weight` `` at that place takes the link.

The index gets the same places, those of the words listed in ``genindex.md``, and every theorem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

GLOSSARY = "book/glossary"
INDEX = "genindex"

#: Text in these is a name, a formula, or a link already. The last one is the reference of an API.
CLOSED = (
    nodes.reference,
    addnodes.pending_xref,
    nodes.literal,
    nodes.math,
    nodes.Invisible,
    addnodes.desc,
)


def terms(page: str) -> list[str]:
    """The terms that the text of a glossary defines.

    >>> terms("```{glossary}\\nentropy\\n  How spread out.\\n\\nnat\\n  A unit.\\n```")
    ['entropy', 'nat']
    """
    return re.findall(r"^(\w.*)\n  \S", page, re.M)


def words(page: str) -> list[str]:
    """The words that the page of the index lists.

    >>> words("# Index\\n\\n- Gemma\\n- Newton's method\\n")
    ['Gemma', "Newton's method"]
    """
    return re.findall(r"^- (.+)$", page, re.M)


class Uses:
    """Finds terms in text: in any case, in the plural, the longest where two begin together.

    >>> uses = Uses(["weight", "weight decay"])
    >>> [(found[0], term) for term, found in uses.find("Weight decay keeps weights small.")]
    [('Weight decay', 'weight decay'), ('weights', 'weight')]
    """

    def __init__(self, vocabulary: list[str]) -> None:
        self.terms = {term.lower(): term for term in vocabulary}
        ordered = sorted(self.terms, key=len, reverse=True)
        choices = "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in ordered)
        self.pattern = re.compile(rf"(?<![\w-])({choices})(?:s|es)?(?![\w-])", re.I)

    def find(self, text: str) -> Iterator[tuple[str, re.Match[str]]]:
        for found in self.pattern.finditer(text) if self.terms else ():
            yield self.terms[" ".join(found[1].lower().split())], found


class FirstUses(SphinxTransform):
    """Link and index the first use of each term on one page."""

    default_priority = 700  # before Sphinx collects the entries of the index, at 850

    def apply(self, **kwargs: object) -> None:
        if self.env.docname in (GLOSSARY, INDEX):
            return
        linked, indexed = terms(self._read(GLOSSARY)), words(self._read(INDEX))
        for theorem in list(self.document.findall(_is_theorem)):
            name = theorem["title"].strip().removeprefix("(").removesuffix(")")
            entry = _entry(f"{name} ({theorem['realtype']})", theorem["ids"][0])
            theorem.parent.insert(theorem.parent.index(theorem), entry)

        left = {*linked, *indexed}
        for link in list(self.document.findall(_is_term)):
            left.discard(link["reftarget"].lower())
            link.parent.replace(link, self._used(link["reftarget"], link))
        uses = Uses([*linked, *indexed])
        for text in list(self.document.findall(_is_prose)):
            pieces, end = [], 0
            for term, found in uses.find(text):
                if term in left:
                    left.remove(term)
                    word = self._link(term, found[0]) if term in linked else nodes.Text(found[0])
                    pieces += [nodes.Text(text[end : found.start()]), *self._used(term, word)]
                    end = found.end()
            if pieces:
                text.parent.replace(text, [*pieces, nodes.Text(text[end:])])

    def _read(self, page: str) -> str:
        path = Path(self.env.srcdir, f"{page}.md")
        return path.read_text("utf-8") if path.is_file() else ""

    def _used(self, term: str, word: nodes.Node) -> list[nodes.Node]:
        """A use of a term: its entry in the index, and the word itself as a place to go to."""
        title = next(iter(self.document.findall(nodes.title))).astext()
        anchor = nodes.make_id(f"use-{term}")
        return [_entry(f"{term}; {title}", anchor), nodes.inline("", "", word, ids=[anchor])]

    def _link(self, term: str, shown: str) -> nodes.Element:
        return addnodes.pending_xref(
            "",
            nodes.inline("", shown, classes=["std-term"]),
            refdomain="std",
            reftype="term",
            reftarget=term,
            refexplicit=True,
            refwarn=True,
            refdoc=self.env.docname,
        )


def _is_theorem(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element) and bool(node.get("realtype") and node["title"])


def _is_term(node: nodes.Node) -> bool:
    return isinstance(node, addnodes.pending_xref) and node["reftype"] == "term"


def _is_prose(node: nodes.Node) -> bool:
    """Whether this is text of a sentence that may hold links."""
    if not isinstance(node, nodes.Text):
        return False
    above = [node.parent]
    while above[-1].parent is not None:
        above.append(above[-1].parent)
    inside = any(isinstance(each, nodes.paragraph) for each in above)
    return inside and not any(isinstance(each, CLOSED) for each in above)


def _entry(name: str, anchor: str) -> addnodes.index:
    return addnodes.index(entries=[("single", name, anchor, "", None)])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(FirstUses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
