"""What all explorers share: a widget where there is a kernel, a living page where there is none."""

from __future__ import annotations

import base64
import html
import io
import json
import sys
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets as t
from matplotlib.figure import Figure

from sharplib.figures.explorers import _bundle


class Number(t.Float):
    """A trait that holds a finite number from ``min`` to ``max``."""

    def validate(self, obj: Any, value: Any) -> float:
        if not isinstance(value, Real) or not self.min <= value <= self.max:
            raise t.TraitError(
                f"{self.name} must be a number from {self.min:g} to {self.max:g}, got {value!r}"
            )
        return float(value)


class Explorer(anywidget.AnyWidget):
    """A picture to play with, the same in Jupyter and on a page without a kernel.

    A subclass declares its state as traits with ``.tag(sync=True)`` (plain JSON, checked by
    ``@validate`` methods that name the trait and the value in their error; `Number` does), and:

    ==============  ==============================================================================
    ``module``      its ES module in ``js/``, without ``.js``
    ``caption``     one or two sentences: what to try and what to see
    ``height``      what the page reserves, in CSS pixels: (wide, below 600 pixels)
    ``figure``      the initial state as a figure, for readers without scripts
    ``describe``    the same in words
    ==============  ==============================================================================
    """

    module: ClassVar[str]
    caption: ClassVar[str]
    height: ClassVar[tuple[int, int]]

    _css = (Path(__file__).parent / "explorers.css").read_text(encoding="utf-8")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "module" in vars(cls):  # traitlets makes subclasses of its own
            cls._esm = _bundle.es_module(cls.module)
        super().__init_subclass__(**kwargs)

    def __init__(self, **state: Any) -> None:
        if unknown := sorted(set(state) - set(self.trait_names())):
            raise TypeError(
                f"{type(self).__name__} has no argument {unknown[0]!r}; it takes {self._names()}"
            )
        super().__init__(**state)

    def figure(self) -> Figure:
        """The present state as a figure."""
        raise NotImplementedError(f"{type(self).__name__} has no figure")

    def describe(self) -> str:
        """The present state in words, as the alternative text of the figure."""
        raise NotImplementedError(f"{type(self).__name__} has no description")

    def state(self) -> dict[str, Any]:
        """What a reader can change, as plain values."""
        return {name: getattr(self, name) for name in self._names()}

    def _names(self) -> list[str]:
        own = set(self.traits(sync=True)) - set(anywidget.AnyWidget.class_traits())
        return sorted(name for name in own if not name.startswith("_"))

    def html(self) -> str:
        """A figure that the page's script brings to life; until then, and without it, a picture."""
        wide, narrow = self.height
        # Inside a script element only "</" could end it early.
        state = json.dumps(self.state(), allow_nan=False).replace("<", "\\u003c")
        return (
            f'<figure class="sharp-explorer" data-explorer="{self.module}"'
            f' style="--height: {wide}px; --height-narrow: {narrow}px">'
            f'<script type="application/json">{state}</script>'
            f"<div>{self.still()}</div>"
            f"<figcaption>{html.escape(self.caption)}</figcaption></figure>"
        )

    def still(self) -> str:
        """What stands there until the script runs, and without it: a picture."""
        picture = _webp(self.figure())
        return f'<img src="data:image/webp;base64,{picture}" alt="{html.escape(self.describe())}">'

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None or "google.colab" in sys.modules:  # Colab would take the HTML
            return bundle
        data, metadata = bundle
        return {**data, "text/html": self.html()}, metadata


def _webp(figure: Figure) -> str:
    memory = io.BytesIO()
    figure.savefig(memory, format="webp", dpi=110, pil_kwargs={"lossless": True})
    return base64.b64encode(memory.getvalue()).decode("ascii")
