"""The single-module study, killed in each sort of work, ends with the same table.

`test_resume.py` kills another study at random moments, and says how the children are made.
"""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from sharplib.studies import _record
from sharplib.studies.single_module import Settings

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has neither SIGKILL nor fork servers"
)

CASES = (("NAU", "sub"), ("NMU", "mul"), ("sNMU", "mul"))
SETTINGS = Settings(CASES, steps=20, batch=4, log_every=10, tests=8)
CONTEXT = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")


def _run(results, log, die_at):
    """The child: run the study, noting what it does in a log; at the line `die_at`, die."""

    def event(name):
        with open(log, "a") as file:  # closed at once, so that it survives the kill
            print(name, file=file)
        if name == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    replace = os.replace

    def noted_replace(aside, path):
        ours = results in Path(path).parents  # compiled loops are stored by the same call
        if ours:
            event(f"before {len(list(results.rglob('rows.json')))} {path.name}")
        replace(aside, path)
        if ours:
            event(f"after {len(list(results.rglob('rows.json')))} {path.name}")

    os.replace = noted_replace
    _record.record(
        "single-module",
        "tiny",
        SETTINGS,
        (0, 1),
        "cpu",
        results,
        progress=lambda stage, done, total: event(f"{stage} {done}"),
    )


def _child(results, die_at=None):
    """Run a child; return whether it was killed, and its log."""
    log = results.with_suffix(".log")
    log.write_text("")
    process = CONTEXT.Process(target=_run, args=(results, log, die_at))
    process.start()
    process.join(timeout=60)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0, log.read_text().splitlines()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    CONTEXT.set_forkserver_preload(["sharplib.studies.single_module"])
    results = tmp_path_factory.mktemp("uninterrupted") / "results"
    killed, events = _child(results)
    assert not killed
    return (results / "single_module" / "tiny.csv").read_bytes(), events


@pytest.mark.parametrize(
    ("moment", "cases_left"),
    [
        ("NMU, mul 10", 2),  # within a case
        ("before 1 rows.json", 2),  # a case is trained, and not yet on disk
        ("after 2 rows.json", 1),  # it is
        ("before 3 tiny.json", 0),  # all are, but the table is not
    ],
)
def test_a_killed_run_takes_up_after_its_last_case(uninterrupted, tmp_path, moment, cases_left):
    table, events = uninterrupted
    assert moment in events
    results = tmp_path / "results"
    killed, before = _child(results, moment)
    assert killed
    assert before == events[: events.index(moment) + 1]
    killed, after = _child(results)
    assert not killed
    trained = {event.rsplit(" ", 1)[0] for event in after if ", " in event}
    assert trained == {f"{unit}, {operation}" for unit, operation in CASES[3 - cases_left :]}
    assert (results / "single_module" / "tiny.csv").read_bytes() == table
