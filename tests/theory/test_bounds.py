"""Every bound of the catalogue: never broken, and broken at once were it 1 % tighter."""

import inspect
import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import sympy

from sharplib.theory import (
    BOUNDS,
    catalogue,
    compactness,
    critical_size,
    dispersion,
    sharpness,
    temperature,
)

every_bound = pytest.mark.parametrize("bound", BOUNDS.values(), ids=lambda b: f"{b.label}-{b.name}")
CASES = 300


def rounding(bound, case):
    # Quantity and value are sums over at most 200 items, or products of a few small matrices, in
    # double precision; dividing by 1 - weight >= 1e-5 costs the five digits more that 1e-9 allows.
    return 1e-9 * np.abs(np.asarray(bound.value(case))) + 1e-12


@every_bound
def test_bound_holds_in_random_cases(bound, rng):
    for _ in range(CASES):
        case = bound.sample(rng)
        assert (bound.slack(case) >= -rounding(bound, case)).all(), case


@every_bound
def test_bound_one_percent_tighter_is_broken_at_its_attaining_case(bound):
    case = bound.attain()
    assert (bound.slack(case) >= -rounding(bound, case)).all()
    assert (bound.slack(case, tighten=0.01) < -rounding(bound, case)).any()


@every_bound
def test_random_cases_differ_and_come_again_with_the_seed(bound):
    def draw(seed):
        rng = np.random.default_rng(seed)
        return [np.sum(bound.value(bound.sample(rng))) for _ in range(20)]

    assert draw(1) == draw(1)
    assert len(set(draw(1))) > 10


@every_bound
def test_statement_is_an_inequality(bound):
    assert isinstance(bound.statement, sympy.core.relational._Inequality)


def test_catalogue_is_immutable():
    with pytest.raises(TypeError):
        BOUNDS["another"] = None
    with pytest.raises(FrozenInstanceError):
        BOUNDS["largest weight"].kind = "lower"


def test_every_function_that_gives_a_bound_is_in_the_catalogue():
    no_bounds = {
        # proofs and what they are made of
        *("exponential", "lemma_2_1", "tight_weights", "rate", "simple_entropy", "tight_entropy"),
        *("critical_size_proof", "proposition_3_1", "required_norms_statement"),
        *("proposition_3_2", "variance_bound", "theorem_2_2"),
        # exact quantities
        *("log_partition", "mean_energy", "entropy", "score_variance", "entropy_slope"),
    }
    used = set(re.findall(r"\w+(?=\()", inspect.getsource(catalogue)))
    for module in (dispersion, critical_size, sharpness, temperature, compactness):
        functions = inspect.getmembers(module, inspect.isfunction)
        public = {
            name for name, f in functions if f.__module__ == module.__name__ and name[0] != "_"
        }
        assert public - no_bounds <= used
