"""The maps with a threshold, for Triton: one program for each row, and the row stays in registers.

A row is read once and written once; Newton's steps in between touch no memory. What is compared is
always ``not y <= threshold``, so that a NaN counts as inside, makes the threshold NaN, and so
reaches its whole row.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def shifted(x_ptr, row, at, n):
    """A row minus its largest entry, as `sharplib.mappings._rows.shifted` has it."""
    x = tl.load(x_ptr + row * n + at, mask=at < n, other=-float("inf"))
    top = tl.max(x, 0)
    top = tl.where(top == -float("inf"), 0.0, top)
    return tl.where(x == top, 0.0, x - top)


@triton.jit
def pull_weighted(u, g_ptr, out_ptr, row, at, n):
    """(diag u - u uᵀ / sum u) g, written."""
    g = tl.load(g_ptr + row * n + at, mask=at < n, other=0.0)
    total = tl.sum(u, 0)
    mean = tl.sum(u * g, 0) / tl.where(total == 0, 1.0, total)
    tl.store(out_ptr + row * n + at, u * (g - mean), mask=at < n)


@triton.jit
def project(y, threshold):
    """One step of Newton on the threshold of sparsemax, and how many items were above it."""
    inside = (y <= threshold) == 0
    count = tl.sum(inside.to(tl.int32), 0)
    total = tl.sum(tl.where(inside, y, 0.0), 0)
    return (total - 1.0) / tl.maximum(count, 1), count


@triton.jit
def sparsemax(x_ptr, p_ptr, n, BLOCK: tl.constexpr):
    row, at = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    y = shifted(x_ptr, row, at, n)
    threshold, size = project(y, -1.0)
    step, moving = 1, True
    while moving:
        threshold, count = project(y, threshold)
        step += 1
        moving = (count != size) & (step < 64)
        size = count
    p = tl.where(y <= threshold, 0.0, y - threshold)
    tl.store(p_ptr + row * n + at, p, mask=at < n)


@triton.jit
def sparsemax_vjp(p_ptr, g_ptr, out_ptr, n, BLOCK: tl.constexpr):
    row, at = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    p = tl.load(p_ptr + row * n + at, mask=at < n, other=0.0)
    pull_weighted((p > 0).to(p.dtype), g_ptr, out_ptr, row, at, n)


@triton.jit
def advance(y, threshold):
    """One step of Newton on the norm of what lies above the threshold of 1.5-entmax."""
    distance = tl.where(y <= threshold, 0.0, y - threshold)
    total = tl.sum(distance, 0)
    norm = tl.sqrt(tl.sum(distance * distance, 0))
    return threshold + (norm - 1.0) * norm / tl.where(total == 0, 1.0, total)


@triton.jit
def entmax15(x_ptr, p_ptr, n, BLOCK: tl.constexpr):
    row, at = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    y = shifted(x_ptr, row, at, n) / 2
    threshold = advance(y, -1.0)
    step, moving = 1, True
    while moving:
        moved = advance(y, threshold)
        step += 1
        moving = (moved > threshold) & (step < 64)
        threshold = tl.where(moving, moved, threshold)
    distance = tl.where(y <= threshold, 0.0, y - threshold)
    p = distance * distance
    total = tl.sum(p, 0)
    tl.store(p_ptr + row * n + at, p / tl.where(total == 0, 1.0, total), mask=at < n)


@triton.jit
def entmax15_vjp(p_ptr, g_ptr, out_ptr, n, BLOCK: tl.constexpr):
    row, at = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    p = tl.load(p_ptr + row * n + at, mask=at < n, other=0.0)
    pull_weighted(tl.sqrt(p), g_ptr, out_ptr, row, at, n)


@triton.jit
def log1p(d):
    """log(1 + d) in float32 for d > -1, to a few units in the last place, near 0 too."""
    bits = (1.0 + d).to(tl.int32, bitcast=True)
    k = (bits - 0x3F3504F3) >> 23  # the mantissa shall be within a factor √2 of 1
    f = tl.where(k == 0, d, (bits - (k << 23)).to(tl.float32, bitcast=True) - 1.0)
    s = f / (2.0 + f)
    z = s * s
    # 2 artanh(s) = 2 s (1 + z/3 + z²/5 + ...); f - s (f - ...) keeps the digits of f.
    series = z * (2 / 3 + z * (2 / 5 + z * (2 / 7 + z * (2 / 9))))
    k = k.to(tl.float32)
    value = k * 0.693359375 + (f - s * (f - series) - k * 2.12194440e-4)
    return tl.where(d == d, value, d)


@triton.jit
def given_top(y, delta, log_top):
    """The weights if the top one is exp(log_top), and their derivatives in log_top."""
    distance = delta * tl.exp(-delta * log_top) * y
    outside = distance <= -1.0
    distance = tl.where(outside, 0.0, distance)
    p = tl.where(outside, 0.0, tl.exp(log_top + log1p(distance) / delta))
    return p, p / (1.0 + distance)


@triton.jit
def expm1(z):
    """exp(z) - 1 in float32, near 0 too."""
    series = 1 + z / 4 * (1 + z / 5 * (1 + z / 6 * (1 + z / 7)))
    near = z * (1 + z / 2 * (1 + z / 3 * series))
    return tl.where(tl.abs(z) < 0.35, near, tl.exp(z) - 1)


@triton.jit
def entmax(x_ptr, alpha_ptr, p_ptr, size_ptr, n, BLOCK: tl.constexpr):
    """For 1 < alpha <= 2, in float32.

    The weights are powers 1/δ of distances to a threshold. The norm of these distances is convex in
    the top one, as for 1.5-entmax, so Newton comes from above. The unknown here is the logarithm of
    the top weight, so that digits last down to δ = 0.
    """
    row, at = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    y = shifted(x_ptr, row, at, n)
    delta = (tl.load(alpha_ptr + row) - 1).to(tl.float32)
    log_top = delta * 0.0
    step, moving = 0, True
    while moving:
        p, slope = given_top(y, delta, log_top)
        total = tl.sum(p, 0)
        total = tl.where(total == 0, 1.0, total)
        slope = tl.sum(slope, 0)
        excess = -expm1(-delta * log1p(total - 1)) * total / tl.where(slope == 0, 1.0, slope)
        moved = tl.minimum(log_top + log1p(-excess) / delta, 0.0)
        step += 1
        moving = (tl.abs(total - 1) > 2e-7 * (1 - log_top)) & (moved != log_top) & (step < 64)
        log_top = tl.where(moving, moved, log_top)
    p, _ = given_top(y, delta, log_top)
    total = tl.sum(p, 0)
    p = p / tl.where(total == 0, 1.0, total)
    tl.store(p_ptr + row * n + at, p, mask=at < n)
    tl.store(size_ptr + row, tl.sum((p > 0).to(tl.int32), 0))


@triton.jit
def entmax_vjp(p_ptr, alpha_ptr, g_ptr, out_ptr, n, BLOCK: tl.constexpr):
    row, at = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    p = tl.load(p_ptr + row * n + at, mask=at < n, other=0.0)
    power = (2 - tl.load(alpha_ptr + row)).to(tl.float32)
    u = tl.where(p > 0, tl.exp(power * tl.log(tl.where(p > 0, p, 1.0))), 0.0)
    pull_weighted(u, g_ptr, out_ptr, row, at, n)
