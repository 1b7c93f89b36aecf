"""The page's copy of the mappings, run by Node beside the library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sharplib import CATALOGUE, measures
from sharplib.figures.explorers import _bundle, _maps

ROWS = 3000
BATCH = 50  # rows with one setting of the sliders
#: Small weights are differences of numbers near 1, whose rounding they keep.
FLOOR = 16 * float(np.finfo(float).eps)


@pytest.fixture(scope="module")
def sliders(in_node: Any) -> dict[str, list[dict[str, Any]]]:
    """The parameters that the page offers, by map."""
    (found,) = in_node("maps", "() => catalogue", [[]])
    return {name: entry["parameters"] for name, entry in found.items()}


def setting(rng: np.random.Generator, slider: dict[str, Any]) -> float:
    """A value of a slider: one of its ends, or any between them; whole where its steps are."""
    low, high, step = slider["min"], slider["max"], slider["step"]
    if step == 1 and low == round(low):
        return int(rng.integers(low, high + 1))
    if rng.random() < 0.1:
        return float(rng.choice([low, high]))
    if slider["log"]:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))


def scores(rng: np.random.Generator) -> np.ndarray:
    """Rows of 1 to 12 scores: narrow or wide, far from 0 or near, with ties and masked items."""
    rows = np.full((ROWS, 12), -np.inf)
    for row in rows:
        n = rng.integers(1, 13)
        x = rng.normal(size=n) * rng.choice([0.1, 1, 3, 10])
        if rng.random() < 0.2:
            x += rng.choice([-1e3, 1e3])
        if rng.random() < 0.3:
            x = rng.choice(x, size=n)
        if rng.random() < 0.3:
            x[rng.random(n) < 0.3] = -np.inf
        row[:n] = x
    return rows


def jumps(name: str, x: np.ndarray) -> np.ndarray:
    """Rows in which a rounding step decides on which side of a jump an item lies."""
    if name != "ev_softmax":
        return np.zeros(len(x), dtype=bool)
    there = np.isfinite(x)
    middle = np.where(there, x, 0).sum(-1, keepdims=True) / np.maximum(there.sum(-1), 1)[:, None]
    return (np.abs(x - middle) < 1e-9).any(-1)


def test_the_page_has_every_map(in_node: Any) -> None:
    assert in_node("maps", "() => Object.keys(maps)", [[]]) == [list(CATALOGUE)]
    assert in_node("maps", "() => Object.keys(catalogue)", [[]]) == [list(CATALOGUE)]


@pytest.mark.parametrize("name", CATALOGUE)
def test_sliders_begin_at_the_settings_of_the_catalogue(name: str, sliders: Any) -> None:
    values = {slider["name"]: slider["value"] for slider in sliders[name]}
    x = np.linspace(-1.0, 1.5, 70)  # longer than a training length
    np.testing.assert_array_equal(_maps.weights(name, x, values), CATALOGUE[name](x))
    for slider in sliders[name]:
        assert slider["min"] <= slider["value"] <= slider["max"]
        assert slider["min"] > 0 or not slider["log"]


@pytest.mark.parametrize("name", CATALOGUE)
def test_same_weights(name: str, in_node: Any, sliders: Any, rng: np.random.Generator) -> None:
    x = scores(rng)
    x = x[~jumps(name, x)]
    batches = []
    for start in range(0, len(x), BATCH):
        settings = {slider["name"]: setting(rng, slider) for slider in sliders[name]}
        batches.append((x[start : start + BATCH], settings))
    found = in_node(
        "maps",
        f"(x, settings) => x.map((row) => maps.{name}(row.map((v) => v ?? -Infinity), settings))",
        [
            [[[v if math.isfinite(v) else None for v in row] for row in x], settings]
            for x, settings in batches
        ],
    )
    for (x, settings), weights in zip(batches, found, strict=True):
        q = np.array(weights, dtype=float)
        with np.errstate(all="ignore"):
            p = _maps.weights(name, x, settings)
        np.testing.assert_allclose(q, p, rtol=1e-12, atol=FLOOR)
        if CATALOGUE[name].properties.sparse:
            # An exact zero stays one, but for an item within rounding of the threshold.
            assert (((p == 0) == (q == 0)) | (np.maximum(p, q) < 1e-6)).all()


def test_measures(in_node: Any, rng: np.random.Generator) -> None:
    p = CATALOGUE["entmax15"](scores(rng))
    for function, measure in (
        ("entropy", measures.entropy),
        ("effectiveSupport", measures.effective_support),
    ):
        found = in_node("maps", function, [[row] for row in p.tolist()])
        np.testing.assert_allclose(found, measure(p), rtol=1e-12, atol=FLOOR)


def test_the_copy_is_small() -> None:
    assert (_bundle.FOLDER / "maps.js").stat().st_size < 25_000
