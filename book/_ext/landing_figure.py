"""Sphinx extension: draws the picture of the landing page, so that it too is computed."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx


def draw(app: Sphinx) -> None:
    """Write the picture that book/intro.md shows."""
    from sharplib.figures import temperature

    target = Path(app.srcdir, "book", "_assets", "drawn", "landing.png")
    target.parent.mkdir(exist_ok=True)
    temperature.rules_against_size(lead=6.0, target=0.5).savefig(target, dpi=160)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
