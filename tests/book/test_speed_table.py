"""The speeds on the library page are those that were measured."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "book" / "library.md").read_text("utf-8")
MEASURED = pd.read_csv(ROOT / "benchmarks" / "results" / "few_items.csv")
LINES = re.findall(r"^\| (\w+.*?) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.M)


@pytest.mark.parametrize(("label", "ours", "always", "peer"), LINES)
def test_microseconds(label, ours, always, peer):
    name = label.replace("4/3", "1.333")
    row = MEASURED[(MEASURED["map"] == name) & (MEASURED["shape"] == "8x64")].squeeze()
    measured = row[["ours", "ours, always", "entmax 1.3"]].astype(float).round().astype(int)
    assert measured.tolist() == [int(ours), int(always), int(peer)]


def test_every_map_but_softmax_has_its_line():
    assert len(LINES) == MEASURED["map"].nunique() - 1 > 0
