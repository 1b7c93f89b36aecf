"""Chapter *Temperature and entropy*."""

from __future__ import annotations

from typing import Any

import numpy as np

import sharplib
from sharplib.exercises._answer import Hint, called, judge, judge_function, near, numbers
from sharplib.exercises._quiz import Option, Question


def equal(answer: Any) -> str:
    """What entropy matching makes of five equal scores."""
    weights = numbers(answer, 5)
    if near(weights, 1 / 5):
        return "The target is out of reach, and the row is left alone."
    if near(weights, weights[0]):
        raise Hint("All alike is right. But these are weights: what do they add up to?")
    if near(weights.sum(), 1) and weights.max() > 0.5:
        raise Hint("To get there, one item must be preferred. Which one, and by what right?")
    raise Hint("Cool five equal scores. Is there a temperature that tells them apart?")


def hot(answer: Any) -> str:
    """The entropy to second order in beta, for any scores."""
    skew, flat = np.array([0.0, 0.0, 1.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0])
    judge_function(
        answer,
        [(skew, 0.1), (flat, 0.1), (flat, 0.5), (flat[:2], 1.0)],
        lambda x, beta: np.log(len(x)) - beta**2 * x.var() / 2,
        [
            (
                lambda x, beta: np.log(len(x)) - beta**2 * x.var(),
                "A factor is missing: integrate b from 0 to β.",
            ),
            (
                lambda x, beta: np.log(len(x)) - beta**2 * x.var(ddof=1) / 2,
                "The variance divides by n - 1 here. With weights of 1/n it divides by n.",
            ),
            (
                lambda x, beta: np.log(len(x)) + beta**2 * x.var() / 2,
                "The sign: cooling lowers the entropy.",
            ),
            (
                lambda x, beta: np.log(len(x)) - beta * x.var(),
                "That is log n plus the slope. Integrate the slope from 0 to β.",
            ),
            (lambda x, beta: -(beta**2) * x.var() / 2, "That is the change. Where does it begin?"),
        ],
        "The entropy begins at log n, and its slope at b is -b times a variance. Integrate.",
    )
    return "Its error is of third order in β, for symmetric scores of fourth."


def postpone(answer: Any) -> str:
    """The last n at which a leader has half of the weight, at inverse temperature beta."""
    points = [(1.0, 1.0), (4.0, 1.0), (4.0, 2.42), (6.0, 2.42)]
    found = called(answer, points)
    exact = np.array([1 + np.exp(beta * lead) for lead, beta in points])
    # The real number, the last whole n before it, and the first after it are all fair answers.
    if (np.abs(found - exact) < 1).all() and found[0] >= np.floor(exact[0]):
        return "Four points of lead last for 55 items, and for about 16,000 at β = 2.42."
    judge(
        found,
        exact,
        [
            (exact - 1, "Nearly. That is the number of the others; the leader is one of n."),
            (
                np.floor(exact) - 1,
                "Nearly. That is the number of the others; the leader is one of n.",
            ),
            (
                [1 + beta * np.exp(lead) for lead, beta in points],
                "The inverse temperature multiplies the lead, not its power.",
            ),
            (
                [1 + np.exp(lead) for lead, _ in points],
                "Right for plain softmax. Where does β come in?",
            ),
            (
                [1 + np.exp(lead / beta) for lead, beta in points],
                "β is the inverse temperature: a large one makes the lead worth more.",
            ),
        ],
        "Half of the weight: the leader's power is the sum of the n - 1 others. At β, what is it?",
    )
    raise Hint("Close. Which whole n is the last with half of the weight?")


def order(answer: Any) -> str:
    """Where the polynomial exceeds 1 if it is read from the lowest power up."""
    low, high, items = numbers(answer, 3)
    judge(
        [low, high],
        [0.92, 2.15],
        [
            (
                [0.8486, 5.9445],
                "That is the published order. Read the five coefficients backwards.",
            ),
            ([2.15, 0.92], "These two are right. The smaller one first."),
        ],
        "Turn the coefficients round, draw the polynomial from 0 to 8, and see where it crosses 1.",
    )
    judge(
        items,
        np.exp(2.15),
        [
            (2.15, "The last number is in nats. How many equal items have this entropy?"),
            (np.exp(0.92), "The last number belongs to the lower end. Up to where does it act?"),
        ],
        "The two entropies are right. The effective support is e to the entropy.",
        rtol=1e-2,  # from 2.15 rounded either way
    )
    return "Beyond nine items it is a plain softmax with extra work."


def gradient_entropy(answer: Any) -> str:
    """The change of entropy per unit of score, for a given rule and row."""
    import torch

    row = torch.tensor([0.3, -1.1, 2.0, 0.9, -0.4], dtype=torch.float64)

    def matched(x: torch.Tensor) -> torch.Tensor:
        return sharplib.entropy_matched_softmax(x, 0.4)

    def change(rule: Any, of: Any) -> float:
        return float(of(rule(row), torch.func.jacrev(rule)(row)).abs().max())

    try:
        found = [
            np.abs(np.asarray(torch.as_tensor(answer(rule, row)).detach())).max()
            for rule in (matched, sharplib.softmax)
        ]
    except Exception as error:  # whatever the reader's function does wrong
        raise Hint(
            "Wanted: a function of a rule and a row, such as `answer(sharplib.softmax, row)`."
            f" Called like this, it stops: {type(error).__name__}: {error}"
        ) from None

    def right(p: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
        return (p.log() + 1) @ j

    plain = change(sharplib.softmax, right)
    if near(found[1], plain) and found[0] < 1e-9:
        return "Matching holds the entropy. A plain softmax does not."
    if max(found) < 1e-9:
        raise Hint(
            "This is 0 for plain softmax too, as each column of J adds up to 0. Weigh the entries"
            " of a column with ∂H/∂p first."
        )
    raise Hint("What is ∂H/∂p for H = -Σ p log p? Weigh the entries of a column of J with it.")


EXERCISES = {
    "ex-equal": equal,
    "ex-hot": hot,
    "ex-postpone": postpone,
    "ex-order": order,
    "ex-gradient-entropy": gradient_entropy,
}

QUESTIONS = (
    Question(
        "At β = 2 the scores have the variance 0.5 under the weights. You raise β to 2.1."
        " By about how much does the entropy change?",
        Option("−0.05", "That is the variance times 0.1. The slope has another factor, β."),
        Option("−0.1", "The slope is −β times the variance, which is −1. Times 0.1.", True),
        Option("−0.2", "That has β squared: the slope against log β, not against β."),
    ),
    Question(
        "A row of a million items has an entropy of 7 nats. What does adaptive temperature do?",
        Option("It cools as much as it can.", "The curve is highest at 4.4 nats and ends at 5.94."),
        Option("Nothing.", "Beyond 5.94 nats the polynomial is below 1, and 1 is taken.", True),
        Option(
            "It warms, since the polynomial is negative there.",
            "It is negative, but the rule takes the larger of the polynomial and 1.",
        ),
    ),
    Question(
        "Entropy matching holds a row at 0.5 nats, first with a thousand items, then with a"
        " million. How small can the top weight become?",
        Option(
            "It falls like 1/n.", "So it would at a fixed temperature. This one falls as n grows."
        ),
        Option(
            "Never below 0.6.",
            "No surprise is smaller than that of the top item: its weight is at least exp(−H).",
            True,
        ),
        Option(
            "As small as you like, but slowly.",
            "A row whose weights are all small has a large entropy. This one has 0.5.",
        ),
    ),
    Question(
        "The top score of a row is on the wrong item. You cool the row, further and further."
        " What becomes of the weight of the right item?",
        Option(
            "It rises all the way, since cooling sharpens.",
            "Cooling sharpens what is on top, and that is another item.",
        ),
        Option("It stays, since the order stays.", "The order stays, the weights do not."),
        Option(
            "In the end it goes to 0.",
            "In the cold the top item takes everything, right or wrong.",
            True,
        ),
    ),
)
