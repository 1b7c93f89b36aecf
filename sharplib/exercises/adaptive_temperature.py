"""Chapter *Adaptive temperature*."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib.exercises._answer import Hint, judge, judge_function, numbers
from sharplib.exercises._quiz import Option, Question


def last_item(answer: Any) -> str:
    """The n at which the published curve lets go of a head of sharpness 10."""
    n = 10 * np.exp(5.9445 - 1)
    judge(
        numbers(answer),
        n,
        [
            (n / 10, "That is n/B. What is n, at B = 10?"),
            (n * np.e, "Did the 1 get lost? The entropy is log(n/B) + 1."),
            (
                n * np.e / 10,
                "So many equal items have this entropy. An ideal head's are not equal.",
            ),
            (10 * np.exp(0.8486 - 1), "That is where the curve sets in. Where does it end?"),
            (n * np.e**2, "The sign of the 1: solve H = log(n/B) + 1 for n."),
        ],
        "The curve ends at 5.94 nats. Solve log(n/B) + 1 = 5.94 for n.",
        rtol=1e-2,  # 1,400 is a fair answer
    )
    return "At about 140 times the sharpness, for any head."


def closed_form(answer: Any) -> str:
    """The best inverse temperature of a leader, a follower and a crowd."""
    judge_function(
        answer,
        [(0.5, 2.0, 100), (0.01, 2.0, 100), (0.5, 3.0, 10_000)],
        lambda g, d, k: np.log(k * d / g) / (g + d),
        [
            (
                lambda g, d, k: np.log(k * d / g) / d,
                "The leader moves too: what is exp(βg) over exp(-βd)?",
            ),
            (lambda g, d, k: np.log(g / (k * d)) / (g + d), "The sign: this is negative."),
            (
                lambda g, d, k: np.log(d / g) / (g + d),
                "That is a crowd of one. There are k of them.",
            ),
            (
                lambda g, d, k: np.log(k) / (g + d),
                "The weights balance, but weights times scores should.",
            ),
            (
                lambda g, d, k: np.log(k * d / g) / (d - g),
                "Measured from the right item, the leader is above and the crowd below.",
            ),
        ],
        "Measure scores from the right item: g for the leader, -d for each of the crowd. Their"
        " weighted sum must be 0.",
    )
    return "It grows without bound as g goes to 0, but only like a logarithm."


def how_prejudiced(answer: Any) -> str:
    """The best temperature in head starts, and the head starts behind 2.42."""
    heat, starts = numbers(answer, 2)
    # The mean over 300 heads is 1.00, give or take 0.02; that of β is 2 or more, without limit.
    if heat > 1.6:
        raise Hint(
            "Is the first number a mean of β? Near ties rule it. Average the temperatures 1/β."
        )
    if not 0.93 < heat < 1.07:
        raise Hint(
            "The first number: average 1/β over all classes but the favourite, in many heads."
        )
    judge(
        starts,
        1 / 2.42 / heat,
        [
            (2.42 / heat, "The second number is a β. Which temperature does it belong to?"),
            (2.42, "The second number is a β. Which temperature does it belong to?"),
        ],
        "The first number is right. The plateau is at the temperature 1/2.42. In which unit?",
        rtol=0.06,  # as the first number scatters
    )
    return "An order of magnitude: the scatter around that mean is wide."


def read_n(answer: Any) -> str:
    """n/(B beta) for beta = exp(H), and the weight that is left."""
    crowd, weight = numbers(answer, 2)
    judge(
        crowd,
        np.exp(-1),
        [
            (np.e, "The first number is turned round: n over B·β is asked for."),
            (1, "The first number: do not forget the 1 in H = log(n/B) + 1."),
        ],
        "For the first number put H = log(n/B) + 1 into β = exp(H).",
    )
    judge(
        weight,
        1 / (1 + np.exp(-1)),
        [
            (1 / (1 + np.e), "The second number belongs to a crowd of e, not of 1/e."),
            (1 - np.exp(-1), "The second number: the bound is 1/(1 + crowd), not 1 - crowd."),
            (100 / (1 + np.exp(-1)), "The second number is in per cent. Give a share."),
        ],
        "The first number is right. Cooling by β makes a head of sharpness B·β: use its bound.",
    )
    return "Nearly three quarters, whatever n is."


EXERCISES = {
    "ex-last-item": last_item,
    "ex-closed-form": closed_form,
    "ex-how-prejudiced": how_prejudiced,
    "ex-read-n": read_n,
}

QUESTIONS = (
    Question(
        "A row has the scores 0, 1 and 5, and the item with score 1 should win. Which inverse"
        " temperature gives it the most weight?",
        Option("As cold as possible", "Then the 5 takes everything."),
        Option(
            "One in between, where the mean score is 1",
            "There is none: the mean begins at 2 and only rises.",
        ),
        Option(
            "0, which ignores the scores", "The 1 is below the average of 2, so any β hurts.", True
        ),
    ),
    Question(
        "An implementation gives β = 1 for a row with an entropy of 4 nats. What do you suspect?",
        Option("Nothing: the row is too blurred.", "The curve acts up to 5.94 nats."),
        Option(
            "Its coefficients are read in the wrong order.",
            "As published, the curve gives 2.39 here; read backwards it lets go at 2.15 nats.",
            True,
        ),
        Option("The gate at 0.5 nats.", "The gate is far below, and never binds."),
    ),
    Question(
        "You fit a curve of β to a head. Then you halve the head starts in its logits and fit"
        " again. What happens to the plateau of the curve?",
        Option(
            "It doubles.",
            "The best temperature is in units of the head starts: half the heat.",
            True,
        ),
        Option("It halves.", "The best temperature does. Its inverse is on the curve."),
        Option(
            "It stays, since the entropies of crowded rows stay.",
            "They stay. But the height of the plateau measures head starts, not the crowd.",
        ),
    ),
    Question(
        "In another head every single item has noise of its own on its logit."
        " Is the hard maximum still the best rule?",
        Option(
            "Yes, as for head starts of classes.",
            "There, a crowd of class-mates tells nothing new.",
        ),
        Option(
            "No: a temperature of about the noise is a little better.",
            "Class-mates near the top carry independent votes, and warmth lets them count.",
            True,
        ),
        Option(
            "No: plain softmax is best.",
            "Temperature 1 is no better than any other, unless the noise happens to be about 1.",
        ),
    ),
    Question(
        "A rule cools an ideal head by β = 4 at every n. What does it buy?",
        Option("Sharpness at any n", "The weight still falls once n is far beyond 4 B."),
        Option(
            "Two doublings of n", "All depends on n/(B β): four times the items, same answer.", True
        ),
        Option("Four doublings of n", "That would take β = 16: the doublings are log₂ β."),
    ),
)
