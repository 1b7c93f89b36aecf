"""How the page writes numbers and chooses the ticks of an axis."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1.00"),
        (-0.25, "−0.250"),
        (12.345, "12.3"),
        (99.96, "100"),
        (123.4, "123"),
        (1234567, "1.23 · 10⁶"),
        (999_999, "999,999"),
        (0.00123, "0.00123"),
        (0.00099999, "10⁻³"),
        (1e-7, "10⁻⁷"),
        (-2.5e-10, "−2.5 · 10⁻¹⁰"),
    ],
)
def test_three_digits(in_node: Any, value: float, text: str) -> None:
    assert in_node("kit", "(v) => number(v)", [[value]]) == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-5, "−5"), (0.1 + 0.2, "0.3"), (1000, "1,000"), (1e7, "10⁷"), (2e-5, "2 · 10⁻⁵")],
)
def test_ticks_need_few_digits(in_node: Any, value: float, text: str) -> None:
    assert in_node("kit", "(v) => short(v)", [[value]]) == [text]


def test_what_is_no_number_says_so(in_node: Any) -> None:
    told = in_node("kit", "(v) => number(eval(v))", [["NaN"], ["Infinity"], ["-Infinity"]])
    assert told == ["undefined", "∞", "−∞"]


def test_digits_say_the_number(in_node: Any, rng: np.random.Generator) -> None:
    values = (rng.choice([-1, 1], 500) * 10.0 ** rng.uniform(-12, 12, 500)).tolist()
    texts = in_node("kit", "(v) => number(v)", [[v] for v in values])
    for value, text in zip(values, texts, strict=True):
        raised = re.fullmatch(r"(?:(\S+) · )?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text)
        mantissa, power = raised.groups("1") if raised else (text.replace(",", ""), "⁰")
        read = float(mantissa.replace("−", "-")) * 10.0 ** int(power.translate(SUPERSCRIPTS))
        # Three digits: off by half a unit of the third, which is 1/200 of the value at most.
        assert read == pytest.approx(value, rel=0.005 * (1 + 1e-9)), text


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-5, 5), (0.13, 0.19), (1e-6, 3e-6), (-40, 7e4)])
def test_ticks_are_round_and_inside(in_node: Any, low: float, high: float) -> None:
    (found,) = in_node("kit", "(a, b) => ticks(a, b, 5)", [[low, high]])
    steps = np.diff(found)
    power = 10.0 ** math.floor(math.log10(steps[0] * (1 + 1e-9)))
    assert any(math.isclose(steps[0], k * power, rel_tol=1e-6) for k in (1, 2, 5))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert 3 <= len(found) <= 7
    assert low - 1e-9 * abs(low) <= found[0]
    assert found[-1] <= high * (1 + 1e-9)


@pytest.mark.parametrize(
    ("low", "high", "count", "wanted"),
    [(2, 1e7, 8, [10.0**k for k in range(1, 8)]), (1, 1e12, 5, [1.0, 1e3, 1e6, 1e9, 1e12])],
)
def test_powers_of_ten(
    in_node: Any, low: float, high: float, count: int, wanted: list[float]
) -> None:
    assert in_node("kit", "(a, b, c) => powers(a, b, c)", [[low, high, count]]) == [wanted]


@pytest.mark.parametrize("kind", ["linear", "logarithmic"])
def test_scales_meet_their_ends_and_go_back(in_node: Any, kind: str) -> None:
    body = f"""(a, b, c, d, v) => {{
        const scale = {kind}([a, b], [c, d]);
        return [scale(a), scale(b), scale.invert(scale(v))];
    }}"""
    (got,) = in_node("kit", body, [[0.5, 2000, 300, 20, 17.5]])
    # A few roundings of numbers below 2000.
    np.testing.assert_allclose(got, [300, 20, 17.5], rtol=1e-12)


def test_a_path_has_a_gap_where_there_is_no_value(in_node: Any) -> None:
    points = "[[0, 1], [1, NaN], [2, 3], [4, 5]]"
    assert in_node("kit", f"() => path({points})", [[]]) == ["M0.00,1.00M2.00,3.00L4.00,5.00"]
