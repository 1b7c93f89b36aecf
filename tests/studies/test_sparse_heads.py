"""Heads trained with sparse maps: beside the study of max retrieval, and a plain optimiser."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import torch

import sharplib
from sharplib.studies import max_retrieval
from sharplib.studies import sparse_heads as study
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval import data

TRAINING = replace(study.Settings().training, width=8, steps=30, batch=4, seeds_together=2)
TINY = study.Settings(
    TRAINING, learning_rates=(0.01, 0.003), validation_sets=16, sizes=(16, 64), test_sets=6
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return study.run(TINY, (0, 1, 2))


def test_the_table_is_tidy(table):
    keys = ["map", "learning_rate", "seed", "size", "rule", "measure"]
    assert not table.duplicated(keys).any()
    assert table.notna().all(axis=None)
    assert list(dict.fromkeys(table["map"])) == list(study.MAPS)
    assert table[table.measure == "accuracy"].groupby("map").learning_rate.nunique().eq(1).all()


def test_the_rate_that_is_best_on_other_sets_is_tested(table):
    right = table[table.measure == "validation"]
    means = right.groupby(["map", "learning_rate"]).value.mean().unstack()
    tested = table[table.measure == "accuracy"].groupby("map").learning_rate.first()
    for name, rate in tested.items():
        assert means.loc[name, rate] == means.loc[name].max()


def test_softmax_heads_are_those_of_max_retrieval(table):
    """The same training by other code: its own kernel for attention, its own loop."""
    rows = table[(table["map"] == "softmax") & (table.measure == "accuracy")]
    training = replace(TRAINING, learning_rate=rows.learning_rate.iloc[0])
    rules = ("softmax", "sparsemax", "hard maximum")
    settings = max_retrieval.Settings(training, sizes=(16, 64), test_sets=6, rules=rules)
    other = max_retrieval.run(settings, (0, 1, 2))
    other = other[(other.measure == "top_weight") & other.rule.isin(rules)]
    rows = table[(table["map"] == "softmax") & (table.measure == "top_weight")]
    both = rows.merge(other, on=["seed", "size", "rule"], suffixes=("", "_other"))
    assert len(both) == 2 * 3 * 3
    # Sums in another order, thirty steps of them, in float32.
    np.testing.assert_allclose(both.value, both.value_other, rtol=1e-3)


@pytest.mark.parametrize("name", study.MAPS)
def test_a_head_alone_with_autograd_and_adamw(name):
    """One head, one sample at a time, with torch's own layers' formula and optimiser."""
    group = study._Group(TRAINING, name, (1,), "cpu")
    w = {key: value[0].clone().requires_grad_() for key, value in group.heads.weights.items()}
    logit = torch.zeros((), requires_grad=True)
    decay = TRAINING.weight_decay
    optimizer = torch.optim.AdamW(
        [
            {"params": list(w.values()), "weight_decay": decay},
            {"params": [logit], "weight_decay": 0},
        ]
    )
    gelu = torch.nn.functional.gelu
    for step, sets in enumerate(data.training_batches(TRAINING, (1,), 0, "cpu")):
        if step == TRAINING.steps:
            break
        losses = []
        for priority, kind, query, answer in zip(
            sets.priority[0], sets.kind[0], sets.query[0], sets.answer[0], strict=True
        ):
            x = torch.cat([priority[:, None], torch.eye(10)[kind.long()]], 1)
            item = gelu(x @ w["item_in"] + w["item_in_bias"]) @ w["item_out"] + w["item_out_bias"]
            asked = gelu(query @ w["query_in"] + w["query_in_bias"])
            asked = asked @ w["query_out"] + w["query_out_bias"]
            key, value = item @ w["k"], item @ w["v"] + w["v_bias"]
            scores = (key @ (asked @ w["q"] + w["q_bias"]).T)[:, 0] / TRAINING.width**0.5
            alpha = study.MAPS[name] or 1 + torch.sigmoid(logit)
            mean = sharplib.entmax(scores, alpha) @ value
            hidden = gelu(mean @ w["read_in"] + w["read_in_bias"])
            logits = (hidden @ w["read_out"] + w["read_out_bias"])[0]
            losses.append(torch.nn.functional.cross_entropy(logits, answer))
        for each in optimizer.param_groups:
            each["lr"] = 1e-3 * (1 + np.cos(np.pi * step / TRAINING.steps)) / 2
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()
    group.train(None)
    for key, weight in group.heads.weights.items():
        # Adam divides by sizes of gradients: a gradient of rounding errors counts in full.
        torch.testing.assert_close(weight[0], w[key].detach(), rtol=0, atol=2e-3)
    assert group.alphas.item() == pytest.approx(
        study.MAPS[name] or 1 + logit.sigmoid().item(), 1e-4
    )


def test_a_run_takes_up_where_it_stopped(table, tmp_path, monkeypatch):
    seen = []

    def stop(what, done, of):
        seen.append(what)
        if seen.count("testing") == 3:
            raise KeyboardInterrupt

    store = Store(tmp_path, {"study": "sparse-heads"})
    with pytest.raises(KeyboardInterrupt):
        study.run(TINY, (0, 1, 2), store=store, progress=stop)
    seen.clear()
    again = study.run(
        TINY, (0, 1, 2), store=store, progress=lambda what, done, of: seen.append(what)
    )
    assert "training" not in seen
    pd.testing.assert_frame_equal(again, table)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("maps", ("softmax", "entmax 3")),
        ("learning_rates", (0.0,)),
        ("sizes", (1,)),
        ("test_sets", 0),
    ],
)
def test_bad_settings_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        study.Settings(**{**asdict(TINY), "training": TRAINING, name: value})
