"""Handwritten digits: MNIST from a folder, and the small ones that ship with scikit-learn."""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sharplib.studies._storage import ResultError

__all__ = ["FILES", "Images", "mnist", "small_digits"]

FILES: Mapping[str, str] = MappingProxyType(
    {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    }
)
"""The four files of MNIST, and the MD5 sums by which they are known."""


class Images(NamedTuple):
    """Images to train on and to test on: pixels in [0, 1] of shape (images, pixels), and digits."""

    train: NDArray[np.float32]
    train_digits: NDArray[np.int64]
    test: NDArray[np.float32]
    test_digits: NDArray[np.int64]


def mnist(folder: Path, sums: Mapping[str, str] = FILES) -> Images:
    """Read MNIST from the four files of `FILES` in a folder. Nothing is downloaded.

    Raises
    ------
    ResultError
        A file that is missing, or has another checksum than in `sums`.
    """
    images, digits, test, test_digits = (_read(folder / name, sums[name]) for name in FILES)
    pixels = [(part.reshape(len(part), -1) / 255).astype(np.float32) for part in (images, test)]
    return Images(pixels[0], digits.astype(np.int64), pixels[1], test_digits.astype(np.int64))


def _read(path: Path, checksum: str) -> NDArray[np.uint8]:
    """One file in the IDX format: two zeros, the type 8, the number of axes, their sizes, data."""
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise ResultError(f"{path} is missing; put the four files of MNIST there") from None
    if (found := hashlib.md5(packed, usedforsecurity=False).hexdigest()) != checksum:
        raise ResultError(f"{path} has the MD5 sum {found}, and not {checksum}")
    data = gzip.decompress(packed)
    axes = data[3]
    sizes = np.frombuffer(data, ">u4", axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(sizes)


def small_digits() -> Images:
    """Return the 1,797 digits of scikit-learn, 8 x 8 pixels; every fifth image is for the test.

    >>> [len(part) for part in small_digits()]
    [1438, 1438, 359, 359]
    """
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(return_X_y=True)
    pixels, testing = (pixels / 16).astype(np.float32), np.arange(len(digits)) % 5 == 4
    return Images(pixels[~testing], digits[~testing], pixels[testing], digits[testing])
