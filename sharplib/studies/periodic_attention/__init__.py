"""Periodic attention: does a map that does not saturate train a vision transformer better?

The public demo of arXiv 2108.07153, rebuilt small: convolutions, no code for positions, ReLU on
queries, keys and values, so that scores are at least 0; depths 1 to 8. Sixteen tokens, as the demo
has on CIFAR. Each map weighs the scores themselves and, as `norm`, the scores after
`prenormalise`, divided by the root of the key size once more: the demo's rule, which is easily
missed. Two variants come with it: siren-max as in the authors' other program, where nothing is
divided after the normalisation; and the demo's sin-softmax, which divides the sines.

**Tuning.** Every rule at every depth gets the same three learning rates on all seeds. The one whose
mean accuracy on the validation images is best is kept, and all else is measured there.

**Scaled down.** Width 32 for 512, two heads of 16 for eight of 64, one convolution for three,
digits for CIFAR, 250 steps of 16 images for 30 epochs of 32; no augmentation and no search over
weight decay. `Settings(images="cifar-10", stem=3)` reads the real archive.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

import sharplib
from sharplib import measures
from sharplib.studies._jobs import in_processes
from sharplib.studies._record import Progress
from sharplib.studies._settings import Preset, at_least, resolve
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval._numerics import NUMERICS, careful
from sharplib.studies.periodic_attention.images import IMAGES, split
from sharplib.studies.periodic_attention.model import Network, Weigh

__all__ = [
    "BASELINE",
    "DEVICES",
    "HEADLINE",
    "KEYS",
    "MAPS",
    "NUMERICS",
    "PRESETS",
    "RULES",
    "VERSION",
    "Settings",
    "published",
    "run",
]

VERSION = 1
KEYS = ("rule", "depth")
HEADLINE = "accuracy"
BASELINE = "softmax"
DEVICES = ("cpu",)

MAPS: Mapping[str, Any] = MappingProxyType(
    {
        "softmax": sharplib.softmax,
        "sin-softmax": sharplib.sin_softmax,
        "shifted sin²-max": sharplib.shifted_sin2_max,
        "siren-max": sharplib.siren_max,
        "cos-max": sharplib.cos_max,
    }
)
"""The maps by their names in the paper's code."""


def _direct(name: str) -> Weigh:
    return lambda scores, size: MAPS[name](scores)


def _norm(name: str) -> Weigh:
    return lambda scores, size: MAPS[name](sharplib.prenormalise(scores) / size**0.5)


def _undivided_siren(scores: Tensor, size: int) -> Tensor:
    return sharplib.siren_max(sharplib.prenormalise(scores))


def _divided_sines(scores: Tensor, size: int) -> Tensor:
    return sharplib.softmax(torch.sin(scores * size**0.5) / size**0.5)


RULES: Mapping[str, Weigh] = MappingProxyType(
    {
        **{name: _direct(name) for name in MAPS},
        **{f"norm {name}": _norm(name) for name in MAPS},
        "norm siren-max, undivided": _undivided_siren,
        "sin-softmax, sines divided": _divided_sines,
    }
)
"""What turns scores, q·k over the root of the key size, into weights."""


@dataclass(frozen=True)
class Settings:
    """All that decides the figures, apart from the seeds.

    Examples
    --------
    >>> Settings(depths=(0,))
    Traceback (most recent call last):
      ...
    ValueError: depths must be different numbers from 1 on, got (0,)
    """

    rules: tuple[str, ...] = tuple(RULES)
    depths: tuple[int, ...] = (1, 3, 8)
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    steps: int = 250
    batch: int = 16
    width: int = 32
    heads: int = 2
    stem: int = 1
    """Convolutions, each of which halves the image."""
    weight_decay: float = 1e-3
    """Added to the gradient, as in the demo."""
    largest_norm: float = 1.0
    """Each network's gradient is scaled down to this norm."""
    images: str = "digits"
    looks: int = 100
    """Test images whose scores are looked at."""

    def __post_init__(self) -> None:
        at_least(self, steps=1, batch=1, width=1, heads=1, stem=1, looks=1)
        if self.width % self.heads:
            raise ValueError(
                f"width must be a multiple of heads, got {self.width!r} and {self.heads!r}"
            )
        for rule in self.rules:
            if rule not in RULES:
                raise ValueError(f"rules must be among {', '.join(RULES)}, got {rule!r}")
        if self.images not in IMAGES:
            raise ValueError(f"images must be one of {', '.join(IMAGES)}, got {self.images!r}")
        if min(self.depths, default=0) < 1 or len(set(self.depths)) < len(self.depths):
            raise ValueError(f"depths must be different numbers from 1 on, got {self.depths!r}")
        if min(self.learning_rates, default=0) <= 0:
            raise ValueError(f"learning_rates must be above 0, got {self.learning_rates!r}")


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(
                rules=("softmax", "sin-softmax", "shifted sin²-max", "siren-max"),
                depths=(1,),
                learning_rates=(1e-2,),
                steps=150,
            ),
            seeds=tuple(range(5)),
        ),
        "paper": Preset(Settings(), seeds=tuple(range(10))),
    }
)


class _Data(NamedTuple):
    """A part of the images for each seed: (seeds, n, channels, height, width) and (seeds, n)."""

    images: Tensor
    classes: Tensor

    def batch(self, places: Tensor) -> tuple[Tensor, Tensor]:
        seeds = torch.arange(len(places))[:, None]
        return self.images[seeds, places], self.classes[seeds, places]


def _data(settings: Settings, seeds: Sequence[int]) -> tuple[_Data, _Data, _Data]:
    images, classes = IMAGES[settings.images]()
    splits = [split(images, classes, seed) for seed in seeds]
    return tuple(  # type: ignore[return-value]
        _Data(*map(torch.stack, zip(*parts, strict=True))) for parts in zip(*splits, strict=True)
    )


def _accuracy(network: Network, data: _Data) -> Tensor:
    with torch.no_grad():
        found = [network(part).argmax(-1) for part in data.images.split(500, dim=1)]
    return (torch.cat(found, 1) == data.classes).double().mean(1)


def _losses(logits: Tensor, classes: Tensor) -> Tensor:
    """The mean loss of each seed."""
    each = cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none")
    return each.reshape(classes.shape).mean(1)


def _look(network: Network, data: _Data, looks: int) -> dict[tuple[str, int], Tensor]:
    """What attention does in every block, for each seed: means over images, heads and queries."""
    seen: list[tuple[Tensor, Tensor]] = []
    images, classes = data.images[:, :looks], data.classes[:, :looks]
    logits = network(images, seen)
    loss = _losses(logits, classes).sum() * classes.shape[1]  # each image by itself
    gradients = torch.autograd.grad(loss, [scores for scores, _ in seen])
    found = {}
    for layer, ((scores, weights), gradient) in enumerate(zip(seen, gradients, strict=True), 1):
        p, s = weights.detach().double(), scores.detach().double()
        flat = s.flatten(1)
        # Sizes stand for weights where some are negative (cos-max).
        sizes = p.abs() / p.abs().sum(-1, keepdim=True)
        entropy = measures.entropy(sizes) / np.log(p.shape[-1])
        values = {
            "entropy": entropy.flatten(1).mean(1),
            "top weight": p.amax(-1).flatten(1).mean(1),
            "gradient": gradient.double().flatten(2).norm(dim=2).mean(1),
            "score": flat.mean(1),
            "score spread": (s.amax(-1) - s.amin(-1)).flatten(1).mean(1),
            "score top": flat.amax(1),
        }
        found |= {(name, layer): value for name, value in values.items()}
    return found


def _train(
    settings: Settings, rule: str, depth: int, rate: float, seeds: Sequence[int]
) -> dict[tuple[str, int, int], Tensor]:
    """Train a network for each seed: (measure, layer, step) -> a value for each seed."""
    train, validation, test = _data(settings, seeds)
    network = Network(
        seeds,
        RULES[rule],
        channels=train.images.shape[2],
        width=settings.width,
        depth=depth,
        heads=settings.heads,
        classes=int(train.classes.max()) + 1,
        stem=settings.stem,
    )
    parameters = network.parameters()
    optimizer = torch.optim.Adam(parameters, rate, weight_decay=settings.weight_decay, fused=True)
    # The images of a step depend on the seed alone, so that all rules meet the same ones.
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    start = _look(network, test, settings.looks)
    found = {(name, layer, 0): value for (name, layer), value in start.items()}
    early = max(settings.steps // 4, 1)
    for step in range(1, settings.steps + 1):
        size = (settings.batch,)
        places = [torch.randint(train.classes.shape[1], size, generator=draw) for draw in draws]
        images, classes = train.batch(torch.stack(places))
        optimizer.zero_grad()
        _losses(network(images), classes).sum().backward()
        squares = [part.grad.square().flatten(1).sum(1) for part in parameters]
        shrink = (settings.largest_norm / torch.stack(squares).sum(0).sqrt()).clamp(max=1.0)
        for part in parameters:
            part.grad.mul_(shrink.view(-1, *[1] * (part.dim() - 1)))
        optimizer.step()
        if step == early:
            found["early accuracy", 0, step] = _accuracy(network, test)
    found["validation", 0, settings.steps] = _accuracy(network, validation)
    found["accuracy", 0, settings.steps] = _accuracy(network, test)
    end = _look(network, test, settings.looks)
    return found | {(name, layer, settings.steps): value for (name, layer), value in end.items()}


def _run_cell(
    settings: Settings,
    rule: str,
    depth: int,
    seeds: tuple[int, ...],
    store: Store | None,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Rows of one rule at one depth: every learning rate's validation, the best one's all."""
    if store is not None:
        one = {**asdict(settings), "rules": [rule], "depths": [depth]}
        store = store.within(settings=one, seeds=list(seeds))
    pieces = []
    for done, rate in enumerate(settings.learning_rates):
        if progress is not None:
            progress(f"{rule}, depth {depth}", done, len(settings.learning_rates))
        name = f"rate-{rate:g}.json"
        data = None if store is None else store.read(name)
        if data is None:
            with careful():
                found = _train(settings, rule, depth, rate, seeds)
            piece = [[*key, [float(f"{v:.5g}") for v in value]] for key, value in found.items()]
            if store is not None:
                store.write(name, json.dumps(piece).encode())
        else:
            piece = json.loads(data)
        pieces.append({tuple(key): value for *key, value in piece})
    if progress is not None:
        progress(f"{rule}, depth {depth}", len(pieces), len(pieces))
    tried = [np.mean(piece["validation", 0, settings.steps]) for piece in pieces]
    best = int(np.argmax(tried))
    return [
        {
            "rule": rule,
            "depth": depth,
            "learning_rate": rate,
            "seed": seed,
            "step": step,
            "layer": layer,
            "measure": measure,
            "value": value,
        }
        for place, (rate, piece) in enumerate(zip(settings.learning_rates, pieces, strict=True))
        for (measure, layer, step), values in piece.items()
        if place == best or measure == "validation"
        for seed, value in zip(seeds, values, strict=True)
    ]


def run(
    settings: Settings | None = None,
    seeds: Sequence[int] | None = None,
    device: str = "cpu",
    *,
    jobs: int = 1,
    store: Store | None = None,
    progress: Progress | None = None,
    checkpoint_seconds: float = 60.0,
) -> pd.DataFrame:
    """Train networks with every rule at every depth, and look into their attention.

    Parameters
    ----------
    settings, seeds
        What to train; by default the preset `paper`.
    device
        Must be "cpu".
    jobs
        Processes that share the rules and depths. The table is the same for any number of them.
    store
        Where the figures of a finished rule, depth and learning rate are kept.
    progress
        Called with the rule and depth, learning rates done and learning rates in all.
    checkpoint_seconds
        Has no effect here: a piece of work takes seconds to a minute.

    Returns
    -------
    A table with columns rule, depth, learning_rate, seed, step, layer, measure and value. Layer 0
    is the network: `accuracy` and `early accuracy` (after a quarter of the steps) on the test
    images, `validation` for every learning rate. From layer 1 on, at step 0 and at the end, means
    over images, heads and queries: `entropy` of a row of weights over log n, its `top weight`, the
    norm of an image's `gradient` in the scores, the mean `score`, its `score spread` in a row, and
    the largest score of all, `score top`.

    Raises
    ------
    ValueError
        Seeds that are empty, repeated or negative; another device.

    Examples
    --------
    >>> table = run(Settings(("softmax",), (1,), (1e-2,), steps=2), [0])
    >>> sorted(set(table.measure))[:3]
    ['accuracy', 'early accuracy', 'entropy']
    """
    settings, seeds = resolve(PRESETS, settings, seeds)
    if device != "cpu":
        raise ValueError(f"device must be 'cpu', got {device!r}")
    cells = [
        (settings, rule, depth, tuple(seeds))
        for depth in settings.depths
        for rule in settings.rules
    ]
    parts = in_processes(jobs, _run_cell, cells, store, progress)
    return pd.DataFrame([row for part in parts for row in part])


_PUBLISHED = """\
rule,depth,measure,value,tag
softmax,,short search,0.22,code
norm sin-softmax,,short search,0.239,code
shifted sin²-max,,short search,0.256,code
norm shifted sin²-max,,short search,0.256,code
"""


def published() -> pd.DataFrame:
    """Return the traces in the authors' repository; the paper's own tables are not known here.

    `short search`: best validation accuracy on CIFAR-100 after 3 or 4 epochs, read from the names
    of folders and from comments, so that what the numbers mean is inferred. Their depth is unknown.

    Examples
    --------
    >>> published().value.tolist()
    [0.22, 0.239, 0.256, 0.256]
    """
    return pd.read_csv(io.StringIO(_PUBLISHED))
