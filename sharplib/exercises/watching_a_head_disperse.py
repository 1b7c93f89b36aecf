"""Chapter *Watching a head disperse*."""

from __future__ import annotations

from typing import Any

from sharplib.exercises._answer import Hint, judge, numbers
from sharplib.exercises._quiz import Option, Question


def half(answer: Any) -> str:
    """The n at which a head of sharpness 100 is sure of half of the weight."""
    n = float(numbers(answer))
    if n > 1e6:
        raise Hint(
            "That is the size of Lemma 2.1, for rivals at the bottom. Ours crowd at the top."
        )
    judge(
        n,
        100,
        [
            (101, "Nearly. The bound has n/B in it, not (n-1)/B."),
            (99, "Nearly. Solve 1/(1 + n/B) = 1/2 once more."),
            (50, "At n = 50 the bound is 2/3. Solve it for one half."),
            (200, "At n = 200 the bound is 1/3. Solve it for one half."),
        ],
        f"At that n the bound 1/(1 + n/B) is {100 / (100 + n):.2g}." if n > 0 else "n is positive.",
        rtol=1e-6,  # a whole number, to be told from its neighbours
    )
    return "At n = B, whatever B is."


def cool_with_n(answer: Any) -> str:
    """Mean top weights at 16,384 items: cooling with log n, and with n."""
    slow, fast = numbers(answer, 2)
    # A few hundred sets give the means to a tenth: 0.021 and 0.89.
    if 0.017 < slow < 0.027 and 0.84 < fast < 0.94:
        return "The gap falls like 1/n, so the inverse temperature has to grow like n."
    if 0.017 < fast < 0.027 and 0.84 < slow < 0.94:
        raise Hint("The two are right. The one that cools with log n comes first.")
    if 0.005 < slow < 0.007 or 0.005 < fast < 0.007:
        raise Hint("One of them is a plain softmax. Did its temperature reach the softmax?")
    if slow < 0.005 or fast < 0.005:
        raise Hint("A temperature divides the logits. At least one of yours has warmed the row.")
    raise Hint("Average the top weight over some hundred sets of 16,384 items, with B = 100.")


def no_luck(answer: Any) -> str:
    """Accuracy of the hard maximum at ranking 0.4: head starts of classes, noise of items."""
    judge(
        numbers(answer, 2),
        [0.4, 0.46],
        [
            ([0.46, 0.4], "The two are right. The head starts of classes come first."),
            (
                [0.46, 0.46],
                "Right for items. For classes: can the wrong item on top be of the right class?"
                " Compare its logit with that of the largest item.",
            ),
            (
                [0.4, 0.4],
                "Right for classes. With noise of its own, the item on top may be of any class.",
            ),
            ([0.4, 0.5], "Right for classes. With items only the lost sets can be lucky."),
            ([40, 46], "Right, but in per cent. Give shares."),
        ],
        "Luck can only come to the 60 % of the sets that are lost. How often, in each case?",
    )
    return "Between items of one class a head with head starts never errs."


def other_priorities(answer: Any) -> str:
    """The exponents of n in the gap, for u squared, u, and the root of u."""
    judge(
        numbers(answer, 3),
        [2, 1, 1 / 2],
        [
            ([-2, -1, -1 / 2], "Right but for the sign: the gap is n to the power of minus a."),
            ([1 / 2, 1, 2], "The other way round. If u is about 1/n, what is its square?"),
            ([1, 1, 1], "So it is for u itself. Now apply the square and the root to it."),
        ],
        "The smallest of n uniform numbers is about 1/n. Square it, and take its root.",
    )
    return "The denser the crowd at the top, the sooner the head disperses."


def fair_head(answer: Any) -> str:
    """Ranking, top weight and majority of a fair head among 1,024 items."""
    ranking, top, majority = numbers(answer, 3)
    if ranking != 1:
        raise Hint(
            "The first number is the ranking of a head without head starts. Which item has its top"
            " logit, in every set?"
        )
    # For a sharpness of 60 to 200, as our heads have: about 1/(1 + 1024/B).
    if top > 0.25:
        raise Hint("The top weight is too large for 1,024 items: compare with 1/(1 + n/B).")
    if top < 0.04:
        raise Hint("The top weight is too small: is the logit B times the priority?")
    if majority > 0.95:
        raise Hint("That is the class of the top item. Let all items vote, each with its weight.")
    if majority < 0.2:
        raise Hint("That is not far from chance. Is the vote for a class the sum of its weights?")
    if majority > 0.75:
        raise Hint(
            "So often a majority is not right at this sharpness. How are the votes added up?"
        )
    return "The two failures are separate. Dispersion alone makes the larger part of the loss."


EXERCISES = {
    "ex-half": half,
    "ex-cool-with-n": cool_with_n,
    "ex-no-luck": no_luck,
    "ex-other-priorities": other_priorities,
    "ex-fair-head": fair_head,
}

QUESTIONS = (
    Question(
        "A head of sharpness 100 retrieves the maximum of 1,000 items. Now there are 2,000."
        " Which change restores its top weight?",
        Option(
            "Add log 2 to every logit.",
            "All logits move together, and no weight changes.",
        ),
        Option("Multiply the logits by 2.", "The gap at the top has halved: B must double.", True),
        Option(
            "Multiply the logits by log 2000 / log 1000.",
            "That is what every head needs at least. Here the rivals crowd at the top.",
        ),
    ),
    Question(
        "All head starts become ten times smaller, and the sharpness stays at 100."
        " What improves among 4,096 items?",
        Option("The ranking", "The head starts now fall below the gap more often.", True),
        Option(
            "The top weight",
            "It falls a little, to 1/(1 + n/B): large head starts kept rivals away from the top.",
        ),
        Option("Both", "The ranking does. The top weight even falls a little."),
    ),
    Question(
        "At 4,096 items the item of largest weight is the right one in 30 % of the sets."
        " Which temperature raises this number?",
        Option("A lower one", "It gives the same item more weight, right or wrong."),
        Option("A higher one", "The order of the weights is the order of the logits, at any heat."),
        Option("None", "A temperature never changes which item is on top.", True),
    ),
    Question(
        "On another task the right item leads all others by 0.1 in priority, whatever n is."
        " Up to which n is a head of sharpness 100 sure to give it half of the weight?",
        Option(
            "About 100",
            "That is the rule for uniform rivals, whose gap shrinks like 1/n. This gap does not.",
        ),
        Option(
            "About 22,000",
            "A lead of 10 in the logits is worth e¹⁰ rivals, even if all of them are that close.",
            True,
        ),
        Option(
            "Any n",
            "A fixed lead has a finite worth: e¹⁰ rivals together weigh as much as the leader.",
        ),
    ),
)
