"""The study of bent scores, at sizes that take seconds: its maps, its measures, its table."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import sharplib
from sharplib import nn
from sharplib.studies import multimax as study
from sharplib.studies._storage import Store
from sharplib.studies._transformer import Seen

SMALL = {
    name: replace(
        task, shape=replace(task.shape, width=8, hidden=8), batch=2, steps=2, tuning_steps=1
    )
    for name, task in study.Settings().tasks.items()
}
TINY = study.Settings({"digits": SMALL["digits"]}, ("softmax", "multimax, both"), (0.01, 0.02))


@pytest.fixture(scope="module")
def table():
    return study.run(TINY, (0, 1))


def bent(module, replicas=3):
    made = module(replicas)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return made


def test_a_replica_bends_like_the_map_of_the_library():
    made = bent(study.Bend)
    x = torch.randn(3, 4, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    for i in range(3):
        r, c = made.thresholds[i].detach(), made.coefficients[i].detach()
        expected = sharplib.multimax(x[i], r, c)
        # Bent scores of order 10 in float32.
        torch.testing.assert_close(torch.softmax(made(x), -1)[i], expected, rtol=1e-4, atol=1e-6)
        slope = torch.func.vmap(torch.func.grad(lambda v, i=i: made(v.expand(3, 1))[i, 0]))
        torch.testing.assert_close(
            made.slope(x)[i].flatten(), slope(x[i].flatten()), rtol=1e-5, atol=1e-5
        )


def test_the_centred_one_does_not_feel_a_shift_and_sees_the_mask():
    made = bent(study.RULES["multimax, centred"]["weigh"])
    x = torch.randn(3, 4, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    x = x.masked_fill(torch.ones(5, 5, dtype=torch.bool).triu(1), -torch.inf)
    p = made(x)
    assert (p[x == -torch.inf] == 0).all()
    torch.testing.assert_close(p.sum(-1), torch.ones(3, 4, 2, 5))
    # Scores of order 10 lose a digit, and squares of the bent ones another.
    torch.testing.assert_close(made(x + 7), p, rtol=1e-3, atol=1e-5)
    r, c = made.thresholds[1].detach(), made.coefficients[1].detach()
    row = x[1, 0, 0, 3, :4]
    torch.testing.assert_close(
        p[1, 0, 0, 3, :4], sharplib.multimax(row - row.mean(), r, c), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("task", list(SMALL))
@pytest.mark.parametrize("rule", list(study.RULES))
def test_every_rule_starts_as_its_map_and_can_be_trained(rule, task):
    model = study.build(rule, SMALL[task], [0, 1])
    parts = study._parts(task, SMALL[task], [0, 1])
    inputs, targets = next(parts.batches)
    seen: list[Seen] = []
    logits = model(inputs, seen)
    maps = {
        "sparsemax": sharplib.sparsemax,
        "entmax15": sharplib.entmax15,
        "ev_softmax": sharplib.ev_softmax,
        "top quarter": lambda x: sharplib.topk_softmax(x, x.shape[-1] // 4),
    }
    scores = seen[0].scores
    if task == "text":
        future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(future, -torch.inf)
    expected = maps.get(rule, sharplib.softmax)(scores)
    torch.testing.assert_close(seen[0].weights, expected, rtol=1e-4, atol=1e-6)
    study.losses(logits, targets).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    layers = model.shape.depth
    wanted = {"multimax": 8 * layers, "multimax, output": 8, "multimax, both": 8 * (layers + 1)}
    wanted |= {"multimax, centred": 8 * layers, "temperature": layers, "temperature, output": 1}
    assert sum(p[0].numel() for p in model.made.parameters()) == wanted.get(rule, 0)


def test_the_table_is_tidy(table):
    assert list(table) == ["rule", "task", "seed", "layer", "measure", "value"]
    assert not table.duplicated(list(table)[:-1]).any()
    assert set(table.rule) == {"softmax", "multimax, both"}
    measured = table.groupby("layer").measure.agg(set)
    assert {"loss", "accuracy", "rate", "r0", "c3", "order_kept", "falling"} <= measured[0]
    assert {"M", "S", "support", "zeros", "r0", "c3"} <= measured[1] & measured[2]
    assert "loss" not in measured[1]
    values = table.set_index("measure").value
    for name in ("accuracy", "M", "S", "zeros", "order_kept", "falling"):
        assert values[name].between(0, 1).all()
    assert set(values["rate"]) <= {0.01, 0.02}


def test_the_measures_of_attention_are_those_of_a_loop():
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(2, 3, 2, 6, 6, generator=generator)
    visible = torch.ones(6, 6, dtype=torch.bool).tril()
    weights = sharplib.sparsemax(scores.masked_fill(~visible, -torch.inf))
    found = study._attention(Seen(scores, weights), causal=True)
    for replica in range(2):
        rows = []
        for b in range(3):
            for h in range(2):
                for q in range(3, 6):
                    x = scores[replica, b, h, q, : q + 1].double().numpy()
                    p = weights[replica, b, h, q, : q + 1].double().numpy()
                    meant, not_meant = x > x.mean(), x < x.mean()
                    meant &= x < x.max()
                    rows.append(
                        (
                            1 - (p.max() - p[meant]).mean() if meant.any() else np.nan,
                            np.exp(-p[not_meant] * (q + 1)).mean(),
                            (p == 0).mean(),
                        )
                    )
        expected = np.nanmean(rows, axis=0)
        got = [float(found[name][replica]) for name in ("M", "S", "zeros")]
        # Float32 weights.
        assert got == pytest.approx(expected.tolist(), rel=1e-5)


def test_what_a_bend_has_learned_is_read_off():
    model = study.build("multimax, both", SMALL["text"], [0, 1, 2])
    bends = [module for module in model.made if isinstance(module, study.Bend)]
    with torch.no_grad():
        bends[1].coefficients[2] = torch.tensor([3.0, 0.0, 0.0, 0.0])  # slope -2 below 0
    inputs = next(study._parts("text", SMALL["text"], [0, 1, 2]).batches)[0]
    seen: list[Seen] = []
    with torch.no_grad():
        logits = model(inputs, seen)
        found = study._bends(model, seen, logits)
    assert list(found) == [1, 2, 0]
    assert found[1]["order_kept"].tolist() == [1, 1, 1]
    assert found[2]["order_kept"].tolist() == [1, 1, 0]
    visible = torch.ones(64, 64, dtype=torch.bool).tril()
    below = (seen[1].scores[2] < 0)[..., visible].float().mean()
    assert found[2]["falling"].tolist() == pytest.approx([0, 0, float(below)], rel=1e-5)
    assert found[2]["c0"].tolist() == [0, 0, 3]
    alone = nn.MultiMax()
    assert alone.is_monotone()


def test_the_best_rate_of_tuning_is_chosen():
    settings = replace(
        TINY,
        rates=(1e-9, 0.03),
        tasks={"digits": replace(SMALL["digits"], tuning_steps=40, batch=32)},
    )
    assert study._tuned(settings, "softmax", "digits", None) == 0.03
    assert study._tuned(replace(settings, rates=(0.5,)), "softmax", "digits", None) == 0.5


def test_processes_and_a_kill_change_nothing(table, tmp_path):
    shared = study.run(TINY, (0, 1), jobs=2, store=Store(tmp_path, {}))
    pd.testing.assert_frame_equal(shared, table, check_exact=True)
    again = study.run(TINY, (0, 1), store=Store(tmp_path, {}), progress=_nothing_to_train)
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def _nothing_to_train(stage, done, total):
    raise AssertionError(stage)


def test_the_published_costs_and_their_own_arithmetic():
    cost = study.COST.set_index("model")
    more = cost["MultiMax, s"] / cost["softmax, s"] - 1
    # Rounded to a tenth of a percent in the README: 12.3 % and 4.4 %.
    assert more.tolist() == pytest.approx([0.123, 0.044], abs=6e-4)
    assert (cost["more with MultiMax"] == 8 * np.array([12, 18])).all()
    assert len(study.published()) == 0


def test_the_report_has_means_over_seeds(table):
    said = study.report({"ours": table})
    assert "digits: ours, mean and standard error" in said
    loss = table[(table.rule == "softmax") & (table.measure == "loss")].value
    assert f"{loss.mean():.4f} ± {loss.sem():.4f}" in said


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match=r"^rules must be among .*, got 'hardmax'$"):
        study.Settings(rules=("hardmax",))
    with pytest.raises(ValueError, match=r"^tasks must be among .*, got 'speech'$"):
        study.Settings({"speech": SMALL["text"]})
    with pytest.raises(ValueError, match=r"^rates must hold numbers above 0"):
        study.Settings(rates=(0.0,))
    for seeds in ((), (1, 1), (-1,)):
        with pytest.raises(ValueError, match=r"^seeds must be different numbers"):
            study.run(TINY, seeds)
