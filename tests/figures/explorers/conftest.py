"""A way to run the page's modules without a page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from sharplib.figures.explorers import _bundle

InNode = Callable[..., list[Any]]


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node."""
    found = shutil.which("node")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("Node is missing, but CI is set: the page's scripts must be tested")
        pytest.skip("Node is missing: the page's scripts are not tested")
    return found


@pytest.fixture(scope="session")
def in_node(node: str) -> InNode:
    """``in_node(module, function, rows)``: what a JavaScript function of a module's exports gives.

    `function` is an expression that may use the exports by name; it is called with each of the
    rows, a list of arguments. JSON has neither infinities nor NaN: both come back as None.
    """

    def run(module: str, function: str, rows: list[Any]) -> list[Any]:
        exports = ", ".join(_bundle._exports(_bundle._read(module, _bundle.FOLDER)))
        script = f"""
            import {{ readFileSync }} from "node:fs";
            {_bundle._joined([module], _bundle.FOLDER)}
            const {{ {exports} }} = {_bundle._variable(module)};
            const rows = JSON.parse(readFileSync(0, "utf8"));
            console.log(JSON.stringify(rows.map((row) => ({function})(...row))));
        """
        done = subprocess.run(
            [node, "--input-type=module", "-e", script],
            input=json.dumps(rows, allow_nan=False),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
