"""Published and ours, side by side."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from sharplib.studies import _record, max_retrieval, ranking_noise
from sharplib.studies.comparison import compare, paired, report, stored


def tidy(rows, columns):
    return pd.DataFrame(rows, columns=["rule", "size", "measure", "value", columns])


def test_compare():
    published = tidy(
        [
            ("softmax", 16, "accuracy", 0.986, "second-hand"),
            ("softmax", 32, "accuracy", 0.971, "recalled"),
            ("softmax", 16, "p_value", 0.4, "second-hand"),
        ],
        "tag",
    )
    ours = tidy(
        [
            ("softmax", 16, "accuracy", 0.9, 0),
            ("softmax", 16, "accuracy", 0.8, 1),
            ("softmax", 64, "accuracy", 0.5, 0),
            ("hard", 16, "accuracy", 1.0, 0),
            ("softmax", 16, "entropy", 2.0, 0),
        ],
        "seed",
    )
    table = compare(published, {"ours": ours}, ("rule", "size"), "accuracy")
    assert table.to_dict("index") == {
        ("softmax", 16): {
            "published": "98.6%",
            "tag": "second-hand",
            "ours": "85.0% ± 5.0",  # half the difference of two is the error of their mean
        },
        ("softmax", 32): {"published": "97.1% unverified", "tag": "recalled", "ours": ""},
        ("softmax", 64): {"published": "", "tag": "", "ours": "50.0%"},
        ("hard", 16): {"published": "", "tag": "", "ours": "100.0%"},
    }


def test_paired_is_the_textbook_t_test():
    rng = np.random.default_rng(0)
    base, other = rng.normal(size=(2, 3, 6))
    rows = [
        (rule, size, "accuracy", values[i, seed], seed)
        for rule, values in {"softmax": base, "cold": other}.items()
        for i, size in enumerate((16, 64, 256))
        for seed in range(6)
    ]
    rows += [("cold", 512, "accuracy", 1.0, 0), ("softmax", 16, "entropy", 1.0, 0)]
    got = paired(tidy(rows, "seed"), ("rule", "size"), "accuracy", "softmax")
    assert got.columns.tolist() == ["rule", "size", "gain", "p_value", "seeds"]
    assert got["size"].tolist() == [16, 64, 256]  # no test without its baseline
    for i, row in got.iterrows():
        expected = scipy.stats.ttest_rel(other[i], base[i])
        assert row.gain == pytest.approx((other[i] - base[i]).mean())
        assert row.p_value == pytest.approx(expected.pvalue)
        assert row.seeds == 6


def test_no_test_without_variation():
    one = [("softmax", 16, "accuracy", 0.5, 0), ("cold", 16, "accuracy", 0.6, 0)]
    same = [(rule, 16, "accuracy", 0.5, s) for rule in ("softmax", "cold") for s in range(3)]
    # A difference of 0.3, which rounding makes two numbers.
    near = [
        (rule, 16, "accuracy", right / 10, seed)
        for seed, counts in enumerate([(4, 7), (5, 8)])
        for rule, right in zip(("softmax", "cold"), counts, strict=True)
    ]
    assert 0.7 - 0.4 != 0.8 - 0.5
    for rows in (one, same, near):
        (p_value,) = paired(tidy(rows, "seed"), ("rule", "size"), "accuracy", "softmax").p_value
        assert np.isnan(p_value)


def test_the_report_shows_the_test_beside_the_papers(tmp_path):
    settings = max_retrieval.Settings(
        max_retrieval.Training(width=8, steps=60, batch=8), sizes=(16, 64), test_sets=20
    )
    made = _record.record("max-retrieval", "paper", settings, range(4), "cpu", tmp_path)
    text = report("max-retrieval", tmp_path)
    adaptive = text[text.index("\nadaptive\n") : text.index("\nrefitted\n")]
    (line,) = [line for line in adaptive.splitlines() if line.startswith("64 ")]
    tests = paired(made.table, ("rule", "size"), "accuracy", "softmax").set_index(["rule", "size"])
    p_value = tests.p_value["adaptive", 64]
    assert "0.002" in line.split()
    assert np.isnan(p_value) or f"{p_value:.1g}" in line.split()
    assert "p: paired t-test over seeds against softmax" in text


def test_the_report_says_what_its_columns_of_keys_are(tmp_path):
    settings = ranking_noise.Settings(sizes=(4,), noise=(), temperatures=(0.0, 1.0), sets=10)
    _record.record("ranking-noise", "quick", settings, [0], "cpu", tmp_path)
    lines = [line.split() for line in report("ranking-noise", tmp_path).splitlines()]
    assert ["size", "noise", "temperature"] in lines


def test_stored_tables_are_found_where_they_are(tmp_path):
    assert stored("max-retrieval", tmp_path / "nowhere") == {}
    settings = max_retrieval.Settings(
        max_retrieval.Training(width=4, steps=1, batch=2), sizes=(2,), test_sets=3
    )
    made = _record.record("max-retrieval", "paper", settings, [0], "cpu", tmp_path)
    found = stored("max-retrieval", tmp_path)
    assert list(found) == ["ours, full size"]
    pd.testing.assert_frame_equal(found["ours, full size"], made.table)


def test_a_preset_that_one_study_alone_has_is_shown_too(tmp_path):
    settings = max_retrieval.Settings(
        max_retrieval.Training(width=4, steps=1, batch=2), sizes=(2,), test_sets=3
    )
    hidden = {"quick": (settings, (0,)), "paper": (settings, (0,)), "own": (settings, (0,))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(max_retrieval, "PRESETS", hidden)
        assert "ours, own: not run yet (sharp run max-retrieval --preset own)" in report(
            "max-retrieval", tmp_path
        )
        made = _record.record("max-retrieval", "own", settings, [0], "cpu", tmp_path)
        text = report("max-retrieval", tmp_path)
        assert "ours, own: 1 seeds on cpu" in text
        assert list(stored("max-retrieval", tmp_path)) == ["ours, own"]
    right = made.table[(made.table.measure == "accuracy") & (made.table.rule == "softmax")]
    softmax = text[text.index("\nsoftmax\n") : text.index("\nadaptive\n")]
    (line,) = [line for line in softmax.splitlines() if line.startswith("2 ")]
    assert f"{right.value.item():.1%}" in line
