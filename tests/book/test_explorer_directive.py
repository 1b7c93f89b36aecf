"""The line that puts an explorer on a page in Markdown."""

from __future__ import annotations

import doctest
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from sharplib.figures.explorers import SoftmaxBench

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def extension() -> ModuleType:
    """The Sphinx extension as a module."""
    path = ROOT / "book" / "_ext" / "explorers.py"
    spec = importlib.util.spec_from_file_location("explorers_extension", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_examples(extension: ModuleType) -> None:
    assert doctest.testmod(extension) == (0, 1)


def test_it_reads_as_in_a_notebook(extension: ModuleType) -> None:
    call = 'SoftmaxBench(scores=[0, -1.5], map="sparsemax", parameters={})'
    there = SoftmaxBench(scores=[0, -1.5], map="sparsemax", parameters={})
    assert extension.made(call).html() == there.html()


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ("SoftmaxBench([1, 2])", "named arguments"),
        ("SoftmaxBench", "named arguments"),
        ("os.system(command='true')", "named arguments"),
        ("Explorer()", "no explorer 'Explorer'; there are .*'SoftmaxBench'"),
        ("SoftmaxBench(scores=range(3))", "malformed node"),
        ("SoftmaxBench(scores=[99])", "scores must be 1 to 12 numbers from -5 to 5"),
        ("SoftmaxBench(score=[1])", "no argument 'score'"),
        ("SoftmaxBench(", "never closed"),
    ],
)
def test_what_it_cannot_read_it_names(extension: ModuleType, call: str, complaint: str) -> None:
    with pytest.raises(extension.PROBLEMS, match=complaint):
        extension.made(call)
