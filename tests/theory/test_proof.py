"""A proof as an object: its text, its LaTeX, its ends."""

import pytest
import sympy

from sharplib.theory.proof import Proof, Step, between, ends

a, b, c = sympy.symbols("a b c")
PROOF = Proof("Lemma 0", (Step(sympy.Eq(b, a + 1), "given"), Step(between(a, b, c), "so")))


def test_a_chain_is_written_as_a_chain():
    assert str(PROOF[1]) == "a <= b <= c"
    assert PROOF[1]._repr_latex_() == r"$\displaystyle a \leq b \leq c$"


@pytest.mark.parametrize("order", [(a, b, c), (c, b, a), (b, a, c), (b, c, a)])
def test_ends_of_a_chain_do_not_depend_on_the_names(order):
    assert ends(between(*order)) == order


@pytest.mark.parametrize("claim", [sympy.Eq(a, b), sympy.Le(a, b), sympy.And(a <= b, a <= c)])
def test_ends_of_what_is_no_chain(claim):
    with pytest.raises(ValueError, match="claim must have the form a <= b <= c"):
        ends(claim)


def test_a_proof_is_a_sequence_that_ends_with_its_theorem():
    assert len(PROOF) == 2
    assert list(PROOF) == [PROOF[0], PROOF[1]]
    assert PROOF.conclusion == PROOF[1].claim


def test_a_proof_is_typeset_line_by_line():
    text = PROOF._repr_latex_()
    assert text.count(r"\\[4pt]") == len(PROOF) - 1
    assert r"\text{given}" in text
    assert r"a \leq b \leq c" in text
