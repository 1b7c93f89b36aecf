"""The arithmetic units: exact out of range, right gradients, and readable once trained."""

from __future__ import annotations

import math

import pytest
import scipy.stats
import sympy
import torch

from sharplib import arithmetic
from sharplib.arithmetic import (
    INALU,
    MCFC,
    NALU,
    NAU,
    NMRU,
    NMU,
    NPU,
    NRU,
    SNALU,
    GoldenNALU,
    ModifiedRealNPU,
    MulMCFC,
    MulMCFCSignRealNPU,
    NACAdd,
    NACMul,
    NACMulNMU,
    NACMulSigmoid,
    RealNPU,
    SigmoidNMU,
    StochasticNMU,
    Unit,
)
from sharplib.arithmetic.nac import radius

UNITS = [
    getattr(arithmetic, name)
    for name in arithmetic.__all__
    if isinstance(getattr(arithmetic, name), type) and name != "Unit"
]
BOTH = 40.0  # tanh and sigmoid of it are 1 to the last bit of float64
FAR = torch.tensor(
    [[3.0, -7.0, 5.0], [-1e20, 1e-20, 2.0], [-1e-20, -1e20, 0.0], [1e10, 3e10, -1e20]],
    dtype=torch.float64,
)
MIXED = torch.tensor([[0.5, -1.5, 2.0], [-1.2, 0.7, -0.3]], dtype=torch.float64)
SIGNLESS = (NACMul, NACMulSigmoid, NACMulNMU, NALU, GoldenNALU)
ZEROS = torch.tensor([[0.0, 3.0, 1.0], [0.0, 0.0, 5.0], [4.0, 1.0, 0.0]], dtype=torch.float64)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def allowed(kind: type[Unit], x: torch.Tensor) -> torch.Tensor:
    """Inputs that a unit can take: logarithms want positive ones."""
    return x.abs() if kind is MulMCFC else x


def ideal(kind: type[Unit], operation: str) -> Unit:
    """A unit whose first output takes the first two of three inputs, in evaluation mode."""
    # what a mass-conserving layer leaves out must go to another output
    unit = kind(3, 2 if issubclass(kind, MCFC) else 1).double().eval()
    second = {"add": 1.0, "sub": -1.0, "mul": 1.0, "div": -1.0}[operation]
    weight = torch.tensor([[1.0, second, 0.0]], dtype=torch.float64)
    sums = operation in ("add", "sub")
    values = {
        "weight": torch.cat([weight.clamp(min=0), (-weight).clamp(min=0)], -1)
        if kind is NMRU
        else weight,
        "direction": BOTH * weight * torch.ones(2, 1, 3) if kind is INALU else 99 * weight,
        "amount": 99 * (2 * weight - 1)
        if kind in (NACMulSigmoid, SigmoidNMU)
        else torch.tensor(99.0),
        "mass": 99 * torch.tensor([[1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]]),
        "opening": torch.tensor(99.0),
        "bias": torch.tensor(0.0),
        "offset": torch.tensor(0.0),
        "turn": torch.tensor([1.0, 1.0, 0.0]),
        "imaginary": torch.tensor(0.0),
        "gate": torch.tensor([1.0, 1.0, 0.0])
        if isinstance(unit, RealNPU)
        else torch.tensor(99.0 if sums else -99.0),
    }
    with torch.no_grad():
        for name, parameter in unit.named_parameters():
            # These gates are exactly 0 or 1 only at infinity; sigmoid(-1000) is exactly 0.
            scale = 1000 if isinstance(unit, INALU | SNALU) and name == "gate" else 1
            parameter.copy_(scale * values[name])
    return unit


def exactly(operation: str, x: torch.Tensor) -> torch.Tensor:
    a, b = x[:, :1], x[:, 1:2]
    return {"add": a + b, "sub": a - b, "mul": a * b, "div": a / b}[operation]


CLAIMS = [
    (kind, operation)
    for kind in UNITS
    for operation in ("add", "sub", "mul", "div")
    if operation in kind.operations
]


# --- What a solved unit computes ------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "operation"), CLAIMS)
def test_a_solved_unit_is_exact_far_out_of_range(kind, operation):
    unit = ideal(kind, operation)
    if issubclass(kind, NALU):  # its gate looks at the input: it can be right on one side only
        side = -1.0 if operation in ("mul", "div") else 1.0
        unit.gate.data = torch.tensor([[99.0 * side, 0.0, 0.0]], dtype=torch.float64)
        x = torch.tensor([[50.0, 7.0, 3.0], [1e5, 1e-5, 2.0]], dtype=torch.float64)
    elif isinstance(unit, INALU) and operation in ("mul", "div"):
        # inputs of at least 1e-7, results of at most e^20
        x = torch.tensor([[3.0, -7.0, 5.0], [-1e4, -1e4, 2.0], [1e-6, 1e2, 0.0]]).double()
    elif isinstance(unit, SNALU):
        x = FAR[:2]  # where the input that is left out is positive: its sign would count
    elif issubclass(kind, MulMCFC):
        x = allowed(kind, FAR[[0, 1, 3]])  # without the zero, which it cannot leave out
    else:
        x = FAR
    want = exactly(operation, x)
    if kind in SIGNLESS and operation in ("mul", "div"):
        want = want.abs()
    # A product by logarithms is off by the rounding of the logarithm, up to 100, and by epsilon.
    epsilon = 1e-7 if kind in SIGNLESS else 1e-8 if kind is SNALU else 0.0
    epsilon = 2.0**-23 if isinstance(unit, RealNPU) else epsilon
    least = x[:, :2].abs().amin(1, keepdim=True)
    error = ((unit(x)[:, :1] - want) / want).abs()
    if epsilon:
        sure = least[:, 0] > 1e-3
        error = (error - 2 * epsilon / least)[sure]
        assert sure.any()
    assert (error <= 200 * 2**-52).all()


@pytest.mark.parametrize("kind", [NMU, SigmoidNMU, StochasticNMU, NMRU, NRU])
def test_products_with_zeros_are_exact(kind):
    assert torch.equal(ideal(kind, "mul")(ZEROS), exactly("mul", ZEROS))


def test_the_sign_of_a_sign_nalu_is_that_of_all_inputs():
    x = torch.tensor([[3.0, 4.0, -5.0]], dtype=torch.float64)
    assert math.isclose(ideal(SNALU, "mul")(x).item(), -12, rel_tol=1e-7)  # epsilon is 1e-8


def test_a_mass_conserving_layer_with_one_output_cannot_leave_anything_out():
    unit = MCFC(3, 1, generator=seeded(1))
    unit.mass.data = 99 * torch.tensor([[1.0, 1.0, -1.0]])
    assert unit.share().tolist() == [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize("kind", [NAU, NACAdd, INALU])
def test_sums_with_zeros_are_exact(kind):
    for operation in ("add", "sub"):
        assert torch.equal(ideal(kind, operation)(ZEROS), exactly(operation, ZEROS))


@pytest.mark.parametrize(("kind", "operation"), CLAIMS)
def test_a_solved_unit_can_be_read(kind, operation):
    a, b, c = sympy.symbols("a b c", real=True)
    unit = ideal(kind, operation)
    found = unit.formula(["a", "b", "c"])[0]
    size = abs if kind in SIGNLESS else lambda x: x
    want = {
        "add": a + b,
        "sub": a - b,
        "mul": size(a) * size(b),
        "div": size(a) / size(b),
    }[operation]
    if isinstance(unit, NALU):  # for positive inputs, where the gate is shut or open
        at = {a: 50.0, b: 7.0, c: 0.0}
        assert math.isclose(found.subs(at), want.subs(at), rel_tol=1e-9)
    else:
        for values in ((3, -7, 5), (-2, -5, 1), (4, 9, 1)):
            at = dict(zip((a, b, c), values, strict=True))
            assert found.subs(at) == want.subs(at)
    assert unit.sparsity_error().item() < 1e-12


def test_formulas_of_a_stack_or_with_wrong_names_are_refused():
    with pytest.raises(ValueError, match="formula reads one unit, got a stack"):
        NMU.stack([NMU(2, 1)]).formula()
    with pytest.raises(ValueError, match=r"names must be 2, got \['a'\]"):
        NMU(2, 1).formula(["a"])
    with pytest.raises(ValueError, match="inputs must be at least 1, got 0"):
        NMU(0, 1)
    for bad in (2.0, "2"):
        with pytest.raises(TypeError, match="outputs must be an integer, got "):
            NMU(1, bad)


@pytest.mark.parametrize("kind", UNITS, ids=lambda kind: kind.__name__)
def test_weights_that_are_no_numbers_are_not_read(kind):
    unit = kind(2, 1)
    for parameter in unit.parameters():
        parameter.data.fill_(math.nan)
    with pytest.raises(ValueError, match=r"^formula reads finite weights, got \[\[nan"):
        unit.formula()


@pytest.mark.parametrize("kind", UNITS, ids=lambda kind: kind.__name__)
def test_one_input_is_not_taken_for_many(kind):
    # Units that multiply matrices leave the message to torch.
    with pytest.raises(
        (ValueError, RuntimeError), match=r"x must hold 3 inputs, got|mat1 and mat2"
    ):
        kind(3, 2)(torch.ones(5, 1))


@pytest.mark.parametrize("end", [5, 10])
def test_a_ramp_without_length_is_refused(end):
    with pytest.raises(ValueError, match=rf"^end must be later than start, 10, got {end}$"):
        arithmetic.ramp(7, 10, end)


# --- Gradients ------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", UNITS)
def test_gradients_are_those_of_finite_differences(kind, training):
    unit = kind(3, 2, generator=seeded(1)).double().train(training)
    if kind is NRU and training:  # away from the flat part of tanh(1000 w)
        unit.weight.data = torch.tensor([[2e-4, -3e-4, 0.5], [-0.4, 1e-4, 0.3]]).double()
    if isinstance(unit, StochasticNMU):
        unit.noise = (2.0, 2.0)
    x = allowed(kind, MIXED.clone())
    names, values = zip(*unit.named_parameters(), strict=True)

    def run(x, *values):
        return torch.func.functional_call(unit, dict(zip(names, values, strict=True)), (x,))

    inputs = [x.requires_grad_(), *(v.detach().clone().requires_grad_() for v in values)]
    # The reciprocal unit bends within 1e-3 in training, so the step must be far below that.
    assert torch.autograd.gradcheck(run, inputs, eps=1e-7, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", UNITS)
def test_every_raw_parameter_learns(kind):
    unit = kind(3, 2, generator=seeded(2))
    if kind is NRU:
        unit.weight.data *= 1e-3
    # Negative inputs, or what turns a sign would not feel anything.
    unit(allowed(kind, MIXED.float())).sum().backward()
    for name, parameter in unit.named_parameters():
        assert (parameter.grad != 0).all(), name


def test_the_gradient_of_a_product_does_not_divide_by_zero():
    weight = torch.ones(1, 4, requires_grad=True)
    arithmetic.nmu(torch.tensor([[0.0, 2.0, 3.0, 5.0]]), weight).sum().backward()
    assert weight.grad.tolist() == [[-30.0, 0.0, 0.0, 0.0]]


# --- Stacks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", UNITS)
def test_a_stack_is_its_units_side_by_side(kind):
    units = [kind(3, 2, generator=seeded(seed)).eval() for seed in range(4)]
    stack = kind.stack(units).eval()
    x = allowed(kind, torch.randn(4, 5, 3, generator=seeded(9)))
    each = torch.stack([unit(x) for unit, x in zip(units, x, strict=True)])
    # A few roundings of float32: products of matrices and vector loops go another way.
    close = {"rtol": 1e-5, "atol": 1e-6}
    torch.testing.assert_close(stack(x), each, **close)
    assert stack(x[0]).shape == (4, 5, 2)
    penalties = torch.stack([unit.penalty() for unit in units])
    torch.testing.assert_close(stack.penalty().expand(4), penalties, **close)
    errors = torch.stack([unit.sparsity_error() for unit in units])
    torch.testing.assert_close(stack.sparsity_error(), errors, **close)
    square = kind.stack([kind.stack(units[:2]), kind.stack(units[2:])]).eval()
    apart = square(x.reshape(2, 2, 5, 3))
    torch.testing.assert_close(apart.reshape(4, 5, 2), stack(x), **close)


# --- Regularisers and clipping, one number at a time ----------------------------------------------


def nearest(w: float, signed: bool) -> float:
    return min(abs(w - whole) for whole in ((-1, 0, 1) if signed else (0, 1)))


def penalty_by_hand(unit: Unit) -> float:
    values = {name: p.flatten().tolist() for name, p in unit.named_parameters()}
    if isinstance(unit, NMU | NAU):
        far = [nearest(w, isinstance(unit, NAU)) for w in values["weight"]]
        return sum(far) / len(far)
    if isinstance(unit, ModifiedRealNPU):
        powers = [abs(1 - abs(w)) for w in values["weight"]]
        gates = [nearest(g, True) for g in values["gate"]]
        return sum(powers) / len(powers) + sum(gates) / len(gates)
    if isinstance(unit, RealNPU):
        return sum(abs(w) for tensor in values.values() for w in tensor)
    if isinstance(unit, MCFC):
        tensors = [values[name] for name in ("mass", "opening", "bias")]
        return -sum(sum(w * w for w in tensor) / len(tensor) for tensor in tensors)
    if isinstance(unit, INALU):
        halves = [values["direction"][:6], values["direction"][6:]]
        halves += [values["amount"][:6], values["amount"][6:], values["gate"]]
        return sum(sum(max(20 - abs(w), 0) for w in half) / len(half) for half in halves)
    return 0.0


@pytest.mark.parametrize("kind", UNITS)
def test_the_penalty_is_its_formula(kind):
    unit = kind(3, 2, generator=seeded(3)).double()
    with torch.no_grad():
        for parameter in unit.parameters():
            parameter.copy_(3 * torch.randn(parameter.shape, generator=seeded(4)))
    assert math.isclose(unit.penalty().item(), penalty_by_hand(unit), rel_tol=1e-12)


@pytest.mark.parametrize("kind", UNITS)
def test_clipping_keeps_what_is_in_range_and_no_more(kind):
    ranges = {"weight": (0, 1) if issubclass(kind, NMU) else (-1, 1), "gate": (0, 1)}
    clipped = issubclass(kind, NMU | NAU | ModifiedRealNPU)
    unit = kind(3, 2)
    with torch.no_grad():
        for parameter in unit.parameters():
            parameter.copy_(3 * torch.randn(parameter.shape, generator=seeded(4)))
    before = {name: p.clone() for name, p in unit.named_parameters()}
    unit.clip()
    for name, parameter in unit.named_parameters():
        want = before[name].clamp(*ranges[name]) if clipped else before[name]
        assert torch.equal(parameter, want), name
        assert clipped == bool((parameter != before[name]).any())


def test_solved_weights_cost_nothing():
    assert ideal(NMU, "mul").penalty() == 0
    assert ideal(NAU, "sub").penalty() == 0
    assert ideal(NMRU, "div").penalty() == 0


# --- Where units start ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", UNITS)
def test_units_start_where_their_papers_say(kind):
    unit = kind(40, 50, generator=seeded(5))
    named = dict(unit.named_parameters())
    small = min(0.5, math.sqrt(6 / 90))
    if isinstance(unit, NMU):
        laws = {"weight": scipy.stats.uniform(0.25, 0.5)}
    elif isinstance(unit, NAU | RealNPU):
        laws = {"weight": scipy.stats.uniform(-small, 2 * small)}
    elif isinstance(unit, NACMulSigmoid):
        laws = {"amount": scipy.stats.norm(0, math.sqrt(2 / 90))}
    elif isinstance(unit, SigmoidNMU):
        laws = {"amount": scipy.stats.uniform(-math.sqrt(0.75), math.sqrt(3))}
    elif isinstance(unit, SNALU):
        bound = math.sqrt(6 / 90)
        laws = dict.fromkeys(("direction", "amount"), scipy.stats.uniform(-bound, 2 * bound))
        gates = [kind(2, 1, generator=seeded(s)).gate.item() for s in range(500)]
        assert scipy.stats.kstest(gates, scipy.stats.uniform(-(3**0.5), 12**0.5).cdf).pvalue > 1e-4
    elif isinstance(unit, MCFC):
        laws = {}
        # orthonormal columns, to the rounding of 50 products in float32
        torch.testing.assert_close(unit.mass.mT @ unit.mass, torch.eye(40), rtol=0, atol=1e-5)
        torch.testing.assert_close(unit.opening.norm(), torch.tensor(1.0))
        assert torch.equal(kind(3, 3).mass, torch.eye(3))
        zero = [value for name, value in named.items() if name in ("bias", "offset")]
        assert all((value == 0).all() for value in zero)
        assert not isinstance(unit, MulMCFCSignRealNPU) or (unit.turn == 0.5).all()
    elif isinstance(unit, INALU):
        laws = {"direction": scipy.stats.norm(0.88, 0.2), "amount": scipy.stats.norm(0.5, 0.2)}
    else:
        r = radius(40, 50)
        laws = dict.fromkeys(("direction", "amount"), scipy.stats.uniform(-r, 2 * r))
        # the aim of r: a variance of 2 / (I + O); 2,000 weights give it to about 3 percent
        if kind is not GoldenNALU:
            assert math.isclose(unit.selection().var().item(), 2 / 90, rel_tol=0.15)
    for name, law in laws.items():
        # With the seed fixed this is no chance; a wrong law of 2,000 numbers is far below 1e-4.
        assert scipy.stats.kstest(named[name].detach().flatten(), law.cdf).pvalue > 1e-4
    if isinstance(unit, RealNPU):
        assert (unit.gate == 0.5).all()
    again = kind(40, 50, generator=seeded(5))
    for one, other in zip(unit.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


# --- Noise ----------------------------------------------------------------------------------------


def test_noise_is_multiplied_in_and_divided_out():
    """The public code's way: noise in, one product, divided by another product."""
    g = seeded(6)
    x, weight = torch.randn(50, 4, generator=g).double(), torch.rand(2, 4, generator=g).double()
    noise = 1 + 4 * torch.rand(50, 4, generator=g).double()
    for b in range(50):
        for o in range(2):
            above = below = 1.0
            for xi, n, w in zip(x[b].tolist(), noise[b].tolist(), weight[o].tolist(), strict=True):
                above, below = above * (w * (n * xi) + 1 - w), below * (w * n + 1 - w)
            for text in (arithmetic.snmu, arithmetic.snmu_by_weights):
                found = text(x, weight, noise)[b, o].item()
                # four factors, a few roundings each
                assert math.isclose(found, above / below, rel_tol=1e-13, abs_tol=1e-13)


def test_both_forms_of_noise_have_the_same_gradient():
    g = seeded(7)
    x, noise = torch.randn(20, 3, generator=g).double(), 1 + torch.rand(20, 3, generator=g).double()
    grads = []
    for text in (arithmetic.snmu, arithmetic.snmu_by_weights):
        weight = torch.tensor([[0.1, 0.5, 0.9]], dtype=torch.float64, requires_grad=True)
        text(x, weight, noise).square().sum().backward()
        grads.append(weight.grad)
    torch.testing.assert_close(*grads, rtol=1e-12, atol=0)


@pytest.mark.parametrize("noise", [(1.0, 5.0), "batch"])
def test_noise_never_touches_the_input_and_ends_with_training(noise):
    unit = StochasticNMU(2, 1, noise=noise, generator=seeded(8))
    x = torch.randn(64, 2, generator=seeded(9))
    before = x.clone()
    assert not torch.equal(unit(x), unit(x))
    assert torch.equal(x, before)
    unit.eval()
    assert torch.equal(unit(x), arithmetic.nmu(x, unit.weight))
    assert repr(unit).endswith(f"noise={noise!r})")


def test_discrete_weights_see_no_noise():
    unit = ideal(StochasticNMU, "mul").train()
    # two roundings of a factor that is divided again
    torch.testing.assert_close(unit(FAR), exactly("mul", FAR), rtol=4 * 2**-53, atol=0)


@pytest.mark.parametrize(
    ("low", "width", "upper"), [(10.0, 10.0, 1.35), (-2.0, 4.0, 1.87), (-0.2, 0.1, 35.6)]
)
def test_the_noise_of_a_batch_is_as_wide_as_the_batch_is_narrow(low, width, upper):
    """Upper bounds from the standard deviation of a uniform law, width / sqrt(12)."""
    unit = StochasticNMU(2, 1, noise="batch")
    x = low + width * torch.rand(3, 100_000, 2, generator=seeded(10))
    _, found = unit._range(x)
    assert found.shape == (3, 1, 1)
    torch.testing.assert_close(1 + found, torch.full((3, 1, 1), upper), rtol=5e-3, atol=0)


def test_a_batch_without_spread_gets_no_noise():
    unit = StochasticNMU(1, 1, noise="batch")
    for x in (torch.full((5, 1), 3.0), torch.tensor([[3.0]])):
        assert torch.equal(unit(x), arithmetic.nmu(x, unit.weight))


@pytest.mark.parametrize(
    "noise", [(0.0, 1.0), (2.0, 1.0), (1.0, math.inf), (-1.0, 1.0), (1.0,), 5.0, "all"]
)
def test_noise_that_is_no_range_is_refused(noise):
    with pytest.raises(ValueError, match=r'noise must be "batch" or 0 < low <= high, got '):
        StochasticNMU(2, 1, noise=noise)


# --- Training -------------------------------------------------------------------------------------

RAW = (NACAdd, NACMul, NACMulSigmoid, NALU, SNALU, GoldenNALU, INALU, SigmoidNMU)
"""Units whose weights are discrete only for infinite parameters: they come near, no more."""


@pytest.mark.parametrize("kind", UNITS)
def test_learns_in_seconds(kind):
    """Of eight models, trained side by side on one range, at least one finds the answer."""
    operation = "add" if "add" in kind.operations else "mul"
    unit = kind.stack([kind(2, 1, generator=seeded(seed)) for seed in range(8)])
    optimiser = torch.optim.Adam(unit.parameters(), lr=0.1 if kind in RAW else 0.02)
    g = seeded(11)

    def draw(size: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = 1 + torch.rand(8, size, 2, generator=g)
        return x, exactly(operation, x.flatten(0, 1)).reshape(8, size, 1)

    for step in range(500):
        x, target = draw(64)
        optimiser.zero_grad()
        weight = 0.0 if kind in (*RAW, RealNPU, NPU) else arithmetic.ramp(step, 250, 350)
        loss = (unit(x) - target).square().mean((-2, -1)) + weight * unit.penalty()
        loss.sum().backward()
        optimiser.step()
        unit.clip()
    unit.eval()
    x, target = draw(256)
    error = (unit(x) - target).square().mean((1, 2))
    # A target has a variance of 1/6 or more.
    assert error.min() < (5e-3 if kind in RAW else 1e-5)
    if kind not in RAW:
        assert unit.sparsity_error()[error.argmin()] < 1e-2
