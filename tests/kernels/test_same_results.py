"""The loops give what the plain text gives: values and gradients, on rows of every kind."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

import sharplib
from sharplib.kernels import _rules

MAPS = {
    **sharplib.CATALOGUE,
    "cos_max": sharplib.cos_max,
    "budget, k 1.5": partial(sharplib.budget, k=1.5),
    "entmax, alpha 1.001": partial(sharplib.entmax, alpha=1.001),
    "entmax, alpha 1.05": partial(sharplib.entmax, alpha=1.05),
    "entmax, alpha 1.25": partial(sharplib.entmax, alpha=1.25),
    "entmax, alpha 1.9": partial(sharplib.entmax, alpha=1.9),
    "entmax, alpha 3": partial(sharplib.entmax, alpha=3.0),
    "entmax, alpha 64": partial(sharplib.entmax, alpha=64.0),
    "entropy, target 2": partial(sharplib.entropy_matched_softmax, target=2.0),
    "multimax, order 2": partial(
        sharplib.multimax, thresholds=(-0.5, 0.5, 0.0, 1.0), coefficients=(-0.5, 0.2, -0.3, 0.1)
    ),
    "normmax, alpha 100": partial(sharplib.normmax, alpha=100.0),
    "rsoftmax, rate 0.9": partial(sharplib.rsoftmax, rate=0.9),
    "rsoftmax, rate 1": partial(sharplib.rsoftmax, rate=1.0),
    "sigmoid_weights, bias 0": partial(sharplib.sigmoid_weights, bias=0.0),
    "sin_max, offset 1.5": partial(sharplib.sin_max, offset=1.5, frequency=0.7),
    "sink_softmax, high": partial(sharplib.sink_softmax, sink=5.0),
    "softmax, cold": partial(sharplib.softmax, temperature=0.1),
    "stieltjes, q 2.5": partial(sharplib.stieltjes, q=2.5),
    "tsoftmax, wide": partial(sharplib.tsoftmax, t=4.0),
}


def value_and_gradient(mapping, x, grad, dtype):
    x = torch.tensor(x).to(dtype).requires_grad_()
    y = mapping(x)
    (by_x,) = torch.autograd.grad(y, x, torch.tensor(grad).to(dtype))
    return y.detach().double().numpy(), by_x.double().numpy()


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("n", [1, 2, 5, 33, 700])
@pytest.mark.parametrize("mapping", MAPS.values(), ids=MAPS.keys())
def test_float32_is_as_close_to_float64_as_the_plain_text(mapping, n, plain, scores, kinds, rng):
    """Both are held against the plain text in float64, at the same float32 scores."""
    x, grad = scores(n).astype(np.float32), rng.standard_normal((len(kinds), n))
    grad = grad.astype(np.float32)
    found = value_and_gradient(mapping, x, grad, torch.float32)
    same = plain(lambda: value_and_gradient(mapping, x, grad, torch.float32))
    exact = plain(lambda: value_and_gradient(mapping, x, grad, torch.float64))
    eps = 2.0**-24
    for fast, slow, truth in zip(found, same, exact, strict=True):
        np.testing.assert_array_equal(np.isnan(fast), np.isnan(slow))
        with np.errstate(invalid="ignore"):  # inf - inf, where all three agree
            of_row = np.nanmax(np.abs(np.where(np.isfinite(truth), truth, 0)), axis=1, initial=0)
            off = np.where(fast == truth, 0, np.abs(fast - truth))
            usual = np.where(slow == truth, 0, np.abs(slow - truth))
        worst = np.nanmax(off, axis=1, initial=0)
        # Four times what the plain text loses, and a few roundings of a number as large as the
        # largest result and of a product that cancelled in the gradient.
        products = np.abs(exact[0] * grad)
        lost = np.nanmax(np.where(np.isfinite(products), products, 0), axis=1, initial=0)
        allowed = 4 * np.nanmax(usual, axis=1, initial=0) + 40 * eps * (of_row + lost) + 1e-30
        assert {kinds[i] for i in np.flatnonzero(~(worst <= allowed))} == set()


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("n", [1, 5, 700])
@pytest.mark.parametrize("mapping", MAPS.values(), ids=MAPS.keys())
def test_float64_equals_the_plain_text(mapping, n, plain, scores, kinds, rng):
    x, grad = scores(n), rng.standard_normal((len(kinds), n))
    found = value_and_gradient(mapping, x, grad, torch.float64)
    same = plain(lambda: value_and_gradient(mapping, x, grad, torch.float64))
    weights = np.abs(np.where(np.isfinite(same[0]), same[0], 0))
    for fast, slow in zip(found, same, strict=True):
        scale = np.max(np.abs(np.where(np.isfinite(slow), slow, 0)), axis=1, keepdims=True)
        scale += np.max(weights * np.abs(grad), axis=1, keepdims=True)
        scale[scale == 0] = 1
        # 1e-10 of the largest: both have solvers that stop at a few roundings of a sum of 700
        # items, which threshold maps pass on to weights of a thousandth.
        np.testing.assert_allclose(fast / scale, slow / scale, rtol=0, atol=1e-10)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("mapping", MAPS.values(), ids=MAPS.keys())
def test_numpy_takes_the_same_way(mapping, scores):
    x = scores(33).astype(np.float32)
    x.setflags(write=False)
    # The loops are the same; the plain text, on rows they leave out, adds up in another order.
    np.testing.assert_allclose(mapping(x), mapping(torch.tensor(x)).numpy(), rtol=1e-6, atol=1e-7)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("name", sorted(_rules.RULES))
def test_every_rule_is_reached_by_some_map(name, monkeypatch, rng):
    reached = []
    inner = _rules.launch
    halves = _rules.RULES[name]

    def watched(loop, *args):
        reached.append(loop.__name__)
        return inner(loop, *args)

    monkeypatch.setattr(_rules, "launch", watched)
    alpha = torch.full((4, 1), 1.5, requires_grad=True)
    maps = [*MAPS.values(), lambda x: sharplib.entmax(x, alpha)]
    for mapping in maps:
        x = torch.tensor(rng.standard_normal((4, 7)), dtype=torch.float32, requires_grad=True)
        mapping(x).sum().backward()
        if {half.loop for half in halves} <= set(reached):
            return
    pytest.fail(f"{name} was not reached")


@pytest.mark.usefixtures("fast")
def test_ev_softmax_keeps_an_item_that_scores_the_mean():
    p = sharplib.ev_softmax(torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 3.0]))
    assert (p > 0).tolist() == [False, False, True, True, True, True]
