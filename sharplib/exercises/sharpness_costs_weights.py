"""Chapter *Sharpness costs weights*."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharplib.exercises._answer import Hint, judge, near, numbers
from sharplib.exercises._quiz import Option, Question


def ten_per_cent(answer: Any) -> str:
    """Items served after every factor grew by 10 and by 40 per cent."""
    growth = np.array([1.1, 1.4])
    judge(
        numbers(answer, 2),
        1 + 15 ** (growth**4),
        [
            (
                1 + 15**growth,
                "That is one factor. Four of them grow, and the spread is their product.",
            ),
            (16 ** (growth**4), "Nearly. The spread is log(n - 1): take the power of 15."),
            (16 * growth**4, "The spread grows so. The number of items is exponential in it."),
            (15 ** (growth**4), "That is the number of the rivals. The leader is one of n."),
            (1 + 15 ** (4 * growth), "Four factors multiply: g to the power of 4, not 4 times g."),
        ],
        "How many times larger is the spread? And what is the old spread, in terms of n = 16?",
        rtol=1e-2,  # 54 is a fair answer
    )
    return "Exponential in n, and a small matter in the weights."


def halve(answer: Any) -> str:
    """Steps after which an unneeded weight is halved, for four decays."""
    rate = 0.001 * np.array([0.001, 0.1, 1.0, 3.0])
    judge(
        numbers(answer, 4),
        np.log(2) / rate,
        [
            (1 / rate, "Then 1/e is left, about 37 %. When is it one half?"),
            (0.5 / rate, "That is a straight line. What is lost gets less as the weight shrinks."),
            (np.log(2) / (1000 * rate), "Where is the learning rate? A step shrinks by η·λ."),
            (np.log2(np.e) / rate, "Nearly: divide by log₂ e, that is, multiply by log 2."),
        ],
        "After t steps (1 - η·λ) to the power of t is left. Take logarithms.",
        rtol=1e-2,  # whole steps, and log(1 - ηλ) or -ηλ
    )
    return "Under the paper's decay, 700,000 steps; it trains for 100,000."


def random_use(answer: Any) -> str:
    """The link to blame, at widths 4, 16, 64 and 256."""
    link = numbers(answer, 4)
    # Means of 20 draws: at d = 4 they scatter by a fifth, from 16 on by less than a tenth.
    if np.allclose(link[1:], [0.5, 0.28, 0.156], rtol=0.2) and 0.4 < link[0] < 0.9:
        return "The best pair of 16 random items has a cosine of about 2/√d with the question."
    if np.allclose(link[1:], [0.12, 0.067, 0.036], rtol=0.25):
        raise Hint("That is the use itself. Which of its four links falls with d?")
    if link[0] > 0 and 0.6 < link[3] / link[1] < 1.7:
        raise Hint("This link hardly changes with the width. Another one does.")
    if link[0] < link[3]:
        raise Hint("Begin with the smallest width, d = 4.")
    raise Hint("Draw each width some 20 times and average each of the four links. Which one falls?")


def split(answer: Any) -> str:
    """The cheapest three factors with the product 10."""
    factors = numbers(answer, 3)
    if near(factors, np.cbrt(10)):
        return "All alike: a penalty on squares would balance the bill."
    if (factors <= 0).any():
        raise Hint("Factors are positive.")
    if not near(factors.prod(), 10):
        raise Hint(f"The product of these is {factors.prod():.4g}, and must be 10.")
    raise Hint(
        f"The product is right, and the price is {(factors**2).sum():.4g}. There is a cheaper"
        " split: take two factors that differ and exchange a little between them."
    )


def worth(answer: Any) -> str:
    """The best sharpness for head starts with a standard deviation of 0.003."""
    best = float(numbers(answer))
    # On a grid of 13 products, simulations find 1.0 or 1.47; the valley between them is flat.
    if 270 < best < 600:
        return "About 1.2 divided by the head starts."
    if 0.6 < best < 2.5:
        raise Hint("That is the product of B and s. Which B belongs to it, at s = 0.003?")
    if best <= 0:
        raise Hint("A sharpness is positive.")
    direction = "duller than need be" if best <= 270 else "surer of mistakes than is good"
    raise Hint(f"A head with that B is {direction}. Draw the loss over B, from 30 to 3,000.")


def burst(answer: Any) -> str:
    """Gradients that make Adam take the longest step."""
    gradients = numbers(answer, -1)
    if len(gradients) < 3000:
        raise Hint(
            f"These are {len(gradients)} gradients. The mean of squares forgets one in about a"
            " thousand steps: give it a longer silence to forget."
        )
    if not gradients.any():
        raise Hint("All gradients are 0, and 0 divided by 0 is no push.")
    back = np.arange(len(gradients))[::-1]
    mean = (0.1 * 0.9**back * gradients).sum() / (1 - 0.9 ** len(back))
    square = (0.001 * 0.999**back * gradients**2).sum() / (1 - 0.999 ** len(back))
    push = abs(mean) / np.sqrt(square)
    if push > 7.2:
        return f"The last push is {push:.3f}."
    if near(push, 1, rtol=0.02):
        raise Hint("A steady gradient gives a push of 1. Let it be silent first, then grow.")
    if near(push, np.sqrt(10), rtol=0.02):
        raise Hint(
            "One gradient after a silence gives 3.16. Let more of them follow, each larger than the"
            " one before. When do Cauchy and Schwarz have equality?"
        )
    raise Hint(
        f"The last push is {push:.3g}. Which gradients make the inequality of Cauchy and Schwarz an"
        " equality? Each is the one before, times a constant."
    )


EXERCISES = {
    "ex-ten-per-cent": ten_per_cent,
    "ex-halve": halve,
    "ex-random": random_use,
    "ex-split": split,
    "ex-worth": worth,
    "ex-burst": burst,
}

QUESTIONS = (
    Question(
        "Multiply Q by 10 and divide K by 10. What changes?",
        Option(
            "The scores: they are 10 times larger.", "They depend on the product of Q and K alone."
        ),
        Option(
            "The use: the spread is a smaller part of its bound.",
            "Neither the spread nor the bound has changed, so their quotient has not.",
        ),
        Option(
            "Only how the bill is split.",
            "Q seems to pay more and K less. The head is the same.",
            True,
        ),
    ),
    Question(
        "A head can just give half of its weight to one of 101 items. Each of its four factors"
        " grows by 19 %, which doubles the spread. How many items can it serve now?",
        Option("About 200", "That is in proportion to the spread. The size is exponential in it."),
        Option(
            "About 10,000",
            "The spread was log 100. Doubled it is log 10,000, and that many rivals are allowed.",
            True,
        ),
        Option(
            "About 400",
            "So many more rivals cost log 4 in spread. Here there was log 100 to spend.",
        ),
    ),
    Question(
        "A new, wide head has a spread that is 3 % of its bound. How much can it gain by turning"
        " its matrices, without making them larger?",
        Option("Nothing: norms decide.", "They decide the bound. The head is far below it."),
        Option("Up to 33 times the spread.", "Use cannot exceed 1, and it is 0.03 now.", True),
        Option("As much as it likes.", "Use cannot exceed 1. After that, something has to grow."),
    ),
    Question(
        "AdamW trains with decay 1. One weight is never pushed, another always with full strength"
        " in one direction. Where do they end, after many steps?",
        Option("Both at 0.", "The push puts back what decay takes, until the two are level."),
        Option("The first at 0, the second at 1.", "A push of 1 comes to rest at 1/λ.", True),
        Option(
            "Both at the same share of where they began.",
            "Decay is not the only hand. The second weight forgets where it began.",
        ),
    ),
)
