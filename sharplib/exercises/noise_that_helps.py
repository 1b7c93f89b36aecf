"""Chapter *Noise that helps*."""

from __future__ import annotations

from typing import Any

from sharplib.exercises._answer import judge, judge_function, numbers
from sharplib.exercises._quiz import Option, Question


def corner(answer: Any) -> str:
    """The sign of the trap for numbers from -3 to 1."""
    judge(
        numbers(answer),
        -16 / 12,
        [
            (0, "That is the first term. The variance of a uniform number is not 0."),
            (16 / 12, "Right in size. The mean is -1, so the last term is negative."),
            (-7 / 3, "That takes the second moment. The variance is smaller by the mean squared."),
            (-16, "The width squared is not yet the variance: divide by 12."),
            (-4, "That is a quarter of the width squared. The variance is a twelfth of it."),
        ],
        "The mean is -1, and the variance is the width squared over 12.",
    )
    return "Below 0: a trap. Saying 1 is right on average here: the mean product is 1."


def ruler(answer: Any) -> str:
    """The border on the diagonal and the share that fails, for inputs of -2."""
    judge(
        numbers(answer, 2),
        [1 / 3, 1 / 18],
        [
            ([2 / 3, 1 / 18], "The share is right. On the diagonal both weights are equal."),
            ([1 / 3, 1 / 3], "The weight is right. A third of the side is the leg of a triangle."),
            ([1 / 3, 1 / 9], "The weight is right. A triangle has half the area of its square."),
            (
                [1 / 3, 1 / 36],
                "The weight is right. That is the share with both weights below 1/3, a square.",
            ),
            (
                [1 / 3, 1 / 72],
                "The weight is right. The area is 1/72, but that of the box is 1/4.",
            ),
            (
                [1 / 3, 2 / 9],
                "The weight is right. That is the triangle in the whole square. Starts fill a box.",
            ),
        ],
        "The border is W1 + W2 = 2/(1 - mean). Draw the box of starts, and the triangle it cuts.",
    )
    return "One start in eighteen."


def push(answer: Any) -> str:
    """The least fixed noise with which no start fails, for inputs of a mean below -1."""
    judge_function(
        answer,
        [(-1.15,), (-1.5,), (-2.0,), (-2.8,)],
        lambda mean: -3 / mean,
        [
            (lambda mean: 3 / mean, "The size is right. Noise is above 0."),
            (lambda mean: 3, "Enough, but not the least: larger inputs need less."),
            (lambda mean: -1 / mean, "That is the odds at the border. Where do starts begin?"),
            (
                lambda mean: 4 / (1 - mean),
                "That compares weights. Noise multiplies odds, not weights.",
            ),
            (lambda mean: -mean / 3, "Turn it round: how many times 1/3 makes 1/|mean|?"),
        ],
        "The lowest start is (1/4, 1/4). Write its odds, and those of the border on the diagonal.",
    )
    return "Nothing is needed from -3 on, and 3 at -1."


def coin(answer: Any) -> str:
    """The mean of the shifted weight under noise of one half or two, at 1/2 and 1/4."""
    judge(
        numbers(answer, 2),
        [1 / 2, 19 / 70],
        [
            ([5 / 9, 5 / 17], "That is the weight for the mean noise. Take the mean of weights."),
            ([1 / 2, 1 / 4], "The first is right. At 1/4 the two changes do not cancel."),
            ([5 / 8, 5 / 16], "Noise does not multiply the weight. It multiplies its odds."),
            ([19 / 70, 1 / 2], "The numbers are right. Begin with W = 1/2."),
            ([5 / 4, 5 / 12], "Those are mean odds. Turn each of them into a weight first."),
        ],
        "Odds of 1/2 are 1, odds of 1/4 are 1/3. Multiply, go back to weights, then average.",
    )
    return "Fair to logits, and still a push."


def cliff(answer: Any) -> str:
    """The fractional weight that fits inputs of -0.6, and the share that fails."""
    judge(
        numbers(answer, 2),
        [1 / 4, 7 / 8],
        [
            ([5 / 8, 7 / 8], "The share is right. At 5/8 a factor is 0. It should be +0.6."),
            ([1 / 4, 1 / 8], "The weight is right. An eighth is the share that succeeds."),
            (
                [1 / 4, 9 / 8],
                "The weight is right. A share above 1: the triangle is above the border now.",
            ),
            ([1 / 4, 3 / 4], "The weight is right. A triangle has half the area of its square."),
            ([1 / 4, 0], "The weight is right. But it is below 1/2: it is rounded to 0."),
            ([1 / 4, 1], "The weight is right. Some starts lie above the border."),
        ],
        "Set a factor, 1 - 1.6 W, to +0.6. For the share draw the border W1 + W2 = 2/1.6.",
    )
    return "Seven of eight units fail, on a range that no benchmark has."


EXERCISES = {
    "ex-corner": corner,
    "ex-ruler": ruler,
    "ex-push": push,
    "ex-coin": coin,
    "ex-cliff": cliff,
}

QUESTIONS = (
    Question(
        "A plain unit is trained on numbers near -1.15, from the weights 0.45 and 0.49. Where does"
        " it end?",
        Option(
            "At (1, 1): their sum is above the border.",
            "The border is W1 + W2 = 2/2.15 = 0.930. The sum is 0.94.",
            True,
        ),
        Option(
            "At (0, 0): one of the weights is below the sign change at 0.465.",
            "The two factors have different signs at first. The sum of the weights decides.",
        ),
        Option("At (0, 1): one weight falls, the other rises.", "The product would be -1.15."),
    ),
    Question(
        "Why do units trained on numbers near -15 not fail, although (0, 0) is a trap there?",
        Option(
            "The trap is not deep enough.",
            "Its slope is the steepest of all nine ranges.",
        ),
        Option(
            "Its border is far below the lowest start.",
            "Factors change sign at a weight of 1/16. All starts are above 1/4.",
            True,
        ),
        Option(
            "The target is larger, so it learns faster.",
            "Faster could also be faster into the trap.",
        ),
    ),
    Question(
        "What does the expected error look like near the corner (0, 0) when noise is from 1 to 5?",
        Option("The trap is gone.", "Nothing is gone: 0 stays 0 under any noise."),
        Option(
            "As before, but three times as steep.",
            "Near 0 a weight acts as N times itself, and N is 3 on average.",
            True,
        ),
        Option("Flat: the noise cancels there.", "It cancels in the corner, not on the way."),
    ),
    Question(
        "A unit with noise that is always 3 is trained from -0.2 to -0.1. Why does it fail?",
        Option(
            "The corner has become a trap.",
            "A push makes no trap. There is none for this range.",
        ),
        Option(
            "The fractional answer is now below one half, and gets rounded to 0.",
            "It sits where three times the odds fit: at 0.49 in place of 0.74.",
            True,
        ),
        Option(
            "Noise that does not vary cannot be divided out.",
            "It can, at weights of 0 and 1, just like any other.",
        ),
    ),
    Question(
        "Which noise pushes no weight up or down on average, whatever the weight is?",
        Option("Noise of mean 1.", "It pulls weights down: V grows slower and slower with N."),
        Option("Noise whose logarithm has mean 0.", "Fair at 1/2 if symmetric, and only there."),
        Option("Only noise that is always 1.", "The proof needs the two ends only.", True),
    ),
)
