"""The study of private greedy choices: its costs, its draws, its table."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from sharplib.studies import private_greedy as study
from sharplib.studies._storage import Store

TINY = study.Settings(data=("random",), budgets=(1.0, 64.0), repeats=5, picks=3)
RULES = study._rules(TINY)
STEP = 0.4  # what a step may cost, in nats


def log_weights(rule, gains):
    logits = rule(gains, np.array(STEP))
    return logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()


@pytest.mark.parametrize("name", [name for name in RULES if "told" not in name[0]], ids=str)
def test_a_step_costs_no_more_than_it_may(name):
    """The privacy loss of one draw between neighbours, over random and over the worst changes."""
    rng, rule = np.random.default_rng(0), RULES[name]
    worst = 0.0
    for trial in range(3000):
        gains = rng.integers(0, 300, 6).astype(float) + (name[1] == "by a factor")
        signs = rng.choice([-1, 1], 6) if trial % 2 else np.r_[1, -np.ones(5)]
        if name[1] == "by a factor":
            other = gains * np.exp(TINY.gamma * signs * (1 if trial % 3 else rng.random(6)))
            if other.max() > study._RECORDS:
                continue
        else:
            # A record more, or one less: all gains that change do so in one direction.
            other = np.maximum(gains + rng.choice([-1, 1]) * (signs > 0), 0)
        moved = log_weights(rule, gains) - log_weights(rule, other)
        worst = max(worst, np.abs(moved).max())
    assert 0 < worst <= STEP * (1 + 1e-9)


def test_power_and_exp_cost_what_they_may_at_the_worst():
    # Two items move apart by 2 gamma; the lower one has nearly no weight.
    gains = np.array([1.0, 1e9])
    other = gains * np.exp(TINY.gamma * np.array([1, -1]))
    rule = RULES["power", "by a factor"]
    assert (log_weights(rule, other) - log_weights(rule, gains))[0] > 0.99 * STEP


def test_the_rule_that_is_told_the_top_is_not_private():
    rule = RULES["exp, told the top", "by a factor"]
    gains = np.array([100.0, 50.0])
    assert rule(gains, np.array(STEP))[0] > RULES["exp", "by a factor"](gains, np.array(STEP))[0]


def odds(name, gains):
    logits = RULES[name](np.asarray(gains, float), np.array(STEP))
    return logits.max() - logits.min()


@pytest.mark.parametrize("gains", [(9, 8), (300, 1), (57, 20), (1, 0.5)])
def test_who_is_sharper_is_decided_by_the_neighbours(gains):
    assert odds(("power", "by a factor"), gains) > odds(("exp, told the top", "by a factor"), gains)
    assert odds(("exp, told the top", "by a factor"), gains) > odds(("exp", "by a factor"), gains)
    ten, one = (odds((f"power, floor {s}", "by one record"), gains) for s in (10, 1))
    assert odds(("exp", "by one record"), gains) > ten > one


def test_greedy_covers_what_a_loop_over_sets_says():
    rng = np.random.default_rng(1)
    covers = (rng.random((8, 30)) < 0.2).astype(float)
    sets = [set(np.flatnonzero(row)) for row in covers]
    taken: set[int] = set()
    for _ in range(3):
        taken |= max(sets, key=lambda s: len(s - taken))
    assert study._greedy(covers, 3) == len(taken)
    best = max(len(set.union(*three)) for three in itertools.combinations(sets, 3))
    assert (1 - 1 / np.e) * best <= len(taken) <= best


def test_draws_follow_the_weights():
    covers = np.zeros((3, 10))
    covers[0, :6], covers[1, 6:9], covers[2, 9] = 1, 1, 1
    settings = replace(TINY, picks=1, repeats=40_000)
    rule = RULES["exp", "by one record"]
    cost = np.array([0.8])
    covered = study._draws(covers, rule, cost, settings, np.random.default_rng(2))
    weights = np.exp(0.4 * np.array([6, 3, 1]))
    shares = [(covered == gain).mean() for gain in (6, 3, 1)]
    # four standard errors of a share
    assert shares == pytest.approx(weights / weights.sum(), abs=4 * 0.5 / 200)


def test_a_large_budget_is_greedy_and_a_small_one_is_chance():
    settings = replace(TINY, repeats=20)
    covers = study._covers("random", np.random.default_rng(3))
    rule = RULES["exp", "by one record"]
    costs = np.array([1e-9, 1e3])
    chance, sure = study._draws(covers, rule, costs, settings, np.random.default_rng(4)).mean(1)
    assert sure == study._greedy(covers, settings.picks)
    blind = 1 - (1 - covers.mean()) ** settings.picks
    assert chance == pytest.approx(blind * study._RECORDS, rel=0.2)  # a mean of 20 choices


def test_candidates_cover_the_nearest_records():
    from sklearn.datasets import load_digits

    covers = study._covers("digits", np.random.default_rng(5))
    assert covers.shape == (400, 1200)
    # Ties at the quantile may add a few.
    assert 0.02 <= covers.mean() < 0.0205
    pictures = load_digits(return_X_y=True)[0][np.random.default_rng(5).permutation(1797)[:1600]]
    apart = ((pictures[7] - pictures[400:]) ** 2).sum(1)
    near, far = apart[covers[7] == 1], apart[covers[7] == 0]
    assert near.max(initial=0) <= far.min()


@pytest.fixture(scope="module")
def table():
    return study.run(TINY, [0, 1])


def test_a_seed_gives_the_same_rows_alone_and_among_others(table):
    assert table[table.seed == 1].reset_index(drop=True).equals(study.run(TINY, [1]))


def test_the_table_has_every_rule_at_every_budget(table):
    assert len(table) == 2 * len(RULES) * 2
    assert {tuple(pair) for pair in table[["rule", "neighbours"]].to_numpy()} == set(RULES)
    assert table.value.between(0.05, 1.02).all()  # greedy is not the best: a draw may beat it
    by_budget = table.groupby(["rule", "neighbours", "budget"]).value.mean().unstack()
    assert (by_budget[64.0] > by_budget[1.0]).mean() > 0.8


def test_finished_pieces_are_not_computed_again(tmp_path, monkeypatch):
    whole = study.run(TINY, [0, 1], store=Store(tmp_path, {}))
    drawn = []
    covers = study._covers
    monkeypatch.setattr(study, "_covers", lambda *a: drawn.append(a[0]) or covers(*a))
    (lost,) = tmp_path.glob("*/seed-1-random.json")
    lost.unlink()
    assert study.run(TINY, [0, 1], store=Store(tmp_path, {})).equals(whole)
    assert drawn == ["random"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": ("words",)}, "data must be some of"),
        ({"budgets": (1.0, 0.0)}, "budgets must be positive numbers"),
        ({"floors": ()}, "floors must be positive numbers"),
        ({"gamma": 0.0}, "gamma must be above 0, got 0.0"),
        ({"picks": 0}, "picks must be at least 1, got 0"),
        ({"repeats": 0}, "repeats must be at least 1, got 0"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1]])
def test_bad_seeds_are_named(seeds):
    with pytest.raises(ValueError, match=r"seeds must be different numbers from 0 on, got \["):
        study.run(TINY, seeds)
