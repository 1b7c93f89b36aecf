"""Files that survive a kill, and pieces that are never mixed up."""

import os

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

    # What the dead write left beside is taken over by the next one.
    monkeypatch.undo()
    write_atomically(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_bytes() == b"new"


def test_the_bytes_reach_the_disk_before_the_name(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append("fsync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (events.append("replace"), replace(a, b)))
    write_atomically(tmp_path / "x", b"data")
    assert events[:2] == ["fsync", "replace"]


@pytest.mark.parametrize("data", [b"", b"\n", b"a\nb\n", bytes(range(256))])
def test_a_piece_comes_back_as_it_was(tmp_path, data):
    Store(tmp_path, "k").write("piece", data)
    assert Store(tmp_path, "k").read("piece") == data


def test_a_piece_cut_or_changed_anywhere_is_refused(tmp_path):
    Store(tmp_path, "k").write("piece", b"some figures")
    path = tmp_path / "piece"
    whole = path.read_bytes()
    changed = [whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(len(whole))]
    for damaged in [whole[:i] for i in range(len(whole))] + changed:
        path.write_bytes(damaged)
        message = None
        try:
            data = Store(tmp_path, "k").read("piece")
        except ResultError as error:
            message = str(error)
        # A changed digit of the time it took is the one thing that does no harm.
        assert str(path) in message if message else data == b"some figures"
        assert path.read_bytes() == damaged


def test_a_piece_of_another_run_is_refused(tmp_path):
    Store(tmp_path, "this run").write("piece", b"1")
    with pytest.raises(ResultError, match="piece belongs to another run"):
        Store(tmp_path, "that run").read("piece")


def test_working_time_adds_up_over_processes(tmp_path):
    first = Store(tmp_path, "k")
    first._start -= 100  # as if it had worked for 100 s
    first.write("piece", b"1")
    second = Store(tmp_path, "k")
    assert second.seconds < 1  # a second is ample for these three lines
    second.read("piece")
    assert 100 <= second.seconds < 102
