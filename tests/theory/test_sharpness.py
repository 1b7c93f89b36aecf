"""Proposition 3.1 and its sharper form."""

import numpy as np
import pytest
import scipy.optimize

from sharplib.theory.critical_size import required_spread
from sharplib.theory.sharpness import (
    proposition_3_1,
    required_norms,
    required_norms_statement,
    spread_bound,
    tight_spread_bound,
)


def measured_spread(query, key, y, items):
    """The spread of one head by loops."""
    scores = [sum((query @ y) * (key @ item)) for item in items]
    return max(scores) - min(scores)


def test_proposition_3_1_steps_hold(rng, holds):
    for _ in range(5):
        s = rng.uniform(0, 2, 2)
        q, a, b, y = rng.standard_normal((4, 2))
        query = np.outer(q, y) / (y @ y)  # sends y to q
        items = np.stack([a, b])
        values = {
            **{f"q_{i + 1}": q[i] for i in range(2)},
            **{f"a_{i + 1}": a[i] for i in range(2)},
            **{f"b_{i + 1}": b[i] for i in range(2)},
            **{f"v_{i + 1}": a[i] - b[i] for i in range(2)},
            **{f"s_{i + 1}": s[i] for i in range(2)},
            "sigma_K": s.max(),
            "sigma_Q": np.linalg.norm(query, 2),
            "delta": measured_spread(query, np.diag(s), y, items),
            r"\|y\|": np.linalg.norm(y),
            r"\|x\|_{max}": np.linalg.norm(items, axis=1).max(),
            r"\|x_i-x_j\|_{max}": np.linalg.norm(a - b),
        }
        assert all(holds(step.claim, values) for step in proposition_3_1())


def test_proposition_3_1_required_norms_statement_is_the_number(holds):
    values = {"n": 100, "c": 0.5, "theta": 0.7, r"\|y\|": 2.0, r"\|x\|_{max}": 3.0}
    least = float(required_norms(100, 0.5, 2.0, 3.0, 0.7))
    at, below = ({"sigma_Q": 1.0, "sigma_K": least * s} for s in (1.000001, 0.999999))
    assert holds(required_norms_statement(), values | at)
    assert not holds(required_norms_statement(), values | below)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (4, 2)])
def test_proposition_3_1_withstands_an_optimiser(shape, rng):
    """Over all y and x on the unit sphere no spread is wider, and the best comes close."""
    query, key = rng.standard_normal((2, *shape))
    d = shape[1]

    def unpack(flat):
        vectors = flat.reshape(3, d)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def minus_spread(flat):
        y, *items = unpack(flat)
        return -measured_spread(query, key, y, items)

    best = min(
        (scipy.optimize.minimize(minus_spread, rng.standard_normal(3 * d)) for _ in range(8)),
        key=lambda result: result.fun,
    )
    y, *items = unpack(best.x)
    widest, loose = -best.fun, spread_bound(query, key, y, items)
    sharper = tight_spread_bound(query, key, y, items)
    assert widest <= sharper * (1 + 1e-12) <= loose * (1 + 1e-12) ** 2
    # what is left is |Q^T K| against |Q| |K|, which the bound does not see
    product = np.linalg.norm(query.T @ key, 2)
    ratio = product / (np.linalg.norm(query, 2) * np.linalg.norm(key, 2))
    assert widest == pytest.approx(loose * ratio, rel=1e-4)  # the optimiser's own tolerance


def test_proposition_3_1_leading_shapes_broadcast(rng):
    query, key = rng.standard_normal((2, 5, 1, 3, 4))
    y, items = rng.standard_normal((6, 4)), rng.standard_normal((6, 7, 4))
    for function in (spread_bound, tight_spread_bound):
        together = function(query, key, y, items)
        assert together.shape == (5, 6)
        one = function(query[2, 0], key[2, 0], y[4], items[4])
        np.testing.assert_allclose(together[2, 4], one, rtol=1e-13)  # another order of sums


def test_proposition_3_1_sharper_form_ignores_a_common_shift(rng):
    query, key = rng.standard_normal((2, 3, 4))
    y, items, shift = rng.standard_normal(4), rng.standard_normal((7, 4)), rng.standard_normal(4)
    before = tight_spread_bound(query, key, y, items)
    np.testing.assert_allclose(tight_spread_bound(query, key, y, items + shift), before, rtol=1e-12)
    assert spread_bound(query, key, y, items + 100 * shift) > 10 * before


def test_required_norms_are_met_by_the_best_head():
    """A head in the plane with just these norms gives just this weight."""
    n, weight, theta = 50, 0.5, 0.7
    stretch = float(required_norms(n, weight, y_norm=2.0, x_norm=3.0, temperature=theta))
    scores = stretch * 2.0 * np.array([3.0] + [-3.0] * (n - 1)) / theta
    top = 1 / np.exp(scores - scores[0]).sum()
    assert top == pytest.approx(weight, rel=1e-12)


def test_required_norms_scale_with_the_width_of_a_head():
    assert required_norms(100, 0.5, 1, 1, temperature=np.sqrt(64)) == pytest.approx(
        8 * required_spread(100, 0.5) / 2, rel=1e-14
    )


EYE, Y, ITEMS = np.eye(2), np.ones(2), np.ones((3, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Y, EYE, Y, ITEMS), r"query must be a non-empty matrix, got shape \(2,\)"),
        ((EYE, np.ones((0, 2)), Y, ITEMS), r"key must be a non-empty matrix, got shape \(0, 2\)"),
        ((EYE, EYE, Y, np.ones((0, 2))), r"items must be a non-empty matrix, got shape \(0, 2\)"),
        ((EYE, EYE, np.ones(3), ITEMS), r"y must have length 2 as query has, got shape \(3,\)"),
        ((EYE, EYE, Y, np.ones((3, 5))), r"items must have length 2 as key has"),
        ((EYE, np.ones((3, 2)), Y, ITEMS), r"key must have 2 rows as query has"),
        ((EYE, EYE, Y * np.nan, ITEMS), r"y must be finite, got nan"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    for function in (spread_bound, tight_spread_bound):
        with pytest.raises(ValueError, match=message):
            function(*arguments)


def test_required_norms_names_a_bad_norm():
    with pytest.raises(ValueError, match=r"x_norm must be finite and > 0, got 0\.0"):
        required_norms(10, 0.5, 1.0, 0.0)
