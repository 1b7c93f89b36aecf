"""Reading an answer, whatever a reader puts there, and telling likely mistakes apart."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Answers are rounded: three digits are enough, unless an exercise asks for more.
RTOL = 5e-3

_COLOURS = {"Right": "#009E73", "Not yet": "#D55E00", "Your turn": "#0072B2"}


@dataclass(frozen=True)
class Verdict:
    """What `check` found: true if the answer is right, and in any case something to read.

    >>> Verdict("Not yet", "The weights do not add up to 1.")
    Not yet. The weights do not add up to 1.
    """

    title: str
    hint: str

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.title == "Right"

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return f"{self.title}. {self.hint}"

    def _repr_html_(self) -> str:
        style = f"border-left: .3em solid {_COLOURS[self.title]}; padding: .1em .8em; margin: 0"
        words = f"<strong>{self.title}.</strong> {html.escape(self.hint)}"
        return f'<p class="sharp-verdict" style="{style}">{words}</p>'


class Hint(Exception):
    """What to look at next. Raised by an exercise, shown by `check`."""


def numbers(answer: Any, *shape: int) -> np.ndarray:
    """The answer as finite numbers of this shape (-1: any length), or a hint on what is wanted."""
    if isinstance(answer, str | bytes):
        raise Hint(f"This is a text. Wanted: {_amount(shape)}, without quotation marks.")
    if callable(answer) and not hasattr(answer, "__array__"):
        raise Hint(f"This is a function. Wanted: {_amount(shape)}, so call it.")
    if hasattr(answer, "detach"):  # a tensor may ask for gradients, or live on a GPU
        answer = answer.detach().cpu()
    try:
        if np.iscomplexobj(answer):
            raise Hint("These numbers are complex. Take real ones.")
        found = np.asarray(answer, dtype=float)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise Hint(f"This cannot be read as numbers. Wanted: {_amount(shape)}.") from None
    if len(found.shape) != len(shape) or any(
        wanted not in (size, -1) for size, wanted in zip(found.shape, shape, strict=True)
    ):
        raise Hint(f"Wanted: {_amount(shape)}. This is {_amount(found.shape)}.")
    if not np.isfinite(found).all():
        raise Hint("Something is missing here, or not a finite number.")
    return found


def _amount(shape: Sequence[int]) -> str:
    if not shape:
        return "a number"
    if shape == (-1,):
        return "a list of numbers"
    if len(shape) == 1:
        return f"a list of {shape[0]} number{'s' * (shape[0] != 1)}"
    return f"a table of {' × '.join(map(str, shape))} numbers"


def called(answer: Any, points: Iterable[tuple[Any, ...]], *shape: int) -> np.ndarray:
    """What the answer, a function, gives at some points, or a hint on why it cannot be called."""
    if not callable(answer):
        raise Hint("Wanted: a function, such as `lambda n: ...` or the name of one that you wrote.")
    values = []
    for point in points:
        words = ", ".join(f"{p:g}" if isinstance(p, int | float) else "..." for p in point)
        try:
            value = answer(*point)
        except Exception as error:  # whatever the reader's function does wrong
            raise Hint(
                f"Called with ({words}), it stops: {type(error).__name__}: {error}"
            ) from None
        if value is None:
            raise Hint(f"Called with ({words}), it gives None. Is a `return` missing?")
        try:
            values.append(numbers(value, *shape))
        except Hint as hint:
            raise Hint(f"Called with ({words}): {hint}") from None
    return np.array(values)


def near(found: Any, value: Any, rtol: float = RTOL) -> bool:
    """Whether all numbers are as close as rounding can take them."""
    return bool(np.allclose(found, value, rtol=rtol, atol=1e-9))


def judge(
    found: np.ndarray,
    right: Any,
    mistakes: Iterable[tuple[Any, str]],
    otherwise: str,
    rtol: float = RTOL,
) -> None:
    """Pass what is right; meet each known mistake with its hint, and any other with the last."""
    if near(found, right, rtol):
        return
    for value, hint in mistakes:
        if near(found, value, rtol):
            raise Hint(hint)
    raise Hint(otherwise)


def judge_function(
    answer: Any,
    points: Sequence[tuple[Any, ...]],
    right: Callable[..., Any],
    mistakes: Iterable[tuple[Callable[..., Any], str]],
    otherwise: str,
) -> None:
    """The same for a function, which is right if it is at all of these points."""

    def at(function: Callable[..., Any]) -> np.ndarray:
        return np.array([function(*point) for point in points], dtype=float)

    wanted = at(right)
    found = called(answer, points, *wanted.shape[1:])
    judge(found, wanted, ((at(wrong), hint) for wrong, hint in mistakes), otherwise)
