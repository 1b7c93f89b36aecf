"""The questions of the quizzes: their form, their numbers, and what Python sees of the answers."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import logsumexp

import sharplib
from sharplib import exercises, losses, measures
from sharplib.exercises import quiz
from sharplib.exercises._quiz import Option, Question

CHAPTERS = list(exercises._chapters())


def answer(chapter: str, question: int) -> str:
    """What the right option of a question says, with its reason."""
    found = quiz(chapter).questions[question]["options"]
    (right,) = (f"{option['text']} {option['why']}" for option in found if option["right"])
    return right


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_option_says_why(chapter: str) -> None:
    questions = quiz(chapter).questions
    assert 3 <= len(questions) <= 5
    for question in questions:
        assert question["text"][-1] in "?."
        assert 3 <= len(question["options"]) <= 4
        reasons = {option["why"] for option in question["options"]}
        assert len(reasons) == len(question["options"])
        assert all(why.endswith(".") and len(why.split()) >= 5 for why in reasons)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_neither_place_nor_length_gives_the_answer_away(chapter: str) -> None:
    rights = [
        ([option["right"] for option in question["options"]].index(True), question["options"])
        for question in quiz(chapter).questions
    ]
    assert len({place for place, _ in rights}) > 1
    longest = [
        place == max(range(len(found)), key=lambda k: len(found[k]["text"]))
        for place, found in rights
    ]
    assert not all(longest)


def test_what_the_reader_takes_is_seen_from_python() -> None:
    widget = quiz("a-sharp-lookup")
    assert widget.chosen == [None] * 4
    widget.set_state({"chosen": [1, None, 2, 0]})
    assert widget.chosen == [1, None, 2, 0]


def test_without_scripts_the_answers_are_folded_away() -> None:
    page = quiz("a-sharp-lookup").html()
    state = json.loads(re.search(r"<script[^>]*>(.*?)</script>", page)[1])
    assert state["questions"] == quiz("a-sharp-lookup").questions
    assert page.count("<details>") == 4
    assert "<dt>9 times</dt><dd>Right. The difference" in page


def test_a_question_has_one_right_answer() -> None:
    with pytest.raises(ValueError, match="exactly one that is right: 'Which\\?'"):
        Question("Which?", Option("This", "It is."), Option("That", "It is."))


def test_names_the_chapters_that_have_one() -> None:
    with pytest.raises(ValueError, match="'nothing' has no quiz; there are a-sharp-lookup, "):
        quiz("nothing")


# --- the numbers ----------------------------------------------------------------------------------


def leader(n: int, lead: float) -> float:
    return float(sharplib.softmax(np.r_[lead, np.zeros(n - 1)])[0])


def test_numbers_of_a_sharp_lookup() -> None:
    scores = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(sharplib.softmax(scores + 100), sharplib.softmax(scores))
    p = sharplib.softmax(np.array([np.log(3), 0]), temperature=0.5)
    np.testing.assert_allclose(p[0] / p[1], 9)
    assert answer("a-sharp-lookup", 1).startswith("9 times")
    a, b = np.array([0.5, *[0.1] * 5]), np.array([0.5, 0.5, 0, 0, 0, 0])
    assert round(float(measures.effective_support(a)), 1) == 4.5
    np.testing.assert_allclose(measures.effective_support(b), 2)
    assert round(100 * leader(64, 4.0)) == 46
    assert round(100 * leader(4096, 8.0)) == 42
    assert "42 %" in answer("a-sharp-lookup", 3)
    assert round(np.exp(4)) == 55


def test_numbers_of_the_dispersion_theorem() -> None:
    def most(f, n: int) -> float:  # one score at 3, all others at 0
        return f(3.0) / (f(3.0) + (n - 1) * f(0.0))

    assert most(lambda e: 1 + e**2, 10**6) < 10 / 10**6
    assert most(lambda e: np.exp(10 * e), 10**15) < 0.1
    assert most(lambda e: max(e - 2, 0), 10**6) == 1
    size = {spread: 1 + 9 * np.exp(spread) for spread in (5.69, 7.99)}
    assert int(size[5.69]) == 2664
    assert round(size[7.99], -2) == 26_600
    assert "26,600" in answer("dispersion-theorem", 1)
    assert round(2664 * 7.99 / 5.69, -2) == 3700
    assert round(np.log(10), 1) == 2.3
    assert abs(leader(2000, 3.0) / leader(1000, 3.0) - 0.5) < 0.01


SCORES = np.array([0.0, 1.0, 2.5])


def crowded_entropy(lead: float, n: int) -> float:
    """Entropy of one leader and n - 1 equal others, without a row of that length."""
    total = logsumexp([lead, np.log(n - 1)])
    return total - lead * np.exp(lead - total)


def test_numbers_of_temperature_and_entropy() -> None:
    def entropy(beta: float) -> float:
        return float(measures.entropy(sharplib.softmax(beta * SCORES)))

    p = sharplib.softmax(2 * SCORES)
    variance = (p * SCORES**2).sum() - (p * SCORES).sum() ** 2
    change = entropy(2.1) - entropy(2.0)
    # The slope at the left end is -1 for a variance of 0.5; over 0.1 it moves by a few per cent.
    np.testing.assert_allclose(change / variance, -0.2, rtol=0.1)
    assert answer("temperature-and-entropy", 0).startswith("−0.1 ")
    rows = np.zeros(1_000_000)
    rows[0] = brentq(lambda lead: crowded_entropy(lead, 1_000_000) - 7, 5, 20, xtol=1e-12)
    assert abs(float(measures.entropy(sharplib.softmax(rows))) - 7) < 1e-6
    np.testing.assert_array_equal(sharplib.adaptive_softmax(rows), sharplib.softmax(rows))
    powers = np.array(sharplib.mappings.PUBLISHED_COEFFICIENTS)
    h = np.linspace(0, 8, 8001)
    curve = np.polyval(powers, h)
    assert round(h[curve.argmax()], 1) == 4.4
    assert round(h[curve > 1].max(), 2) == 5.94
    assert np.polyval(powers, 7) < 0
    assert 0.6 < np.exp(-0.5) < 0.61
    for n in (1000, 1_000_000):
        row = np.r_[3.0, np.zeros(n - 1)]
        assert sharplib.entropy_matched_softmax(row, 0.5).max() > 0.6


def test_numbers_of_watching_a_head_disperse() -> None:
    def weight(n: int, sharpness: float) -> float:
        return 1 / (1 + n / sharpness)

    np.testing.assert_allclose(weight(2000, 200), weight(1000, 100))
    assert weight(2000, 100 * np.log(2000) / np.log(1000)) < 0.6 * weight(1000, 100)
    size = int(np.exp(10)) + 1
    assert round(size, -3) == 22_000
    assert leader(size, 10.0) >= 0.5 > leader(size + 1, 10.0)
    assert "22,000" in answer("watching-a-head-disperse", 3)


def test_numbers_of_sharpness_costs_weights() -> None:
    assert abs(1.19**4 - 2) < 0.01
    assert leader(101, np.log(100)) == pytest.approx(0.5)
    served = 1 + 100 ** (1.19**4)
    assert round(served, -4) == 10_000
    assert "10,000" in answer("sharpness-costs-weights", 1)
    assert int(1 / 0.03) == 33
    assert answer("sharpness-costs-weights", 2).startswith("Up to 33")
    weights = np.array([1.0, 0.3])
    for _ in range(20_000):
        weights = (1 - 0.001) * weights + 0.001 * np.array([0.0, 1.0])
    np.testing.assert_allclose(weights, [0, 1], atol=1e-6)


def test_numbers_of_adaptive_temperature() -> None:
    row = np.array([0.0, 1.0, 5.0])
    betas = np.linspace(0, 5, 501)[:, None]
    assert sharplib.softmax(betas * row)[:, 1].argmax() == 0
    assert row.mean() == 2
    powers = np.array(sharplib.mappings.PUBLISHED_COEFFICIENTS)
    assert round(np.polyval(powers, 4), 2) == 2.39
    assert "2.39" in answer("adaptive-temperature", 1)
    assert np.polyval(powers[::-1], 4) < 1
    h = np.linspace(1, 8, 7001)
    assert round(h[np.polyval(powers[::-1], h) > 1].max(), 2) == 2.15
    assert np.log2([4, 16]).tolist() == [2, 4]


def test_numbers_of_exact_zeros() -> None:
    row = np.array([0.8, 0.0, -0.1])
    far = np.full(10**6, 0.8 - 3)
    np.testing.assert_array_equal(sharplib.sparsemax(np.r_[row, far])[:3], sharplib.sparsemax(row))
    scores = np.random.default_rng(0).normal(size=(200, 6))
    once, twice = ((sharplib.sparsemax(k * scores) > 0).sum(-1) for k in (1, 2))
    assert (twice <= once).all()
    assert (twice < once).any()
    top = [sharplib.sparsemax(20 * (np.arange(n) + 0.5) / n).max() for n in (4000, 16_000)]
    # The law holds for a crowd; its first correction is one over the support, here 20.
    np.testing.assert_allclose(top[1] / top[0], 0.5, rtol=0.05)
    assert answer("exact-zeros", 2).startswith("It is halved")
    for lead, zero in ((1.0, False), (2.0, True)):
        pair = np.array([lead, 0.0])
        assert (float(losses.entmax_loss(pair, np.array(0), 1.5)) < 1e-12) == zero


def test_numbers_of_periodic_alternatives(rng: np.random.Generator) -> None:
    row = np.zeros(5)
    weights = [sharplib.sin_softmax(np.r_[x, row])[0] for x in (2.0, 3.0, 4.0)]
    assert weights == sorted(weights, reverse=True)
    most = sharplib.sin_softmax(100 * rng.normal(size=(2000, 1000))).max()
    ceiling = np.exp(2) / (np.exp(2) + 999)
    assert most < ceiling < 0.0074
    assert "0.0074" in answer("periodic-alternatives", 1)
    x = rng.normal(size=6)
    np.testing.assert_allclose(
        sharplib.prenormalise(10 * x, epsilon=0.0), sharplib.prenormalise(x, epsilon=0.0)
    )
    x = 100 * rng.normal(size=10_000)
    p = sharplib.siren_max(x)
    assert p.argmax() == np.sin(x).argmax() != x.argmax()
