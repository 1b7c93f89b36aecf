"""Fenchel-Young losses by their theorem: gradient, sign, zeros, margin, convexity, supremum."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
import scipy.special
import torch

import sharplib
from sharplib import losses


def tsallis(p: np.ndarray, alpha: float) -> np.ndarray:
    if alpha == 1:
        return scipy.special.xlogy(p, p).sum(-1)
    return (p**alpha - p).sum(-1) / (alpha * (alpha - 1))


def norm(p: np.ndarray, alpha: float) -> np.ndarray:
    return np.linalg.norm(p, alpha, axis=-1)


#: Loss, prediction and regulariser, and the lead at which a class has no loss.
CASES = {
    "softmax": (losses.softmax_loss, sharplib.softmax, lambda p: tsallis(p, 1), np.inf),
    "sparsemax": (losses.sparsemax_loss, sharplib.sparsemax, lambda p: tsallis(p, 2), 1),
    "entmax15": (losses.entmax15_loss, sharplib.entmax15, lambda p: tsallis(p, 1.5), 2),
    **{
        f"entmax-{alpha}": (
            lambda x, q, axis=-1, a=alpha: losses.entmax_loss(x, q, a, axis),
            lambda x, axis=-1, a=alpha: sharplib.entmax(x, a, axis),
            lambda p, a=alpha: tsallis(p, a),
            1 / (alpha - 1),
        )
        for alpha in (1.2, 3.0)
    },
    **{
        f"normmax-{alpha}": (
            lambda x, q, axis=-1, a=alpha: losses.normmax_loss(x, q, a, axis),
            lambda x, axis=-1, a=alpha: sharplib.normmax(x, a, axis),
            lambda p, a=alpha: norm(p, a),
            1,
        )
        for alpha in (1.5, 2.0)
    },
}
case = pytest.mark.parametrize(("loss", "predict", "omega", "margin"), CASES.values(), ids=CASES)


@case
def test_the_definition(loss, predict, omega, margin, rng):
    """Ω*(x) + Ω(q) - <q, x>, and no weights do better than the prediction in Ω*."""
    x, q = rng.standard_normal((30, 6)), rng.dirichlet(np.ones(6), 30)
    p = predict(x)
    best = (p * x).sum(-1) - omega(p)
    expected = best + omega(q) - (q * x).sum(-1)
    np.testing.assert_allclose(loss(x, q), expected, rtol=0, atol=4e-15)
    for _ in range(50):
        other = 0.5 * p + 0.5 * rng.dirichlet(np.full(6, 0.3), 30)
        assert ((other * x).sum(-1) - omega(other) <= best + 1e-15).all()


@case
def test_the_gradient_is_prediction_minus_target(loss, predict, omega, margin, rng):
    x = torch.tensor(rng.standard_normal((20, 6)), requires_grad=True)
    q = torch.tensor(rng.dirichlet(np.ones(6), 20))
    (gradient,) = torch.autograd.grad(loss(x, q).sum(), x)
    torch.testing.assert_close(gradient, predict(x.detach()) - q, rtol=0, atol=0)
    # Rows do not meet, and the time of these grows with the square of their number.
    few = x[:4].detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, q[:4]), (few,))
    assert torch.autograd.gradgradcheck(lambda x: loss(x, q[:4]), (few,))


@case
def test_it_is_never_negative_and_zero_at_the_prediction_alone(loss, predict, omega, margin, rng):
    x, q = 3 * rng.standard_normal((200, 5)), rng.dirichlet(np.full(5, 0.5), 200)
    assert (loss(x, q) > 0).all()
    # Terms up to 20 cancel.
    np.testing.assert_allclose(loss(x, predict(x)), 0, atol=1e-14)
    assert (loss(x, predict(x)) >= 0).all()


@case
def test_the_margin(loss, predict, omega, margin, rng):
    lead = min(margin, 30.0)
    x = np.array([lead, 0.0, 0.0, -1.0])
    assert (loss(x, 0) == 0) == np.isfinite(margin)
    assert loss(x - [0.1 * lead, 0, 0, 0], 0) > 0


@case
def test_it_is_convex(loss, predict, omega, margin, rng):
    a, b = 2 * rng.standard_normal((2, 100, 5))
    q = rng.dirichlet(np.ones(5), 100)
    for t in (0.25, 0.5, 0.75):
        chord = t * loss(a, q) + (1 - t) * loss(b, q)
        assert (loss(t * a + (1 - t) * b, q) <= chord + 1e-14).all()


@case
def test_classes_are_one_hot_targets_on_any_axis(loss, predict, omega, margin, library, rng):
    values = rng.integers(-128, 128, size=(4, 3)) / 64
    classes = np.array([0, 2, 1, 1])
    y = {"numpy": np.asarray, "torch": torch.tensor, "strict": array_api_strict.asarray}[
        library.name
    ](classes)
    by_class = library.numpy(loss(library.array(values), y))
    by_weights = library.numpy(loss(library.array(values), library.array(np.eye(3)[classes])))
    np.testing.assert_array_equal(by_class, by_weights)
    np.testing.assert_array_equal(library.numpy(loss(library.array(values.T), y, axis=0)), by_class)
    # Work is in float64: one rounding of the result.
    np.testing.assert_allclose(by_class, loss(values, classes), rtol=library.eps, atol=1e-15)


@case
def test_masked_items_might_as_well_be_absent(loss, predict, omega, margin, rng):
    values = rng.standard_normal((5, 4))
    x = torch.tensor(np.insert(values, 2, -np.inf, axis=1), requires_grad=True)
    result = loss(x, torch.tensor([0, 1, 3, 4, 0]))
    np.testing.assert_allclose(
        result.detach(), loss(values, np.array([0, 1, 2, 3, 0])), rtol=0, atol=4e-15
    )
    (gradient,) = torch.autograd.grad(result.sum(), x)
    assert (gradient[:, 2] == 0).all()
    assert gradient.isfinite().all()


@case
def test_rows_without_items_and_targets_behind_a_mask(loss, predict, omega, margin):
    x = torch.tensor([[-torch.inf] * 3, [0.0, -torch.inf, 1.0], [0.0, 1.0, torch.nan]])
    x = x.double().requires_grad_()
    result = loss(x, torch.tensor([1, 1, 0]))
    assert result[0] == 0
    assert result[1] == torch.inf
    assert result[2].isnan()
    (gradient,) = torch.autograd.grad(result[:2].sum(), x)
    assert (gradient[0] == 0).all()
    assert gradient[:2].isfinite().all()


@case
def test_half_precision_and_far_offsets(loss, predict, omega, margin, rng):
    # Multiples of 1/16 survive an offset of 1e6 in float32.
    x = (rng.integers(-32, 32, size=(20, 8)) / 16).astype(np.float32)
    y = rng.integers(0, 8, 20)
    expected = loss(x.astype(np.float64), y)
    for offset in (0, -1e6, 1e6):
        np.testing.assert_allclose(loss(x + np.float32(offset), y), expected, rtol=6e-8, atol=1e-8)
    half = loss(torch.tensor(x).bfloat16(), torch.tensor(y))
    assert half.dtype == torch.bfloat16
    np.testing.assert_allclose(half.double(), expected, rtol=2**-8)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("loss", [losses.entmax_loss, losses.normmax_loss])
def test_they_compile_as_one_graph(loss, rng):
    """The two rules that all losses share."""
    x = torch.tensor(rng.standard_normal((4, 5)), requires_grad=True)
    y = torch.tensor([0, 1, 2, 3])
    torch._dynamo.reset()
    result = torch.compile(loss, fullgraph=True)(x, y)
    torch.testing.assert_close(result, loss(x, y))
    (gradient,) = torch.autograd.grad(result.sum(), x)
    torch.testing.assert_close(gradient, torch.autograd.grad(loss(x, y).sum(), x)[0])


@case
def test_vmap(loss, predict, omega, margin, rng):
    x, y = torch.tensor(rng.standard_normal((4, 5))), torch.tensor([0, 1, 2, 3])
    torch.testing.assert_close(torch.func.vmap(loss)(x, y), loss(x, y))
    per_row = torch.func.vmap(torch.func.grad(loss))(x, y)
    torch.testing.assert_close(per_row, predict(x) - torch.eye(5)[:4])


def test_softmax_loss_is_cross_entropy(rng):
    x, y = torch.tensor(rng.standard_normal((10, 5))), torch.tensor(rng.integers(0, 5, 10))
    expected = torch.nn.functional.cross_entropy(x, y, reduction="none")
    torch.testing.assert_close(losses.softmax_loss(x, y), expected)


def test_sparsemax_loss_written_with_its_support(rng):
    """Σ_S p (x - p/2) + ||q||²/2 - <q, x>, the form without a threshold."""
    x, q = rng.standard_normal((20, 6)), rng.dirichlet(np.ones(6), 20)
    p = sharplib.sparsemax(x)
    expected = (p * (x - p / 2)).sum(-1) + (q**2).sum(-1) / 2 - (q * x).sum(-1)
    np.testing.assert_allclose(losses.sparsemax_loss(x, q), expected, atol=4e-15)


def test_between_two_classes_sparsemax_loss_is_a_parabola_with_a_straight_arm():
    for lead in (-4.0, -1.5, -1.0, 0.0, 0.5, 1.0, 2.0):
        expected = 0 if lead >= 1 else (1 - lead) ** 2 / 4 if lead > -1 else -lead
        assert losses.sparsemax_loss(np.array([lead, 0.0]), 0) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("loss", [losses.entmax_loss, losses.normmax_loss])
def test_gradients_of_target_and_alpha(loss, rng):
    x = torch.tensor(0.7 * rng.standard_normal((4, 5)), requires_grad=True)
    logits = torch.tensor(rng.standard_normal((4, 5)), requires_grad=True)
    alpha = torch.tensor([[1.2], [1.5], [2.0], [2.4]]).double().requires_grad_()

    def f(x, logits, alpha):
        return loss(x, torch.softmax(logits, -1), alpha)

    assert torch.autograd.gradcheck(f, (x, logits, alpha))
    assert torch.autograd.gradgradcheck(f, (x, logits, alpha))


def test_entmax_loss_tends_to_cross_entropy(rng):
    x, y = rng.standard_normal((10, 5)), rng.integers(0, 5, 10)
    # The slope in alpha is at most (log p)² / 2, here below 20.
    np.testing.assert_allclose(
        losses.entmax_loss(x, y, 1 + 1e-9), losses.softmax_loss(x, y), atol=2e-8
    )


def test_budget_loss(rng):
    x = torch.tensor(rng.standard_normal((10, 6)), requires_grad=True)
    q = torch.zeros(10, 6).double()
    q[:, :2] = 1
    loss = losses.budget_loss(x, q, 2)
    p = sharplib.budget(x.detach(), 2)
    expected = ((p - q) * x.detach()).sum(-1) + (q**2).sum(-1) / 2 - (p**2).sum(-1) / 2
    torch.testing.assert_close(loss, expected)
    assert (loss > 0).all()
    torch.testing.assert_close(torch.autograd.grad(loss.sum(), x)[0], p - q, rtol=0, atol=0)
    assert torch.autograd.gradcheck(lambda x: losses.budget_loss(x, q, 2), (x,))
    right = torch.tensor([3.0, 3.5, 2.0, -1.0])
    assert losses.budget_loss(right, torch.tensor([1.0, 1.0, 0, 0]), 2) == 0


def test_lists_and_single_rows_are_taken():
    expected = losses.entmax_loss(np.array([[0.0, 1.0]]), np.array([1]))
    assert losses.entmax_loss([0.0, 1.0], 1) == expected[0]
    for x in (np.array([[0.0, 1.0]]), torch.tensor([[0.0, 1.0]]).double()):
        assert losses.entmax_loss(x, [1]) == expected
        assert losses.entmax_loss(x, [[0.0, 1.0]]) == expected
        assert losses.entmax_loss(x[0], 1) == expected[0]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 3)])
def test_empty_arrays(shape):
    classes = np.zeros(shape[:-1], dtype=int)
    target = classes if shape[-1] else np.zeros(shape)
    assert losses.entmax_loss(np.zeros(shape), target).shape == shape[:-1]


@pytest.mark.parametrize("bad", [np.array([0, 3]), np.array([-1, 0]), np.array([-100, 0])])
def test_a_class_out_of_range_is_refused(bad):
    with pytest.raises(ValueError, match=r"^target must lie in \[0, 3\), got "):
        losses.entmax_loss(np.zeros((2, 3)), bad)


def test_other_bad_targets_are_refused():
    x = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"^target must hold one class for each row, shape \(2,\)"):
        losses.entmax_loss(x, np.zeros((2, 1), dtype=int))
    with pytest.raises(ValueError, match=r"^target must have the shape of x, \(2, 3\)"):
        losses.entmax_loss(x, np.zeros(2))
    for weights in ([[2.0, -1, 0], [1, 0, 0]], [[0.4, 0.4, 0], [1, 0, 0]]):
        with pytest.raises(ValueError, match=r"^target must hold weights >= 0 that add up to"):
            losses.entmax_loss(x, np.array(weights))
    with pytest.raises(TypeError, match=r"^target must be "):
        losses.entmax_loss(x, torch.zeros(2, 3))
    with pytest.raises(TypeError, match=r"^target must be an array or a tensor, got NoneType"):
        losses.entmax_loss(x, None)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int64", "uint64"])
def test_classes_of_any_integer_type_beside_more_classes_than_it_can_count(dtype, rng):
    x, classes = rng.standard_normal((2, 300)), [3, 100]
    expected = losses.entmax_loss(x, np.eye(300)[classes])
    np.testing.assert_array_equal(losses.entmax_loss(x, np.array(classes, dtype)), expected)
    y = torch.tensor(classes, dtype=getattr(torch, dtype))
    # Sums of 300 terms in another order: a few rounding steps.
    np.testing.assert_allclose(losses.entmax_loss(torch.tensor(x), y), expected, rtol=1e-14)


@pytest.mark.parametrize("alpha", [2.0, 50.0, 200.0, 1e4])
def test_normmax_loss_of_long_rows_at_a_high_alpha(alpha):
    """All weights are 1/n, and n^-alpha is 0 in floating point; the norm is n^(1/alpha - 1)."""
    n = 2000
    x = torch.zeros(n, dtype=torch.float64, requires_grad=True)
    power = torch.tensor(alpha, dtype=torch.float64, requires_grad=True)
    loss = losses.normmax_loss(x, torch.tensor(0), power)
    assert loss.item() == pytest.approx(1 - n ** (1 / alpha - 1), rel=1e-14)
    by_x, by_alpha = torch.autograd.grad(loss, (x, power))
    np.testing.assert_allclose(by_x, np.full(n, 1 / n) - np.eye(n)[0], rtol=1e-14, atol=1e-16)
    # d/dα of -n^(1/α - 1)
    assert by_alpha.item() == pytest.approx(n ** (1 / alpha - 1) * np.log(n) / alpha**2, rel=1e-12)


@case
def test_what_a_map_gives_is_a_target_where_rows_are_padded_too(
    loss, predict, omega, margin, library
):
    x = library.array([[-np.inf, -np.inf, -np.inf], [0.5, -np.inf, 1.0]])
    # Terms of about 1 cancel, and the target was rounded.
    np.testing.assert_allclose(library.numpy(loss(x, predict(x))), 0, atol=library.eps)
    assert library.numpy(loss(x, predict(x)))[0] == 0


def test_budget_loss_of_rows_with_fewer_items_than_k(library):
    x, k = library.array([[1.0, 2.0, -np.inf], [2.0, 0.0, 0.0]]), 2.5
    assert (library.numpy(losses.budget_loss(x, sharplib.budget(x, k), k)) == 0).all()
    with pytest.raises(ValueError, match=r"^target must hold weights >= 0 that add up to"):
        losses.budget_loss(x, library.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.5]]), k)


def test_budget_loss_takes_no_weight_above_one():
    with pytest.raises(ValueError, match=r"^target must hold weights between 0 and 1, got 2.0$"):
        losses.budget_loss(np.array([9.0, 0.0, 0.0]), np.array([2.0, 0.0, 0.0]), 2)


def test_budget_loss_takes_a_class_for_one_item_alone():
    x = np.array([1.0, 0.5, 0.0])
    assert losses.budget_loss(x, 0, 1) == losses.sparsemax_loss(x, 0)
    with pytest.raises(ValueError, match=r"^target must hold weights >= 0 that add up to"):
        losses.budget_loss(x, 0, 2)


def test_budget_loss_with_one_k_for_each_row_under_vmap(rng):
    x, k = torch.tensor(rng.standard_normal((3, 5))), torch.tensor([1.0, 2.0, 2.5]).double()
    q = sharplib.budget(torch.tensor(rng.standard_normal((3, 5))), k[:, None])
    torch.testing.assert_close(
        torch.func.vmap(losses.budget_loss)(x, q, k), losses.budget_loss(x, q, k[:, None])
    )
    # One target for all.
    torch.func.vmap(losses.budget_loss, in_dims=(0, None, 0))(x, q[0], k)
