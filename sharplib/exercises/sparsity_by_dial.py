"""Chapter *Sparsity by dial*."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib.exercises._answer import judge, judge_function, numbers
from sharplib.exercises._quiz import Option, Question


def zeros(answer: Any) -> str:
    """Zeros of 8 items at the rate 0.6, and the smallest rate that keeps exactly 3 of 8."""
    judge(
        numbers(answer, 2),
        [5, 4 / 7],
        [
            (
                [4, 4 / 7],
                "Right for the rate. Ranks count from 0: the item at rank 4 is the fifth.",
            ),
            ([4.8, 5 / 8], "A share of 8 is not how it counts. The rank is r (n - 1)."),
            (
                [4.2, 4 / 7],
                "Right for the rate. 4.2 is the rank of the quantile: how many lie below?",
            ),
            ([5, 5 / 8], "Right for the zeros. 5/8 does keep 3, but a smaller rate does so too."),
            ([5, 5 / 7], "Right for the zeros. At 5/7 the rank is 5, and 6 items are gone."),
            ([3, 4 / 7], "Right for the rate. First the zeros, not what is kept."),
        ],
        "The zeros are floor(r (n - 1)) + 1. For the second: which rank leaves 5 at or below it?",
    )
    return "From 4/7 to just below 5/7 the same three are kept. The count takes 5/8, in between."


def hot(answer: Any) -> str:
    """r-softmax of (4, 2, 1, -1) over a temperature without end, at the rate 0.5."""
    p = np.exp(np.array([4.0, 2, 1, -1]))
    warm = np.array([2.5, 0.5, 0, 0]) * p
    judge(
        numbers(answer, 4),
        [5 / 6, 1 / 6, 0, 0],
        [
            ([0.25] * 4, "That is softmax. Here the zeros stay at every temperature."),
            (
                [0.5, 0.5, 0, 0],
                "The right zeros. But the ramp is not level: take score - quantile.",
            ),
            (warm / warm.sum(), "That is temperature 1. For hot rows every exponential is 1."),
            ([1, 0, 0, 0], "That is the cold end. Hot rows keep all that are above the quantile."),
            ([2 / 3, 1 / 3, 0, 0], "Subtract the quantile, 1.5, before you compare."),
            ([3 / 4, 1 / 4, 0, 0], "The quantile lies halfway between 2 and 1, and not at 1."),
        ],
        "Find the quantile, take what is above it, and divide by the sum. No exponentials.",
    )
    return "Five to one, and it stays so for ever."


def half(answer: Any) -> str:
    """How many items may be kept so that a leader is sure of half."""
    judge_function(
        answer,
        [(1.0, 4.0), (2.0, 4.0), (3.0, 10.0), (5.0, 6.0)],
        lambda lead, spread: 1 + np.exp(lead) / (1 - lead / spread),
        [
            (
                lambda lead, spread: np.exp(lead) / (1 - lead / spread),
                "Nearly. The leader itself is one of the kept.",
            ),
            (
                lambda lead, spread: 1 + np.exp(lead),
                "That is how many softmax may have. What does the ramp take from the others?",
            ),
            (
                lambda lead, spread: 1 + np.exp(lead) * (1 - lead / spread),
                "The ramp makes the others lighter, so there may be more of them, not fewer.",
            ),
            (
                lambda lead, spread: 1 + np.exp(-lead) / (1 - lead / spread),
                "Which way does a longer lead go? Look at the sign in the exponent.",
            ),
        ],
        "Set the lower end to 1/2: the others have as much as the leader. Solve for k.",
    )
    return "A number without n in it. So turn the dial to 1 - k/n."


def turn(answer: Any) -> str:
    """The share to keep, 1 - r, so that the top of a large crowd has a given weight."""
    judge_function(
        answer,
        [(1e3, 0.1), (1e5, 0.1), (1e5, 0.01), (1e6, 0.5)],
        lambda n, weight: 2 / (n * weight),
        [
            (
                lambda n, weight: 1 - 2 / (n * weight),
                "That is the rate, the share of zeros. Wanted is the share that is kept.",
            ),
            (
                lambda n, weight: 1 / (n * weight),
                "As if all that are kept weighed the same. The top of a ramp has twice the mean.",
            ),
            (
                lambda n, weight: 2 / weight,
                "That is the number of items to keep. Which share of n is it?",
            ),
            (
                lambda n, weight: 1 / (2 * n * weight),
                "The top has twice the mean weight, not half of it.",
            ),
        ],
        "How many items are kept, if the top has twice the mean weight? Which share of n is that?",
    )
    return "Keep twenty items for a tenth, among a thousand or a million: turn the dial with n."


def heard(answer: Any) -> str:
    """How the first weight of (3, 2, 1, 0) answers to the third score at the rate 1/3."""
    e = np.e
    total = 2 * e + 1
    p, g = 2 * e / total, np.array([e, 1]) / total
    right = g.sum() * p - g[0]
    judge(
        numbers(answer),
        right,
        [
            (
                0.0,
                "So says the derivative with the distance held. The quantile is this very score.",
            ),
            (
                -right,
                "The right size. If the third score rises, which of the two ramps suffers more?",
            ),
            (-g[0], "The ramp of the first item shrinks. But so does the sum: add G p."),
            (g.sum() * p, "That is the sum's part. The first ramp shrinks too: subtract g."),
        ],
        "c is 1 for the third item, which has no weight: of the formula -(g - G p) is left.",
    )
    return "An item without weight helps the leader, and it can be heard."


EXERCISES = {
    "ex-count-zeros": zeros,
    "ex-hot-row": hot,
    "ex-sure-of-half": half,
    "ex-turn-the-dial": turn,
    "ex-heard": heard,
}

QUESTIONS = (
    Question(
        "r-softmax with the rate 0.5 gets a row of 9 different scores. Then all scores are divided"
        " by a thousand. What happens to its zeros?",
        Option("They go: hot rows are nearly uniform.", "So it is with sparsemax and t-softmax."),
        Option(
            "They stay, all five, at the same items.",
            "The threshold is one of ranks, and ranks do not see the scale.",
            True,
        ),
        Option(
            "As many stay, but at other items.",
            "The order of the scores is the same as before.",
        ),
    ),
    Question(
        "r-softmax keeps 3 items. Where does it jump?",
        Option(
            "Wherever two scores are equal.",
            "A tie at the edge is harmless: who enters there enters with weight 0.",
        ),
        Option(
            "Where four or more share the top.",
            "Then the quantile is the maximum, and nothing is above it.",
            True,
        ),
        Option(
            "Nowhere: ramp and exponential are continuous.",
            "They are, but they are divided by their sum, which can be 0.",
        ),
    ),
    Question(
        "Scores fill a fixed range evenly, and r is 0.9. Now there are ten times as many. What does"
        " the top weight do?",
        Option(
            "It falls to about a tenth.",
            "A tenth of the items is kept as before, and that is ten times as many.",
            True,
        ),
        Option(
            "It stays: nine of ten weigh nothing.",
            "The tenth that is kept grows with the crowd.",
        ),
        Option("It is halved or so.", "It would be for a map with the exponent 1/3."),
    ),
    Question(
        "With the distance to the top held fixed, as in the authors' code, which items get a"
        " gradient?",
        Option(
            "The kept ones only.",
            "The others neither have a ramp nor move the threshold.",
            True,
        ),
        Option(
            "The kept ones, and the one or two at the quantile.",
            "So it is for the true derivative, which moves the quantile.",
        ),
        Option(
            "All of them, since the quantile depends on all.",
            "Not even the true one does: a quantile moves with two scores at most.",
        ),
    ),
    Question(
        "A network ranks ten classes and guesses that a sample has three labels. You take the"
        " classes that r-softmax keeps at r = 1 - 3/10. What else would have given the same set?",
        Option(
            "The three highest scores of the same network.",
            "That rate keeps exactly three. Only the weights are new, and nobody looked at them.",
            True,
        ),
        Option(
            "Sparsemax of the same scores.",
            "It keeps as many as are within reach, which may be one or ten.",
        ),
        Option(
            "Softmax with a threshold of 0.3.",
            "No more than three can pass it, but often fewer do.",
        ),
    ),
)
