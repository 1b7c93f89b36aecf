"""The periodic maps against mpmath, near their zeros and poles, and after normalisation."""

from __future__ import annotations

from functools import partial

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 10), elements=st.floats(-20, 20, width=32))

sin_max_of_the_demo = partial(sharplib.sin_max, offset=1.0, frequency=10.0)

#: The map, g as the paper's code has it, and the period.
MAPS = {
    "sin_max": (sharplib.sin_max, mpmath.sin, 2 * np.pi),
    "sin_max, demo": (sin_max_of_the_demo, lambda x: 1 + mpmath.sin(10 * x), np.pi / 5),
    "cos_max": (sharplib.cos_max, mpmath.cos, 2 * np.pi),
    "sin2_max": (sharplib.sin2_max, lambda x: mpmath.sin(x) ** 2, np.pi),
    "shifted_sin2_max": (
        sharplib.shifted_sin2_max,
        lambda x: mpmath.sin(x + mpmath.pi / 4) ** 2,
        np.pi,
    ),
    "siren_max": (
        sharplib.siren_max,
        lambda x: (1 + mpmath.sin(x)) / (2 - 2 * mpmath.sin(x)),
        2 * np.pi,
    ),
    "sin_softmax": (sharplib.sin_softmax, lambda x: mpmath.exp(mpmath.sin(x)), 2 * np.pi),
}
EVERY = pytest.mark.parametrize(("mapping", "g", "period"), MAPS.values(), ids=MAPS.keys())
SIGNED = {"sin_max", "cos_max"}


def exact(x, g) -> list[mpmath.mpf]:
    """The weights at 50 digits, and how much the sum cancels."""
    with mpmath.workdps(50):
        values = [g(mpmath.mpf(float(v))) for v in x]
        total = mpmath.fsum(values)
        assume(total != 0)
        return [v / total for v in values], float(mpmath.fsum(map(abs, values)) / abs(total))


@EVERY
@given(x=ROWS)
@settings(deadline=None, max_examples=50)
def test_against_mpmath(mapping, g, period, x):
    expected, cancelled = exact(x, g)
    assume(cancelled < 1e6)  # next to a pole every digit is lost
    p = mapping(x)
    # Each sine is good to its last place; 1 + sin loses digits near its zeros, and the sum where
    # it cancels.
    close = 1e-13 * cancelled
    np.testing.assert_allclose(p, [float(v) for v in expected], rtol=close, atol=close)


@EVERY
def test_a_whole_period_changes_nothing_and_half_of_it_does(mapping, g, period, rng):
    x = rng.uniform(0.1, 0.6, 6)
    p = mapping(x)
    moved = x + period * rng.integers(-3, 4, 6)
    # A shift by up to 20 rounds the scores to 4e-15.
    np.testing.assert_allclose(mapping(moved), p, rtol=1e-11)
    one = x.copy()
    one[0] += period / 2
    assert np.abs(mapping(one) - p).max() > 1e-3


@EVERY
def test_derivatives(mapping, g, period, rng):
    x = torch.tensor(rng.uniform(0.1, 0.7, (4, 5)), requires_grad=True)  # away from every pole
    assert torch.autograd.gradcheck(mapping, (x,))
    assert torch.autograd.gradgradcheck(mapping, (x,))
    jacobian = torch.func.vmap(torch.func.jacrev(mapping))(x.detach())
    # g'(x_j) (δ_ij - p_i) / sum g, with the slope of g at 30 digits
    with mpmath.workdps(30):
        for row, found in zip(x.detach().numpy(), jacobian.numpy(), strict=True):
            slopes = np.array([float(mpmath.diff(g, mpmath.mpf(v))) for v in row])
            total = float(mpmath.fsum(g(mpmath.mpf(v)) for v in row))
            p = mapping(row)
            expected = slopes * (np.eye(5) - p[:, None]) / total
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@EVERY
def test_masked_items_and_rows(mapping, g, period, library):
    rows = [[0.25, 0.5, -np.inf, 1.0], [-np.inf] * 4, [0.5, np.inf, 0.5, 0], [np.nan, 0.5, 0, 0]]
    result = library.numpy(mapping(library.array(rows)))
    without = library.numpy(mapping(library.array([[0.25, 0.5, 1.0]])))[0]
    # The sums run over another number of terms.
    np.testing.assert_allclose(result[0, [0, 1, 3]], without, rtol=8 * library.eps)
    assert result[0, 2] == 0
    np.testing.assert_array_equal(result[1], np.zeros(4))
    assert np.isnan(result[2:]).all()  # no limit at infinity


@EVERY
def test_gradients_at_masks_and_zeros_are_finite(mapping, g, period):
    x = torch.tensor([[0.3, -torch.inf, 0.5], [-torch.inf] * 3, [0.0] * 3], dtype=torch.float64)
    x.requires_grad_()
    (by_x,) = torch.autograd.grad(mapping(x).square().sum(), x, create_graph=True)
    (twice,) = torch.autograd.grad(by_x.square().sum(), x)
    for gradient in (by_x, twice):
        assert gradient.isfinite().all()
        assert gradient[0, 1] == 0
        assert (gradient[1] == 0).all()


@EVERY
def test_empty_rows_and_any_axis(mapping, g, period, library, rng):
    for axis in (0, 1):
        assert mapping(library.array(np.zeros((0, 3))), axis).shape == (0, 3)
    values = rng.integers(1, 40, size=(3, 4)) / 64
    result = library.numpy(mapping(library.array(values), 0))
    moved = library.numpy(mapping(library.array(values.T)))
    np.testing.assert_allclose(result, moved.T, rtol=8 * library.eps)


@EVERY
def test_weights_that_are_not_negative_where_g_is_not(mapping, g, period, request, rng):
    p = mapping(rng.uniform(-20, 20, (200, 8)))
    negative = any(request.node.callspec.id == name for name in SIGNED)
    assert (p < 0).any() == negative
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-9 if negative else 1e-14)


# --- zeros and poles ------------------------------------------------------------------------------


@pytest.mark.parametrize("mapping", [sharplib.sin_max, sharplib.sin2_max])
def test_a_row_of_zeros_gets_equal_weights(mapping, library):
    x = library.array([[0, 0, -np.inf, 0], [0, 0, 0, 0]])
    result = library.numpy(mapping(x))
    expected = [[1 / 3, 1 / 3, 0, 1 / 3], [0.25] * 4]
    np.testing.assert_allclose(result, expected, rtol=1.01 * library.eps)
    # The limit as a constant is added:
    near = mapping(np.full(4, 1e-9))
    np.testing.assert_allclose(near, 0.25)


def test_squares_that_underflow_do_not_make_ties():
    for dtype, tiny in ((np.float32, 1e-30), (np.float64, 1e-200)):
        p = sharplib.sin2_max(np.array([tiny, 2 * tiny, 0], dtype))
        np.testing.assert_allclose(p, [0.2, 0.8, 0], rtol=1e-6)  # 1e-30 in float32


@pytest.mark.parametrize(
    ("mapping", "x"), [(sharplib.sin_max, [1.0, -1.0]), (sharplib.sin_max, [0.5, -0.5, 0.0])]
)
def test_values_that_add_up_to_nothing_have_no_weights(mapping, x, library):
    result = library.numpy(mapping(library.array([x, [0.5] * len(x)])))
    assert np.isnan(result[0]).all()
    np.testing.assert_allclose(result[1], 1 / len(x), rtol=1.01 * library.eps)


def test_weights_have_no_bound_next_to_a_pole():
    p = sharplib.cos_max(np.array([0.0, np.pi - 1e-4]))
    assert p[0] > 1e7
    assert p.sum() == pytest.approx(1)


def test_siren_is_softmax_of_the_stretched_sine(rng):
    x = rng.uniform(-1.4, 1.4, (20, 6))
    same = sharplib.softmax(2 * np.arctanh(np.sin(x)))
    # artanh near 1 loses two digits at 1.4.
    np.testing.assert_allclose(sharplib.siren_max(x), same, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-7, 1e-5, 1e-3])
def test_siren_near_its_pole(dtype, distance):
    """All the weight, less (e/2)² times the others' odds, and a gradient that fades with e."""
    x = torch.tensor([np.pi / 2 - distance, 0.0, 0.5], dtype=dtype, requires_grad=True)
    p = sharplib.siren_max(x)
    (by_x,) = torch.autograd.grad(p[0], x)
    p = p.detach()
    with mpmath.workdps(60):
        scores = [mpmath.mpf(float(v)) for v in x.detach().double()]
        g = [(1 + mpmath.sin(v)) / (2 - 2 * mpmath.sin(v)) for v in scores]
        total = mpmath.fsum(g)
        slope = mpmath.cos(scores[0]) / (1 - mpmath.sin(scores[0])) ** 2
        others, lead = (g[1] + g[2]) / total, slope * (g[1] + g[2]) / total**2
        away = float(abs(mpmath.pi / 2 - scores[0]))
    eps = torch.finfo(dtype).eps
    # cos - sin at x/2 is known to eps, and is as small as the distance.
    loss = min(1.0, 8 * eps / away)
    assert float(p[1:].sum()) == pytest.approx(float(others), rel=3 * loss, abs=1e-30)
    assert float(by_x[0]) == pytest.approx(float(lead), rel=4 * loss, abs=1e-14)
    assert by_x.isfinite().all()


def test_no_sharper_than_it_can_be():
    """sin_softmax stays between 1/(1 + (n - 1)e²) and e²/(e² + n - 1)."""
    n, e2 = 64, np.exp(2)
    low, high = 1 / (1 + (n - 1) * e2), e2 / (e2 + n - 1)
    assert (round(low, 4), round(high, 3)) == (0.0021, 0.105)
    x = np.full(n, -np.pi / 2)
    x[0] = np.pi / 2
    np.testing.assert_allclose(sharplib.sin_softmax(x)[0], high)
    np.testing.assert_allclose(sharplib.sin_softmax(-x)[0], low)


@pytest.mark.parametrize(
    ("name", "slopes"),
    [
        ("cos_max", [0.006, 0.135]),
        ("sin_max, demo", [1.12, 0.88]),
        ("shifted_sin2_max", [0.246, 0.175]),
        ("siren_max", [0.250, None]),  # heavy tails from 1 on: the median of 400 is not stable
        ("sin_softmax", [0.124, 0.093]),
    ],
)
def test_gradient_sizes_as_measured_before(name, slopes, rng):
    """Median Frobenius norm of the Jacobian at n = 64, for scores of size 0.05 and 1."""
    for scale, expected in zip((0.05, 1.0), slopes, strict=True):
        if expected is None:
            continue
        x = torch.tensor(scale * rng.standard_normal((100, 64)))
        jacobian = torch.func.vmap(torch.func.jacrev(MAPS[name][0]))(x)
        found = float(torch.linalg.matrix_norm(jacobian).median())
        assert found == pytest.approx(expected, rel=0.08)  # two medians of hundreds of draws


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"offset": -1.0}, ValueError, r"^offset must be >= 0 and finite, got -1\.0"),
        ({"frequency": 0}, ValueError, r"^frequency must be > 0 and finite, got 0"),
        ({"frequency": np.ones(3)}, ValueError, r"^frequency must be one number"),
        ({"offset": np.ones((2, 1))}, TypeError, r"^offset must be one number, not an array"),
        ({"offset": "much"}, TypeError, r"^offset must be an array or a tensor"),
    ],
)
def test_bad_settings_of_sin_max_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        sharplib.sin_max(np.zeros((2, 3)), **settings)


# --- normalisation --------------------------------------------------------------------------------


@given(x=hnp.arrays(np.float64, st.integers(2, 9), elements=st.floats(-1e3, 1e3, width=32)))
@settings(deadline=None)
def test_normalisation_against_mpmath(x):
    with mpmath.workdps(40):
        scores = [mpmath.mpf(float(v)) for v in x]
        mean = mpmath.fsum(scores) / len(x)
        variance = mpmath.fsum((v - mean) ** 2 for v in scores) / (len(x) - 1)
        root = mpmath.sqrt(variance + mpmath.mpf(1e-5))
        expected = [float((v - mean) / root) for v in scores]
    # Differences of scores up to 1e3, each rounded once, over a root of at least 0.003.
    close = 1e-15 * (1 + np.ptp(x) / float(root)) * len(x)
    np.testing.assert_allclose(sharplib.prenormalise(x), expected, rtol=0, atol=close)


def test_normalisation_counts_unmasked_items_only(library):
    rows = [[1, 3, -np.inf, 5], [-np.inf] * 4, [2, -np.inf, -np.inf, -np.inf], [np.inf, 0, 0, 1]]
    result = library.numpy(sharplib.prenormalise(library.array(rows)))
    z = 2 / np.sqrt(4 + 1e-5)
    close = 1.01 * library.eps + 8 * library.work_eps
    np.testing.assert_allclose(result[0], [-z, 0, -np.inf, z], rtol=close, atol=close)
    np.testing.assert_array_equal(result[1], [-np.inf] * 4)
    np.testing.assert_array_equal(result[2], [0, -np.inf, -np.inf, -np.inf])
    assert np.isnan(result[3]).all()
    nan = library.array([[np.nan, 0, -np.inf], [0, 1, 2]])
    result = library.numpy(sharplib.prenormalise(nan))
    assert np.isnan(result[0]).all()
    assert np.isfinite(result[1]).all()
    for axis in (0, 1):
        assert sharplib.prenormalise(library.array(np.zeros((0, 3))), axis).shape == (0, 3)


def test_normalisation_keeps_what_the_precision_holds():
    x = np.array([0.0, 0.25, 1.0], np.float32)
    expected = sharplib.prenormalise(x)
    moved = sharplib.prenormalise(x + np.float32(1e6))  # on a grid of 1/16 there
    np.testing.assert_array_equal(moved, expected)
    for dtype in (np.float16, np.float32, np.float64):
        top = np.finfo(dtype).max
        z = sharplib.prenormalise(np.array([top, -top, 0], dtype))
        np.testing.assert_allclose(z, [1, -1, 0], rtol=2 * np.finfo(dtype).eps, atol=1e-7)
        assert np.isfinite(sharplib.prenormalise(np.array([0, np.finfo(dtype).tiny], dtype))).all()


def test_normalisation_brings_back_shift_invariance_and_nearly_scale_invariance(rng):
    x = rng.standard_normal((5, 8))
    for mapping, _, _ in MAPS.values():
        p = mapping(sharplib.prenormalise(x))
        np.testing.assert_allclose(mapping(sharplib.prenormalise(x + 3)), p, rtol=1e-9, atol=1e-12)
    z, larger = sharplib.prenormalise(x), sharplib.prenormalise(10 * x)
    np.testing.assert_allclose(larger, z, rtol=1e-4)  # epsilon beside a variance of order 1
    n = 64
    spike = np.eye(n)[0] * 1e6
    assert sharplib.prenormalise(spike)[0] == pytest.approx((n - 1) / np.sqrt(n))  # 7.875


def test_derivatives_of_the_normalisation(rng):
    x = torch.tensor(rng.standard_normal((2, 5, 3)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: sharplib.prenormalise(x, 1), (x,))
    assert torch.autograd.gradgradcheck(lambda x: sharplib.prenormalise(x, 1), (x,))
    masked = x.detach().clone()
    masked[0, 1, 0] = -torch.inf
    masked[1, :, 2] = -torch.inf
    masked.requires_grad_()
    p = sharplib.sin_softmax(sharplib.prenormalise(masked, 1), 1)
    (by_x,) = torch.autograd.grad(p.square().sum(), masked)
    assert by_x.isfinite().all()
    assert by_x[0, 1, 0] == 0
    assert (by_x[1, :, 2] == 0).all()
    torch.testing.assert_close(
        torch.func.vmap(sharplib.prenormalise)(x.detach()), sharplib.prenormalise(x.detach())
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_normalisation_compiles_as_one_graph(rng):
    torch._dynamo.reset()
    x = torch.tensor(rng.uniform(0.1, 0.7, (4, 5)), requires_grad=True)
    result = torch.compile(sharplib.prenormalise, fullgraph=True)(x)
    torch.testing.assert_close(result, sharplib.prenormalise(x))
    (expected,) = torch.autograd.grad(sharplib.prenormalise(x)[:, 0].sum(), x)
    torch.testing.assert_close(torch.autograd.grad(result[:, 0].sum(), x)[0], expected)


@pytest.mark.parametrize("bad", [-1.0, float("nan")])
def test_an_epsilon_that_is_negative_is_refused(bad):
    with pytest.raises(ValueError, match=r"^epsilon must be >= 0 and finite, got "):
        sharplib.prenormalise(np.zeros(3), epsilon=bad)
    with pytest.raises(TypeError, match=r"^epsilon must be one number, not an array"):
        sharplib.prenormalise(np.zeros((2, 3)), epsilon=np.zeros((2, 1)))


@pytest.mark.parametrize("settings", [{"offset": 1e300}, {"offset": 1.0, "frequency": 1e300}])
def test_settings_beyond_the_precision_of_the_scores_give_weights(library, settings):
    p = library.numpy(sharplib.sin_max(library.array([[0.5, -2.0, 3.0]]), **settings))
    assert np.isfinite(p).all()
    assert p.sum() == pytest.approx(1, rel=2 * library.eps)
