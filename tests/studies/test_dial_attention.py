"""The study of attention under a dial: its schedule, its exchange, its choice, its table."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import sharplib
from sharplib.studies import _data, comparison
from sharplib.studies import dial_attention as study
from sharplib.studies._storage import Store

TINY = study.Settings(
    ("softmax", "r-softmax 0.75"), steps=3, batch=4, rates=(1e-3, 1e-2), tuning_seeds=(7,)
)


def test_the_rate_rises_in_training_and_is_full_in_the_test():
    dial = study._Dial(0.75, raised_over=4, held=False)
    x = torch.tensor(np.random.default_rng(0).standard_normal((3, 16)))
    for rate in (0, 0.1875, 0.375, 0.5625, 0.75, 0.75):
        with torch.no_grad():
            torch.testing.assert_close(dial(x), sharplib.rsoftmax(x, 0.75))
        torch.testing.assert_close(dial(x), sharplib.rsoftmax(x, rate))
    at_once = study._Dial(0.5, raised_over=0, held=False)
    torch.testing.assert_close(at_once(x), sharplib.rsoftmax(x, 0.5))


@pytest.mark.parametrize("held", [False, True])
def test_held_says_which_derivative(held):
    x = torch.tensor(np.random.default_rng(1).standard_normal(16), requires_grad=True)
    dial = study._Dial(0.5, raised_over=0, held=held)
    (found,) = torch.autograd.grad(dial(x)[3], x)
    (wanted,) = torch.autograd.grad(sharplib.rsoftmax(x, 0.5, detach_quantile=held)[3], x)
    torch.testing.assert_close(found, wanted)


def test_every_name_says_its_rate():
    x = torch.tensor(np.random.default_rng(2).standard_normal((2, 1, 16)))
    for rule, make in study.RULES.items():
        if rule.startswith("r-softmax"):
            with torch.no_grad():
                p = make(10)(2)(x)
            rate = float(rule.split(",")[0].split()[1])
            assert set((p == 0).sum(-1).flatten().tolist()) == {int(rate * 15) + 1}


@pytest.fixture(scope="module")
def base():
    return study._trained(TINY, [0, 1, 7], None)


def test_the_exchange_keeps_the_network(base):
    again = study._exchanged(TINY, "softmax", base, [1, 1, 0])
    patches, _ = _data.digits([0, 1, 7]).test
    with torch.no_grad():
        before = base(patches[:, :9])
        after = again(patches[[1, 1, 0], :9])
    torch.testing.assert_close(after, before[[1, 1, 0]])
    sparse = study._exchanged(TINY, "sparsemax", base, [0])
    with torch.no_grad():
        assert (sparse(patches[:1, :9]) - before[:1]).abs().max() > 1e-4


def test_measures_by_hand(base):
    model = study._exchanged(TINY, "r-softmax 0.75", base, [0, 1])
    part = tuple(each[:, :20] for each in _data.digits([0, 1]).test)
    found = study._judge(model, part)
    with torch.no_grad():
        logits = model(part[0])
    right = logits.log_softmax(-1).gather(-1, part[1][..., None])[..., 0]
    torch.testing.assert_close(found["loss"], -right.mean(1))
    torch.testing.assert_close(found["accuracy"], (logits.argmax(-1) == part[1]).float().mean(1))
    # floor(0.75 * 15) + 1 of 16
    torch.testing.assert_close(found["zeros"], torch.full((2,), 12 / 16))


@pytest.fixture(scope="module")
def table():
    return study.run(TINY, [0, 1])


def test_the_table(table):
    measures = {"loss", "accuracy", "zeros"}
    measures |= {f"{name}_before" for name in measures} | {"rate"}
    assert set(table.measure) == measures
    assert len(table) == 2 * 2 * len(measures)
    cells = table.set_index(["rule", "seed", "measure"]).value
    assert cells["softmax", 0, "zeros"] == 0
    assert cells["softmax", 0, "rate"] in TINY.rates
    assert cells["softmax", 0, "loss"] != cells["softmax", 0, "loss_before"]


def test_the_step_size_is_the_best_of_the_tuning_seeds(base, table):
    losses = []
    for rate in TINY.rates:
        model = study._exchanged(TINY, "softmax", base, TINY.tuning_seeds)
        study._tune(TINY, model, [rate], None)
        losses.append(float(study._judge(model, _data.digits([7]).validation)["loss"][0]))
    chosen = table[(table.rule == "softmax") & (table.measure == "rate")].value
    assert set(chosen) == {TINY.rates[int(np.argmin(losses))]}


def test_fine_tuning_goes_on_with_later_batches(base, monkeypatch):
    met = []

    def record(model, batches, steps, rates, progress=None):
        met.extend(next(iter(batches))[1].tolist())

    monkeypatch.setattr(study, "train", record)
    model = study._exchanged(TINY, "softmax", base, [0])
    study._tune(TINY, model, [1e-3], None)
    batches = _data.digit_batches(*_data.digits([0]).train, [0], TINY.batch)
    stream = [next(batches)[1][0].tolist() for _ in range(TINY.steps + 1)]
    assert met == [stream[-1]]


def test_a_finished_rule_is_not_computed_again(table, tmp_path, monkeypatch):
    assert study.run(TINY, [0, 1], store=Store(tmp_path, {})).equals(table)
    monkeypatch.setattr(study, "_trained", lambda *at: pytest.fail("trained again"))
    assert study.run(TINY, [0, 1], store=Store(tmp_path, {})).equals(table)


def test_nothing_is_published(table):
    published = study.published()
    assert list(published.columns) == [*study.KEYS, "measure", "value", "tag"]
    tested = comparison.paired(table, study.KEYS, study.HEADLINE, study.BASELINE)
    assert set(tested.rule) == {"r-softmax 0.75"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": ("hardmax",)}, "rules must be among softmax, .* got 'hardmax'"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"rates": ()}, "rates must hold numbers above 0"),
        ({"rates": (0.0,)}, "rates must hold numbers above 0"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


@pytest.mark.parametrize(
    ("seeds", "message"),
    [([], "different"), ([1, 1], "different"), ([-1], "different"), ([7], "tuning seeds")],
)
def test_bad_seeds_are_named(seeds, message):
    with pytest.raises(ValueError, match=f"^seeds must .*{message}"):
        study.run(TINY, seeds)
