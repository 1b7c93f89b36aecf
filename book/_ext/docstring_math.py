"""Sphinx extension: ``$...$`` and ``$$...$$`` in docstrings are mathematics, as in Markdown."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx


def dollars_to_rst(text: str) -> str:
    r"""Write dollar mathematics as reStructuredText.

    >>> print(dollars_to_rst("the spread $\\delta$, in ``$HOME``"))
    the spread :math:`\delta`, in ``$HOME``
    """

    def display(found: re.Match[str]) -> str:
        indent = found[1]
        lines = [line.strip() for line in found[2].strip().splitlines()]
        return (
            f"\n{indent}.. math::\n\n" + "\n".join(f"{indent}    {line}" for line in lines) + "\n"
        )

    text = re.sub(r"^([ \t]*)\$\$(.+?)\$\$[ \t]*$", display, text, flags=re.S | re.M)
    return re.sub(r"(``[^`]*``)|\$([^$\n]+(?:\n[^$\n]+)?)\$", _inline, text)


def _inline(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    return f":math:`{' '.join(found[2].split())}`"


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Rewrite one docstring in place."""
    lines[:] = dollars_to_rst("\n".join(lines)).split("\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
