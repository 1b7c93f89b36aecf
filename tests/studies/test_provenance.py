"""Where the numbers of a page come from, in words."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from sharplib.studies import provenance
from sharplib.studies._storage import ResultError

RESULTS = Path(__file__).resolve().parents[2] / "results"


def test_names_seeds_and_versions() -> None:
    (entry,) = provenance.about({"rows": 7, "heads": (0, 1, 2, 5)}).data.split("\n")
    assert "seeds: rows 7; heads 0, 1, 2, 5." in entry
    assert f"NumPy {np.__version__}" in entry
    assert f"torch {torch.__version__}" in entry


def test_says_what_the_stored_file_says() -> None:
    _, paper, recipe = provenance.about({"rows": 0}, "max-retrieval", results=RESULTS).data.split(
        "\n"
    )
    made = json.loads((RESULTS / "max_retrieval" / "paper.json").read_text("utf-8"))
    assert paper.startswith("- **Stored, max-retrieval, preset paper**")
    assert recipe.startswith("- **Stored, max-retrieval, preset recipe**")
    year, _, day = made["date"].split("-")
    assert f": {int(day)} " in paper
    assert f" {year}, " in paper
    for said in ("torch", "sharplib"):
        assert f"{said} {made['identity'][said]}" in paper
    assert f"seeds: {made['seeds'][0]} to {made['seeds'][-1]}," in paper
    assert made["commit"].startswith(paper.split("commit ")[1].split(".")[0])
    assert paper.endswith(made["note"])


def test_a_missing_result_is_said_to_be_missing(tmp_path: Path) -> None:
    text = provenance.about({"rows": 0}, "ranking-noise", results=tmp_path).data
    assert text.endswith("- **Stored, ranking-noise**: not on this machine.")


def test_a_damaged_result_and_an_unknown_study_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown study 'min-retrieval'"):
        provenance.about({"rows": 0}, "min-retrieval", results=tmp_path)
    (tmp_path / "ranking_noise").mkdir()
    (tmp_path / "ranking_noise" / "paper.json").write_text("{")
    with pytest.raises(ResultError, match="damaged"):
        provenance.about({"rows": 0}, "ranking-noise", results=tmp_path)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.26, "0 s"), (59, "59 s"), (119, "2 min"), (3599, "1 h 0 min"), (6461.3, "1 h 48 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert provenance._duration(seconds) == words


def test_the_gpu_is_named_and_an_old_driver_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
    assert provenance.machine().startswith("Tesla T4, ")

    def too_old() -> bool:
        warnings.warn("the driver is too old", stacklevel=2)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", too_old)
    assert provenance.machine().startswith("no GPU, ")
