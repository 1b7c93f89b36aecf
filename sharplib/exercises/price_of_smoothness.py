"""Chapter *The price of smoothness*."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sharplib.exercises._answer import judge, judge_function, numbers
from sharplib.exercises._quiz import Option, Question


def lottery(answer: Any) -> str:
    """PLSoftMax with delta = 1 of 2, 1.6, 1.3, 0."""
    powers = np.exp([2, 1.6, 1.3, 0])
    judge(
        numbers(answer, 4),
        [0.65, 0.25, 0.1, 0],
        [
            (powers / powers.sum(), "That is softmax: the last item has some weight."),
            ([0.7, 0.3, 0, 0], "That is sparsemax. Share each band in equal parts instead."),
            (
                [0.4, 0.3, 0.3, 0],
                "These are the widths of the bands. Everyone above a threshold has a share of it.",
            ),
            (
                [0.4 + 0.15 + 0.3 / 4, 0.15 + 0.3 / 4, 0.3 / 4, 0.3 / 4],
                "The last score lies 2 below the top: no threshold reaches it.",
            ),
        ],
        "The thresholds up to 0.4 below the top have one item above them, those up to 0.7 two.",
    )
    return "Three bands, shared by one, two and three items."


def strict_jury(answer: Any) -> str:
    """Temperature and slope of a softmax that loses at most 0.1 among 1,000."""
    theta, exact = 0.1 / math.log(1000), 0.1 / 4.4205
    judge(
        numbers(answer, 2),
        [theta, 1 / (2 * theta)],
        [
            ([1 / (2 * theta), theta], "The numbers are right. The temperature comes first."),
            ([theta, 1 / theta], "The temperature is right. The slope is half of that."),
            (
                [exact, 1 / (2 * exact)],
                "That is the exact loss, with Lambert's function. Take the short bound this time.",
            ),
            (
                [1 / theta, theta / 2],
                "That is the inverse temperature. The loss is temperature times log n.",
            ),
            (
                [0.1 / math.log10(1000), math.log10(1000) / 0.2],
                "The logarithm is the natural one.",
            ),
        ],
        "Set θ log 1000 to 0.1.",
    )
    return "A temperature of 0.0145, and weights that move 34.5 times as far as a score."


def false_report(answer: Any) -> str:
    """The most that one bidder gains by exaggerating by r."""
    judge_function(
        answer,
        [(2, 0.1, 1.0), (5, 0.2, 2.0), (100, 0.5, 3.0)],
        lambda n, r, delta: (1 - 1 / n) * r / delta,
        [
            (
                lambda n, r, delta: 2 * (1 - 1 / n) * r / delta,
                "That is what all weights move together. How much of it is the bidder's own?",
            ),
            (
                lambda n, r, delta: r / delta,
                "Nearly: even for two bidders it is only half of that.",
            ),
            (
                lambda n, r, delta: r / (n * delta),
                "That is what each of the others may lose. The bidder gains it from all of them.",
            ),
            (
                lambda n, r, delta: r / (2 * delta),
                "Right for two bidders. With more, top moves more.",
            ),
        ],
        "Look at the diagonal of the matrix: which entry is the largest, for k up to n?",
    )
    return "What one gains the others lose, so it is half of the slope."


def overtaken(answer: Any) -> str:
    """From how many items on softmax is dearer than PLSoftMax, from l1 to l1."""
    judge(
        numbers(answer),
        590,
        [
            (51, "That is where θ log n crosses. The exact loss is smaller: use softmax_loss."),
            (39, "A factor of 2 is missing: one slope is 1/(2θ), the other 2 (1 - 1/n)/δ."),
            (595, "That is the estimate W = 4. Step n up by one to find the exact place."),
        ],
        "Step n up from 2 until softmax_loss(n) / 2 is above 2 (1 - 1/n).",
    )
    return "Up to there, a promise on average is the cheaper one."


def two_rows(answer: Any) -> str:
    """The least slope from l1 to l2 of a map with a worst-case loss."""
    judge_function(
        answer,
        [(2, 1.0), (5, 0.5), (100, 3.0)],
        lambda n, delta: math.sqrt(1 - 1 / n) / delta,
        [
            (
                lambda n, delta: 1 / delta,
                "That is from l2 to l2, where the scores move less than δ. Here they move by δ.",
            ),
            (
                lambda n, delta: 2 * (1 - 1 / n) / delta,
                "That is from l1 to l1. Measure the move of the weights in the Euclidean norm.",
            ),
            (
                lambda n, delta: (1 - 1 / n) / delta,
                "That is the lifted item alone. The others lose what it gains.",
            ),
            (
                lambda n, delta: math.sqrt(2) * (1 - 1 / n) / delta,
                "If one item lost it all. The least is moved if all others lose the same.",
            ),
        ],
        "By how much does the lifted item gain, and each of the others lose? Square, add, root.",
    )
    return "The scores moved by δ, the weights by the root of 1 - 1/n."


def odds(answer: Any) -> str:
    """How strongly Exp and Power prefer a gain of 60 over one of 40 at the same cost."""
    exp, power = math.exp(2), 1.4 ** (0.1 / math.log(1.1))
    judge(
        numbers(answer, 2),
        [exp, power],
        [
            ([power, exp], "The numbers are right. Exp comes first."),
            (
                [math.exp(4), 1.4 ** (0.2 / math.log(1.1))],
                "A draw costs 2α, so α is half of what it may cost.",
            ),
            (
                [math.exp(20), 1.4 ** (1 / math.log(1.1))],
                "That spends the whole budget on one draw. Ten draws share it.",
            ),
            (
                [exp, 1.5 ** (0.1 / math.log(1.1))],
                "Exp is right. Power sees the gains plus the floor: 70 and 50.",
            ),
        ],
        "A draw may cost 2/10. Find the α of each, then the odds at gains of 60 and 40.",
    )
    return "For neighbours by one record, Exp decides more for the same money."


EXERCISES = {
    "ex-lottery": lottery,
    "ex-strict-jury": strict_jury,
    "ex-false-report": false_report,
    "ex-overtaken": overtaken,
    "ex-two-rows": two_rows,
    "ex-odds": odds,
}

QUESTIONS = (
    Question(
        "You halve the temperature of a softmax. What happens to its price, the product of loss and"
        " slope?",
        Option("It is halved.", "The loss is. The slope is doubled at the same time."),
        Option("Nothing.", "Half the loss, twice the slope: it stays on its line.", True),
        Option("It is doubled.", "The slope is. The loss is halved at the same time."),
    ),
    Question(
        "You need a small expected loss, and an observer who sees the choice must learn little"
        " about the scores. There are a million items. What do you take?",
        Option(
            "Softmax: no map can be much cheaper.",
            "For this pair of measures its price is within two per cent of the least.",
            True,
        ),
        Option(
            "PLSoftMax: it has the best slope.",
            "A weight that becomes exactly 0 tells a lot. Its privacy constant is infinite.",
        ),
        Option(
            "Some map that nobody has found yet.",
            "It could save two per cent at most: the lower end binds every map.",
        ),
    ),
    Question(
        "Why can no map have both a worst-case loss and a privacy constant?",
        Option(
            "A worst-case loss needs a slope without end.",
            "PLSoftMax has one, and its slope from l1 to l1 is below 2/δ.",
        ),
        Option(
            "An item must have weight 0 in one row and some weight in another.",
            "The logarithm of that ratio has no bound.",
            True,
        ),
        Option(
            "A private map must be random.",
            "Both kinds of map give weights, and a draw by these is random.",
        ),
    ),
    Question(
        "Scores come from a noisy sensor: all of them may be off by a little at once, in any"
        " direction. You need a worst-case promise among 500 items. What do you take?",
        Option(
            "Sparsemax: it is the best in the Euclidean norm.",
            "If all scores move by a little, its weights can move 500/δ times as far.",
        ),
        Option(
            "PLSoftMax: its slope grows like log n there.",
            "That is the case for which its price is far below that of sparsemax.",
            True,
        ),
        Option("Softmax: it is the calmest.", "It is, but it makes no promise for the worst case."),
    ),
    Question(
        "PLSoftMax is to end a classifier. Why not train it with prediction minus target?",
        Option(
            "It would work, but slowly.",
            "It is the gradient of no loss, since the Jacobian is not symmetric.",
        ),
        Option(
            "No loss has that gradient. A penalty on its inverse does the work.",
            "For a single right class that penalty is the hinge loss.",
            True,
        ),
        Option("It has no gradient.", "It is linear in pieces, with a slope almost everywhere."),
    ),
)
