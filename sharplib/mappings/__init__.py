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
from sharplib.mappings.logn_softmax import logn_softmax
from sharplib.mappings.multimax import multimax
from sharplib.mappings.normmax import normmax
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
    "entmax",
    "entmax15",
    "entropy_matched_softmax",
    "ev_softmax",
    "log_softmax",
    "logn_softmax",
    "multimax",
    "normmax",
    "plsoftmax",
    "plsoftmax_inverse",
    "power_softmax",
    "relu_weights",
    "rsoftmax",
    "sigmoid_weights",
    "sink_softmax",
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
    ),
    Mapping(
        power_softmax,
        settings={"alpha": 64.0},  # so steep that a score of 1e6 may stand for infinity
        paper="arXiv 2010.11450",
        properties=Properties(
            sums_to=1.0,
            shift_invariant=False,
            order="weak",
            sparse=True,
            continuous=False,
            lipschitz=float("inf"),
            growth="keeps",
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
            growth="keeps",
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
    ),
)
