"""Share the independent parts of a study among processes."""

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sharplib.studies._record import Progress
from sharplib.studies._storage import Store

__all__ = ["in_processes"]


def in_processes(
    jobs: int,
    work: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
    store: Store | None,
    progress: Progress | None,
) -> list[Any]:
    """Return ``work(*some, store, progress)`` for each of the arguments, in their order.

    With several jobs the processes hand in their work through the store, where this one then finds
    all of it done; so the results are those of one process, whatever the number of jobs. Progress
    of part number i is reported on line i.
    """
    if jobs == 1 or len(arguments) == 1:
        return [work(*some, store, progress) for some in arguments]
    from joblib import Parallel, delayed

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), {}) if store is None else store
        lines = [progress and partial(progress, line=line) for line in range(len(arguments))]
        Parallel(n_jobs=jobs)(
            delayed(work)(*some, store, line) for some, line in zip(arguments, lines, strict=True)
        )
        return [work(*some, store, None) for some in arguments]
