"""Files that survive a kill: written aside, then renamed; checked when they are read.

A long run keeps what it has finished in a `Store`, one small file per piece. Whatever moment the
process dies at, a piece is either wholly there or not there at all. Every piece carries the key of
what made it and a checksum, so that a piece of another run, or a damaged one, is an error and never
a wrong figure.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["ResultError", "Store", "plain", "pretty", "write_atomically"]


class ResultError(Exception):
    """A stored result cannot be used. The message names the file."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a half.

    The bytes go to a hidden file in the same folder, reach the disk, and only then take the name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: two processes may write the same file at the same moment.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(aside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name itself must reach the disk too
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def plain(what: Any) -> Any:
    """What JSON makes of a value: tuples become lists."""
    return json.loads(json.dumps(what))


def pretty(what: Mapping[str, Any]) -> bytes:
    """A table of names and values as a text file."""
    return (json.dumps(what, indent=2) + "\n").encode()


class Store:
    """Finished pieces of work, in a folder that is named by all that decides their digits.

    Parameters
    ----------
    parts
        Where such folders live. Everything is created with the first piece.
    identity
        What decides the digits of the pieces. A file `identity.json` beside them says it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as parts:
    ...     store = Store(Path(parts), {"study": "counting"}).within(steps=3)
    ...     store.write("piece", b"1 2 3")
    ...     store.read("piece"), store.within(steps=4).read("piece")
    (b'1 2 3', None)
    """

    def __init__(self, parts: Path, identity: Mapping[str, Any]) -> None:
        self.parts = Path(parts)
        self.identity = plain(dict(identity))
        text = json.dumps(self.identity, sort_keys=True)
        self.key = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.folder = self.parts / self.key
        self._spent = 0.0  # seconds behind the latest piece, of earlier processes too
        self._since = time.perf_counter()
        self._within: dict[str, Store] = {}

    def within(self, **more: Any) -> "Store":
        """The store of work that more than this decides, in a folder of its own."""
        other = Store(self.parts, {**self.identity, **more})
        return self._within.setdefault(other.key, other)

    @property
    def seconds(self) -> float:
        """Seconds of work behind all pieces that were read or written here and within.

        Work of several processes adds up; what a killed process did after its last piece is lost.
        """
        return self._spent + sum(other.seconds for other in self._within.values())

    def write(self, name: str, data: bytes) -> None:
        """Put a finished piece on disk. It is there, whole, when this returns."""
        about = self.folder / "identity.json"
        if not about.exists():
            write_atomically(about, pretty(self.identity))
        now = time.perf_counter()
        self._spent, self._since = self._spent + now - self._since, now
        header = {
            "key": self.key,
            "sha256": hashlib.sha256(data).hexdigest(),
            "seconds": round(self._spent, 3),
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
        self._since = time.perf_counter()
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
