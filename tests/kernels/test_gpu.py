"""The kernels for a GPU: what they give, when they are used, and that they compile.

Without a GPU, Triton's interpreter runs them in NumPy, which warns where infinities meet.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import sharplib
from sharplib.kernels import _gpu

if find_spec("triton") is None:
    if "CI" in os.environ and sys.platform == "linux":
        pytest.fail("Triton is missing", pytrace=False)
    pytest.skip("needs Triton, which comes for Linux", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:triton")

ALPHAS = {
    sharplib.sparsemax: 2.0,
    sharplib.entmax15: 1.5,
    **{partial(sharplib.entmax, alpha=a): a for a in (1 + 1e-6, 1.05, 4 / 3, 1.7, 1.99999)},
}
NAMES = ["sparsemax", "entmax15", *(f"entmax, alpha {a:.6g}" for a in list(ALPHAS.values())[2:])]


@pytest.fixture
def calls(gpu, monkeypatch):
    """The kernels that were run."""
    names = []
    inner = _gpu.launch

    def watched(half, arrays, axis):
        names.append(half.kernel)
        return inner(half, arrays, axis)

    monkeypatch.setattr(_gpu, "launch", watched)
    return names


def value_and_gradient(mapping, x, grad):
    x = x.detach().requires_grad_()
    y = mapping(x)
    (by_x,) = torch.autograd.grad(y, x, grad)
    return y.detach().double().cpu().numpy(), by_x.double().cpu().numpy()


def check(mapping, x, grad, device, plain, names):
    """Weights against the plain text in float64; gradients, against the Jacobian at the weights.

    An item that is about to leave has a weight that no precision gets right, and its share of the
    gradient is a root of that.
    """
    p, by_x = value_and_gradient(mapping, x.to(device), grad.to(device))
    exact, exact_by_x = plain(lambda: value_and_gradient(mapping, x.double(), grad.double()))
    np.testing.assert_array_equal(np.isnan(p), np.isnan(exact))
    np.testing.assert_array_equal(np.isnan(by_x), np.isnan(exact_by_x))

    g = grad.double().numpy()
    u = np.where(p > 0, p, 1) ** (2 - ALPHAS[mapping]) * (p > 0)
    mean = (u * g).sum(1, keepdims=True) / np.maximum(u.sum(1, keepdims=True), 1e-300)
    pulled = np.where(np.isnan(by_x), np.nan, u * (g - mean))
    # 40 roundings of the largest weight, as for the loops on the CPU; and of u and g.
    largest = np.nanmax(exact, axis=1, initial=0), np.abs(u).max(1) * np.abs(g).max(1)
    for found, truth, scale in zip((p, by_x), (exact, pulled), largest, strict=True):
        off = np.nanmax(np.abs(found - truth), axis=1, initial=0)
        assert {names[i] for i in np.flatnonzero(~(off <= 40 * 2.0**-24 * scale + 1e-30))} == set()


@pytest.mark.parametrize("n", [1, 2, 33, 700])
@pytest.mark.parametrize("mapping", ALPHAS, ids=NAMES)
def test_rows_of_every_kind(mapping, n, gpu, calls, plain, scores, kinds, rng):
    grad = torch.tensor(rng.standard_normal((len(kinds), n)).astype(np.float32))
    check(mapping, torch.tensor(scores(n).astype(np.float32)), grad, gpu, plain, kinds)
    assert len(calls) == 2


@pytest.mark.parametrize("mapping", ALPHAS, ids=NAMES)
def test_long_rows_from_scattered_to_nearly_flat(mapping, gpu, plain, rng):
    spreads = [1.0, 1e-2, 1e-3, 1e-4, 1e-5]  # the last keep every item
    x = torch.tensor(rng.standard_normal((5, 20_000)) * np.array(spreads)[:, None]).float()
    check(mapping, x, torch.randn(x.shape), gpu, plain, spreads)


def test_any_axis_and_any_strides(gpu, calls, plain, rng):
    values = torch.tensor(rng.standard_normal((4, 6, 5)).astype(np.float32))
    for axis in (-1, 0, 1):
        for x in (values, values[:, ::2], values.transpose(0, 2)):
            p = sharplib.entmax15(x.to(gpu), axis)
            assert calls.pop() == "entmax15"
            same = plain(lambda x=x, axis=axis: sharplib.entmax15(x, axis))
            torch.testing.assert_close(p.cpu(), same, rtol=1e-5, atol=1e-6)


def test_an_alpha_for_each_row_gets_its_gradient(gpu, calls, plain, rng):
    x = torch.tensor(rng.standard_normal((3, 2, 40)).astype(np.float32))
    alpha = torch.tensor([[[1.2], [1.9]]], dtype=torch.float64)  # shared by the first axis

    def gradients(x, alpha):
        x, alpha = (a.detach().requires_grad_() for a in (x, alpha))
        return torch.autograd.grad((sharplib.entmax(x, alpha) ** 2).sum(), (x, alpha))

    found = gradients(x.to(gpu), alpha.to(gpu))
    assert calls == ["entmax"]  # the rest is plain text
    for fast, slow in zip(found, plain(lambda: gradients(x.double(), alpha)), strict=True):
        torch.testing.assert_close(fast.cpu().double(), slow, rtol=1e-5, atol=1e-6)


def test_half_precision_and_a_gradient_without_strides(gpu, calls, rng):
    x = torch.tensor(rng.standard_normal((3, 40))).to(gpu, torch.bfloat16).requires_grad_()
    p = sharplib.entmax15(x)
    p.sum().backward()
    assert calls == ["entmax15", "entmax15_vjp"]
    assert p.dtype == x.grad.dtype == torch.bfloat16
    # The sum of the weights does not depend on the scores; weights have 8 binary digits.
    assert x.grad.abs().max() < 2.0**-8


LEFT = {
    "float64": lambda x: sharplib.sparsemax(x.double()),
    "a row too long": lambda x: sharplib.sparsemax(x.new_zeros(1, _gpu.LONGEST + 1)),
    "no row": lambda x: sharplib.sparsemax(x[:0]),
    "alpha above 2": lambda x: sharplib.entmax(x, 2.5),
    "an alpha of 1": lambda x: sharplib.entmax(x, torch.tensor([[1.0], [1.5], [2.0]]).to(x.device)),
    "vmap": torch.func.vmap(sharplib.sparsemax),
}


@pytest.mark.parametrize("work", LEFT.values(), ids=LEFT.keys())
def test_the_plain_text_does_the_rest(work, gpu, calls, rng):
    work(torch.tensor(rng.standard_normal((3, 4)).astype(np.float32)).to(gpu))
    assert calls == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # of torch about its own parts
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_compiled_graph_calls_the_kernel(gpu, calls, plain, rng):
    x = torch.tensor(rng.standard_normal((3, 40)).astype(np.float32))
    compiled = torch.compile(sharplib.entmax15, fullgraph=True, backend="aot_eager")
    p = compiled(x.to(gpu))
    assert calls == ["entmax15"]
    torch.testing.assert_close(p.cpu(), plain(lambda: sharplib.entmax15(x)), rtol=1e-5, atol=1e-6)


def test_who_counts_operations_sees_them(gpu, calls, rng):
    with FlopCounterMode(display=False):
        sharplib.sparsemax(torch.tensor(rng.standard_normal((3, 4)).astype(np.float32)).to(gpu))
    assert calls == []


def test_second_derivatives_go_through_the_plain_text(gpu, calls, rng):
    x = torch.tensor(rng.standard_normal(5).astype(np.float32)).to(gpu).requires_grad_()
    (by_x,) = torch.autograd.grad(sharplib.entmax15(x)[0], x, create_graph=True)
    assert calls == ["entmax15"]
    torch.autograd.grad(by_x.square().sum(), x)  # its own first derivative may take the kernel
    assert calls.count("entmax15") == 1


# Each as Triton's compiler takes it: for one item, and for as many as a row may have.
COMPILE = """
import sys
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from sharplib.kernels import _gpu, _triton

target = GPUTarget({target})
names = {{h.kernel: h.kinds for halves in _gpu.RULES.values() for h in halves if h}}
for name, kinds in names.items():
    pointers = ["*fp64" if kind == "r" else "*fp32" for kind in kinds.strip("-").replace(">", "")]
    kernel = getattr(_triton, name)
    signature = dict(zip(kernel.arg_names, [*pointers, "i32", "constexpr"], strict=True))
    for block, warps in ((16, 1), (_gpu.LONGEST, {warps})):
        source = ASTSource(kernel, signature, {{(len(pointers) + 1,): block}})
        made = compile(source, target=target, options={{"num_warps": warps}})
        print(name, made.metadata.shared, len(made.asm["{code}"]))
"""


@pytest.mark.parametrize(
    ("target", "warps", "code"),
    [
        ('"cuda", 80, 32', 32, "cubin"),
        ('"cuda", 90, 32', 32, "cubin"),
        ('"hip", "gfx942", 64', 16, "hsaco"),
    ],
    ids=["Ampere", "Hopper", "MI300"],
)
def test_compiles_without_a_gpu(target, warps, code, tmp_path):
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE.format(target=target, warps=warps, code=code)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    made = [line.split() for line in done.stdout.splitlines()]
    assert len(made) == 12
    assert {name for name, _, _ in made} >= {"sparsemax", "entmax_vjp"}
    # Only sums over the warps of a row pass through shared memory, not rows: 128 kB.
    assert max(int(shared) for _, shared, _ in made) <= 1024
    assert min(int(size) for _, _, size in made) > 1000
