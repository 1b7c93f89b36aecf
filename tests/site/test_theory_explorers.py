"""Dispersion, adaptive temperature and the trained head under the hands of a reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page

from sharplib import measures
from sharplib.figures.explorers import AdaptiveTemperature, Dispersion, Explorer, TrainedHead
from sharplib.theory.critical_size import critical_size, required_spread
from sharplib.theory.dispersion import weight_bounds

Mount = Callable[..., Page]
Tables = tuple[pd.DataFrame, pd.DataFrame]
Read = Callable[[Page, str], list[float]]

pytestmark = pytest.mark.site


@pytest.fixture(params=["dispersion", "adaptive-temperature", "trained-head"])
def explorer(request: pytest.FixtureRequest, measured_heads: Tables) -> Explorer:
    makers = {
        "dispersion": Dispersion,
        "adaptive-temperature": AdaptiveTemperature,
        "trained-head": lambda: TrainedHead(*measured_heads),
    }
    return makers[request.param]()


def slide(page: Page, name: str, share: float) -> None:
    """Drag a slider of the controls to a share of its length, with the pointer."""
    box = page.locator(f"input[name={name}]").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + share * box["width"], middle, steps=3)
    page.mouse.up()


def drag_size(page: Page, pixels: float) -> None:
    """Drag the mark of the number of items in the drawing."""
    box = page.locator("svg [role=slider] circle").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels, y, steps=3)
    page.mouse.up()


def check_dispersion(page: Page, read: Read, seed: int = 0) -> dict[str, float]:
    """The page shows what the library computes at the values of its sliders."""
    names = ("spread", "temperature", "n", "weight")
    at = dict(zip(names, [read(page, name)[0] for name in names], strict=True))
    of, n, weight = (at["spread"], at["temperature"]), int(at["n"]), at["weight"]
    same = Dispersion(spread=of[0], temperature=of[1], n=n, weight=weight, seed=seed)
    row = np.exp((same.row() - of[0]) / of[1])
    expected = {
        "most": weight_bounds(n, *of)[1],
        "row": row.max() / row.sum(),
        "critical": critical_size(of[0], weight, of[1]),
        "required": required_spread(n, weight, of[1]),
    }
    for name, value in expected.items():
        # The same formulas in two languages: the last digits may differ.
        np.testing.assert_allclose(read(page, name), [value], rtol=1e-11, err_msg=name)
    return at


def test_dispersion_follows_its_sliders(mounted: Mount, read: Read) -> None:
    page = mounted(Dispersion(spread=5.69, n=100_000))
    before = check_dispersion(page, read)
    assert before == {"spread": 5.69, "temperature": 1, "n": 100_000, "weight": 0.1}
    for name, share in (("spread", 0.6), ("temperature", 0.3), ("n", 0.9), ("weight", 0.8)):
        slide(page, name, share)
        after = check_dispersion(page, read)
        assert after[name] != before[name]
        assert {k: v for k, v in after.items() if k != name} == {
            k: v for k, v in before.items() if k != name
        }
        before = after
    page.get_by_role("button", name="Another row").click()
    assert check_dispersion(page, read, seed=1) == before
    page.get_by_role("button", name="Reset").click()
    assert check_dispersion(page, read)["spread"] == 5.69


def test_dispersion_says_on_which_side_of_the_critical_size_it_is(mounted: Mount) -> None:
    page = mounted(Dispersion(spread=5.69, n=2664, weight=0.1))
    sentence = page.locator(".sharp-sentence")
    assert "10.0 % as long as there are no more than 2,664" in sentence.inner_text()
    page.locator("input[name=n]").press("ArrowRight")
    assert "None of 2,820 items can get 10.0 %" in sentence.inner_text()


def test_the_number_of_items_can_be_dragged_in_the_drawing(mounted: Mount, read: Read) -> None:
    page = mounted(Dispersion(n=1000))
    drag_size(page, 60)
    after = check_dispersion(page, read)
    assert after["n"] > 5000
    drag_size(page, -2000)
    assert check_dispersion(page, read)["n"] == 2
    page.keyboard.press("ArrowUp")
    assert check_dispersion(page, read)["n"] == 3
    page.keyboard.press("End")
    assert check_dispersion(page, read)["n"] == 10**7


def check_adaptive(page: Page, read: Read) -> dict[str, float]:
    """The page shows what the library computes at the values of its sliders."""
    names = ("n", "lead", "width", "target")
    at = {name: read(page, name)[0] for name in names}
    same = AdaptiveTemperature(**{**at, "n": int(at["n"])})
    x, weights = same.row(), same.weights()
    for name, p in weights.items():
        # The crowd is added up by levels here and item by item there, and β is an exponent.
        np.testing.assert_allclose(read(page, name), [p[0]], rtol=1e-9, err_msg=name)
    entropy = measures.entropy(weights["softmax"])
    np.testing.assert_allclose(read(page, "entropy"), [entropy], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(read(page, "support"), [np.exp(entropy)], rtol=1e-9)
    # β by the ratio of two weights, where the second one can be told from nothing.
    for name, rule in (("beta", "adaptive"), ("needed", "matched")):
        if weights[rule][1] > 1e-200:
            beta = np.log(weights[rule][0] / weights[rule][1]) / (x[0] - x[1])
            np.testing.assert_allclose(read(page, name), [beta], rtol=1e-9, err_msg=name)
    return at


def test_adaptive_temperature_follows_its_sliders(mounted: Mount, read: Read) -> None:
    page = mounted(AdaptiveTemperature())
    before = check_adaptive(page, read)
    for name, share in (("n", 0.7), ("lead", 0.6), ("width", 0.2), ("target", 0.7)):
        slide(page, name, share)
        after = check_adaptive(page, read)
        assert after[name] != before[name]
        before = after
    page.get_by_role("button", name="Reset").click()
    assert check_adaptive(page, read) == {"n": 256, "lead": 6, "width": 0, "target": 0.5}


def test_adaptive_temperature_lets_go_of_a_long_row(mounted: Mount, read: Read) -> None:
    page = mounted(AdaptiveTemperature(n=100_000))
    check_adaptive(page, read)
    assert read(page, "beta") == [1]
    assert read(page, "adaptive") == read(page, "softmax")
    assert "leaves it alone" in page.locator(".sharp-sentence").inner_text()
    page.locator("input[name=n]").press("Home")
    assert check_adaptive(page, read)["n"] == 2
    assert "as sharp as the target already" in page.locator(".sharp-sentence").inner_text()


def test_the_trained_head_shows_what_was_measured(
    mounted: Mount, read: Read, measured_heads: Tables
) -> None:
    table, heat_maps = measured_heads
    page = mounted(TrainedHead(*measured_heads, n=16))

    def check(n: int, rule: str) -> None:
        rows = table[table["size"] == n]
        for of, measure in (("logits", "ranking"), (rule, "top_weight"), (rule, "accuracy")):
            mean = rows[(rows["rule"] == of) & (rows["measure"] == measure)]["value"].mean()
            np.testing.assert_allclose(read(page, measure), [mean], rtol=1e-12)
        cells = heat_maps[(heat_maps["size"] == n) & (heat_maps["rule"] == rule)].drop(
            columns=["size", "rule", "set"]
        )
        light = page.evaluate(
            """() => {
              const {width, height} = document.querySelector("canvas");
              const shown = document.querySelector("canvas").getContext("2d");
              return [...shown.getImageData(0, 0, width, height).data];
            }"""
        )
        # The colours run from black to nearly white, and their red channel never falls.
        red = np.array(light).reshape(*cells.shape, 4)[..., 0]
        order = np.argsort(cells.to_numpy(), axis=None, kind="stable")
        levels = (63 * cells.to_numpy()).round().flat[order]
        assert np.all(np.diff(red.flat[order])[np.diff(levels) > 0] >= 0)
        assert np.all(red[cells.to_numpy() == 1] == 252)
        assert np.all(red[cells.to_numpy() == 0] == 0)

    check(16, "softmax")
    page.select_option("select", "hard maximum")
    check(16, "hard maximum")
    page.locator("input[name=n]").press("ArrowRight")
    check(64, "hard maximum")
    drag_size(page, 500)
    check(2048, "hard maximum")
    page.get_by_role("button", name="Reset").click()
    check(16, "softmax")


def test_every_control_is_reached_by_tab(mounted: Mount, explorer: Explorer) -> None:
    page = mounted(explorer)
    controls = page.locator("input, select, button, [role=slider]")
    reached = set()
    for _ in range(controls.count()):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        )
    assert len(reached) == controls.count()


def test_a_finger_moves_a_slider(mounted: Mount, read: Read) -> None:
    page = mounted(Dispersion(), width=360, has_touch=True)
    box = page.locator("input[name=spread]").bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    assert 14 < check_dispersion(page, read)["spread"] < 16


@pytest.mark.parametrize("state", [{"n": 17}, {"n": 16.5}, {"rule": "max"}, {"size": 4}])
def test_the_trained_head_refuses_what_it_has_not(
    measured_heads: Tables, state: dict[str, Any]
) -> None:
    (name,) = state
    with pytest.raises(Exception, match=rf"\b{name}\b") as caught:
        TrainedHead(*measured_heads, **state)
    assert type(caught.value).__name__ in {"TraitError", "TypeError"}
