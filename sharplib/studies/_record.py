"""A study's finished result on disk: the table, and beside it how the table came about.

`results/<study>/<preset>.csv` holds the figures and nothing that changes from one run to the next.
`results/<study>/<preset>.json` holds the provenance: settings, seeds, versions, device, threads,
wall time, date, and the checksum of the table. Unfinished work lives in `results/<study>/.parts/`.
"""

import dataclasses
import datetime
import hashlib
import io
import json
import platform
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sharplib import __version__
from sharplib.studies import load
from sharplib.studies._storage import ResultError, Store, plain, pretty, write_atomically

__all__ = ["Progress", "Record", "commit", "identity", "read", "record"]

Progress = Callable[..., None]
"""Called with the name of a stage, the number of steps done and the number of steps in all; and, in
one of several processes, with `line`, its number."""


class Record(NamedTuple):
    """A finished result: the tidy table and its provenance."""

    table: pd.DataFrame
    provenance: dict[str, Any]


def identity(study: str, settings: Any, device: str) -> dict[str, Any]:
    """Return all that decides the digits of a replicate, apart from its seeds.

    Two runs may share work if and only if their identities are equal.
    """
    import torch

    return {
        "study": study,
        "study_version": load(study).VERSION,
        "settings": plain(dataclasses.asdict(settings)),
        "device": torch.device(device).type,
        "sharplib": __version__,
        "torch": torch.__version__,
    }


def _paths(results: Path, study: str, preset: str) -> tuple[Path, Path]:
    folder = Path(results) / study.replace("-", "_")
    return folder / f"{preset}.csv", folder / f"{preset}.json"


def read(results: Path, study: str, preset: str) -> Record | None:
    """Return a finished result, or None where there is none (yet).

    Raises
    ------
    ResultError
        If the provenance cannot be read, or the table is not the one that it describes.
    """
    table_path, provenance_path = _paths(results, study, preset)
    provenance = _read_provenance(provenance_path)
    if not table_path.exists():
        return None
    if provenance is None:
        raise ResultError(f"{table_path} has no {provenance_path.name} to say where it comes from")
    data = table_path.read_bytes()
    if hashlib.sha256(data).hexdigest() != provenance["sha256"]:
        raise ResultError(f"{table_path} is not the table that {provenance_path.name} describes")
    return Record(pd.read_csv(io.BytesIO(data)), provenance)


def _read_provenance(path: Path) -> dict[str, Any] | None:
    try:
        provenance = json.loads(path.read_bytes())
        provenance["sha256"], provenance["identity"], provenance["seeds"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise ResultError(f"{path} is damaged; restore it, or remove it with its table") from None
    return provenance


def record(
    study: str,
    preset: str,
    settings: Any,
    seeds: Sequence[int],
    device: str,
    results: Path,
    progress: Progress | None = None,
    jobs: int = 1,
    checkpoint_seconds: float = 60.0,
    backend: str | None = None,
) -> Record:
    """Run a study, or take up where a killed run stopped, and leave the result on disk.

    A result that is there already is returned as it is if it was made in the same way. `jobs` is
    the number of processes that share the work, and `backend` says where (see `_jobs.backend`);
    they decide no digit.

    Raises
    ------
    ResultError
        If another result has the same name, or a file of this one is damaged. Nothing is
        overwritten then.
    """
    table_path, provenance_path = _paths(results, study, preset)
    made_by = identity(study, settings, device)
    seeds = [int(seed) for seed in seeds]
    old = _read_provenance(provenance_path)
    if old is not None and (old["identity"], old["seeds"]) != (made_by, seeds):
        raise ResultError(
            f"{provenance_path} describes a run with other settings, seeds or versions; "
            "choose another folder, or remove it with its table"
        )
    finished = read(results, study, preset)
    if finished is not None:
        return finished

    from sharplib.studies import _jobs

    parts = table_path.parent / ".parts"
    write_atomically(parts / ".gitignore", b"*\n")
    # Each piece of work adds what it depends on: a new way to test does not ask for new training.
    common = {name: value for name, value in made_by.items() if name != "settings"}
    store = Store(parts, common)
    with _jobs.backend(backend, jobs) as jobs:
        table = load(study).run(
            settings,
            seeds,
            device,
            jobs=jobs,
            store=store,
            progress=progress,
            checkpoint_seconds=checkpoint_seconds,
        )
    data = table.to_csv(index=False, lineterminator="\n").encode()
    provenance = {
        "identity": made_by,
        "seeds": seeds,
        "sha256": hashlib.sha256(data).hexdigest(),
        **load(study).NUMERICS,
        **_circumstances(device),
        "jobs": jobs,
        "work_s": round(store.seconds, 3),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    # The provenance comes first: a table without it could not be told from somebody's own file.
    write_atomically(provenance_path, pretty(provenance))
    write_atomically(table_path, data)
    return Record(table, provenance)


def _circumstances(device: str) -> dict[str, Any]:
    """What may matter to somebody who gets other figures, but does not name the run."""
    import numpy as np
    import torch

    on_gpu = torch.device(device).type == "cuda"
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": torch.cuda.get_device_name(device) if on_gpu else platform.machine(),
    }


def commit() -> str | None:
    """Return the commit that the library is at, with a plus sign if files differ from it."""
    here = Path(__file__).parent
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
        tracked = subprocess.run(
            ["git", "ls-files", "--error-unmatch", __file__], cwd=here, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return said.stdout.strip() if tracked.returncode == 0 else None
