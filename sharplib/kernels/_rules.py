"""Which rules have loops, when these may be used, and in which order they take their arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from sharplib._arrays import is_torch
from sharplib._autograd import FASTER, Arrays, ClosedForm, Faster
from sharplib.kernels._launch import launch
from sharplib.kernels._tensors import mere_numbers, second_order

#: Below this many items a loop saves less than starting it takes the first time.
WORTH_IT = 1 << 14
# Rows of float64 beyond this length lose digits that NumPy and torch keep by adding up in pairs.
_LONGEST_WIDE_ROW = 1 << 16

Settings = dict[str, Any]


class Half(NamedTuple):
    """The value or the vector-Jacobian product of a rule."""

    #: The loop, by its name in `_loops`.
    loop: str
    #: What it takes and gives, as in `launch`; ``-`` for an argument without gradient.
    kinds: str
    #: The settings that it takes.
    settings: tuple[str, ...] = ()
    #: Numbers that it takes before them.
    numbers: tuple[float, ...] = ()


def _periodic(*numbers: float) -> tuple[Half, Half]:
    settings = ("offset", "frequency") if len(numbers) == 1 else ()
    return (
        Half("periodic", "m>m", settings, numbers),
        Half("periodic_vjp", "mm>m", settings, numbers),
    )


RULES: dict[str, tuple[Half, Half]] = {
    "softmax": (
        Half("softmax", "m>m", ("temperature",)),
        Half("softmax_vjp", "mm>m", ("temperature",)),
    ),
    "sink_softmax": (Half("sink_softmax", "mr>mr"), Half("sink_softmax_vjp", "mrmr>mr")),
    "scaled": (Half("scaled", "mr>m"), Half("scaled_vjp", "mrm>mr")),
    "adaptive_softmax": (
        Half("adaptive", "m>m", ("coefficients", "gate")),
        Half("adaptive_vjp", "mm>m", ("coefficients", "gate")),
    ),
    "entropy_matched_softmax": (Half("matched", "mr>ms"), Half("matched_vjp", "mrmr>mr")),
    "power_softmax": (Half("power", "mr>m"), Half("power_vjp", "mrmm>mr")),
    "multimax": (Half("multimax", "mvv>m"), Half("multimax_vjp", "mvvmm>mk")),
    "softpick": (Half("softpick", "m>m"), Half("softpick_vjp", "mm>m")),
    "topk_softmax": (Half("topk", "m>m", ("k",)), Half("centred", "mm>m")),
    "ev_softmax": (Half("ev_softmax", "m>m"), Half("centred", "mm>m")),
    "sparsemax": (Half("sparsemax", "m>m"), Half("sparsemax_vjp", "mm>m")),
    "sparsegen": (Half("sparsegen", "mr>mr"), Half("sparsegen_vjp", "mrm>mr")),
    "sparsehourglass": (
        Half("sparsehourglass", "mr>mr"),
        Half("sparsehourglass_vjp", "mmrm>mr"),
    ),
    "entmax15": (Half("entmax15", "m>m"), Half("entmax15_vjp", "mm>m")),
    "entmax": (Half("entmax", "mr>mr"), Half("entmax_vjp", "mrm>m-")),
    "learned_entmax": (Half("entmax", "mr>mr"), Half("learned_entmax_vjp", "mrm>mr")),
    "normmax": (Half("normmax", "mr>mr"), Half("normmax_vjp", "mrm>mr")),
    "budget": (Half("budget", "mr>mr"), Half("budget_vjp", "mrm>mr")),
    "stieltjes": (Half("stieltjes", "mr>ms"), Half("stieltjes_vjp", "mrm>mr")),
    "ramped": (Half("ramped", "mr>m"), Half("ramped_vjp", "mrm>mr")),
    "neighbours": (Half("neighbours", "mr>ssw"), Half("neighbours_vjp", "mrrrrrr>mr")),
    "plsoftmax": (Half("plsoftmax", "mr>m"), Half("plsoftmax_vjp", "mrm>mr")),
    "relu_weights": (Half("relu", "mr>m"), Half("relu_vjp", "mrm>mr")),
    "sigmoid_weights": (Half("sigmoid", "mr>m"), Half("sigmoid_vjp", "mm>ms")),
    # The kind, and where the scores are taken as they are or halved: offset and frequency.
    "sin_max": _periodic(0),
    "cos_max": _periodic(1, 0.0, 1.0),
    "sin2_max": _periodic(2, 0.0, 1.0),
    "shifted_sin2_max": _periodic(3, 0.0, 1.0),
    "siren_max": _periodic(4, 0.0, 0.5),
    "sin_softmax": _periodic(5, 0.0, 1.0),
    "stick_breaking": (Half("broken", "m>m"), Half("broken_vjp", "mmm>m")),
}


def register(smallest: int) -> None:
    """Offer all loops for arrays of at least so many items."""
    for name in RULES:
        FASTER[name] = (*FASTER.get(name, ()), faster(name, smallest))


def faster(name: str, smallest: int) -> Faster:
    """The loops of a rule, for arrays of at least so many items."""
    forward, backward = RULES[name]

    def value(rule: ClosedForm, arrays: Arrays, settings: Settings) -> Arrays | None:
        def plain(*rows: Any) -> Arrays:
            return rule.value(*rows, **settings | {"axis": 1})

        if not _qualify(arrays, settings, smallest):
            return None
        return _run(forward, arrays, settings, plain)

    def vjp(rule: ClosedForm, saved: Arrays, grads: Arrays, settings: Settings) -> Arrays | None:
        def plain(*rows: Any) -> Arrays:
            pulled = rule.vjp(rows[: len(saved)], rows[len(saved) :], **settings | {"axis": 1})
            return tuple(part for part in pulled if part is not None)

        if not _qualify((*saved, *grads), settings, smallest) or second_order(saved[0]):
            return None
        pulled = _run(backward, (*saved, *grads), settings, plain)
        if pulled is None or not backward.kinds.endswith("k"):
            return pulled
        by_vectors = saved[1].new_tensor(pulled[1]).reshape(2, -1)
        return pulled[0], by_vectors[0], by_vectors[1]

    return Faster(value, vjp)


def _run(
    half: Half, arrays: Arrays, settings: Settings, plain: Callable[..., Arrays]
) -> Arrays | None:
    loops = _loops()
    if loops is None:
        return None
    takes = half.kinds.index(">")
    given = (
        np.asarray(value) if isinstance(value, tuple) else value
        for value in (settings[name] for name in half.settings)
    )
    kinds = half.kinds.rstrip("-")
    results = launch(
        getattr(loops, half.loop),
        kinds,
        arrays[:takes],
        settings["axis"],
        plain,
        *half.numbers,
        *given,
    )
    return (*results, *[None] * (len(half.kinds) - len(kinds)))


@cache
def _loops() -> Any:
    """The loops, imported at the first call; None where Numba does not work with this NumPy."""
    try:
        from sharplib.kernels import _loops
    except ImportError:
        return None
    return _loops


def _qualify(arrays: Arrays, settings: Settings, smallest: int) -> bool:
    """Whether arrays are plain numbers in this computer's memory, and enough of them."""
    x = arrays[0]
    if type(x) is np.ndarray:
        wide = x.dtype == np.float64 and x.shape[settings["axis"]] > _LONGEST_WIDE_ROW
        return not wide and (
            x.size >= max(smallest, 1)
            and x.dtype in (np.dtype(np.float32), np.dtype(np.float64))
            and all(isinstance(a, np.ndarray | np.generic) for a in arrays)
        )
    if not is_torch(x) or x.numel() < max(smallest, 1):
        return False
    import torch

    wide = x.dtype == torch.float64 and x.shape[settings["axis"]] > _LONGEST_WIDE_ROW
    return not wide and x.dtype in (torch.float32, torch.float64) and mere_numbers(arrays, "cpu")
