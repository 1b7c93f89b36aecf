"""Sphinx extension: the arrows that open a part of the sidebar get a name, for screen readers.

The theme gives them a picture only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx


def name_toggles(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Wrap the theme's function that draws the tree of pages."""
    draw: Callable[..., Any] = context["generate_toctree_html"]

    def named(*args: Any, **kwargs: Any) -> Any:
        tree = draw(*args, **kwargs)
        for toggle in tree.select("li > a + details > summary") if tree else []:
            link = toggle.parent.find_previous_sibling("a")
            toggle["aria-label"] = f"Pages below {link.get_text(strip=True)}"
        return tree

    context["generate_toctree_html"] = named


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension, to run after the theme."""
    app.connect("html-page-context", name_toggles, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
