"""ssmax against powers of n at 50 digits, and what the length does to it."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sharplib

ROWS = hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-8, 8, width=32))


def exact(x: np.ndarray, s: float) -> list[float]:
    with mpmath.workdps(50):
        powers = [mpmath.mpf(len(x)) ** (mpmath.mpf(s) * mpmath.mpf(float(v))) for v in x]
        return [float(p / mpmath.fsum(powers)) for p in powers]


@given(x=ROWS, s=st.floats(0.01, 4))
@settings(deadline=None)
def test_ssmax_against_mpmath(x, s):
    # Exponents up to 4 * log 20 * 16 = 192, each good to a few roundings: 192 * 2**-51 = 9e-14.
    np.testing.assert_allclose(sharplib.ssmax(x, s), exact(x, s), rtol=1e-12, atol=1e-300)


def test_the_row_of_the_papers_first_figure():
    """All elements -2, one +3, s = 0.43: softmax fades, SSMax does not."""
    printed = {10: (0.943, 0.940), 100: (0.600, 0.995), 10_000: (0.0146, 0.99997)}
    for n, (fades, stays) in printed.items():
        x = np.append(np.full(n - 1, -2.0), 3.0)
        # Half a unit in the last printed digit, 1e-4 to 5e-4 of the value.
        assert sharplib.softmax(x)[-1] == pytest.approx(fades, rel=4e-3)
        assert sharplib.ssmax(x, 0.43)[-1] == pytest.approx(stays, abs=5e-4)


@pytest.mark.parametrize("gap", [1.0, 2.0, 4.0])
def test_stays_sharp_exactly_if_s_times_the_gap_exceeds_one(gap):
    for s in (0.9 / gap, 1.1 / gap):
        sizes = 10 ** np.arange(2, 7)
        top = np.array([sharplib.ssmax(np.append(np.zeros(n - 1), gap), s)[-1] for n in sizes])
        # The closed form for two levels; exponents of order 15.
        expected = 1 / (1 + (sizes - 1.0) * sizes ** (-s * gap))
        np.testing.assert_allclose(top, expected, rtol=1e-12)
        assert (np.diff(top) > 0).all() == (s * gap > 1)


def test_n_counts_the_items_that_are_not_masked(library):
    """A causal mask: row i sees i + 1 items; the first, with log n = 0, is no special case."""
    scores = np.array([0.5, -1.0, 2.0, 0.25])
    masked = np.where(np.tri(4, dtype=bool), scores, -np.inf)
    result = library.numpy(sharplib.ssmax(library.array(masked), 0.7))
    for i in range(4):
        np.testing.assert_allclose(
            result[i, : i + 1],
            exact(scores[: i + 1], 0.7),
            rtol=library.eps + 50 * library.work_eps,  # rounded once, after work at exponents to 4
        )
    np.testing.assert_array_equal(result[0], [1, 0, 0, 0])


def test_scales_the_scores_instead_of_shifting_them():
    """Taking s log n from every score, as one package documents it, leaves softmax as it was."""
    x, s = np.array([1.0, 2.0, 4.0, 4.5]), 0.43
    shifted = sharplib.softmax(x - s * np.log(4))
    np.testing.assert_allclose(shifted, sharplib.softmax(x), rtol=1e-14)
    assert np.abs(sharplib.ssmax(x, s) - shifted).max() > 0.1


def test_one_s_per_row(library, rng):
    values = rng.integers(-128, 128, size=(3, 5)) / 64
    s = np.array([[0.25], [0.5], [1.0]])
    together = library.numpy(sharplib.ssmax(library.array(values), library.array(s)))
    for k in range(3):
        alone = sharplib.ssmax(library.array(values[k]), float(s[k, 0]))
        np.testing.assert_array_equal(together[k], library.numpy(alone))


def test_gradients_of_scores_and_s(rng):
    x = torch.tensor(rng.standard_normal((3, 4)), requires_grad=True)
    s = torch.tensor([[0.2], [0.5], [1.5]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sharplib.ssmax, (x, s))
    assert torch.autograd.gradgradcheck(sharplib.ssmax, (x, s))


def test_the_gradient_of_s_as_printed():
    """dp/ds = log n p (x - <p, x>), with masked items and at a large offset."""
    x = torch.tensor([1e6 + 1.0, 1e6, -torch.inf, 1e6 - 0.5], dtype=torch.float64)
    s = torch.tensor(0.5, dtype=torch.float64)
    computed = torch.func.jacrev(lambda s: sharplib.ssmax(x, s))(s)
    p, y = sharplib.ssmax(x, s), torch.tensor([1.0, 0.0, 0.0, -0.5], dtype=torch.float64)
    torch.testing.assert_close(computed, np.log(3) * p * (y - p @ y))


def test_a_learned_s_over_a_row_of_one_item_does_not_move():
    x = torch.tensor([[2.0, -torch.inf], [-torch.inf, -torch.inf]])
    s = torch.tensor(0.5, requires_grad=True)
    sharplib.ssmax(x, s)[:, 0].sum().backward()
    assert s.grad == 0


def test_extreme_s():
    x = np.array([0.0, 1.0, 3.0, 3.0])
    np.testing.assert_array_equal(sharplib.ssmax(x, 1e300), [0, 0, 0.5, 0.5])
    np.testing.assert_array_equal(sharplib.ssmax(x, 1e-300), np.full(4, 0.25))


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_an_s_that_is_not_positive_is_refused(bad):
    with pytest.raises(ValueError, match=r"^s must be > 0 and finite, got "):
        sharplib.ssmax(np.zeros(3), bad)
    with pytest.raises(ValueError, match=r"^s must be > 0 and finite in every row, got "):
        sharplib.ssmax(np.zeros((1, 3)), np.array([[bad]]))
    with pytest.raises(TypeError, match=r"^s must be an array or a tensor, got NoneType"):
        sharplib.ssmax(np.zeros(3), None)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_a_bad_s_that_cannot_be_read_gives_nan(bad):
    result = torch.func.vmap(sharplib.ssmax)(
        torch.arange(6.0).reshape(2, 3), torch.tensor([1, bad])
    )
    assert result[0].isfinite().all()
    assert result[1].isnan().all()
