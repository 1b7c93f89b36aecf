"""What every benchmark needs: a fair clock, and a table with a note on how it was made."""

import datetime
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import torch

from sharplib.studies._record import commit
from sharplib.studies._storage import pretty, write_atomically

__all__ = ["keep", "seconds"]

RESULTS = Path(__file__).parent / "results"


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median time of one call, after one that does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def keep(name: str, table: pd.DataFrame, **about: object) -> None:
    """Print a table, and store it with its provenance beside this file."""
    print(table.to_string(index=False))
    provenance: Mapping[str, object] = {
        **about,
        "command": f"make bench, {Path(sys.argv[0]).name}",
        "commit": commit(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    print(json.dumps(provenance, indent=2))
    text = table.to_csv(index=False, lineterminator="\n")
    write_atomically(RESULTS / f"{name}.csv", text.encode())
    write_atomically(RESULTS / f"{name}.json", pretty(provenance))


def _processor() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.split(": ", 1)[1] for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()
