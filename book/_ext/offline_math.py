"""Sphinx extension: the site serves MathJax itself, so that it can be read without a network.

The files come from the package ``sphinx-mathjax-offline`` (MathJax 3.2.2, Apache License 2.0).
The package copies all of its 24 MB into a site; a page can ask only for the files named here.
"""

from __future__ import annotations

import shutil
from importlib.metadata import distribution
from pathlib import Path

from sphinx.application import Sphinx

#: Patterns below the package's MathJax folder.
FILES = (
    "tex-mml-chtml.js",
    "output/chtml/fonts/woff-v2/*.woff",
    "input/tex/extensions/*.js",  # loaded when a formula first needs one
    # The rest is for the formula explorer, which a reader may turn on in the menu of any formula.
    "a11y/*.js",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
)


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Copy MathJax into the built site."""
    if exception is not None or app.builder.format != "html":
        return
    source = Path(
        str(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline"))
    ).joinpath("static", "mathjax")
    for pattern in FILES:
        found = sorted(source.glob(pattern))
        if not found:
            raise FileNotFoundError(f"sphinx-mathjax-offline holds no {pattern!r} (in {source})")
        for path in found:
            target = Path(app.outdir, "_static", "mathjax", path.relative_to(source))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
