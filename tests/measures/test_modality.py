"""multi_modality and smooth_sparsity against the sums as they are written, and what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import sharplib
from sharplib.measures import multi_modality, smooth_sparsity


def modality_by_loops(p, x, threshold):
    terms = [max(p) - w for w, s in zip(p, x, strict=True) if threshold < s < max(x)]
    return 1 - sum(terms) / len(terms) if terms else math.nan


def sparsity_by_loops(p, x, threshold, reference):
    scored = zip(p, x, strict=True)
    terms = [math.exp(-w / reference) for w, s in scored if -math.inf < s < threshold]
    return sum(terms) / len(terms) if terms else math.nan


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_against_loops(library, axis, rng):
    x = rng.integers(-128, 128, size=(3, 4, 5)) / 64
    x[rng.random(x.shape) < 0.2] = -np.inf
    p = rng.multinomial(64, np.full(5, 0.2), size=(3, 4)) / 64  # exact in every precision
    found = [
        library.numpy(multi_modality(library.array(p), library.array(x), 0.25, axis)),
        library.numpy(smooth_sparsity(library.array(p), library.array(x), 0.25, 0.125, axis)),
    ]
    rows = zip(*(np.moveaxis(v, axis, -1).reshape(-1, v.shape[axis]) for v in (p, x)), strict=True)
    expected = np.array(
        [(modality_by_loops(q, s, 0.25), sparsity_by_loops(q, s, 0.25, 0.125)) for q, s in rows]
    ).T
    assert np.isfinite(expected).any(axis=1).all()
    for ours, theirs in zip(found, expected, strict=True):
        # One rounding of the result, and a handful at working precision.
        close = {"rtol": 1.01 * library.eps + 20 * library.work_eps, "atol": 20 * library.work_eps}
        np.testing.assert_allclose(ours.reshape(-1), theirs, **close)


def test_one_threshold_and_one_reference_per_row(library, rng):
    x = rng.integers(-128, 128, size=(4, 6)) / 64
    p = rng.multinomial(64, np.full(6, 1 / 6), size=4) / 64
    thresholds, references = np.array([[-1], [0], [0.5], [1]]), np.array([[1], [0.5], [0.25], [2]])
    p_, x_, t_, s_ = map(library.array, (p, x, thresholds, references))
    modality = library.numpy(multi_modality(p_, x_, t_))
    sparse = library.numpy(smooth_sparsity(p_, x_, t_, s_))
    for k in range(4):
        t, s = float(thresholds[k, 0]), float(references[k, 0])
        one, other = (
            multi_modality(p_[k, :], x_[k, :], t),
            smooth_sparsity(p_[k, :], x_[k, :], t, s),
        )
        np.testing.assert_array_equal(modality[k], library.numpy(one))
        np.testing.assert_array_equal(sparse[k], library.numpy(other))


def test_the_ends_of_the_scales():
    x = np.array([3.0, 2.0, 1.0, -1.0, -2.0])
    assert multi_modality([0.25, 0.25, 0.25, 0.25, 0.0], x, threshold=0.0) == 1
    assert multi_modality([1.0, 0.0, 0.0, 0.0, 0.0], x, threshold=0.0) == 0
    assert smooth_sparsity([0.5, 0.5, 0.0, 0.0, 0.0], x, threshold=0.0, reference=0.2) == 1
    at_reference = smooth_sparsity([0.2] * 5, x, threshold=0.0, reference=0.2)
    assert at_reference == pytest.approx(math.exp(-1), rel=1e-15)


def test_the_inequalities_are_strict():
    x = np.array([2.0, 1.0, 0.0])
    p = np.array([0.5, 0.25, 0.25])
    assert np.isnan(multi_modality(p, x, threshold=1.0))
    assert multi_modality(p, x, threshold=0.9) == 0.75
    assert np.isnan(smooth_sparsity(p, x, threshold=0.0, reference=1.0))
    assert smooth_sparsity(p, x, threshold=0.1, reference=1.0) == pytest.approx(math.exp(-0.25))


def test_a_row_without_such_an_item_is_undefined_and_says_so(library):
    p = library.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
    x = library.array([[2.0, -1.0, -1.0], [2.0, 2.0, 2.0], [-np.inf] * 3])
    assert np.isnan(library.numpy(multi_modality(p, x, 0.0))).all()
    sparse = library.numpy(smooth_sparsity(p, x, 0.0, 0.5))
    assert sparse[0] == 1
    assert np.isnan(sparse[1:]).all()


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
def test_empty_arrays(library, shape):
    empty = library.array(np.zeros(shape))
    for result in (multi_modality(empty, empty, 0.0), smooth_sparsity(empty, empty, 0.0, 1.0)):
        result = library.numpy(result)
        assert result.shape == shape[:-1]
        assert np.isnan(result).all()


def test_temperature_trades_one_for_the_other(rng):
    """Proposition 1: a hotter softmax is more multi-modal and less sparse."""
    for _ in range(20):
        x = rng.standard_normal(12)
        hot = [sharplib.softmax(x, temperature=t) for t in (0.25, 0.5, 1.0, 2.0, 4.0)]
        modality = [float(multi_modality(p, x, threshold=0.0)) for p in hot]
        sparse = [float(smooth_sparsity(p, x, threshold=0.0, reference=1 / 12)) for p in hot]
        assert modality == sorted(modality)
        assert sparse == sorted(sparse, reverse=True)


def test_multimax_gains_in_both():
    """Proposition 2: where softmax at any temperature must give up one for the other."""
    x = np.array([2.0, 1.5, 1.0, -1.0, -1.5, -2.0, -2.5])
    settings = {"threshold": 0.0}
    p = sharplib.softmax(x)
    q = sharplib.multimax(x, thresholds=(-0.5, 0.5), coefficients=(-1.0, -0.5))
    assert multi_modality(q, x, **settings) > multi_modality(p, x, **settings) + 0.1
    settings["reference"] = float(p.min())
    assert smooth_sparsity(q, x, **settings) > smooth_sparsity(p, x, **settings) + 0.1


def test_gradients_are_finite_and_right(rng):
    x = torch.tensor(rng.standard_normal((3, 6)))
    p = torch.tensor(rng.dirichlet(np.ones(6), size=3), requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: multi_modality(p, x, -0.5), (p,))
    assert torch.autograd.gradcheck(lambda p: smooth_sparsity(p, x, 0.5, 0.2), (p,))


def test_bad_arguments_are_named():
    p, x = np.full((2, 3), 1 / 3), np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"^p and x must have the same shape, got \(2, 3\) and"):
        multi_modality(p, x[:1], 0.0)
    with pytest.raises(TypeError, match=r"^p and x must be the same kind of array$"):
        multi_modality(p, torch.zeros(2, 3), 0.0)
    with pytest.raises(TypeError, match=r"^p must hold real floating-point numbers"):
        multi_modality(np.zeros((2, 3), int), x, 0.0)
    with pytest.raises(ValueError, match=r"^threshold must be .*finite, got nan$"):
        multi_modality(p, x, float("nan"))
    for bad in (0.0, -1.0, float("inf")):
        with pytest.raises(ValueError, match=r"^reference must be > 0 and finite, got "):
            smooth_sparsity(p, x, 0.0, bad)
