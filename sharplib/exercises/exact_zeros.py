"""Chapter *Exact zeros*."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib.exercises._answer import judge, judge_function, numbers
from sharplib.exercises._quiz import Option, Question


def water(answer: Any) -> str:
    """Sparsemax of 0.6, 0.5, 0.2, -1."""
    p = numbers(answer, 4)
    powers = np.exp([0.6, 0.5, 0.2, -1])
    judge(
        p,
        [0.5, 0.4, 0.1, 0],
        [
            (powers / powers.sum(), "That is softmax: every item has some weight."),
            (
                [0.55, 0.45, 0, 0],
                "With two items the line is at 0.05. But the third score, 0.2, stands out of that.",
            ),
            (
                [0.775, 0.675, 0.375, -0.825],
                "A weight below 0. The fourth item is under water: leave it out of the sum.",
            ),
            (
                [0.6, 0.5, 0.2, 0],
                "These are the scores. Lower all of them by the line, until they sum to 1.",
            ),
        ],
        "Try one item, two, three: the line is (sum of their scores - 1) divided by how many.",
    )
    return "Three items stand out of a line at 0.1."


def half(answer: Any) -> str:
    """The leads that keep half of the weight at any n: sparsemax and entmax-1.5."""
    judge(
        numbers(answer, 2),
        [0.5, np.sqrt(2)],
        [
            ([np.sqrt(2), 0.5], "The numbers are right. Sparsemax comes first."),
            ([0.5, 0.5], "Right for sparsemax. For the other take the power α - 1 of one half."),
            (
                [0.5, 0.125],
                "Right for sparsemax. Solve ((α - 1) Δ)^(1/(α - 1)) = 1/2 for Δ: the power α - 1 of"
                " one half is its root.",
            ),
            (
                [0.5, np.sqrt(0.5)],
                "Right for sparsemax. For the other one (α - 1) Δ is the root, not Δ.",
            ),
        ],
        "Set the lower end of the theorem to 1/2, once with α = 2 and once with α = 1.5.",
    )
    return "Half the weight costs 0.5 and 1.41, among any number of rivals."


def crowded(answer: Any) -> str:
    """How many evenly spread scores leave the top a weight of 0.1, for B = 50."""
    judge(
        numbers(answer, 3),
        [500, 75 / 0.1**1.5, 10_000],
        [
            ([500, 500, 500], "That is softmax three times. Solve with the power 1/α."),
            ([10_000, 75 / 0.1**1.5, 500], "The numbers are right. Begin with softmax."),
            (
                [500, 50 / 0.1**1.5, 5_000],
                "Nearly: the factor α in front of B is missing.",
            ),
            (
                [500, 75 / 0.1 ** (1 / 1.5), 100 / 0.1**0.5],
                "Take both sides to the power α, not 1/α.",
            ),
        ],
        "Solve P = (α B / n)^(1/α) for n.",
    )
    return "From 500 items to 10,000, by a change of the map alone."


def harden(answer: Any) -> str:
    """The temperature at which entmax is the hard maximum, for a unique leader."""
    judge_function(
        answer,
        [(0.5, 2.0), (0.5, 1.5), (2.0, 1.25), (0.1, 3.0)],
        lambda gap, alpha: (alpha - 1) * gap,
        [
            (lambda gap, alpha: gap, "Right for sparsemax. The reach of the others is not 1."),
            (
                lambda gap, alpha: gap / (alpha - 1),
                "Turn it round: a longer reach needs a colder row.",
            ),
            (
                lambda gap, alpha: 1 / ((alpha - 1) * gap),
                "That is the inverse temperature. Which temperature belongs to it?",
            ),
        ],
        "At a temperature θ the gap is g/θ. When does the next item get out of reach?",
    )
    return "A softmax gets there only at the temperature 0."


def runners_up(answer: Any) -> str:
    """Leader's weight under sparsemax with k runners-up a lead below, and the rest out of reach."""
    judge_function(
        answer,
        [(1, 0.2), (3, 0.2), (10, 0.5), (1000, 0.9)],
        lambda k, lead: (1 + k * lead) / (1 + k),
        [
            (
                lambda k, lead: lead,
                "That is what is left for k without end. Some rivals leave a little more.",
            ),
            (
                lambda k, lead: lead + 1 / (1 + k),
                "The leader is ahead by Δ. But the rest, 1 - Δ, is what is shared by k + 1.",
            ),
            (
                lambda k, lead: (1 - lead) / (1 + k),
                "That is the weight of a runner-up. Add the lead.",
            ),
            (
                lambda k, lead: (1 + k * lead) / k,
                "Nearly. How many items share, if there are k beside the leader?",
            ),
        ],
        "With two unknown weights, P and Q, write down two equations: their difference, their sum.",
    )
    return "A share of what is left for everybody, and the lead on top."


EXERCISES = {
    "ex-water": water,
    "ex-keep-half": half,
    "ex-crowded": crowded,
    "ex-harden": harden,
    "ex-runners-up": runners_up,
}

QUESTIONS = (
    Question(
        "A leader is 0.8 ahead of the next item under sparsemax. A million items are added, all 3"
        " below the leader. What happens to the leader's weight?",
        Option("It falls to about 0.8.", "It would if the new items were 0.8 below. They are not."),
        Option(
            "Nothing.",
            "The reach of sparsemax is 1. What is further below changes nothing.",
            True,
        ),
        Option("It falls like one over n.", "So softmax does in the end."),
    ),
    Question(
        "All scores of a row are doubled. How many items have some weight under sparsemax?",
        Option(
            "As many as before, or fewer.",
            "Doubling moves every item further below the top. Some may fall out of reach.",
            True,
        ),
        Option(
            "As many as before, or more.",
            "Distances to the top double: nobody comes into reach.",
        ),
        Option(
            "Just as many: only the weights change.",
            "The reach stays 1 while distances double: some items may fall out of it.",
        ),
    ),
    Question(
        "Scores are spread evenly over a fixed range, and there are many. Now there are four times"
        " as many. What happens to the top weight of sparsemax?",
        Option("It stays.", "A lead would be kept. In a crowd nobody has one."),
        Option("It is halved.", "It falls like one over the square root of n.", True),
        Option("It is divided by four.", "That is softmax, where the exponent is 1."),
    ),
    Question(
        "The entmax loss with α = 1.5 of an example is exactly 0. What do you know?",
        Option(
            "The right item has the highest score.",
            "True, but you know more. A lead of 1 would not have been enough.",
        ),
        Option(
            "The right item leads by at least 2.",
            "The margin is 1/(α - 1), and the weight of the right item is exactly 1.",
            True,
        ),
        Option(
            "The scores have converged: no example can move them.",
            "This example pulls no more. Others still may.",
        ),
    ),
    Question(
        "In an attention layer with sparsemax the right item has weight 0. What does one step of"
        " gradient descent do to its score?",
        Option(
            "It raises it: the loss is large.",
            "The loss is felt through the weights only, and this one does not move.",
        ),
        Option(
            "Nothing, as long as only the scores of this row are asked.",
            "A weight that is zero has a slope of zero. It takes other rows to lift the item.",
            True,
        ),
        Option(
            "It lowers it further.",
            "A slope of zero pushes in no direction, neither up nor down.",
        ),
    ),
)
