"""What the files around the library promise: light to import, one version, one repository."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import sharplib

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REPOSITORY: str = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]


def requirements() -> dict[str, Requirement]:
    """Everything that ``pip install sharplib[dev]`` asks for, the library itself left out."""
    extras = PROJECT["optional-dependencies"]
    texts = [*PROJECT["dependencies"], *(text for extra in extras.values() for text in extra)]
    found = [Requirement(text) for text in texts]
    return {canonicalize_name(r.name): r for r in found if r.name != PROJECT["name"]}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder from which only sharplib, NumPy and array-api-compat can be imported."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("sharplib", "numpy", "array_api_compat"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        package = Path(str(spec.origin)).parent
        (folder / name).symlink_to(package)
        libraries = package.with_name(f"{name}.libs")  # NumPy's shared libraries, on Linux
        if libraries.is_dir():
            (folder / libraries.name).symlink_to(libraries)
    return folder


def run_alone(bare: Path, code: str) -> str:
    # -I and -S: no user or site packages, no environment variables, nothing from this folder.
    start = f"import sys; sys.path.insert(0, {str(bare)!r}); "
    command = [sys.executable, "-I", "-S", "-c", start + code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_works_where_only_numpy_and_array_api_compat_are_installed(bare: Path) -> None:
    code = "import numpy, sharplib; print(sharplib.softmax(numpy.zeros(4)).tolist())"
    assert run_alone(bare, code) == "[0.25, 0.25, 0.25, 0.25]\n"


def test_imports_in_half_a_second(bare: Path) -> None:
    code = "import time; t = time.perf_counter(); import sharplib; print(time.perf_counter() - t)"
    # The quickest of five: other work on the machine can slow one down, never speed it up.
    assert min(float(run_alone(bare, code)) for _ in range(5)) < 0.5


def test_loads_no_extra_even_where_all_are_installed() -> None:
    code = "import sys, sharplib; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "sharplib" in done.stdout.split()
    assert set(done.stdout.split()) & {"torch", "sympy", "matplotlib", "pandas", "scipy"} == set()


def test_one_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert sharplib.__version__ == PROJECT["version"] == citation["version"]
    assert re.search(r"^## (\S+)", changes, re.M)[1] == PROJECT["version"]


def test_one_repository() -> None:
    """Whoever moves the project changes _config.yml, and this test names what else to change."""
    folders = ("book", "notebooks", "sharplib", "tests", ".github")
    files = [*ROOT.glob("*"), *(path for f in folders for path in (ROOT / f).rglob("*"))]
    ours = re.compile(r"https?://(?:www\.)?github\.com/[\w.-]+/sharplib\b")
    mentions = {
        (path.name, found)
        for path in files
        if path.is_file() and path.suffix in {"", ".md", ".yml", ".toml", ".cff", ".py", ".ipynb"}
        for found in ours.findall(path.read_text(encoding="utf-8", errors="ignore"))
    }
    assert {name for name, _ in mentions} >= {"_config.yml", "pyproject.toml", "CITATION.cff"}
    assert {mention for mention in mentions if mention[1] != REPOSITORY} == set()


def test_pins_are_exact_name_no_host_and_lie_within_the_bounds() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    for pin in pins:
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), pin
        assert pin.url is None
    pinned = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in pins}
    for name, requirement in requirements().items():
        assert requirement.specifier.contains(Version(pinned[name])), name


def test_conda_and_pip_ask_for_the_same() -> None:
    """environment.yml against pyproject.toml, name by name and bound by bound."""
    conda_names = {"torch": "pytorch"}
    wanted = {
        conda_names.get(name, name): sorted(map(str, requirement.specifier))
        for name, requirement in requirements().items()
    }
    wanted["python"] = [PROJECT["requires-python"]]

    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    from_pip = entries.pop()["pip"]
    assert from_pip.pop() == "-e ."
    assert entries.pop() == "pip"
    given = {}
    for entry in entries:
        spec = rattler.MatchSpec(entry)
        given[spec.name.normalized] = sorted(str(spec.version).split(","))
    for entry in from_pip:
        requirement = Requirement(entry)
        assert requirement.name not in given
        given[requirement.name] = sorted(map(str, requirement.specifier))
    assert given == wanted
