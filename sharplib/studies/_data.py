"""Real data without a download: digits that ship with scikit-learn, text that ships with Python.

Both are small, and both are cut into a part to train on, one to choose settings with (validation)
and one to report (test). Batches are functions of (seed, step), so that a model gets the same ones
whatever models are trained beside it.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["Digits", "Text", "digit_batches", "digits", "help_texts", "text_batches", "windows"]

_SPLIT, _DIGITS, _TEXT = 7001, 7002, 7003  # what a random number is for
_HELD_OUT = 300  # digits each, for validation and for test
_SEEN = 0.8  # share of the text to train on; half of the rest is for validation


class Digits(NamedTuple):
    """Images as rows of patches, and their classes; the first dimension is that of the seeds.

    A part is a pair (patches, classes) of shapes (seeds, images, 16, 4) and (seeds, images).
    """

    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


def digits(seeds: Sequence[int]) -> Digits:
    """Return the 1,797 handwritten digits of scikit-learn, 8 x 8 pixels, as 2 x 2 patches.

    Pixels lie between 0 and 1; patches go from left to right, then down. Each seed has its own
    split: 1,197 images to train on, 300 for validation, 300 to test.

    Examples
    --------
    >>> data = digits([0, 1])
    >>> data.train[0].shape, data.test[1].shape
    (torch.Size([2, 1197, 16, 4]), torch.Size([2, 300]))
    """
    from sklearn.datasets import load_digits

    pixels, kind = load_digits(return_X_y=True)
    patches = (pixels / 16).reshape(-1, 4, 2, 4, 2).swapaxes(2, 3).reshape(-1, 16, 4)
    order = np.stack([_random(seed, _SPLIT).permutation(len(kind)) for seed in seeds])
    images = torch.tensor(patches[order], dtype=torch.float32)
    classes = torch.tensor(kind[order])
    cuts = [len(kind) - 2 * _HELD_OUT, _HELD_OUT, _HELD_OUT]
    parts = zip(images.split(cuts, 1), classes.split(cuts, 1), strict=True)
    return Digits(*parts)


class Text(NamedTuple):
    """A text as numbers, one for each character."""

    train: Tensor
    validation: Tensor
    test: Tensor
    characters: str
    """The character of each number."""
    digest: str
    """Of all topics before the split: other versions of Python have other texts."""


def help_texts() -> Text:
    """Return the topics of Python's own `help`, in English, one character at a time.

    Several topics quote others at length, so a paragraph counts once, in the first topic that has
    it. Then whole topics go to training, validation or test, in shuffled order, until 80 % and 90 %
    of the characters are reached.

    Examples
    --------
    >>> text = help_texts()
    >>> len(text.train) > 100_000, len(text.characters) > 90
    (True, True)
    """
    from pydoc_data.topics import topics

    seen: set[str] = set()
    bodies = []
    for _, body in sorted(topics.items()):
        # dict.fromkeys: each paragraph once within the topic too.
        new = [
            part
            for part in dict.fromkeys(re.split(r"\n{2,}", body.strip("\n")))
            if part not in seen
        ]
        seen.update(new)
        bodies.append("\n\n".join(new) + "\n\n")
    bodies = [bodies[i] for i in _random(0, _SPLIT).permutation(len(bodies))]
    characters = "".join(sorted(set("".join(bodies))))
    number = {character: i for i, character in enumerate(characters)}
    ends = np.cumsum([len(body) for body in bodies]) / sum(map(len, bodies))
    parts = []
    for low, high in ((0.0, _SEEN), (_SEEN, (1 + _SEEN) / 2), ((1 + _SEEN) / 2, 1.0)):
        body = "".join(b for b, end in zip(bodies, ends, strict=True) if low < end <= high)
        parts.append(torch.tensor([number[character] for character in body]))
    everything = "".join(f"{name}\n{body}\n" for name, body in sorted(topics.items()))
    return Text(*parts, characters, hashlib.sha256(everything.encode()).hexdigest())


def text_batches(
    text: Tensor, seeds: Sequence[int], batch: int, length: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Give random windows without end: characters and, for each, the next one.

    Both have the shape (seeds, batch, length).
    """
    reach = torch.arange(length + 1)
    for starts in _draws(seeds, _TEXT, len(text) - length, batch):
        found = text[starts[..., None] + reach]
        yield found[..., :-1], found[..., 1:]


def digit_batches(
    images: Tensor, classes: Tensor, seeds: Sequence[int], batch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Give random images without end: patches (seeds, batch, 16, 4) and classes (seeds, batch)."""
    which = torch.arange(len(seeds))[:, None]
    for chosen in _draws(seeds, _DIGITS, images.shape[1], batch):
        yield images[which, chosen], classes[which, chosen]


def windows(text: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Cut a text into windows side by side, (windows, length), and the next characters.

    >>> windows(torch.arange(8), 3)[1]
    tensor([[1, 2, 3],
            [4, 5, 6]])
    """
    count = (len(text) - 1) // length
    cut = count * length
    return text[:cut].view(count, length), text[1 : cut + 1].view(count, length)


def _draws(seeds: Sequence[int], purpose: int, high: int, batch: int) -> Iterator[Tensor]:
    """Whole numbers below `high`, (seeds, batch) at a time; each seed has a stream of its own."""
    streams = [_random(seed, purpose) for seed in seeds]
    while True:
        yield torch.from_numpy(np.stack([one.integers(high, size=batch) for one in streams]))


def _random(seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose,)))
