"""The page's formulas in theory.js, run by Node, beside the library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import sharplib
from sharplib.figures.explorers import dispersion
from sharplib.mappings import PUBLISHED_COEFFICIENTS
from sharplib.theory import temperature as cooling
from sharplib.theory.critical_size import critical_size, required_spread
from sharplib.theory.dispersion import simple_weight_bounds, weight_bounds
from sharplib.theory.extrapolation import circuit_error

CASES = 3000
#: A few roundings on either side; math functions of Node and NumPy differ in the last place.
RTOL = 1e-12


def call(in_node: Any, name: str, arguments: Sequence[Any]) -> list[Any]:
    """What a function of theory.js gives for each list of arguments."""
    return in_node("theory", name, [list(row) for row in arguments])


def heads(rng: np.random.Generator) -> np.ndarray:
    """Random sizes 1 ... 10^7, spreads 0 ... 30, temperatures 0.05 ... 20."""
    n = np.exp(rng.uniform(0, np.log(1e7), CASES)).round()
    n[:3] = 1, 2, 1e7
    spread = rng.uniform(0, 30, CASES)
    spread[:30] = 0
    temperature = np.exp(rng.uniform(np.log(0.05), np.log(20), CASES))
    return np.stack([n, spread, temperature], axis=1)


def test_bounds_of_a_weight(in_node: Any, rng: np.random.Generator) -> None:
    cases = heads(rng)
    for name, law in (
        ("weightBounds", weight_bounds),
        ("simpleWeightBounds", simple_weight_bounds),
    ):
        found = np.array(call(in_node, name, cases.tolist()), dtype=float)
        np.testing.assert_allclose(found.T, law(*cases.T), rtol=RTOL)


def test_critical_size(in_node: Any, rng: np.random.Generator) -> None:
    _, spread, temperature = heads(rng).T
    weight = rng.uniform(0.001, 0.999, CASES)
    cases = np.stack([spread, weight, temperature], axis=1)
    found = np.array(call(in_node, "criticalSize", cases.tolist()), dtype=float)
    np.testing.assert_allclose(found, critical_size(*cases.T), rtol=RTOL)


def test_required_spread(in_node: Any, rng: np.random.Generator) -> None:
    n, _, temperature = heads(rng).T
    weight = rng.uniform(0.001, 0.999, CASES)
    cases = np.stack([n, weight, temperature], axis=1)
    found = call(in_node, "requiredSpread", cases.tolist())
    # Two logarithms of up to 16 are subtracted: what is left may be small beside them.
    expected = required_spread(*cases.T)
    np.testing.assert_allclose(found, expected, rtol=RTOL, atol=1e-14 * temperature.max())


def test_random_numbers(in_node: Any) -> None:
    seeds = [0, 1, 7, 2**31 - 1]
    found = call(in_node, "randomNumbers", [[seed, 1000] for seed in seeds])
    # Integers and one division by a power of two: the same bits.
    for seed, numbers in zip(seeds, found, strict=True):
        np.testing.assert_array_equal(numbers, dispersion.random_numbers(seed, 1000))
        assert abs(np.mean(numbers) - 0.5) < 4 / np.sqrt(12 * 1000)  # four standard errors


def test_weights_of_a_repeated_pattern(in_node: Any, rng: np.random.Generator) -> None:
    pattern = np.r_[0, 1, rng.uniform(0, 1, 35)]
    sizes = [2, 3, 36, 37, 38, 74, 1000, 12345]
    for spread, temperature in ((0.0, 1.0), (3.0, 1.0), (12.0, 0.5), (30.0, 0.1)):
        (found,) = call(in_node, "patternWeights", [[pattern.tolist(), sizes, spread, temperature]])
        for n, ends in zip(sizes, found, strict=True):
            p = sharplib.softmax(np.resize(pattern, n) * spread, temperature=temperature)
            np.testing.assert_allclose(ends, [p.min(), p.max()], rtol=RTOL)


def rows(rng: np.random.Generator, count: int = 400) -> list[tuple[int, float, float]]:
    """Random rows of one leader and a crowd: size, lead, width."""
    sizes = np.exp(rng.uniform(np.log(2), np.log(3000), count)).round().astype(int)
    sizes[:4] = 2, 3, 65, 66
    leads = rng.uniform(0.1, 15, count)
    widths = rng.uniform(0, 8, count) * rng.integers(0, 2, count)
    return list(zip(sizes.tolist(), leads.tolist(), widths.tolist(), strict=True))


def written_out(n: int, lead: float, width: float) -> np.ndarray:
    """The same row item by item."""
    levels = min(n - 1, 64)
    crowd = np.linspace(0, -width, levels) if levels > 1 else np.zeros(1)
    counts = [len(part) for part in np.array_split(np.arange(n - 1), levels)]
    return np.r_[lead, np.repeat(crowd, counts)]


def test_a_leader_and_its_crowd(in_node: Any, rng: np.random.Generator) -> None:
    cases = rows(rng)
    for case, row in zip(cases, call(in_node, "leaderAndCrowd", cases), strict=True):
        counts = [int(level["count"]) for level in row]
        found = np.repeat([level["score"] for level in row], counts)
        # The scores are products of the same numbers in another order.
        np.testing.assert_allclose(found, written_out(*case), rtol=1e-14, atol=1e-14)


def test_cooling(in_node: Any, rng: np.random.Generator) -> None:
    cases = rows(rng)
    betas = np.exp(rng.uniform(np.log(0.1), np.log(30), len(cases)))
    levels = call(in_node, "leaderAndCrowd", cases)
    found = call(in_node, "cooled", list(zip(levels, betas.tolist(), strict=True)))
    for case, beta, got in zip(cases, betas, found, strict=True):
        x = written_out(*case)
        p = sharplib.softmax(beta * x)
        np.testing.assert_allclose(got["first"], p[0], rtol=RTOL)
        # An entropy near 0 is what is left of log n and a mean: an absolute floor of roundings.
        np.testing.assert_allclose(got["entropy"], cooling.entropy(x, beta), rtol=RTOL, atol=1e-14)
        fall = beta**2 * cooling.score_variance(x, beta)
        np.testing.assert_allclose(got["fall"], fall, rtol=1e-11, atol=1e-14)


def test_adaptive_temperature(in_node: Any, rng: np.random.Generator) -> None:
    cases = rows(rng)
    levels = call(in_node, "leaderAndCrowd", cases)
    plain = call(in_node, "cooled", [[row, 1.0] for row in levels])
    polynomial = list(PUBLISHED_COEFFICIENTS)
    betas = call(in_node, "adaptiveBeta", [[of["entropy"], polynomial, 0.5] for of in plain])
    found = call(in_node, "cooled", [list(pair) for pair in zip(levels, betas, strict=True)])
    assert 1 < max(betas) < 2.43
    for case, got in zip(cases, found, strict=True):
        expected = sharplib.adaptive_softmax(written_out(*case))[0]
        # The polynomial loses two digits among its terms, and beta stands in an exponent up to 60.
        np.testing.assert_allclose(got["first"], expected, rtol=1e-11)


def test_entropy_matching(in_node: Any, rng: np.random.Generator) -> None:
    cases = rows(rng)
    targets = rng.uniform(0.05, 3, len(cases)).tolist()
    levels = call(in_node, "leaderAndCrowd", cases)
    betas = call(in_node, "matchedBeta", [list(pair) for pair in zip(levels, targets, strict=True)])
    found = call(in_node, "cooled", [list(pair) for pair in zip(levels, betas, strict=True)])
    for case, target, beta, got in zip(cases, targets, betas, found, strict=True):
        x = written_out(*case)
        if beta > 1:
            np.testing.assert_allclose(got["entropy"], target, rtol=1e-13)
            assert cooling.entropy(x, 1.0) > target
        else:
            assert cooling.entropy(x, 1.0) <= target * (1 + 1e-13)
        expected = sharplib.entropy_matched_softmax(x, target)[0]
        np.testing.assert_allclose(got["first"], expected, rtol=1e-11)


def test_errors_of_circuits(in_node: Any, rng: np.random.Generator) -> None:
    weights = rng.uniform(0, 1, (500, 3)).round(rng.integers(0, 4))
    sizes = np.exp(rng.uniform(0, np.log(1e4), 500))
    found = call(in_node, "circuitError", [*zip(weights.tolist(), sizes.tolist(), strict=True)])
    expected = [float(circuit_error(*case)) for case in zip(weights, sizes, strict=True)]
    # A small error is what is left of a product near 1: an absolute floor of roundings.
    np.testing.assert_allclose(found, expected, rtol=RTOL, atol=1e-15)
