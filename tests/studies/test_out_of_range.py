"""The study out of range: its training against torch's, its judgement by hand, its table."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from sharplib.arithmetic import NMU, ramp
from sharplib.studies import out_of_range as study
from sharplib.studies._storage import Store

TINY = study.Settings(
    ("mul",), ("clipped", "NAC"), steps=12, batch=8, hidden=5, tests=16, magnitudes=(1.0, 8.0)
)


def test_the_range_and_its_batches():
    batches = list(itertools.islice(study._batches(study.Settings(steps=105), [3, 4]), 200))
    assert len(batches) == 105
    x = torch.stack(batches)
    assert x.shape == (105, 2, 128, 3)
    assert x.min() >= 1
    assert x.max() < 2
    assert abs(x.mean() - 1.5) < 4 / np.sqrt(12 * x.numel())  # four standard errors
    assert not torch.equal(x[:, 0], x[:, 1])


@pytest.mark.parametrize("act", ["ReLU", "tanh"])
def test_a_network_learns_as_torch_lets_it(act):
    settings = replace(TINY, models=(f"{act} network",), rates=(1e-3, 3e-2))
    first = study._initial(settings, f"{act} network", 7)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.ReLU() if act == "ReLU" else torch.nn.Tanh(),
        torch.nn.Linear(5, 1),
    )  # fmt: skip
    into, out = net[0], net[2]
    into.weight.data, into.bias.data = first["in"].mT.clone(), first["bias"][0].clone()
    out.weight.data, out.bias.data = first["out"].mT.clone(), first["shift"][0].clone()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-2)
    for x in study._batches(settings, [7]):
        optimizer.zero_grad()
        (net(x[0])[:, 0] - x[0, :, 0] * x[0, :, 1]).square().mean().backward()
        optimizer.step()
    models = study.train(settings, "mul", f"{act} network", [6, 7])
    # float32, and twelve steps of size 0.03
    for name, want in (("in", into.weight.mT), ("bias", into.bias[None]), ("out", out.weight.mT)):
        assert torch.allclose(models.parameters[name][1, 1], want, atol=1e-4)


def test_a_clipped_unit_with_a_penalty_is_the_nmu():
    settings = replace(TINY, models=("clipped, penalty",), rates=(0.05,), steps=60)
    unit = NMU(3, 1)
    unit.weight.data = study._initial(settings, "clipped, penalty", 2)["weight"].clone()
    assert (unit.weight - 0.5).abs().max() <= 0.25
    optimizer = torch.optim.Adam(unit.parameters(), lr=0.05)
    for step, x in enumerate(study._batches(settings, [2])):
        optimizer.zero_grad()
        loss = (unit(x[0])[:, 0] - x[0, :, 0] * x[0, :, 1]).square().mean()
        (loss + 10 * ramp(step, 24, 43) * unit.penalty()).backward()
        optimizer.step()
        unit.clip()
    models = study.train(settings, "mul", "clipped, penalty", [2])
    assert torch.allclose(models.weight()[0, 0], unit.weight, atol=1e-4)  # float32


def test_answers():
    x = torch.tensor([[2.0, 5.0, 9.0]])
    assert study.answers("add", x).tolist() == [7]
    assert study.answers("mul", x).tolist() == [10]


def made(weights, operation="mul", model="clipped"):
    """Trained models with these weights: rates, seeds, inputs."""
    weight = torch.tensor(weights)[:, :, None]
    return study.Trained(operation, model, tuple(range(weight.shape[1])), {"weight": weight})


def test_only_errors_inside_the_range_choose_the_rate():
    # Seed 0: the second rate is better inside and worse outside. Seed 1: the first is exact.
    near = [[1.0, 1.0, 0.05], [1.0, 1.0, 0.0]], [[0.97, 0.97, 0.02], [0.5, 0.5, 0.5]]
    rows = study._judge(replace(TINY, rates=(0.1, 0.2)), made(near))
    found = {(r["measure"], r["magnitude"], r["seed"]): r["value"] for r in rows}
    assert found["rate", 1.0, 0] == pytest.approx(0.2)
    assert found["rate", 1.0, 1] == pytest.approx(0.1)
    assert found["slack", 1.0, 0] == pytest.approx(0.03, rel=1e-5)  # float32 weights
    assert found["slack", 1.0, 1] == 0
    assert found["error", 1.0, 1] == found["error", 8.0, 1] == 0
    assert found["error", 8.0, 0] > found["error", 1.0, 0] > 0
    assert {r["model"] for r in rows} == {"clipped"}


@pytest.mark.parametrize("operation", ["add", "mul"])
def test_errors_by_hand(operation):
    weight = [0.9, 1.0, 0.2]
    exact = {"weight": torch.tensor([[[weight]]], dtype=torch.float64)}
    models = study.Trained(operation, "clipped", (0,), exact)
    (found,) = study.relative_errors(TINY, models, 5, 4.0)[0].tolist()
    x = 4 * np.random.default_rng(5).uniform(1, 2, (16, 3))
    if operation == "add":
        ratio = (x @ weight) / (x[:, 0] + x[:, 1])
    else:
        factors = x * weight + 1 - np.array(weight)
        ratio = factors.prod(1) / (x[:, 0] * x[:, 1])
    assert found == pytest.approx(np.sqrt(((ratio - 1) ** 2).mean()), rel=1e-12)


def test_a_seed_gives_the_same_rows_alone_and_among_others():
    together, alone = study.run(TINY, [0, 1]), study.run(TINY, [1])
    mine = together[together.seed == 1].reset_index(drop=True)
    assert mine.drop(columns="value").equals(alone.drop(columns="value"))
    # sums over a batch may be taken in another order
    assert np.allclose(mine.value, alone.value, rtol=1e-4)


def test_finished_cases_are_not_trained_again(tmp_path, monkeypatch):
    whole = study.run(TINY, [0], store=Store(tmp_path, {}))
    trained = []
    train = study.train

    def counted(settings, operation, model, *how):
        trained.append(model)
        return train(settings, operation, model, *how)

    monkeypatch.setattr(study, "train", counted)
    stages = []
    # killed after the first case
    lost = max(tmp_path.glob("*/rows.json"), key=lambda path: '"NAC"' in path.read_text())
    lost.unlink()
    again = study.run(
        TINY, [0], store=Store(tmp_path, {}), progress=lambda *what: stages.append(what)
    )
    assert trained == ["NAC"]
    assert again.equals(whole)
    study.run(replace(TINY, steps=11), [0], store=Store(tmp_path, {}))
    assert trained == ["NAC", "clipped", "NAC"]


def test_what_the_chapter_is_about():
    settings = replace(study.PRESETS["quick"].settings, steps=1_000, magnitudes=(1.0, 64.0))
    table = study.run(settings, [0])
    error = table[table.measure == "error"].set_index(["model", "magnitude"]).value
    for network in ("ReLU network", "tanh network"):
        assert error[network, 1.0] < 0.1
        assert error[network, 64.0] > 0.9
    assert error["clipped, penalty", 64.0] == 0
    assert 0 < error["sigmoid, penalty", 1.0] < error["sigmoid, penalty", 64.0] / 10


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("operations", ("div",)),
        ("models", ()),
        ("rates", (0.0,)),
        ("steps", 0),
        ("batch", 0),
        ("hidden", 0),
        ("tests", 0),
        ("low", 0.0),
        ("magnitudes", (2.0, 4.0)),
    ],
)
def test_bad_settings_are_named(name, value):
    with pytest.raises(ValueError, match=f"^{name} must"):
        study.Settings(**{name: value})


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1]])
def test_bad_seeds_are_named(seeds):
    with pytest.raises(ValueError, match="seeds must be"):
        study.run(TINY, seeds)
