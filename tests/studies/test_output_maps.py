"""The study of output maps: its pictures, its losses, its choice of a cell, its table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import sharplib
from sharplib import losses
from sharplib.studies import output_maps as study
from sharplib.studies._storage import Store

TINY = study.Settings(scales=(0.5, 2.0), rates=(0.03,), steps=3)


@pytest.fixture(scope="module")
def table():
    return study.run(replace(TINY, steps=30), [0, 1])


@pytest.mark.parametrize("task", study.TASKS)
def test_the_parts_are_pictures_with_their_digits(task):
    everything, labels = study._digits()
    parts = study._parts(task, [3])
    assert [part.pictures.shape[1] for part in parts] == [1000, 400, 397]
    known = {picture.tobytes(): label for picture, label in zip(everything, labels, strict=True)}
    for part in parts:
        assert (part.pictures[..., -1] == 1).all()
        assert (part.targets.sum(-1) == 1).all()
        of_two = task == "two digits"
        assert ((part.targets > 0).sum(-1) == 1 + of_two).all()
        if not of_two:
            shown = [known[p.tobytes()] for p in part.pictures[0, :, :-1].numpy()]
            assert shown == part.targets[0].argmax(-1).tolist()
        else:
            # The darker of two: no pixel lighter than in the picture that stands at this place.
            rng = np.random.default_rng(3)
            first = everything[rng.permutation(len(labels))[:1000]]
            assert (parts[0].pictures[0, :, :-1].numpy() >= first).all()


def test_no_picture_is_in_two_parts():
    sets = [
        {picture.tobytes() for picture in part.pictures[0, :, :-1].numpy()}
        for part in study._parts("one digit", [0])
    ]
    assert sum(map(len, sets)) == len(set.union(*sets))


def test_the_loss_is_zero_where_the_map_hits_the_target():
    rng = np.random.default_rng(0)
    for delta in (0.5, 2.0):
        x = torch.from_numpy(rng.normal(size=(200, 6)) * rng.choice([0.1, 1.0], size=(200, 1)))
        hit = study.plsoftmax_loss(x, sharplib.plsoftmax(x, delta), delta)
        # six differences of numbers below 4, rounded
        assert hit.max() < 1e-13
        other = sharplib.plsoftmax(x.flip(-1), delta)
        apart = (other - sharplib.plsoftmax(x, delta)).abs().sum(-1) > 1e-9
        assert apart.any()
        assert (study.plsoftmax_loss(x, other, delta)[apart] > 1e-10).all()


def test_the_loss_is_convex_in_the_scores():
    rng = np.random.default_rng(1)
    one, two = torch.from_numpy(rng.normal(size=(2, 500, 5)))
    target = sharplib.plsoftmax(torch.from_numpy(rng.normal(size=(500, 5))), 1.0)
    middle = study.plsoftmax_loss((one + two) / 2, target)
    ends = study.plsoftmax_loss(one, target) + study.plsoftmax_loss(two, target)
    assert (middle <= ends / 2 + 1e-12).all()


def test_for_one_class_it_is_the_hinge_loss():
    x = torch.tensor([[0.3, 1.0, 0.2], [2.0, 0.0, 0.5]], dtype=torch.float64)
    target = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    right = [[0.3 - 1 + 1, 0.2 - 1 + 1], [0, 0]]
    assert study.plsoftmax_loss(x, target).tolist() == pytest.approx([sum(r) for r in right])
    with pytest.raises(ValueError, match=r"^delta must be > 0, got 0"):
        study.plsoftmax_loss(x, target, 0)


@pytest.mark.parametrize("rule", study.RULES)
@pytest.mark.parametrize("task", study.TASKS)
def test_gradients_are_those_of_the_losses(rule, task):
    loss = {
        "softmax": losses.softmax_loss,
        "sparsemax": losses.sparsemax_loss,
        "plsoftmax": study.plsoftmax_loss,
    }[rule]
    rows = study._parts(task, [0])[2]
    rng = np.random.default_rng(2)
    x = torch.from_numpy(rng.normal(size=(1, 2, 397, 10)).astype(np.float32))
    found = study._gradient(rule, x.clone(), rows, study._order(rows.targets))
    x = x.double().requires_grad_()
    target = rows.targets[:, None].expand_as(x).double()
    (expected,) = torch.autograd.grad(loss(x, target).sum(), x)
    # float32 against float64
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_training_is_adam():
    (rows, *_) = study._parts("one digit", [0])
    weights = study._train(TINY, "softmax", rows, None, "")
    for cell, (scale, rate) in enumerate(TINY.cells):
        w = torch.zeros(65, 10, requires_grad=True)
        adam = torch.optim.Adam([w], lr=rate)
        for _ in range(TINY.steps):
            adam.zero_grad()
            losses.softmax_loss(rows.pictures[0] @ w / scale, rows.targets[0]).mean().backward()
            adam.step()
        # Adam divides by the size of a gradient, so pixels that are hardly ever lit have weights
        # of pure rounding; the scores are between -2 and 2 here.
        expected = rows.pictures[0] @ w.detach() / scale
        np.testing.assert_allclose(rows.pictures[0] @ weights[0, cell], expected, atol=0.03)


def test_the_best_cell_of_validation_is_tested(table):
    cells = table.pivot_table("value", ["task", "rule", "seed"], "measure")
    settings = replace(TINY, steps=30)
    for task, rule in (("one digit", "sparsemax"), ("two digits", "plsoftmax")):
        training, validation, test = study._parts(task, [0, 1])
        weights = study._train(settings, rule, training, None, "")
        for place, seed in enumerate((0, 1)):
            accuracy = study._measures(rule, weights, validation)["accuracy"][place]
            best = int(accuracy.argmax())
            row = cells.loc[task, rule, seed]
            assert (row["scale"], row["rate"]) == settings.cells[best]
            x = (test.pictures[place] @ weights[place, best]).numpy()
            wanted = np.sort(
                test.targets[place].numpy().argsort(-1)[:, ::-1][:, : 1 + (task[0] == "t")]
            )
            top = np.sort(x.argsort(-1)[:, ::-1][:, : wanted.shape[1]])
            assert row["accuracy"] == pytest.approx((wanted == top).all(1).mean())
            p = study._MAPS[rule](torch.from_numpy(x)).numpy()
            assert row["items"] == pytest.approx((p > 0).sum(-1).mean())
            exact = ((p > 0) == (test.targets[place].numpy() > 0)).all(-1)
            assert row["exact"] == pytest.approx(exact.mean())


def test_a_seed_gives_the_same_rows_alone_and_among_others(table):
    alone = study.run(replace(TINY, steps=30), [1])
    together = table[table.seed == 1].reset_index(drop=True)
    assert together.drop(columns="value").equals(alone.drop(columns="value"))
    # Sums over a larger batch may be added in another order.
    np.testing.assert_allclose(together.value, alone.value, atol=0.01)


def test_softmax_gives_every_class_some_weight_and_a_sparse_map_does_not(table):
    items = table[table.measure == "items"].groupby(["task", "rule"]).value.mean()
    for task in study.TASKS:
        assert items[task, "softmax"] == 10
        assert 1 <= items[task, "plsoftmax"] < 10
    assert (table[(table.rule == "softmax") & (table.measure == "exact")].value == 0).all()


def test_finished_pieces_are_not_computed_again(tmp_path, monkeypatch):
    settings = replace(TINY, tasks=("one digit",))
    whole = study.run(settings, [0], store=Store(tmp_path, {}))
    trained = []
    train = study._train
    monkeypatch.setattr(study, "_train", lambda *a: trained.append(a[1]) or train(*a))
    (lost,) = (p for p in tmp_path.glob("*/rows.json") if "sparsemax" in p.read_text())
    lost.unlink()
    again = study.run(settings, [0], store=Store(tmp_path, {}))
    assert trained == ["sparsemax"]
    assert again.equals(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": ("hardmax",)}, "rules must be some of"),
        ({"tasks": ()}, "tasks must be some of"),
        ({"rates": (0.1, 0.0)}, "rates must be positive numbers"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1]])
def test_bad_seeds_are_named(seeds):
    with pytest.raises(ValueError, match=r"seeds must be different numbers from 0 on, got \["):
        study.run(TINY, seeds)
