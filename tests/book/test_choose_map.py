"""The page *Choose your map*: complete, and right in what its prose says."""

from __future__ import annotations

import doctest
import importlib
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from sharplib import CATALOGUE
from sharplib.figures import maps

BOOK = Path(__file__).resolve().parents[2] / "book"
PAGE = (BOOK / "choose-your-map.md").read_text(encoding="utf-8")


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The extension that prints the page."""
    monkeypatch.syspath_prepend(BOOK / "_ext")
    module = importlib.import_module("choose_map")
    module.costs.cache_clear()
    module.drawn.cache_clear()
    return module


def names(found: list) -> set[str]:
    return {mapping.name for mapping in found}


def test_examples(choose: ModuleType) -> None:
    assert doctest.testmod(choose).failed == 0


def test_every_map_has_one_card(choose: ModuleType) -> None:
    groups = re.findall(r"\{map-cards\} (.+)", PAGE)
    cards = Counter(m.name for group in groups for m in choose.matching(group))
    assert cards == dict.fromkeys(CATALOGUE, 1)


def test_every_map_that_the_prose_names_exists(choose: ModuleType) -> None:
    assert set(re.findall(r"\{map\}`(\w+)`", PAGE)) <= set(CATALOGUE)
    lists = re.findall(r"\{maps\}`(.+?)`", PAGE)
    assert lists
    assert all(choose.matching(conditions) for conditions in lists)


def test_conditions_read_properties(choose: ModuleType) -> None:
    assert "sparsemax" in names(choose.matching("sparse=True, sums_to=1"))
    assert names(choose.matching("sums_to=2")) == {"budget"}
    assert names(choose.matching("sums_to=None")).isdisjoint(
        names(choose.matching("sums_to!=None"))
    )
    with pytest.raises(ValueError, match="not a condition on a property: 'sparse'"):
        choose.matching("sparse")
    with pytest.raises(AttributeError, match="sharp"):
        choose.matching("sharp=True")


def test_only_the_two_maps_that_the_prose_names_hold_in_a_crowd() -> None:
    left = {name: maps.top_weights(name, (1_000_000,))[:, 0] for name in CATALOGUE}
    assert {name for name in left if left[name][1] > 0.1} == {
        "entropy_matched_softmax",
        "topk_softmax",
    }
    stay = {name for name, mapping in CATALOGUE.items() if mapping.properties.growth == "keeps"}
    assert {name for name in left if left[name][0] > 0.1} == stay


def test_costs_are_read_from_the_benchmark(
    choose: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(choose, "BENCHMARK", tmp_path / "mappings.csv")
    assert choose.costs() == {}
    assert choose.cost(CATALOGUE["softmax"]) == "not measured yet"

    choose.costs.cache_clear()
    case = ",".join(choose.CASE.values())
    choose.BENCHMARK.write_text(
        f"map,{','.join(choose.CASE)},both / softmax\n"
        f"sparsemax,{case},1.64\nsparsemax,{case.replace('float32', 'bfloat16')},9.9\n"
    )
    assert choose.cost(CATALOGUE["sparsemax"]) == "1.6 times softmax"
    assert choose.cost(CATALOGUE["softmax"]) == "not measured yet"

    choose.costs.cache_clear()
    choose.BENCHMARK.write_text("map,both / softmax\nsparsemax,1.64\n")
    with pytest.raises(ValueError, match=r"mappings\.csv has no row with"):
        choose.costs()


def test_pictures_are_drawn_again_only_after_a_change_in_the_library(
    choose: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(choose, "CATALOGUE", {"sparsemax": CATALOGUE["sparsemax"]})
    about = choose.drawn(tmp_path)
    alone, crowd = about["sparsemax"]["left"]
    assert alone == [1.0, 1.0]
    assert 0 < crowd[1] < crowd[0] < 1
    pictures = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.webp")}
    assert set(pictures) == {f"sparsemax-{kind}.webp" for kind in about["sparsemax"]["pictures"]}

    def now() -> dict[str, int]:
        choose.drawn.cache_clear()
        assert choose.drawn(tmp_path) == about
        return {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.webp")}

    assert now() == pictures
    index = tmp_path / "index.json"
    index.write_text(re.sub(r'"stamp": [\d.]+', '"stamp": 0.0', index.read_text()))
    assert now() != pictures
