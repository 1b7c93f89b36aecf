"""What explorers share, seen from Python."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import traitlets as t

from sharplib import CATALOGUE
from sharplib.figures.explorers import Explorer, SoftmaxBench
from sharplib.figures.explorers._base import Number

WIDGET = "application/vnd.jupyter.widget-view+json"


class Noted(Explorer):
    """An explorer whose state holds what could end a script early."""

    module = "softmax-bench"
    caption = "<b>caption</b>"
    height = (100, 200)
    note = t.Unicode("</script><script>alert(1)</script>").tag(sync=True)
    depth = Number(1, min=0, max=2).tag(sync=True)

    def still(self) -> str:
        return "<p>still</p>"


class Texts(HTMLParser):
    """The text inside each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open = tag

    def handle_data(self, data: str) -> None:
        self.found[self.open] = self.found.get(self.open, "") + data


def test_the_page_gets_the_state_and_the_words_unharmed() -> None:
    found = Texts(Noted().html()).found
    assert json.loads(found["script"]) == Noted().state()
    assert found["figcaption"] == "<b>caption</b>"


def test_both_hosts_are_served() -> None:
    data, _ = Noted()._repr_mimebundle_()
    assert data["text/html"] == Noted().html()
    assert WIDGET in data


def test_colab_gets_the_widget_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    data, _ = Noted()._repr_mimebundle_()
    assert WIDGET in data
    assert "text/html" not in data


def test_the_state_is_what_a_reader_can_change() -> None:
    assert list(Noted().state()) == ["depth", "note"]
    assert Noted(depth=2).state()["depth"] == 2.0


@pytest.mark.parametrize("value", [-0.1, 2.1, float("nan"), "1", None])
def test_a_number_outside_its_range_is_named(value: Any) -> None:
    complaint = f"depth must be a number from 0 to 2, got {re.escape(repr(value))}"
    with pytest.raises(t.TraitError, match=complaint):
        Noted(depth=value)
    with pytest.raises(t.TraitError, match=complaint):
        Noted().depth = value


def test_an_unknown_argument_is_named() -> None:
    with pytest.raises(TypeError, match=r"Noted has no argument 'deep'; it takes \['depth', 'note"):
        Noted(deep=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scores", []),
        ("scores", [0.0] * 13),
        ("scores", [5.1]),
        ("scores", [float("nan")]),
        ("map", "argmax"),
        ("temperature", 0),
        ("parameters", {"alpha": "two"}),
    ],
)
def test_the_bench_names_what_is_wrong(name: str, value: Any) -> None:
    bench = SoftmaxBench()
    before = bench.state()
    with pytest.raises(t.TraitError, match=name):
        setattr(bench, name, value)
    assert bench.state() == before


@pytest.mark.parametrize("name", ["softmax", "entmax", "budget", "sin_softmax"])
def test_the_still_picture_shows_the_weights(name: str) -> None:
    bench = SoftmaxBench(scores=[0.5, -1, 3], map=name, temperature=2)
    p = CATALOGUE[name](np.array([0.25, -0.5, 1.5]))
    above, below = bench.figure().axes
    assert [bar.get_height() for bar in above.patches] == [0.5, -1, 3]
    np.testing.assert_allclose([bar.get_height() for bar in below.patches], p)
    assert f"{name} weights are {', '.join(f'{w:.2f}' for w in p)}." in bench.describe()
