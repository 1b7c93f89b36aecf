"""Build the book: ``python book/build.py`` (or ``make book``) writes ``_build/html``.

Three things are added to ``jupyter-book build``:

* The execution cache knows a chapter by its cells alone. It would show old numbers after a change
  in the library. So the cache is emptied when the library, the stored results, the pinned
  versions or the Python version are not those it was filled with.
* Sphinx reads only pages that changed, and repeats no warning about the others: a build that
  failed would pass the second time. So every page is read again; only the executed cells are kept.
* The cells do not see the IPython profile of whoever builds the book.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: What the numbers in a chapter depend on, beside its own cells.
INPUTS = ("sharplib", "results", "constraints.txt", "pyproject.toml")


def digest(root: Path) -> str:
    """SHA-256 of the names and contents of all `INPUTS` below `root`, and of the Python version."""
    found = hashlib.sha256(sys.version.encode())
    for name in INPUTS:
        top = root / name
        for path in sorted([top, *top.rglob("*")]):
            inside = path.relative_to(root).parts
            # Not what Python, or a study that is still running, leaves for itself.
            private = any(part.startswith((".", "__pycache__")) for part in inside)
            if path.is_file() and not private:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                found.update(f"\n{path.relative_to(root).as_posix()} {content}".encode())
    return found.hexdigest()


def prepare(root: Path) -> bool:
    """Clear what must not be reused from an earlier build; tell whether executed cells are kept."""
    build = root / "_build"
    cache, key = build / ".jupyter_cache", build / "cache-key.txt"
    now = digest(root)
    keep = cache.is_dir() and key.is_file() and key.read_text() == now
    stale = [build / "html", build / ".doctrees", build / "jupyter_execute"]
    for folder in stale if keep else [*stale, cache]:
        if folder.exists():
            shutil.rmtree(folder)
    build.mkdir(exist_ok=True)
    key.write_text(now)
    return keep


def ipython_profile(root: Path) -> Path:
    """Write a bare IPython profile, whose kernels report errors only, and return its folder."""
    folder = root / "_build" / "ipython"
    (folder / "profile_default").mkdir(parents=True, exist_ok=True)
    settings = folder / "profile_default" / "ipython_kernel_config.py"
    settings.write_text('get_config().IPKernelApp.log_level = "ERROR"\n')
    return folder


def main() -> int:
    """Build the book and return the exit status of the build."""
    kept = prepare(ROOT)
    note = "Cells that did not change are not run again." if kept else "All cells are run."
    print(note, flush=True)
    jupyter_book = "from jupyter_book.cli.main import main; main()"
    status = subprocess.run(
        [sys.executable, "-c", jupyter_book, "build", str(ROOT), "-W", "-n", "--keep-going", "-q"],
        env={**os.environ, "IPYTHONDIR": str(ipython_profile(ROOT))},
    ).returncode
    if status:
        for report in sorted((ROOT / "_build" / "html" / "reports").rglob("*.err.log")):
            print(f"\nIn {report.name.removesuffix('.err.log')}:\n{report.read_text('utf-8')}")
        print(f"The book was not built (exit status {status}); the reason stands above.")
    else:
        print("`make serve` shows it at http://127.0.0.1:8000.")
    return status


if __name__ == "__main__":
    sys.exit(main())
