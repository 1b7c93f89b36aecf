"""The study of products of digits: images, thresholds, and its step against a plain loop."""

from __future__ import annotations

import gzip
import hashlib
import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import torch

from sharplib.arithmetic import NMU, nmu_penalty
from sharplib.studies import digit_arithmetic as study
from sharplib.studies._mnist import FILES, mnist, small_digits
from sharplib.studies._storage import ResultError, Store
from sharplib.studies.digit_arithmetic import SOLVED, Settings, thresholds

TINY = Settings(
    ("NMU", "sNMU", "NALU"), steps=20, hidden=8, batch=4, log_every=10, longest=5, tests=16
)


# --- Images ---------------------------------------------------------------------------------------


def packed(array: np.ndarray) -> bytes:
    """A file in the IDX format, compressed."""
    sizes = np.array(array.shape, ">u4").tobytes()
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes(), mtime=0)


@pytest.fixture
def stand_in(tmp_path):
    """A folder like that of MNIST, with five images to train on and three to test on."""
    rng = np.random.default_rng(0)
    arrays = {}
    for name in FILES:
        count = 5 if name.startswith("train") else 3
        shape = (count, 28, 28) if "images" in name else (count,)
        arrays[name] = rng.integers(0, 256 if "images" in name else 10, shape, np.uint8)
        (tmp_path / name).write_bytes(packed(arrays[name]))
    sums = {name: hashlib.md5((tmp_path / name).read_bytes()).hexdigest() for name in FILES}
    return tmp_path, sums, arrays


def test_mnist_is_read_from_its_files(stand_in):
    folder, sums, arrays = stand_in
    found = mnist(folder, sums)
    want = list(arrays.values())
    assert np.array_equal(np.round(found.train * 255), want[0].reshape(5, 784))
    assert np.array_equal(found.train_digits, want[1])
    assert np.array_equal(np.round(found.test * 255), want[2].reshape(3, 784))
    assert np.array_equal(found.test_digits, want[3])
    assert found.train.dtype == np.float32
    assert 0.98 < found.train.max() <= 1


def test_mnist_that_is_not_mnist_is_refused(stand_in, monkeypatch):
    folder, sums, _ = stand_in
    with pytest.raises(ResultError, match=r"train-images-idx3-ubyte.gz has the MD5 sum \w+, and n"):
        mnist(folder)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ResultError, match=r"t10k-labels-idx1-ubyte\.gz is missing; put the "):
        mnist(folder, sums)
    monkeypatch.setenv("SHARPLIB_MNIST", str(folder / "nowhere"))
    with pytest.raises(ResultError, match=r"nowhere.train-images-idx3-ubyte\.gz is missing"):
        study.run(Settings(images="mnist", steps=500), (0, 1))


def test_small_digits_are_apart():
    images = small_digits()
    seen = {row.tobytes() for row in images.train}
    assert len(images.train) + len(images.test) == 1797
    assert not seen & {row.tobytes() for row in images.test}
    assert set(images.test_digits) == set(range(10))
    assert images.train.min() == 0
    assert images.train.max() == 1


# --- Models ---------------------------------------------------------------------------------------


def make(settings=TINY, seeds=(3, 4)):
    images = small_digits()
    part = study._Part(images.train, images.train_digits, "cpu")
    return study._Models(settings, seeds, part, "cpu"), part


def test_every_unit_starts_from_the_same_network_and_seeds_differ():
    models, part = make()
    found = models.encode(part.pixels[:10].expand(2, 10, 64))
    assert found.shape == (4, 2, 10)
    torch.testing.assert_close(found, found[:1].expand(4, 2, 10))
    assert not torch.allclose(found[0, 0], found[0, 1])
    # The same as a plain network, whose sums torch adds in another order
    inner, offset, outer, last = (p[1, 2] for p in models.network)
    plain = (part.pixels[:10] @ inner.mT + offset).relu() @ outer + last
    torch.testing.assert_close(found[2, 1], plain, rtol=1e-5, atol=1e-6)


def test_the_digits_are_those_from_1_to_9():
    _, part = make()
    assert sorted(part.digits.unique().tolist()) == list(range(1, 10))
    drawn = part.draw(np.random.default_rng(0), 500, 4)
    assert drawn.shape == (500, 4)
    assert drawn.max() > 0.95 * len(part.digits)


@pytest.mark.parametrize("done", [0, 55_000])
def test_a_step_is_that_of_a_plain_loop(done):
    """The network and the NMU of one seed, against torch's Adam on a loss that is written out."""
    models, part = make(Settings(("NMU",), hidden=8, batch=16))
    seed, weights = 1, [p[1, 0].detach().clone() for p in models.network]
    weight = models.units[0].weight[seed].detach().clone()
    models.step(done)
    rng = np.random.Generator(np.random.SFC64(4))
    chosen = part.draw(rng, 16, 2)
    plain = [torch.nn.Parameter(w) for w in (*weights, weight)]
    inner, offset, outer, last, w = plain
    z = (part.pixels[chosen] @ inner.mT + offset).relu() @ outer + last
    state = torch.ones(16)
    away = 0.0
    for t in range(2):
        a, b = w[0]
        away = away + (1 - a) * (1 - z[:, t].mean()) ** 2 / 4
        away = away + (1 - b) * (1 - state.mean()) ** 2 / 4
        state = (a * z[:, t] + 1 - a) * (b * state + 1 - b)
    loss = (state - part.digits[chosen].prod(1)).square().mean() + away
    loss = loss + (5 * nmu_penalty(w) if done else 0)
    loss.backward()
    torch.optim.Adam(plain, lr=1e-3).step()
    for moved, want in zip((*models.network, models.units[0].weight), plain, strict=True):
        found = moved[1] if moved.ndim == 3 and moved.shape[-1] == 2 else moved[1, 0]
        # A first step has the size 1e-3 whatever the gradient, but where that is about 0.
        assert ((found - want).abs() > 2e-6).float().mean() < 0.05


def test_the_solved_unit_does_not_learn():
    models, _ = make()
    for done in range(5):
        models.step(done + 60_000)
    assert (models.units[-1].weight == 1).all()
    assert models.selected()[-1].all()
    assert isinstance(models.units[-1], NMU)


def test_errors_are_of_products_of_every_length():
    models, part = make()
    sequences = part.draw(np.random.default_rng(0), 30, 5)
    found = models.errors(part, sequences)
    z = models.encode(part.pixels.expand(2, *part.pixels.shape))[-1, 1].double()[sequences]
    for length in range(1, 6):
        target = part.digits[sequences[:, :length]].double().prod(1)
        want = (z[:, :length].prod(1) - target).square().mean().item()
        assert math.isclose(found[-1, 1, length - 1].item(), want, rel_tol=1e-9)
    a, b = models.units[0].weight[1, 0].tolist()
    state = torch.ones(30, dtype=torch.float64)
    z = models.encode(part.pixels.expand(2, *part.pixels.shape))[0, 1].double()[sequences]
    for t in range(5):
        state = (a * z[:, t] + 1 - a) * (b * state + 1 - b)
    want = (state - part.digits[sequences].double().prod(1)).square().mean().item()
    assert math.isclose(found[0, 1, 4].item(), want, rel_tol=1e-9)
    assert models.units[0].weight.dtype == torch.float32
    assert models.units[0].training


# --- The table ------------------------------------------------------------------------------------


def test_thresholds_are_the_upper_ends_of_a_t_interval():
    errors = np.random.default_rng(0).random((10, 3))
    rows = [
        (SOLVED, length + 1, seed, "error", error)
        for (seed, length), error in np.ndenumerate(errors)
    ]
    table = pd.DataFrame(rows, columns=["unit", "length", "seed", "measure", "value"])
    for length, value in thresholds(table).items():
        sample = errors[:, length - 1]
        # one-sided: 99 % lie below
        want = scipy.stats.ttest_1samp(sample, 0).confidence_interval(0.98).high
        assert math.isclose(value, want, rel_tol=1e-9)


def test_networks_that_negate_every_digit_do_not_count():
    rows = [
        (SOLVED, length, seed, "error", float(seed + length) + 50 * (seed == 2 and length == 1))
        for length in (1, 2)
        for seed in range(4)
    ]
    table = pd.DataFrame(rows, columns=["unit", "length", "seed", "measure", "value"])
    without = thresholds(table[table.seed != 2])
    pd.testing.assert_series_equal(thresholds(table), without)
    assert thresholds(table[table.seed.isin([0, 2])]).isna().all()  # one is left


def test_the_best_constant_is_five():
    digits = np.arange(1, 10)
    assert math.isclose(((digits - digits.mean()) ** 2).mean(), study._CONSTANT)


def test_a_stop_changes_nothing(tmp_path):
    seeds = (0, 1, 2, 3, 4, 5)
    whole = study.run(TINY, seeds)
    assert list(whole.columns) == [*study.KEYS, "seed", "measure", "value"]
    assert list(whole.unit.unique()) == ["NMU", "sNMU", "NALU", SOLVED]
    counts = whole.measure.value_counts()
    assert counts["error"] == counts["success"] == 4 * 5 * 6
    assert counts["selected"] == 4 * 6
    wide = whole.pivot(index=["unit", "length", "seed"], columns="measure", values="value")
    limit = thresholds(whole).loc[wide.index.get_level_values("length")].to_numpy()
    assert ((wide.error < limit) == (wide.success == 1)).all()
    store = Store(tmp_path, {})
    study.run(TINY, seeds[:5], store=store)
    seen = []
    resumed = study.run(TINY, seeds, store=store, progress=lambda stage, *_: seen.append(stage))
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
    assert set(seen) == {"seeds 5 to 5"}


def test_the_report_shows_both_sides():
    report = study.report({"ours": study.run(TINY, (0, 1))})
    assert "% of models solved at a length, published" in report
    assert "% of models whose unit takes both inputs, ours" in report
    assert study.published().value.between(0, 1).all()
    assert set(study.published().unit) <= set(Settings().units)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"units": ("NMU", "NMU")}, r"units must multiply and be different, got \('NMU', 'NMU'\)"),
        ({"units": ("nothing",)}, "units must multiply and be different"),
        ({"images": "photos"}, "images must be scikit-learn or mnist, got 'photos'"),
        ({"hidden": 0}, "hidden must be at least 1, got 0"),
        ({"steps": 700}, "steps must be a multiple of log_every, got 700 and 500"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        Settings(**change)


def test_one_seed_makes_no_threshold():
    with pytest.raises(ValueError, match=r"seeds must be two or more, got \[0\]"):
        study.run(TINY, [0])
