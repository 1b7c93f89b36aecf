"""Files that survive a kill: written aside, then renamed; checked when they are read.

A long run keeps what it has finished in a `Store`, one small file per piece. Whatever moment the
process dies at, a piece is either wholly there or not there at all. Every piece carries the key of
the run that made it and a checksum, so that a piece of another run, or a damaged one, is an error
and never a wrong figure.
"""

import hashlib
import json
import os
import time
from pathlib import Path

__all__ = ["ResultError", "Store", "write_atomically"]


class ResultError(Exception):
    """A stored result cannot be used. The message names the file."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a half.

    The bytes go to a hidden file in the same folder, reach the disk, and only then take the name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Always the same name, so that a killed run leaves at most one such file, which the next uses.
    aside = path.with_name(f".{path.name}.part")
    with open(aside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    if os.name == "posix":  # the new name itself must reach the disk too
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Store:
    """Finished pieces of one run, in one folder.

    Parameters
    ----------
    folder
        Where the pieces live. Created with the first piece.
    key
        What identifies the run. A piece written under another key is refused.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(Path(folder), key="a")
    ...     store.write("piece", b"1 2 3")
    ...     store.read("piece"), store.read("another")
    (b'1 2 3', None)
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = Path(folder)
        self.key = key
        self._spent = 0.0  # seconds that earlier processes put into the pieces read so far
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Working time behind the run so far, that of killed processes up to their last piece."""
        return self._spent + time.perf_counter() - self._start

    def write(self, name: str, data: bytes) -> None:
        """Put a finished piece on disk. It is there, whole, when this returns."""
        header = {
            "key": self.key,
            "sha256": hashlib.sha256(data).hexdigest(),
            "seconds": round(self.seconds, 3),
        }
        write_atomically(self.folder / name, json.dumps(header).encode() + b"\n" + data)

    def read(self, name: str) -> bytes | None:
        """Return a piece, or None where there is none yet.

        Raises
        ------
        ResultError
            If the file is damaged or belongs to another run.
        """
        path = self.folder / name
        try:
            head, _, data = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        try:
            header = json.loads(head)
            key, checksum, seconds = header["key"], header["sha256"], float(header["seconds"])
        except (ValueError, KeyError, TypeError):
            raise ResultError(f"{path} is damaged; remove it to compute it again") from None
        if hashlib.sha256(data).hexdigest() != checksum:
            raise ResultError(f"{path} is damaged; remove it to compute it again")
        if key != self.key:
            raise ResultError(f"{path} belongs to another run; remove it to compute it again")
        self._spent = max(self._spent, seconds)
        return data
