"""Figures of temperature and entropy: cooling curves, and the rules that read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from sharplib import adaptive_softmax, entropy_matched_softmax, measures, softmax
from sharplib.figures import style
from sharplib.mappings import PUBLISHED_COEFFICIENTS
from sharplib.theory import temperature


def cooling_curves(rows: Mapping[str, Sequence[float]], marked: float = 1.0) -> Figure:
    """Entropy against inverse temperature, one line per named row of scores."""
    beta = np.logspace(-2, 2, 300)
    figure, ax = style.subplots(figsize=(7.5, 3.6))
    for color, (name, scores) in zip(style.PALETTE, rows.items(), strict=False):
        h = temperature.entropy(np.asarray(scores, dtype=float), beta)
        ax.semilogx(beta, h, color=color)
        style.label_line(ax, beta[0], h[0], name, color, xytext=(0, 8))
    ax.axvline(marked, color=style.MUTED, lw=1, ls=":")
    ax.text(
        marked * 1.05, ax.get_ylim()[1] * 0.97, "plain softmax, β = 1", color=style.MUTED, size=9
    )
    ax.set(xlabel="inverse temperature β (colder →)", ylabel="entropy H (nats)", ylim=(-0.05, None))
    return style.finish(figure)


def heat_capacity(scores: Sequence[float]) -> Figure:
    """Entropy and β² Var against log β: each step down is a peak of the heat capacity."""
    beta = np.logspace(-2, 3, 500)
    x = np.asarray(scores, dtype=float)
    figure, (above, below) = style.subplots(2, 1, figsize=(7.5, 4.4), sharex=True)
    above.semilogx(beta, temperature.entropy(x, beta), color=style.PALETTE[0])
    above.set_ylabel("entropy H (nats)")
    capacity = beta**2 * temperature.score_variance(x, beta)
    below.semilogx(beta, capacity, color=style.PALETTE[1])
    below.fill_between(beta, capacity, color=style.PALETTE[1], alpha=0.15)
    below.set(ylabel="β² Var (nats)", xlabel="inverse temperature β (colder →)")
    return style.finish(figure)


def adaptive_polynomial(coefficients: Sequence[float] = PUBLISHED_COEFFICIENTS) -> Figure:
    """The inverse temperature that adaptive softmax uses at each entropy of a row."""
    h = np.linspace(0, 8, 800)
    wanted = np.polyval(coefficients, h)
    used = np.where(h > 0.5, np.maximum(wanted, 1), 1)
    acts = used > 1
    figure, ax = style.subplots(figsize=(7.5, 3.8))
    ax.fill_between(h, 1, used, where=acts, color=style.PALETTE[0], alpha=0.15)
    ax.plot(h, np.where(wanted > -0.6, wanted, np.nan), color=style.MUTED, lw=1.2, ls="--")
    ax.plot(h, used, color=style.PALETTE[0])
    top = used.argmax()
    ax.annotate(
        f"{used[top]:.2f} at most",
        (h[top], used[top]),
        (0, 6),
        ha="center",
        textcoords="offset points",
        color=style.PALETTE[0],
    )
    style.label_line(ax, 6.3, 0.1, "the polynomial itself", style.MUTED)
    style.label_line(ax, 6.6, 1.14, "β = 1: no correction", style.PALETTE[0], xytext=(0, 0))
    ax.set(
        xlabel="entropy H of the plain row (nats)",
        ylabel="inverse temperature β",
        ylim=(-0.5, 2.9),
        xlim=(0, 8),
    )
    counts = [1, 3, 10, 30, 100, 382, 1000, 2900]
    upper = ax.secondary_xaxis("top")
    upper.set_xticks(np.log(counts), [f"{c:,}" for c in counts])
    upper.set_xlabel("effective support, items")
    return style.finish(figure)


def rules_against_size(
    lead: float = 6.0,
    target: float = 0.5,
    sizes: Sequence[int] = tuple(round(2 ** (k / 4)) for k in range(4, 81)),
) -> Figure:
    """Top weight of one item `lead` above the rest: plain, adaptive and entropy-matched."""
    rules = {
        "softmax": softmax,
        "adaptive temperature": adaptive_softmax,
        f"entropy matched to {target:g}": lambda x: entropy_matched_softmax(x, target),
    }
    figure, ax = style.subplots(figsize=(7.5, 3.6))
    for color, (name, rule) in zip(style.PALETTE, rules.items(), strict=False):
        top = [float(measures.top_weight(rule(np.r_[lead, np.zeros(n - 1)]))) for n in sizes]
        ax.semilogx(sizes, top, color=color, base=2)
        at = int(np.searchsorted(-np.array(top), -0.5)) if min(top) < 0.5 else len(sizes) - 1
        side = {"ha": "right", "xytext": (-8, 0)} if name == "softmax" else {}
        style.label_line(ax, sizes[at], top[at], name, color, **side)
    ax.set(xlabel="number of items n", ylabel="top weight", ylim=(-0.02, 1.02))
    ax.set_xticks(
        [2, 16, 128, 1024, 8192, 65536, 2**20],
        ["2", "16", "128", "1,024", "8,192", "65,536", "1,048,576"],
    )
    return style.finish(figure)
