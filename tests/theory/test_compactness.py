"""Theorem 2.2: the small transformer, its chain of bounded sets, and attempts to leave them."""

from math import exp, sqrt

import numpy as np
import pytest
import scipy.optimize

from sharplib.theory.compactness import (
    CompactSet,
    Layer,
    Transformer,
    propagate,
    theorem_2_2,
)

KINDS = {
    "bidirectional": {},
    "causal": {"causal": True},
    "normalised": {"norm_eps": 1e-5},
    "causal, normalised": {"causal": True, "norm_eps": 1e-5},
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def loops(net, items):
    """The transformer item by item, with plain loops; features and weights of each layer."""
    z, out = [np.array(item) for item in items], []

    def norm(v):
        return v if net.norm_eps is None else v / sqrt(sum(v * v) / len(v) + net.norm_eps)

    for layer in net.layers:
        z = [
            v
            + layer.outer @ np.maximum(layer.inner @ norm(v) + layer.inner_bias, 0)
            + layer.outer_bias
            for v in z
        ]
        x, new, rows = [norm(v) for v in z], [], []
        for i, v in enumerate(z):
            seen = range(i + 1) if net.causal else range(len(z))
            total, row = v.copy(), []
            for query, key, value in zip(layer.query, layer.key, layer.value, strict=True):
                e = [(query @ x[i]) @ (key @ x[k]) / sqrt(len(query)) for k in seen]
                w = [exp(s) / sum(map(exp, e)) for s in e]
                total += sum(a * (value @ x[k]) for a, k in zip(w, seen, strict=True))
                row.append(w + [0.0] * (len(z) - len(w)))
            new.append(total)
            rows.append(row)
        z = new
        out.append((np.array(z), np.array(rows).swapaxes(0, 1)))
    return out


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


# --- the transformer ------------------------------------------------------------------------------


@every_kind
def test_transformer_equals_plain_loops(kind, rng):
    net = Transformer.random(rng, layers=2, width=6, heads=3, **kind)
    items = rng.standard_normal((5, 6))
    trace = net(items)
    for (features, weights), got_features, got_weights in zip(
        loops(net, items), trace.features, trace.weights, strict=True
    ):
        # the same sums in another order
        np.testing.assert_allclose(got_features, features, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(got_weights, weights, rtol=1e-11, atol=1e-12)


def test_causal_transformer_does_not_see_the_future(rng):
    net = Transformer.random(rng, layers=3, width=6, causal=True)
    items = rng.standard_normal((7, 6))
    whole, start = net(items), net(items[:4])
    np.testing.assert_allclose(whole.features[:, :4], start.features, rtol=1e-11)  # order of sums
    assert not np.triu(whole.weights, k=1).any()


def test_bidirectional_transformer_follows_a_permutation(rng):
    net = Transformer.random(rng, layers=3, width=6)
    items, order = rng.standard_normal((7, 6)), rng.permutation(7)
    np.testing.assert_allclose(
        net(items[order]).features, net(items).features[:, order], rtol=1e-11, atol=1e-12
    )


def test_spread_of_a_trace_ignores_masked_items(rng):
    net = Transformer.random(rng, layers=2, width=6, causal=True)
    trace = net(rng.standard_normal((5, 6)))
    rows = [[np.ptp(row[: i + 1]) for i, row in enumerate(head)] for head in trace.scores[1]]
    np.testing.assert_array_equal(trace.spread[1], np.max(rows, axis=1))


# --- the theorem ----------------------------------------------------------------------------------


def test_theorem_2_2_steps_hold(rng, holds):
    """One head, no biases, no normalisation: the setting in which the proof is written down."""
    layer = Transformer.random(rng, layers=1, width=4, heads=1).layers[0]
    zero = {"inner_bias": np.zeros(8), "outer_bias": np.zeros(4)}
    layer = Layer(**{**vars(layer), **zero})
    items = rng.standard_normal((9, 4))
    trace = Transformer((layer,))(items)
    f = np.maximum(items @ layer.inner.T, 0) @ layer.outer.T
    averages = trace.weights[0, 0] @ (items + f)

    def longest(vectors):
        return np.linalg.norm(vectors, axis=1).max()

    r, w1, w2 = longest(items), np.linalg.norm(layer.inner, 2), np.linalg.norm(layer.outer, 2)
    values = {
        "r": r,
        "a": r * (1 + w1 * w2),
        "w_1": w1,
        "w_2": w2,
        "v": np.linalg.norm(layer.value[0], 2),
        "A": np.linalg.norm(layer.bilinear[0], 2),
        r"\|z\|": longest(items),
        r"\|f(z)\|": longest(f),
        r"\|\bar{z}\|": longest(averages),
        r"\|g(z)\|": longest(trace.features[0]),
        "delta": trace.spread[0, 0],
        "theta": 1.0,
        "n": 9,
        "alpha_k": trace.weights.max(),
    }
    proof = theorem_2_2()
    assert all(holds(step.claim, values) for step in list(proof)[:-1])
    assert proof.conclusion.rhs == 0


@every_kind
def test_theorem_2_2_bounds_do_not_know_n_and_hold_at_every_n(kind, rng):
    net = Transformer.random(rng, layers=3, width=8, heads=2, **kind)
    bound = propagate(net, radius=1.0)
    for n in (1, 2, 16, 128, 512):
        trace = net(unit(rng.standard_normal((n, 8))))
        assert (trace.spread <= bound.spread).all()
        assert (trace.top_weight <= bound.top_weight(n)).all()
        assert (
            np.linalg.norm(trace.features, axis=-1).max(axis=-1)
            <= [z.radius for z in bound.features]
        ).all()


@every_kind
def test_theorem_2_2_withstands_an_optimiser(kind, rng):
    """Inputs chosen to make the last head's scores as wide as they can be."""
    net = Transformer.random(rng, layers=2, width=4, heads=1, hidden=4, scale=0.7, **kind)
    bound = propagate(net, radius=1.0)

    def items(flat):
        return unit(flat.reshape(3, 4))

    start = rng.standard_normal((3, 12))
    results = [
        scipy.optimize.minimize(
            lambda flat: -net(items(flat)).spread[-1, 0], x, options={"maxiter": 30}
        )
        for x in start
    ]
    best = max(results, key=lambda result: -result.fun)
    widest = -best.fun
    assert widest > max(net(items(x)).spread[-1, 0] for x in start)  # it did attack
    assert widest <= bound.spread[-1, 0]


def test_theorem_2_2_weights_go_to_zero():
    net = Transformer.random(np.random.default_rng(0), layers=2, width=4, scale=0.5)
    bound = propagate(net, radius=1.0)
    tops = bound.top_weight([10, 1e6, 1e12, 1e300])
    assert tops.shape == (4, 2, 2)
    assert (np.diff(tops, axis=0) < 0).all()
    assert (tops[-1] < 1e-250).all()


def test_theorem_2_2_critical_size_is_where_the_bound_passes_the_weight():
    net = Transformer.random(np.random.default_rng(0), layers=2, width=4, scale=0.5)
    bound = propagate(net, radius=1.0)
    size = bound.critical_size(0.1)
    assert size.shape == (2, 2)
    for layer, head in np.ndindex(2, 2):
        top = bound.top_weight(size[layer, head])[layer, head]
        assert top == pytest.approx(0.1, rel=1e-9)  # n - 1 drops digits at a large n


def test_theorem_2_2_a_small_diameter_gives_a_smaller_spread(rng):
    net = Transformer.random(rng, layers=2, width=6)
    ball, vocabulary = propagate(net, 5.0), propagate(net, 5.0, diameter=0.1)
    assert (vocabulary.spread < 0.1 * ball.spread).all()
    items = np.array([5.0, 0, 0, 0, 0, 0]) + 0.05 * unit(rng.standard_normal((20, 6)))
    items *= 5.0 / np.linalg.norm(items, axis=1).max()
    assert (net(items).spread <= vocabulary.spread).all()


def test_theorem_2_2_normalisation_makes_the_bound_forget_the_depth_and_the_radius(rng):
    net = Transformer.random(rng, layers=6, width=8, norm_eps=1e-5)
    for radius in (0.1, 1.0, 1e6):
        bound = propagate(net, radius)
        for layer, spread in zip(net.layers, bound.spread, strict=True):
            norms = np.linalg.norm(layer.bilinear, 2, axis=(-2, -1))
            assert (spread <= 2 * 8 * norms * (1 + 1e-12)).all()  # |x| <= sqrt(8), twice


def test_theorem_2_2_needs_the_averages(rng):
    """With sums in place of averages the same weights leave every ball as n grows."""
    layer = Transformer.random(rng, layers=1, width=4, heads=1).layers[0]
    bound = propagate(Transformer((layer,)), radius=1.0)
    item = unit(rng.standard_normal(4))
    one = Transformer((layer,))(item[None])
    averaged = Transformer((layer,))(np.tile(item, (1000, 1)))
    np.testing.assert_allclose(averaged.features[0, 0], one.features[0, 0], rtol=1e-12)
    mlp = layer.outer @ np.maximum(layer.inner @ item + layer.inner_bias, 0) + layer.outer_bias
    summed = item + mlp + 1000 * layer.value[0] @ (item + mlp)
    assert np.linalg.norm(summed) > bound.features[0].radius


# --- the sets -------------------------------------------------------------------------------------


def measure(points):
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return np.linalg.norm(points, axis=-1).max(), gaps.max()


@pytest.mark.parametrize("seed", range(20))
def test_compact_set_operations_contain_what_they_say(seed):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((6, 3)) + rng.uniform(0, 5) * rng.standard_normal(3)
    b = rng.standard_normal((6, 3))
    A, B = CompactSet(*measure(a)), CompactSet(*measure(b))
    matrix, bias = rng.standard_normal((5, 3)), rng.standard_normal(5)
    shares = rng.dirichlet(np.full(6, 0.3), size=8)
    pairs = np.array([np.concatenate([p, q]) for p in a for q in a])
    normed = a / np.sqrt((a**2).mean(axis=1, keepdims=True) + 0.1)
    for points, claimed in (
        (a @ matrix.T, A.image(matrix)),
        (a @ matrix.T + bias, A.image(matrix, bias)),
        (np.maximum(a, 0), A.relu()),
        (shares @ a, A.hull()),
        (np.array([p + q for p in a for q in b]), A + B),
        (pairs, A.power(2)),
        (normed, A.rms_norm(3, 0.1)),
        (a, A & CompactSet(1e9)),
    ):
        radius, diameter = measure(points)
        assert radius <= claimed.radius * (1 + 1e-12)  # equal for some, up to rounding
        assert diameter <= claimed.diameter * (1 + 1e-12)


def test_compact_set_diameter_is_at_most_twice_the_radius():
    assert CompactSet(1.0).diameter == CompactSet(1.0, 5.0).diameter == 2.0
    assert (CompactSet(1.0, 0.5) & CompactSet(0.7, 1.0)) == CompactSet(0.7, 0.5)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: CompactSet(-1.0), r"radius must be finite and >= 0, got -1\.0"),
        (lambda: CompactSet(1.0, -1.0), r"diameter must be >= 0, got -1\.0"),
        (lambda: CompactSet(1.0, np.nan), r"diameter must be >= 0, got nan"),
        (lambda: Transformer(()), "layers must be one or more of equal width"),
        (lambda: Transformer((small(2), small(3))), "layers must be one or more of equal width"),
        (lambda: Transformer((small(2),), norm_eps=0.0), r"norm_eps must be finite and > 0, got 0"),
        (lambda: Transformer((small(2),))(np.ones((3, 5))), r"shape \(n, 2\) .* got \(3, 5\)"),
        (lambda: Transformer((small(2),))(np.full((3, 2), np.nan)), "features must be finite"),
        (lambda: Layer(**{**vars(small(2)), "value": np.eye(2)}), r"value must have shape"),
        (lambda: Layer(**{**vars(small(2)), "inner": np.ones(2)}), r"inner must have shape"),
    ],
)
def test_bad_arguments_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def small(width):
    return Transformer.random(np.random.default_rng(0), layers=1, width=width).layers[0]


def test_weights_of_a_layer_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        small(2).query[0, 0, 0] = 1.0
