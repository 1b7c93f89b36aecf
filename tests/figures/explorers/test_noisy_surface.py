"""The noisy surface's numbers on the page, run by Node beside the theory; its side in Python."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import traitlets

from sharplib.figures.explorers import NoisySurface, _bundle, noisy_surface
from sharplib.theory import multiplication

CASES = [
    [ends, least, ratio]
    for ends in noisy_surface.RANGES
    for least, ratio in ((1, 1), (1, 5), (3, 1), (0.1, 40), (10, 40))
]


def test_the_page_offers_the_same_ranges() -> None:
    source = _bundle._read("noisy-surface", _bundle.FOLDER)
    names = NoisySurface.class_traits()["range"].values
    assert json.dumps(list(names)) in source


def test_the_surface(in_node: Any, rng: np.random.Generator) -> None:
    body = """(ends, least, ratio, w) => {
        const [inputs, noise] = [moments(...ends), draws(least, ratio)];
        const [p, q] = w.map((v) => parts(v, inputs, noise));
        return [joined(p, q, inputs[1]), ...downhill(w, inputs, noise)];
    }"""
    cases = [[*case, rng.random(2).tolist()] for case in CASES for _ in range(5)]
    for found, (ends, least, ratio, w) in zip(
        in_node("multiplication", body, cases), cases, strict=True
    ):
        noise = (least, least * ratio)
        # Eight nodes are good to eight digits of the largest term, which is a square of m2.
        scale = 1 + multiplication.moments(*ends)[1] ** 2
        assert found[0] == pytest.approx(
            float(multiplication.error(*w, *ends, noise)), rel=1e-6, abs=1e-7 * scale
        )
        for i in (0, 1):
            step = 1e-5 * np.eye(2)[i]
            up, down = (
                float(multiplication.error(*(w + sign * step), *ends, noise)) for sign in (1, -1)
            )
            # A central difference of numbers of that scale.
            assert found[1 + i] == pytest.approx((up - down) / 2e-5, rel=1e-3, abs=1e-4 * scale)


def test_the_way_down_is_that_of_the_library(in_node: Any, rng: np.random.Generator) -> None:
    body = """(ends, least, ratio, w) => {
        const [inputs, noise] = [moments(...ends), draws(least, ratio)];
        return adam(w, (v) => downhill(v, inputs, noise), 300, 2e-3)[300];
    }"""
    cases = [[*case, rng.uniform(0.3, 0.7, 2).tolist()] for case in CASES]
    for found, (ends, least, ratio, w) in zip(
        in_node("multiplication", body, cases), cases, strict=True
    ):
        want = multiplication.descend(w, *ends, (least, least * ratio), steps=300, rate=2e-3)
        # Adam follows signs, and near a level place a rounding can change one.
        np.testing.assert_allclose(found, want, atol=2e-4)


def test_batches_go_down_the_same_surface(in_node: Any) -> None:
    body = """(ends, least, ratio, w) => {
        const slope = batches(ends, least, ratio);
        const total = [0, 0];
        for (let k = 0; k < 30000; k++) slope(w).forEach((g, i) => (total[i] += g / 30000));
        return [total, downhill(w, moments(...ends), draws(least, ratio))];
    }"""
    cases = [[(-1.2, -1.1), 1, 5, [0.4, 0.5]], [(-2, 2), 0.2, 9, [0.7, 0.3]]]
    for found, want in in_node("multiplication", body, cases):
        # 120,000 samples: a per cent or so
        np.testing.assert_allclose(found, want, rtol=0.03)


@pytest.mark.parametrize(
    "state",
    [
        {"range": "[0, 1]"},
        {"least": 0.05},
        {"ratio": 0.5},
        {"weights": [0.5]},
        {"weights": [0.5, 1.5]},
    ],
)
def test_a_bad_state_is_named(state: dict[str, Any]) -> None:
    (name,) = state
    with pytest.raises(traitlets.TraitError, match=name):
        NoisySurface(**state)


def test_words_for_readers_without_the_figure() -> None:
    said = NoisySurface(weights=[0.4, 0.4], least=1, ratio=5).describe()
    assert "on numbers from [-1.2, -1.1] under noise from 1 to 5" in said
    assert "without noise comes to (0.00, 0.00), with noise to (1.00, 1.00)" in said
