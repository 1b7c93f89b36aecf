"""What users of other implementations of sparse maps ran into, tried on ours.

Numbers are those of the public issues of the package entmax, where there is one.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sharplib
from sharplib import losses
from sharplib.mappings import CATALOGUE
from sharplib.nn import AdaptiveEntmax, Loss, Map

FAMILY = ("sparsemax", "entmax", "entmax15", "normmax", "budget", "sparsegen", "sparsehourglass")
family = pytest.mark.parametrize("mapping", [CATALOGUE[name] for name in FAMILY], ids=FAMILY)
LOSSES = (losses.sparsemax_loss, losses.entmax15_loss, losses.entmax_loss, losses.normmax_loss)
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)


@family
def test_an_axis_that_is_negative_and_not_the_last(mapping, rng):
    x = torch.tensor(rng.standard_normal((3, 4, 5)))
    for axis in (-2, -3):
        torch.testing.assert_close(mapping(x, axis), mapping(x, axis + 3), rtol=0, atol=0)
        expected = mapping(x.movedim(axis, -1)).movedim(-1, axis)
        torch.testing.assert_close(mapping(x, axis), expected, rtol=0, atol=1e-15)


@family
def test_rows_of_nothing_but_masks_in_a_batch_19_and_17(mapping):
    x = torch.tensor([[-torch.inf] * 4, [0.3, -torch.inf, 1.0, 0.2]], requires_grad=True)
    p = mapping(x)
    assert (p[0] == 0).all()
    p[:, 2].sum().backward()
    assert (x.grad[0] == 0).all()
    assert x.grad.isfinite().all()


@family
def test_gradients_with_dimensions_of_size_one_13_18_35(mapping, rng):
    """Among them (4, 1, 6), on which the budget of entmax has wrong gradients."""
    for shape, axis in (((4, 1, 6), -1), ((4, 1, 6), 0), ((1, 5, 1), 1), ((1, 4), 1), ((3, 1), 0)):
        x = torch.tensor(1.5 * rng.standard_normal(shape), requires_grad=True)
        (gradient,) = torch.autograd.grad(mapping(x, axis).square().sum(), x)
        flat = x.detach().squeeze().requires_grad_()
        alone = sum(1 for n in shape[:axis] if n != 1) if axis >= 0 else -1
        (expected,) = torch.autograd.grad(mapping(flat, alone).square().sum(), flat)
        torch.testing.assert_close(gradient.squeeze(), expected, rtol=0, atol=1e-14)


@family
def test_a_single_item_has_a_constant_weight(mapping):
    x = torch.tensor([[0.7], [-3.0]], requires_grad=True)
    p = mapping(x)
    assert (p == 1).all()
    assert (torch.autograd.grad(p.sum(), x)[0] == 0).all()


@family
def test_second_derivatives_where_an_item_has_weight_zero(mapping):
    # Apart enough that every row has a weight of exactly 0, and that nothing sits on a border.
    x = torch.tensor([[2.0, 1.7, -1.0, 1.5], [0.0, 0.9, -2.5, 1.3]], dtype=torch.float64)
    x.requires_grad_()
    assert ((mapping(x) == 0).sum(-1) > 0).all()
    (gradient,) = torch.autograd.grad(mapping(x).square().sum(), x, create_graph=True)
    assert gradient.square().sum().isfinite()
    assert torch.autograd.gradgradcheck(mapping, (x,))


@family
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_far_below_zero_30(mapping, dtype):
    x = torch.tensor([-1000.0, -1000.0, -1004.0, -1008.0], dtype=dtype)
    p = mapping(x)
    exact = mapping(x.double())
    assert p.dtype == dtype
    torch.testing.assert_close(p.double(), exact, rtol=2**-8, atol=0)


@pytest.mark.parametrize("name", ["sparsemax", "entmax15", "entmax"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_rows_sum_to_one(name, dtype, rng):
    x = torch.tensor(rng.standard_normal((200, 512))).to(dtype)
    p = CATALOGUE[name](x)
    eps = {torch.float16: 2**-11, torch.bfloat16: 2**-8}[dtype]
    # One rounding of each weight; sums in cumulated half precision are off by up to 0.07.
    assert float((p.double().sum(-1) - 1).abs().max()) <= eps
    torch.testing.assert_close(p.double(), CATALOGUE[name](x.double()), rtol=eps, atol=1e-7)


@family
def test_under_autocast_31(mapping, rng):
    a = torch.tensor(rng.standard_normal((6, 8)).astype(np.float32), requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = a @ a.T
        p = mapping(scores)
    assert p.dtype == scores.dtype == torch.bfloat16
    torch.testing.assert_close(p.double(), mapping(scores.double()), rtol=2**-8, atol=1e-7)
    p.float().square().sum().backward()
    assert a.grad.isfinite().all()


@family
def test_the_same_bits_every_time_38(mapping, rng):
    x = torch.tensor(rng.standard_normal((16, 300)), requires_grad=True)
    torch.use_deterministic_algorithms(True)
    try:
        results = [mapping(x) for _ in range(3)]
        gradients = [torch.autograd.grad(p.square().sum(), x)[0] for p in results]
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(p, results[0]) for p in results)
    assert all(torch.equal(g, gradients[0]) for g in gradients)


@family
def test_solvers_end_at_rounding_without_being_told_how_many_steps(mapping, rng):
    """There is no number of iterations to choose, or to be ignored."""
    x = (3 * rng.standard_normal((50, 1000))).astype(np.float32)
    # Each weight is rounded once, up to 1.
    np.testing.assert_allclose(mapping(x), mapping(x.astype(np.float64)), rtol=0, atol=6e-8)


@family
def test_a_row_of_a_hundred_thousand_nearly_equal_scores(mapping, rng):
    x = 1e-3 * rng.standard_normal(100_000).astype(np.float32)
    total = mapping(x).sum(dtype=np.float64)
    assert total == pytest.approx(mapping.properties.sums_to, abs=1e-6)


def test_alpha_of_one_is_softmax_and_not_equal_shares_23(rng):
    x = rng.standard_normal(9)
    for alpha in (1, 1.0, np.array([1.0])):
        np.testing.assert_allclose(sharplib.entmax(x, alpha), sharplib.softmax(x), atol=1e-15)


def test_alpha_of_ten_in_float32_36(rng):
    x = rng.standard_normal((20, 1000)).astype(np.float32)
    exact = sharplib.entmax(x.astype(np.float64), 10.0)
    # Theirs is off by 0.18; here it is one rounding of a weight up to 1.
    np.testing.assert_allclose(sharplib.entmax(x, 10.0), exact, atol=6e-8)


def test_peaked_scores_and_a_large_alpha_32():
    x = torch.tensor([[50.0, -50.0, 0.0, 49.999], [1e4, -1e4, 0.0, 0.0]], requires_grad=True)
    for alpha in (1.5, 4.0, 30.0):
        p = sharplib.entmax(x, alpha)
        assert p.isfinite().all()
        torch.testing.assert_close(p.sum(-1), torch.ones(2))
        assert (p[:, 0] >= 0.5).all()
        assert torch.autograd.grad(p[:, 0].sum(), x)[0].isfinite().all()


def test_a_learned_alpha_cannot_leave_its_interval_39_and_29():
    """Pull as hard as you can: weights stay weights and gradients stay finite at both ends."""
    x = torch.tensor([1.0, 0.5, 0.2, -1.0])
    for target in (torch.full((4,), 0.25), torch.tensor([1.0, 0, 0, 0])):
        module = AdaptiveEntmax()
        optimiser = torch.optim.SGD(module.parameters(), lr=1e4)
        for _ in range(20):
            optimiser.zero_grad()
            (module(x) - target).square().sum().backward()
            assert module.logit.grad.isfinite()
            optimiser.step()
        assert 1 <= float(module.alpha.detach()) <= 2
        assert float(module(x).detach().sum()) == pytest.approx(1, abs=1e-6)


def test_one_alpha_per_head_10(rng):
    x = torch.tensor(rng.standard_normal((2, 3, 4, 5)))
    alpha = torch.tensor([1.1, 1.5, 2.0], dtype=torch.float64)[:, None, None]
    p = sharplib.entmax(x, alpha)
    for head in range(3):
        alone = sharplib.entmax(x[:, head], float(alpha[head]))
        torch.testing.assert_close(p[:, head], alone, rtol=0, atol=1e-15)


def test_the_gradient_of_a_budget_along_the_last_axis_of_a_matrix(rng):
    x = torch.tensor(rng.standard_normal((4, 6)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: sharplib.budget(x, 2.5), (x,))


def test_a_budget_row_of_zeros_and_ones_does_not_move():
    x = torch.tensor([[9.0, 8.0, 0.0, -1.0]], requires_grad=True)
    p = sharplib.budget(x, 2)
    assert p.tolist() == [[1, 1, 0, 0]]
    assert torch.autograd.grad(p[0, 0], x)[0].tolist() == [[0, 0, 0, 0]]
    for k in (0, 1, 2, 3, 4):  # whole budgets, generic scores
        y = torch.tensor([[0.3, -0.2, 0.9, 0.65]], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda y, k=k: sharplib.budget(y, k), (y,))


@every_loss
def test_losses_of_masked_scores_9(loss):
    x = torch.tensor([[1.0, -torch.inf, 0.5], [-torch.inf] * 3], requires_grad=True)
    result = loss(x, torch.tensor([0, 2]))
    assert result.isfinite().all()
    result.sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad[0, 1] == 0
    assert (x.grad[1] == 0).all()


@every_loss
def test_losses_take_weights_and_more_dimensions(loss, rng):
    x = rng.standard_normal((2, 3, 4))
    classes = rng.integers(0, 4, (2, 3))
    np.testing.assert_array_equal(loss(x, classes), loss(x, np.eye(4)[classes]))
    assert loss(x, classes).shape == (2, 3)


def test_a_budget_loss_of_masked_scores():
    x = torch.tensor([[1.0, -torch.inf, 0.5], [-torch.inf] * 3], requires_grad=True)
    result = losses.budget_loss(x, torch.tensor([[1.0, 0, 1], [1, 1, 0]]), 2)
    assert result.isfinite().all()
    result.sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad[0, 1] == 0
    assert (x.grad[1] == 0).all()


@every_loss
def test_a_class_of_minus_100_is_no_class_unless_it_is_ignored(loss):
    x, y = torch.zeros(2, 3), torch.tensor([1, -100])
    with pytest.raises(ValueError, match=r"^target must lie in \[0, 3\), got -100"):
        loss(x, y)
    kept = Loss(loss, ignore_index=-100, reduction="sum")(x, y)
    torch.testing.assert_close(kept, loss(x[:1], y[:1]).sum())


@every_loss
def test_the_mean_over_no_rows_is_zero(loss):
    x = torch.zeros(2, 3, requires_grad=True)
    mean = Loss(loss, ignore_index=-100)(x, torch.tensor([-100, -100]))
    mean.backward()
    assert mean == 0
    assert (x.grad == 0).all()


@pytest.mark.parametrize("loss", [losses.entmax_loss, losses.normmax_loss])
def test_losses_have_a_gradient_in_alpha(loss, rng):
    x = torch.tensor(rng.standard_normal((5, 4)))
    alpha = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 1, 2, 3, 0])
    assert torch.autograd.gradcheck(lambda a: loss(x, y, a), (alpha,))


def test_a_steep_alpha_trains_without_nan_16(rng):
    x = torch.tensor(10 * rng.standard_normal((64, 10)).astype(np.float32), requires_grad=True)
    y = torch.tensor(rng.integers(0, 10, 64))
    optimiser = torch.optim.SGD([x], lr=0.5)
    before = float(losses.entmax_loss(x, y, 10.0).sum().detach())
    for _ in range(30):
        optimiser.zero_grad()
        loss = losses.entmax_loss(x, y, 10.0).sum()
        loss.backward()
        assert x.grad.isfinite().all()
        optimiser.step()
    assert float(loss.detach()) < before / 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["sparsemax", "entmax"])
def test_export(name, rng):
    """Tabular models are shipped with their attentive masks."""
    x = torch.tensor(rng.standard_normal((4, 6)).astype(np.float32))
    module = Map(CATALOGUE[name].function, **CATALOGUE[name].settings)
    program = torch.export.export(module, (x,))
    torch.testing.assert_close(program.module()(x), module(x))
