"""adaptive_softmax against mpmath, the published vectors, and the shape of its polynomial."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib
from sharplib.mappings import PUBLISHED_COEFFICIENTS
from sharplib.measures import entropy

ROWS = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-8, 8, width=32))
EVEN_LADDER = np.arange(8) / 2


def exact(x: np.ndarray) -> list[float]:
    """The published listing at 50 digits, with the exact entropy."""
    with mpmath.workdps(50):
        scores = [mpmath.mpf(float(v)) for v in x]

        def softmax(beta):
            powers = [mpmath.exp(beta * s) for s in scores]
            return [p / mpmath.fsum(powers) for p in powers]

        h = -mpmath.fsum(p * mpmath.log(p) for p in softmax(1))
        # mpmath reads each decimal coefficient as the float64 that the library holds.
        wanted = mpmath.polyval([mpmath.mpf(c) for c in PUBLISHED_COEFFICIENTS], h)
        return [float(p) for p in softmax(max(wanted, 1) if h > 0.5 else 1)]


@given(x=ROWS)
@settings(deadline=None)
def test_adaptive_softmax_against_mpmath(x):
    # Exponents up to 40 and an entropy of order 1, each good to 1e-15 or so.
    np.testing.assert_allclose(sharplib.adaptive_softmax(x), exact(x), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    ("scores", "weights"),
    [
        ([1.0, 2.0, 3.0, 4.0], [0.0202, 0.0657, 0.2145, 0.6996]),
        (EVEN_LADDER, [0.0007, 0.0019, 0.0051, 0.0132, 0.0346, 0.0904, 0.2363, 0.6179]),
    ],
)
def test_vectors_worked_out_by_hand(scores, weights):
    # Four printed digits: half a unit in the last.
    np.testing.assert_allclose(sharplib.adaptive_softmax(np.array(scores)), weights, atol=5.1e-5)


@given(x=ROWS)
@settings(deadline=None)
def test_never_raises_entropy(x):
    before, after = entropy(sharplib.softmax(x)), entropy(sharplib.adaptive_softmax(x))
    assert after <= before + 1e-14 * len(x)  # the rounding of a sum of len(x) terms


@given(x=ROWS, coefficients=st.lists(st.floats(-5, 5), min_size=1, max_size=6))
@settings(deadline=None)
def test_no_coefficients_raise_entropy(x, coefficients):
    after = entropy(sharplib.adaptive_softmax(x, coefficients=coefficients, gate=0.0))
    assert after <= entropy(sharplib.softmax(x)) + 1e-14 * len(x)


def test_where_the_published_polynomial_acts():
    def above_one(h):
        return np.polyval(PUBLISHED_COEFFICIENTS, h) - 1

    low, high = scipy.optimize.brentq(above_one, 0.6, 2), scipy.optimize.brentq(above_one, 5, 6)
    assert (round(low, 4), round(high, 4)) == (0.8486, 5.9445)
    # A flat row of n items has entropy log n; a touch of slope makes the sharpening visible.
    for n, acts in [(2, False), (3, True), (381, True), (382, False), (5000, False)]:
        x = np.linspace(0, 1e-3, n)
        assert (low < np.log(n) < high) == acts
        changed = np.abs(sharplib.adaptive_softmax(x) / sharplib.softmax(x) - 1).max() > 1e-6
        assert changed == acts


def test_the_gate_leaves_sharp_rows_alone():
    x = np.array([0.0, 0.2, 1.0])
    h = float(entropy(sharplib.softmax(x)))
    strong = {"coefficients": (3.0,)}
    below = sharplib.adaptive_softmax(x, **strong, gate=h + 1e-9)
    above = sharplib.adaptive_softmax(x, **strong, gate=h - 1e-9)
    np.testing.assert_array_equal(below, sharplib.softmax(x))
    np.testing.assert_allclose(above, sharplib.softmax(3 * x), rtol=1e-14)


def test_refitted_coefficients_of_any_degree():
    x = np.array([0.0, 0.5, 1.0, 2.0])
    h = float(entropy(sharplib.softmax(x)))
    for coefficients in [(2.0,), (1.0, 0.5), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])]:
        beta = max(np.polyval(coefficients, h), 1)
        np.testing.assert_allclose(
            sharplib.adaptive_softmax(x, coefficients=coefficients),
            sharplib.softmax(beta * x),
            rtol=1e-13,
        )


def test_the_gradient_flows_through_the_entropy():
    """Against the Jacobian as printed: (diag p - p pᵀ)(βI + P'(H) x gᵀ)."""
    x = EVEN_LADDER
    p0 = sharplib.softmax(x)
    h = float(entropy(p0))
    beta = np.polyval(PUBLISHED_COEFFICIENTS, h)
    slope = np.polyval(np.polyder(PUBLISHED_COEFFICIENTS), h)
    p = sharplib.softmax(beta * x)
    g = -p0 * (np.log(p0) + h)
    expected = (np.diag(p) - np.outer(p, p)) @ (beta * np.eye(8) + slope * np.outer(x, g))
    jacobian = torch.func.jacrev(sharplib.adaptive_softmax)(torch.tensor(x))
    np.testing.assert_allclose(jacobian, expected, atol=1e-14)


def test_masked_rows_of_every_kind_have_finite_gradients():
    x = torch.tensor(
        [[0.0, 1.0, 2.0, -torch.inf], [-torch.inf] * 4, [1.0, -torch.inf, -torch.inf, -torch.inf]],
        requires_grad=True,
    )
    sharplib.adaptive_softmax(x)[:, 0].sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad[1:] == 0).all()


@pytest.mark.parametrize("bad", [(), [float("nan")], [1.0, float("inf")]])
def test_coefficients_must_be_finite(bad):
    with pytest.raises(ValueError, match=r"^coefficients must be one or more finite numbers, got"):
        sharplib.adaptive_softmax(np.zeros(3), coefficients=bad)


@pytest.mark.parametrize("bad", [None, 3.0, ["a"]])
def test_coefficients_must_be_numbers(bad):
    with pytest.raises(TypeError, match=r"^coefficients must be numbers, got"):
        sharplib.adaptive_softmax(np.zeros(3), coefficients=bad)


def test_the_gate_must_be_one_number_that_is_not_negative():
    with pytest.raises(ValueError, match=r"^gate must be >= 0 and finite, got -1"):
        sharplib.adaptive_softmax(np.zeros(3), gate=-1)
    with pytest.raises(TypeError, match=r"^gate must be one number"):
        sharplib.adaptive_softmax(np.zeros((2, 3)), gate=np.zeros((2, 1)))
