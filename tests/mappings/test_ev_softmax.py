"""ev_softmax against its definition in a loop, and what its threshold does."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch

import sharplib


def test_ev_softmax_by_hand(rng):
    for _ in range(50):
        x = rng.standard_normal(8)
        mean = math.fsum(x) / 8
        powers = [math.exp(v) if v >= mean else 0.0 for v in x]
        expected = [v / math.fsum(powers) for v in powers]
        # A few rounding steps.
        np.testing.assert_allclose(sharplib.ev_softmax(x), expected, rtol=4e-15)


def test_the_published_example():
    # Printed with two digits.
    p = sharplib.ev_softmax(np.array([0.4, 1.4, -0.8]))
    np.testing.assert_allclose(p, [0.27, 0.73, 0], atol=5e-3)


def test_a_mask_does_not_pull_the_mean_to_minus_infinity():
    """Otherwise no item is below the mean, and the map is softmax without saying so."""
    x = np.array([0.4, 1.4, -np.inf, -0.8])
    p = sharplib.ev_softmax(x)
    assert p[2] == p[3] == 0
    np.testing.assert_array_equal(p[[0, 1, 3]], sharplib.ev_softmax(x[[0, 1, 3]]))


def test_equal_scores_share_though_their_mean_is_rounded(library):
    for n in (3, 7, 10, 49):
        p = library.numpy(sharplib.ev_softmax(library.array(np.full(n, 0.1))))
        np.testing.assert_allclose(p, 1 / n, rtol=2 * library.eps)


def test_an_item_that_scores_the_mean_stays(library):
    """Whole scores have an exact sum: whoever is at the mean can be told."""
    rows = np.array(list(itertools.product(range(3), repeat=6)), float)
    kept = library.numpy(sharplib.ev_softmax(library.array(rows))) > 0
    np.testing.assert_array_equal(kept, 6 * rows >= rows.sum(-1, keepdims=True))


def test_weights_do_not_underflow_far_below_zero():
    # The weights of the same row at the origin: shifts by 1e4 are exact here.
    x = np.array([0.5, 0.0, -2.0])
    np.testing.assert_array_equal(sharplib.ev_softmax(x - 1e4), sharplib.ev_softmax(x))


def test_a_high_temperature_gives_equal_shares_above_the_mean():
    x = np.array([1.0, 0.9, -2.0, 0.2])
    # At a temperature of 1e9 the scores differ by 1e-9.
    np.testing.assert_allclose(sharplib.ev_softmax(x / 1e9), [1 / 3, 1 / 3, 0, 1 / 3], atol=1e-8)


def test_it_jumps_at_the_mean():
    x = np.array([1e-9, 0.0, -1e-9])
    # Half of the mass, to within 1e-9, is on one end or on the other.
    np.testing.assert_allclose(sharplib.ev_softmax(x), [0.5, 0.5, 0], atol=1e-8)
    np.testing.assert_allclose(sharplib.ev_softmax(-x), [0, 0.5, 0.5], atol=1e-8)


def test_the_jacobian_written_out(rng):
    x = torch.tensor(rng.standard_normal(7))
    p = sharplib.ev_softmax(x)
    expected = torch.diag(p) - torch.outer(p, p)
    torch.testing.assert_close(torch.func.jacrev(sharplib.ev_softmax)(x), expected)
