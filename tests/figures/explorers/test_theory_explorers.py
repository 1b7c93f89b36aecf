"""What the explorers of the theory say and draw without a page, and the stored heat maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from traitlets import TraitError

from sharplib.figures.explorers import AdaptiveTemperature, Dispersion, Explorer, TrainedHead
from sharplib.studies import _record

RESULTS = Path(__file__).resolve().parents[3] / "results"


@pytest.fixture(scope="module")
def stored() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of the full-size study; reading them checks that they are what was measured."""
    table, heat_maps = (
        _record.read(RESULTS, "max-retrieval", name) for name in ("paper", "heat_maps")
    )
    assert table is not None
    assert heat_maps is not None
    return table.table, heat_maps.table


def test_dispersion_in_words() -> None:
    said = Dispersion(spread=np.log(9), n=10, weight=0.5).describe()
    # 1 / (1 + 9 / 9) at most; half of the weight up to 1 + 9 items.
    assert "10 items one item can get at most 0.5;" in said
    assert "Up to 10 items one of them can get 0.5." in said


def test_the_row_of_dispersion_uses_the_whole_spread() -> None:
    row = Dispersion(spread=3, n=5000, seed=7).row()
    assert (row.min(), row.max(), len(row)) == (0, 3, 5000)
    assert abs(row.mean() - 1.5) < 0.1


def test_adaptive_temperature_in_words() -> None:
    said = AdaptiveTemperature(n=2, lead=np.log(3), width=0, target=3).describe()
    assert "gets 0.750 of the weight from softmax, 0.750 from adaptive temperature" in said
    assert "and 0.750 from an entropy matched to 3" in said


def test_the_trained_head_in_words(stored: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    head = TrainedHead(*stored, n=1024, rule="softmax")
    table = stored[0]
    mean = table[(table["rule"] == "softmax") & (table["size"] == 1024)].groupby("measure")["value"]
    assert f"the answer is right in {mean.mean()['accuracy']:.1%}" in head.describe()
    assert len(head.measured["sizes"]) == 14
    assert set(head.measured["rules"]) == set(table["rule"]) - {"logits", "refitted"}


def test_stored_heat_maps_are_weights_of_the_stored_head(
    stored: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    table, heat_maps = stored
    weights = heat_maps[[str(rank) for rank in range(16, 0, -1)]].to_numpy()
    assert weights.min() >= 0
    assert weights.sum(axis=1).max() <= 1 + 16 * 0.0005  # each is rounded to three decimals
    hard = heat_maps["rule"] == "hard maximum"
    assert set(np.unique(weights[hard])) == {0, 1}
    of_head = table[(table["seed"] == 0) & (table["measure"] == "weight_of_maximum")]
    means = of_head.groupby("rule")["value"].mean()
    for rule, maps in heat_maps.groupby("rule"):
        # A weight in [0, 1] has a standard deviation of at most 1/2; four standard errors.
        assert abs(maps["1"].mean() - means[rule]) < 4 * 0.5 / np.sqrt(len(maps))


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (Dispersion, {"n": 1}),
        (Dispersion, {"n": 2.5}),
        (Dispersion, {"spread": float("nan")}),
        (Dispersion, {"temperature": 0}),
        (Dispersion, {"weight": 1}),
        (Dispersion, {"seed": -1}),
        (AdaptiveTemperature, {"lead": 0}),
        (AdaptiveTemperature, {"target": "low"}),
        (AdaptiveTemperature, {"coefficients": []}),
        (AdaptiveTemperature, {"n": 10**6}),
    ],
)
def test_bad_arguments_are_named(kind: type[Explorer], state: dict[str, Any]) -> None:
    (name,) = state
    with pytest.raises(TraitError, match=rf"\b{name}\b"):
        kind(**state)


def test_the_trained_head_needs_measurements(stored: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    with pytest.raises(TypeError, match="table and heat_maps"):
        TrainedHead(stored[0])
    other = stored[1].assign(size=7)
    with pytest.raises(ValueError, match="share a size and a rule"):
        TrainedHead(stored[0], other)


def test_figures_show_the_state(stored: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    head = TrainedHead(*stored, n=64, rule="hard maximum").figure()
    image = head.axes[0].images[0].get_array()
    assert image.shape == (16, 16)
    assert set(np.unique(image)) == {0, 63}
    (mark,) = (line for line in head.axes[1].lines if line.get_label().startswith("_"))
    assert set(mark.get_xdata()) == {64}
    row = Dispersion(n=50, spread=0).figure().axes[0].lines[-3]
    np.testing.assert_allclose(row.get_ydata(), 1 / 50)  # no spread: all weights are equal
    bars = AdaptiveTemperature(n=2, lead=np.log(3)).figure().axes[1].patches
    np.testing.assert_allclose([bar.get_width() for bar in bars[:2]], 0.75)
