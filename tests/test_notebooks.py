"""The form of every chapter: what the build of the book cannot see."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import yaml
from nbformat import NotebookNode

from sharplib.exercises import quiz

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
def path(request: pytest.FixtureRequest) -> Path:
    """The file of one chapter."""
    return request.param


@pytest.fixture(scope="module")
def chapter(path: Path) -> NotebookNode:
    """One chapter, as JSON on disk says it."""
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


@pytest.fixture(scope="module")
def module(path: Path) -> ModuleType:
    """The chapter's exercises in the library."""
    return import_module(f"sharplib.exercises.{path.stem.replace('-', '_')}")


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


def test_the_library_draws_all_figures(chapter: NotebookNode) -> None:
    code = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "code")
    assert re.findall(r"matplotlib|\bplt\b|savefig", code) == []


def test_every_figure_has_a_caption_and_is_described(chapter: NotebookNode) -> None:
    for cell in chapter.cells:
        shown = cell.metadata.get("mystnb", {})
        if "figure" in shown or "image" in shown:
            assert shown["figure"]["name"].startswith("fig-"), cell.id
            assert len(shown["figure"]["caption"].split()) >= 3, cell.id
            assert len(shown["image"]["alt"].split()) >= 3, cell.id


def exercises_of(chapter: NotebookNode) -> dict[str, tuple[str, list[str], list[str]]]:
    """Label -> the exercise's title, and the code cells within it and within its solution."""
    found: dict[str, tuple[str, list[str], list[str]]] = {}
    open_cells: list[str] | None = None
    for cell in chapter.cells:
        if cell.cell_type == "code":
            if open_cells is not None:
                open_cells.append(cell.source)
            continue
        marks = r"\{(exercise|solution)-(start|end)\}(?: (.*))?(?:\n:label: (\S+))?"
        for kind, edge, title, label in re.findall(marks, cell.source):
            if edge == "end":
                open_cells = None
            elif kind == "exercise":
                open_cells = []
                found[label] = (title, open_cells, [])
            else:
                open_cells = found[title][2]
    return found


def test_every_exercise_takes_an_answer_and_its_solution_gives_it(
    chapter: NotebookNode, module: ModuleType
) -> None:
    found = exercises_of(chapter)
    assert 3 <= len(found) <= 6
    assert list(found) == list(module.EXERCISES)
    for label, (title, asked, solved) in found.items():
        assert re.search(r"\((easy|medium|hard), \d+ minutes\)$", title), title
        (answer,) = asked
        assert re.fullmatch(rf'(# .+\n)+answer = None\ncheck\("{label}", answer\)', answer), answer
        assert re.search(rf'^ *assert check\(\s*"{label}"', "\n".join(solved), re.MULTILINE), label


def test_closes_with_a_quiz(chapter: NotebookNode, path: Path) -> None:
    (place,) = (i for i, cell in enumerate(chapter.cells) if cell.id == "quiz")
    assert chapter.cells[place].source.startswith("## Check yourself\n")
    assert chapter.cells[place + 1].source == f'quiz("{path.stem}")'
    assert 3 <= len(quiz(path.stem).questions) <= 5
