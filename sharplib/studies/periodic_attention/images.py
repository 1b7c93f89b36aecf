"""Small real images: scikit-learn's digits, and CIFAR-10 from the authors' archive."""

import hashlib
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["IMAGES", "Split", "cifar10", "digits", "split"]

_ARCHIVE = "cifar-10-binary.tar.gz"
_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
_BATCHES = (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch")


class Split(NamedTuple):
    """Images (n, channels, height, width) and their classes, for one seed."""

    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


def digits() -> tuple[Tensor, Tensor]:
    """The 1,797 digits of 8 x 8 pixels that come with scikit-learn, one channel.

    >>> images, classes = digits()
    >>> images.shape, sorted(set(classes.tolist())) == list(range(10))
    (torch.Size([1797, 1, 8, 8]), True)
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    images = torch.from_numpy(found.images / 16).to(torch.float32)
    return images[:, None], torch.from_numpy(found.target).long()


def cifar10() -> tuple[Tensor, Tensor]:
    """The 60,000 images of CIFAR-10, 3 channels of 32 x 32 pixels, from the binary archive.

    The archive ``cifar-10-binary.tar.gz`` (170 MB) is read from the folder that the environment
    variable SHARPLIB_DATA names, or else from ``data``. Nothing is downloaded.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        Its MD5 is not the one that the authors of the data give.
    """
    path = Path(os.environ.get("SHARPLIB_DATA", "data")) / _ARCHIVE
    if not path.exists():
        raise FileNotFoundError(
            f"CIFAR-10 must be at {path}; get {_ARCHIVE} from "
            "https://www.cs.toronto.edu/~kriz/cifar.html, and name its folder in SHARPLIB_DATA"
        )
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != _MD5:
        raise ValueError(f"the MD5 of {path} must be {_MD5}, got {found}")
    parts = []
    with tarfile.open(path) as archive:
        for name in _BATCHES:
            member = archive.extractfile(f"cifar-10-batches-bin/{name}.bin")
            if member is None:
                raise ValueError(f"{path} has no file {name}.bin")
            parts.append(np.frombuffer(member.read(), np.uint8).reshape(-1, 1 + 3 * 32 * 32))
    rows = np.concatenate(parts)
    images = torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32)).to(torch.float32) / 255
    return images, torch.from_numpy(rows[:, 0].astype(np.int64))


IMAGES: Mapping[str, Callable[[], tuple[Tensor, Tensor]]] = MappingProxyType(
    {"digits": digits, "cifar-10": cifar10}
)
"""Where images come from, by name."""


def split(images: Tensor, classes: Tensor, seed: int) -> Split:
    """Shuffle by the seed; two thirds to train, a sixth to validate, a sixth to test.

    Channels are shifted and scaled so that they have mean 0 and variance 1 in training.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=generator)
    sixth = len(images) // 6
    parts = order[2 * sixth :], order[:sixth], order[sixth : 2 * sixth]
    spread, mean = torch.std_mean(images[parts[0]], dim=(0, 2, 3), keepdim=True)
    return Split(*(((images[part] - mean) / spread, classes[part]) for part in parts))
