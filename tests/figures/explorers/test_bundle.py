"""Joining small modules into one text, run by Node beside the modules themselves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from sharplib import exercises
from sharplib.figures.explorers import Explorer, _bundle

MODULES = {
    "numbers": "export const two = 2;\nconst hidden = 40;\n"
    "export function three() {\n  return 3;\n}\n",
    "sums": 'import { two, three } from "./numbers.js";\nexport const five = two + three();\n',
    "my-idea": 'import { five } from "./sums.js";\nimport { two } from "./numbers.js";\n\n'
    "export async function render({ el }) {\n  el.seen = [five, two, typeof hidden];\n}\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in MODULES.items():
        (tmp_path / f"{name}.js").write_text(text, encoding="utf-8")
    return tmp_path


def test_one_module_does_what_the_modules_do(folder: Path, node: str) -> None:
    (folder / "joined.mjs").write_text(_bundle.es_module("my-idea", folder), encoding="utf-8")
    script = """
        const module = await import(process.argv[1]);
        const el = {};
        await module.default.render({ el });
        console.log(JSON.stringify([el.seen, module.render === module.default.render]));
    """
    done = subprocess.run(
        [node, "--input-type=module", "-e", script, (folder / "joined.mjs").as_uri()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[5, 2, "undefined"], True]


def test_a_shared_module_is_there_once(folder: Path) -> None:
    assert _bundle.es_module("my-idea", folder).count("const hidden") == 1


def test_explorers_are_the_modules_that_render(folder: Path) -> None:
    assert _bundle.explorers(folder) == ["my-idea"]


def test_the_page_script_is_a_plain_script() -> None:
    """Browsers refuse modules from files: nothing is imported or exported."""
    lines = _bundle.page_script(_bundle.explorers()).splitlines()
    assert [line for line in lines if line.startswith(("import", "export"))] == []


def test_modules_that_import_each_other_are_named(folder: Path) -> None:
    (folder / "numbers.js").write_text('import { five } from "./sums.js";\n', encoding="utf-8")
    with pytest.raises(ValueError, match="my-idea -> sums -> numbers -> sums"):
        _bundle.es_module("my-idea", folder)


@pytest.mark.parametrize(
    "line", ['import * as x from "./numbers.js";', "export { two };", 'import "./numbers.js";']
)
def test_other_forms_are_refused(folder: Path, line: str) -> None:
    (folder / "numbers.js").write_text(f"const two = 2;\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"numbers\.js: cannot read the line"):
        _bundle.es_module("sums", folder)


def test_an_unknown_module_is_an_error(folder: Path) -> None:
    (folder / "sums.js").write_text('import { x } from "./nowhere.js";\n', encoding="utf-8")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        _bundle.es_module("sums", folder)


@pytest.mark.parametrize("name", _bundle.explorers())
def test_every_explorer_has_its_class(name: str) -> None:
    kinds = [*Explorer.__subclasses__(), exercises.Quiz]
    assert name in {kind.module for kind in kinds if "module" in vars(kind)}
