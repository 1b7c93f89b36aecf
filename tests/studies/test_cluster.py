"""A study on a Dask cluster: scheduler and two workers on loopback, one killed on the way."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time

import pytest
from distributed import Client, LocalCluster

from sharplib import cli
from sharplib.studies import Preset, single_module

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

CASES = single_module.CASES[:3] + single_module.CASES[5:8]
TINY = Preset(single_module.Settings(CASES, steps=2_000, batch=16, tests=100), seeds=(0, 1))


def _cluster(address, stop):
    """The child: a scheduler and two workers, until it is told to stop."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        address.put(cluster.scheduler_address)
        stop.wait()


@pytest.fixture
def scheduler():
    context = multiprocessing.get_context("spawn")
    address, stop = context.Queue(), context.Event()
    # Not a daemon: the workers are its children.
    process = context.Process(target=_cluster, args=(address, stop))
    process.start()
    yield address.get(timeout=60)
    stop.set()
    process.join(timeout=30)
    assert process.exitcode == 0


def pieces(results):
    parts = results / "single_module" / ".parts"
    return {path: path.stat().st_mtime_ns for path in parts.glob("*/rows.json")}


def kill_a_worker(scheduler, results, killed):
    """Once a piece is stored, and while others are not."""
    with Client(scheduler) as client:
        (victim, *_) = client.run(os.getpid).values()
    while not (done := pieces(results)):
        time.sleep(0.001)
    os.kill(victim, signal.SIGKILL)
    killed.append(done)


def test_a_worker_may_die(scheduler, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(single_module, "PRESETS", {"quick": TINY, "paper": TINY})
    assert cli.main(["run", "single-module", "--results", str(tmp_path / "here")]) == 0
    there, killed = tmp_path / "there", []
    thread = threading.Thread(target=kill_a_worker, args=(scheduler, there, killed))
    thread.start()
    command = ["run", "single-module", "--results", str(there), "--backend", scheduler]
    assert cli.main(command) == 0
    thread.join()
    table = (tmp_path / "here" / "single_module" / "quick.csv").read_bytes()
    assert (there / "single_module" / "quick.csv").read_bytes() == table
    # What was stored when the worker died was not done again.
    (stored,) = killed
    after = pieces(there)
    assert 0 < len(stored) < len(CASES) == len(after)
    assert {path: after[path] for path in stored} == stored
    assert "2 process(es)" in capsys.readouterr().out


def test_nobody_at_the_address(tmp_path, capsys):
    command = ["run", "single-module", "--results", str(tmp_path)]
    assert cli.main([*command, "--backend", "tcp://127.0.0.1:9"]) == 2
    assert "tcp://127.0.0.1:9: no Dask scheduler answers" in capsys.readouterr().err
