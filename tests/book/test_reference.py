"""The reference pages leave nothing out that the library offers."""

from __future__ import annotations

import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import sharplib
import sharplib.studies
import sharplib.theory
from sharplib.figures import explorers

PAGES = Path(__file__).resolve().parents[2] / "book"


def test_every_mapping_is_described() -> None:
    page = (PAGES / "library.md").read_text(encoding="utf-8").split()
    functions = set(sharplib.__all__) - {"CATALOGUE", "kernels", "losses", "measures"}
    assert functions >= set(sharplib.CATALOGUE)
    assert {name for name in functions if name not in page} == set()


@pytest.mark.parametrize("package", [sharplib.theory, sharplib.studies], ids=lambda p: p.__name__)
def test_every_public_module_is_described(package: ModuleType) -> None:
    name = package.__name__.split(".")[-1]
    page = (PAGES / f"library-{name}.md").read_text(encoding="utf-8").split()
    found = [module.name for module in pkgutil.iter_modules(package.__path__)]
    public = {f"{package.__name__}.{name}" for name in found if not name.startswith("_")}
    assert public
    assert {name for name in public if name not in page} == set()


def test_every_study_is_described() -> None:
    page = (PAGES / "library-studies.md").read_text(encoding="utf-8")
    assert {name for name in sharplib.studies.STUDIES if f"sharp run {name}" not in page} == set()


def test_every_explorer_is_described() -> None:
    page = (PAGES / "library-course.md").read_text(encoding="utf-8").split()
    assert {name for name in explorers.__all__ if name not in page} == set()
