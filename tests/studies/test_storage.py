"""Files that survive a kill, and pieces that are never mixed up."""

import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sharplib.studies._storage import ResultError, Store, write_atomically


def test_a_write_that_dies_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    write_atomically(path, b"old")

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new and longer")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_two_processes_may_write_the_same_file_at_the_same_moment(tmp_path, monkeypatch):
    path = tmp_path / "identity.json"
    both, replace = threading.Barrier(2, timeout=60), os.replace

    def when_both_have_written(*names):
        both.wait()
        replace(*names)

    monkeypatch.setattr(os, "replace", when_both_have_written)
    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(write_atomically, path, b"same") for _ in range(2)]
    assert [writer.exception() for writer in writers] == [None, None]
    assert [p.name for p in tmp_path.iterdir()] == ["identity.json"]
    assert path.read_bytes() == b"same"


def test_the_bytes_reach_the_disk_before_the_name(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append("fsync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (events.append("replace"), replace(a, b)))
    write_atomically(tmp_path / "x", b"data")
    assert events[:2] == ["fsync", "replace"]


@pytest.mark.parametrize("data", [b"", b"\n", b"a\nb\n", bytes(range(256))])
def test_a_piece_comes_back_as_it_was(tmp_path, data):
    Store(tmp_path, {"run": 1}).write("piece", data)
    assert Store(tmp_path, {"run": 1}).read("piece") == data


def test_a_piece_cut_or_changed_anywhere_is_refused(tmp_path):
    Store(tmp_path, {"run": 1}).write("piece", b"some figures")
    path = Store(tmp_path, {"run": 1}).folder / "piece"
    whole = path.read_bytes()
    changed = [whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(len(whole))]
    for damaged in [whole[:i] for i in range(len(whole))] + changed:
        path.write_bytes(damaged)
        message = None
        try:
            data = Store(tmp_path, {"run": 1}).read("piece")
        except ResultError as error:
            message = str(error)
        # A changed digit of the time it took is the one thing that does no harm.
        assert str(path) in message if message else data == b"some figures"
        assert path.read_bytes() == damaged


def test_work_that_something_else_decides_is_kept_apart(tmp_path):
    store = Store(tmp_path, {"run": 1})
    store.within(steps=3, seeds=(0, 1)).write("piece", b"1")
    again = Store(tmp_path, {"run": 1})
    assert again.within(seeds=[0, 1], steps=3).read("piece") == b"1"
    for other in (again, again.within(steps=3), again.within(steps=3, seeds=(1, 0))):
        assert other.read("piece") is None
    assert again.within(steps=3) is again.within(steps=3)


def test_a_folder_says_what_its_pieces_depend_on(tmp_path):
    store = Store(tmp_path, {"run": 1}).within(steps=3)
    store.write("piece", b"1")
    assert json.loads((store.folder / "identity.json").read_text()) == {"run": 1, "steps": 3}


def test_a_piece_of_another_run_is_refused(tmp_path):
    this, that = Store(tmp_path, {"run": 1}), Store(tmp_path, {"run": 2})
    this.write("piece", b"1")
    shutil.copytree(this.folder, that.folder)
    with pytest.raises(ResultError, match="piece belongs to another run"):
        that.read("piece")


def test_working_time_adds_up_over_processes_and_kinds_of_work(tmp_path):
    def later(store, seconds):
        store._since -= seconds  # as if it had worked for so long
        return store

    later(Store(tmp_path, {}).within(task="a"), 100).write("piece", b"1")
    resumed = Store(tmp_path, {})
    resumed.within(task="a").read("piece")
    later(resumed.within(task="a"), 10).write("another", b"2")
    later(resumed.within(task="b"), 1000).write("piece", b"3")
    # The lines of this test take a second at most.
    assert 1110 <= resumed.seconds < 1111

    found = Store(tmp_path, {})
    assert found.seconds == 0
    found.within(task="a").read("piece")
    found.within(task="a").read("another")
    assert 110 <= found.seconds < 111
