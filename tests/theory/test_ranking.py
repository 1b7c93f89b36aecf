"""Ranking noise: every formula against simulated sets, every claim against what could break it.

The oracle draws whole sets of uniform priorities and answers them by the definition of the task.
"""

import math

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.stats
import sympy

from sharplib.theory import ranking
from sharplib.theory.ranking import (
    CROWDED,
    FEW_RIVALS,
    accuracy_with_head_starts,
    accuracy_with_item_noise,
    best_temperature,
    best_temperature_proof,
    crowded_accuracy,
    few_rivals,
    hard_maximum_is_best,
    head_starts,
    ideal_head,
    item_noise,
    ranking_over_heads,
    ranking_with_head_starts,
    ranking_with_item_noise,
    tie_law,
    top_weight,
)

N = 400
SETS = 4000
CLASSES = 10
# Accuracies are compared at 4.5 standard errors of a mean over SETS sets: one test in 100,000
# would fail by chance. The formulas hold for many items; N items differ by a few thousandths.
NOISE = 4.5 * 0.5 / math.sqrt(SETS) + 0.004


@pytest.fixture(scope="module")
def drawn():
    """Priorities (sets, items), the largest first; classes; and a normal number per item."""
    rng = np.random.default_rng(11)
    priority = -np.sort(-rng.random((SETS, N)), axis=1)
    kind = rng.integers(CLASSES, size=(SETS, N))
    return priority, kind, rng.standard_normal((SETS, N)), rng.standard_normal((SETS, CLASSES))


def answers(logits, kind, temperature):
    """Whether the class of most pooled weight is that of item 0."""
    if temperature == 0:
        return kind[np.arange(len(kind)), logits.argmax(1)] == kind[:, 0]
    weights = np.exp((logits - logits.max(1, keepdims=True)) / temperature)
    pooled = np.stack([np.where(kind == c, weights, 0).sum(1) for c in range(CLASSES)], 1)
    return pooled.argmax(1) == kind[:, 0]


def with_head_starts(drawn, head_start):
    priority, kind, _, shared = drawn
    return priority + head_start * np.take_along_axis(shared, kind, 1)


# --- The ideal head -------------------------------------------------------------------------------


def test_ideal_head_steps():
    moment, transform, weight, bound = (step.claim for step in ideal_head())
    n, theta = 3.0, 0.5
    values = {ranking.n: n, ranking.theta: theta}
    rivals = scipy.integrate.quad(lambda t: n * math.exp(-t / theta), 0, np.inf)[0]
    assert float(moment.rhs.subs(values)) == pytest.approx(rivals, rel=1e-9)
    # Campbell's formula, by depth and not by weight
    (k,) = transform.rhs.free_symbols - set(values)
    rivals = scipy.integrate.quad(lambda t: n * -np.expm1(-2 * math.exp(-t / theta)), 0, np.inf)[0]
    assert float(transform.rhs.subs(values).subs(k, 2.0)) == pytest.approx(-rivals, rel=1e-9)
    # the transform of S is the mean of e^(-kS): put in one value of S
    laplace = sympy.Function("L")
    fixed = weight.rhs.replace(laplace, lambda k: sympy.exp(-k * 4)).doit()
    assert sympy.simplify(fixed - sympy.Rational(1, 5)) == 0
    assert float(bound.lhs.subs(values)) <= float(top_weight(n, theta))


@pytest.mark.parametrize("crowd", [1e-6, 0.1, 1.0, 7.3, 100.0, 1e5])
def test_top_weight_against_mpmath(crowd):
    def integrand(k):
        ein = mpmath.euler + mpmath.log(k) + mpmath.e1(k) if k else 0
        return mpmath.exp(-k - crowd * ein)

    edges = [0, 1 / (1 + crowd), 10 / (1 + crowd), 1, 10, 60]
    exact = float(mpmath.quad(integrand, sorted({*edges})))
    assert top_weight(crowd, 1.0) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("heat", [0.5, 8.0])
def test_top_weight_of_simulated_sets(drawn, heat):
    priority = drawn[0]
    tops = 1 / np.exp((priority - priority[:, :1]) * N / heat).sum(1)
    assert top_weight(N, heat / N) == pytest.approx(tops.mean(), abs=NOISE)


def test_top_weight_limits():
    assert top_weight(100, 0.0) == pytest.approx(1, rel=1e-12)
    crowd = np.logspace(-3, 5, 50)
    top = top_weight(crowd, 1.0)
    assert (top >= 1 / (1 + crowd)).all()
    assert top[-1] * crowd[-1] == pytest.approx(1, rel=1e-4)  # the sum is n theta +- its root


def delayed(rate, classes):
    """Accuracy of the ideal head from the delay equation x F' = rate (F(x) - F(x - 1)) of Dickman.

    Unit interval by unit interval, on a grid that is finest where F rises from 0 like x^rate.
    """
    steps = np.linspace(0, 1, 4001) ** min(max(3, 3 / rate), 40)
    before = math.exp(-np.euler_gamma * rate) / math.gamma(1 + rate) * steps**rate
    total = 1 / classes + (1 - 1 / classes) * before[-1] ** classes
    start = before[-1]
    for m in range(1, 40):
        x = m + steps
        past = scipy.integrate.cumulative_trapezoid(x ** (-rate - 1) * before, x, initial=0)
        below = x**rate * (start * m**-rate - rate * past)
        slope = rate * (below - before)
        ties = scipy.integrate.trapezoid(below ** (classes - 2) * slope**2 / x, x)
        total += (classes - 1) / rate * ties
        before, start = below, below[-1]
    return total


# the error that the docstring allows; near 1 the density of a sum has a jump, which is blurred
@pytest.mark.parametrize("crowd", [0.1, 1.0, 4.0, 10.0, 20.0])
def test_ideal_head_against_dickmans_delay_equation(crowd):
    ours = accuracy_with_item_noise(crowd, 1.0, 0.0)
    assert ours == pytest.approx(delayed(crowd / CLASSES, CLASSES), abs=2e-3)


@pytest.mark.parametrize("crowd", [20.0, 60.0])
def test_ideal_head_depends_on_n_theta_alone(crowd):
    first = accuracy_with_item_noise(100, crowd / 100, 0.0)
    assert accuracy_with_item_noise(1e6, crowd / 1e6, 0.0) == pytest.approx(first, rel=1e-9)
    assert accuracy_with_head_starts(1e6, crowd / 1e6, 0.0) == pytest.approx(first, rel=1e-9)


# --- Head starts ----------------------------------------------------------------------------------


def test_head_starts_steps(rng, holds):
    n, h = 50.0, rng.normal(0, 0.01, 6)
    behind = np.maximum(h[None] - h[:, None], 0).mean(1)
    for a in behind:
        assert holds(
            head_starts()[0].claim.subs(sympy.Function("R")(sympy.Symbol("c", **_WHOLE)), 1),
            {"n": 0.0, "a": a},
        )
        chance = float(head_starts()[0].claim.rhs.subs({ranking.n: n, _positive("a"): a}))
        assert chance == pytest.approx(math.exp(-n * a), rel=1e-12)
    series = head_starts()[1].claim.rhs.removeO()
    assert series.subs({ranking.n: 0.01, _positive("a"): 0.5}) == pytest.approx(1 - 0.005)
    pairs = head_starts()[2].claim.rhs
    distance = np.abs(h[:, None] - h)[~np.eye(6, dtype=bool)].mean()
    assert float(pairs.subs({ranking.C: 6, _positive("D"): distance})) == pytest.approx(
        behind.mean(), rel=1e-12
    )


_WHOLE = {"integer": True, "positive": True}


def _positive(name):
    return sympy.Symbol(name, positive=True)


@pytest.mark.parametrize("gaps", [0.3, 3.0, 20.0])
def test_ranking_of_one_head(drawn, gaps):
    priority, kind, _, shared = drawn
    starts = gaps / N * shared[0]
    found = (priority + starts[kind]).argmax(1) == 0
    assert ranking_with_head_starts(N, starts) == pytest.approx(found.mean(), abs=NOISE)


def test_ranking_of_one_head_limits():
    starts = np.array([0.0, 1.0, 3.0, 3.0])
    assert ranking_with_head_starts(0, starts) == 1
    assert ranking_with_head_starts(1e6, starts) == pytest.approx(2 / 4)  # two favourites
    assert ranking_with_head_starts(5.0, np.full(4, 0.3)) == 1
    np.testing.assert_allclose(
        ranking_with_head_starts([1.0, 2.0], starts + 7), ranking_with_head_starts([1, 2], starts)
    )
    distance = np.abs(starts[:, None] - starts).sum() / 12
    small = 1 - ranking_with_head_starts(1e-7, starts)
    assert small / 1e-7 == pytest.approx(distance * 3 / 8, rel=1e-5)  # D (C - 1) / (2 C)


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("gaps", [0.1, 2.0, 50.0])
def test_ranking_over_heads_is_the_mean_over_heads(rng, classes, gaps):
    heads = rng.standard_normal((20_000, classes))
    found = ranking_with_head_starts(gaps, heads)
    error = found.std() / math.sqrt(len(found))
    assert ranking_over_heads(gaps, 1.0, classes) == pytest.approx(found.mean(), abs=4.5 * error)


@pytest.mark.parametrize("gaps", [1e-4, 1.0, 30.0, 1e4])
def test_ranking_over_heads_against_mpmath(gaps):
    a = mpmath.mpf(gaps) / CLASSES

    def integrand(u):
        below = mpmath.ncdf(u) + mpmath.exp(a * u + a * a / 2) * mpmath.ncdf(-u - a)
        return mpmath.npdf(u) * below ** (CLASSES - 1)

    with mpmath.workdps(30):
        exact = float(mpmath.quad(integrand, [-9, -4, -2, 0, 1, 2, 3, 4, 6, 9]))
    assert ranking_over_heads(gaps, 1.0) == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize("gaps", [0.5, 4.0])
@pytest.mark.parametrize("heat", [0.25, 1.0, 8.0])
def test_accuracy_with_head_starts_of_simulated_sets(drawn, gaps, heat):
    logits = with_head_starts(drawn, gaps / N)
    right = answers(logits, drawn[1], heat / N).mean()
    assert accuracy_with_head_starts(N, heat / N, gaps / N) == pytest.approx(right, abs=NOISE)


def test_accuracy_with_head_starts_goes_over_into_the_hard_maximum(drawn):
    right = answers(with_head_starts(drawn, 2 / N), drawn[1], 0).mean()
    assert accuracy_with_head_starts(N, 0.0, 2 / N) == pytest.approx(right, abs=NOISE)
    cold = accuracy_with_head_starts(N, 0.1 / N, 2 / N)
    assert cold == pytest.approx(accuracy_with_head_starts(N, 0.0, 2 / N), abs=2e-4)


@pytest.mark.parametrize("gaps", [0.25, 1.0, 4.0, 16.0])
def test_no_temperature_beats_the_hard_maximum_over_heads(gaps):
    best = ranking_over_heads(N, gaps / N)
    for heat in gaps * np.array([1 / 8, 1 / 4, 1 / 2, 1, 2, 8]):
        # the formula may err by 2e-4
        assert accuracy_with_head_starts(N, heat / N, gaps / N) <= best + 2e-4


LAWS = {
    "normal": scipy.stats.norm(),
    "logistic": scipy.stats.logistic(),
    "Laplace": scipy.stats.laplace(),
    "uniform": scipy.stats.uniform(-1, 2),
}


def probability_of_being_first(seen, law, rate):
    """For each class, how probably it holds the largest item, given where its top logit appears.

    By sums over a grid of depths and with no other argument: Bayes' rule, item by item.
    """
    t = np.linspace(0, 40, 20_001)
    f = np.exp(-rate * t) * law.pdf(t - seen[:, None])
    f /= f.sum(1, keepdims=True)
    deeper = 1 - np.cumsum(f, axis=1) + f / 2
    return np.array([(f[c] * np.delete(deeper, c, axis=0).prod(0)).sum() for c in range(len(seen))])


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("rate", [0.3, 3.0])
def test_the_class_that_appears_first_is_the_best_guess(rng, law, rate):
    for _ in range(20):
        depths, starts = rng.exponential(1 / rate, 5), law.rvs(5, random_state=rng)
        chances = probability_of_being_first(depths - starts, law, rate)
        assert chances.sum() == pytest.approx(1, abs=1e-3)  # depths within one step of each other
        order = np.argsort(depths - starts)
        assert (np.diff(chances[order]) <= 1e-9).all()


def test_the_theorem_needs_a_log_concave_density(rng):
    """Heavy tails: a class that appears far ahead is likely to owe it to its head start."""
    cauchy = scipy.stats.cauchy()
    chances = probability_of_being_first(np.array([-30.0, 0.0, 1.0]), cauchy, 1.0)
    assert chances.argmax() != 0


def test_the_theorem_is_about_averages_over_heads(drawn):
    """One head with one favourite far ahead: heating dilutes the favour, and wins a little."""
    priority, kind, _, _ = drawn
    logits = priority + 30 / N * (kind == 0)
    hard, warm = answers(logits, kind, 0), answers(logits, kind, 60 / N)
    expected = ranking_with_head_starts(N, 30 / N * np.eye(CLASSES)[0])
    assert hard.mean() == pytest.approx(expected, abs=NOISE)
    gain = warm.astype(float) - hard
    assert gain.mean() > 2 * gain.std() / math.sqrt(SETS)  # two points in a hundred are expected


def test_hard_maximum_steps(rng):
    posterior, slope, swap = (step.claim for step in hard_maximum_is_best())
    t, y, gap, rate, s = 0.7, 0.2, 0.4, 3.0, 0.5
    numbers = dict(zip(("t", "y_a", "g", "lambda", "s", "K"), (t, y, gap, rate, s, 0), strict=True))

    def at(expression, **changed):
        values = {**numbers, **changed}
        return float(expression.subs({x: values[x.name] for x in expression.free_symbols}))

    law = scipy.stats.norm(scale=s)
    expected = -rate * t + law.logpdf(t - y) + math.log(s * math.sqrt(2 * math.pi))
    assert at(posterior.rhs) == pytest.approx(expected, rel=1e-12)
    first = at(posterior.rhs), at(posterior.rhs, y_a=y + gap)
    later = at(posterior.rhs, t=t + 0.1), at(posterior.rhs, t=t + 0.1, y_a=y + gap)
    # the ratio is linear in t, so that a difference is its slope
    change = (later[0] - later[1] - first[0] + first[1]) / 0.1
    assert at(slope.rhs) == pytest.approx(change, rel=1e-9)
    f = sympy.Function("f_a"), sympy.Function("f_b")
    for _ in range(20):
        u = rng.exponential()
        put = swap
        for name, top in zip(f, (y, y + gap), strict=True):
            put = put.replace(name, lambda x, top=top: sympy.exp(-((x - top) ** 2) / (2 * s**2)))
        assert bool(put.subs({_positive("t"): t, _positive("u"): u}))


def test_hard_maximum_shows_where_a_density_fails():
    """The slope of Cauchy's ratio is negative near the centre and positive far out."""
    slope = hard_maximum_is_best(lambda h: -sympy.log(1 + h**2))[1].claim.rhs
    values = {_positive("y_a"): 0.1, _positive("g"): 0.2}
    assert slope.subs({**values, _positive("t"): 0.3}) < 0
    assert slope.subs({**values, _positive("t"): 9.0}) > 0


# --- The tie law ----------------------------------------------------------------------------------


def top_two(logits, kind):
    """Best and second best logit of each class."""
    own = np.where(kind[:, None] == np.arange(CLASSES)[:, None], logits[:, None], -np.inf)
    return np.partition(own, (-2, -1))[..., :-3:-1]


RULES = {
    "hard maximum": lambda x, kind: top_two(x, kind)[..., 0],
    "second of its class": lambda x, kind: top_two(x, kind)[..., 1],
    "mean of the top two": lambda x, kind: top_two(x, kind).mean(-1),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("noise", ["none", "items", "heads"])
def test_tie_law_holds_for_any_rule_that_moves_with_the_logits(drawn, rule, noise):
    priority, kind, own, _ = drawn
    logits = {
        "none": priority,
        "items": priority + 2 / N * own,
        "heads": with_head_starts(drawn, 2 / N),
    }[noise]
    scores = rule(logits, kind)
    accuracy = (scores.argmax(1) == kind[:, 0]).mean()
    best, second = -np.sort(-scores, axis=1)[:, :2].T
    # The density of leads at 0 times the mean gap 1/N, from the leads in two narrow bins: the line
    # through their two heights.
    width = 0.2
    near, far = (((best - second) * N // width == k).mean() / width for k in range(2))
    density = 1.5 * near - 0.5 * far
    error = math.sqrt((1.5**2 * near + 0.5**2 * far) / (width * SETS))
    assert accuracy == pytest.approx(1 / CLASSES + density, abs=4.5 * error)


def test_tie_law_steps():
    """Each side for a distribution that a quadrature can take: the logistic one."""
    answer, guessed, parts, lead = (step.claim for step in tie_law())
    x, n, classes = sympy.Symbol("x", real=True), 12, 3
    put = {ranking.n: n, ranking.C: classes}
    F, logistic = sympy.Function("F"), 1 / (1 + sympy.exp(-x))

    def value(claim):
        """The right side, with its integral worked out."""
        (integral,) = claim.rhs.atoms(sympy.Integral)
        inside = integral.function.subs(put).replace(F, lambda _: logistic).doit()
        whole = scipy.integrate.quad(sympy.lambdify(x, inside), -40, 40)[0]
        return float(claim.rhs.subs(integral, whole).subs(put))

    assert value(guessed) == pytest.approx(value(parts), rel=1e-9)
    # the density of the lead at 0: two of three are best and equal, the third is below
    pdf, cdf = scipy.stats.logistic.pdf, scipy.stats.logistic.cdf
    tied = scipy.integrate.quad(lambda s: 6 * pdf(s) ** 2 * cdf(s), -40, 40)[0]
    expected = lead.rhs.subs(put).subs(sympy.Function("lead")(0), tied)
    assert value(parts) == pytest.approx(float(expected), rel=1e-9)
    # the top logits of an ideal head: F = e^(nx/C) below 0, where G is 0
    top = sympy.exp(sympy.Rational(n, classes) * x)
    assert sympy.simplify(answer.rhs.subs(put).replace(F, lambda _: top).doit()) == 0


def test_tie_law_says_that_an_ideal_hard_maximum_is_always_right():
    """The two best of C exponential depths of rate n/C are apart by one of rate n(C-1)/C."""
    density = 50 * (CLASSES - 1) / CLASSES
    assert 1 / CLASSES + density / 50 == pytest.approx(1)
    assert accuracy_with_item_noise(50, 0.0, 0.0) == pytest.approx(1)
    assert accuracy_with_head_starts(50, 0.0, 0.0) == pytest.approx(1)


# --- Item noise -----------------------------------------------------------------------------------


def test_item_noise_steps():
    psi, ranked, little = (step.claim for step in item_noise())
    (x,) = psi.rhs.free_symbols
    for at in (-3.0, 0.0, 0.5, 4.0):
        rivals = scipy.integrate.quad(scipy.stats.norm.sf, at, at + 30)[0]
        # SymPy writes a term as x times 1 / x
        assert float(psi.rhs.subs(x, at if at else 1e-9)) == pytest.approx(rivals, rel=1e-6)
    slope = -sympy.diff(little.rhs.removeO(), ranking.n).subs(ranking.sigma, 1)
    assert float(slope) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-12)
    assert ranked.rhs.free_symbols == {ranking.n, ranking.sigma}


@pytest.mark.parametrize("crowd", [1e-6, 0.3, 10.0, 1e4, 1e8])
def test_ranking_with_item_noise_against_mpmath(crowd):
    def integrand(x):
        return mpmath.npdf(x) * mpmath.exp(-crowd * (mpmath.npdf(x) - x * mpmath.ncdf(-x)))

    exact = float(mpmath.quad(integrand, [-9, -4, -2, *range(10)]))
    assert ranking_with_item_noise(crowd, 1.0) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("gaps", [0.3, 3.0, 20.0])
def test_ranking_with_item_noise_of_simulated_sets(drawn, gaps):
    priority, _, own, _ = drawn
    found = (priority + gaps / N * own).argmax(1) == 0
    assert ranking_with_item_noise(N, gaps / N) == pytest.approx(found.mean(), abs=NOISE)


def test_ranking_with_item_noise_limits():
    assert ranking_with_item_noise(N, 0.0) == pytest.approx(1, rel=1e-12)
    small = 1 - ranking_with_item_noise(1e-6, 1.0)
    assert small / 1e-6 == pytest.approx(1 / math.sqrt(math.pi), rel=1e-5)
    crowd = 1e12
    slow = math.sqrt(2 * math.log(crowd)) / crowd
    assert ranking_with_item_noise(crowd, 1.0) == pytest.approx(slow, rel=0.1)  # log log terms


@pytest.mark.parametrize("gaps", [0.5, 4.0])
@pytest.mark.parametrize("ratio", [0.0, 0.25, 1.0, 4.0])
def test_accuracy_with_item_noise_of_simulated_sets(drawn, gaps, ratio):
    priority, kind, own, _ = drawn
    right = answers(priority + gaps / N * own, kind, ratio * gaps / N).mean()
    expected = accuracy_with_item_noise(N, ratio * gaps / N, gaps / N)
    assert expected == pytest.approx(right, abs=NOISE)


def test_accuracy_with_item_noise_goes_over_into_the_hard_maximum():
    cold, hard = (accuracy_with_item_noise(N, t / N, 1 / N) for t in (1 / 10, 0))
    assert hard < cold < hard + 1e-3


# --- The best temperature -------------------------------------------------------------------------


def test_best_temperature_steps():
    added, variance, signal, bound, _, best = (step.claim for step in best_temperature_proof())
    b, sd, n, classes = 0.6, 0.3, 100.0, 5.0
    put = {ranking.n: n, ranking.sigma: sd, ranking.C: classes, _positive("b"): b}
    mean = scipy.integrate.quad(lambda x: scipy.stats.norm.pdf(x) * math.exp(b * x), -9, 12)[0]
    assert float(added.rhs.subs(put)) == pytest.approx(mean, rel=1e-9)
    square = scipy.integrate.quad(lambda y: scipy.stats.norm.cdf(y) * np.exp(-2 * b * y), -12, 40)
    assert float(variance.rhs.subs(put)) == pytest.approx(n * sd / classes * square[0], rel=1e-8)
    assert float(signal.rhs.subs(put)) == pytest.approx(
        mean**2 / float(variance.rhs.subs(put)), rel=1e-9
    )
    assert float(best.rhs.subs(put)) == pytest.approx(CROWDED * sd, rel=1e-12)
    hazard = scipy.integrate.quad(
        lambda x: scipy.stats.norm.pdf(x) ** 2 / scipy.stats.norm.cdf(x), -30, 12
    )[0]
    limit = bound.rhs.subs(put).replace(lambda e: isinstance(e, sympy.Integral), lambda _: hazard)
    at_best = float(signal.rhs.subs({**put, _positive("b"): 1 / CROWDED}))
    # "97 %": the accuracy above chance is in proportion to the root of the signal
    assert math.sqrt(at_best / float(limit)) == pytest.approx(0.9745, abs=1e-4)


@pytest.mark.parametrize("ratio", [1.0, CROWDED, 2.0])
def test_crowded_accuracy_is_the_limit(ratio):
    distance = [
        abs(
            (accuracy_with_item_noise(n, ratio, 1.0) - 0.1)
            / (crowded_accuracy(n, ratio, 1.0) - 0.1)
            - 1
        )
        for n in (10.0, 60.0, 400.0)
    ]
    assert distance == sorted(distance, reverse=True)
    assert distance[-1] < 0.05


def test_crowded_accuracy_has_the_mean_of_the_largest_normal(rng):
    for classes in (2, 10, 50):
        largest = rng.standard_normal((100_000, classes)).max(1).mean()
        excess = crowded_accuracy(2.0, 1.0, 0.0, classes) - 1 / classes
        assert excess * math.sqrt(classes) == pytest.approx(largest, abs=0.015)


def test_few_rivals_is_the_slope_of_what_three_items_are_worth():
    """The gain of believing two against one, by a double integral over where they may be."""

    def gain(ratio):
        top = tail * (scipy.stats.norm.pdf(u) * 0.1) @ tail.T
        # softened over one cell, so that the sum is smooth in the ratio
        doubt = np.exp(-z / ratio)[:, None] + np.exp(-z / ratio) - 1
        believed = 1 / (1 + np.exp(-doubt / 0.01))
        return (believed * (1 - 2 * top)).sum() * 0.03**2

    z, u = np.arange(0.015, 9, 0.03), np.arange(-9, 9, 0.1)
    tail = scipy.stats.norm.sf(u - z[:, None])
    best = scipy.optimize.minimize_scalar(lambda r: -gain(r), bounds=(0.4, 1.5)).x
    assert best == pytest.approx(FEW_RIVALS, abs=0.005)  # cells of 0.03
    root = scipy.optimize.brentq(few_rivals, 0.5, 1.2, xtol=1e-9)
    assert root == pytest.approx(FEW_RIVALS, abs=1e-6)


@pytest.mark.parametrize("gaps", [0.06, 1.0, 16.0, 300.0])
def test_best_temperature_is_a_maximum(gaps):
    best = best_temperature(N, gaps / N)
    # a parabola through points 15 % to either side puts its top close to the maximum
    ratios = np.array([0.85, 1.0, 1.15])
    a, b, _ = np.polyfit(
        np.log(ratios), [accuracy_with_item_noise(N, best * r, gaps / N) for r in ratios], 2
    )
    assert a < 0
    assert -b / (2 * a) == pytest.approx(0, abs=0.02)


def test_best_temperature_follows_the_noise_and_not_n():
    assert best_temperature(1e6, 0.0) == 0
    assert best_temperature(N, 1e-4 / N) * N == pytest.approx(FEW_RIVALS * 1e-4)
    assert best_temperature(N, 0.0501 / N) / 0.0501 * N == pytest.approx(FEW_RIVALS, rel=0.02)
    ratios = [best_temperature(n, 0.001) / 0.001 for n in (100, 2_000, 40_000, 400_000)]
    assert min(ratios) > 0.75
    assert max(ratios) < 1.52


def test_best_temperature_beats_others_on_the_same_sets(drawn):
    priority, kind, own, _ = drawn
    gaps = 16.0
    logits = priority + gaps / N * own
    best = best_temperature(N, gaps / N)
    right = answers(logits, kind, best).astype(float)
    for other in (0.0, best / 4, 4 * best):
        gain = right - answers(logits, kind, other)
        assert gain.mean() > 2.5 * gain.std() / math.sqrt(SETS)


# --- Arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: top_weight(-1, 1.0), r"n must be finite and >= 0, got -1"),
        (lambda: top_weight(1, -1.0), r"temperature must be finite and >= 0, got -1"),
        (lambda: ranking_over_heads(1, -1.0), r"head_start must be finite and >= 0, got -1"),
        (lambda: ranking_over_heads(1, 1.0, 1), r"classes must be a whole number >= 2, got 1"),
        (lambda: ranking_with_item_noise(1, np.nan), "noise must be finite and >= 0, got nan"),
        (lambda: ranking_with_head_starts(1, 1.0), r"an entry for each class, got shape \(\)"),
        (lambda: crowded_accuracy(1, 0.0), r"temperature must be finite and > 0, got 0"),
        (lambda: best_temperature(0, 1.0), r"n must be finite and > 0, got 0"),
        (lambda: accuracy_with_item_noise(0, 1.0, 1.0), r"n must be finite and > 0, got 0"),
        (
            lambda: accuracy_with_item_noise(1, 0.01, 1.0),
            r"temperature must be 0 or at least noise / 32, got 0\.01",
        ),
        (
            lambda: accuracy_with_head_starts(1, 0.01, 1.0),
            r"temperature must be 0 or at least head_start / 32, got 0\.01",
        ),
        (lambda: accuracy_with_head_starts(1, 1.0, 1.0, True), "classes must be a whole number"),
        (
            lambda: accuracy_with_item_noise(2000, 0.6, 1.0),
            r"temperature must be at most 100 classes / n, got 0\.6 at n = 2000",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_arguments_broadcast():
    n, length = np.array([[10.0], [1000.0]]), np.array([0.0, 0.01, 0.1])
    for function in (top_weight, ranking_over_heads, ranking_with_item_noise):
        together = function(n, length)
        assert together.shape == (2, 3)
        assert together[1, 2] == pytest.approx(float(function(1000.0, 0.1)), rel=1e-12)
    heads = np.array([[0.0, 0.1], [0.0, 0.2], [0.1, 0.0]])
    assert ranking_with_head_starts(n, heads).shape == (2, 3)
