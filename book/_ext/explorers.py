"""Sphinx extension: explorers live on a page without a kernel, a network or the widget manager.

An explorer in a notebook puts out HTML beside its widget (see ``sharplib.figures.explorers``). The
book takes the HTML, leaves the widget and its stored state out, and gives each page that holds an
explorer a style sheet and a script of its own, with what that page needs. On a page in Markdown a
directive makes one, with the line that one would write in a notebook::

    ```{explorer} SoftmaxBench(scores=[1, 2, 3])
    ```
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective
from traitlets import TraitError

from sharplib.figures import explorers
from sharplib.figures.explorers import Explorer, _bundle

WIDGET = "application/vnd.jupyter.widget-view+json"
#: Finds the module of each explorer in the HTML of a page.
HOLDS = re.compile(r'class="sharp-explorer" data-explorer="([\w-]+)"')
#: What can be wrong with the line of a directive.
PROBLEMS = (SyntaxError, TypeError, ValueError, TraitError)


def made(call: str) -> Explorer:
    """The explorer that a line of Python makes; its arguments are plain values with names.

    >>> made("SoftmaxBench(scores=[0, 4])").scores
    [0.0, 4.0]
    """
    tree = ast.parse(call, mode="eval").body
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.args):
        raise ValueError(f"not the call of an explorer with named arguments: {call!r}")
    names = sorted({*explorers.__all__} - {"Explorer"})
    if tree.func.id not in names:
        raise ValueError(f"no explorer {tree.func.id!r}; there are {names}")
    arguments = {str(k.arg): ast.literal_eval(k.value) for k in tree.keywords}
    return getattr(explorers, tree.func.id)(**arguments)


class ExplorerDirective(SphinxDirective):
    """An explorer on a page in Markdown."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        try:
            text = made(self.arguments[0]).html()
        except PROBLEMS as problem:
            raise self.error(str(problem)) from problem
        return [nodes.raw("", text, format="html")]


def prefer_html(app: Sphinx, config: Config) -> None:
    """Take the HTML of an explorer, not its widget."""
    config.nb_mime_priority_overrides = [*config.nb_mime_priority_overrides, ("*", WIDGET, None)]


def write(app: Sphinx) -> None:
    """Write the style sheet into the site."""
    if app.builder.format == "html":
        _static(app, "explorers.css", Explorer._css)


def _static(app: Sphinx, name: str, text: str) -> None:
    path = Path(app.outdir, "_static", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def drop_widget_state(app: Sphinx, doctree: nodes.document) -> None:
    """Forget what a kernel would need to bring widgets back: no page has one."""
    stored = getattr(app.env, "nb_metadata", {}).get(app.env.docname, {})
    stored.get("js_files", {}).pop("ipywidgets_state", None)


def load(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load script and style sheet where there is an explorer."""
    if doctree is None:
        return
    modules = {name for node in doctree.findall(nodes.raw) for name in HOLDS.findall(node.astext())}
    if modules:
        script = f"explorers/{page.replace('/', '-')}.js"
        _static(app, script, _bundle.page_script(sorted(modules)))
        app.add_css_file("explorers.css")
        # Before MathJax, which is large: a reader may play while formulas are typeset.
        app.add_js_file(script, priority=100, loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_directive("explorer", ExplorerDirective)
    app.connect("config-inited", prefer_html)
    app.connect("builder-inited", write)
    app.connect("doctree-read", drop_widget_state)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
