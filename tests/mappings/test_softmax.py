"""softmax and log_softmax against mpmath at 50 digits, and what only they have: a temperature."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 10), elements=st.floats(-50, 50, width=32))
TEMPERATURES = st.floats(0.05, 50)


def exact(x: np.ndarray, temperature: float) -> list[mpmath.mpf]:
    with mpmath.workdps(50):
        powers = [mpmath.exp(mpmath.mpf(float(v)) / mpmath.mpf(temperature)) for v in x]
        return [p / mpmath.fsum(powers) for p in powers]


@given(x=ROWS, temperature=TEMPERATURES)
@settings(deadline=None)
def test_softmax_against_mpmath(x, temperature):
    p = sharplib.softmax(x, temperature=temperature)
    # The exponent carries the rounding of a quotient up to 2000: 2000 * 2**-53 = 2.2e-13.
    np.testing.assert_allclose(
        p, [float(v) for v in exact(x, temperature)], rtol=1e-12, atol=1e-300
    )


@given(x=ROWS, temperature=TEMPERATURES)
@settings(deadline=None)
def test_log_softmax_against_mpmath(x, temperature):
    with mpmath.workdps(900):  # weights down to e**-2000
        expected = [float(mpmath.log(v)) for v in exact(x, temperature)]
    # 50 digits resolve a logarithm near 0 to 1e-50; float64 does to its rounding of the sum.
    np.testing.assert_allclose(
        sharplib.log_softmax(x, temperature=temperature), expected, rtol=1e-14, atol=1e-14
    )


def test_log_softmax_is_exact_where_weights_underflow():
    np.testing.assert_array_equal(
        sharplib.log_softmax(np.array([0.0, -1e4, -np.inf])), [0.0, -1e4, -np.inf]
    )
    np.testing.assert_array_equal(sharplib.log_softmax(np.full(3, -np.inf)), np.full(3, -np.inf))


def test_log_softmax_in_every_library(library, rng):
    values = rng.integers(-128, 128, size=(4, 6)) / 64
    result = library.numpy(sharplib.log_softmax(library.array(values), temperature=0.5))
    expected = np.log(sharplib.softmax(values, temperature=0.5))
    # One rounding of results up to 9 in size.
    np.testing.assert_allclose(result, expected, rtol=library.eps, atol=20 * library.work_eps)


def test_one_temperature_per_row(library, rng):
    values = rng.integers(-128, 128, size=(2, 5, 3)) / 64
    temperatures = np.array([0.5, 1.0, 2.0])
    for function in (sharplib.softmax, sharplib.log_softmax):
        together = library.numpy(function(library.array(values), 1, library.array(temperatures)))
        for k, temperature in enumerate(temperatures):
            alone = function(library.array(values[:, :, k]), 1, float(temperature))
            np.testing.assert_array_equal(together[:, :, k], library.numpy(alone))


@pytest.mark.parametrize("function", [sharplib.softmax, sharplib.log_softmax])
def test_gradients_of_scores_and_temperature(function, rng):
    x = torch.tensor(rng.standard_normal((3, 4)), requires_grad=True)
    theta = torch.tensor(rng.uniform(0.5, 2, (3, 1)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, t: function(x, -1, t), (x, theta))
    assert torch.autograd.gradgradcheck(lambda x, t: function(x, -1, t), (x, theta))


def test_a_learned_temperature_over_masked_scores_has_a_finite_gradient():
    x = torch.tensor([[0.0, 1.0, -torch.inf], [-torch.inf] * 3], requires_grad=True)
    theta = torch.tensor(0.7, requires_grad=True)
    sharplib.softmax(x, temperature=theta)[0, 0].backward()
    assert theta.grad.isfinite()
    assert x.grad.isfinite().all()
    p = torch.softmax(torch.tensor([0.0, 1.0]) / 0.7, 0)
    # dp0/dθ = -p0 (x0 - mean) / θ², with mean = p1; float32 rounding.
    torch.testing.assert_close(theta.grad, p[0] * p[1] / 0.7**2)


def test_one_saved_tensor():
    """The backward pass keeps one tensor of the size of the weights."""
    saved = []
    x = torch.randn(7, 11, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        sharplib.softmax(x)
    assert [t.shape for t in saved] == [x.shape]


def test_temperature_limits():
    x = np.array([0.0, 1.0, 3.0, 3.0])
    for cold in (1e-3, 1e-30, 1e-300, 5e-324):
        np.testing.assert_array_equal(sharplib.softmax(x, temperature=cold), [0, 0, 0.5, 0.5])
        cold_row = sharplib.softmax(torch.tensor(x).float(), temperature=cold)
        np.testing.assert_array_equal(cold_row, [0, 0, 0.5, 0.5])
    # At θ = 1e300 the scores are 0 to within rounding.
    np.testing.assert_array_equal(sharplib.softmax(x, temperature=1e300), np.full(4, 0.25))


def test_lipschitz_constant_falls_with_temperature():
    for theta in (0.25, 1.0, 4.0):
        jacobian = torch.func.jacrev(lambda x, t=theta: sharplib.softmax(x, temperature=t))(
            torch.zeros(2, dtype=torch.float64)
        )
        # Attained by two tied items: the constant is 1/(2θ) to rounding.
        assert float(torch.linalg.matrix_norm(jacobian, 2)) == pytest.approx(1 / (2 * theta))


@pytest.mark.parametrize("bad", [0, 0.0, -1.0, float("nan"), float("inf"), np.float64(-2)])
@pytest.mark.parametrize("function", [sharplib.softmax, sharplib.log_softmax])
def test_a_temperature_that_is_not_positive_is_refused(function, bad):
    with pytest.raises(ValueError, match=r"^temperature must be > 0 and finite, got "):
        function(np.zeros(3), temperature=bad)


@pytest.mark.parametrize("bad", ["cold", None, True, 1j, np.array([1])])
def test_a_temperature_that_is_no_number_is_refused(bad):
    with pytest.raises(TypeError, match=r"^temperature must "):
        sharplib.softmax(np.zeros(3), temperature=bad)


def test_bad_temperatures_in_an_array_are_refused_by_value():
    x = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"^temperature must be > 0 .* in every row, got -1\.0"):
        sharplib.softmax(x, temperature=np.array([[1.0], [-1.0]]))
    with pytest.raises(ValueError, match=r"shape \(2, 1\), got shape \(3,\)"):
        sharplib.softmax(x, temperature=np.ones(3))
    with pytest.raises(TypeError, match=r"^temperature must be .* same kind of array as x"):
        sharplib.softmax(x, temperature=torch.ones(2, 1))


def test_bad_temperatures_that_cannot_be_read_give_nan():
    x, theta = torch.zeros(2, 3), torch.tensor([1.0, -1.0])
    result = torch.func.vmap(lambda x, t: sharplib.softmax(x, temperature=t))(x, theta)
    assert result[0].isfinite().all()
    assert result[1].isnan().all()
