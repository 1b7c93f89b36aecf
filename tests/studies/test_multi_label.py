"""The study of multi-label rules: its losses, its decisions, its choice, its table."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

import sharplib
from sharplib.studies import multi_label as study
from sharplib.studies._storage import Store
from sharplib.studies.comparison import compare, paired

TINY = study.Settings(cells=((5, 2),), samples=60, width=4, epochs=2, learning_rates=(1e-2, 3e-2))


def test_the_hinge_is_zero_exactly_where_sparsemax_is_right():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(400):
        labels = np.zeros(5)
        labels[rng.permutation(5)[: rng.integers(1, 5)]] = 1
        ahead = rng.choice([0.5, 0.99, 1.01, 2]) / labels.sum()
        uneven = rng.choice([0, 1]) * 0.05 * rng.standard_normal(5) * labels
        x = torch.tensor(ahead * labels + uneven - 3 * rng.integers(0, 2))
        loss = float(study._projected_hinge(x, torch.tensor(labels)))
        right = np.allclose(sharplib.sparsemax(x.numpy()), labels / labels.sum(), atol=1e-9)
        assert (loss < 1e-9) == right
        seen.add(right)
    assert seen == {True, False}


def test_the_pairwise_hinge_by_hand():
    scores, labels = torch.tensor([2.0, 0.5, 1.0, -3.0]), torch.tensor([1.0, 0, 1, 0])
    pairs = [max(0, 1 - float(scores[i] - scores[j])) for i, j in itertools.product((0, 2), (1, 3))]
    assert float(study._hinge(scores, labels, 1.0, level=0.0)) == pytest.approx(sum(pairs) / 4)


def test_the_hourglass_is_sparsemax_at_the_scale_of_the_loss():
    x = torch.tensor(np.random.default_rng(1).standard_normal((20, 6)))
    torch.testing.assert_close(
        sharplib.sparsemax(study._hourglass_scale(x) * x), sharplib.sparsehourglass(x, q=1.0)
    )


def test_the_count_rules_keep_the_highest_scores():
    scores = torch.tensor(np.random.default_rng(2).standard_normal((30, 7)))
    counts = torch.eye(7)[torch.arange(30) % 7]  # sure of 1, ..., 7
    for name in ("r-softmax", "softmax, count"):
        found = study._decide(study.RULES[name], scores, counts, 1.0)
        for row, kept, x in zip(found, 1 + torch.arange(30) % 7, scores, strict=True):
            assert set(row.nonzero()[:, 0].tolist()) == set(x.topk(int(kept)).indices.tolist())


@pytest.mark.parametrize("name", [n for n, rule in study.RULES.items() if rule.weights])
def test_a_threshold_rule_compares_weights(name):
    x = torch.tensor([[1.0, 0.9, -2.0], [0.0, 0.0, 0.0]])
    rule = study.RULES[name]
    found = study._decide(rule, x, x, 0.3)
    assert found.tolist() == (rule.weights(x) > 0.3).tolist()
    assert found[0].tolist() == [True, True, False]


def test_every_rule_has_as_many_choices():
    assert {len(rule.choices) for rule in study.RULES.values()} == {11}


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(3)
    found, labels = (rng.random((2, 50, 6)) < 0.4).astype(float)
    labels[:, 0] = 1  # every sample has a label, as in the data
    measures = study._measures(torch.tensor(found), torch.tensor(labels))
    assert float(measures["f1"]) == pytest.approx(f1_score(labels, found, average="samples"))
    assert float(measures["micro_f1"]) == pytest.approx(f1_score(labels, found, average="micro"))


def test_adam_is_torchs():
    settings = replace(TINY, learning_rates=(1e-2,))
    models = study._Models(settings, 3, 4, [0])
    inputs = torch.tensor(np.random.default_rng(4).standard_normal((1, 8, 3)), dtype=torch.float32)
    theirs = [p.detach().clone().requires_grad_() for p in models.parameters]
    adam = torch.optim.Adam(theirs, lr=1e-2)
    for _ in range(3):
        scores, counts = models(inputs)
        (scores.square().sum() + counts.sum()).backward()
        models.step()
        adam.zero_grad()
        models.parameters, ours = theirs, models.parameters
        scores, counts = models(inputs)
        models.parameters = ours
        (scores.square().sum() + counts.sum()).backward()
        adam.step()
    for a, b in zip(models.parameters, theirs, strict=True):
        # float32, three steps of 1e-2.
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_training_lowers_every_loss():
    settings = replace(TINY, samples=300, epochs=30)
    train, *_ = study._split(settings, (5, 2), [0, 1])
    before = study._Models(settings, 20, 5, [0, 1])
    after = study._train(settings, (5, 2), [0, 1], train, None)
    for i, rule in enumerate(study.RULES.values()):
        first, last = (
            rule.loss(models(train.inputs)[0][i], train.labels.expand(2, -1, -1, -1)).mean()
            for models in (before, after)
        )
        assert last < first


@pytest.fixture(scope="module")
def table():
    return study.run(TINY, [0, 1])


def test_the_table(table):
    measures = {"f1", "micro_f1", "right_count", "kept", "learning_rate", "choice"}
    assert set(table.measure) == measures
    assert len(table) == len(measures) * len(study.RULES) * 2
    assert set(table.rule) == set(study.RULES)
    shares = table[table.measure.isin(["f1", "micro_f1", "right_count"])].value
    assert shares.between(0, 1).all()
    for row in table[table.measure == "choice"].itertuples():
        assert row.value in study.RULES[row.rule].choices


def test_a_cell_is_the_same_again_and_among_others(table):
    two = study.run(replace(TINY, cells=((6, 2), (5, 2))), [0, 1])
    assert two[two.classes == 5].reset_index(drop=True).equals(table)


def test_a_finished_cell_is_not_computed_again(tmp_path, monkeypatch):
    stages = []
    first = study.run(TINY, [0], store=Store(tmp_path, {}), progress=lambda *at: stages.append(at))
    assert stages == [("5 classes, 2 labels", i, 2) for i in range(3)]
    monkeypatch.setattr(study, "_train", lambda *at: pytest.fail("trained again"))
    assert study.run(TINY, [0], store=Store(tmp_path, {})).equals(first)


def test_seeds_have_samples_of_their_own_and_parts_do_not_overlap():
    train, check, test = study._split(replace(TINY, samples=100), (5, 2), [0, 1])
    assert [part.inputs.shape[1] for part in (train, check, test)] == [64, 16, 20]
    assert not torch.equal(train.labels[0], train.labels[1])
    torch.testing.assert_close(train.inputs.mean(1), torch.zeros(2, 20), atol=1e-5, rtol=0)
    assert (train.labels.sum(-1) >= 1).all()


def stand_in(shape=(2417, 103), classes=14, words=("FALSE", "TRUE")):
    """What OpenML gives for "yeast", in form."""
    rng = np.random.default_rng(5)

    class Found:
        data = rng.standard_normal(shape)
        target = np.array(words, dtype=object)[rng.integers(0, 2, (shape[0], classes))]

    def fetch(name, version, **how):
        assert (name, version) == ("yeast", 4)
        assert how["as_frame"] is False
        return Found

    return fetch


def test_yeast_takes_the_place_of_generated_samples(monkeypatch):
    """The real set needs a network; this one has its form."""
    monkeypatch.setattr(study, "fetch_openml", stand_in())
    settings = replace(study.PRESETS["yeast"].settings, samples=80, epochs=1)
    table = study.run(settings, [0, 1])
    assert set(table.classes) == {14}
    inputs, labels = study.yeast()
    assert inputs.shape == (2417, 103)
    assert set(np.unique(labels)) == {0, 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": (2417, 102)}, "yeast must be 2417 x 103"),
        ({"classes": 13}, "yeast must be 2417 x 103 and 2417 x 14"),
        ({"words": ("0", "1")}, "labels of yeast must be TRUE or FALSE"),
    ],
)
def test_another_set_under_that_name_is_refused(change, message, monkeypatch):
    monkeypatch.setattr(study, "fetch_openml", stand_in(**change))
    with pytest.raises(ValueError, match=message):
        study.yeast()


def test_nothing_is_published(table):
    published = study.published()
    assert list(published.columns) == [*study.KEYS, "measure", "value", "tag"]
    shown = compare(published, {"ours": table}, study.KEYS, study.HEADLINE)
    assert (shown.published == "").all()


def test_gains_are_those_of_the_paired_test(table):
    tested = paired(table, study.KEYS, study.HEADLINE, study.BASELINE).set_index("rule")
    found = study.gains(table).set_index("rule").loc[tested.index]
    assert set(tested.index) == set(study.RULES) - {study.BASELINE}
    np.testing.assert_allclose(found.gain, tested.gain, atol=1e-15)
    np.testing.assert_allclose(found.p_value, tested.p_value, rtol=1e-9)
    # With two seeds the interval is tan(0.475 pi) standard errors wide, either way.
    rows = table[table.measure == "f1"].pivot_table("value", "seed", "rule")
    apart = rows.sub(rows[study.BASELINE], axis=0)[tested.index]
    error = apart.std() / 2**0.5
    np.testing.assert_allclose(found.high - found.gain, np.tan(0.475 * np.pi) * error, rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": 24}, "samples must be at least 25, got 24"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"cells": ((3, 3.0),)}, r"cells must hold .* got \(3, 3.0\)"),
        ({"learning_rates": (0.1, 0.0)}, "learning_rates must be above 0"),
        ({"learning_rates": ()}, "learning_rates must be above 0"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1]])
def test_bad_seeds_are_named(seeds):
    with pytest.raises(ValueError, match=r"seeds must be different numbers from 0 on, got \["):
        study.run(TINY, seeds)
