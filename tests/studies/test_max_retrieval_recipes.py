"""The recipes: what is measured while heads train, and that nothing but the training differs."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from sharplib.studies import max_retrieval
from sharplib.studies import max_retrieval_recipes as study
from sharplib.studies._storage import Store
from sharplib.theory.sharpness import spread_bound, tight_spread_bound

TINY = study.Settings(
    {
        name: replace(study.RECIPES[name], width=8, steps=30, batch=4, seeds_together=1)
        for name in ("paper", "cosine, sparsemax")
    },
    steps=(0, 10, 30),
    sizes=(16, 64),
    test_sets=5,
)


@pytest.fixture(scope="module")
def table():
    return study.run(TINY, (0, 1))


def test_no_recipe_touches_the_task_or_the_sizes():
    for training in study.RECIPES.values():
        for name in ("classes", "smallest_set", "largest_set"):
            assert getattr(training, name) == getattr(max_retrieval.Training(), name)
    recipe = max_retrieval.PRESETS["recipe"].settings.training
    trial = replace(study.RECIPES["the same, batch 512, width 32"], steps=50_000, seeds_together=5)
    assert recipe == trial


def test_the_table_is_tidy(table):
    assert not table.duplicated(["recipe", "seed", "step", "size", "rule", "measure"]).any()
    assert table.value.notna().all()
    looked = table[table.rule == "anatomy"]
    assert sorted(set(looked.step)) == [0, 10, 30]
    assert set(table[table.measure == "accuracy"].step) == {30}
    assert list(dict.fromkeys(table.recipe)) == list(TINY.recipes)


def test_the_heads_at_the_end_are_those_of_a_plain_training(table):
    for name, training in TINY.recipes.items():
        settings = max_retrieval.Settings(
            training, sizes=TINY.sizes, test_sets=TINY.test_sets, rules=TINY.rules
        )
        plain = max_retrieval.run(settings, (0, 1))
        got = table[(table.recipe == name) & table.rule.isin(TINY.rules)]
        keys = ["seed", "size", "rule", "measure"]
        pd.testing.assert_frame_equal(
            got.sort_values(keys)[plain.columns].reset_index(drop=True),
            plain[plain.rule.isin(TINY.rules)].sort_values(keys).reset_index(drop=True),
            check_exact=True,
        )


def test_processes_share_the_work_and_change_nothing(table, tmp_path):
    store = Store(tmp_path, {})
    shared = study.run(TINY, (0, 1), jobs=2, store=store)
    pd.testing.assert_frame_equal(shared, table, check_exact=True)
    assert store.seconds > 0
    again = study.run(TINY, (0, 1), store=Store(tmp_path, {}), progress=_nothing_to_train)
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def _nothing_to_train(stage, done, total):
    assert stage == "testing"


def test_the_anatomy_is_that_of_proposition_3_1():
    training = max_retrieval.Training(width=8, steps=200, batch=16)
    heads = max_retrieval.train(training, [0, 1])
    measured = max_retrieval.anatomy(training, heads, sets=6)
    sets = max_retrieval.draw(
        training, heads.seeds, 16, range(6), purpose=max_retrieval.data.REFERENCE
    )
    for i in range(2):
        w = {name: weight[i].double().numpy() for name, weight in heads.weights.items()}

        def gelu(x):
            from scipy.special import ndtr

            return x * ndtr(x)

        kinds = np.eye(10)[sets.kind[i].numpy()]
        x = np.concatenate([sets.priority[i].double().numpy()[..., None], kinds], -1)
        x = gelu(x @ w["item_in"] + w["item_in_bias"]) @ w["item_out"] + w["item_out_bias"]
        y = gelu(sets.query[i].double().numpy() @ w["query_in"] + w["query_in_bias"])
        y = y @ w["query_out"] + w["query_out_bias"]
        y = np.concatenate([y, np.ones((6, 1))], -1)
        query, key = np.concatenate([w["q"], w["q_bias"]]).T, w["k"].T
        scores = np.einsum("sd,snd->sn", y @ query.T, x @ key.T) / np.sqrt(8)
        bound = tight_spread_bound(query, key, y, x) / np.sqrt(8)
        assert measured["spread"][i] == pytest.approx(np.ptp(scores, axis=-1).mean())
        assert measured["bound"][i] == pytest.approx(bound.mean())
        assert measured["spread"][i] <= measured["bound"][i]
        assert bound.mean() <= spread_bound(query, key, y, x).mean() / np.sqrt(8)
        assert measured["sigma_k"][i] == pytest.approx(np.linalg.svd(key)[1].max())


def test_steps_that_do_not_end_with_the_training_are_refused():
    with pytest.raises(ValueError, match=r"steps must rise to 30 for 'paper', got \(0, 10\)"):
        replace(TINY, steps=(0, 10))
    with pytest.raises(ValueError, match=r"steps must rise to 30"):
        replace(TINY, steps=(10, 0, 30))


def test_settings_are_whole_in_the_record():
    assert asdict(TINY)["recipes"]["paper"]["batch"] == 4


@pytest.mark.slow
def test_a_calm_training_leaves_smaller_head_starts():
    """The claim behind the recipe, at a size that a test can afford."""
    restless = max_retrieval.Training(width=16, steps=3_000)
    calm = replace(restless, learning_rate=3e-3, schedule="cosine", weight_decay=0.33)
    starts = [
        max_retrieval.profile(max_retrieval.train(training, (0, 1, 2))).head_start.std(-1).mean()
        for training in (restless, calm)
    ]
    # A third on the machine where this was written; digits of training differ between machines.
    assert starts[1] < 0.6 * starts[0]
