"""The finished table and its provenance."""

import dataclasses
import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from sharplib.studies import STUDIES, _record, load, max_retrieval
from sharplib.studies._storage import ResultError

TINY = max_retrieval.Settings(
    max_retrieval.Training(width=4, steps=3, batch=2), sizes=(2, 5), test_sets=3
)


def record(results, settings=TINY, seeds=(0, 1), **more):
    return _record.record("max-retrieval", "tiny", settings, seeds, "cpu", results, **more)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    record(results)
    return results / "max_retrieval"


@pytest.fixture
def results(finished, tmp_path):
    for path in finished.glob("tiny.*"):
        (tmp_path / "max_retrieval").mkdir(exist_ok=True)
        (tmp_path / "max_retrieval" / path.name).write_bytes(path.read_bytes())
    return tmp_path


def snapshot(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_study_in_the_catalogue_keeps_the_contract():
    for name in STUDIES:
        study = load(name)
        assert dataclasses.is_dataclass(study.Settings)
        assert study.Settings.__dataclass_params__.frozen
        assert set(study.PRESETS) >= {"quick", "paper"}
        assert study.VERSION >= 1
        assert len(study.KEYS) >= 2
        assert study.BASELINE is None or "rule" in study.KEYS
        published = study.published()
        assert list(published.columns) == [*study.KEYS, "measure", "value", "tag"]
        assert set(published.tag) <= {"paper", "code", "second-hand", "recalled", "derived"}
        assert not published.duplicated([*study.KEYS, "measure"]).any()


#: Tables beside those of a run: what was looked at in the heads of which preset.
LOOKS = {"heat_maps": "paper"}


def test_the_stored_results_are_whole_and_made_with_the_presets():
    folder = Path(__file__).resolve().parents[2] / "results"
    stored = sorted(path for path in folder.glob("*/*.csv"))
    assert stored
    for path in stored:
        study = path.parent.name.replace("_", "-")
        settings, seeds = load(study).PRESETS[LOOKS.get(path.stem, path.stem)]
        found = _record.read(folder, study, path.stem)  # checks the checksum
        made = found.provenance["identity"]
        made_by = _record.identity(study, settings, "cpu")
        assert made["study_version"] == made_by["study_version"]
        if path.stem in LOOKS:
            assert made["settings"]["training"] == made_by["settings"]["training"]
            assert set(found.provenance["seeds"]) <= set(seeds)
            assert found.provenance["note"]
            continue
        assert made["settings"] == made_by["settings"]
        assert found.provenance["seeds"] == list(seeds)


def test_unknown_study():
    with pytest.raises(ValueError, match="unknown study 'nope'; there is: max-retrieval, "):
        load("nope")


def test_provenance_says_how_the_table_came_about(finished):
    provenance = json.loads((finished / "tiny.json").read_text())
    table = (finished / "tiny.csv").read_bytes()
    assert provenance["sha256"] == hashlib.sha256(table).hexdigest()
    assert provenance["identity"]["settings"]["training"]["width"] == 4
    assert provenance["seeds"] == [0, 1]
    assert "commit" in provenance  # None where the source is not a git checkout
    for name in ("precision", "cpu_threads", "machine", "python", "numpy"):
        assert provenance[name], name
    assert provenance["work_s"] > 0
    assert provenance["jobs"] == 1
    assert len(provenance["date"]) == len("2026-01-31")


def test_the_table_is_tidy_and_reads_back_exactly(finished):
    read = _record.read(finished.parent, "max-retrieval", "tiny").table
    fresh = max_retrieval.run(TINY, (0, 1))
    pd.testing.assert_frame_equal(read, fresh, check_exact=True)
    assert not read.duplicated(["seed", "size", "rule", "measure"]).any()


def test_a_finished_result_is_not_computed_again(results):
    before = snapshot(results)

    def nothing_to_do(*_):
        raise AssertionError("the study ran again")

    record(results, progress=nothing_to_do)
    assert snapshot(results) == before


@pytest.mark.parametrize(
    "other",
    [
        {"settings": dataclasses.replace(TINY, test_sets=4)},
        {"seeds": (0, 1, 2)},
        {"seeds": (1, 0)},
    ],
)
def test_another_run_of_the_same_name_is_refused(results, other):
    before = snapshot(results)
    with pytest.raises(ResultError, match=r"tiny.json describes a run with other settings, seeds"):
        record(results, **other)
    assert snapshot(results) == before


@pytest.mark.parametrize("changed", ["VERSION", "__version__"])
def test_pieces_of_another_version_are_not_used(tmp_path, monkeypatch, changed):
    record(tmp_path)
    for path in (tmp_path / "max_retrieval").glob("tiny.*"):
        path.unlink()
    module = max_retrieval if changed == "VERSION" else _record
    monkeypatch.setattr(module, changed, "999")
    started = []
    record(tmp_path, progress=lambda stage, done, total: started.append((stage, done)))
    assert started[0] == ("training", 0)
    # Heads and tests of either version.
    assert len(list((tmp_path / "max_retrieval" / ".parts").glob("*/identity.json"))) == 4


def test_another_way_to_test_does_not_train_again(tmp_path):
    record(tmp_path)
    for path in (tmp_path / "max_retrieval").glob("tiny.*"):
        path.unlink()
    seen = []
    record(
        tmp_path,
        settings=dataclasses.replace(TINY, sizes=(3,)),
        progress=lambda stage, done, total: seen.append((stage, done)),
    )
    assert seen == [("training", 3), ("testing", 0), ("testing", 1)]


@pytest.mark.parametrize("name", ["tiny.csv", "tiny.json"])
@pytest.mark.parametrize("data", [b"", b"{", b"size,value\n1,2\n", b"{}"])
def test_a_damaged_result_is_named_and_left_alone(results, name, data):
    path = results / "max_retrieval" / name
    path.write_bytes(data)
    before = snapshot(results)
    for use in (record, lambda folder: _record.read(folder, "max-retrieval", "tiny")):
        with pytest.raises(ResultError, match=str(path)):
            use(results)
    assert snapshot(results) == before


def test_a_table_without_provenance_is_somebody_elses(tmp_path):
    path = tmp_path / "max_retrieval" / "tiny.csv"
    path.parent.mkdir()
    path.write_bytes(b"mine\n")
    with pytest.raises(ResultError, match=r"tiny.csv has no tiny.json"):
        record(tmp_path)
    assert path.read_bytes() == b"mine\n"


def test_a_damaged_piece_is_named_and_left_alone(tmp_path):
    record(tmp_path)
    folder = tmp_path / "max_retrieval"
    for path in folder.glob("tiny.*"):
        path.unlink()
    (piece,) = folder.glob(".parts/*/heads.pt")
    piece.write_bytes(piece.read_bytes()[:-1])
    before = snapshot(tmp_path)
    with pytest.raises(ResultError, match=f"{piece} is damaged"):
        record(tmp_path)
    assert snapshot(tmp_path) == before
