"""The study of ranking noise: its sets, its counting, its table, and the theory that it tries."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from sharplib.studies import ranking_noise as study
from sharplib.studies._storage import Store
from sharplib.studies.comparison import compare
from sharplib.theory import ranking

TINY = study.Settings(sizes=(5, 40), noise=(0.02,), temperatures=(0.0, 1.0, 8.0), sets=60)


def test_the_top_of_a_set_is_that_of_uniform_numbers():
    settings = study.Settings(sizes=(1000,), noise=(), temperatures=(0.0, 0.1), sets=2000)
    drawn = np.concatenate([sets.depth.numpy() for sets in study._blocks(settings, 0, 1000, "cpu")])
    assert drawn.shape == (2000, settings.items(1000, 0.0, 1e-4))
    assert (np.diff(drawn, axis=1) > 0).all()
    for k in (1, 2, 20):
        # the k-th largest of n uniform numbers has a beta distribution; p below 1e-4 is no chance
        law = scipy.stats.beta(k, 1000 - k + 1)
        assert scipy.stats.kstest(drawn[:, k - 1], law.cdf).pvalue > 1e-4


def test_a_small_set_is_drawn_whole():
    (sets,) = study._blocks(TINY, 0, 5, "cpu")
    assert sets.depth.shape == sets.kind.shape == sets.own.shape == (60, 5)
    assert sets.shared.shape == (60, 10)
    # the smallest of five uniform numbers: 1 - depth has the mean 1/6
    smallest = 1 - sets.depth[:, -1].numpy()
    assert scipy.stats.kstest(smallest, scipy.stats.beta(1, 5).cdf).pvalue > 1e-4


@pytest.mark.parametrize("kind", ["class", "item"])
@pytest.mark.parametrize("noise", study.Settings().noise)
def test_what_is_left_out_weighs_nothing(kind, noise):
    rng = np.random.default_rng(3)
    settings, n = study.Settings(), 16384
    depth = np.sort(1 - rng.random(n))
    shared = rng.standard_normal(10)[rng.integers(10, size=n)]
    logits = noise * (shared if kind == "class" else rng.standard_normal(n)) - depth
    for gaps in settings.temperatures[1:]:
        weights = np.exp((logits - logits.max()) * n / gaps)
        left_out = weights[settings.items(n, noise, gaps / n) :].sum()
        assert left_out < 3e-7 * weights.sum()
    assert logits.argmax() < settings.items(n, noise, 0.0)


def count_by_hand(settings, seed, size):
    """Accuracy by a loop over sets and items, from the definition."""
    (sets,) = study._blocks(settings, seed, size, "cpu")
    depth, kind, own, shared = (part.numpy() for part in sets)
    found = {}
    for case, noise in settings.cases:
        for gaps in settings.temperatures:
            right = 0
            for s in range(settings.sets):
                votes = [0.0] * settings.classes
                displaced = {"none": 0 * own[s], "class": shared[s][kind[s]], "item": own[s]}[case]
                logits = [noise * d - t for d, t in zip(displaced, depth[s], strict=True)]
                for c, logit in zip(kind[s], logits, strict=True):
                    if gaps == 0:
                        votes[c] = max(votes[c], 1.0 * (logit == max(logits)))
                    else:
                        votes[c] += math.exp((logit - max(logits)) * size / gaps)
                right += votes.index(max(votes)) == kind[s][0]
            found[case, size, noise, gaps / size] = right / settings.sets
    return found


@pytest.mark.parametrize("size", TINY.sizes)
def test_accuracy_by_hand(size):
    table = study.run(replace(TINY, sizes=(size,)), [4])
    rows = table[table.measure == "accuracy"].set_index(list(study.KEYS)).value
    assert rows.to_dict() == count_by_hand(TINY, 4, size)


def test_a_seed_gives_the_same_rows_alone_and_among_others():
    together, alone = study.run(TINY, [0, 1]), study.run(TINY, [1])
    assert together[together.seed == 1].reset_index(drop=True).equals(alone)
    first, second = (together[together.seed == s].value.to_numpy() for s in (0, 1))
    assert (first != second).any()


def test_finished_pieces_are_not_computed_again(tmp_path, monkeypatch):
    settings = replace(TINY, sets=20)
    stages = []
    whole = study.run(
        settings, [0], store=Store(tmp_path, {}), progress=lambda *a: stages.append(a)
    )
    assert stages == [("seed 0", 0, 2), ("seed 0", 1, 2), ("seed 0", 2, 2)]
    sizes = []
    run_size = study._run_size
    monkeypatch.setattr(
        study,
        "_run_size",
        lambda s, seed, size, d: sizes.append(size) or run_size(s, seed, size, d),
    )
    # killed after the first size of another seed
    (lost,) = tmp_path.glob("*/seed-0-size-40.json")
    lost.unlink()
    again = study.run(settings, [0], store=Store(tmp_path, {}))
    assert sizes == [40]
    assert again.equals(whole)
    study.run(replace(settings, sets=19), [0], store=Store(tmp_path, {}))
    assert sizes == [40, 5, 40]


@pytest.fixture(scope="module")
def table():
    settings = study.Settings(
        sizes=(256, 4096), noise=(2.0**-11, 2.0**-8), temperatures=(0.0, 0.5, 2.0, 8.0), sets=3000
    )
    return study.run(settings, [0])


@pytest.mark.parametrize("measure", ["accuracy", "ranking"])
@pytest.mark.parametrize("kind", ["none", "class", "item"])
def test_the_table_is_what_the_theory_says(table, kind, measure):
    predict = {
        ("accuracy", "none"): ranking.accuracy_with_item_noise,
        ("accuracy", "item"): ranking.accuracy_with_item_noise,
        ("accuracy", "class"): ranking.accuracy_with_head_starts,
        ("ranking", "none"): lambda n, t, noise: 1.0,
        ("ranking", "item"): lambda n, t, noise: ranking.ranking_with_item_noise(n, noise),
        ("ranking", "class"): lambda n, t, noise: ranking.ranking_over_heads(n, noise),
    }[measure, kind]
    rows = table[(table.noise_kind == kind) & (table.measure == measure)]
    assert len(rows) == 2 * (1 if kind == "none" else 2) * (4 if measure == "accuracy" else 1)
    for row in rows.itertuples():
        if 0 < row.temperature < row.noise / 32:
            continue  # outside of the formula
        expected = float(predict(row.size, row.temperature, row.noise))
        # 4 standard errors of a mean over 3000 sets, and 2/n for the finite n of the theory's limit
        error = 4 * math.sqrt(max(expected * (1 - expected), 1e-3) / row.sets) + 2 / row.size
        assert row.value == pytest.approx(expected, abs=error), row


def test_one_temperature_for_each_n_gives_one_accuracy_without_noise(table):
    """The scaling law: n times temperature decides."""
    rows = table[(table.noise_kind == "none") & (table.measure == "accuracy")]
    small, large = (rows[rows["size"] == n].value.to_numpy() for n in (256, 4096))
    np.testing.assert_allclose(small, large, atol=4.5 * math.sqrt(2 * 0.25 / 3000))


def test_nothing_is_published(table):
    published = study.published()
    assert list(published.columns) == [*study.KEYS, "measure", "value", "tag"]
    assert len(published) == 0
    shown = compare(published, {"ours": table}, study.KEYS, study.HEADLINE)
    assert (shown.published == "").all()
    assert shown.loc[("none", 256, 0.0, 0.0), "ours"] == "100.0%"


@pytest.mark.parametrize("name", ["quick", "paper"])
def test_presets_have_room_for_the_best_temperature(name):
    settings, seeds = study.PRESETS[name]
    assert len(set(seeds)) == len(seeds)
    for n in settings.sizes:
        for noise in settings.noise:
            # up to 1.5 times the noise
            assert 1.5 * noise < settings.temperatures[-1] / n


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": 1}, "classes must be at least 2, got 1"),
        ({"sets": 0}, "sets must be at least 1, got 0"),
        ({"sizes": ()}, r"sizes must hold numbers of items from 1 on, got \(\)"),
        ({"noise": (0.1, 0.0)}, r"noise must be above 0, got \(0.1, 0.0\)"),
        ({"temperatures": (0.0, 2.0, 1.0)}, "temperatures must begin with 0, .* and rise"),
        ({"temperatures": ()}, "temperatures must begin with 0"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1]])
def test_bad_seeds_are_named(seeds):
    with pytest.raises(ValueError, match=r"seeds must be different numbers from 0 on, got \["):
        study.run(TINY, seeds)


def test_seeds_may_be_those_of_numpy(tmp_path):
    # The store names its folders by them, in JSON.
    store = Store(tmp_path, {})
    table = study.run(TINY, np.arange(2), jobs=2, store=store)
    pd.testing.assert_frame_equal(table, study.run(TINY, [0, 1]), check_exact=True)
    with pytest.raises(TypeError, match=r"seeds must be whole numbers, got \[0.5\]"):
        study.run(TINY, [0.5])
