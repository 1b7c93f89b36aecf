"""The build of the book: what it keeps, what it runs again, and that a failing cell fails it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """The script book/build.py as a module."""
    spec = importlib.util.spec_from_file_location("build_book", ROOT / "book" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small tree with everything that the numbers in a chapter depend on."""
    for name in ("sharplib/mappings/softmax.py", "results/a.csv", "constraints.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["sharplib/mappings/softmax.py", "sharplib/new.mplstyle", "results/a.csv", "constraints.txt"],
)
def test_a_change_in_an_input_runs_the_chapters_again(
    build: ModuleType, project: Path, name: str
) -> None:
    executed = project / "_build" / ".jupyter_cache" / "global.db"
    build.prepare(project)
    executed.parent.mkdir()
    executed.touch()
    assert build.prepare(project)
    assert executed.exists()

    (project / name).write_text("something else")
    assert not build.prepare(project)
    assert not executed.exists()


def test_moving_a_file_is_a_change(build: ModuleType, project: Path) -> None:
    before = build.digest(project)
    (project / "results" / "a.csv").rename(project / "results" / "b.csv")
    assert build.digest(project) != before


@pytest.mark.parametrize(
    "name", ["sharplib/__pycache__/x.pyc", "results/.parts/x.pt", "README.md", "tests/x.py"]
)
def test_other_files_do_not_count(build: ModuleType, project: Path, name: str) -> None:
    before = build.digest(project)
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("anything")
    assert build.digest(project) == before


def test_every_page_is_read_again(build: ModuleType, project: Path) -> None:
    old = project / "_build" / ".doctrees" / "environment.pickle"
    old.parent.mkdir(parents=True)
    old.touch()
    build.prepare(project)
    assert not old.exists()


class Book:
    """A book of one page, built with the real script and settings."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "book").mkdir()
        shutil.copy(ROOT / "book" / "build.py", root / "book")
        shutil.copytree(ROOT / "book" / "_ext", root / "book" / "_ext")
        shutil.copytree(ROOT / "book" / "_assets", root / "book" / "_assets")
        (root / "book" / "refs.bib").touch()
        settings = yaml.safe_load((ROOT / "_config.yml").read_text())
        settings["execute"]["timeout"] = 4  # seconds; short, so that the test of it is
        own = settings["sphinx"]["local_extensions"]
        for name in ("catalogue_table", "choose_map", "explorers", "landing_figure"):
            del own[name]  # loading the library takes seconds, and the page shows nothing of it
        (root / "_config.yml").write_text(yaml.safe_dump(settings))
        (root / "_toc.yml").write_text("format: jb-book\nroot: page\n")

    def build(self, cell: str) -> subprocess.CompletedProcess[str]:
        cells = [nbformat.v4.new_markdown_cell("# Page"), nbformat.v4.new_code_cell(cell)]
        for number, each in enumerate(cells):
            each["id"] = str(number)
        kernel = {"name": "python3", "display_name": "Python 3"}
        page = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(page, self.root / "page.ipynb")
        command = [sys.executable, "book/build.py"]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True)

    @property
    def text(self) -> str:
        html = (self.root / "_build" / "html" / "page.html").read_text()
        return re.sub(r"<[^>]+>", "", html)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


@pytest.mark.slow
def test_a_failing_cell_fails_the_build_every_time(book: Book) -> None:
    for _ in range(2):
        done = book.build("numerator = 1\nnumerator / 0")
        assert done.returncode != 0
        assert "ZeroDivisionError" in done.stdout
        assert "numerator / " in done.stdout


@pytest.mark.slow
def test_a_cell_that_takes_too_long_fails_the_build(book: Book) -> None:
    done = book.build("import time\ntime.sleep(30)")
    assert done.returncode != 0
    assert "time.sleep(30)" in done.stdout
    assert "timed out" in done.stdout


@pytest.mark.slow
def test_a_cell_that_warns_fails_the_build(book: Book) -> None:
    done = book.build("import warnings\nwarnings.warn('mind the step')")
    assert done.returncode != 0
    assert "stderr" in done.stdout + done.stderr


@pytest.mark.slow
def test_a_cell_runs_again_only_after_a_change_in_the_inputs(book: Book) -> None:
    cell = "import time\nprint('run at', time.time_ns())"
    assert book.build(cell).returncode == 0
    first = re.search(r"run at \d+", book.text)[0]
    assert book.build(cell).returncode == 0
    assert first in book.text

    (book.root / "constraints.txt").write_text("numpy==2.0\n")
    assert book.build(cell).returncode == 0
    assert first not in book.text
