"""When the loops are used, and on which arrays."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

import sharplib
from sharplib.kernels import _launch, _rules

# Not a thing that this test brings about: torch and Python about forks of processes with threads.
FORK = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture
def calls(fast, monkeypatch):
    """The loops that were run."""
    names = []
    inner = _rules.launch

    def watched(loop, *args):
        names.append(loop.__name__)
        return inner(loop, *args)

    monkeypatch.setattr(_rules, "launch", watched)
    return names


@pytest.fixture
def x(rng):
    return torch.tensor(rng.standard_normal((6, 5)), dtype=torch.float32)


def run_alone(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


def test_forward_and_backward(calls, x):
    sharplib.sparsemax(x.requires_grad_()).sum().backward()
    assert calls == ["sparsemax", "sparsemax_vjp"]


@pytest.mark.usefixtures("fast")
def test_any_axis_and_any_strides(plain, rng):
    values = rng.standard_normal((4, 6, 5)).astype(np.float32)
    for axis in (-1, 0, 1, -2):
        for given in (values, values[:, ::2, ::-1], np.asfortranarray(values)):
            wanted = plain(lambda given=given, axis=axis: sharplib.entmax15(given, axis))
            # Another order of the same sum: a few roundings.
            np.testing.assert_allclose(sharplib.entmax15(given, axis), wanted, rtol=1e-6)


@pytest.mark.usefixtures("fast")
def test_an_expanded_gradient(x):
    y = sharplib.softmax(x.requires_grad_())
    (grad,) = torch.autograd.grad(y, x, torch.ones(()).expand(6, 5))
    assert grad.abs().max() < 1e-6


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("mapping", [sharplib.sparsemax, sharplib.entmax, sharplib.softmax])
def test_a_row_does_not_depend_on_threads_or_other_rows(mapping, monkeypatch, plain, rng):
    monkeypatch.setattr(_launch, "_ITEMS_PER_THREAD", 1)
    x = rng.standard_normal((23, 99)).astype(np.float32)
    alone = np.concatenate([mapping(row[None]) for row in x])
    np.testing.assert_allclose(alone, plain(lambda: mapping(x)), rtol=1e-6, atol=1e-7)
    for threads in (1, 2, 3, 7):
        monkeypatch.setattr(_launch, "_threads", lambda n=threads: n)
        np.testing.assert_array_equal(mapping(x), alone)


TEAMS = pytest.mark.parametrize(
    "team", [team for team in (_launch._team_of_torch(), _launch._team_of_python) if team]
)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another OpenMP library")
def test_torch_lends_its_threads():
    assert _launch._team() is _launch._team_of_torch() is not None


@TEAMS
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_team_works_on_as_many_threads(team, threads):
    """Each waits until all are there."""
    everybody, seen = threading.Barrier(threads), []

    def work(_: object = None) -> None:
        everybody.wait(timeout=60)
        seen.append(threading.get_ident())

    team(work, threads)
    assert len(set(seen)) == threads
    assert threading.get_ident() in seen


@TEAMS
@pytest.mark.usefixtures("fast")
def test_what_a_thread_raises_reaches_the_caller(team, monkeypatch):
    def fails(*arrays: object) -> None:
        raise MemoryError(arrays[-2:])

    monkeypatch.setattr(_launch, "_team", lambda: team)
    monkeypatch.setattr(_launch, "_threads", lambda: 2)
    monkeypatch.setattr(_launch, "_ITEMS_PER_THREAD", 1)
    with pytest.raises(MemoryError, match=r"\(0, 4\)|\(4, 8\)"):
        _launch._share_out(fails, 8, 3, (), ())


def test_a_team_that_is_smaller_than_asked_for_does_all_rows(monkeypatch):
    done = []
    monkeypatch.setattr(_launch, "_team", lambda: lambda work, _threads: work())
    monkeypatch.setattr(_launch, "_threads", lambda: 4)
    monkeypatch.setattr(_launch, "_ITEMS_PER_THREAD", 1)
    _launch._share_out(lambda start, stop: done.append((start, stop)), 8, 3, (), ())
    assert done == [(0, 2), (2, 4), (4, 6), (6, 8)]


@pytest.mark.usefixtures("fast")
def test_several_callers_at_once(rng):
    x = rng.standard_normal((64, 512)).astype(np.float32)
    wanted = sharplib.softmax(x)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(sharplib.softmax, [x] * 40):
            np.testing.assert_array_equal(found, wanted)


@FORK
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork by default")
@pytest.mark.usefixtures("fast")
def test_a_forked_process_has_threads_of_its_own(monkeypatch, rng):
    monkeypatch.setattr(_launch, "_threads", lambda: 2)
    monkeypatch.setattr(_launch, "_ITEMS_PER_THREAD", 1)
    x = rng.standard_normal((64, 33)).astype(np.float32)
    wanted = sharplib.softmax(x)  # the parent has started its threads
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=lambda: queue.put(sharplib.softmax(x)))
    child.start()
    np.testing.assert_array_equal(queue.get(timeout=60), wanted)
    child.join(60)
    assert child.exitcode == 0


@pytest.mark.usefixtures("fast")
def test_ten_million_items_in_a_row():
    x = torch.randn(10_000_000, generator=torch.Generator().manual_seed(0))
    for mapping in (sharplib.softmax, sharplib.sparsemax, sharplib.entmax15):
        # 1e7 weights, each rounded once: errors of either sign.
        assert float(mapping(x).double().sum()) == pytest.approx(1, abs=1e-5)


def test_half_precision_is_raised_to_float32(calls, x):
    y = sharplib.sparsemax(x.bfloat16())
    assert calls == ["sparsemax"]
    assert y.dtype == torch.bfloat16


def test_a_backward_pass_that_is_differentiated_goes_through_the_plain_text(calls, x):
    x = x.requires_grad_()
    y = sharplib.entmax15(x)
    (grad,) = torch.autograd.grad(y[:, 0].sum(), x, create_graph=True)
    assert calls == ["entmax15"]
    grad.square().sum().backward()
    assert calls == ["entmax15", "entmax15_vjp"]  # what is left is a first derivative


def test_transforms_go_through_the_plain_text(calls, x):
    torch.func.vmap(sharplib.sparsemax)(x)
    torch.func.vmap(torch.func.jacrev(sharplib.sparsemax))(x)
    assert calls == []


class Watching(TorchDispatchMode):
    """Counts operations."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


def test_who_watches_the_operations_sees_them(calls, x):
    with Watching() as mode:
        sharplib.softmax(x)
    assert calls == []
    assert any("exp" in name for name in mode.seen)


def test_traces_hold_operations_and_no_results(calls, x):
    for mode in ("real", "fake"):
        traced = make_fx(lambda x: sharplib.softmax(x), tracing_mode=mode)(x)
        assert calls == []
        torch.testing.assert_close(traced(2 * x), torch.softmax(2 * x, -1))


def test_the_meta_device(calls, x):
    assert sharplib.softmax(x.to("meta")).shape == x.shape
    assert calls == []


def test_small_arrays_do_not_load_numba():
    code = (
        "import sys, numpy, sharplib; sharplib.softmax(numpy.zeros((100, 100)));"
        "print('numba' in sys.modules)"
    )
    assert run_alone(code) == "False\n"


@pytest.mark.parametrize(
    "start",
    [
        "import os; os.environ['SHARPLIB_KERNELS'] = '0'",
        # A NumPy that Numba does not know makes its import fail.
        "import sys; sys.modules['numba'] = None",
        "import sys; sys.modules['numba'] = sys; sys.__spec__ = __import__('re').__spec__",
    ],
    ids=["switched off", "absent", "broken"],
)
def test_falls_back_without_a_word(start):
    code = (
        f"{start}; import numpy, sharplib;"
        "p = sharplib.sparsemax(numpy.eye(200, dtype=numpy.float32));"
        "print(p.trace(), 'sharplib.kernels._loops' in __import__('sys').modules)"
    )
    assert run_alone(code).split()[1] == "False"


@pytest.mark.slow
def test_the_catalogue_keeps_its_promises_the_fast_way_too():
    """The tests of every mapping once more, in a process in which even small arrays go fast.

    Left out: the library that the loops do not take, and large arrays, which go fast anyway.
    """
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"),
        *("-m", "not slow", "-k", "not strict and not ten_million"),
        "tests/mappings/test_every_mapping.py",
    ]
    environment = os.environ | {"SHARPLIB_KERNELS": "always"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout[-4000:]


def test_tensors_stay_on_the_cpu_where_new_ones_go_elsewhere(calls, x):
    with torch.device("meta"):
        p = sharplib.sparsegen(x.requires_grad_(), 0.5)
        p[:, 0].sum().backward()
    assert calls == ["sparsegen", "sparsegen_vjp"]
    torch.testing.assert_close(p.sum(-1), torch.ones(6))
    assert x.grad.device.type == "cpu"
