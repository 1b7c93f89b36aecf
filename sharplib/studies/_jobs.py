"""Share the independent parts of a study among processes, of this machine or of a cluster."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

from sharplib.studies._record import Progress
from sharplib.studies._storage import Store

__all__ = ["backend", "check", "in_processes"]

_on_cluster: ContextVar[bool] = ContextVar("_on_cluster", default=False)


@contextmanager
def backend(name: str | None, jobs: int) -> Iterator[int]:
    """Where `in_processes` works while this is open; gives the number of processes that do.

    Parameters
    ----------
    name
        "in-process", "joblib" for processes of this machine, or the address of a Dask scheduler,
        such as tcp://10.0.0.1:8786, whose workers need this version of the library, and the folder
        of results under the same path. None is joblib for several jobs.
    jobs
        Processes of this machine; with joblib, 1 means one for each core.

    Raises
    ------
    ValueError
        See `check`.
    OSError
        Nobody answers at the scheduler's address, or Dask cannot read it.
    """
    check(name, jobs)
    if name is None or "://" not in name:
        yield (os.cpu_count() or 1) if name == "joblib" and jobs == 1 else jobs
        return
    from distributed import Client
    from joblib import parallel_config

    try:
        client = Client(name, timeout=5)
    except OSError as error:
        raise OSError(errno.EHOSTUNREACH, "no Dask scheduler answers", name) from error
    except (ValueError, TypeError) as error:  # no port, an unknown scheme, TLS without keys
        raise OSError(errno.EINVAL, str(error), name) from error
    with client, parallel_config("dask"):
        token = _on_cluster.set(True)
        try:
            yield sum(client.nthreads().values())
        finally:
            _on_cluster.reset(token)


def check(name: str | None, jobs: int) -> None:
    """Raise a ValueError for an unknown backend, or for several jobs in one process."""
    if name == "in-process" and jobs > 1:
        raise ValueError(f"jobs must be 1 for the backend in-process, got {jobs!r}")
    if name not in (None, "in-process", "joblib") and "://" not in name:
        raise ValueError(
            "backend must be in-process, joblib, or a Dask scheduler's address such as "
            f"tcp://10.0.0.1:8786; got {name!r}"
        )


def in_processes(
    jobs: int,
    work: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
    store: Store | None,
    progress: Progress | None,
) -> list[Any]:
    """Return ``work(*some, store, progress)`` for each of the arguments, in their order.

    With several jobs, or on a cluster, the processes hand in their work through the store, where
    this one then finds all of it done; so the results are those of one process, whatever the number
    of jobs. Progress of part number i is reported on line i; that of a cluster is not.
    """
    cluster = _on_cluster.get()
    if not cluster and (jobs == 1 or len(arguments) == 1):
        return [work(*some, store, progress) for some in arguments]
    from joblib import Parallel, delayed

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), {}) if store is None else store
        away = Store(store.parts.resolve(), store.identity)
        lines = [
            None if cluster else progress and partial(progress, line=line)
            for line in range(len(arguments))
        ]
        Parallel(n_jobs=None if cluster else min(jobs, len(arguments)))(
            delayed(work)(*some, away, line) for some, line in zip(arguments, lines, strict=True)
        )
        return [work(*some, store, None) for some in arguments]
