"""Every check passes the right answer, knows the likely mistakes, and passes nothing else.

The answers are in ``cases/``, a file for each chapter. It holds `right`, which finds the right
answers in other ways than the checks do, and `MISTAKES`, each with words of the hint that meets it;
and where there are such, `SIMULATED` and `ANY_SCALE`.
"""

from __future__ import annotations

import functools
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sympy
import torch

from sharplib import exercises
from sharplib.exercises import Verdict, check

CASES = {p.stem: runpy.run_path(str(p)) for p in (Path(__file__).parent / "cases").glob("*.py")}
MISTAKES = {label: found for case in CASES.values() for label, found in case["MISTAKES"].items()}
SIMULATED = {label for case in CASES.values() for label in case.get("SIMULATED", ())}
ANY_SCALE = {label for case in CASES.values() for label in case.get("ANY_SCALE", ())}
CHAPTER_OF = {
    label: chapter.replace("-", "_")
    for chapter, module in exercises._chapters().items()
    for label in module.EXERCISES
}
LABELS = list(CHAPTER_OF)


@functools.cache
def right(label: str) -> Any:
    """The right answer to an exercise."""
    return _right(CHAPTER_OF[label])[label]


@functools.cache
def _right(chapter: str) -> dict[str, Any]:
    return CASES[chapter]["right"]()


@pytest.mark.parametrize("label", LABELS)
def test_passes_the_right_answer(label: str) -> None:
    verdict = check(label, right(label))
    assert verdict, verdict
    assert verdict.hint


@pytest.mark.parametrize(
    ("label", "answer", "words"),
    [(label, *mistake) for label, mistakes in MISTAKES.items() for mistake in mistakes],
)
def test_meets_a_mistake_with_its_hint(label: str, answer: Any, words: str) -> None:
    verdict = check(label, answer)
    assert not verdict
    assert words in verdict.hint, verdict


@pytest.mark.parametrize("label", LABELS)
def test_several_mistakes_are_known_and_most_have_hints_of_their_own(label: str) -> None:
    hints = {check(label, answer).hint for answer, _ in MISTAKES[label]}
    # Two ways to the same mistake may meet the same hint.
    assert len(hints) >= max(3, len(MISTAKES[label]) - 1)


@pytest.mark.parametrize("label", sorted({*LABELS} - ANY_SCALE))
def test_passes_nothing_that_is_off(label: str) -> None:
    answer = right(label)
    # Simulated answers scatter, so only those that are far off are sure to be wrong.
    factor = 4 if label in SIMULATED else 1.03
    for scale in (factor, 1 / factor):
        if callable(answer):
            assert not check(label, lambda *at, by=scale: by * np.asarray(answer(*at)))
            continue
        values = np.asarray(answer, dtype=float)
        for place in np.ndindex(values.shape):
            off = values.copy()
            off[place] = scale * off[place] if off[place] else 1 - 1 / factor
            assert not check(label, off), (place, off)


@pytest.mark.parametrize("label", LABELS)
def test_meets_anything_with_a_hint_and_never_with_an_error(label: str) -> None:
    strange = [
        "0.5",
        b"x",
        object(),
        [],
        {},
        {"a": 1},
        [[1], [2, 3]],
        [None, 1.0],
        np.nan,
        [np.inf] * 3,
        1j,
        np.array([1j, 2]),
        10**400,
        np.array("a"),
        sympy.Symbol("n"),
        torch.zeros(0),
        pd.DataFrame(),
        max,
        lambda: 1,
        lambda *at: None,
        lambda *at: "text",
        lambda *at: at[0] / 0,
        lambda *at: np.zeros((2, 2, 2)),
        np.zeros((3, 3, 3)),
    ]
    for answer in strange:
        verdict = check(label, answer)
        assert (verdict.passed, verdict.title) == (False, "Not yet"), answer
        assert len(verdict.hint.split()) > 2


@pytest.mark.parametrize("label", LABELS)
def test_invites_where_nothing_was_tried(label: str) -> None:
    assert repr(check(label, None)) == (
        "Your turn. Put your answer in place of None, then run the cell."
    )


def test_takes_numbers_of_any_library() -> None:
    for answer in (
        (17 / 50, 1),
        np.array([0.34, 1]),
        torch.tensor([0.34, 1.0], requires_grad=True),
        pd.Series([0.34, 1]),
        sympy.Matrix([sympy.Rational(17, 50), 1]).T.tolist()[0],
    ):
        assert "first number" in check("ex-read-n", answer).hint


def test_names_the_exercises_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"'ex-nothing' is not an exercise; there are .*ex-ties"):
        check("ex-nothing", 1)


def test_a_verdict_shows_as_text_and_as_html() -> None:
    verdict = Verdict("Not yet", "Is 1 < 2?")
    assert repr(verdict) == "Not yet. Is 1 < 2?"
    assert "<strong>Not yet.</strong> Is 1 &lt; 2?" in verdict._repr_html_()
    assert not verdict
    assert Verdict("Right", "It is.")


# --- what the checks take for granted ------------------------------------------------------------


def test_the_hard_maximum_is_lucky_only_with_noise_of_items(rng: np.random.Generator) -> None:
    rho, kind = rng.random((4000, 64)), rng.integers(10, size=(4000, 64))
    largest = rho.argmax(axis=-1)
    rows = np.arange(len(rho))
    luck = {}
    for name, ahead in {
        "classes": 0.02 * rng.standard_normal(10)[kind],
        "items": 0.02 * rng.standard_normal(rho.shape),
    }.items():
        top = (rho + ahead).argmax(axis=-1)
        lost = top != largest
        assert lost.mean() > 0.2
        luck[name] = (kind[rows, top] == kind[rows, largest])[lost].mean()
    assert luck["classes"] == 0
    # A tenth of some thousand lost sets: three standard errors are 0.025.
    assert abs(luck["items"] - 0.1) < 0.03


def test_gaps_shrink_with_these_powers_of_n(rng: np.random.Generator) -> None:
    for shape, power in {np.square: 2, np.positive: 1, np.sqrt: 0.5}.items():
        gaps = []
        for n in (100, 10_000):
            two = np.partition(rng.random((1000, n)), 1, axis=-1)[:, :2]
            gaps.append(np.diff(shape(two), axis=-1).mean())
        # The means of 1,000 draws are good to 5 % (u²: 10 %): 0.03 in the power.
        assert abs(np.log(gaps[0] / gaps[1]) / np.log(100) - power) < 0.1


def test_the_ranges_of_a_fair_head_hold_for_the_heads_of_the_chapter(
    rng: np.random.Generator,
) -> None:
    # The chapter asserts that the sharpness of its heads is between 60 and 200.
    for sharpness in (60.0, 200.0):
        assert check("ex-fair-head", CASES["watching_a_head_disperse"]["fair"](rng, sharpness))


@pytest.mark.parametrize("seed", range(2))
def test_simulations_scatter_less_than_their_checks_allow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    links = CASES["sharpness_costs_weights"]["links"](rng)
    assert check("ex-random", links["angle"])
    assert "use itself" in check("ex-random", links["use"]).hint
    assert "hardly changes" in check("ex-random", links["K"]).hint
    heats = CASES["adaptive_temperature"]["plateaus"](rng, heads=100)
    assert check("ex-how-prejudiced", [heats.mean(), 1 / 2.42 / heats.mean()])
    assert "a mean of β" in check("ex-how-prejudiced", [(1 / heats).mean(), 0.4]).hint
    assert check("ex-worth", CASES["sharpness_costs_weights"]["best_sharpness"](rng))
    assert check("ex-cool-with-n", CASES["watching_a_head_disperse"]["cooled"](rng))
