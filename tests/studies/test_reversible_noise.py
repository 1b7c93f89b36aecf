"""The study of reversible noise: its models are those of single_module, and its table says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sharplib.studies import reversible_noise as study
from sharplib.studies import single_module
from sharplib.studies._storage import Store

NINE = tuple((numbers.low, numbers.high) for numbers in single_module.RANGES)
TINY = study.Settings(
    ranges=((-1.2, -1.1), (1.0, 2.0)), noise=("none", "1 to 5"), steps=40, batch=8, log_every=20
)


@pytest.mark.parametrize(
    ("noise", "unit"), [("none", "NMU"), ("1 to 5", "sNMU"), ("batch", "batch sNMU")]
)
def test_models_are_those_of_the_other_study(noise, unit):
    """All nine ranges, through the ramp of the regulariser."""
    other = single_module.Settings(
        cases=((unit, "mul"),), steps=60, batch=16, log_every=20, tests=8, hurry=1000
    )
    ours = replace(TINY, ranges=NINE, steps=60, batch=16, hurry=1000)
    logs = single_module.train(other, unit, "mul", (3, 8))
    for (step, w), log in zip(study.train(ours, noise, (3, 8)), logs, strict=True):
        assert step == log.step
        np.testing.assert_array_equal(w, log.models.parameters.reshape(9, 2, 2))


def test_a_push_alone_is_a_constant():
    """Noise that is always 1 is none, whatever is drawn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "NOISE", {**study.NOISE, "always 1": (1.0, 1.0)})
        *_, (_, one) = study.train(TINY, "always 1", (0, 1))
        *_, (_, none) = study.train(TINY, "none", (0, 1))
    np.testing.assert_allclose(one, none, atol=1e-5)  # roundings, over forty steps of Adam
    *_, (_, three) = study.train(TINY, "always 3", (0, 1))
    assert np.abs(three - none).max() > 1e-3


def test_the_table_tells_where_models_end():
    settings = replace(TINY, steps=600, hurry=100, noise=("none",))
    table = study.run(settings, [0, 1, 2, 3])
    *_, (_, end) = study.train(settings, "none", (0, 1, 2, 3))
    right = table[table.measure == "right"].set_index(["low", "high", "seed"]).value
    for r, ends in enumerate(settings.ranges):
        for seed in range(4):
            assert right[(*ends, seed)] == (end[r, seed] >= 1 - 1e-5).all()
    assert 0 < right.mean() < 1
    arrived = table[table.measure == "arrived"]
    assert len(arrived) == right.sum()
    for row in arrived.itertuples():
        r = settings.ranges.index((row.low, row.high))
        near = {s: (w[r, row.seed] > 0.9).all() for s, w in study.train(settings, "none", range(4))}
        assert all(near[s] for s in near if s >= row.value)
        assert not near[row.value - settings.log_every]


def test_a_seed_gives_the_same_rows_alone_and_among_others():
    together, alone = study.run(TINY, [0, 1]), study.run(TINY, [1])
    assert together[together.seed == 1].reset_index(drop=True).equals(alone)


def test_finished_noise_is_not_trained_again(tmp_path, monkeypatch):
    whole = study.run(TINY, [0], store=Store(tmp_path, {}))
    trained = []
    train = study.train
    monkeypatch.setattr(
        study, "train", lambda s, noise, *a: trained.append(noise) or train(s, noise, *a)
    )
    next(iter(sorted(tmp_path.rglob("rows.json")))).unlink()
    assert study.run(TINY, [0], store=Store(tmp_path, {})).equals(whole)
    assert len(trained) == 1
    study.run(replace(TINY, steps=20), [0], store=Store(tmp_path, {}))
    assert len(trained) == 3


def test_nothing_is_published():
    table = study.published()
    assert list(table.columns) == [*study.KEYS, "measure", "value", "tag"]
    assert len(table) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"batch": 1}, "batch must be at least 2, got 1"),
        ({"noise": ("loud",)}, "noise must hold names of NOISE, got 'loud'"),
        ({"ranges": ((1.0, 1.0),)}, r"ranges must be pairs .* got \(1.0, 1.0\)"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1]])
def test_bad_seeds_are_named(seeds):
    with pytest.raises(ValueError, match=r"seeds must be different numbers from 0 on, got \["):
        study.run(TINY, seeds)
