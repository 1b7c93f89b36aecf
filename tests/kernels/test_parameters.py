"""Gradients for parameters, one for each row, from the loops and from the plain text."""

from __future__ import annotations

import pytest
import torch

import sharplib

CASES = {
    "entmax": (sharplib.entmax, (1.01, 3.0)),
    "normmax": (sharplib.normmax, (1.2, 5.0)),
    "budget": (sharplib.budget, (0.5, 8.0)),
    "sparsegen": (sharplib.sparsegen, (-1.0, 0.9)),
    "sparsehourglass": (sharplib.sparsehourglass, (0.1, 2.0)),
    "stieltjes": (sharplib.stieltjes, (1.0, 20.0)),
    "entropy": (sharplib.entropy_matched_softmax, (0.1, 2.5)),
    "tsoftmax": (sharplib.tsoftmax, (0.2, 4.0)),
    "plsoftmax": (sharplib.plsoftmax, (0.2, 4.0)),
    "rsoftmax": (sharplib.rsoftmax, (0.1, 0.9)),
    "power": (lambda x, a: sharplib.power_softmax(x + 3, a), (0.5, 8.0)),
    "sink": (sharplib.sink_softmax, (-2.0, 4.0)),
    "ssmax": (sharplib.ssmax, (0.1, 2.0)),
    "sigmoid": (sharplib.sigmoid_weights, (-4.0, 1.0)),
}


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("mapping", "bounds"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("axis", [-1, 0])
def test_gradients_for_one_parameter_per_row(mapping, bounds, axis, plain):
    generator = torch.Generator().manual_seed(3)
    shape, one = ((20, 33), (20, 1)) if axis == -1 else ((33, 20), (1, 20))
    scores = torch.randn(shape, generator=generator, dtype=torch.float64)
    grad = torch.randn(shape, generator=generator, dtype=torch.float64)
    values = torch.empty(one, dtype=torch.float64).uniform_(*bounds, generator=generator)

    def gradients():
        x, a = scores.clone().requires_grad_(), values.clone().requires_grad_()
        y = mapping(x.mT, a.mT).mT if axis == 0 else mapping(x, a)
        return torch.autograd.grad(y, (x, a), grad)

    # Solvers that stop at a few roundings, and a derivative by alpha that adds up cancelling terms.
    torch.testing.assert_close(gradients(), plain(gradients), rtol=1e-8, atol=1e-9)


@pytest.mark.usefixtures("fast")
def test_gradients_for_multimax(plain):
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn((20, 33), generator=generator, dtype=torch.float64)
    grad = torch.randn((20, 33), generator=generator, dtype=torch.float64)
    r, c = torch.tensor([-0.5, 0.5, 0.0, 1.0]), torch.tensor([-0.5, 0.2, -0.3, 0.1])

    def gradients():
        given = [t.double().clone().requires_grad_() for t in (scores, r, c)]
        return torch.autograd.grad(sharplib.multimax(*given), given, grad)

    torch.testing.assert_close(gradients(), plain(gradients), rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("fast")
def test_a_row_with_nan_gives_its_alpha_no_number():
    x = torch.tensor([[0.0, 1.0, torch.nan], [0.0, 1.0, 0.5]], requires_grad=True)
    alpha = torch.full((2, 1), 1.5, requires_grad=True)
    sharplib.entmax(x, alpha)[:, 1].sum().backward()
    assert alpha.grad.isnan().tolist() == [[True], [False]]
