"""Exercises that answer, and a quiz for each chapter.

>>> from sharplib.exercises import check
>>> check("ex-by-hand", [[1 / 8, 2 / 8, 5 / 8], [1 / 8, 2 / 8, 5 / 8]])
Not yet. The first row is right, and the second is the same. Divide the scores by 1/2 first.

Each module is named like a chapter. It holds one function for each exercise, which looks at an
answer and says what to look at next, and the questions of the quiz.
"""

from __future__ import annotations

import functools
import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

from sharplib.exercises._answer import Hint, Verdict
from sharplib.exercises._quiz import Quiz

__all__ = ["Quiz", "Verdict", "check", "quiz"]


def check(label: str, answer: Any) -> Verdict:
    """Look at an answer to an exercise: is it right, and if not, what to look at next.

    Args:
        label: The exercise, such as ``"ex-by-hand"``.
        answer: What the exercise asks for: numbers (of any library), or a function. None means
            that nothing was tried yet.

    Returns:
        A `Verdict`, which is true if the answer is right. A wrong answer of any kind is met with a
        hint, never with an error.

    Raises:
        ValueError: If there is no such exercise; the message lists those that there are.

    >>> bool(check("ex-by-hand", [[1 / 8, 2 / 8, 5 / 8], [1 / 30, 4 / 30, 25 / 30]]))
    True
    """
    examine = {name: f for module in _chapters().values() for name, f in module.EXERCISES.items()}
    if label not in examine:
        raise ValueError(f"label {label!r} is not an exercise; there are {', '.join(examine)}")
    if answer is None:
        return Verdict("Your turn", "Put your answer in place of None, then run the cell.")
    try:
        return Verdict("Right", examine[label](answer))
    except Hint as hint:
        return Verdict("Not yet", str(hint))


def quiz(chapter: str) -> Quiz:
    """The quiz that closes a chapter.

    Args:
        chapter: The chapter's file, without its ending, such as ``"a-sharp-lookup"``.

    Raises:
        ValueError: If there is no such chapter; the message lists those that there are.

    >>> len(quiz("a-sharp-lookup").questions)
    4
    """
    if chapter not in _chapters():
        raise ValueError(f"chapter {chapter!r} has no quiz; there are {', '.join(_chapters())}")
    return Quiz(_chapters()[chapter].QUESTIONS)


@functools.cache
def _chapters() -> dict[str, ModuleType]:
    names = [m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")]
    return {name.replace("_", "-"): import_module(f"{__name__}.{name}") for name in names}
