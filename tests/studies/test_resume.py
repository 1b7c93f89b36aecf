"""A study killed at any moment takes up where it stopped and ends with the same table.

Children are killed with SIGKILL: no handler, no clean-up, as if the power had gone. They come from
a fork server that has imported torch once and started no thread, so that each costs little.
"""

import multiprocessing
import os
import random
import signal
import sys
import time

import pytest

from sharplib.studies import _record, max_retrieval
from sharplib.studies.max_retrieval import data

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has neither SIGKILL nor fork servers"
)

# Two groups of seeds, three checkpoints in each, two sizes under every rule.
SETTINGS = max_retrieval.Settings(
    max_retrieval.Training(width=4, steps=30, batch=2, seeds_together=2),
    sizes=(16, 64),
    test_sets=4,
)
SEEDS = (0, 1, 2)
CONTEXT = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")


def _run(results, log, die_at=None):
    """The child: run the study, noting each step in a log; at event number `die_at`, die."""
    events = 0

    def event(name):
        nonlocal events
        with open(log, "a") as file:  # closed at once, so that it survives the kill
            print(name, file=file)
        if events == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        events += 1

    fsync, replace = os.fsync, os.replace

    def noted_fsync(fd):
        event("before fsync")
        fsync(fd)

    def noted_replace(aside, path):
        event("before replace")
        replace(aside, path)
        event("after replace")

    os.fsync, os.replace = noted_fsync, noted_replace
    data.CHUNK = 10
    _record.record(
        "max-retrieval",
        "tiny",
        SETTINGS,
        SEEDS,
        "cpu",
        results,
        progress=lambda stage, done, total: event(f"{stage} {done}"),
        checkpoint_seconds=0,
    )


def _child(results, log, die_at=None, after=None):
    """Run a child and return (was killed, its log, seconds since its first event).

    It is killed `after` some seconds of its own work, or kills itself at event `die_at`.
    """
    log.write_text("")
    process = CONTEXT.Process(target=_run, args=(results, log, die_at))
    process.start()
    while not log.stat().st_size and process.is_alive():
        time.sleep(0.001)
    start = time.perf_counter()
    if after is not None:
        time.sleep(after)
        process.kill()
    process.join(timeout=60)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0, log.read_text().splitlines(), time.perf_counter() - start


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Table, log and duration of a run that nobody killed."""
    # torch.optim imports torch._dynamo when first used, which takes longer than the study.
    CONTEXT.set_forkserver_preload(["sharplib.studies.max_retrieval", "torch._dynamo"])
    folder = tmp_path_factory.mktemp("uninterrupted")
    killed, events, seconds = _child(folder, folder / "log")
    assert not killed
    return (folder / "max_retrieval" / "tiny.csv").read_bytes(), events, seconds


def test_killed_at_a_random_moment_twenty_times(uninterrupted, tmp_path):
    table, all_events, duration = uninterrupted
    rng = random.Random(0)
    stages, reused = set(), 0
    for trial in range(20):
        killed = False
        while not killed:  # it may get through before the kill
            results = tmp_path / f"{trial}-{rng.random()}"
            log = results.with_suffix(".log")
            killed, before, _ = _child(results, log, after=rng.uniform(0, duration))
        stages |= {event.split()[0] for event in before if not event.startswith("after")}
        pieces = _pieces(results)
        killed, after, _ = _child(results, log)
        assert not killed
        assert _table(results) == table
        assert pieces <= _pieces(results)
        # Each finished piece spares the resumed run at least the writing of it.
        reused += any(piece.name != "identity.json" for piece in pieces)
        assert (len(after) < len(all_events)) == bool(pieces)
    assert stages >= {"training", "testing", "before"}
    # The time before the first checkpoint is a small part of the run.
    assert reused >= 10


def _table(results):
    return (results / "max_retrieval" / "tiny.csv").read_bytes()


def _pieces(results):
    parts = results / "max_retrieval" / ".parts"
    return {p.relative_to(parts) for p in parts.glob("*/[!.]*")}


def test_killed_at_every_kind_of_moment(uninterrupted, tmp_path):
    """One kill before, in and after each sort of work: none is left to chance."""
    table, events, _ = uninterrupted
    # The last of each kind of event, so that there is something to reuse, and one in the middle.
    moments = {event.rstrip("0123456789"): index for index, event in enumerate(events)}
    for index in sorted({*moments.values(), len(events) // 2, len(events) - 2}):
        results, log = tmp_path / str(index), tmp_path / f"{index}.log"
        killed, before, _ = _child(results, log, die_at=index)
        assert killed
        assert before == events[: index + 1]
        killed, after, _ = _child(results, log)
        assert not killed
        assert _table(results) == table
        assert len(after) < len(events), events[index]
