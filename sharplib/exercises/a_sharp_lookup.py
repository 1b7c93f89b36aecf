"""Chapter *A sharp lookup*."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib.exercises._answer import Hint, judge, judge_function, near, numbers
from sharplib.exercises._quiz import Option, Question


def by_hand(answer: Any) -> str:
    """The weights of three scores at two temperatures."""
    right = np.array([[1, 2, 5], [1, 4, 25]]) / [[8], [30]]
    rows = numbers(answer, 2, 3)
    judge(
        rows.sum(axis=1),
        [1, 1],
        [],
        "Weights add up to 1 in each row. Divide each power by the sum of its row.",
    )
    scores = np.log([1, 2, 5])
    judge(
        rows[0],
        right[0],
        [(scores / scores.sum(), "You divided the scores by their sum. Make them powers first.")],
        "Look at the first row. What is e to the power of log 5?",
    )
    roots = np.sqrt([1, 2, 5])
    judge(
        rows[1],
        right[1],
        [
            (
                right[0],
                "The first row is right, and the second is the same. Divide the scores by 1/2"
                " first.",
            ),
            (roots / roots.sum(), "Temperature 1/2 divides by one half. You divided by 2."),
        ],
        "The first row is right. For the second, what does twice the score do to its power?",
    )
    return "The powers of the second row are the squares of those of the first."


def lead(answer: Any) -> str:
    """The lead that keeps half of the weight, as a function of n."""
    judge_function(
        answer,
        [(3,), (4,), (64,), (1024,)],
        lambda n: np.log(n - 1),
        [
            (lambda n: np.log(n), "Nearly. How many others are there, if the leader is one of n?"),
            (lambda n: n - 1, "That is the leader's power. Which lead gives it?"),
            (lambda n: np.log2(n - 1), "Right but for the base: the powers are powers of e."),
            (lambda n: np.log10(n - 1), "Right but for the base: the powers are powers of e."),
            (
                lambda n: -np.log(n - 1),
                "The sign: with that lead the leader is behind, and has little weight.",
            ),
        ],
        "Half for the leader is half for all others together. Compare the leader's power with the"
        " sum of theirs.",
    )
    return "Each doubling of the company costs log 2, about 0.69 points."


def target(answer: Any) -> str:
    """The temperature at which the scores 1, 2, 3, 4 have the top weight 0.9."""
    heat = float(numbers(answer))
    if heat <= 0:
        raise Hint("A temperature is positive.")
    top = 1 / np.exp(-np.arange(4) / heat).sum()
    if near(top, 0.9, rtol=5e-7):
        return "And there is no other: the top weight rises all the way as the temperature falls."
    if near(1 / np.exp(-np.arange(4) * heat).sum(), 0.9, rtol=1e-3):
        raise Hint("That is the inverse temperature. Which temperature belongs to it?")
    if near(top, 0.9, rtol=1e-3):
        raise Hint(f"Close: the top weight there is {top:.6f}. Ask for more digits.")
    warmer = "colder" if top < 0.9 else "warmer"
    raise Hint(f"At that temperature the top weight is {top:.3g}. Go {warmer}.")


def ties(answer: Any) -> str:
    """The three measures of sharpness for 3 of 10 tied scores in the cold."""
    judge(
        numbers(answer, 3),
        [1 / 3, np.log(3), 3],
        [
            ([1, 0, 1], "So would a single leader end. Which of the three should win here?"),
            ([1 / 10, np.log(10), 10], "So it begins, in great heat. Now let the row cool."),
            ([1 / 3, np.log2(3), 3], "The entropy is in bits. This book counts in nats."),
            ([1 / 3, 3, np.log(3)], "The numbers are right. The entropy comes second."),
        ],
        "Write down the weights at a very low temperature. What do the seven lower items get?",
    )
    return "With k leaders: 1/k, log k and k. No temperature breaks a tie."


def gradient(answer: Any) -> str:
    """The gradient of -log p for one of n equal scores."""
    judge_function(
        answer,
        [(2,), (4,), (4096,)],
        lambda n: (1 / n - 1, 1 / n),
        [
            (lambda n: (1 - 1 / n, -1 / n), "That is the gradient of log p. The loss is -log p."),
            (
                lambda n: ((1 - 1 / n) / n, -1 / n**2),
                "That is the gradient of the weight. Divide by the weight to get that of its log.",
            ),
            (lambda n: (1 / n, 1 / n - 1), "The two are right. The leader's comes first."),
        ],
        "Begin with n = 4, where all weights are 1/4, and use the Jacobian of the chapter for p.",
    )
    return "The leader feels nearly the full force, each rival almost nothing."


EXERCISES = {
    "ex-by-hand": by_hand,
    "ex-lead": lead,
    "ex-target": target,
    "ex-ties": ties,
    "ex-gradient": gradient,
}

QUESTIONS = (
    Question(
        "Somebody adds 100 to each of the scores 1, 2, 3, 4. What happens to the weights?",
        Option(
            "They become flatter.",
            "101 and 104 look alike as ratios, but a softmax never sees ratios of scores.",
        ),
        Option("Nothing.", "Every power grows by the factor e¹⁰⁰, and so does their sum.", True),
        Option(
            "They become sharper.",
            "The powers are larger, but all by the same factor, and it cancels.",
        ),
    ),
    Question(
        "One item has three times the weight of another. Then the temperature is halved."
        " How many times the weight is it now?",
        Option(
            "3 times", "That would need the same exchange rate. Half the temperature changes it."
        ),
        Option(
            "6 times",
            "Halving the temperature doubles differences of scores, not ratios of weights.",
        ),
        Option(
            "9 times",
            "The difference of the scores counts double, so the ratio of the weights is squared.",
            True,
        ),
    ),
    Question(
        "Head A has the weights 0.5, 0.1, 0.1, 0.1, 0.1, 0.1. Head B has 0.5, 0.5, 0, 0, 0, 0."
        " Which one is sharper?",
        Option(
            "Neither: both give their favourite 0.5.",
            "The top weight sees only the favourite. The rest of the row counts too.",
        ),
        Option(
            "A: it has one clear favourite.",
            "It has, but half of its look is spread over five others: an effective support of 4.5.",
        ),
        Option(
            "B: it looks at 2 items, A at about 4.5.",
            "The effective support is e to the entropy: 2 for B, about 4.5 for A.",
            True,
        ),
    ),
    Question(
        "A leader is 4 points ahead of 63 equal others and has 46 % of the weight. Now there are"
        " 4,096 items instead of 64, and all scores are doubled. What does it have?",
        Option(
            "Almost everything: a lead of 8 is huge.",
            "It is huge for 64 items. But 4,095 rivals, with a little each, are a lot together.",
        ),
        Option(
            "A little less than before, 42 %.",
            "The number of items is squared and the lead doubled: log n and the lead keep pace.",
            True,
        ),
        Option(
            "About a sixty-fourth of it, since there are 64 times as many items.",
            "Even the old lead of 4 would leave more, 1.3 %. Four points more are worth a factor of"
            " 55.",
        ),
    ),
)
