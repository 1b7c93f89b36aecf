"""The sets of items: every one a function of (seed, what it is for, index) and of nothing else.

No random state is carried along, so a run can stop and go on anywhere, a seed sees the same data
alone or among others, and all devices see the same data.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sharplib.studies.max_retrieval.settings import Training

__all__ = ["Sets", "draw", "training_batches"]

# What a random stream is for. The stream is named by (seed, purpose, index, ...).
INITIAL, TRAINING, REFERENCE, TEST, SIZES = range(5)
CHUNK = 100  # training steps whose data are drawn at once


class Sets(NamedTuple):
    """A batch of sets of items, for each seed."""

    priority: Tensor  # (seeds, sets, items), float32 in [0, 1)
    kind: Tensor  # (seeds, sets, items), the class as uint8
    query: Tensor  # (seeds, sets, 1), float32 in [0, 1)

    @property
    def maximum(self) -> Tensor:
        """Index of the item with the largest priority, the first of equals: (seeds, sets, 1)."""
        return self.priority.argmax(-1, keepdim=True)

    @property
    def answer(self) -> Tensor:
        """Class of that item, (seeds, sets)."""
        return self.kind.gather(-1, self.maximum)[..., 0].long()


def random(seed: int, *purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))


def _draw(rng: np.random.Generator, sets: int, items: int, classes: int) -> Any:
    priority = rng.random((sets, items), dtype=np.float32)
    kind = rng.integers(classes, size=(sets, items), dtype=np.uint8)
    return priority, kind, rng.random((sets, 1), dtype=np.float32)


def _stack(drawn: Sequence[Any], device: str | torch.device) -> Sets:
    return Sets(*(torch.from_numpy(np.stack(part)).to(device) for part in zip(*drawn, strict=True)))


def draw(
    training: Training,
    seeds: Sequence[int],
    size: int,
    indices: Sequence[int],
    device: str | torch.device = "cpu",
    purpose: int = TEST,
) -> Sets:
    """Return the test sets with the given indices, the same at every call.

    Parameters
    ----------
    training
        Only `classes` matters here.
    seeds, size, indices
        For each seed the sets number `indices` among the sets of `size` items.

    Returns
    -------
    Sets of shape (len(seeds), len(indices), size).

    Examples
    --------
    >>> sets = draw(Training(), seeds=[0], size=4, indices=[7])
    >>> sets.priority.shape, bool(sets.priority.max() < 1)
    (torch.Size([1, 1, 4]), True)
    """
    return _stack(
        [
            [
                np.concatenate(part)
                for part in zip(
                    *(
                        _draw(random(seed, purpose, size, index), 1, size, training.classes)
                        for index in indices
                    ),
                    strict=True,
                )
            ]
            for seed in seeds
        ],
        device,
    )


def training_batches(
    training: Training, seeds: Sequence[int], chunk: int, device: str | torch.device
) -> Iterator[Sets]:
    """The batches of one chunk of `CHUNK` steps."""
    # The largest size is drawn for every batch, and a batch takes what it needs of it.
    sizes = random(0, SIZES, chunk).integers(training.smallest_set, training.largest_set + 1, CHUNK)
    drawn = _stack(
        [
            _draw(
                random(seed, TRAINING, chunk),
                CHUNK * training.batch,
                training.largest_set,
                training.classes,
            )
            for seed in seeds
        ],
        device,
    )
    for step, size in enumerate(sizes):
        batch = slice(step * training.batch, (step + 1) * training.batch)
        yield Sets(
            drawn.priority[:, batch, :size], drawn.kind[:, batch, :size], drawn.query[:, batch]
        )
