"""The form of every chapter: what the build of the book cannot see."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "notebooks").rglob("*.ipynb"))

SETUP = """\
# A fresh machine (Colab, say) gets the library here.
import importlib.util
if importlib.util.find_spec("sharplib") is None:
    %pip install -q "sharplib[course] @ git+{repository}"
from sharplib.studies.provenance import about, machine
print("This machine:", machine())
"""


@pytest.fixture(scope="module", params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request: pytest.FixtureRequest) -> NotebookNode:
    """One chapter, as JSON on disk says it."""
    return nbformat.read(request.param, as_version=nbformat.NO_CONVERT)


def without_blank_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_every_chapter_is_in_the_book() -> None:
    book = re.findall(r"file: (notebooks/\S+)", (ROOT / "_toc.yml").read_text())
    files = [path.relative_to(ROOT).with_suffix("").as_posix() for path in CHAPTERS]
    assert sorted(book) == files


def test_notebook_is_valid(chapter: NotebookNode) -> None:
    nbformat.validate(chapter)
    assert (chapter.nbformat, chapter.nbformat_minor) == (4, 5)
    assert chapter.metadata.kernelspec.name == "python3"
    ids = [cell.id for cell in chapter.cells]
    assert len(set(ids)) == len(ids)


def test_no_outputs_are_stored(chapter: NotebookNode) -> None:
    code = [cell for cell in chapter.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []


def test_begins_with_a_title_and_the_set_up_for_colab(chapter: NotebookNode) -> None:
    title, setup = chapter.cells[:2]
    assert title.cell_type == "markdown"
    assert title.source.startswith("# ")
    assert sum(len(re.findall(r"(?m)^# ", c.source)) for c in markdown(chapter)) == 1
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    expected = SETUP.format(repository=repository)
    assert without_blank_lines(setup.source) == without_blank_lines(expected)
    assert setup.metadata.tags == ["remove-cell"]


def test_ends_with_where_its_numbers_come_from(chapter: NotebookNode) -> None:
    heading, about = chapter.cells[-2:]
    assert heading.source == "## About these numbers"
    code = "\n".join(cell.source for cell in chapter.cells[2:-2] if cell.cell_type == "code")
    named = ast.parse(about.source).body[0].value
    assert named.func.id == "about"
    seeds = {value.value for value in named.args[0].values if isinstance(value, ast.Constant)}
    assert {int(s) for s in re.findall(r"(?:default_rng|manual_seed)\((\d+)\)", code)} == seeds
    studies = {argument.value for argument in named.args[1:]}
    assert set(re.findall(r'stored\(\s*"([\w-]+)"', code)) == studies


def markdown(chapter: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in chapter.cells if cell.cell_type == "markdown"]


def test_every_figure_has_a_caption_and_is_described(chapter: NotebookNode) -> None:
    for cell in chapter.cells:
        shown = cell.metadata.get("mystnb", {})
        if "figure" in shown or "image" in shown:
            assert shown["figure"]["name"].startswith("fig-"), cell.id
            assert len(shown["figure"]["caption"].split()) >= 3, cell.id
            assert len(shown["image"]["alt"].split()) >= 3, cell.id


def test_every_exercise_has_a_solution(chapter: NotebookNode) -> None:
    text = "\n".join(cell.source for cell in markdown(chapter))
    exercises = re.findall(r"\{exercise(?:-start)?\}[^\n]*\n:label: (\S+)", text)
    solved = re.findall(r"\{solution(?:-start)?\} (\S+)", text)
    assert exercises
    assert sorted(exercises) == sorted(solved)
