"""asentmax against a threshold found by bisection, and what its scale counts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-8, 8, width=32))


def entmax15(x: np.ndarray) -> np.ndarray:
    """[x/2 - τ]₊² with sum 1, τ between the two ends that the top and the row allow."""
    half = (x - x.max()) / 2

    def excess(tau):
        return np.sum(np.clip(half - tau, 0, None) ** 2) - 1

    low, high = -1.0, -1 / np.sqrt(len(x))
    # At the upper end a row of equal scores sums to 1, give or take a rounding.
    tau = high if excess(high) >= 0 else scipy.optimize.bisect(excess, low, high, xtol=1e-15)
    return np.clip(half - tau, 0, None) ** 2


@given(x=ROWS, beta=st.floats(0.05, 2), gamma=st.floats(-2, 2))
@settings(deadline=None)
def test_asentmax_against_bisection(x, beta, gamma):
    scale = 1 + beta * np.log(max(len(x), 2)) ** gamma
    # τ is good to 1e-15; scores up to 16 times a scale up to 19 add 300 roundings.
    np.testing.assert_allclose(
        sharplib.asentmax(x, beta, gamma), entmax15(scale * x), atol=300 * 2**-52
    )


@given(x=ROWS, beta=st.floats(0.05, 2))
@settings(deadline=None)
def test_at_alpha_one_it_is_a_softmax_with_one_plus_beta_log_n(x, beta):
    """The map that one public package calls SSMax; the published SSMax has no 1."""
    expected = scipy.special.softmax((1 + beta * np.log(len(x))) * x)
    # Exponents up to 16 * 7, each good to a few roundings.
    np.testing.assert_allclose(
        sharplib.asentmax(x, beta, 1.0, alpha=1.0), expected, rtol=1e-12, atol=1e-300
    )


def test_delta_replaces_the_one():
    x = np.array([0.5, -1.0, 2.0, 0.25])
    np.testing.assert_allclose(
        sharplib.asentmax(x, 0.5, 1.0, delta=0.0, alpha=1.0), sharplib.ssmax(x, 0.5), rtol=1e-14
    )


@pytest.mark.parametrize("gamma", [-2.0, -0.5, 0.0, 2.0])
def test_every_row_of_a_causal_mask_is_finite_and_counts_its_own_items(library, gamma):
    """log n is 0 in the first row, and 0 to a negative power is infinite."""
    scores = np.array([0.5, -1.0, 0.75, 0.25])
    masked = np.where(np.tri(4, dtype=bool), scores, -np.inf)
    result = library.numpy(sharplib.asentmax(library.array(masked), 0.3, gamma))
    np.testing.assert_array_equal(result[0], [1, 0, 0, 0])
    for i in range(1, 4):
        expected = entmax15((1 + 0.3 * np.log(i + 1) ** gamma) * scores[: i + 1])
        np.testing.assert_allclose(
            result[i, : i + 1],
            expected,
            rtol=library.eps,
            atol=20 * library.work_eps,  # scaled scores up to 3, squared
        )


@pytest.mark.parametrize("offset", [-1e6, 1e6])
def test_a_large_offset_is_taken_off_before_the_scale(offset):
    """Times a scale of 4, an offset of 1e6 in float32 would round the scores to steps of 1/4."""
    x = np.array([0.0, 0.5, 1.0, 1.25], dtype=np.float32)
    moved = x + np.float32(offset)  # exact: float32 has steps of 1/16 there
    np.testing.assert_array_equal(
        sharplib.asentmax(moved, 2.0, 1.0), sharplib.asentmax(x, 2.0, 1.0)
    )


def test_sharper_than_entmax_when_the_row_grows():
    rng = np.random.default_rng(0)
    for n in (64, 1024, 16384):
        x = rng.uniform(0, 1, n)
        supports = [(p > 0).sum() for p in (sharplib.entmax15(x), sharplib.asentmax(x, 0.5, 1.0))]
        assert supports[1] < 0.5 * supports[0]


def test_parameters_of_each_row(library, rng):
    values = rng.integers(-128, 128, size=(3, 5)) / 64
    names = ("beta", "gamma", "delta", "alpha")
    columns = np.array([[0.25, 0.5, 1.0], [-1.0, 0.0, 2.0], [0.0, 1.0, 0.5], [1.25, 1.5, 2.0]])
    together = library.numpy(
        sharplib.asentmax(
            library.array(values),
            **{k: library.array(v[:, None]) for k, v in zip(names, columns, strict=True)},
        )
    )
    for k in range(3):
        parameters = dict(zip(names, map(float, columns[:, k]), strict=True))
        alone = library.numpy(sharplib.asentmax(library.array(values[k]), **parameters))
        # The named alphas have closed forms; solvers agree to a few roundings of sums near 1.
        np.testing.assert_allclose(
            together[k], alone, rtol=2 * library.eps, atol=50 * library.work_eps
        )


def test_gradients_of_scores_and_parameters(rng):
    x = torch.tensor(0.7 * rng.standard_normal((3, 4)), requires_grad=True)

    def column(*values):
        return torch.tensor(values, dtype=torch.float64)[:, None].requires_grad_()

    inputs = (x, column(0.2, 0.5, 1.0), column(-1.0, 0.5, 1.5), column(0.5, 1.0, 1.0))

    def mapping(x, beta, gamma, delta, alpha=1.5):
        return sharplib.asentmax(x, beta, gamma, delta=delta, alpha=alpha)

    assert torch.autograd.gradcheck(mapping, inputs)
    assert torch.autograd.gradgradcheck(mapping, inputs)
    assert torch.autograd.gradcheck(mapping, (*inputs, column(1.3, 1.6, 1.9)))


def test_learned_parameters_beside_masked_rows_have_finite_gradients():
    x = torch.tensor([[0.0, 0.5, -torch.inf], [1.0, -torch.inf, -torch.inf], [-torch.inf] * 3])
    beta = torch.tensor(0.5, requires_grad=True)
    gamma = torch.tensor(-1.0, requires_grad=True)
    sharplib.asentmax(x, beta, gamma)[:, 0].sum().backward()
    assert beta.grad.isfinite()
    assert gamma.grad.isfinite()
    assert beta.grad < 0  # a larger scale takes weight from the lower of the two scores


@pytest.mark.parametrize(
    ("name", "bad"),
    [("beta", 0.0), ("beta", -1.0), ("gamma", float("nan")), ("delta", -0.5), ("alpha", 0.5)],
)
def test_a_parameter_out_of_range_is_refused(name, bad):
    parameters = {"beta": 0.5, "gamma": 1.0, name: bad}
    with pytest.raises(ValueError, match=rf"^{name} must be .* finite, got {bad}"):
        sharplib.asentmax(np.zeros(3), **parameters)
    parameters[name] = None
    with pytest.raises(TypeError, match=rf"^{name} must be an array or a tensor, got NoneType"):
        sharplib.asentmax(np.zeros(3), **parameters)


@pytest.mark.parametrize(
    ("name", "bad"), [("beta", -1.0), ("beta", 0.0), ("delta", -1.0), ("alpha", 0.5)]
)
def test_a_bad_parameter_that_cannot_be_read_gives_nan(name, bad):
    def weigh(x, value):
        return sharplib.asentmax(x, **({"beta": 0.5, "gamma": 1.0} | {name: value}))

    result = torch.func.vmap(weigh)(torch.arange(6.0).reshape(2, 3), torch.tensor([1.5, bad]))
    assert result[0].isfinite().all()
    assert result[1].isnan().all()
