"""Chapter *Sparse and multi-modal*."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib.exercises._answer import judge, judge_function, numbers
from sharplib.exercises._quiz import Option, Question


def bent(answer: Any) -> str:
    """The scores 2, 0, -1, bent with slope 3 below 0 and slope 1/2 above 1."""
    judge(
        numbers(answer, 3),
        [1.5, 0, -3],
        [
            ([1, 0, -3], "Only what lies above 1 has the slope 1/2. The way up to 1 counts whole."),
            ([1.5, 0, -4], "Below 0 the slope is 3 in all. That is two more than the plain score."),
            ([1.5, 0, -2], "Below 0 two is added to the slope 1: the score falls three times."),
            (
                [2.5, 0, 2],
                "Right sizes, wrong signs: c₀ = 1 - 3 and c₁ = 1/2 - 1 are both below 0.",
            ),
            ([2.5, 0, -3], "The slope above 1 is smaller than 1, so the bent score is below 2."),
        ],
        "Start at 0 and walk: slope 1 up to the threshold at 1, slope 1/2 beyond it.",
    )
    return "The middle stays, the top moves down a little, the bottom a lot."


def overlap(answer: Any) -> str:
    """The smallest c1 that keeps the order, with r0 = 0.5, r1 = -0.5 and c0 = 0.6."""
    judge(
        numbers(answer),
        -0.4,
        [
            (-1, "That is right above both thresholds. Between them both terms count at once."),
            (-0.6, "Write down the slope between the thresholds: 1 - c₀ + c₁. Where is it 0?"),
            (0.4, "The right size. How does c₁ enter the slope?"),
            (-1.6, "Between the thresholds the first term takes 0.6 away, it does not add it."),
        ],
        "There are three pieces with three slopes. All three must be at least 0.",
    )
    return "Each side alone would be harmless. Together they leave no room."


def needed(answer: Any) -> str:
    """The slope below from which S rises, for scores 2, 1 and some at -1, against the one above."""

    def least(high: float) -> float:
        return 1 + np.log((np.exp(2) + np.e) / (np.exp(2 * high) + np.exp(high)))

    judge_function(
        answer,
        [(0.9,), (0.5,), (0.2,), (0.05,)],
        least,
        [
            (lambda high: least(high) - 1, "That is how much is added. The slope 1 is there too."),
            (lambda high: 1.0, "Then the top, drawn together, would leave more for those below."),
            (
                lambda high: 1 - np.log((np.exp(2) + np.e) / (np.exp(2 * high) + np.exp(high))),
                "Turn the fraction over: a flatter top asks for a steeper bottom.",
            ),
            (
                lambda high: 1 / high,
                "That is near for slopes close to 1. Set the two weights of an item equal.",
            ),
        ],
        "Weight of an item at -1 before and after: 1/(L + e (e² + e)), and what with both slopes?",
    )
    return "What the top gives away, the bottom must not get."


def sizes(answer: Any) -> str:
    """How many scores within 5 leave nobody more than a tenth: softmax, and a slope of 2."""
    judge(
        numbers(answer, 2),
        [1 + 9 * np.exp(5), 1 + 9 * np.exp(10)],
        [
            (
                [1 + 9 * np.exp(10), 1 + 9 * np.exp(5)],
                "The numbers are right. Softmax comes first.",
            ),
            (
                [1 + 9 * np.exp(5), 2 + 18 * np.exp(5)],
                "Right for softmax. The slope stands in the exponent.",
            ),
            (
                [1 + 9 * np.exp(5), 1 + 9 * np.exp(2.5)],
                "Right for softmax. A slope of 2 makes the interval wider, not narrower.",
            ),
            (
                [1 + 10 * np.exp(5), 1 + 10 * np.exp(10)],
                "Nearly: 1 over a tenth is 10, and the 1 is taken away from that.",
            ),
        ],
        "Set the bound to 1/10 and solve for n.",
    )
    return "From 1,337 to 198,239: later, but not never."


EXERCISES = {
    "ex-bend": bent,
    "ex-overlap": overlap,
    "ex-needed": needed,
    "ex-later": sizes,
}

QUESTIONS = (
    Question(
        "A softmax is cooled. What happens to multi-modality M and sparsity S?",
        Option("M falls, S rises.", "In every row, whatever the threshold.", True),
        Option("Both rise.", "Cooling draws the top away from the other items that matter."),
        Option("It depends on the row.", "How fast depends on the row. The direction does not."),
    ),
    Question(
        "All scores of a row are raised by 3. What does MultiMax give?",
        Option("The same weights.", "So softmax would do. These thresholds stay where they are."),
        Option(
            "Other weights; their order too stays only if the line falls nowhere.",
            "Other pieces of the bent line apply.",
            True,
        ),
        Option(
            "Three times the log-odds.",
            "A shift changes which slope counts. It multiplies by no more than the slopes allow.",
        ),
    ),
    Question(
        "The squares of order 2 have learned coefficients c₂ = -0.1 and c₃ = -0.1. Is the order of"
        " the scores kept?",
        Option("Yes: both push in the intended direction.", "They do. But look far up."),
        Option(
            "Not for scores that are far enough up.",
            "The slope falls without end above r₃, so a larger score ends up below a smaller one.",
            True,
        ),
        Option(
            "No: scores far down turn round.", "c₂ below 0 makes them steeper: they keep order."
        ),
    ),
    Question(
        "A row of a thousand items has M = 0.99. What do you know?",
        Option("Many items matter.", "Perhaps. A row that has dispersed has a large M too."),
        Option("The map is not softmax.", "A softmax that is warm enough has that M too."),
        Option(
            "Not much: with a top weight of one in a hundred M is at least 0.99.",
            "M cannot be below one minus the top weight. Look at S, or at the support.",
            True,
        ),
    ),
    Question(
        "Scores stay in a fixed interval, and items are added without end. What becomes of the"
        " top weight under MultiMax with learned parameters?",
        Option("It stays, since low scores are pushed down.", "By a fixed factor only."),
        Option(
            "It falls like one over n.",
            "Bent scores lie in an interval too. It may be wider, which delays the fall.",
            True,
        ),
        Option("It falls more slowly than one over n.", "The delay is a factor, not a power."),
    ),
)
