"""Every bound of the theory in one table, with random cases and a case that attains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.mappings import softmax
from sharplib.theory import compactness, dispersion, sharpness, temperature
from sharplib.theory._checks import Array
from sharplib.theory.bound import Bound
from sharplib.theory.compactness import Layer, Propagation, Trace, Transformer, propagate
from sharplib.theory.critical_size import (
    critical_size,
    critical_size_proof,
    required_spread,
    simple_critical_size,
)
from sharplib.theory.proof import ends


class Row(NamedTuple):
    """A row of scores and the temperature of its softmax."""

    scores: Array
    temperature: float = 1.0

    @property
    def n(self) -> int:
        return self.scores.size

    @property
    def spread(self) -> float:
        return float(np.ptp(self.scores))

    @property
    def weights(self) -> Array:
        return softmax(self.scores / self.temperature)

    @property
    def entropy(self) -> float:
        p = self.weights[self.weights > 0]
        return float(-(p * np.log(p)).sum())

    @property
    def facts(self) -> tuple[int, float, float]:
        """The three numbers that Lemma 2.1 knows of a row."""
        return self.n, self.spread, self.temperature


class Head(NamedTuple):
    """One query and n items of a dot-product head."""

    query: Array
    key: Array
    y: Array
    items: Array

    @property
    def row(self) -> Row:
        return Row((self.key @ self.items.T).T @ (self.query @ self.y))

    @property
    def norms(self) -> float:
        return float(np.linalg.norm(self.query, 2) * np.linalg.norm(self.key, 2))


class Run(NamedTuple):
    """A transformer and the n items that it reads."""

    transformer: Transformer
    items: Array

    @property
    def trace(self) -> Trace:
        return self.transformer(self.items)

    @property
    def bounds(self) -> Propagation:
        return propagate(self.transformer, _longest(self.items), _furthest(self.items))


class Cooling(NamedTuple):
    """One row at two inverse temperatures of one sign, the second further from 0."""

    scores: Array
    warm: float
    cold: float


# --- random cases ---------------------------------------------------------------------------------


def _random_row(rng: np.random.Generator) -> Row:
    """Rows of every shape: smooth, two-level, one item ahead, one behind, tied."""
    n = int(rng.integers(2, 200))
    scores = [
        rng.standard_normal(n),
        rng.uniform(-1, 1, n),
        rng.integers(0, 2, n).astype(float),
        np.eye(n)[0] + 1e-3 * rng.standard_normal(n),
        -np.eye(n)[0],
        np.zeros(n),
    ][rng.integers(6)]
    # spread / temperature stays below 12, so that 1 - weight, which some bounds divide by, keeps
    # ten digits
    reach = rng.uniform(0, 12) / max(np.ptp(scores), 1.0)
    warm = float(np.exp(rng.uniform(-2, 2)))
    return Row(scores * reach * warm + rng.normal(), warm)


def _random_head(rng: np.random.Generator) -> Head:
    """Matrices of every shape; items free, nearly in line with the best direction, or offset."""
    d, h, n = (int(k) for k in rng.integers((1, 1, 2), (6, 6, 20)))
    query, key = rng.standard_normal((h, d)), rng.standard_normal((h, d))
    y, items = rng.standard_normal(d), rng.standard_normal((n, d))
    kind = rng.integers(3)
    if kind == 1:
        items = np.outer(rng.uniform(-1, 1, n), key.T @ query @ y) + 0.01 * items
    elif kind == 2:
        items = items + 10 * rng.standard_normal(d)
    scale = rng.uniform(0, 12) / max(np.ptp(items @ (key.T @ query @ y)), 1e-9)
    return Head(query * min(scale, 1.0), key, y, items)


def _random_run(norm_eps: float | None) -> Callable[[np.random.Generator], Run]:
    def sample(rng: np.random.Generator) -> Run:
        """Small networks of every kind; items free, from a small vocabulary, or opposed."""
        width, heads, layers = (int(k) for k in rng.integers((1, 1, 1), (7, 4, 4)))
        net = Transformer.random(
            rng,
            layers=layers,
            width=width,
            heads=heads,
            scale=float(rng.uniform(0.1, 1.5)),
            causal=bool(rng.integers(2)),
            norm_eps=norm_eps,
        )
        n = int(rng.integers(2, 12))
        vocabulary = rng.standard_normal((int(rng.integers(2, 5)), width))
        along = np.linalg.svd(net.layers[0].bilinear[0])[0][:, 0]
        items = [
            rng.standard_normal((n, width)),
            vocabulary[rng.integers(len(vocabulary), size=n)],
            np.outer(rng.choice([-1.0, 1.0], n), along),
            5 * rng.standard_normal(width) + 0.1 * rng.standard_normal((n, width)),
        ][rng.integers(4)]
        return Run(net, items * rng.uniform(0.1, 2))

    return sample


def _random_cooling(rng: np.random.Generator) -> Cooling:
    row = _random_row(rng)
    warm, cold = np.sort(rng.uniform(0, 5, 2)) * rng.choice([-1, 1])
    return Cooling(row.scores / row.temperature, float(warm), float(cold))


# --- attaining cases ------------------------------------------------------------------------------


def _one_against_all(n: int, height: float) -> Row:
    """One score at `height`, the others at 0."""
    return Row(np.eye(n)[0] * height)


def _two_levels(n: int, top: int, spread: float) -> Row:
    return Row(np.where(np.arange(n) < top, spread, 0.0))


def _opposed_items() -> Head:
    """One item along the query, the others against it."""
    y = np.array([0.6, 0.8])
    return Head(2 * np.eye(2), 0.5 * np.eye(2), y, np.stack([y, -y, -y, -y]))


def _offset_items() -> Head:
    """The items of `_opposed_items`, moved together: only the sharper form does not care."""
    head = _opposed_items()
    return head._replace(items=head.items + np.array([5.0, -7.0]))


def _block(attention: ArrayLike, mlp: float = 0.5, value: float = 0.5) -> Layer:
    """A block in the plane that stretches the first quadrant, with scores y^T attention x."""
    eye, zero = np.eye(2), np.zeros(2)
    return Layer(
        inner=eye,
        inner_bias=zero,
        outer=mlp * eye,
        outer_bias=zero,
        query=np.sqrt(2) * eye[None],  # a score is divided by sqrt(2)
        key=np.asarray(attention)[None],
        value=value * eye[None],
    )


#: Scores so wide that each kind of item attends to itself alone, up to exp(-20).
_SELFISH = 20 * np.eye(2)
#: Scores that compare two orthogonal items, as far apart as the spread bound allows.
_COMPARE = np.outer([1, 0], [1, -1]) / np.sqrt(2)
_VOCABULARY = np.eye(2)


def _stretched_items() -> Run:
    """Two orthogonal items that every block stretches as far as its matrices can."""
    return Run(Transformer((_block(_SELFISH), _block(_SELFISH))), _VOCABULARY)


def _compared_items() -> Run:
    """The last query is the one item of its kind, among many of the other kind."""
    layers = (_block(_SELFISH), _block(_SELFISH), _block(0.05 * _COMPARE))
    return Run(Transformer(layers), _VOCABULARY[[1, 1, 1, 1, 0]])


def _opposed_normalised() -> Run:
    """Two opposed items, which an MLP with a ReLU could not both stretch: it is switched off."""
    layers = (_block(_SELFISH, mlp=0.0), _block(np.eye(2), mlp=0.0))
    return Run(Transformer(layers, norm_eps=1e-6), np.array([[1.0, 0.0], [-1.0, 0.0]]))


# --- the table ------------------------------------------------------------------------------------

_lemma = ends(dispersion.lemma_2_1().conclusion)
_tight = ends(dispersion.tight_weights().conclusion)
_entropy = ends(dispersion.simple_entropy().conclusion)
_sizes = critical_size_proof()
_sharpness = sharpness.proposition_3_1()
_beta, _radius, _apart, _A = sympy.symbols("beta r D A", nonnegative=True)
_entropy_at = sympy.Function("H")
_warm, _cold = sympy.symbols("beta_1 beta_2", positive=True)
_longest_of, _furthest_of = sympy.symbols(r"\|z\| \|z-z'\|", nonnegative=True)


def _le(left: sympy.Expr, right: sympy.Expr) -> sympy.Basic:
    return sympy.Le(left, right, evaluate=False)


def _longest(items: Array) -> float:
    return float(np.linalg.norm(items, axis=-1).max())


def _furthest(items: Array) -> float:
    return float(np.linalg.norm(items[:, None] - items[None], axis=-1).max())


def _table(*bounds: Bound) -> Mapping[str, Bound]:
    return MappingProxyType({bound.name: bound for bound in bounds})


#: Every bound of the theory: name -> `Bound`. Immutable.
BOUNDS: Mapping[str, Bound] = _table(
    Bound(
        name="simple largest weight",
        label="Lemma 2.1",
        statement=_le(_lemma[1], _lemma[2]),
        kind="upper",
        quantity=lambda row: row.weights.max(),
        value=lambda row: dispersion.simple_weight_bounds(*row.facts)[1],
        sample=_random_row,
        attain=lambda: _one_against_all(1000, 1.0),  # in the limit of many items
    ),
    Bound(
        name="simple smallest weight",
        label="Lemma 2.1",
        statement=_le(_lemma[0], _lemma[1]),
        kind="lower",
        quantity=lambda row: row.weights.min(),
        value=lambda row: dispersion.simple_weight_bounds(*row.facts)[0],
        sample=_random_row,
        attain=lambda: _one_against_all(1000, -1.0),  # in the limit of many items
    ),
    Bound(
        name="largest weight",
        label="Lemma 2.1, tight",
        statement=_le(_tight[1], _tight[2]),
        kind="upper",
        quantity=lambda row: row.weights.max(),
        value=lambda row: dispersion.weight_bounds(*row.facts)[1],
        sample=_random_row,
        attain=lambda: _one_against_all(7, 3.0),
    ),
    Bound(
        name="smallest weight",
        label="Lemma 2.1, tight",
        statement=_le(_tight[0], _tight[1]),
        kind="lower",
        quantity=lambda row: row.weights.min(),
        value=lambda row: dispersion.weight_bounds(*row.facts)[0],
        sample=_random_row,
        attain=lambda: _one_against_all(7, -3.0),
    ),
    Bound(
        name="largest entropy",
        label="Lemma 2.1, entropy",
        statement=_le(_entropy[1], _entropy[2]),
        kind="upper",
        quantity=lambda row: row.entropy,
        value=lambda row: np.log(row.n),
        sample=_random_row,
        attain=lambda: _one_against_all(7, 0.0),
    ),
    Bound(
        name="simple least entropy",
        label="Lemma 2.1, entropy",
        statement=_le(_entropy[0], _entropy[1]),
        kind="lower",
        quantity=lambda row: row.entropy,
        value=lambda row: dispersion.simple_least_entropy(*row.facts),
        sample=_random_row,
        attain=lambda: _one_against_all(7, 0.01),  # in the limit of a small spread
    ),
    Bound(
        name="least entropy",
        label="Lemma 2.1, tight entropy",
        statement=dispersion.tight_entropy().conclusion,
        kind="lower",
        quantity=lambda row: row.entropy,
        value=lambda row: dispersion.least_entropy(*row.facts),
        sample=_random_row,
        attain=lambda: _two_levels(20, 3, 2.5),
    ),
    Bound(
        name="entropy deficit",
        label="Lemma 2.1, tight entropy",
        statement=dispersion.tight_entropy().conclusion,
        kind="upper",
        quantity=lambda row: np.log(row.n) - row.entropy,
        value=lambda row: dispersion.entropy_deficit(row.spread, row.temperature),
        sample=_random_row,
        attain=lambda: _two_levels(1000, 155, 2.5),
    ),
    Bound(
        name="critical size",
        label="Critical size",
        statement=_sizes[1].claim,
        kind="upper",
        quantity=lambda row: row.n,
        value=lambda row: critical_size(row.spread, row.weights.max(), row.temperature),
        sample=_random_row,
        attain=lambda: _one_against_all(7, 3.0),
    ),
    Bound(
        name="simple critical size",
        label="Critical size",
        statement=_sizes[3].claim,
        kind="upper",
        quantity=lambda row: row.n,
        value=lambda row: simple_critical_size(row.spread, row.weights.max(), row.temperature),
        sample=_random_row,
        attain=lambda: _one_against_all(1000, 1.0),  # in the limit of many items
    ),
    Bound(
        name="required spread",
        label="Critical size",
        statement=_sizes[2].claim,
        kind="lower",
        quantity=lambda row: row.spread,
        value=lambda row: required_spread(row.n, row.weights.max(), row.temperature),
        sample=_random_row,
        attain=lambda: _one_against_all(7, 3.0),
    ),
    Bound(
        name="spread of a head",
        label="Proposition 3.1",
        statement=_sharpness[5].claim,
        kind="upper",
        quantity=lambda head: head.row.spread,
        value=lambda head: sharpness.spread_bound(*head),
        sample=_random_head,
        attain=_opposed_items,
    ),
    Bound(
        name="spread of a head from distances",
        label="Proposition 3.1, tight",
        statement=_sharpness[3].claim,
        kind="upper",
        quantity=lambda head: head.row.spread,
        value=lambda head: sharpness.tight_spread_bound(*head),
        sample=_random_head,
        attain=_offset_items,
    ),
    Bound(
        name="required norms",
        label="Proposition 3.1",
        statement=sharpness.required_norms_statement(),
        kind="lower",
        quantity=lambda head: head.norms,
        value=lambda head: sharpness.required_norms(
            head.row.n, head.row.weights.max(), _longest(head.y[None]), _longest(head.items)
        ),
        sample=_random_head,
        attain=_opposed_items,
    ),
    Bound(
        name="colder has less entropy",
        label="Proposition 3.2",
        statement=_le(_entropy_at(_cold), _entropy_at(_warm)),
        kind="upper",
        quantity=lambda case: temperature.entropy(case.scores, case.cold),
        value=lambda case: temperature.entropy(case.scores, case.warm),
        sample=_random_cooling,
        attain=lambda: Cooling(np.array([1.0, 0.0, 0.0]), 0.01, 0.02),  # hardly any cooling
    ),
    Bound(
        name="steepest fall of entropy",
        label="Proposition 3.2, rate",
        statement=temperature.variance_bound()[2].claim,
        kind="upper",
        quantity=lambda case: np.abs(temperature.entropy_slope(case.scores, case.cold)),
        value=lambda case: temperature.steepest_slope(np.ptp(case.scores), case.cold),
        sample=_random_cooling,
        attain=lambda: Cooling(np.array([np.log(3), 0.0, 0.0, 0.0]), 0.0, 1.0),  # half and half
    ),
    Bound(
        name="largest fall of entropy",
        label="Proposition 3.2, rate",
        statement=temperature.variance_bound().conclusion,
        kind="upper",
        quantity=lambda case: (
            np.log(case.scores.size) - temperature.entropy(case.scores, case.cold)
        ),
        value=lambda case: temperature.largest_fall(np.ptp(case.scores), case.cold),
        sample=_random_cooling,
        attain=lambda: Cooling(np.array([0.1, 0.0]), 0.0, 1.0),  # in the limit of a small spread
    ),
    Bound(
        name="length of features",
        label="Theorem 2.2",
        statement=_le(_longest_of, _radius),
        kind="upper",
        quantity=lambda run: [_longest(z) for z in run.trace.features],
        value=lambda run: [z.radius for z in run.bounds.features],
        sample=_random_run(norm_eps=None),
        attain=_stretched_items,
    ),
    Bound(
        name="distance of features",
        label="Theorem 2.2",
        statement=_le(_furthest_of, _apart),
        kind="upper",
        quantity=lambda run: [_furthest(z) for z in run.trace.features],
        value=lambda run: [z.diameter for z in run.bounds.features],
        sample=_random_run(norm_eps=None),
        attain=_stretched_items,
    ),
    Bound(
        name="spread in a transformer",
        label="Theorem 2.2",
        statement=_le(dispersion.delta, _A * _radius * _apart),
        kind="upper",
        quantity=lambda run: run.trace.spread,
        value=lambda run: run.bounds.spread,
        sample=_random_run(norm_eps=None),
        attain=_compared_items,
    ),
    Bound(
        name="spread in a normalised transformer",
        label="Theorem 2.2",
        statement=_le(dispersion.delta, _A * _radius * _apart),
        kind="upper",
        quantity=lambda run: run.trace.spread,
        value=lambda run: run.bounds.spread,
        sample=_random_run(norm_eps=1e-6),
        attain=_opposed_normalised,
    ),
    Bound(
        name="largest weight in a transformer",
        label="Theorem 2.2",
        statement=compactness.theorem_2_2()[6].claim,
        kind="upper",
        quantity=lambda run: run.trace.top_weight,
        value=lambda run: run.bounds.top_weight(len(run.items)),
        sample=_random_run(norm_eps=None),
        attain=_compared_items,
    ),
    Bound(
        name="critical size in a transformer",
        label="Theorem 2.2",
        statement=_sizes[1].claim,
        kind="upper",
        quantity=lambda run: len(run.items),
        # Rounding can turn a top weight into 1, which no size above 1 allows; "at least 1 - 1e-9"
        # stays true.
        value=lambda run: run.bounds.critical_size(np.minimum(run.trace.top_weight, 1 - 1e-9)),
        sample=_random_run(norm_eps=None),
        attain=_compared_items,
    ),
)
