"""The command `sharp`: list the studies, run one, show its figures beside the paper's.

Whatever is wrong with what the user gave, the answer is one line on stderr and exit code 2, and no
file is overwritten.
"""

import io
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

__all__ = ["main"]


class _Trouble(Exception):
    """Something that the user can mend. The message is all that is shown."""

    exit_code = 2


class _Stopped(_Trouble):
    """Ctrl-C. What is finished is on disk, so there is nothing to trace."""

    exit_code = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    That is 0 if all went well, 2 if the user has something to mend, 130 after Ctrl-C.

    Parameters
    ----------
    arguments
        What stands after `sharp`; by default that of the process.
    """
    try:
        return _app()(args=arguments, prog_name="sharp", standalone_mode=False) or 0
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "sharplib":
            raise
        extra = "cluster" if error.name == "distributed" else "course"
        return _complain(f"{error.name} is not installed: pip install 'sharplib[{extra}]'")
    except _Trouble as error:
        _complain(str(error))
        return error.exit_code
    except Exception as error:
        # What typer raises for a bad command line; its class has moved between versions.
        if hasattr(error, "format_message"):
            return _complain(error.format_message() or "say what to do: sharp --help")
        raise


def _complain(message: str) -> int:
    print("sharp:", " ".join(message.split()), file=sys.stderr)
    return 2


@contextmanager
def _mendable(*also: type[Exception]) -> Iterator[None]:
    """Turn what bad files, and `also` what bad arguments raise, into one line."""
    from sharplib.studies._storage import ResultError

    try:
        yield
    except (ResultError, *also) as error:
        raise _Trouble(str(error)) from error
    except KeyboardInterrupt:
        raise _Stopped("stopped; the same command goes on from the last checkpoint") from None
    except OSError as error:
        # That of a network that is away has neither a file nor an `strerror`.
        known = error.strerror and f"{error.filename or 'file'}: {error.strerror}"
        raise _Trouble(known or str(error)) from error


def _seeds(text: str) -> tuple[int, ...]:
    """Read "0-9" or "0,3,5-7"."""
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise ValueError(f"seeds must look like 0-9 or 0,3,5-7, got {text!r}")
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different numbers, got {text!r}")
    return tuple(seeds)


def _check_device(device: str) -> None:
    import torch

    try:
        torch.empty(0, device=device).cpu()  # figures must come back from there
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]
        raise ValueError(f"device {device!r} cannot be used here: {reason}") from None


def _check_writable(folder: Path) -> None:
    """Fail now rather than after an hour of training."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(folder)) from None


class _Bars:
    """Progress bars on stderr, one per stage and process; silent where nobody watches."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm
        self._bars: dict[int, tuple[str, Any]] = {}

    def __reduce__(self) -> Any:
        return _Bars, ()  # another process draws its own

    def __call__(self, stage: str, done: int, total: int, line: int = 0) -> None:
        shown, bar = self._bars.get(line, ("", None))
        if stage != shown:
            if bar is not None:
                bar.close()
            bar = self._bar(
                desc=stage, total=total, initial=done, position=line, file=sys.stderr, disable=None
            )
            self._bars[line] = stage, bar
        bar.update(done - bar.n)

    def close(self) -> None:
        for _, bar in self._bars.values():
            bar.close()


def _app() -> Callable[..., Any]:
    import typer

    app = typer.Typer(
        help="Run the studies of the book, and show their figures beside the paper's.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    study_argument = typer.Argument(help="Name of a study; `sharp list` names them.")
    results_option = typer.Option(help="Folder of results.")

    @app.command("list")
    def list_() -> None:
        """Name the studies and what each one asks."""
        from sharplib.studies import STUDIES

        for name, question in STUDIES.items():
            typer.echo(f"{name}  {question}")

    @app.command()
    def run(
        study: Annotated[str, study_argument],
        preset: Annotated[str, typer.Option(help="Size: quick, paper, ...")] = "quick",
        seeds: Annotated[
            str | None, typer.Option(help="Seeds, such as 0-9 or 0,3,5-7 (default: the preset's).")
        ] = None,
        device: Annotated[str, typer.Option(help="Where to compute, such as cpu or cuda.")] = "cpu",
        jobs: Annotated[int, typer.Option(min=1, help="Processes that share the work.")] = 1,
        backend: Annotated[
            str | None,
            typer.Option(help="in-process, joblib, or a Dask scheduler such as tcp://host:8786."),
        ] = None,
        results: Annotated[Path, results_option] = Path("results"),
    ) -> None:
        """Run a study, or take up where it was stopped, and store its table."""
        from sharplib.studies import _jobs, _record, load

        with _mendable(ValueError):
            module = load(study)
            if preset not in module.PRESETS:
                known = ", ".join(module.PRESETS)
                raise ValueError(f"unknown preset {preset!r} of {study}; there is: {known}")
            settings, usual_seeds = module.PRESETS[preset]
            chosen = usual_seeds if seeds is None else _seeds(seeds)
            only = getattr(module, "DEVICES", None)
            if only and device.split(":")[0] not in only:
                raise ValueError(f"device must be {' or '.join(only)} for {study}, got {device!r}")
            _check_device(device)
            _jobs.check(backend, jobs)
            _check_writable(results)
        # From here on a ValueError is our mistake, and shows its traceback.
        with _mendable(), closing(_Bars()) as progress:
            _record.record(
                study, preset, settings, chosen, device, results, progress, jobs, backend=backend
            )
        _show(study, results)

    @app.command()
    def show(
        study: Annotated[str, study_argument],
        results: Annotated[Path, results_option] = Path("results"),
    ) -> None:
        """Show a study: published, ours at full size, ours at quick size."""
        _show(study, results)

    def _show(study: str, results: Path) -> None:
        from sharplib.studies import comparison, load

        with _mendable(ValueError):
            load(study)
        # A file or a pipe on Windows may have no letter for σ; a question mark will do.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        with _mendable():
            typer.echo(comparison.report(study, results))

    return app
