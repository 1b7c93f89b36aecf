"""Published and ours, side by side."""

import pandas as pd

from sharplib.studies import _record, max_retrieval
from sharplib.studies.comparison import compare, stored


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


def test_stored_tables_are_found_where_they_are(tmp_path):
    assert stored("max-retrieval", tmp_path / "nowhere") == {}
    settings = max_retrieval.Settings(
        max_retrieval.Training(width=4, steps=1, batch=2), sizes=(2,), test_sets=3
    )
    made = _record.record("max-retrieval", "paper", settings, [0], "cpu", tmp_path)
    found = stored("max-retrieval", tmp_path)
    assert list(found) == ["ours, full size"]
    pd.testing.assert_frame_equal(found["ours, full size"], made.table)
