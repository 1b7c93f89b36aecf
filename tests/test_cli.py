"""The command `sharp`: what it prints, and one clear line for whatever can be wrong."""

import builtins
import inspect
import os
import re
import subprocess
import sys
from urllib.error import URLError

import pytest

from sharplib import cli
from sharplib.studies import STUDIES, Preset, load, max_retrieval

TINY = Preset(
    max_retrieval.Settings(
        max_retrieval.Training(width=4, steps=3, batch=2), sizes=(2, 5), test_sets=3
    ),
    (0, 1),
)


@pytest.fixture
def sharp(monkeypatch, capsys, tmp_path):
    """Run `sharp`, with a preset called quick that takes no time; results go to a fresh folder."""
    monkeypatch.setattr(max_retrieval, "PRESETS", {"quick": TINY, "paper": TINY})
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = cli.main(list(arguments))
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def refused(sharp, tmp_path):
    """Run `sharp`, expect one line of complaint and untouched files, and return the line."""

    def run(*arguments):
        before = snapshot(tmp_path)
        code, out, err = sharp(*arguments)
        assert code == 2
        assert out == ""
        assert err.startswith("sharp: ")
        assert err.count("\n") == 1
        assert snapshot(tmp_path) == before
        return err

    return run


def snapshot(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_list(sharp):
    code, out, err = sharp("list")
    assert (code, err) == (0, "")
    assert out.startswith("max-retrieval  Find the largest of n items")


def test_run_and_show(sharp, tmp_path):
    code, out, err = sharp("run", "max-retrieval")
    assert (code, err) == (0, "")  # nobody watches, so there is no progress bar
    assert (tmp_path / "results" / "max_retrieval" / "quick.csv").exists()
    assert "98.6%  second-hand" in out
    assert "97.1% unverified     recalled" in out
    assert "ours, quick: 2 seeds on cpu" in out
    assert "ours, full size: not run yet" in out
    assert sharp("show", "max-retrieval") == (0, out, "")
    # Once more: nothing to do.
    assert sharp("run", "max-retrieval") == (0, out, "")


def test_run_with_options(sharp, tmp_path):
    arguments = ["--preset", "paper", "--seeds", "0,2-3", "--device", "cpu", "--results", "other"]
    code, out, _ = sharp("run", "max-retrieval", *arguments)
    assert code == 0
    assert "ours, full size: 3 seeds on cpu" in out
    assert (tmp_path / "other" / "max_retrieval" / "paper.csv").exists()


def test_show_before_any_run(sharp, tmp_path):
    code, out, _ = sharp("show", "max-retrieval")
    assert code == 0
    assert "ours, quick: not run yet (sharp run max-retrieval --preset quick)" in out
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Missing command"),
        (["frob"], "frob"),
        (["run"], "study"),
        (["run", "max-retrieval", "--frob"], "--frob"),
        (["run", "nope"], "unknown study 'nope'; there is: max-retrieval"),
        (["show", "nope"], "unknown study 'nope'; there is: max-retrieval"),
        (["run", "max-retrieval", "--preset", "huge"], "unknown preset 'huge' of max-retrieval"),
        (["run", "max-retrieval", "--seeds", "many"], "seeds must look like 0-9 or 0,3,5-7"),
        (["run", "max-retrieval", "--seeds", "-1"], "seeds must look like 0-9 or 0,3,5-7"),
        (["run", "max-retrieval", "--seeds", "3-1"], "seeds must be different numbers"),
        (["run", "max-retrieval", "--seeds", "0,0"], "seeds must be different numbers"),
        (["run", "max-retrieval", "--device", "abacus"], "device 'abacus' cannot be used here"),
        (
            ["run", "max-retrieval", "--backend", "abacus"],
            "backend must be in-process, joblib, or a",
        ),
        (["run", "max-retrieval", "--backend", "in-process", "--jobs", "2"], "jobs must be 1 for"),
        (["run", "max-retrieval", "--device", "cuda:99"], "device 'cuda:99' cannot be used here"),
        (["run", "max-retrieval", "--device", "meta"], "device 'meta' cannot be used here"),
    ],
)
def test_a_bad_command_line(refused, arguments, complaint):
    assert complaint in refused(*arguments)


def test_a_device_that_this_torch_does_not_know_in_few_words(refused, monkeypatch):
    # What torch says of `mps` away from a Mac; it goes on for a thousand letters.
    def no(*_, **__):
        raise NotImplementedError("Could not run 'it' with the 'MPS' backend. This could be " * 9)

    monkeypatch.setattr("torch.empty", no)
    line = refused("run", "max-retrieval", "--device", "mps")
    assert line.endswith("cannot be used here: Could not run 'it' with the 'MPS' backend\n")


@pytest.mark.parametrize("study", STUDIES)
def test_no_study_takes_a_device_and_computes_elsewhere(refused, study):
    # Its table would name the device. What `run` says of it is what a reader goes by.
    about = inspect.getdoc(load(study).run)
    on_cpu = re.search(r"device\n    (Has no effect|Must be .cpu)|See `single_module.run`", about)
    line = refused("run", study, "--device", "cuda:99")
    assert (f"device must be cpu for {study}, got 'cuda:99'" in line) == bool(on_cpu)


@pytest.mark.parametrize(
    ("address", "complaint"),
    [("tcp://localhost", "missing port"), ("http://localhost:8786", "unknown address scheme")],
)
def test_an_address_that_is_none(sharp, address, complaint):
    code, out, err = sharp("run", "max-retrieval", "--backend", address)
    assert (code, out) == (2, "")
    assert err.startswith(f"sharp: {address}: {complaint}")
    assert err.count("\n") == 1


def test_a_network_that_is_away(sharp, monkeypatch):
    def away(*_, **__):
        raise URLError(OSError(-3, "Temporary failure in name resolution"))

    monkeypatch.setattr(max_retrieval, "run", away)
    code, _, err = sharp("run", "max-retrieval")
    assert code == 2
    assert "Temporary failure in name resolution" in err


def test_a_folder_that_is_a_file(refused, tmp_path):
    (tmp_path / "results").write_text("mine")
    assert "results: " in refused("run", "max-retrieval")


def test_a_folder_that_cannot_be_written(refused, tmp_path, monkeypatch):
    # Permissions do not stop the superuser, so the system call itself says no.
    def no(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", no)
    assert "results: Permission denied" in refused("run", "max-retrieval")


@pytest.mark.parametrize("command", ["run", "show"])
@pytest.mark.parametrize("name", ["quick.csv", "quick.json"])
def test_a_damaged_result(sharp, refused, tmp_path, command, name):
    sharp("run", "max-retrieval")
    path = tmp_path / "results" / "max_retrieval" / name
    path.write_bytes(path.read_bytes()[:100])
    assert name in refused(command, "max-retrieval")


def test_a_damaged_checkpoint(sharp, refused, tmp_path):
    sharp("run", "max-retrieval")
    folder = tmp_path / "results" / "max_retrieval"
    for path in folder.glob("quick.*"):
        path.unlink()
    (checkpoint,) = folder.glob(".parts/*/heads.pt")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    assert "heads.pt is damaged" in refused("run", "max-retrieval")


def test_another_run_of_the_same_name(sharp, refused):
    sharp("run", "max-retrieval")
    line = refused("run", "max-retrieval", "--seeds", "5")
    assert "quick.json describes a run with other settings, seeds or versions" in line


@pytest.mark.parametrize("missing", ["torch", "pandas", "typer", "tqdm"])
def test_an_optional_part_that_is_not_installed(refused, monkeypatch, missing):
    imported = builtins.__import__

    def without(name, *rest):
        if name.split(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return imported(name, *rest)

    for name in [n for n in sys.modules if n.startswith("sharplib.studies.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    line = refused("run", "max-retrieval")
    assert f"{missing} is not installed: pip install 'sharplib[course]'" in line


def test_our_own_mistakes_show_their_traceback(sharp, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a bug")

    monkeypatch.setattr(max_retrieval, "run", broken)
    with pytest.raises(ValueError, match="a bug"):
        sharp("run", "max-retrieval")


def test_ctrl_c(sharp, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(max_retrieval, "run", interrupted)
    code, _, err = sharp("run", "max-retrieval")
    assert code == 130
    assert "the same command goes on" in err


def test_as_a_process():
    command = [sys.executable, "-c", "import sys; from sharplib.cli import main; sys.exit(main())"]
    done = subprocess.run([*command, "run", "nope"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    known = ", ".join(STUDIES)
    assert done.stderr == f"sharp: unknown study 'nope'; there is: {known}\n"


def test_into_a_file_of_windows(tmp_path):
    code = "import sys; from sharplib.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "show", "digit-arithmetic", "--results", str(tmp_path)]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}  # has no σ
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "NAC•,?" in done.stdout.decode("cp1252")


def test_the_library_and_the_list_of_studies_import_no_part_of_the_course():
    # Whatever the environment's start-up hooks import is there before, and does not count.
    code = (
        "import sys; before = set(sys.modules); import sharplib, sharplib.studies; "
        "print({'torch', 'pandas', 'typer', 'tqdm', 'sharplib.cli'} & set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
