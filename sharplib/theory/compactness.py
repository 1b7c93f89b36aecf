r"""Theorem 2.2: in a transformer over a bounded set of inputs every global head must disperse.

The proof follows a set of features through the network and shows that it stays bounded, by a bound
that does not know n. Here the set is described by two numbers, a radius and a diameter
(`CompactSet`), and the proof is three lines of arithmetic: the image under a matrix, the convex
hull, the sum of two sets. `propagate` runs it beside the `Transformer` itself.

The step that carries the theorem is the hull: attention returns averages $\sum_k \alpha_k v_k$ with
$\alpha \ge 0$ and $\sum_k \alpha_k = 1$, and an average of n points of a ball lies in the ball for
every n. Without the normalisation the radius would grow with n.

Source: Veličković et al., arXiv 2410.01104, Theorem 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import reduce
from math import inf, sqrt
from operator import add

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.mappings import softmax
from sharplib.theory._checks import Array, real
from sharplib.theory.critical_size import critical_size
from sharplib.theory.dispersion import alpha, delta, n, tight_weights, weight_bounds
from sharplib.theory.proof import Proof, Step, ends


@dataclass(frozen=True)
class CompactSet:
    """A set of which we know that no point is longer than `radius`, no two further than `diameter`.

    >>> ball = CompactSet(2.0)
    >>> ball.diameter
    4.0
    >>> (ball + ball.image(np.diag([0.5, 0.1]))).radius
    3.0
    """

    radius: float
    diameter: float = inf

    def __post_init__(self) -> None:
        radius = float(real("radius", self.radius, at_least=0))
        if not self.diameter >= 0:
            raise ValueError(f"diameter must be >= 0, got {self.diameter}")
        object.__setattr__(self, "radius", radius)
        object.__setattr__(self, "diameter", min(float(self.diameter), 2 * radius))

    def image(self, matrix: Array, bias: Array | None = None) -> CompactSet:
        """The image under z -> Wz + b: lengths grow by at most the largest singular value."""
        stretch = _norm(matrix)
        shift = 0.0 if bias is None else float(np.linalg.norm(bias))
        return CompactSet(stretch * self.radius + shift, stretch * self.diameter)

    def hull(self) -> CompactSet:
        """All averages of points of the set, of any number of points: no longer, no further."""
        return self

    def power(self, copies: int) -> CompactSet:
        """All lists of `copies` points of the set, each list as one long vector."""
        return CompactSet(sqrt(copies) * self.radius, sqrt(copies) * self.diameter)

    def relu(self) -> CompactSet:
        """The image under max(z, 0), which brings points closer to 0 and to each other."""
        return self

    def rms_norm(self, width: int, eps: float) -> CompactSet:
        """The image under ``z / sqrt(|z|^2 / width + eps)``: always shorter than sqrt(width)."""
        longest = self.radius / sqrt(self.radius**2 / width + eps)
        return CompactSet(longest, self.diameter / sqrt(eps))

    def __add__(self, other: CompactSet) -> CompactSet:
        """All sums of a point of one set and a point of the other."""
        return CompactSet(self.radius + other.radius, self.diameter + other.diameter)

    def __and__(self, other: CompactSet) -> CompactSet:
        """What is known when both descriptions hold."""
        return CompactSet(min(self.radius, other.radius), min(self.diameter, other.diameter))


@dataclass(frozen=True)
class Layer:
    """The weights of one block: a pointwise two-layer MLP, then self-attention, both residual.

    Shapes, with width d, hidden width m, H heads of h dimensions: `inner` (m, d), `inner_bias`
    (m,), `outer` (d, m), `outer_bias` (d,), `query` and `key` (H, h, d), `value` (H, d, d), the
    output projection of each head multiplied into its value matrix.
    """

    inner: Array
    inner_bias: Array
    outer: Array
    outer_bias: Array
    query: Array
    key: Array
    value: Array

    def __post_init__(self) -> None:
        for field in fields(self):
            array = np.array(real(field.name, getattr(self, field.name)))
            array.flags.writeable = False
            object.__setattr__(self, field.name, array)
        if self.inner.ndim != 2 or self.query.ndim != 3:
            raise ValueError(
                "inner must have shape (m, d) and query shape (H, h, d), "
                f"got {self.inner.shape} and {self.query.shape}"
            )
        hidden, width = self.inner.shape
        heads, head_width, _ = self.query.shape
        wanted = {
            "inner_bias": (hidden,),
            "outer": (width, hidden),
            "outer_bias": (width,),
            "query": (heads, head_width, width),
            "key": (heads, head_width, width),
            "value": (heads, width, width),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have shape {shape}, got {getattr(self, name).shape}")

    @property
    def width(self) -> int:
        return self.inner.shape[1]

    @property
    def bilinear(self) -> Array:
        """A, shape (H, d, d), with which the score of item k for query y is y^T A x_k."""
        return np.swapaxes(self.query, -1, -2) @ self.key / sqrt(self.query.shape[1])


@dataclass(frozen=True)
class Trace:
    """What a transformer did to one input: for each layer, features, scores and weights.

    `features` (layers, n, d), after each layer; `scores` and `weights` (layers, H, n, n), query
    by item, where a masked score is -inf and its weight 0.
    """

    features: Array
    scores: Array
    weights: Array

    @property
    def spread(self) -> Array:
        """The widest row of scores of each head, shape (layers, H)."""
        low = np.where(np.isfinite(self.scores), self.scores, inf).min(axis=-1)
        return (self.scores.max(axis=-1) - low).max(axis=-1)

    @property
    def top_weight(self) -> Array:
        """The largest weight that the last query gives to an item, shape (layers, H).

        The last query sees all n items, with a causal mask or without.
        """
        return self.weights[:, :, -1].max(axis=-1)


@dataclass(frozen=True)
class Transformer:
    """A small transformer of the kind that Theorem 2.2 speaks of, in NumPy.

    Each layer does z <- z + MLP(z), item by item, then z <- z + sum over heads of attention(z).
    With `norm_eps` set, z is RMS-normalised on the way into each of the two; a gain would be part
    of the matrix that follows. `causal` lets item k see the items up to k only.

    >>> net = Transformer.random(np.random.default_rng(0), layers=2, width=8, heads=2)
    >>> trace = net(np.random.default_rng(1).standard_normal((5, 8)))
    >>> trace.weights.shape
    (2, 2, 5, 5)
    """

    layers: tuple[Layer, ...]
    causal: bool = False
    norm_eps: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if len({(layer.width, layer.query.shape[0]) for layer in self.layers}) != 1:
            raise ValueError("layers must be one or more of equal width and number of heads")
        if self.norm_eps is not None:
            real("norm_eps", self.norm_eps, above=0)

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        layers: int = 2,
        width: int = 16,
        heads: int = 2,
        hidden: int | None = None,
        scale: float = 1.0,
        causal: bool = False,
        norm_eps: float | None = None,
    ) -> Transformer:
        """Gaussian weights of standard deviation scale / sqrt(number of inputs).

        `hidden` defaults to 2 * width; a head has width // heads dimensions, at least 1.
        """
        hidden, head_width = hidden or 2 * width, max(1, width // heads)

        def draw(*shape: int) -> Array:
            return rng.standard_normal(shape) * scale / sqrt(shape[-1])

        def layer() -> Layer:
            return Layer(
                inner=draw(hidden, width),
                inner_bias=draw(hidden),
                outer=draw(width, hidden),
                outer_bias=draw(width),
                query=draw(heads, head_width, width),
                key=draw(heads, head_width, width),
                value=draw(heads, width, width) / heads,
            )

        return cls(tuple(layer() for _ in range(layers)), causal=causal, norm_eps=norm_eps)

    def __call__(self, features: ArrayLike) -> Trace:
        """Run on `features` (n, d). Memory grows like layers * H * n^2."""
        z = real("features", features)
        width = self.layers[0].width
        if z.ndim != 2 or z.shape[0] < 1 or z.shape[1] != width:
            raise ValueError(f"features must have shape (n, {width}) with n >= 1, got {z.shape}")
        hidden_future = np.triu(np.full((len(z), len(z)), -inf), k=1) if self.causal else 0.0
        out: list[tuple[Array, Array, Array]] = []
        for layer in self.layers:
            z = z + np.maximum(self._norm(z) @ layer.inner.T + layer.inner_bias, 0) @ layer.outer.T
            z = z + layer.outer_bias
            x = self._norm(z)
            scores = x @ layer.bilinear @ x.T + hidden_future
            weights = softmax(scores)
            z = z + (weights @ (x @ np.swapaxes(layer.value, -1, -2))).sum(axis=0)
            out.append((z, scores, weights))
        return Trace(*(np.stack(part) for part in zip(*out, strict=True)))

    def _norm(self, z: Array) -> Array:
        if self.norm_eps is None:
            return z
        return z / np.sqrt((z**2).mean(axis=-1, keepdims=True) + self.norm_eps)


@dataclass(frozen=True)
class Propagation:
    """Bounds that hold for every n: the features after each layer, the spread of each head.

    `features` has one `CompactSet` per layer, `spread` has shape (layers, H).
    """

    features: tuple[CompactSet, ...]
    spread: Array

    def top_weight(self, size: ArrayLike) -> Array:
        """No item among `size` gets more than this from a head; shape size.shape + (layers, H).

        It goes to 0 as `size` grows, and that is Theorem 2.2.
        """
        return weight_bounds(np.asarray(size)[..., None, None], self.spread)[1]

    def critical_size(self, weight: ArrayLike) -> Array:
        """Above this size each head gives every item less than `weight`; shape (layers, H)."""
        return critical_size(self.spread, weight)


def propagate(transformer: Transformer, radius: float, diameter: float = inf) -> Propagation:
    r"""Follow a set of inputs through the transformer, layer by layer, for every n at once.

    `radius` bounds the length of every input item; `diameter`, if known, the distance of any two.
    A score is $y^\top A x$ with y and x in one set, so a row of scores has
    $\delta \le \|A\|\,\text{radius}\cdot\text{diameter}$, as in Proposition 3.1 with $\|Q^\top K\|$
    in place of $\|Q\|\,\|K\|$. Nothing here depends on n.

    Source: Veličković et al., arXiv 2410.01104, proof of Theorem 2.2.

    >>> net = Transformer.random(np.random.default_rng(0), layers=2, width=8, heads=2)
    >>> bound = propagate(net, radius=1.0)
    >>> x = np.random.default_rng(1).standard_normal((50, 8))
    >>> x /= np.linalg.norm(x, axis=-1, keepdims=True)
    >>> bool((net(x).spread <= bound.spread).all())
    True
    """
    z = CompactSet(radius, diameter)
    features, spreads = [], []
    for layer in transformer.layers:
        x = _normed(z, transformer)
        mlp = x.image(layer.inner, layer.inner_bias).relu().image(layer.outer, layer.outer_bias)
        z = z + mlp
        x = _normed(z, transformer)
        spreads.append([_norm(a) * x.radius * x.diameter for a in layer.bilinear])
        # Each head averages in its own way. Bound them one by one, and all as one wide matrix.
        averages = x.hull()
        apart = reduce(add, (averages.image(v) for v in layer.value))
        together = averages.power(len(layer.value)).image(np.hstack(list(layer.value)))
        z = z + (apart & together)
        features.append(z)
    return Propagation(tuple(features), np.array(spreads))


def theorem_2_2() -> Proof:
    """The chain of bounded sets for one block, and what follows for the weights.

    r is the radius of the features before the block; w_1, w_2, v and A are the largest singular
    values of the two MLP matrices, of the value matrix and of the bilinear form of the scores.
    No line but the last two knows n.

    >>> print(theorem_2_2()[-1])
    Eq(Limit(1/((n - 1)*exp(-delta/theta) + 1), n, oo, dir='-'), 0)
    """
    r, a, w1, w2, v, A = sympy.symbols("r a w_1 w_2 v A", nonnegative=True)
    z, mlp, average, output = sympy.symbols(
        r"\|z\| \|f(z)\| \|\bar{z}\| \|g(z)\|", nonnegative=True
    )
    grown = r * (1 + w1 * w2)
    most = ends(tight_weights().conclusion)[2]
    limit = sympy.Limit(most, n, sympy.oo)
    return Proof(
        "Theorem 2.2",
        (
            Step(sympy.Le(z, r, evaluate=False), "the inputs are bounded"),
            Step(sympy.Le(mlp, w2 * w1 * r, evaluate=False), "pointwise MLP (biases left out)"),
            Step(sympy.Eq(a, grown), "radius after the first residual sum"),
            Step(sympy.Le(average, a, evaluate=False), "averages stay in the ball, for every n"),
            Step(sympy.Le(output, a * (1 + v), evaluate=False), "values and the second residual"),
            Step(sympy.Le(delta, 2 * A * a**2, evaluate=False), "so the scores are bounded"),
            Step(sympy.Le(alpha, most, evaluate=False), "Lemma 2.1, tight"),
            Step(sympy.Eq(limit, limit.doit(), evaluate=False), "every weight disperses"),
        ),
    )


def _normed(z: CompactSet, transformer: Transformer) -> CompactSet:
    if transformer.norm_eps is None:
        return z
    return z.rms_norm(transformer.layers[0].width, transformer.norm_eps)


def _norm(matrix: Array) -> float:
    """The largest singular value."""
    return float(np.linalg.norm(matrix, 2))
