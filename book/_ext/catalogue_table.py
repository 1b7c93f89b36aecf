"""Sphinx extension: ``{catalogue-table}`` prints the library's catalogue of mappings."""

from __future__ import annotations

import math
from collections.abc import Iterable

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sharplib import CATALOGUE
from sharplib.mappings import Mapping

HEADER = (
    "mapping",
    "source",
    "sums to",
    "shift-invariant",
    "permutes with its scores",
    "keeps order",
    "exact zeros",
    "continuous",
    "Lipschitz constant",
    "as n grows",
)


def cells(entry: Mapping) -> Iterable[str]:
    """One row of the table, as Markdown."""
    claims = entry.properties
    settings = ", ".join(f"{name}={value}" for name, value in entry.settings.items())
    yield f"{{py:func}}`~sharplib.{entry.name}`" + (f" at {settings}" if settings else "")
    yield entry.paper
    total = "no fixed value" if claims.sums_to is None else f"{claims.sums_to:g}"
    yield f"{total}, with either sign" if claims.signed else total
    yield _yes(claims.shift_invariant)
    yield _yes(claims.equivariant)
    yield {"strict": "strictly", "weak": "weakly", "none": "no"}[claims.order]
    yield _yes(claims.sparse)
    yield _yes(claims.continuous)
    yield constant(claims.lipschitz)
    yield {"disperses": "disperses", "keeps": "stays sharp"}[claims.growth]


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"


def constant(bound: float | None) -> str:
    """A Lipschitz constant in words."""
    if bound is None:
        return "not known"
    return "none" if math.isinf(bound) else f"{bound:g}"


class CatalogueTable(SphinxDirective):
    """The directive; it takes no arguments and no content."""

    def run(self) -> list[nodes.Node]:
        rows = [HEADER, ["---"] * len(HEADER), *map(cells, CATALOGUE.values())]
        text = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return self.parse_text_to_nodes(f":::{{container}} catalogue\n{text}\n:::")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("catalogue-table", CatalogueTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
