"""Ways to turn scores into weights, and the catalogue that says what each one promises.

A mapping is a function ``f(x, <its own parameters>, axis=-1)``. `CATALOGUE` names them all, with
their source and the properties that the tests hold them to.
"""

from sharplib.mappings._catalogue import Mapping, Properties, catalogue
from sharplib.mappings.adaptive_softmax import PUBLISHED_COEFFICIENTS, adaptive_softmax
from sharplib.mappings.asentmax import asentmax
from sharplib.mappings.budget import budget
from sharplib.mappings.entmax import entmax
from sharplib.mappings.entmax15 import entmax15
from sharplib.mappings.entropy_matched_softmax import entropy_matched_softmax
from sharplib.mappings.ev_softmax import ev_softmax
from sharplib.mappings.gumbel_softmax import gumbel_softmax
from sharplib.mappings.logn_softmax import logn_softmax
from sharplib.mappings.multimax import multimax
from sharplib.mappings.normmax import normmax
from sharplib.mappings.periodic import (
    cos_max,
    shifted_sin2_max,
    sin2_max,
    sin_max,
    sin_softmax,
    siren_max,
)
from sharplib.mappings.periodic_normalisation import prenormalise
from sharplib.mappings.plsoftmax import plsoftmax, plsoftmax_inverse
from sharplib.mappings.power_softmax import power_softmax
from sharplib.mappings.relu_weights import relu_weights
from sharplib.mappings.rsoftmax import rsoftmax
from sharplib.mappings.sigmoid_weights import sigmoid_weights
from sharplib.mappings.sink_softmax import sink_softmax
from sharplib.mappings.softmax import log_softmax, softmax
from sharplib.mappings.softmax_off_by_one import softmax_off_by_one
from sharplib.mappings.softpick import softpick
from sharplib.mappings.sparsegen import sparsegen
from sharplib.mappings.sparsehourglass import sparsehourglass
from sharplib.mappings.sparsemax import sparsemax
from sharplib.mappings.ssmax import ssmax
from sharplib.mappings.stick_breaking import stick_breaking
from sharplib.mappings.stieltjes import stieltjes
from sharplib.mappings.topk_softmax import topk_softmax
from sharplib.mappings.tsoftmax import tsoftmax
from sharplib.mappings.yarn_softmax import yarn_softmax

__all__ = [
    "CATALOGUE",
    "PUBLISHED_COEFFICIENTS",
    "Mapping",
    "Properties",
    "adaptive_softmax",
    "asentmax",
    "budget",
    "cos_max",
    "entmax",
    "entmax15",
    "entropy_matched_softmax",
    "ev_softmax",
    "gumbel_softmax",
    "log_softmax",
    "logn_softmax",
    "multimax",
    "normmax",
    "plsoftmax",
    "plsoftmax_inverse",
    "power_softmax",
    "prenormalise",
    "relu_weights",
    "rsoftmax",
    "shifted_sin2_max",
    "sigmoid_weights",
    "sin2_max",
    "sin_max",
    "sin_softmax",
    "sink_softmax",
    "siren_max",
    "softmax",
    "softmax_off_by_one",
    "softpick",
    "sparsegen",
    "sparsehourglass",
    "sparsemax",
    "ssmax",
    "stick_breaking",
    "stieltjes",
    "topk_softmax",
    "tsoftmax",
    "yarn_softmax",
]

#: Every mapping: name -> function, paper, properties. Immutable.
CATALOGUE = catalogue(
    Mapping(
        softmax,
        settings={},
        paper="any textbook",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=0.5,
            growth="disperses",
        ),
        formula=r"p_k = \frac{e^{x_k}}{\sum_j e^{x_j}}",
        use=(
            "Gradients must reach every item, rows are short, or mixing many items is the point. "
            "The baseline."
        ),
        avoid=(
            "One item must stand out of very many: with scores in a fixed range its weight falls "
            "like 1/n."
        ),
    ),
    Mapping(
        adaptive_softmax,
        settings={},
        paper="arXiv 2410.01104, section 5",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=None,
            growth="disperses",
        ),
        formula=(
            r"p = \mathrm{softmax}(\beta x), \quad \beta = \max(P(H), 1) \text{ if } H > 0.5, "
            r"\text{ else } 1"
        ),
        use=(
            "A softmax is trained already, and few items per row compete: it sharpens them "
            "without retraining."
        ),
        avoid="Rows spread over more than about 382 items: there it is softmax again.",
    ),
    Mapping(
        entropy_matched_softmax,
        settings={"target": 0.5},
        paper="this course",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="strict",
            sparse=False,
            continuous=False,
            lipschitz=float("inf"),
            growth="keeps",
        ),
        formula=(
            r"p = \mathrm{softmax}(\beta x), \quad \beta = \min\{\beta \ge 1 : "
            r"H(\mathrm{softmax}(\beta x)) \le h\}"
        ),
        use="Every row must be as sharp as you say, at any n, and no item is to weigh exactly 0.",
        avoid=(
            "Ties at the top are common: there it jumps. It sharpens a wrong leader as readily as "
            "a right one."
        ),
    ),
    Mapping(
        sparsemax,
        settings={},
        paper="arXiv 1602.02068",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=1.0,
            growth="keeps",
        ),
        formula=r"p = \arg\min_{p \in \Delta} \lVert p - x \rVert^2",
        use=(
            "You want exact zeros and few items per row: the simplest sparse map, with no "
            "parameter."
        ),
        avoid=(
            "Items far below the top must still learn: 1 below it they have weight 0 and gradient "
            "0."
        ),
    ),
    Mapping(
        plsoftmax,
        settings={"delta": 1.0},
        paper="arXiv 2010.11450",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=2 / 3**0.5,
            growth="keeps",
        ),
        formula=(
            r"p_i = \frac{1}{\delta} \int_0^\delta \frac{[x_i \ge x_{(1)} - t]}{\#\{j : x_j \ge "
            r"x_{(1)} - t\}} \, dt"
        ),
        use=(
            "Nothing further than delta below the top may be chosen, and little weight is to move "
            "even if all scores do."
        ),
        avoid=(
            "You want a loss to go with it: it is the gradient of no function. Items delta below "
            "the top learn nothing."
        ),
    ),
    Mapping(
        tsoftmax,
        settings={"t": 1.0},
        paper="arXiv 2304.05243",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=None,
            growth="keeps",
        ),
        formula=(
            r"p_i = \frac{w_i e^{x_i}}{\sum_j w_j e^{x_j}}, \quad w_i = [x_i - \max_j x_j + t]_+"
        ),
        use=(
            "You want softmax near the top, and exact zeros beyond a distance t that you choose "
            "or learn."
        ),
        avoid="Many items come within t of the top: their weights still fall like 1/n.",
    ),
    Mapping(
        rsoftmax,
        settings={"rate": 0.5},
        paper="arXiv 2304.05243",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=False,
            lipschitz=float("inf"),
            growth="keeps",
        ),
        formula=r"p_i = \frac{w_i e^{x_i}}{\sum_j w_j e^{x_j}}, \quad w_i = [x_i - q_r(x)]_+",
        use=(
            "You must know beforehand what share of each row is zero: the rate says so, whatever "
            "the scores."
        ),
        avoid=(
            "n grows at a fixed rate: a fixed share of the items stays, at about 1/n each. It "
            "jumps where more share the top than are kept."
        ),
    ),
    Mapping(
        power_softmax,
        settings={"alpha": 2.0},
        paper="arXiv 2010.11450",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="weak",
            sparse=True,
            continuous=False,
            lipschitz=float("inf"),
            growth="disperses",
        ),
        formula=r"p_k = \frac{\max(x_k, 0)^\alpha}{\sum_j \max(x_j, 0)^\alpha}",
        use=(
            "Scores have a meaningful zero, as counts or utilities have, and their ratios should "
            "decide."
        ),
        avoid=(
            "Scores may be shifted or negative: at 0 and below there is no weight, and close "
            "above it no bounded slope."
        ),
    ),
    Mapping(
        ssmax,
        settings={"s": 0.43},
        paper="arXiv 2501.19399",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=None,
            growth="keeps",
        ),
        formula=r"p_k = \frac{n^{s x_k}}{\sum_j n^{s x_j}}",
        use=(
            "You train with it, no item is to weigh exactly 0, and later rows are longer than "
            "those of training."
        ),
        avoid="The leader is less than 1/s ahead of the crowd: then it disperses too.",
    ),
    Mapping(
        logn_softmax,
        settings={"train_length": 64},
        paper="arXiv 2202.12172",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=None,
            growth="keeps",
        ),
        formula=r"p = \mathrm{softmax}\Bigl(\max\Bigl(\frac{\log n}{\log m}, 1\Bigr)\, x\Bigr)",
        use=(
            "A softmax is trained already, and rows get longer than those of its training: there "
            "is nothing to learn."
        ),
        avoid=(
            "Leads are below log(train_length): they fade all the same. Shorter rows are left as "
            "they are."
        ),
    ),
    Mapping(
        yarn_softmax,
        settings={"train_length": 64},
        paper="arXiv 2309.00071",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=None,
            growth="keeps",
        ),
        formula=r"p = \mathrm{softmax}\bigl((0.1 \log \max(n/m, 1) + 1)^2\, x\bigr)",
        use=(
            "A model with YaRN's rotary frequencies reads rows longer than those of training: "
            "this is their temperature."
        ),
        avoid=(
            "You want sharpness soon: ten times the training length gives a factor of 1.51, no "
            "more."
        ),
    ),
    Mapping(
        multimax,
        settings={"thresholds": (-0.5, 0.5), "coefficients": (-1.0, -0.5)},
        paper="arXiv 2406.01189",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=1.0,
            growth="disperses",
        ),
        formula=(
            r"p = \mathrm{softmax}(\sigma(x)), \quad \sigma(x) = x + c_0 [r_0 - x]_+ + c_1 [x - "
            r"r_1]_+"
        ),
        use=(
            "Several items matter at once: it damps low scores and evens out high ones, by bends "
            "that can be learned."
        ),
        avoid=(
            "One item must win among many: high scores are drawn together. Or scores drift: the "
            "thresholds stand still."
        ),
    ),
    Mapping(
        softmax_off_by_one,
        settings={},
        paper="Evan Miller's blog",
        properties=Properties(
            sums_to=None,
            shift_invariant=False,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=0.5,
            growth="disperses",
        ),
        formula=r"p_k = \frac{e^{x_k}}{1 + \sum_j e^{x_j}}",
        use=(
            "A head should be able to look at nothing, and training can place the scores: it adds "
            "no parameter."
        ),
        avoid=(
            "Scores have no natural zero, or weights must add up to 1. It disperses like softmax."
        ),
    ),
    Mapping(
        sink_softmax,
        settings={"sink": -1.0},
        paper="gpt-oss",
        properties=Properties(
            sums_to=None,
            shift_invariant=False,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=0.5,
            growth="disperses",
        ),
        formula=r"p_k = \frac{e^{x_k}}{e^s + \sum_j e^{x_j}}",
        use=(
            "A head should be able to look at nothing and to learn when: the sink is a score that "
            "each head can set."
        ),
        avoid=(
            "Weights must add up to 1, or stay sharp: they fall like those of softmax as n grows."
        ),
    ),
    Mapping(
        softpick,
        settings={},
        paper="arXiv 2504.20966",
        properties=Properties(
            sums_to=None,
            shift_invariant=False,
            order="weak",
            sparse=True,
            continuous=False,
            lipschitz=float("inf"),
            growth="disperses",
        ),
        formula=r"p_k = \frac{[e^{x_k} - 1]_+}{\sum_j \lvert e^{x_j} - 1 \rvert}",
        use=(
            "You train from scratch and want exact zeros together with rows that may add up to "
            "less than 1."
        ),
        avoid=(
            "All scores lie near 0, where it is steep. Or most lie below: each of those takes "
            "from the sum, unseen."
        ),
    ),
    Mapping(
        relu_weights,
        settings={},
        paper="arXiv 2309.08586",
        properties=Properties(
            sums_to=None,
            shift_invariant=False,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=None,
            growth="disperses",
        ),
        formula=r"p_k = \frac{[x_k]_+}{n}",
        use=(
            "Items should not compete, and each counts for itself: the plainest map, with exact "
            "zeros."
        ),
        avoid=(
            "One item must stand out: every weight falls like 1/n, whatever the other scores are."
        ),
    ),
    Mapping(
        entmax,
        settings={"alpha": 1.75},
        paper="arXiv 1905.05702",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=1.0,
            growth="keeps",
        ),
        formula=(
            r"p_i = \max((\alpha - 1) x_i - \tau, 0)^{1/(\alpha - 1)}, \quad \textstyle\sum_i p_i "
            r"= 1"
        ),
        use=(
            "You want to tune, or learn for each head, how sparse weights are: alpha 1 is "
            "softmax, 2 is sparsemax."
        ),
        avoid=(
            "alpha is 1.5 or 2 for good: entmax15 and sparsemax take less work. Above 2 weights "
            "enter with a vertical slope."
        ),
    ),
    Mapping(
        entmax15,
        settings={},
        paper="arXiv 1905.05702",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=1.0,
            growth="keeps",
        ),
        formula=r"p_i = \max(x_i/2 - \tau, 0)^2, \quad \textstyle\sum_i p_i = 1",
        use=(
            "You want exact zeros and a smooth way into them: between softmax and sparsemax, a "
            "good first sparse map."
        ),
        avoid=(
            "Gradients must reach every item: 2 below the top an item has weight 0 and gradient 0."
        ),
    ),
    Mapping(
        asentmax,
        settings={"beta": 0.5, "gamma": 1.0},
        paper="arXiv 2506.16640",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=None,
            growth="keeps",
        ),
        formula=r"p = \alpha\text{-entmax}\bigl((\delta + \beta (\log n)^\gamma)\, x\bigr)",
        use=(
            "Exact zeros in rows much longer than those you train on, with a scale that each head "
            "can learn."
        ),
        avoid="Row lengths hardly vary, or beta and gamma cannot be learned: entmax15 is simpler.",
    ),
    Mapping(
        normmax,
        settings={},
        paper="the package entmax 1.3",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=float("inf"),
            growth="keeps",
        ),
        formula=r"p = \arg\max_{p \in \Delta} \langle p, x \rangle - \lVert p \rVert_\alpha",
        use=(
            "You want a few items with similar shares: the larger alpha, the more it picks a set "
            "and not a ranking."
        ),
        avoid=(
            "Rows are long and training is delicate: the slope grows with the number of items "
            "kept, without a bound."
        ),
    ),
    Mapping(
        budget,
        settings={"k": 2.0},
        paper="the package entmax 1.3",
        properties=Properties(
            sums_to=2.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=1.0,
            growth="keeps",
        ),
        formula=r"p_i = \min(\max(x_i - \tau, 0), 1), \quad \textstyle\sum_i p_i = k",
        use=(
            "You select about k items and want a gradient: each weight is at most 1, and they add "
            "up to k."
        ),
        avoid=(
            "You need an average, whose weights add up to 1, or never more than k items: then "
            "take topk_softmax."
        ),
    ),
    Mapping(
        topk_softmax,
        settings={"k": 3},
        paper="any textbook",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=False,
            lipschitz=float("inf"),
            growth="keeps",
            equivariant=False,  # of several items that tie for the last place, the first are kept
        ),
        formula=(
            r"p_i = \frac{e^{x_i} [i \in K]}{\sum_{j \in K} e^{x_j}}, \quad K = \text{the } k "
            r"\text{ largest}"
        ),
        use=(
            "You pay for each item kept and know how many you can afford; the top weighs at least "
            "1/k."
        ),
        avoid=(
            "Training must find items outside the first k: they get no gradient, and the map "
            "jumps as ranks swap."
        ),
    ),
    Mapping(
        ev_softmax,
        settings={},
        paper="arXiv 2110.14182",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=False,
            lipschitz=float("inf"),
            growth="keeps",
        ),
        formula=r"p_i = \frac{e^{x_i} [x_i \ge \bar x]}{\sum_j e^{x_j} [x_j \ge \bar x]}",
        use=(
            "A trained latent choice has too many options: it drops those below the mean, and "
            "needs no parameter."
        ),
        avoid=(
            "Scores are noisy near their mean, where it jumps. Or n grows: all items above the "
            "mean stay."
        ),
    ),
    Mapping(
        sparsegen,
        settings={"lam": 0.5},
        paper="Laha et al., NeurIPS 2018",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=2.0,
            growth="keeps",
        ),
        formula=r"p = \mathrm{sparsemax}\!\left(\frac{x}{1 - \lambda}\right)",
        use=(
            "You want sparsemax with a dial: lam towards 1 for fewer items, below 0 for more; "
            "rows may have their own."
        ),
        avoid=(
            "You have a temperature already: this is sparsemax at the temperature 1 - lam, and "
            "nothing else."
        ),
    ),
    Mapping(
        sparsehourglass,
        settings={"q": 0.5},
        paper="Laha et al., NeurIPS 2018",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="weak",
            sparse=True,
            continuous=True,
            lipschitz=None,
            growth="keeps",
        ),
        formula=(
            r"p = \mathrm{sparsemax}(s x), \quad s = \frac{1 + n q}{\lvert\sum_i x_i\rvert + n q}"
        ),
        use=(
            "Scores are positive, in unknown units, and ratios matter: a small q nearly ignores "
            "their scale."
        ),
        avoid="Scores have no natural zero: a constant added to all of them changes the weights.",
    ),
    Mapping(
        sigmoid_weights,
        settings={},
        paper="arXiv 2409.04431",
        properties=Properties(
            sums_to=None,
            shift_invariant=False,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=0.25,
            growth="disperses",
        ),
        formula=r"p_k = \frac{1}{1 + e^{-(x_k + b)}}, \quad b = -\log n",
        use=(
            "Items should not compete: each is in or out by its own score, and a row may add up "
            "to little or much."
        ),
        avoid=(
            "You need an average: the sum is not fixed. With the default bias a fixed score fades "
            "like 1/n."
        ),
    ),
    Mapping(
        stick_breaking,
        settings={},
        paper="arXiv 2410.17980",
        properties=Properties(
            sums_to=None,
            shift_invariant=False,
            order="none",
            sparse=False,
            continuous=True,
            lipschitz=None,
            growth="disperses",
            equivariant=False,
        ),
        formula=(
            r"p_k = \beta_k \prod_{j > k} (1 - \beta_j), \quad \beta_k = \frac{1}{1 + e^{-x_k}}"
        ),
        use=(
            "Items come in time and recent ones choose first: their order matters, with no "
            "positional encoding."
        ),
        avoid=(
            "The items are a set. Or the right one may lie far back: each item after it takes a "
            "share of what is left."
        ),
    ),
    Mapping(
        stieltjes,
        settings={"q": 4.0},
        paper="public code",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=True,
            order="strict",
            sparse=False,
            continuous=True,
            lipschitz=4.0 * 2**-1.25,
            growth="disperses",
        ),
        formula=r"p_k = \frac{1}{(\lambda - x_k)^q}, \quad \textstyle\sum_k p_k = 1",
        use=(
            "Items far below the top should keep a gradient: weights fall like a power of the "
            "distance."
        ),
        avoid=(
            "Rows are very long: the heavy tail feeds the crowd, and in the end a lead is worth "
            "less than under softmax."
        ),
    ),
    Mapping(
        sin_max,
        settings={"offset": 1.0, "frequency": 10.0},
        paper="arXiv 2108.07153",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="none",
            sparse=False,
            continuous=False,
            lipschitz=float("inf"),
            growth="disperses",
            at_infinity="nan",
        ),
        formula=r"p_k = \frac{g(x_k)}{\sum_j g(x_j)}, \quad g(x) = c + \sin \omega x",
        use="You study attention whose gradient does not fade as scores grow.",
        avoid="The largest score should win: order is lost from one period to the next.",
    ),
    Mapping(
        cos_max,
        settings={},
        paper="arXiv 2108.07153",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="none",
            sparse=False,
            continuous=False,
            lipschitz=float("inf"),
            growth="disperses",
            signed=True,
            at_infinity="nan",
        ),
        formula=r"p_k = \frac{\cos x_k}{\sum_j \cos x_j}",
        use="You want to see what goes wrong when weights may be negative.",
        avoid=(
            "Weights must be shares: beyond one half of pi they are negative, and where cosines "
            "cancel they have no bound."
        ),
    ),
    Mapping(
        sin2_max,
        settings={},
        paper="arXiv 2108.07153",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="none",
            sparse=True,
            continuous=False,
            lipschitz=float("inf"),
            growth="disperses",
            at_infinity="nan",
        ),
        formula=r"p_k = \frac{\sin^2 x_k}{\sum_j \sin^2 x_j}",
        use="You want to see why a periodic map must not start at its zero.",
        avoid="Training starts from scores near 0, where it jumps.",
    ),
    Mapping(
        shifted_sin2_max,
        settings={},
        paper="arXiv 2108.07153",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="none",
            sparse=False,
            continuous=False,
            lipschitz=float("inf"),
            growth="disperses",
            at_infinity="nan",
        ),
        formula=r"p_k = \frac{g(x_k)}{\sum_j g(x_j)}, \quad g(x) = \sin^2(x + \pi/4)",
        use="You study periodic maps and want the one with a lively start that stays bounded.",
        avoid="You want sharp weights: the largest is about twice the average.",
    ),
    Mapping(
        siren_max,
        settings={},
        paper="arXiv 2108.07153",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="none",
            sparse=False,
            continuous=False,
            lipschitz=float("inf"),
            growth="disperses",
            at_infinity="nan",
        ),
        formula=r"p_k = \frac{g(x_k)}{\sum_j g(x_j)}, \quad g(x) = \frac{1 + \sin x}{2 - 2 \sin x}",
        use="You study periodic maps and need one that can point at one item.",
        avoid="Scores reach a pole, one half of pi, where the slope has no bound.",
    ),
    Mapping(
        sin_softmax,
        settings={},
        paper="arXiv 2108.07153",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="none",
            sparse=False,
            continuous=True,
            lipschitz=0.5,
            growth="disperses",
            at_infinity="nan",
        ),
        formula=r"p_k = \frac{\exp(\sin x_k)}{\sum_j \exp(\sin x_j)}",
        use="Scores may be huge and every item should keep some weight and some gradient.",
        avoid="You want sharp weights: no item outweighs another by more than 7.4 times.",
    ),
)
