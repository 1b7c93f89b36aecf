"""What the catalogue claims, and the language of a mapping, tried on every entry.

A new mapping needs its catalogue row and no new line here. A claim that is not made is tried as
its opposite: a map that does not say it is shift invariant must be caught moving.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterator

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch._subclasses import FakeTensorMode

import sharplib
from sharplib.mappings import CATALOGUE, Mapping

pytestmark = pytest.mark.parametrize("mapping", CATALOGUE.values(), ids=CATALOGUE.keys())

# Scores on a grid of 1/64, exact in every precision from bfloat16 up, and no closer than that.
SCORES = st.integers(-256, 256).map(lambda k: k / 64)
ROWS = hnp.arrays(np.float64, st.integers(1, 12), elements=SCORES)


def weights(mapping: Mapping, x: object, axis: int = -1) -> np.ndarray:
    return mapping(np.asarray(x, dtype=np.float64), axis)


def value_and_gradient(mapping: Mapping, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The weights, and the gradient of the sum of their squares."""
    x = x.detach().requires_grad_()
    p = mapping(x)
    return p.detach(), torch.autograd.grad(p.square().sum(), x)[0]


def probes() -> Iterator[np.ndarray]:
    """Rows on which maps differ: ties, near ties, clear leaders, flat and scattered rows.

    All rows of one length at a time, as a matrix.
    """
    rng = np.random.default_rng(7)
    for n in (2, 3, 4, 8):
        yield np.stack(
            [
                np.zeros(n),
                np.r_[np.zeros(2), np.full(n - 2, -30.0)],
                np.r_[1e-9, np.zeros(n - 1)],
                np.r_[5.0, np.zeros(n - 1)],
                # zeros and poles of periodic maps
                *(np.full(n, place) for place in (-np.pi / 20, -np.pi / 4, np.pi / 2)),
                *np.repeat([0.1, 1.0, 3.0], 20)[:, None] * rng.standard_normal((60, n)),
            ]
        )


# --- the language of a mapping -------------------------------------------------------------------


def test_keeps_shape_library_and_precision_on_every_axis(mapping, library, rng):
    values = rng.integers(-128, 128, size=(2, 3, 4)) / 64
    for axis in range(-3, 3):
        result = library.numpy(mapping(library.array(values), axis))
        assert result.shape == values.shape
        moved = np.moveaxis(values, axis, -1)
        rows = [
            library.numpy(mapping(library.array(row))) for row in moved.reshape(-1, moved.shape[-1])
        ]
        together = np.moveaxis(result, axis, -1).reshape(len(rows), -1)
        # Sums run in another order along another axis: a few rounding steps.
        np.testing.assert_allclose(together, rows, rtol=8 * library.eps, atol=8 * library.eps)


def test_agrees_with_float64_as_well_as_the_precision_can_say(mapping, library, rng):
    values = rng.integers(-128, 128, size=(50, 9)) / 64
    result = library.numpy(mapping(library.array(values)))
    # One rounding of the result, and what the work in float32 lost: exponents up to 100, summed.
    np.testing.assert_allclose(
        result,
        weights(mapping, values),
        rtol=1.01 * library.eps + 500 * library.work_eps,
        atol=1e-7,
    )


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3), (2, 0, 3)])
def test_empty_arrays_stay_empty(mapping, shape):
    for axis in range(-len(shape), len(shape)):
        for empty in (np.zeros(shape), array_api_strict.zeros(shape)):
            assert mapping(empty, axis).shape == shape
        x = torch.zeros(shape, requires_grad=True)
        mapping(x, axis).sum().backward()
        assert x.grad.shape == shape


def test_a_single_item(mapping, library):
    result = library.numpy(mapping(library.array([[0.703125], [-3.0]])))
    if mapping.properties.sums_to is None:
        assert np.isfinite(result).all()
        return
    np.testing.assert_array_equal(result, 1)
    x = torch.tensor([[0.7], [-3.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(mapping(x).sum(), x)
    assert (gradient == 0).all()


def test_views_with_any_strides(mapping, rng):
    values = rng.standard_normal((4, 6, 10))
    for view in (values.T, values[::2, ::-1, 1::3], np.broadcast_to(values[:, :1], values.shape)):
        together = weights(mapping, np.ascontiguousarray(view))
        # Sums run in another order: a few rounding steps, and 1e-12 where a solver had to converge.
        np.testing.assert_allclose(weights(mapping, view), together, rtol=1e-11, atol=1e-15)
    x = torch.tensor(values, requires_grad=True)
    for view in (x.mT, x[::2, :, 1::3], x[:, :1].expand(x.shape)):
        (expected,) = torch.autograd.grad(mapping(view.contiguous()).square().sum(), x)
        (gradient,) = torch.autograd.grad(mapping(view).square().sum(), x)
        torch.testing.assert_close(gradient, expected)


def test_does_not_change_its_input(mapping, library, rng):
    values = rng.integers(-128, 128, size=(3, 5)) / 64
    x = library.array(values)  # read-only on NumPy
    mapping(x)
    np.testing.assert_array_equal(library.numpy(x), values)


def test_a_masked_item_weighs_exactly_nothing_and_might_as_well_be_absent(mapping, library, rng):
    values = rng.integers(-128, 128, size=(20, 6)) / 64
    with_mask = np.insert(values, 2, -np.inf, axis=1)
    result = library.numpy(mapping(library.array(with_mask)))
    assert (result[:, 2] == 0).all()
    without = library.numpy(mapping(library.array(values)))
    # Sums run over another number of terms: a few rounding steps.
    np.testing.assert_allclose(np.delete(result, 2, 1), without, rtol=8 * library.eps, atol=1e-7)


def test_a_row_that_is_masked_throughout_gives_zeros(mapping, library):
    x = library.array([[-np.inf, -np.inf, -np.inf], [0.0, 1.0, 2.0]])
    result = library.numpy(mapping(x))
    np.testing.assert_array_equal(result[0], np.zeros(3))
    np.testing.assert_array_equal(result[1], library.numpy(mapping(x[1, :])))


def test_nan_stays_in_its_row(mapping, library):
    clean = [[0.0, 1.0, 2.0], [3.0, -1.0, 0.5]]
    dirty = [clean[0], [3.0, np.nan, 0.5], [np.inf, np.nan, -np.inf], clean[1]]
    result = library.numpy(mapping(library.array(dirty)))
    assert np.isnan(result[1]).all()
    assert np.isnan(result[2]).all()
    np.testing.assert_array_equal(result[[0, 3]], library.numpy(mapping(library.array(clean))))


def test_plus_infinity_is_the_limit_where_there_is_one(mapping, library):
    x = library.array([[np.inf, 0.0, np.inf, -np.inf], [0.0, np.inf, 1.0, 2.0]])
    result = library.numpy(mapping(x))
    if mapping.properties.at_infinity == "nan":
        assert np.isnan(result).all()
        return
    limit = weights(mapping, [[1e6, 0.0, 1e6, -np.inf], [0.0, 1e6, 1.0, 2.0]])
    limit[limit > 1e5] = np.inf  # weights that have no bound
    # Finite weights beside the infinite score take a few roundings. A polynomial tail is not quite
    # 0 at a million: 1e-12 for a square.
    np.testing.assert_allclose(result, limit, rtol=library.eps + 4 * library.work_eps, atol=1e-11)


def test_any_scale_and_offset_give_finite_weights(mapping, library, rng):
    scales = np.array([1e-5, 1e-2, 1e2, 1e4])[:, None, None]
    offsets = np.array([0.0, -1000.0, 1000.0])[:, None, None, None]
    x = library.array(offsets + scales * rng.uniform(-1, 1, size=(3, 4, 10, 7)))
    result = library.numpy(mapping(x))
    assert np.isfinite(result).all()
    assert mapping.properties.signed or (result >= 0).all()


def test_extreme_numbers_raise_no_warning(mapping):
    for dtype in (np.float16, np.float32, np.float64):
        top, tiny = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
        x = np.array([[top, -top, 0], [tiny, 0, -tiny], [top, top, top], [-top, -top, tiny]], dtype)
        result = mapping(x)
        assert np.isfinite(result).all()


def test_ten_million_items(mapping):
    x = np.random.default_rng(0).uniform(-1, 1, 10_000_000).astype(np.float32)
    p = mapping(x)
    assert np.isfinite(p).all()
    if mapping.properties.sums_to is not None:
        # The weights are float32 numbers; their sum is taken in float64.
        assert p.sum(dtype=np.float64) == pytest.approx(mapping.properties.sums_to, abs=1e-6)


@pytest.mark.parametrize("bad", [[1, 2, 3], np.arange(3), np.array([1j]), np.array([True])])
def test_scores_that_are_not_real_floats_are_refused(mapping, bad):
    with pytest.raises(TypeError, match=r"^x must hold real floating-point numbers, got dtype"):
        mapping(bad)
    with pytest.raises(TypeError, match=r"^x must hold real floating-point numbers, got dtype"):
        mapping(torch.tensor(np.asarray(bad)))


@pytest.mark.parametrize("bad", ["scores", None, {1.0}])
def test_what_is_no_array_is_refused(mapping, bad):
    with pytest.raises(TypeError, match=r"^x must be an array or a tensor, got "):
        mapping(bad)


def test_a_masked_array_is_refused_rather_than_unmasked(mapping):
    with pytest.raises(TypeError, match=r"^x is a masked array"):
        mapping(np.ma.masked_array([1.0, 2.0], mask=[True, False]))


def test_lists_of_other_lengths_are_refused(mapping):
    with pytest.raises(ValueError, match=r"^x must be rows of one length, got \[\[1.0\], "):
        mapping([[1.0], [1.0, 2.0]])


def test_lists_of_floats_are_taken_as_numpy(mapping):
    np.testing.assert_array_equal(mapping([0.0, 1.0]), mapping(np.array([0.0, 1.0])))


@pytest.mark.parametrize("axis", [2, -3, 10])
def test_an_axis_out_of_range_is_refused(mapping, axis):
    for x in (np.zeros((2, 3)), torch.zeros(2, 3)):
        with pytest.raises(ValueError, match=rf"^axis must lie in \[-2, 2\) .* got {axis}$"):
            mapping(x, axis)
    with pytest.raises(ValueError, match=r"^axis must lie in \[-0, 0\)"):
        mapping(np.array(1.0))


@pytest.mark.parametrize("axis", [0.5, "last", None])
def test_an_axis_that_is_no_integer_is_refused(mapping, axis):
    with pytest.raises(TypeError, match=r"^axis must be an integer, got "):
        mapping(np.zeros((2, 3)), axis)


def test_tensors_without_numbers_have_a_result_without_numbers(mapping):
    with FakeTensorMode():
        x = torch.zeros(3, 5, requires_grad=True)
        p = mapping(x)
        p.sum().backward()
        assert p.shape == x.grad.shape == (3, 5)


# --- gradients -----------------------------------------------------------------------------------


@pytest.fixture
def generic(rng):
    """Rows without ties, on which every map is differentiable with probability 1."""
    return torch.tensor(1.5 * rng.standard_normal((6, 5)), requires_grad=True)


def test_first_and_second_derivatives(mapping, generic):
    assert torch.autograd.gradcheck(mapping, (generic,))
    assert torch.autograd.gradgradcheck(mapping, (generic,))


def test_gradients_of_masked_rows_are_finite_and_zero_at_the_mask(mapping, generic):
    x = generic.detach().clone()
    x[0, 2] = -torch.inf
    x[1, :] = -torch.inf
    x.requires_grad_()
    mapping(x).square().sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad[0, 2] == 0
    assert (x.grad[1] == 0).all()


def test_vmap_and_jacrev(mapping, generic):
    x = generic.detach()
    torch.testing.assert_close(torch.func.vmap(mapping)(x), mapping(x))
    torch.testing.assert_close(
        torch.func.vmap(torch.func.jacrev(mapping))(x),
        torch.stack([torch.autograd.functional.jacobian(mapping, row) for row in x]),
    )
    # Its batches are of an older kind.
    torch.testing.assert_close(
        torch.autograd.functional.jacobian(mapping, x[0], vectorize=True),
        torch.autograd.functional.jacobian(mapping, x[0]),
    )


@pytest.mark.slow
# The compiler itself uses parts of torch that torch deprecates.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compiles_as_one_graph(mapping, generic):
    torch._dynamo.reset()
    # The graphs are torch's, forward and backward, but not the code made of them, which takes
    # minutes for all maps; that is tried in test_entmax.py and on the losses.
    compiled = torch.compile(mapping, fullgraph=True, backend="aot_eager")
    (gradient,) = torch.autograd.grad(mapping(generic)[:, 0].sum(), generic)
    result = compiled(generic)
    torch.testing.assert_close(result, mapping(generic))
    torch.testing.assert_close(torch.autograd.grad(result[:, 0].sum(), generic)[0], gradient)
    with torch.no_grad():
        torch.testing.assert_close(compiled(generic), mapping(generic))
    still = generic.detach()
    torch.testing.assert_close(compiled(still), mapping(still))


# --- the claims of the catalogue, and their opposites ---------------------------------------------


@given(x=ROWS)
@settings(deadline=None)
def test_weights_are_not_negative(mapping, x):
    assert mapping.properties.signed or (weights(mapping, x) >= 0).all()


def test_signed(mapping):
    negative = any((weights(mapping, x) < 0).any() for x in probes())
    assert negative == mapping.properties.signed


def test_sums_to(mapping, library, rng):
    levels = np.array([-4, 0, 4]).repeat(20)[:, None]
    x = library.array(levels + rng.integers(-128, 128, size=(60, 33)) / 64)
    p = library.numpy(mapping(x))
    sums, sizes = p.sum(-1), np.abs(p).sum(-1)
    claimed = mapping.properties.sums_to
    if claimed is None:
        assert np.ptp(sums) > 0.01
    else:
        # Each weight is rounded once, so the sum is off by at most eps; plus float32 work.
        assert (np.abs(sums - claimed) <= (library.eps + 100 * library.work_eps) * sizes).all()


def test_permuting_scores_permutes_weights(mapping, rng):
    rows = [*probes(), *(rng.integers(-256, 256, size=(1, n)) / 64 for n in range(1, 13))]
    apart = 0.0
    for x in rows:
        n = x.shape[-1]
        for order in (np.arange(n)[::-1], rng.permutation(n)):
            moved, there = weights(mapping, x[:, order]), weights(mapping, x)[:, order]
            apart = max(apart, np.abs(moved - there).max())
            if mapping.properties.equivariant:
                # Sums run in another order: a few rounding steps, and 1e-12 where a solver had to
                # converge.
                np.testing.assert_allclose(moved, there, rtol=1e-11, atol=1e-15)
    assert mapping.properties.equivariant or apart > 0.01


def test_shift_invariant(mapping, rng):
    moved = 0.0
    for x in probes():
        # A shift may round a near tie into a tie.
        apart = x[(np.diff(np.sort(x)) > 1e-6).all(-1)]
        for shift in (-3.0, 0.5, 3.0):
            change = np.abs(weights(mapping, apart + shift) - weights(mapping, apart))
            moved = max(moved, change.max())
    if not mapping.properties.shift_invariant:
        assert moved > 0.01
        return
    assert moved < 1e-12  # the scores themselves are rounded by the shift, 1e-15 a step
    # Multiples of 1/16 survive an offset of a million in float32.
    near = torch.tensor(rng.integers(-32, 32, size=(20, 9)) / 16, dtype=torch.float32)
    for far in (near + 1e6, near - 1e6):
        torch.testing.assert_close(
            value_and_gradient(mapping, far), value_and_gradient(mapping, near), rtol=0, atol=1e-6
        )


def test_order(mapping):
    kept_weakly = kept_strictly = True
    for x in probes():
        p = weights(mapping, x)
        for i, j in itertools.permutations(range(x.shape[-1]), 2):
            # A gap of 1/64 to 4 is resolved by the weights, unless both underflow.
            gap = x[:, i] - x[:, j]
            clear = (gap > 1 / 64) & (gap < 4)
            higher, lower = p[clear, i], p[clear, j]
            underflow = (higher < 1e-200) & (not mapping.properties.sparse)
            kept_weakly &= (higher >= lower).all()
            kept_strictly &= ((higher > lower) | underflow).all()
    claimed = mapping.properties.order
    assert claimed == ("strict" if kept_strictly else "weak" if kept_weakly else "none")


def test_sparse(mapping):
    # Ladders with equal steps: no map that is positive everywhere underflows on these rows.
    rows = [scale * np.arange(n) for n in (3, 5, 8) for scale in (0.1, 1.0, 3.0)]
    zeros = sum((weights(mapping, x) == 0).sum() for x in rows)
    assert (zeros > 0) == mapping.properties.sparse


def test_continuous(mapping):
    """Follow each row through a step of 1e-8: the weights of a continuous map hardly move."""
    rng = np.random.default_rng(11)
    jump = max(
        np.abs(weights(mapping, x + 1e-8 * rng.uniform(-1, 1, x.shape)) - weights(mapping, x)).max()
        for x in probes()
        for _ in range(5)
    )
    if mapping.properties.continuous:
        assert jump < 1e-5  # a slope of 1000 would be needed to come near
    else:
        assert jump > 0.01


def test_lipschitz(mapping):
    """The steepest slope over the probes, against the claimed constant."""
    steepest = 0.0
    for x in probes():
        jacobians = torch.func.vmap(torch.func.jacrev(mapping))(torch.tensor(x))
        steepest = max(steepest, float(torch.linalg.matrix_norm(jacobians, 2).max()))
    # One row of the Jacobian, where n is large.
    x = torch.zeros(30, 10_000, dtype=torch.float64)
    x[:, 0] = torch.tensor(np.linspace(0.1, 3.0, 30))
    x.requires_grad_()
    (slopes,) = torch.autograd.grad(mapping(x)[:, 0].sum(), x)
    steepest = max(steepest, float(torch.linalg.vector_norm(slopes, dim=-1).max()))
    claimed = mapping.properties.lipschitz
    if claimed is None:
        assert np.isfinite(steepest)
    elif np.isinf(claimed):
        assert steepest > 1e3 or not mapping.properties.continuous
    else:
        # Some constants are reached only as n goes to infinity, like n^(-1/3).
        assert 0.9 * claimed <= steepest <= claimed * (1 + 1e-9)


def test_growth(mapping):
    """Top weight of one item 5 above the rest, from a hundred items to a million.

    Away from 0, where some maps that know an absolute level give nothing at all to the rest.
    """
    sizes = np.array([100, 1_000, 10_000, 100_000, 1_000_000])
    top = np.array([weights(mapping, np.r_[6.0, np.ones(n - 1)])[0] for n in sizes])
    if mapping.properties.growth == "disperses":
        assert top[-1] < 1e-3
        assert (sizes * top).max() < 1e6  # of order 1/n: n times the weight stays bounded
    else:
        assert top.min() > 0.2


def test_the_catalogue_knows_it_by_its_public_name(mapping):
    assert getattr(sharplib, mapping.name) is mapping.function
    assert CATALOGUE[mapping.name] is mapping
    assert mapping.function.__doc__
    assert mapping.paper
    with pytest.raises(TypeError):
        CATALOGUE["new"] = mapping


def test_an_entry_can_be_sent_to_another_process_and_be_a_key(mapping):
    copied = pickle.loads(pickle.dumps(mapping))
    assert copied == mapping
    assert {mapping: True}[copied]
    with pytest.raises(TypeError):
        copied.settings["alpha"] = 1.0
