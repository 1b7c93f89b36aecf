"""Figures of a soft lookup: what a lead is worth in company, and what a temperature does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from sharplib import measures, softmax
from sharplib.figures import style


def same_lead(lead: float = 4.0, sizes: Sequence[int] = (4, 16, 64, 256, 1024)) -> Figure:
    """The weights of one item `lead` above the rest, in ever larger company."""
    figure, axes = style.subplots(1, len(sizes), figsize=(9, 2.6), sharey=True)
    shown = 16
    for ax, n in zip(axes, sizes, strict=True):
        p = softmax(np.r_[lead, np.zeros(n - 1)])
        heights = np.r_[p[0], p[1 : min(n, shown)]]
        colors = [style.PALETTE[1]] + [style.PALETTE[0]] * (len(heights) - 1)
        ax.bar(range(len(heights)), heights, color=colors, width=0.8)
        ax.text(0.9, p[0], f" {p[0]:.0%}", va="center", color=style.PALETTE[1], weight="bold")
        ax.set(title=f"n = {n:,}", xlim=(-0.8, shown), ylim=(0, 1.02), xticks=[])
        ax.grid(visible=False)
        if n > shown:
            note = f"… and {n - shown:,} more\nlike these"
            ax.text(shown - 0.5, 0.75, note, ha="right", size=8.5, color=style.MUTED)
    axes[0].set_ylabel("weight")
    return style.finish(figure)


def blurred_value(lead: float = 4.0, sizes: Sequence[int] = (4, 64, 1024), seed: int = 0) -> Figure:
    """Items that store a curve each: what a soft lookup of the leading one brings back."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 2 * np.pi, 200)
    phases = np.r_[0.0, rng.uniform(0, 2 * np.pi, max(sizes) - 1)]
    pitch = np.r_[2.0, rng.integers(1, 6, max(sizes) - 1)]
    curves = np.sin(pitch[:, None] * t + phases[:, None])
    figure, axes = style.subplots(1, len(sizes), figsize=(9, 2.5), sharey=True)
    for ax, n in zip(axes, sizes, strict=True):
        p = softmax(np.r_[lead, np.zeros(n - 1)])
        ax.plot(t, curves[0], color=style.MUTED, lw=1.2, ls="--")
        ax.plot(t, p @ curves[:n], color=style.PALETTE[1])
        ax.set(title=f"n = {n:,}", xticks=[], ylim=(-1.2, 1.2), yticks=[-1, 0, 1])
    axes[0].set_ylabel("value")
    style.label_line(axes[-1], t[-1], curves[0][-1] + 0.35, "stored", style.MUTED)
    style.label_line(axes[-1], t[-1], -0.35, "retrieved", style.PALETTE[1])
    return style.finish(figure)


def temperature_bars(
    scores: Sequence[float], temperatures: Sequence[float] = (0.25, 1.0, 4.0)
) -> Figure:
    """The weights of one row at several temperatures, with entropy and effective support."""
    x = np.asarray(scores, dtype=float)
    figure, axes = style.subplots(1, len(temperatures), figsize=(9, 2.8), sharey=True)
    for ax, theta in zip(axes, temperatures, strict=True):
        p = softmax(x, temperature=theta)
        bars = ax.bar([f"{v:g}" for v in x], p, color=style.PALETTE[0], width=0.7)
        ax.bar_label(bars, fmt="{:.2f}", padding=2, color=style.INK)
        h, support = float(measures.entropy(p)), float(measures.effective_support(p))
        ax.set_title(f"θ = {theta:g}:  H = {h:.2f},  like {support:.1f} items")
        ax.set(ylim=(0, 1.12), xlabel="score")
        ax.grid(axis="x", visible=False)
    axes[0].set_ylabel("weight")
    return style.finish(figure)
