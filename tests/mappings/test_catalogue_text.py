"""Every entry says what it computes, when to use it and when not, in a line each."""

from __future__ import annotations

from collections import Counter

import pytest

from sharplib import CATALOGUE
from sharplib.mappings import Mapping

every_mapping = pytest.mark.parametrize("mapping", CATALOGUE.values(), ids=CATALOGUE.keys())


@every_mapping
@pytest.mark.parametrize("field", ["formula", "use", "avoid"])
def test_says_it_in_one_line(mapping: Mapping, field: str) -> None:
    text = getattr(mapping, field)
    assert 0 < len(text) <= 140
    assert text == " ".join(text.split())


@every_mapping
@pytest.mark.parametrize("field", ["use", "avoid"])
def test_advice_is_a_sentence_in_plain_text(mapping: Mapping, field: str) -> None:
    text = getattr(mapping, field)
    assert text.endswith(".")
    assert not set(text) & set("$`*|\\{}<>")  # it is set as it stands, in tables too


@every_mapping
def test_formula_is_balanced_latex_without_macros_of_our_own(mapping: Mapping) -> None:
    formula = mapping.formula.replace(r"\{", "").replace(r"\}", "")
    assert formula.count("{") == formula.count("}")
    assert mapping.formula.count(r"\bigl") == mapping.formula.count(r"\bigr")
    assert mapping.formula.count(r"\Bigl") == mapping.formula.count(r"\Bigr")
    assert mapping.formula.count(r"\left") == mapping.formula.count(r"\right")
    assert "$" not in formula


@pytest.mark.parametrize("field", ["formula", "use", "avoid"])
def test_no_two_entries_say_the_same(field: str) -> None:
    texts = Counter(getattr(mapping, field) for mapping in CATALOGUE.values())
    assert [text for text, times in texts.items() if times > 1] == []
