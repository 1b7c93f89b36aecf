"""Chapter *Circuits that count: sharp arithmetic*."""

from __future__ import annotations

import math
from typing import Any

from sharplib.exercises._answer import judge, judge_function, numbers
from sharplib.exercises._quiz import Option, Question


def soft_circuit(answer: Any) -> str:
    """An NMU with weights 1, 0.9, 0.1 on 2, 3, 10."""
    judge(
        numbers(answer),
        10.64,
        [
            (6, "That is the circuit with rounded weights. What do 0.9 and 0.1 leave over?"),
            (5.4, "A factor is W x + 1 - W, not W x: an input that is ignored counts as 1."),
            (5.7, "That is the sum of W x, a NAU. An NMU multiplies."),
            (60, "All three inputs taken whole. The third has a weight of 0.1."),
        ],
        "Three factors W x + 1 - W, one for each input. The first is 2.",
    )
    return "Three quarters too much, and the input to ignore is to blame for all of it."


def last_kink(answer: Any) -> str:
    """The least largest error on [2, 42] of a network without a kink there."""
    judge(
        numbers(answer),
        200,
        [
            (1600, "That is the square of the length. The best straight line shares it out: by 8."),
            (42**2 / 8, "M is the length of the stretch without a kink: from 2 to 42."),
            (5, "The error grows with the square of the length."),
            (400, "The second difference is M²/2, and it is made of four errors."),
        ],
        "Take the first part of the theorem, with the length of the stretch without a kink.",
    )
    return "No training inside [1, 2] can help it, and no width."


def how_far(answer: Any) -> str:
    """The size for 1 % at slack 1e-4, and the critical size of a lead of 10 for one half."""
    top = math.exp(10)
    judge(
        numbers(answer, 2),
        [101, 1 + top],
        [
            ([1 + top, 101], "The numbers are right. The size of the input comes first."),
            (
                [101, 1 + top / 2],
                "(a) is right. Half of the weight means that the rivals hold as much: 1/P - 1 = 1.",
            ),
            (
                [101, math.e**5],
                "(a) is right. The odds of one rival are the exponential of minus the lead.",
            ),
            ([101, 11], "(a) is right. A lead is a difference of scores; odds are exponentials."),
            ([10_001, 1 + top], "(b) is right. In (a), 1 % are 0.01."),
        ],
        "Both times the line: slack times (size - 1). Set it to 0.01, and to 1.",
    )
    return "One line, and the second number is the critical size of the dispersion theorem."


def many_ignored(answer: Any) -> str:
    """The relative error of m ignored inputs of size M with slack s."""
    judge_function(
        answer,
        [(10.0, 0.01, 3), (1000.0, 1e-3, 1), (50.0, 0.02, 7), (2.0, 0.1, 2)],
        lambda M, s, m: (1 + s * (M - 1)) ** m - 1,
        [
            (
                lambda M, s, m: m * s * (M - 1),
                "Right as long as it is small. The factors multiply: write them all down.",
            ),
            (
                lambda M, s, m: (1 + s * (M - 1)) ** m,
                "That is the answer over the right one. The error is what it has beyond 1.",
            ),
            (
                lambda M, s, m: (1 + s * M) ** m - 1,
                "Nearly. A factor is s M + 1 - s.",
            ),
            (lambda M, s, m: s * (M - 1), "Right for one input. There are m of them."),
            (
                lambda M, s, m: (1 - s * (1 - 1 / M)) ** m - 1,
                "That is for inputs that should be taken.",
            ),
        ],
        "What is one factor, where it should be 1? How many of them are there?",
    )
    return "How many and how large: both count."


def seeds(answer: Any) -> str:
    """How many successes of as many runs put Wilson's lower end at 95 %."""
    judge(
        numbers(answer),
        73,
        [
            (72, "Just below: the lower end is at 94.9 %. Round up."),
            (25, "25 of 25 allow to claim 86.7 %."),
            (19, "With n/(n + 1) that would do. The interval has z² = 3.84 in place of the 1."),
            (37, "Take the square of z."),
            (38, "Take the square of z."),
            (59, "That is the exact binomial rule: 0.95 to the power 59. Wilson's asks for more."),
            (60, "That is the rule of three. Wilson's interval asks for more."),
        ],
        "Solve n/(n + z²) = 0.95 for n, and round up.",
        rtol=1e-3,
    )
    return "Three times the customary 25 seeds, to say 95 %."


EXERCISES = {
    "ex-soft-circuit": soft_circuit,
    "ex-last-kink": last_kink,
    "ex-how-far": how_far,
    "ex-many-ignored": many_ignored,
    "ex-seeds": seeds,
}

QUESTIONS = (
    Question(
        "A ReLU network learned a product on [1, 2] to 1 %. You make it ten times wider and train"
        " again. What can you hope for?",
        Option(
            "A smaller error inside the range, and the same law outside.",
            "More pieces inside. Beyond the last kink there is one piece, whatever the width.",
            True,
        ),
        Option(
            "A range of good answers ten times as long.",
            "Kinks go where the data is. Outside, a straight piece misses the square as before.",
        ),
        Option(
            "Nothing, since the theorem forbids it.",
            "The theorem allows the error inside to fall with the square of the pieces.",
        ),
    ),
    Question(
        "An NMU has a slack of 0.001 on every weight. Its inputs grow from 2 to 2,000. What ruins"
        " the answer?",
        Option(
            "The inputs that it should take.",
            "A factor of 0.999 x + 0.001 is off by a thousandth at most.",
        ),
        Option(
            "The inputs that it should ignore.",
            "A factor of 1 + 0.001 (x - 1) is nearly 3 at 2,000.",
            True,
        ),
        Option(
            "Both kinds alike, since the slack is the same.",
            "Write down one factor of each kind, and let x grow.",
        ),
    ),
    Question(
        "In the law of this chapter a softmax has its number of items. What takes that place for a"
        " product?",
        Option(
            "The number of inputs.",
            "That is the exponent. A single ignored input is enough for the law.",
        ),
        Option(
            "The size of an input that should be ignored.",
            "1/P - 1 = r (n - 1), and y/y* - 1 = s (M - 1).",
            True,
        ),
        Option(
            "The number of steps in training.",
            "Training makes r or s smaller. The law says what becomes of what is left.",
        ),
    ),
    Question(
        "A sigmoid weight should be 0. Gradient flow took a time T to bring it from 0.5 to 0.01."
        " When is it at 0.001?",
        Option(
            "At about 10 T.",
            "That would be a weight that falls like 1/t.",
        ),
        Option(
            "At about 100 T.",
            "The weight falls like one over the root of time.",
            True,
        ),
        Option(
            "Before 2 T.",
            "So it would be if the weight fell exponentially, with the same time for every digit.",
        ),
    ),
    Question(
        "The rounded weights of a trained circuit give the formula c (a + b). One weight is 0.6."
        " What has the circuit learned?",
        Option(
            "c (a + b): rounding removes the noise of training.",
            "Rounding 0.6 to 1 changes what it computes by much, already inside the range.",
        ),
        Option(
            "Something else, which is close to it inside the range.",
            "A formula is what a circuit computes only if its weights are whole numbers.",
            True,
        ),
        Option(
            "Nothing: its error inside the range must be large.",
            "It need not be. Inside a narrow range many formulas are close to each other.",
        ),
    ),
)
