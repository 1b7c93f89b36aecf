"""Join small ES modules into one text: a module for Jupyter, a plain script for the page.

A plain script runs from ``file://`` too, where browsers refuse to load modules. The modules may use
no more than one-line named imports (``import { a, b } from "./kit.js"``) and exported declarations
(``export function a``, ``export const b``), which keeps this to a few lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent / "js"

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([\w-]+)\.js";?$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def es_module(name: str, folder: Path = FOLDER) -> str:
    """The module ``name`` with all that it imports, as one ES module for anywidget.

    It exports what anywidget asks for: ``render``, by name and in the default export.
    """
    render = f"const render = {_variable(name)}.render;"
    return (
        f"{_joined([name], folder)}{render}\nexport {{ render }};\nexport default {{ render }};\n"
    )


def page_script(names: Iterable[str], folder: Path = FOLDER) -> str:
    """A plain script that mounts the named explorers wherever a page holds one."""
    names = list(names)
    table = ", ".join(f'"{name}": {_variable(name)}.render' for name in names)
    body = _joined(["page", *names], folder)
    return f'(() => {{\n"use strict";\n{body}{_variable("page")}.mount({{ {table} }});\n}})();\n'


def explorers(folder: Path = FOLDER) -> list[str]:
    """The modules that draw an explorer, which are those that export ``render``."""
    return sorted(
        p.stem for p in folder.glob("*.js") if "render" in _exports(_read(p.stem, folder))
    )


def _joined(names: Iterable[str], folder: Path) -> str:
    """Every module as a constant that holds its exports, each after those that it imports."""
    done: dict[str, str] = {}

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"modules import each other: {' -> '.join([*path, name])}")
        if name in done:
            return
        text = _read(name, folder)
        for found in _IMPORT.finditer(text):
            add(found[2], (*path, name))
        exports = ", ".join(_exports(text))
        text = _IMPORT.sub(lambda found: f"const {found[1]} = {_variable(found[2])};", text)
        text = _EXPORT.sub("", text)
        if left := _LEFT.search(text):
            raise ValueError(f"{name}.js: cannot read the line {left[0]!r}")
        done[name] = f"const {_variable(name)} = (() => {{\n{text}return {{ {exports} }};\n}})();\n"

    for name in names:
        add(name, ())
    return "".join(done.values())


def _exports(text: str) -> list[str]:
    return _EXPORT.findall(text)


def _variable(name: str) -> str:
    return "$" + name.replace("-", "_")


def _read(name: str, folder: Path) -> str:
    return (folder / f"{name}.js").read_text(encoding="utf-8")
