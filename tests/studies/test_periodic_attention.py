"""The study of periodic attention: its images, its network, its measures and its table."""

import hashlib
import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch

import sharplib
from sharplib.studies import periodic_attention as study
from sharplib.studies._storage import Store
from sharplib.studies.comparison import compare, paired
from sharplib.studies.periodic_attention import images
from sharplib.studies.periodic_attention.model import Network

TINY = study.Settings(("softmax", "siren-max"), (1, 2), (1e-2,), steps=3, batch=4, looks=5)
CELL = ["rule", "depth", "seed", "step", "layer", "measure"]


def network(seeds, weigh=None, depth=2):
    def softmax(scores, size):
        return scores.softmax(-1)

    return Network(seeds, weigh or softmax, 1, 8, depth, 2, 10, stem=1)


# --- images ---------------------------------------------------------------------------------------


def test_the_digits_are_split_by_the_seed():
    found = images.split(*images.digits(), seed=3)
    assert [len(part[1]) for part in found] == [1199, 299, 299]
    again, other = (images.split(*images.digits(), seed=seed) for seed in (3, 4))
    assert found.test[0].equal(again.test[0])
    assert found.test[1].equal(again.test[1])
    assert not found.test[1].equal(other.test[1])
    pixels = found.train[0]
    # float32 over 77,000 pixels
    np.testing.assert_allclose([pixels.mean(), pixels.std()], [0, 1], atol=1e-4)
    rows = torch.cat([part[0].flatten(1) for part in found])
    whole = images.digits()[0].flatten(1)
    assert len(rows.unique(dim=0)) == len(whole.unique(dim=0))  # nothing twice, nothing lost


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A tiny archive in the format of CIFAR-10: three images in each of its six files."""
    path = tmp_path / "cifar-10-binary.tar.gz"
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (6, 3, 3073), dtype=np.uint8)
    rows[..., 0] %= 10
    with tarfile.open(path, "w:gz") as file:
        for name, part in zip(images._BATCHES, rows, strict=True):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = part.nbytes
            file.addfile(member, io.BytesIO(part.tobytes()))
    monkeypatch.setenv("SHARPLIB_DATA", str(tmp_path))
    monkeypatch.setattr(images, "_MD5", hashlib.md5(path.read_bytes()).hexdigest())
    return path, rows.reshape(18, 3073)


def test_cifar_is_read_from_the_archive(archive):
    pixels, classes = images.cifar10()
    assert pixels.shape == (18, 3, 32, 32)
    assert classes.tolist() == archive[1][:, 0].tolist()
    # Red, then green, then blue, each row by row; a byte is up to 255.
    assert float(pixels[7, 1, 2, 3]) == pytest.approx(archive[1][7, 1 + 1024 + 2 * 32 + 3] / 255)


def test_a_study_runs_on_it(archive):
    settings = replace(
        TINY, rules=("softmax",), depths=(1,), images="cifar-10", stem=3, batch=2, looks=2
    )
    table = study.run(settings, [0])
    assert np.isfinite(table.value).all()


def test_another_archive_is_refused(archive, monkeypatch, tmp_path):
    monkeypatch.setattr(images, "_MD5", "0" * 32)
    with pytest.raises(ValueError, match=r"the MD5 of .* must be 0000"):
        images.cifar10()
    monkeypatch.setenv("SHARPLIB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"CIFAR-10 must be at .*SHARPLIB_DATA"):
        images.cifar10()


# --- the network ----------------------------------------------------------------------------------


def test_a_seed_is_the_same_network_alone_and_among_others():
    x = torch.rand(3, 4, 1, 8, 8)
    together, alone = network([5, 6, 7])(x), network([6])(x[1:2])
    # float32, and other orders of summation
    np.testing.assert_allclose(together[1:2].detach(), alone.detach(), atol=1e-5)
    assert not torch.allclose(together[0], network([7])(x[:1])[0])


def test_the_network_by_hand():
    """With plain torch layers, one image at a time."""
    net = network([0], depth=1)
    conv, qvk, out, up, down, last = [(w[0].T, b[0, 0]) for w, b in net.linear]
    image = torch.rand(1, 1, 1, 8, 8)
    kernel = conv[0].reshape(8, 1, 3, 3)
    tokens = torch.conv2d(image[0], kernel, conv[1], stride=2, padding=1).relu()[0]
    x = tokens.reshape(8, 16).T

    def linear(y, layer):
        return y @ layer[0].T + layer[1]

    def norm(y):
        return (y - y.mean(-1, keepdim=True)) / (
            y.var(-1, correction=0, keepdim=True) + 1e-5
        ) ** 0.5

    q, v, k = (part.reshape(16, 2, 4) for part in linear(norm(x), qvk).relu().split(8, dim=-1))
    heads = []
    for h in range(2):
        weights = (q[:, h] @ k[:, h].T / 2).softmax(-1)  # the root of a key size of 4
        heads.append(weights @ v[:, h])
    x = x + linear(torch.cat(heads, -1), out)
    x = x + linear(torch.nn.functional.gelu(linear(norm(x), up)), down)
    expected = linear(x.mean(0), last)
    np.testing.assert_allclose(net(image)[0, 0].detach(), expected.detach(), atol=1e-5)


def test_scores_are_never_negative():
    seen = []
    network([0, 1])(torch.randn(2, 5, 1, 8, 8), seen)
    assert len(seen) == 2
    for scores, weights in seen:
        assert scores.shape == weights.shape == (2, 5, 2, 16, 16)
        assert scores.min() >= 0


# --- the rules ------------------------------------------------------------------------------------


def test_the_rules_are_those_of_the_code():
    s = 3 * torch.rand(4, 9, dtype=torch.float64)
    z = (s - s.mean(-1, keepdim=True)) / (s.var(-1, keepdim=True) + 1e-5) ** 0.5
    shares = {
        "sin-softmax": torch.exp(torch.sin(s)),
        "norm shifted sin²-max": torch.sin(z / 4 + np.pi / 4) ** 2,
        "norm siren-max, undivided": (1 + torch.sin(z)) / (2 - 2 * torch.sin(z)),
        "norm cos-max": torch.cos(z / 4),
        "sin-softmax, sines divided": torch.exp(torch.sin(4 * s) / 4),
    }
    for rule, g in shares.items():
        found = study.RULES[rule](s, 16)
        np.testing.assert_allclose(found, g / g.sum(-1, keepdim=True), rtol=1e-9, err_msg=rule)
    assert len(study.RULES) == 12


# --- the table ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return study.run(TINY, [0, 1, 2])


def test_every_cell_is_there_once(table):
    assert not table.duplicated(CELL).any()
    assert np.isfinite(table.value).all()
    deep = table[(table.depth == 2) & (table.layer == 2) & (table.step == 3)]
    names = {"entropy", "top weight", "gradient", "score", "score spread", "score top"}
    assert set(deep.measure) == names
    whole = table[table.layer == 0]
    assert set(whole.measure) == {"accuracy", "early accuracy", "validation"}
    assert set(table.step) == {0, 1, 3}  # early is a quarter, but at least one


def test_a_seed_gives_the_same_figures_alone_and_among_others(table):
    alone = study.run(TINY, [1]).set_index(CELL).value
    among = table[table.seed == 1].set_index(CELL).value
    shared = alone.index.intersection(among.index)
    assert len(shared) == len(alone)
    # Five digits are kept; a few steps of Adam in float32 before that.
    np.testing.assert_allclose(alone[shared], among[shared], rtol=1e-3, atol=1e-6)


def test_what_is_measured_is_what_attention_does():
    _, _, test = study._data(TINY, [0])
    net = network([0], study.RULES["softmax"])
    found = study._look(net, test, 3)
    seen = []
    logits = net(test.images[:, :3], seen)
    scores, weights = seen[1]
    p = weights.detach().double().numpy()
    entropy = -(p * np.log(p)).sum(-1) / np.log(16)
    assert float(found["entropy", 2][0]) == pytest.approx(entropy.mean())
    assert float(found["top weight", 2][0]) == pytest.approx(p.max(-1).mean())
    # The gradient of one image's loss in its scores.
    norms = []
    for k in range(3):
        loss = torch.nn.functional.cross_entropy(logits[0, k], test.classes[0, k])
        (gradient,) = torch.autograd.grad(loss, scores, retain_graph=True)
        norms.append(float(gradient[0, k].norm()))
    assert float(found["gradient", 2][0]) == pytest.approx(np.mean(norms), rel=1e-4)


def test_the_best_learning_rate_on_validation_is_kept():
    settings = replace(TINY, rules=("softmax",), depths=(1,), learning_rates=(1e-5, 1e-2), steps=60)
    table = study.run(settings, [0])
    tried = table[table.measure == "validation"].set_index("learning_rate").value
    assert len(tried) == 2
    assert tried[1e-2] > tried[1e-5]
    assert set(table[table.measure != "validation"].learning_rate) == {1e-2}
    # All rules and rates meet the same images: a network that hardly learns stays at its start.
    assert float(table[table.measure == "accuracy"].value.iloc[0]) > 0.2  # chance is 0.1


def test_finished_pieces_are_not_computed_again(tmp_path, monkeypatch, table):
    stages = []
    whole = study.run(
        TINY, [0, 1, 2], store=Store(tmp_path, {}), progress=lambda *a: stages.append(a)
    )
    assert whole.equals(table)
    assert stages[:2] == [("softmax, depth 1", 0, 1), ("softmax, depth 1", 1, 1)]
    trained = []
    train = study._train
    monkeypatch.setattr(study, "_train", lambda *a: trained.append(a[1:3]) or train(*a))
    lost = sorted(tmp_path.glob("*/rate-0.01.json"))[0]
    lost.unlink()
    assert study.run(TINY, [0, 1, 2], store=Store(tmp_path, {})).equals(table)
    assert len(trained) == 1


def test_rules_are_tested_against_softmax(table):
    tested = paired(table, study.KEYS, study.HEADLINE, study.BASELINE)
    assert set(tested.rule) == {"siren-max"}
    assert set(tested.seeds) == {3}


def test_published_traces_have_their_tag(table):
    known = study.published()
    assert set(known.tag) == {"code"}
    assert set(known.rule) <= set(study.RULES)
    shown = compare(known, {"ours": table}, study.KEYS, study.HEADLINE)
    assert (shown.published == "").all()  # no accuracy of the paper is known


def test_the_maps_are_those_of_the_library():
    assert study.MAPS["siren-max"] is sharplib.siren_max


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": ("sine",)}, "rules must be among softmax, .*, got 'sine'"),
        ({"depths": ()}, r"depths must be different numbers from 1 on, got \(\)"),
        ({"learning_rates": (0.0,)}, r"learning_rates must be above 0, got \(0.0,\)"),
        ({"width": 7}, "width must be a multiple of heads, got 7 and 2"),
        ({"images": "faces"}, "images must be one of digits, cifar-10, got 'faces'"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


@pytest.mark.parametrize(
    ("seeds", "device", "message"),
    [([], "cpu", "seeds must be"), ([1, 1], "cpu", "seeds must be"), ([0], "cuda", "device must")],
)
def test_bad_arguments_are_named(seeds, device, message):
    with pytest.raises(ValueError, match=message):
        study.run(TINY, seeds, device)
