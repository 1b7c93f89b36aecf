"""Questions with answers that explain themselves, in Jupyter and on a page without a kernel."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import traitlets as t

from sharplib.figures.explorers import Explorer


@dataclass(frozen=True)
class Option:
    """One answer to a question, and why it is right or wrong."""

    text: str
    why: str
    right: bool = False


class Question:
    """A question, and its options in the order of the page; exactly one is right.

    >>> Question("Is 1 < 2?", Option("Yes", "It is.", True), Option("No", "Look again.")).text
    'Is 1 < 2?'
    """

    def __init__(self, text: str, *options: Option) -> None:
        if sum(option.right for option in options) != 1:
            raise ValueError(f"options must hold exactly one that is right: {text!r}")
        self.text = text
        self.options = options


class Quiz(Explorer):
    """Questions to answer; each option says why it is right or wrong.

    ``chosen`` holds the number of the option that the reader took, for each question, and None
    where nothing was answered yet.
    """

    module = "quiz"
    caption = "Nothing that you choose is stored or sent."
    height = (0, 0)  # as high as its text

    questions = t.List(t.Dict()).tag(sync=True)
    chosen = t.List(t.Int(allow_none=True)).tag(sync=True)

    def __init__(self, questions: Sequence[Question]) -> None:
        plain = [{"text": q.text, "options": [asdict(o) for o in q.options]} for q in questions]
        super().__init__(questions=plain, chosen=[None] * len(plain))

    def still(self) -> str:
        """The questions with their answers folded away, in the room that the living quiz takes."""
        questions = "".join(map(_still, self.questions))
        return f'<div class="sharp-stage">{questions}<p class="sharp-total"></p></div>'


def _still(question: dict[str, Any]) -> str:
    options = "".join(f"<li>{html.escape(o['text'])}</li>" for o in question["options"])
    answers = "".join(
        f"<dt>{html.escape(o['text'])}</dt>"
        f"<dd>{'Right' if o['right'] else 'Wrong'}. {html.escape(o['why'])}</dd>"
        for o in question["options"]
    )
    return (
        f'<div class="sharp-question"><p class="sharp-asked">{html.escape(question["text"])}</p>'
        f'<ul class="sharp-options">{options}</ul>'
        f"<details><summary>Answer</summary><dl>{answers}</dl></details></div>"
    )
