"""The batched transformer and its data: a replica is what it would be alone, in plain torch."""

from math import cos, pi, sqrt

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import sharplib
from sharplib.studies import _data
from sharplib.studies._transformer import Seen, Shape, Transformer, losses, train

TEXT = Shape(outputs=11, length=6, tokens=11, width=8, hidden=12)
PATCHES = Shape(outputs=5, length=6, patch=4, width=8, hidden=12)


def inputs(shape, replicas, batch=3):
    generator = torch.Generator().manual_seed(1)
    if shape.tokens:
        return torch.randint(shape.tokens, (replicas, batch, shape.length), generator=generator)
    return torch.randn(replicas, batch, shape.length, shape.patch, generator=generator)


def plain(model, replica, x):
    """One replica in ordinary torch, without a dimension for replicas, one image at a time."""
    shape = model.shape
    w = {name: value[replica].detach().double() for name, value in model.body.items()}
    logits = []
    for one in x[replica]:
        h = w["embed"][one] if shape.tokens else one.double() @ w["embed"]
        h = h + w["position"]
        for i in range(shape.depth):
            y = F.layer_norm(h, h.shape[-1:])
            q, k, v = (y @ w[f"qkv_{i}"]).chunk(3, -1)
            heads = [
                F.scaled_dot_product_attention(*some, is_causal=bool(shape.tokens))
                for some in zip(*(t[None].chunk(shape.heads, -1) for t in (q, k, v)), strict=True)
            ]
            h = h + torch.cat(heads, -1)[0] @ w[f"mix_{i}"] + w[f"mix_bias_{i}"]
            y = F.relu(F.layer_norm(h, h.shape[-1:]) @ w[f"in_{i}"] + w[f"in_bias_{i}"])
            h = h + y @ w[f"out_{i}"] + w[f"out_bias_{i}"]
        h = F.layer_norm(h, h.shape[-1:])
        h = h if shape.tokens else h.mean(0, keepdim=True)
        logits.append(
            (h @ w["head"] + w["head_bias"]).squeeze(-2)
            if not shape.tokens
            else h @ w["head"] + w["head_bias"]
        )
    return torch.stack(logits)


@pytest.mark.parametrize("shape", [TEXT, PATCHES], ids=["text", "patches"])
def test_a_replica_is_an_ordinary_transformer(shape):
    model, x = Transformer(shape, [3, 7]), inputs(shape, 2)
    seen: list[Seen] = []
    for logits in (model(x), model(x, seen)):  # looking takes another way through the scores
        for replica in range(2):
            # Logits of order 1 in float32, after a few dozen sums of a dozen terms.
            torch.testing.assert_close(
                logits[replica].double(), plain(model, replica, x), rtol=0, atol=1e-5
            )
    assert len(seen) == shape.depth
    for layer in seen:
        assert layer.scores.shape == layer.weights.shape == (2, 3, shape.heads, 6, 6)
        masked = layer.scores
        if shape.tokens:
            future = torch.ones(6, 6, dtype=torch.bool).triu(1)
            assert (layer.weights[..., future] == 0).all()
            masked = masked.masked_fill(future, -torch.inf)
        torch.testing.assert_close(layer.weights, sharplib.softmax(masked))


class Bend(torch.nn.Module):
    """Scores times one number per replica."""

    def __init__(self, replicas):
        super().__init__()
        self.slope = torch.nn.Parameter(torch.full((replicas,), 1.5))

    def forward(self, scores):
        assert scores.isfinite().all()  # the mask comes later
        return scores * self.slope.view(-1, 1, 1, 1, 1)


@pytest.mark.parametrize("shape", [TEXT, PATCHES], ids=["text", "patches"])
def test_a_replica_trains_as_it_would_alone(shape):
    seeds, rates = [4, 9, 4], [1e-2, 3e-2, 3e-2]

    def batches(which):
        generator = torch.Generator().manual_seed(0)
        while True:
            x = (
                inputs(shape, 3)
                if not shape.tokens
                else torch.randint(shape.tokens, (3, 4, shape.length), generator=generator)
            )
            y = torch.randint(
                shape.outputs, x.shape[: 3 if shape.tokens else 2], generator=generator
            )
            yield x[which], y[which]

    def make(chosen):
        return Transformer(
            shape, chosen, weigh=lambda replicas: sharplib.sparsemax, modulate=Bend, finish=Bend2
        )

    together = make(seeds)
    lost = train(together, batches([0, 1, 2]), 8, rates)
    assert lost.shape == (8, 3)
    assert lost[0, 0] != lost[0, 1]
    assert lost[-1, 0] != lost[-1, 2]  # equal seeds, other step sizes
    for i in range(3):
        alone = make(seeds[i : i + 1])
        found = train(alone, batches([i]), 8, rates[i])
        # Float32; eight steps of 0.03 let a last bit grow to a few parts in 10^5.
        torch.testing.assert_close(found[:, 0], lost[:, i], rtol=2e-4, atol=0)
        for one, many in zip(alone.parameters(), together.parameters(), strict=True):
            torch.testing.assert_close(one[0], many[i], rtol=1e-3, atol=1e-3)


class Bend2(Bend):
    def forward(self, logits):
        return logits * self.slope.view(-1, *[1] * (logits.ndim - 1))


def test_a_step_is_that_of_adamw_with_clipping():
    model = Transformer(PATCHES, [0], modulate=Bend)
    other = Transformer(PATCHES, [0], modulate=Bend)
    for each in (model, other):
        each.body["head"].data.mul_(20)  # long gradients, that are clipped
    x, y = inputs(PATCHES, 1), torch.tensor([[0, 1, 2]])
    steps, rate, warmup = 6, 1e-2, 2
    train(model, iter([(x, y)] * steps), steps, rate, warmup=warmup, weight_decay=0.3)
    decays = [p for name, p in other.body.items() if "_bias" not in name]
    rest = [p for name, p in other.body.items() if "_bias" in name]
    maps = list(other.made.parameters())
    assert len(maps) == PATCHES.depth
    adam = torch.optim.AdamW(
        [{"params": decays, "weight_decay": 0.3}, {"params": rest + maps, "weight_decay": 0.0}],
        betas=(0.9, 0.99),
    )
    clipped = 0
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = rate * min((step + 1) / warmup, (1 + cos(pi * step / steps)) / 2)
        adam.zero_grad()
        losses(other(x), y).sum().backward()
        clipped += torch.nn.utils.clip_grad_norm_(decays + rest, 1.0) > 1
        torch.nn.utils.clip_grad_norm_(maps, 1.0)
        adam.step()
    assert clipped
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        # Clipping divides by the norm plus 1e-6 there; float32 steps of 0.01.
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5)


def test_a_start_depends_on_the_seed_alone_and_on_fan_in():
    many = Transformer(TEXT, [5, 2, 5])
    for name, value in Transformer(TEXT, [2]).body.items():
        assert torch.equal(value[0], many.body[name][1])
        assert torch.equal(many.body[name][0], many.body[name][2])
    wide = Transformer(Shape(outputs=7, length=3, patch=4, width=128, hidden=256), [0]).body
    for name, fan_in in {"qkv_0": 128, "in_1": 128, "out_1": 256, "embed": 4}.items():
        # The largest of at least 512 uniform numbers is within 2 % of their end nearly always.
        assert 0.98 / sqrt(fan_in) < float(wide[name].detach().abs().max()) <= 1 / sqrt(fan_in)


def test_what_is_wrong_with_a_shape_is_named():
    with pytest.raises(ValueError, match=r"one of tokens and patch .* got tokens 0 and patch 0"):
        Shape(outputs=2, length=2)
    with pytest.raises(ValueError, match=r"width must be a multiple of heads 2, got 5"):
        Shape(outputs=2, length=2, patch=1, width=5)


# --- data ----------------------------------------------------------------------------------------


def test_digits_are_cut_into_patches_and_split_by_seed():
    from sklearn.datasets import load_digits

    data = _data.digits([0, 8])
    image = torch.cat([part[0][1] for part in data]).view(-1, 4, 4, 2, 2)
    # Side by side again: patch row, pixel row, patch column, pixel column.
    image = (16 * image.permute(0, 1, 3, 2, 4).reshape(-1, 64)).numpy()
    kind = torch.cat([part[1][1] for part in data]).numpy()
    pixels, kinds = load_digits(return_X_y=True)
    ours, theirs = np.c_[image, kind], np.c_[pixels, kinds]
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])
    assert not torch.equal(data.train[1][0], data.train[1][1])
    assert torch.equal(data.test[0][1], _data.digits([8]).test[0][0])


def test_no_paragraph_of_the_text_is_in_two_parts():
    text = _data.help_texts()
    parts = ["".join(text.characters[i] for i in part.tolist()) for part in text[:3]]
    paragraphs = [set(part.split("\n\n")) - {""} for part in parts]
    for i in range(3):
        assert len(paragraphs[i]) > 50
        assert paragraphs[i].isdisjoint(paragraphs[(i + 1) % 3])
    sizes = np.array([len(part) for part in parts])
    # Topics are whole, and the largest has 13 % of the characters.
    assert np.abs(sizes / sizes.sum() - [0.8, 0.1, 0.1]).max() < 0.07


def test_batches_are_those_that_a_seed_gets_alone():
    text = torch.arange(100)
    x, y = next(_data.text_batches(text, [3, 1], 4, 7))
    assert torch.equal(y, x + 1)
    assert x.shape == (2, 4, 7)
    assert torch.equal(x[1], next(_data.text_batches(text, [1], 4, 7))[0][0])
    data = _data.digits([3, 1])
    x, y = next(_data.digit_batches(*data.train, [3, 1], 6))
    assert x.shape == (2, 6, 16, 4)
    alone = next(_data.digit_batches(*_data.digits([1]).train, [1], 6))
    assert torch.equal(x[1], alone[0][0])
    assert torch.equal(y[1], alone[1][0])
