"""Chapter *The dispersion theorem*."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib.exercises._answer import Hint, called, judge, judge_function, near, numbers
from sharplib.exercises._quiz import Option, Question


def other_map(answer: Any) -> str:
    """The most weight of one of 100 items under softplus, by the lemma."""
    high, low = np.log1p(np.exp(3)), np.log(2)
    judge(
        numbers(answer),
        high / low / 100,
        [
            (high / low, "That is the quotient f(3)/f(0). There are 100 items to share with."),
            (np.exp(3) / 100, "That is the limit for the exponential. Put the softplus in."),
            (low / high / 100, "That is the least weight. Turn the quotient round."),
            (
                1 / (1 + 99 * low / high),
                "That is the tight bound, and true. The lemma is looser, and asked for here.",
            ),
            (high / 100, "You took f(0) for 1. It is log 2."),
        ],
        "The largest numerator is f(3). The smallest denominator is 100 times what?",
        rtol=1e-3,  # the tight bound is only 3 % below, f(0) = 1 is far off; four digits tell more
    )
    return "For the exponential it is 0.2: the slower function gives even less."


def context(answer: Any) -> str:
    """The spread for half of the weight among 2^17, and the most weight at spread 5.69."""
    n = 2**17
    needed, most = numbers(answer, 2)
    judge(
        needed,
        np.log(n - 1),
        [
            (
                np.log2(n - 1),
                "The first number is a logarithm to the base 2. Take the natural one.",
            ),
            (
                np.log10(n - 1),
                "The first number is a logarithm to the base 10. Take the natural one.",
            ),
            (
                np.log(n - 1) / 2,
                "The first number is what the two matrices owe. The spread may be twice as large.",
            ),
        ],
        "For the first number set the weight to 1/2 in the corollary: log(1/c - 1) is then 0.",
    )
    bound = 1 / (1 + (n - 1) * np.exp(-5.69))
    judge(
        most,
        bound,
        [
            (100 * bound, "The second number is in per cent. Give a share."),
            (
                1 / n,
                "The second number is what every item gets in a flat row. This head has spread.",
            ),
            (np.exp(-5.69) / n, "The second number is the least weight. Change the sign of 5.69."),
        ],
        "The first number is right. For the second use the tight bound, with one item at the top.",
    )
    return "Less than a quarter of a per cent, at best."


def group(answer: Any) -> str:
    """The tight bound on the weight of a group of g among n, with d = delta/theta."""
    judge_function(
        answer,
        [(20, 5, 1.0), (200, 50, 3.0), (100, 1, 2.0), (50, 40, 0.5)],
        lambda n, g, d: 1 / (1 + (n - g) / g * np.exp(-d)),
        [
            (
                lambda n, g, d: g / (1 + (n - 1) * np.exp(-d)),
                "That is g times the bound for one item. But not all of them can be the only one"
                " at the top: try n = 50, g = 40, and see it exceed 1.",
            ),
            (
                lambda n, g, d: 1 / (1 + (n - g) * np.exp(-d)),
                "That is one winner against n - g rivals. There are g winners.",
            ),
            (
                lambda n, g, d: g * np.exp(d) / n,
                "True, by the lemma, but not tight: for small n it says more than 1.",
            ),
            (
                lambda n, g, d: 1 / (1 + (n - g) / g * np.exp(d)),
                "That is the least weight. Put the group at the top, not at the bottom.",
            ),
        ],
        "Put the g items at the top of the range and the others at the bottom. What is the share"
        " of the first?",
    )
    return "If g is a fixed share of n, then n drops out."


def log_temperature(answer: Any) -> str:
    """Limits of the leader's weight for s*delta = 1/2, 1 and 2."""
    judge(
        numbers(answer, 3),
        [0, 1 / 2, 1],
        [
            ([1, 1 / 2, 0], "The other way round: a larger s is colder."),
            (
                [0, 1, 1],
                "Look again at s·δ = 1. Each rival has 1/n of the leader's power; how many rivals?",
            ),
            (
                [0, 0, 1],
                "Look again at s·δ = 1. Each rival has 1/n of the leader's power; how many rivals?",
            ),
            ([0, 0, 0], "So it is at a fixed temperature. Here the inverse temperature grows."),
        ],
        "The leader has 1/(1 + (n-1)·exp(-δ/θ)). Put s·log(n) for 1/θ: which power of n is that?",
    )
    return "The value 1 decides."


def no_average(answer: Any) -> str:
    """Lengths of the features of n equal items, with averages and with sums."""
    averaged, summed = called(answer, [(n,) for n in (1, 10, 100, 1000)], 2).T
    if (np.r_[averaged, summed] <= 0).any():
        raise Hint("Lengths are positive. Take items that are not 0.")
    if near(averaged, averaged[0]):
        if summed[3] > 5 * summed[2]:
            return "Sums leave every ball. Averages stay where a single item is."
        raise Hint("With sums the length should grow like n. Is there a division by n left?")
    if near(summed, summed[0]):
        raise Hint("The second length does not depend on n. Do the averages come first?")
    raise Hint(
        "With averages the length should not depend on n. What weight does softmax give to each"
        " of n equal items?"
    )


EXERCISES = {
    "ex-other-map": other_map,
    "ex-context": context,
    "ex-group": group,
    "ex-log-temperature": log_temperature,
    "ex-sum": no_average,
}

QUESTIONS = (
    Question(
        "A head keeps its scores between 0 and 3, at temperature 1. Which of these functions, put"
        " in place of the exponential, could stay sharp?",
        Option(
            "exp(10 e), which is steeper",
            "Steeper delays it: the constant is e³⁰ now. The weights still fall like 1/n.",
        ),
        Option(
            "1 + e², which is slower", "Every item keeps at least 1 in the sum: at most 10/n each."
        ),
        Option(
            "max(e − 2, 0)",
            "Items with scores below 2 get exactly nothing, so any number of them costs nothing.",
            True,
        ),
    ),
    Question(
        "A head with spread 5.69 can give a tenth of its weight to one of at most 2,664 items."
        " Training widens the spread by 2.3, to 7.99. How many items now?",
        Option(
            "About 3,700",
            "That is in proportion to the spread. But the critical size is exponential in it.",
        ),
        Option(
            "About 26,600",
            "2.3 is log 10, and the critical size grows like exp(δ): ten times.",
            True,
        ),
        Option(
            "About 5,300", "A doubling costs log 2, which is 0.69. Here there was 2.3 to spend."
        ),
    ),
    Question(
        "A head may place its scores freely between 0 and 3, at temperature 1. It reads 1,000 items"
        " and then 2,000, and does its best for one of them. What happens to that weight?",
        Option(
            "It stays: one score up and all others down is still the best.",
            "It is, but there are now twice as many others, and each of them takes its share.",
        ),
        Option(
            "It halves, nearly.", "With one up and all others down, the others' sum doubles.", True
        ),
        Option(
            "It falls by about log 2.",
            "To keep the weight, the spread would have to grow by log 2. This one cannot grow.",
        ),
    ),
    Question(
        "The features of a deep layer have mixed with all n items many times. Why can its scores"
        " not grow with n?",
        Option(
            "Because each layer normalises its features.",
            "The theorem holds without. In the network of this chapter normalisation only makes the"
            " ceiling lower.",
        ),
        Option(
            "Because attention returns averages, and an average stays in the ball of its points.",
            "This is where n disappears: the weights add up to 1, whatever n is.",
            True,
        ),
        Option(
            "Because trained matrices have small norms.",
            "Norms of any size will do, as long as they do not depend on n.",
        ),
    ),
)
