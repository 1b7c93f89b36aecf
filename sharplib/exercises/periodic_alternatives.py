"""Chapter *Periodic alternatives: a gradient that does not vanish?*"""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib.exercises._answer import judge, judge_function, numbers
from sharplib.exercises._quiz import Option, Question


def twin(answer: Any) -> str:
    """The smallest larger score with the weight of 0.2 under the shifted squared sine."""
    judge(
        numbers(answer),
        np.pi / 2 - 0.2,
        [
            (
                0.2 + np.pi,
                "That is a whole period away. There is one before, on the way down.",
            ),
            (0.2 + 2 * np.pi, "The period is π, and half-way through it the map comes down again."),
            (np.pi - 0.2, "So it is for a plain sine. Here it is the sine of twice the score."),
            (0.2, "That is the score itself. Which other one has the same sine of 2x?"),
            (np.pi / 4, "That is the top, where the branch turns. The twin is as far beyond it."),
        ],
        "Mirror the score at the top of the branch, where 2x is a quarter of a turn.",
    )
    return "Two scores, one on the way up and one on the way down, and the map cannot tell."


def how_many(answer: Any) -> str:
    """Largest sizes at which sin-softmax can give one item 0.9, 0.5, 0.1."""
    exact = 1 + np.exp(2) * np.array([1 / 9, 1, 9])
    judge(
        numbers(answer, 3),
        np.floor(exact),
        [
            (exact, "Right as numbers. How many items is that, in whole ones?"),
            (np.ceil(exact), "With one item fewer it works. Round down."),
            (np.floor(exact)[::-1], "The numbers are right. Begin with 0.9."),
            (
                np.floor(1 + np.e * np.array([1 / 9, 1, 9])),
                "That is with rivals at a sine of 0. They can be lower: M/m is e squared.",
            ),
            (
                np.floor(np.exp(2) * np.array([1 / 9, 1, 9])),
                "Nearly: that is the number of rivals. Count the item too.",
            ),
        ],
        "Set the upper end of the theorem to P, with M/m = e^2, and solve it for n.",
    )
    return "For nine tenths of the weight an item must be alone."


def speed(answer: Any) -> str:
    """2 p (1 - p) at 0.99, and at the ceiling of sin-softmax among 1,000."""
    top = np.exp(2) / (np.exp(2) + 999)
    right = np.array([2 * 0.99 * 0.01, 2 * top * (1 - top)])
    judge(
        numbers(answer, 2),
        right,
        [
            (right / 2, "That is the slope in the item's own score. The others move it as much."),
            (right[::-1], "The numbers are right. Softmax comes first."),
            ([right[0], top], "Right for softmax. The second is a weight; how fast can it move?"),
            (
                [right[0], 0.5],
                "Right for softmax. Among 1,000 items sin-softmax is never at 1/2.",
            ),
            (
                [right[0], 2 * 0.001 * 0.999],
                "Right for softmax. The second is at an even share; which weight is the largest?",
            ),
        ],
        "Use the theorem on the speed of a weight, at 0.99 and at the ceiling.",
    )
    return "A weight that cannot saturate, and still the slower of the two."


def aim(answer: Any) -> str:
    """Half-width of the window at siren-max's pole, rivals at -pi/6."""
    judge_function(
        answer,
        [(10, 0.5), (100, 0.5), (1000, 0.9), (50, 0.2)],
        lambda n, P: 2 * np.arctan(np.sqrt(3 * (1 - P) / (P * (n - 1)))),
        [
            (
                lambda n, P: 2 * np.arctan(np.sqrt((1 - P) / (P * (n - 1)))),
                "That is with rivals at 0, where g is 1/2. What is g at -π/6?",
            ),
            (
                lambda n, P: 2 * np.arctan(np.sqrt((1 - P) / (3 * P * (n - 1)))),
                "Lower rivals make it easier: the factor belongs above the line.",
            ),
            (
                lambda n, P: np.arctan(np.sqrt(3 * (1 - P) / (P * (n - 1)))),
                "Nearly. The cotangent has half the distance in it.",
            ),
            (
                lambda n, P: 2 * np.arctan(np.sqrt(3 * (1 - P) / (P * n))),
                "Nearly. How many rivals are there among n?",
            ),
        ],
        "Write g near the pole as half the squared cotangent of half the distance, and solve"
        " P = g / (g + the rivals' sum).",
    )
    return "A wider window, but one that closes just as fast."


def amplitude(answer: Any) -> str:
    """The amplitude with which softmax of a sine can give half to one of n."""
    judge_function(
        answer,
        [(10,), (100,), (5000,)],
        lambda n: np.log(n - 1) / 2,
        [
            (lambda n: np.log(n - 1), "That would do with rivals at 0. They can go down to -A."),
            (lambda n: np.log(n) / 2, "Nearly. How many rivals are there among n?"),
            (lambda n: 2 * np.log(n - 1), "The spread is twice the amplitude, not half of it."),
            (lambda n: (n - 1) / 2, "The amplitude stands in an exponent. Take a logarithm."),
        ],
        "The largest g is e^A, the smallest e^-A. When is the ceiling 1/2?",
    )
    return "The sine has moved the problem into its amplitude."


EXERCISES = {
    "ex-twin": twin,
    "ex-how-many": how_many,
    "ex-speed": speed,
    "ex-aim": aim,
    "ex-amplitude": amplitude,
}

QUESTIONS = (
    Question(
        "Under sin-softmax the score of one item rises from 2 to 4, the others stay. What does its"
        " weight do?",
        Option("It rises.", "So it would below π/2. From there on the sine goes down."),
        Option(
            "It falls.",
            "From π/2 to 3π/2 the sine falls, and with it the weight: order is lost.",
            True,
        ),
        Option("It stays, since the map is bounded.", "Bounded it is, but it still moves."),
    ),
    Question(
        "A row of 1,000 scores goes through sin-softmax. All scores are multiplied by 100. How"
        " large can a weight become?",
        Option(
            "Close to 1, as under softmax.",
            "Softmax sees a spread that is 100 times larger. The sine brings it back to 2.",
        ),
        Option(
            "Not above 0.0074.",
            "The ceiling knows n and the range of the sine, and nothing about the scores.",
            True,
        ),
        Option("Not above 1/2.", "True, but the ceiling for a thousand items is far lower."),
    ),
    Question(
        "Ten thousand scores are all 0. The slope of each softmax weight in its own score is about"
        " one ten-thousandth. Why so little?",
        Option(
            "The softmax is saturated.",
            "It would be if one item had nearly all of the weight. Here all have the same.",
        ),
        Option(
            "Any share that small moves slowly.",
            "Its speed is at most 2p(1-p), for sin-softmax just as well.",
            True,
        ),
        Option(
            "The exponential is flat at 0.",
            "Its slope there is 1, and its log slope is 1 everywhere. The share is what is small.",
        ),
    ),
    Question(
        "Scores are normalised to mean 0 and variance 1 before a map. A layer makes all of its"
        " scores ten times larger. What happens to the gradient in these scores?",
        Option(
            "It is a tenth.",
            "The weights do not change, so each unit of score has a tenth of the effect.",
            True,
        ),
        Option("It is ten times larger.", "It would be if the scores were ten times smaller."),
        Option(
            "Nothing, as the weights do not change either.",
            "The same weights now belong to scores ten times as far apart: one unit does a tenth.",
        ),
    ),
    Question(
        "Ten thousand random scores go through siren-max, and one of them gets more than half of"
        " the weight. Which one?",
        Option(
            "The largest.",
            "Siren-max does not see how large a score is, only where in its period it lies.",
        ),
        Option(
            "The one nearest to a pole.",
            "g is largest there, so chance decides, however many items there are.",
            True,
        ),
        Option("None: bounded maps disperse.", "Siren-max has poles. It is not bounded at all."),
    ),
)
