"""The loops: a row at a time, while it is in the cache, in code that Numba compiles.

Every loop takes matrices of scores or weights, one float64 number per row for every parameter,
then its results, a vector ``odd``, and the rows to work on. It leaves out the rows that are not
ordinary (NaN, +inf, masked throughout, a parameter at its limit) and marks them in ``odd``: the
plain text does those. An ordinary row has a finite maximum; masked items in it are welcome.

Row numbers are float64. Items are in the precision of the scores, and so are sums over a block of
them; blocks are added up in float64. Where plain text that works in float64 needs its digits it is
followed in float64, from a start found in float32.

All of it is in one file because Numba, which keeps what it compiled on disk, looks at the date of
this file alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numba.extending import overload

# Contraction lets a product and a sum round once. Sums may be taken in any order, by `add` alone;
# everything else is done as it is written.
_OPTIONS: Any = {"error_model": "numpy", "fastmath": {"contract"}}
_INLINE: Any = {**_OPTIONS, "forceinline": True}
piece = njit(**_INLINE)


def loop(function: Callable[..., None]) -> Callable[..., None]:
    """Compile at the first call, and keep the result on disk where there is a place for it."""
    try:
        return njit(nogil=True, cache=True, **_OPTIONS)(function)
    except RuntimeError:
        return njit(nogil=True, **_OPTIONS)(function)


@njit(error_model="numpy", fastmath={"contract", "reassoc", "nsz"}, forceinline=True)
def add(total, value):
    """A sum that may be taken in any order, so that it can use vectors."""
    return total + value


# --- elementary functions, written so that the compiler can use vectors for them ----------------


def exp(x):
    """e^x for x <= 0 or small, to one unit in the last place; exactly 0 where that rounds to 0."""


@overload(exp, jit_options=_INLINE)
def _exp(x):
    real, whole, shift, offset = _format(x)
    per_log2, log2_high, log2_low, lowest, highest, turn = _halvings(x, real)

    # 1/k! up to where the next term is below a tenth of a rounding, at |r| <= log(2)/2.
    if x.bitwidth == 32:
        c0, c1, c2, c3, c4, c5, c6, c7 = (real(1 / math.factorial(k)) for k in range(8))

        def series(r):
            return (((((((c7 * r + c6) * r + c5) * r + c4) * r + c3) * r + c2) * r + c1) * r) + c0

    else:
        b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13 = (
            1 / math.factorial(k) for k in range(14)
        )

        def series(r):
            high = ((((((b13 * r + b12) * r + b11) * r + b10) * r + b9) * r + b8) * r + b7) * r + b6
            return (((((high * r + b5) * r + b4) * r + b3) * r + b2) * r + b1) * r + b0

    inner = piece(series)

    def implementation(x):
        x = min(max(x, lowest), highest)
        k = np.rint(x * per_log2)
        p = inner((x - k * log2_high) - k * log2_low)
        n = whole(k)
        half = whole(n >> turn)  # in two steps, the second of which may leave the normal numbers
        first = whole(whole(half + offset) << shift).view(real)
        second = whole(whole(whole(n - half) + offset) << shift).view(real)
        return p * first * second

    return implementation


def _format(x):
    """Of a floating-point type: itself, the integers of its size, and how its exponent is kept."""
    if x.bitwidth == 32:
        return np.float32, np.int32, np.int32(23), np.int32(127)
    return np.float64, np.int64, np.int64(52), np.int64(1023)


def _halvings(x, real):
    """1/log 2; log 2 in two parts; from where to where exp is neither 0 nor infinite; 1."""
    if x.bitwidth == 32:
        high = 0.693359375  # 9 digits, so that its multiples are exact
        return (
            real(1 / math.log(2)), real(high), real(math.log(2) - high), real(-104), real(88),
            np.int32(1),
        )  # fmt: skip
    high = 6.93147180369123816490e-01
    return 1 / math.log(2), high, 1.90821492927058770002e-10, -746.0, 709.0, np.int64(1)


def log(x):
    """log x for x > 0, to two units in the last place."""


@overload(log, jit_options=_INLINE)
def _log(x):
    real, _whole, shift, _offset = _format(x)
    normal = real(np.finfo(real).smallest_normal)
    lift, lifted = real(2.0 ** int(shift)), real(int(shift))
    one, zero = real(1), real(0)

    def implementation(x):
        low = x < normal
        x = x * lift if low else x
        return log_of(x, x - one, False) - (lifted * real(math.log(2)) if low else zero)

    return implementation


def log1p(x):
    """log(1 + x) for x > -1, to a few units in the last place, near 0 too."""


@overload(log1p, jit_options=_INLINE)
def _log1p(x):
    real = _format(x)[0]
    one = real(1)

    def implementation(x):
        return log_of(one + x, x, True)

    return implementation


def log_of(u, f, exact):
    """log u for u = 1 + f: f is used where it is exact and u within a factor √2 of 1."""


@overload(log_of, jit_options=_INLINE)
def _log_of(u, f, exact):
    real, whole, shift, _offset = _format(u)
    root = np.array([math.sqrt(0.5)], dtype=real).view(whole)[0]
    one, two = real(1), real(2)
    high = 0.693359375 if u.bitwidth == 32 else 6.93147180369123816490e-01
    low = real(math.log(2) - high if u.bitwidth == 32 else 1.90821492927058770002e-10)
    high = real(high)

    # 2 artanh(s) = 2 s (1 + s²/3 + s⁴/5 + ...), |s| <= 0.172.
    if u.bitwidth == 32:
        a1, a2, a3, a4 = (real(2 / (2 * k + 1)) for k in range(1, 5))

        def series(z):
            return (((a4 * z + a3) * z + a2) * z + a1) * z

    else:
        b1, b2, b3, b4, b5, b6, b7, b8, b9, b10 = (2 / (2 * k + 1) for k in range(1, 11))

        def series(z):
            upper = ((((b10 * z + b9) * z + b8) * z + b7) * z + b6) * z
            return (((((upper + b5) * z + b4) * z + b3) * z + b2) * z + b1) * z

    inner = piece(series)

    def implementation(u, f, exact):
        bits = whole(real(u).view(whole))
        n = whole(whole(bits - root) >> shift)
        mantissa = whole(bits - whole(n << shift)).view(real)
        f = f if exact and n == 0 else mantissa - one
        s = f / (two + f)
        k = real(n)
        # f - s (f - ...) keeps the digits of f.
        return k * high + (f - s * (f - inner(s * s)) + k * low)

    return implementation


def expm1(x):
    """e^x - 1 for x <= 0, to a few units in the last place, near 0 too."""


@overload(expm1, jit_options=_INLINE)
def _expm1(x):
    real = _format(x)[0]
    one, least = real(1), real(-0.5)

    # 1/k! as in `exp`, at |r| <= 1/2
    if x.bitwidth == 32:
        c1, c2, c3, c4, c5, c6, c7, c8 = (real(1 / math.factorial(k)) for k in range(1, 9))

        def series(r):
            high = ((((c8 * r + c7) * r + c6) * r + c5) * r + c4) * r + c3
            return (high * r + c2) * (r * r) + r * c1

    else:
        b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15 = (
            1 / math.factorial(k) for k in range(1, 16)
        )

        def series(r):
            top = (((((b15 * r + b14) * r + b13) * r + b12) * r + b11) * r + b10) * r + b9
            high = ((((((top * r + b8) * r + b7) * r + b6) * r + b5) * r + b4) * r) + b3
            return (high * r + b2) * (r * r) + r * b1

    inner = piece(series)

    def implementation(x):
        near, far = inner(max(x, least)), exp(x) - one
        return near if x > least else far

    return implementation


def sin_cos(x, quarters):
    """sin and cos of x + quarters π/2, for x up to 1e5, to a few units in the last place of 1."""


@overload(sin_cos, jit_options=_INLINE)
def _sin_cos(x, quarters):
    real, whole, _shift, _offset = _format(x)
    one, two, nothing = whole(1), whole(2), whole(0)
    turns = 2 / math.pi
    # A quarter of the circle in two parts, the first of 33 digits: its multiples are exact.
    high, low = 1.57079632673412561417e00, 6.07710050650619224932e-11

    # The series of sin r / r and of cos r in r², at |r| <= π/4.
    if x.bitwidth == 32:
        s1, s2, s3, s4 = (real((-1) ** k / math.factorial(2 * k + 1)) for k in range(1, 5))
        c1, c2, c3, c4, c5 = (real((-1) ** k / math.factorial(2 * k)) for k in range(1, 6))
        unit = real(1)

        def series(r):
            z = r * r
            s = (((s4 * z + s3) * z + s2) * z + s1) * z
            c = ((((c5 * z + c4) * z + c3) * z + c2) * z + c1) * z
            return r + r * s, unit + c

    else:
        a1, a2, a3, a4, a5, a6, a7, a8 = (
            (-1) ** k / math.factorial(2 * k + 1) for k in range(1, 9)
        )
        b1, b2, b3, b4, b5, b6, b7, b8 = ((-1) ** k / math.factorial(2 * k) for k in range(1, 9))

        def series(r):
            z = r * r
            s = (((((((a8 * z + a7) * z + a6) * z + a5) * z + a4) * z + a3) * z + a2) * z + a1) * z
            c = (((((((b8 * z + b7) * z + b6) * z + b5) * z + b4) * z + b3) * z + b2) * z + b1) * z
            return r + r * s, 1.0 + c

    inner = piece(series)

    def implementation(x, quarters):
        wide = float(x)
        k = np.rint(wide * turns + quarters)
        rest = k - quarters
        s, c = inner(real((wide - rest * high) - rest * low))
        n = whole(k)
        odd = whole(n & one) != nothing
        first = c if odd else s
        second = s if odd else c
        first = -first if whole(n & two) != nothing else first
        second = -second if whole(whole(n + one) & two) != nothing else second
        return first, second

    return implementation


# --- pieces of rows ------------------------------------------------------------------------------


def top(x):
    """The largest item, as float64; NaN if there is a NaN among the items."""


@overload(top, jit_options=_INLINE)
def _top(x):
    real, whole, _shift, _offset = _format(x.dtype)
    sign = whole(np.iinfo(whole).bits - 1)
    rest = np.iinfo(whole).max
    least, rest = whole(np.iinfo(whole).min), whole(rest)
    infinity = np.array([math.inf], dtype=real).view(whole)[0]
    below = whole(~infinity)

    def implementation(x):
        # As integers, with the negative ones turned over, floating-point numbers keep their order,
        # and the largest and the smallest tell of any NaN.
        bits = x.view(whole)
        high, low = least, rest
        for i in range(bits.size):
            b = bits[i]
            key = whole(b ^ whole(whole(b >> sign) & rest))
            high = whole(max(high, key))
            low = whole(min(low, key))
        if high > infinity or low < below:
            return np.nan
        return float(whole(high ^ whole(whole(high >> sign) & rest)).view(real))

    return implementation


@njit(**_OPTIONS)
def least_above(keys, bound, most):
    """The smallest of the keys above the bound."""
    least = most
    for i in range(keys.size):
        key = keys[i]
        key = key if key > bound else most
        least = min(least, key)
    return least


@njit(**_OPTIONS)
def greatest_upto(keys, bound, least):
    """The largest of the keys that are not above the bound."""
    greatest = least
    for i in range(keys.size):
        key = keys[i]
        key = key if key <= bound else least
        greatest = max(greatest, key)
    return greatest


def ranked(x, place, keys):
    """The item at a place in ascending order, counted from 0, and the one behind it or itself."""


@overload(ranked, jit_options=_INLINE)
def _ranked(x, place, keys):
    real, whole, _shift, _offset = _format(x.dtype)
    sign = whole(np.iinfo(whole).bits - 1)
    least, rest = whole(np.iinfo(whole).min), whole(np.iinfo(whole).max)

    def implementation(x, place, keys):
        bits, order = x.view(whole), keys.view(whole)
        n = bits.size
        low, high = rest, least
        for i in range(n):
            b = bits[i]
            key = whole(b ^ whole(whole(b >> sign) & rest))
            order[i] = key
            low, high = whole(min(low, key)), whole(max(high, key))
        count = n  # how many are <= high
        while low < high:
            middle = whole((low & high) + whole(whole(low ^ high) >> whole(1)))  # no overflow
            upto = np.int32(0)  # narrow, for wide vectors
            for i in range(n):
                upto = np.int32(upto + np.int32(order[i] <= middle))
            if upto == place + 1:  # it parts the items where they are to be parted
                count = upto
                low = high = greatest_upto(order, middle, least)
            elif upto > place:
                high, count = middle, upto
            else:
                low = whole(middle + whole(1))
        behind = whole(low)
        if count == place + 1 and count < n:
            behind = least_above(order, low, rest)
        first = whole(low ^ whole(whole(low >> sign) & rest)).view(real)
        second = whole(behind ^ whole(whole(behind >> sign) & rest)).view(real)
        return first, second

    return implementation


def type_as(like, value):
    """A number in the precision of another."""


@overload(type_as, jit_options=_INLINE)
def _type_as(like, value):
    real = _format(like)[0]
    return lambda like, value: real(value)


# A sum over so many items may be in their precision: with 16 numbers at a time each of these is a
# sum of 32, which loses less than a rounding or two.
_BLOCK = 512


@piece
def block(start, n):
    """The places of a block; unsigned, because such are not tried for counting from the end."""
    return range(np.uintp(start), np.uintp(min(start + _BLOCK, n)))


@piece
def divide(p, total):
    share = p.dtype.type(1 / total)
    for i in range(p.size):
        p[i] *= share


@piece
def weigh(x, m, scale, p):
    """exp(scale (x - m)), divided by its sum."""
    total = 0.0
    for start in range(0, x.size, _BLOCK):
        part = x.dtype.type(0)
        for i in block(start, x.size):
            e = exp((x[i] - m) * scale)
            p[i] = e
            part = add(part, e)
        total += part
    divide(p, total)


@piece
def dot(p, g):
    total = 0.0
    for start in range(0, p.size, _BLOCK):
        part = p.dtype.type(0)
        for i in block(start, p.size):
            part = add(part, p[i] * g[i])
        total += part
    return total


@piece
def below(cut, real):
    """A number of the items' precision that is surely below the cut."""
    return np.nextafter(real(cut), real(-np.inf))


@piece
def room_for(x):
    """Where `crests` and `collect` write, and at the end the weights of the items that were kept.

    These have a place of their own because a loop that may read what it writes uses no vectors.
    """
    n = x.shape[1] + 16
    best, parts = np.empty(n // 16 + 16, x.dtype), np.empty(n // 16 + 16, np.uint32)
    return best, parts, np.empty(n, x.dtype), np.empty(n, np.uint32), np.empty(n, x.dtype)


@piece
def crests(x, best):
    """The largest of every 16 items that lie a 16th of the row apart, then what is left over.

    Returns how many that are. A threshold that fits them is not above that of all items, which is
    often so near that the items above it are no more than those that weigh something.
    """
    width = np.uintp(x.size // 16)
    for j in range(width):
        most = x[j]
        for k in range(1, 16):
            value = x[j + np.uintp(k) * width]
            most = value if value > most else most
        best[j] = most
    for j in range(np.uintp(16) * width, np.uintp(x.size)):
        best[j - np.uintp(15) * width] = x[j]
    return x.size - 15 * (x.size // 16)


@piece
def collect(x, best, cut, parts, kept, place):
    """Copy the items above the cut, and where they are; how many, or -1 if it is most of them.

    Up to the next multiple of 16, so that vectors can do all of them, masked items follow.
    """
    width, hits = np.uintp(x.size // 16), np.uintp(0)
    for j in range(np.uintp(best.size)):
        parts[hits] = j
        hits += np.uintp(best[j] > cut)
    if hits == best.size:
        return -1
    k = np.uintp(0)
    for hit in range(hits):
        j = np.uintp(parts[hit])
        for step in range(16 if j < width else 1):
            i = j + np.uintp(step if j < width else 15) * width
            value = x[i]
            kept[k], place[k] = value, i
            k += np.uintp(value > cut)
    for i in range(k, upto(k)):
        kept[i] = -np.inf
    return int(k)


@piece
def upto(k):
    """The next multiple of 16."""
    return (np.uintp(k) + np.uintp(15)) // np.uintp(16) * np.uintp(16)


@piece
def scatter(weights, place, count, p):
    """Put weights where they belong, and 0 elsewhere."""
    for i in range(p.size):
        p[i] = 0
    for i in range(count):
        p[place[i]] = weights[i]


@piece
def pull_weighted(u, g, factor):
    """factor u (g - mean of g under u), in place of u."""
    real = u.dtype.type
    total = along = 0.0
    for start in range(0, u.size, _BLOCK):
        some = part = real(0)
        for i in block(start, u.size):
            some = add(some, u[i])
            part = add(part, u[i] * g[i])
        total += some
        along += part
    mean = real(along / total if total != 0 else along)
    scale = real(factor)
    for i in range(u.size):
        u[i] = u[i] * (g[i] - mean) * scale
    return float(mean)


# --- softmax and what is a softmax of something --------------------------------------------------


@loop
def softmax(x, p, odd, start, stop, temperature):
    real = x.dtype.type
    scale = real(1 / temperature)
    for r in range(start, stop):
        m = top(x[r])
        if math.isfinite(m) and 0 < scale < np.inf:
            weigh(x[r], real(m), scale, p[r])
        else:
            odd[r] = True


@loop
def softmax_vjp(p, g, out, odd, start, stop, temperature):
    real = p.dtype.type
    scale = real(1 / temperature)
    for r in range(start, stop):
        mean = real(dot(p[r], g[r]))
        for i in range(p.shape[1]):
            out[r, i] = p[r, i] * (g[r, i] - mean) * scale


@loop
def centred(p, g, out, odd, start, stop):
    """p (g - <p, g>)"""
    for r in range(start, stop):
        mean = p.dtype.type(dot(p[r], g[r]))
        for i in range(p.shape[1]):
            out[r, i] = p[r, i] * (g[r, i] - mean)


@loop
def sink_softmax(x, sink, p, spare, odd, start, stop):
    real = x.dtype.type
    for r in range(start, stop):
        m = top(x[r])
        if not (math.isfinite(m) and math.isfinite(sink[r])):
            odd[r] = True
            continue
        m = max(m, sink[r])
        rest = math.exp(sink[r] - m)
        total, highest = rest, real(m)
        for begin in range(0, x.shape[1], _BLOCK):
            part = real(0)
            for i in block(begin, x.shape[1]):
                e = exp(x[r, i] - highest)
                p[r, i] = e
                part = add(part, e)
            total += part
        divide(p[r], total)
        spare[r] = rest / total


@loop
def sink_softmax_vjp(p, spare, g, by_spare, out, by_sink, odd, start, stop):
    for r in range(start, stop):
        mean = dot(p[r], g[r]) + spare[r] * by_spare[r]
        middle = p.dtype.type(mean)
        for i in range(p.shape[1]):
            out[r, i] = p[r, i] * (g[r, i] - middle)
        by_sink[r] = spare[r] * (by_spare[r] - mean)


@loop
def scaled(x, scale, y, odd, start, stop):
    real = x.dtype.type
    low = real(-np.inf)
    for r in range(start, stop):
        m, factor = top(x[r]), real(scale[r])
        if not (math.isfinite(m) and math.isfinite(factor)):
            odd[r] = True
            continue
        m = real(m)
        for i in range(x.shape[1]):
            value = x[r, i] - m
            y[r, i] = factor * value if value > low else low


@loop
def scaled_vjp(x, scale, g, by_x, by_scale, odd, start, stop):
    real = x.dtype.type
    low, zero = real(-np.inf), real(0)
    for r in range(start, stop):
        m, factor = top(x[r]), real(scale[r])
        if not (math.isfinite(m) and math.isfinite(factor)):
            odd[r] = True
            continue
        m, total = real(m), 0.0
        for i in range(x.shape[1]):
            value = x[r, i] - m
            there = value > low
            grad = g[r, i] if there else zero
            by_x[r, i] = factor * grad
            total = add(total, grad * (value if there else zero))
        by_scale[r] = total


@piece
def horner(coefficients, at):
    value = 0.0
    for k in range(coefficients.size):
        value = value * at + coefficients[k]
    return value


@piece
def first_moments(x, m, powers):
    """e = exp(y) for y = x - m, and the sums of e and of e y."""
    zero, low = x.dtype.type(0), x.dtype.type(-np.inf)
    total = along = 0.0
    for start in range(0, x.size, _BLOCK):
        some = part = zero
        for i in block(start, x.size):
            y = x[i] - m
            e = exp(y)
            powers[i] = e
            some = add(some, e)
            part = add(part, e * (y if y > low else zero))
        total += some
        along += part
    return total, along


@loop
def adaptive(x, p, odd, start, stop, coefficients, gate):
    real = x.dtype.type
    for r in range(start, stop):
        m = top(x[r])
        if not math.isfinite(m):
            odd[r] = True
            continue
        total, along = first_moments(x[r], real(m), p[r])
        entropy = math.log(total) - along / total
        wanted = horner(coefficients, entropy)
        beta = wanted if entropy > gate and wanted > 1 else 1.0
        weigh(x[r], real(m), real(beta), p[r])


@loop
def adaptive_vjp(x, g, out, odd, start, stop, coefficients, gate):
    real = x.dtype.type
    zero, low = real(0), real(-np.inf)
    degree = coefficients.size - 1
    powers = np.empty(x.shape[1], x.dtype)
    for r in range(start, stop):
        m = top(x[r])
        if not math.isfinite(m):
            odd[r] = True
            continue
        m = real(m)
        total, along = first_moments(x[r], m, powers)
        entropy = math.log(total) - along / total
        wanted, slope = horner(coefficients, entropy), 0.0
        acts = entropy > gate and wanted > 1
        if acts:
            for k in range(degree):
                slope = slope * entropy + coefficients[k] * (degree - k)
        beta = real(wanted if acts else 1.0)
        # Sums of e, e g, e y and e y g at the inverse temperature, and e itself in `out`.
        se = sg = sy = sb = 0.0
        for begin in range(0, x.shape[1], _BLOCK):
            pe = pg = py = pb = zero
            for i in block(begin, x.shape[1]):
                y = x[r, i] - m
                e = exp(beta * y)
                out[r, i] = e
                ey = e * (y if y > low else zero)
                pe = add(pe, e)
                pg = add(pg, e * g[r, i])
                py = add(py, ey)
                pb = add(pb, ey * g[r, i])
            se += pe
            sg += pg
            sy += py
            sb += pb
        mean = sg / se
        through = real((sb - mean * sy) / se * slope / total)
        shift, share, mean = real(entropy - math.log(total)), real(float(beta) / se), real(mean)
        for i in range(x.shape[1]):
            y = x[r, i] - m
            by_entropy = through * powers[i] * ((y if y > low else zero) + shift)
            out[r, i] = out[r, i] * share * (g[r, i] - mean) - by_entropy


@piece
def moments(x, m, beta, floor):
    """Of z = beta (x - m), not below the floor: the sums of e^z, e^z z and e^z z²."""
    s0 = s1 = s2 = 0.0
    for start in range(0, x.size, _BLOCK):
        p0 = p1 = p2 = floor - floor
        for i in block(start, x.size):
            z = max((x[i] - m) * beta, floor)
            e = exp(z)
            ez = e * z
            p0 = add(p0, e)
            p1 = add(p1, ez)
            p2 = add(p2, ez * z)
        s0 += p0
        s1 += p1
        s2 += p2
    return s0, s1, s2


_GONE = 800.0  # an item this far down weighs exp(-800), which is 0


@piece
def solve_matched(x, m, goal, gap, single):
    """log beta such that the entropy is the goal, by Newton inside a bracket."""
    real = x.dtype.type
    rounding = 4 * np.finfo(np.float64).eps
    low, high = 0.0, math.log(_GONE / min(gap, _GONE))
    at = min(high, 1.0)
    if single:  # a start, in the precision of the scores
        for _ in range(8):
            s0, s1, s2 = moments(x, real(m), real(math.exp(at)), real(-_GONE))
            variance = s2 / s0 - (s1 / s0) ** 2
            if not (variance > 0 and s1 < 0):
                break
            entropy = math.log(s0) - s1 / s0
            step = math.log(entropy / goal) * entropy / variance
            step = min(max(step, -2.0), 2.0)
            at = min(max(at + step, low), high)
            if abs(step) < 1e-2:
                break
    for _ in range(64):
        s0, s1, s2 = moments(x, m, math.exp(at), -_GONE)
        excess = math.log(s0) - s1 / s0 - goal
        variance = s2 / s0 - (s1 / s0) ** 2
        if excess > 0:
            low = at
        else:
            high = at
        newton = at + excess / (variance if variance > 0 else 1.0)
        inside = low < newton < high and variance > 0
        moved = newton if inside else (low + high) / 2
        if abs(excess) <= rounding * goal or moved == at or newton == at:
            break
        near = single and inside and abs(newton - at) < 1e-4  # the next error is its square
        at = moved
        if near:
            break
    return at


@loop
def matched(x, target, p, beta, odd, start, stop):
    real = x.dtype.type
    single, zero = x.itemsize == 4, real(0)
    tie, far = real(_GONE / np.finfo(np.float64).max * 1e3), real(np.inf)
    for r in range(start, stop):
        m, goal = top(x[r]), target[r]
        if not (math.isfinite(m) and goal >= 0):
            odd[r] = True
            continue
        ties, gap = 0, far
        for i in range(x.shape[1]):
            y = real(m) - x[r, i]
            tied = y <= tie
            ties += tied
            gap = min(gap, far if tied else y)
        log_beta, alone = 0.0, False
        if goal <= math.log(ties):
            log_beta = np.inf
        if single:
            s0, s1, _ = moments(x[r], real(m), real(1), real(-_GONE))
        if not single or math.log(s0) - s1 / s0 < 1.001 * goal:
            s0, s1, _ = moments(x[r], m, 1.0, -_GONE)
            alone = math.log(s0) - s1 / s0 <= goal
        if alone:
            log_beta = 0.0
        elif log_beta == 0:
            log_beta = solve_matched(x[r], m, goal, float(gap), single)
        beta[r] = math.exp(log_beta)
        odd[r] = log_beta < np.inf and not real(beta[r]) < np.inf
        # Sums in float64 here and in the backward pass: a large beta multiplies what they lose.
        scale, total = real(beta[r]), 0.0
        for i in range(x.shape[1]):
            y = x[r, i] - real(m)
            e = exp(y * scale if -y > tie else zero)
            p[r, i] = e
            total = add(total, e)
        divide(p[r], total)


@loop
def matched_vjp(p, beta, g, by_beta, out, by_target, odd, start, stop):
    real = p.dtype.type
    zero, one = real(0), real(1)
    for r in range(start, stop):
        finite = beta[r] if math.isfinite(beta[r]) else 0.0
        mean_log = mean = 0.0
        for i in range(p.shape[1]):
            w = p[r, i]
            value = log(w if w > zero else one)
            out[r, i] = value
            mean_log = add(mean_log, w * value)
            mean = add(mean, w * g[r, i])
        centre, middle = real(mean_log), real(mean)
        variance = along = 0.0
        for i in range(p.shape[1]):
            pc = p[r, i] * (out[r, i] - centre)
            variance = add(variance, pc * (out[r, i] - centre))
            along = add(along, pc * (g[r, i] - middle))
        active = beta[r] > 1 and math.isfinite(beta[r]) and variance > 0
        along = (along + finite * by_beta[r]) / variance if active else 0.0
        step, scale = real(along), real(finite)
        for i in range(p.shape[1]):
            out[r, i] = scale * p[r, i] * (g[r, i] - middle - step * (out[r, i] - centre))
        by_target[r] = -along


@loop
def power(x, alpha, p, odd, start, stop):
    real = x.dtype.type
    zero, one, low = real(0), real(1), real(-np.inf)
    for r in range(start, stop):
        m, scale = top(x[r]), real(alpha[r])
        if not (math.isfinite(m) and m > 0 and scale > 0):
            odd[r] = True
            continue
        m = log(real(m))
        total = 0.0
        for begin in range(0, x.shape[1], _BLOCK):
            part = zero
            for i in block(begin, x.shape[1]):
                positive = x[r, i] > zero
                y = log(x[r, i] if positive else one) - m
                e = exp(scale * y if positive else low)
                p[r, i] = e
                part = add(part, e)
            total += part
        divide(p[r], total)


@loop
def power_vjp(x, alpha, p, g, by_x, by_alpha, odd, start, stop):
    real = x.dtype.type
    zero, one = real(0), real(1)
    for r in range(start, stop):
        mean, scale, total = real(dot(p[r], g[r])), real(alpha[r]), 0.0
        for i in range(x.shape[1]):
            v = p[r, i] * (g[r, i] - mean)
            positive = not x[r, i] <= zero
            safe = x[r, i] if positive else one
            weight = p[r, i]
            total = add(total, log(weight if weight > zero else one) * v)
            by_x[r, i] = scale * v / safe if positive else zero
        by_alpha[r] = total / alpha[r]


@piece
def bend(x, r0, r1, c0, c1, p):
    """The modulation of order 1; what is masked stays so."""
    zero, low = x.dtype.type(0), x.dtype.type(-np.inf)
    for i in range(x.size):
        value = x[i]
        bent = value + c0 * max(r0 - value, zero) + c1 * max(value - r1, zero)
        p[i] = bent if value > low else low


@piece
def bend_more(x, r2, r3, c2, c3, p):
    """What order 2 adds."""
    zero, low = x.dtype.type(0), x.dtype.type(-np.inf)
    for i in range(x.size):
        down, up = max(r2 - x[i], zero), max(x[i] - r3, zero)
        p[i] = p[i] + c2 * down * down + c3 * up * up if x[i] > low else low


@loop
def multimax(x, thresholds, coefficients, p, odd, start, stop):
    real = x.dtype.type
    r0, r1 = real(thresholds[0]), real(thresholds[1])
    c0, c1 = real(coefficients[0]), real(coefficients[1])
    bent = np.empty(x.shape[1], x.dtype)
    for r in range(start, stop):
        if not math.isfinite(top(x[r])):
            odd[r] = True
            continue
        bend(x[r], r0, r1, c0, c1, bent)
        if thresholds.size == 4:
            r2, r3 = real(thresholds[2]), real(thresholds[3])
            bend_more(x[r], r2, r3, real(coefficients[2]), real(coefficients[3]), bent)
        m = top(bent)
        if math.isfinite(m):
            weigh(bent, real(m), real(1), p[r])
        else:
            odd[r] = True


@loop
def multimax_vjp(x, thresholds, coefficients, p, g, by_x, parts, odd, start, stop):
    real = x.dtype.type
    zero, one, two, low = real(0), real(1), real(2), real(-np.inf)
    count = thresholds.size
    for r in range(start, stop):
        mean = real(dot(p[r], g[r]))
        for i in range(x.shape[1]):
            by_x[r, i] = p[r, i] * (g[r, i] - mean)
        for k in range(count - 1, -1, -1):
            sign, at, c = (one if k % 2 else -one), real(thresholds[k]), real(coefficients[k])
            moved_sum = along_sum = 0.0
            for i in range(x.shape[1]):
                value = x[r, i] if abs(x[r, i]) < -low else zero
                gap = max(sign * (value - at), zero)
                pulled = p[r, i] * (g[r, i] - mean)
                inside = pulled if gap > zero else zero
                along = inside * gap
                moved = c * (two * along if k >= 2 else inside)
                by_x[r, i] += sign * moved
                moved_sum = add(moved_sum, moved)
                along_sum = add(along_sum, along * gap if k >= 2 else along)
            parts[r, k] = -float(sign) * moved_sum
            parts[r, count + k] = along_sum


@loop
def softpick(x, p, odd, start, stop):
    real = x.dtype.type
    zero, low = real(0), real(-np.inf)
    tiny = 4 * np.finfo(x.dtype).tiny  # below it the division overflows
    for r in range(start, stop):
        m = top(x[r])
        if not math.isfinite(m):
            odd[r] = True
            continue
        m = real(max(m, 0.0))
        floor, total = exp(-m), 0.0
        for i in range(x.shape[1]):
            value = x[r, i] if x[r, i] > low else zero
            fall = -expm1(-abs(value))
            above = exp(value - m) * fall
            positive = value > zero
            p[r, i] = above if positive else zero
            total = add(total, above if positive else floor * fall)
        odd[r] = 0 < total < tiny
        divide(p[r], total if total != 0 else 1.0)


@loop
def softpick_vjp(x, g, out, odd, start, stop):
    real = x.dtype.type
    zero, low = real(0), real(-np.inf)
    tiny = 4 * np.finfo(x.dtype).tiny  # below it the division overflows
    for r in range(start, stop):
        m = top(x[r])
        if not math.isfinite(m):
            odd[r] = True
            continue
        m = real(max(m, 0.0))
        floor, total, along = exp(-m), 0.0, 0.0
        for i in range(x.shape[1]):
            value = x[r, i] if x[r, i] > low else zero
            fall = -expm1(-abs(value))
            e = exp(value - m)
            positive = value > zero
            above = e * fall if positive else zero
            out[r, i] = e
            total = add(total, above if positive else floor * fall)
            along = add(along, above * g[r, i])
        odd[r] = 0 < total < tiny
        total = total if total != 0 else 1.0
        mean, share = real(along / total), real(1 / total)
        for i in range(x.shape[1]):
            value = x[r, i] if x[r, i] > low else zero
            slope = g[r, i] - mean if value > zero else (mean if value < zero else zero)
            out[r, i] = out[r, i] * share * slope


@loop
def topk(x, p, odd, start, stop, k):
    real = x.dtype.type
    _zero, n = real(0), x.shape[1]
    for r in range(start, stop):
        m = top(x[r])
        if not math.isfinite(m):
            odd[r] = True
            continue
        m = real(m)
        last = ranked(x[r], n - k, p[r])[0] - m
        room, total = k, 0.0
        for i in range(n):
            room -= x[r, i] - m > last
        for i in range(n):
            y = x[r, i] - m
            tied = y == last
            keep = y > last or (tied and room > 0)
            room -= tied
            p[r, i] = y if keep else real(-np.inf)
        for i in range(n):
            e = exp(p[r, i])
            p[r, i] = e
            total = add(total, e)
        divide(p[r], total)


@loop
def ev_softmax(x, p, odd, start, stop):
    real = x.dtype.type
    zero = real(0)
    for r in range(start, stop):
        m = top(x[r])
        if not math.isfinite(m):
            odd[r] = True
            continue
        count, mean, total = 0, 0.0, 0.0
        for i in range(x.shape[1]):
            y = x[r, i] - m
            count += x[r, i] > -np.inf
            mean = add(mean, y if x[r, i] > -np.inf else 0.0)
        if not math.isfinite(mean):
            odd[r] = True
            continue
        mean = mean / count
        for i in range(x.shape[1]):
            y = x[r, i] - m
            e = exp(real(y))
            e = e if y >= mean else zero
            p[r, i] = e
            total = add(total, e)
        divide(p[r], total)


# --- maps with a threshold -----------------------------------------------------------------------


@piece
def project(x, m, scale, threshold, steps):
    """τ and the size of the support of sparsemax(scale (x - m)), from a τ that is not too high."""
    size = 0
    for _ in range(steps):
        count, total = 0, 0.0
        for i in range(x.size):
            y = (x[i] - m) * scale
            inside = y > threshold
            count += inside
            total = add(total, y if inside else 0.0)
        threshold = (total - 1) / count
        if count == size:
            break
        size = count
    return threshold, size


@piece
def above(x, m, scale, threshold, p):
    for i in range(x.size):
        p[i] = max((x[i] - m) * scale - threshold, 0.0)


@piece
def project_row(x, m, scale, p, room):
    """Sparsemax of scale (x - m), and the size of its support."""
    best, parts, kept, place, weights = room
    count = crests(x, best)
    low, _ = project(best[:count], m, scale, -1.0, 3)
    low -= _ROUNDED
    count = collect(x, best[:count], below(m + low / scale, x.dtype.type), parts, kept, place)
    near, out = (x, p) if count < 0 else (kept[: upto(count)], weights)
    threshold, size = project(near, m, scale, low, 64)
    above(near, m, scale, threshold, out)
    if count >= 0:
        scatter(weights, place, count, p)
    return size


# What rounding may have added to a threshold between -1 and 0.
_ROUNDED = 1e-12


@piece
def pull_projection(p, g, scale, out):
    """scale (g - mean of g) on the support, and that against p."""
    real = p.dtype.type
    for i in range(p.size):
        out[i] = real(p[i] > 0)
    pull_weighted(out, g, scale)
    return dot(out, p)


@loop
def sparsemax(x, p, odd, start, stop):
    room = room_for(x)
    for r in range(start, stop):
        m = top(x[r])
        if math.isfinite(m):
            project_row(x[r], m, 1.0, p[r], room)
        else:
            odd[r] = True


@loop
def sparsemax_vjp(p, g, out, odd, start, stop):
    real = p.dtype.type
    zero = real(0)
    for r in range(start, stop):
        size, along = np.int32(0), 0.0
        for i in range(p.shape[1]):
            inside = p[r, i] > zero
            size = np.int32(size + np.int32(inside))
            along = add(along, real(inside) * g[r, i])
        mean = real(along / max(size, 1))
        for i in range(p.shape[1]):
            out[r, i] = real(p[r, i] > zero) * (g[r, i] - mean)


@loop
def sparsegen(x, lam, p, size, odd, start, stop):
    room = room_for(x)
    for r in range(start, stop):
        m, scale = top(x[r]), 1 / (1 - lam[r])
        if math.isfinite(m) and 0 < scale < np.inf:
            size[r] = project_row(x[r], m, scale, p[r], room)
        else:
            odd[r] = True


@loop
def sparsegen_vjp(p, lam, g, out, by_lam, odd, start, stop):
    for r in range(start, stop):
        by_lam[r] = pull_projection(p[r], g[r], 1 / (1 - lam[r]), out[r])


@piece
def mean_and_count(x):
    """The mean and the number of the finite scores."""
    count, mean = 0, 0.0
    for i in range(x.size):
        count += x[i] > -np.inf
    for i in range(x.size):
        value = x[i] / np.float64(count)
        mean = add(mean, value if value > -np.inf else 0.0)
    return mean, count


@loop
def sparsehourglass(x, width, p, size, odd, start, stop):
    room = room_for(x)
    for r in range(start, stop):
        m = top(x[r])
        if not (math.isfinite(m) and width[r] > 0):
            odd[r] = True
            continue
        mean, count = mean_and_count(x[r])
        scale = (1 / count + width[r]) / (abs(mean) + width[r])
        if 0 < scale < np.inf:
            size[r] = project_row(x[r], m, scale, p[r], room)
        else:
            odd[r] = True


@loop
def sparsehourglass_vjp(p, x, width, g, out, by_width, odd, start, stop):
    real = p.dtype.type
    zero, low = real(0), real(-np.inf)
    for r in range(start, stop):
        if not math.isfinite(top(x[r])):
            odd[r] = True
            continue
        mean, count = mean_and_count(x[r])
        above, under = 1 / count + width[r], abs(mean) + width[r]
        along = pull_projection(p[r], g[r], 1.0, out[r])
        by_mean = real(-along * np.sign(mean) / under / count)
        scale = real(above / under)
        for i in range(x.shape[1]):
            out[r, i] = scale * out[r, i] + by_mean if x[r, i] > low else zero
        by_width[r] = along * (1 / above - 1 / under)


@piece
def settle15(x, m, threshold, steps):
    """τ of 1.5-entmax, from one that is not too high, and the sum of the weights before that."""
    square = 1.0
    for _ in range(steps):
        total = square = 0.0
        for i in range(x.size):
            distance = max((x[i] - m) / 2 - threshold, 0.0)
            total = add(total, distance)
            square = add(square, distance * distance)
        norm = math.sqrt(square)
        moved = threshold + (norm - 1) * norm / total
        if not moved > threshold:
            break
        threshold = moved
    return threshold, square


@piece
def squares_above(x, m, threshold, share, p):
    for i in range(x.size):
        distance = max((x[i] - m) / 2 - threshold, 0.0)
        p[i] = distance * distance * share


@loop
def entmax15(x, p, odd, start, stop):
    real = x.dtype.type
    best, parts, kept, place, weights = room_for(x)
    for r in range(start, stop):
        m = top(x[r])
        if not math.isfinite(m):
            odd[r] = True
            continue
        count = crests(x[r], best)
        low, _ = settle15(best[:count], m, -1.0, 3)
        low -= _ROUNDED
        count = collect(x[r], best[:count], below(m + 2 * low, real), parts, kept, place)
        near, out = (x[r], p[r]) if count < 0 else (kept[: upto(count)], weights)
        threshold, square = settle15(near, m, low, 64)
        squares_above(near, m, threshold, 1 / square, out)
        if count >= 0:
            scatter(weights, place, count, p[r])


@loop
def entmax15_vjp(p, g, out, odd, start, stop):
    for r in range(start, stop):
        for i in range(p.shape[1]):
            out[r, i] = np.sqrt(p[r, i])
        pull_weighted(out[r], g[r], 1.0)


@piece
def given_top(y, one, zero, per_delta, factor, log_top):
    """The weight at y if the top one is exp(log_top), and 1 + its distance, at most 1."""
    distance = factor * y
    inside = distance > -one
    distance = distance if inside else zero
    p = exp(log_top + log1p(distance) * per_delta)
    return p if inside else zero, one + distance


@piece
def factor_at(delta, log_top):
    return delta * math.exp(min(-delta * log_top, 600.0))


@piece
def sums_given_top(x, m, one, delta, log_top):
    """The sums of the weights and of their derivatives in log_top, in the precision of `one`."""
    zero, at = one - one, type_as(one, log_top)
    factor, per_delta = type_as(one, factor_at(delta, log_top)), type_as(one, 1 / delta)
    total = slope = 0.0
    for start in range(0, x.size, _BLOCK):
        some = part = zero
        for i in block(start, x.size):
            p, room = given_top(x[i] - m, one, zero, per_delta, factor, at)
            some = add(some, p)
            part = add(part, p / room)
        total += some
        slope += part
    return total, slope


@piece
def write_given_top(x, m, one, delta, log_top, p):
    """The weights, and their sum."""
    zero, at = one - one, type_as(one, log_top)
    factor, per_delta = type_as(one, factor_at(delta, log_top)), type_as(one, 1 / delta)
    total = 0.0
    for start in range(0, x.size, _BLOCK):
        part = zero
        for i in block(start, x.size):
            weight, _ = given_top(x[i] - m, one, zero, per_delta, factor, at)
            p[i] = weight
            part = add(part, weight)
        total += part
    return total


@piece
def settle_top(x, m, one, delta, low, high):
    """The logarithm of the top weight in the precision of `one`, by at most 8 steps from above.

    Each squares the error: one of 1e-3 leaves 1e-6.
    """
    at = high
    for _ in range(8):
        total, slope = sums_given_top(x, m, one, delta, at)
        at = min(max(at - math.log(total) * total / slope, low), high)
        if abs(total - 1) < 1e-3:
            break
    return at


@piece
def settle_top_surely(x, m, delta, at):
    """The logarithm of the top weight, or else two where its sum is not the same side of 1."""
    rounding = 8 * np.finfo(np.float64).eps
    low, high = -math.log(x.size) - 1e-9, 0.0
    for step in range(76):
        total, slope = sums_given_top(x, m, 1.0, delta, at)
        if total < 1:
            low = at
        else:
            high = at
        if abs(total - 1) <= rounding * (1 - at):
            return at, at
        newton = at - math.log(total) * total / slope
        moved = newton if low < newton < high and step < 16 else (low + high) / 2
        if moved == at:
            break
        at = moved
    return low, high


@piece
def write_between(x, m, delta, low, high, p):
    """The weights where an item enters so steeply that it has one at `low`, another at `high`."""
    lower, _ = sums_given_top(x, m, 1.0, delta, low)
    upper, _ = sums_given_top(x, m, 1.0, delta, high)
    share = (1 - lower) / (upper - lower) if upper > lower else 0.0
    for i in range(x.size):
        y = x[i] - m
        first, _ = given_top(y, 1.0, 0.0, 1 / delta, factor_at(delta, low), low)
        second, _ = given_top(y, 1.0, 0.0, 1 / delta, factor_at(delta, high), high)
        p[i] = first + share * (second - first)


@piece
def weigh_given_top(x, m, delta, high, single, p):
    """Entmax of some items, and the logarithm of its top weight, from one that is not too low."""
    real = x.dtype.type
    if single and delta <= 1:
        high = settle_top(x, real(m), real(1), delta, -math.log(x.size), high)
    if single and delta <= 0.5:  # a weight follows its score no faster than itself
        total = write_given_top(x, real(m), real(1), delta, high, p)
        divide(p[: x.size], total)
        return high
    low, high = settle_top_surely(x, m, delta, high)
    if low == high:
        total = write_given_top(x, m, 1.0, delta, low, p)
        divide(p[: x.size], total)
    else:
        write_between(x, m, delta, low, high, p)
    return high


@loop
def entmax(x, alpha, p, size, odd, start, stop):
    real = x.dtype.type
    single = x.itemsize == 4
    best, parts, kept, place, weights = room_for(x)
    for r in range(start, stop):
        m, delta = top(x[r]), alpha[r] - 1
        if not (math.isfinite(m) and 0 < delta < 1e6):
            odd[r] = True
            continue
        count, most = crests(x[r], best), 0.0
        if delta <= 1:
            most = settle_top(best[:count], real(m), real(1), delta, -math.log(count), 0.0)
            most = min(most + 0.01, 0.0)
        cut = below(m - math.exp(delta * most) / delta, real)
        count = collect(x[r], best[:count], cut, parts, kept, place)
        near, out = (x[r], p[r]) if count < 0 else (kept[: upto(count)], weights)
        at = weigh_given_top(near, m, delta, most, single, out)
        if count >= 0:
            scatter(weights, place, count, p[r])
        odd[r] = at > most  # items were left out that weigh something
        positive = 0
        for i in range(x.shape[1]):
            positive += p[r, i] > 0
        size[r] = positive


@piece
def gather(p, g, place, weight, grad):
    """The items of positive weight: where, which weight, which gradient; and how many."""
    n, k = p.size, 0
    for start in range(0, n, 16):
        stop = min(start + 16, n)
        hits = np.int32(0)
        for i in range(start, stop):
            hits += np.int32(not p[i] <= 0)
        if hits:
            for i in range(start, stop):
                place[k], weight[k], grad[k] = i, p[i], g[i]
                k += not p[i] <= 0
    return k


@piece
def finite_product(p, g):
    """0, or NaN if the gradient is such that 0 times it is not 0."""
    total = 0.0
    for i in range(p.size):
        total = add(total, p[i] * g[i])
    return total * 0


@piece
def pull_entmax(p, alpha, g, out, place, weight, grad, pulled):
    """The transposed Jacobian in float64, on the items of positive weight; -1 if it overflows."""
    taint = p.dtype.type(finite_product(p, g))
    for i in range(p.size):
        out[i] = taint
    k = gather(p, g, place, weight, grad)
    most = 0.0
    for i in range(k):
        pulled[i] = exp((2 - alpha) * log(weight[i]))
        most = max(most, pulled[i])
    if not most < 1e300:
        return -1
    # Above alpha = 2 the smallest weight can have a u beyond all others: measured from its
    # gradient, the rest keeps its digits.
    ties, origin = 0, 0.0
    for i in range(k):
        tied = pulled[i] == most
        ties += tied
        origin += grad[i] if tied else 0.0
    origin = origin / max(ties, 1)
    for i in range(k):
        grad[i] -= origin
    pull_weighted(pulled[:k], grad[:k], 1.0)
    for i in range(k):
        out[place[i]] = pulled[i]
    return k


_REMAINDER = tuple((k + 1) / math.factorial(k + 2) for k in range(14))


@piece
def remainder(a):
    """(1 - exp(a) (1 - a)) / a² for a <= 0: 1/2 at 0."""
    near, far = max(a, -0.5), min(a, -0.5)
    series = 0.0
    for k in range(13, -1, -1):
        series = series * near + _REMAINDER[k]
    return series if a > -0.5 else (far * exp(far) - expm1(far)) / (far * far)


@loop
def entmax_vjp(p, alpha, g, out, odd, start, stop):
    real = p.dtype.type
    one, zero, n = real(1), real(0), p.shape[1]
    place, weight, grad = np.empty(n, np.int64), np.empty(n, np.float64), np.empty(n, np.float64)
    pulled = np.empty(n, np.float64)
    for r in range(start, stop):
        power = 2 - alpha[r]
        if 0 <= power <= 1:
            exponent = real(power)
            for i in range(n):
                w = p[r, i]
                u = exp(exponent * log(w if w > zero else one))
                out[r, i] = u if w > zero else zero
            pull_weighted(out[r], g[r], 1.0)
        else:
            k = pull_entmax(p[r], alpha[r], g[r], out[r], place, weight, grad, pulled)
            odd[r] = k < 0


@loop
def learned_entmax_vjp(p, alpha, g, out, by_alpha, odd, start, stop):
    n = p.shape[1]
    place, weight, grad = np.empty(n, np.int64), np.empty(n, np.float64), np.empty(n, np.float64)
    pulled = np.empty(n, np.float64)
    for r in range(start, stop):
        k = pull_entmax(p[r], alpha[r], g[r], out[r], place, weight, grad, pulled)
        odd[r] = k < 0 or math.isnan(p[r, 0])
        delta, total = alpha[r] - 1, 0.0
        for i in range(k):
            value = log(weight[i])
            total = add(total, pulled[i] * value * value * remainder(delta * value))
        by_alpha[r] = -total


@piece
def root_of(distance, root):
    inside = distance > 0
    z = exp(root * log(distance if inside else 1.0))
    return z if inside else 0.0


@piece
def settle_norm(x, m, root, threshold, steps):
    """τ of normmax, from one that is not too high, and the sum of the weights before that."""
    total = 1.0
    for _ in range(steps):
        total = along = 0.0
        for i in range(x.size):
            distance = max(x[i] - m - threshold, 0.0)
            z = root_of(distance, root)
            total = add(total, z)
            along = add(along, z * distance)
        norm = along ** (1 / (1 + root))
        moved = threshold + (norm - 1) * norm**root / (total if total > 0 else 1.0)
        if not moved > threshold:
            break
        threshold = moved
    return threshold, total


@piece
def roots_above(x, m, root, threshold, share, p):
    for i in range(x.size):
        p[i] = root_of(max(x[i] - m - threshold, 0.0), root) * share


@loop
def normmax(x, alpha, p, size, odd, start, stop):
    real = x.dtype.type
    best, parts, kept, place, weights = room_for(x)
    for r in range(start, stop):
        m = top(x[r])
        if not (math.isfinite(m) and alpha[r] > 1):
            odd[r] = True
            continue
        root = 1 / (alpha[r] - 1)
        count = crests(x[r], best)
        low, _ = settle_norm(best[:count], m, root, -1.0, 4)
        low -= _ROUNDED
        count = collect(x[r], best[:count], below(m + low, real), parts, kept, place)
        near, out = (x[r], p[r]) if count < 0 else (kept[: upto(count)], weights)
        threshold, total = settle_norm(near, m, root, low, 64)
        roots_above(near, m, root, threshold, 1 / total, out)
        if count >= 0:
            scatter(weights, place, count, p[r])
        positive = 0
        for i in range(x.shape[1]):
            positive += p[r, i] > 0
        size[r] = positive


@loop
def normmax_vjp(p, alpha, g, out, by_alpha, odd, start, stop):
    n = p.shape[1]
    place, weight, grad = np.empty(n, np.int64), np.empty(n, np.float64), np.empty(n, np.float64)
    for r in range(start, stop):
        taint = finite_product(p[r], g[r])
        for i in range(n):
            out[r, i] = taint
        k = gather(p[r], g[r], place, weight, grad)
        if k == 0 or not alpha[r] > 1:
            by_alpha[r] = 0.0
            odd[r] = k > 0
            continue
        root = 1 / (alpha[r] - 1)
        # Relative to the largest weight, since small ones to a high power are 0.
        log_top = log(weight[:k].max())
        total = mean = 0.0
        for i in range(k):
            total = add(total, exp((1 + 1 / root) * (log(weight[i]) - log_top)))
            mean = add(mean, weight[i] * grad[i])
        log_norm = math.log(total) * root / (1 + root)
        moved = shift = along = 0.0
        for i in range(k):
            log_distance = (log(weight[i]) - log_top - log_norm) / root
            distance = exp(log_distance)
            by_log = weight[i] * (grad[i] - mean)
            through = root * by_log / distance
            grad[i] = through
            moved = add(moved, through)
            shift = add(shift, weight[i] * distance * log_distance)
            along = add(along, by_log * log_distance)
        for i in range(k):
            out[r, place[i]] = grad[i] - weight[i] * moved
        by_alpha[r] = -(along - shift / (1 + root) * moved) * root * root


@loop
def budget(x, goal, p, inside, odd, start, stop):
    rounding = 4 * np.finfo(np.float64).eps
    for r in range(start, stop):
        m, wanted = top(x[r]), goal[r]
        count, lowest = 0, 0.0
        for i in range(x.shape[1]):
            y = x[r, i] - m
            present = y > -np.inf
            count += present
            lowest = min(lowest, y if present else 0.0)
        if not (math.isfinite(m) and 0 < wanted < count):
            odd[r] = True
            continue
        low, high = lowest - 1, 0.0
        at = max(low, -1.0)
        for step in range(88):
            excess, slope = -wanted, 0
            for i in range(x.shape[1]):
                distance = x[r, i] - m - at
                excess = add(excess, min(max(distance, 0.0), 1.0))
                slope += (distance > 0) & (distance < 1)
            if excess > 0:
                low = at
            else:
                high = at
            newton = at + excess / max(slope, 1)
            halved = -math.expm1((math.log1p(-low) + math.log1p(-high)) / 2)
            follow = slope > 0 and low < newton < high and step < 24
            moved = newton if follow else halved
            noise = rounding * ((1 - at) * (slope + 1) + wanted)
            if abs(excess) <= noise or moved == at:
                at = newton if slope > 0 else at
                break
            at = moved
        size = 0
        for i in range(x.shape[1]):
            weight = min(max(x[r, i] - m - at, 0.0), 1.0)
            p[r, i] = weight
            size += (weight > 0) & (weight < 1)
        inside[r] = size


@loop
def budget_vjp(p, goal, g, out, by_goal, odd, start, stop):
    real = p.dtype.type
    for r in range(start, stop):
        for i in range(p.shape[1]):
            out[r, i] = real((p[r, i] > 0) & (p[r, i] < 1))
        by_goal[r] = pull_weighted(out[r], g[r], 1.0)


# --- maps with a ramp ----------------------------------------------------------------------------


@loop
def ramped(x, distance, p, odd, start, stop):
    real = x.dtype.type
    zero = real(0)
    for r in range(start, stop):
        m, t = top(x[r]), real(distance[r])
        steep = real(1 / t)
        if not (math.isfinite(m) and 0 < t < np.inf and steep < np.inf):
            odd[r] = True
            continue
        m, total = real(m), 0.0
        for begin in range(0, x.shape[1], _BLOCK):
            part = zero
            for i in block(begin, x.shape[1]):
                y = x[r, i] - m
                mass = max(y + t, zero) * steep * exp(y)
                p[r, i] = mass
                part = add(part, mass)
            total += part
        divide(p[r], total)


@loop
def ramped_vjp(x, distance, g, by_x, by_distance, odd, start, stop):
    real = x.dtype.type
    zero = real(0)
    for r in range(start, stop):
        m, t = top(x[r]), real(distance[r])
        steep = real(1 / t)
        if not (math.isfinite(m) and 0 < t < np.inf and steep < np.inf):
            odd[r] = True
            continue
        m, total, along, ties = real(m), 0.0, 0.0, 0
        for begin in range(0, x.shape[1], _BLOCK):
            some, part, tied = zero, zero, np.int32(0)
            for i in block(begin, x.shape[1]):
                y = x[r, i] - m
                room = max(y + t, zero)
                e = exp(y) if room > zero else zero
                mass = room * steep * e
                by_x[r, i] = e
                some = add(some, mass)
                part = add(part, mass * g[r, i])
                tied = np.int32(tied + np.int32(y == zero))
            total += some
            along += part
            ties += tied
        mean, share, moved = real(along / total), real(1 / total), 0.0
        slope = real(float(steep) / total)
        for begin in range(0, x.shape[1], _BLOCK):
            part = zero
            for i in block(begin, x.shape[1]):
                part = add(part, by_x[r, i] * slope * (g[r, i] - mean))
            moved += part
        by_distance[r] = moved
        at_top = real(moved / ties)
        for i in range(x.shape[1]):
            y = x[r, i] - m
            e = by_x[r, i]
            weight = max(y + t, zero) * steep * e * share + e * slope
            by_x[r, i] = weight * (g[r, i] - mean) - (at_top if y == zero else zero)


@loop
def neighbours(x, rate, low, high, rank, odd, start, stop):
    real = x.dtype.type
    n = x.shape[1]
    keys = np.empty(n, x.dtype)
    for r in range(start, stop):
        m = top(x[r])
        if not (math.isfinite(m) and 0 <= rate[r] <= 1):
            odd[r] = True
            continue
        m, present = real(m), 0
        for i in range(n):
            present += x[r, i] - m > -np.inf
        rank[r] = rate[r] * (present - 1)
        place = n - present + int(rank[r])
        first, second = ranked(x[r], place, keys)
        low[r] = first - m
        high[r] = second - m if place + 1 < n else real(0)


@loop
def neighbours_vjp(x, rate, low, high, by_low, by_high, by_rank, out, by_rate, odd, start, stop):
    real = x.dtype.type
    zero = real(0)
    for r in range(start, stop):
        m = top(x[r])
        if not math.isfinite(m):
            odd[r] = True
            continue
        m, first, second = real(m), real(low[r]), real(high[r])
        lows = highs = tops = present = 0
        for i in range(x.shape[1]):
            y = x[r, i] - m
            lows += y == first
            highs += y == second
            tops += y == zero
            present += y > -np.inf
        by_rate[r] = by_rank[r] * (present - 1)
        to_low = real(by_low[r] / max(lows, 1))
        to_high = real(by_high[r] / max(highs, 1))
        to_top = real((by_low[r] + by_high[r]) / max(tops, 1))
        for i in range(x.shape[1]):
            y = x[r, i] - m
            moved = (to_low if y == first else zero) + (to_high if y == second else zero)
            out[r, i] = moved - (to_top if y == zero else zero)


@piece
def by_depth(x, m, delta, depth, place):
    """The items less than delta below the top: how far, as a share of it, and where; how many."""
    k = 0
    for i in range(x.size):
        y = m - x[i]
        depth[k], place[k] = y / delta, i
        k += y < delta
    return k


@loop
def plsoftmax(x, delta, p, odd, start, stop):
    real = x.dtype.type
    n = x.shape[1]
    depth, place = np.empty(n, x.dtype), np.empty(n, np.int64)
    for r in range(start, stop):
        m = top(x[r])
        if not (math.isfinite(m) and delta[r] > 0):
            odd[r] = True
            continue
        for i in range(n):
            p[r, i] = real(0)
        k = by_depth(x[r], real(m), real(delta[r]), depth, place)
        order = np.argsort(depth[:k], kind="mergesort")
        weight, after = 0.0, 1.0
        for j in range(k - 1, -1, -1):
            u = float(depth[order[j]])
            weight += (after - u) / (j + 1)
            after = u
            p[r, place[order[j]]] = weight


@loop
def plsoftmax_vjp(x, delta, g, by_x, by_delta, odd, start, stop):
    real = x.dtype.type
    n = x.shape[1]
    depth, place = np.empty(n, x.dtype), np.empty(n, np.int64)
    for r in range(start, stop):
        m = top(x[r])
        if not (math.isfinite(m) and delta[r] > 0):
            odd[r] = True
            continue
        taint = finite_product(g[r], g[r])
        for i in range(n):
            by_x[r, i] = taint
        k = by_depth(x[r], real(m), real(delta[r]), depth, place)
        order = np.argsort(depth[:k], kind="mergesort")
        above, total, along = 0.0, 0.0, 0.0
        for j in range(k):
            i = place[order[j]]
            grad = float(g[r, i])
            if j > 0:
                pulled = (grad - above / j) / (j + 1)
                total += pulled
                along += pulled * depth[order[j]]
                by_x[r, i] = pulled / delta[r]
            above += grad
        by_x[r, place[order[0]]] = -total / delta[r]
        by_delta[r] = along / delta[r]


# --- periodic maps -------------------------------------------------------------------------------


@piece
def wave(kind, angle, offset, frequency):
    """What a periodic map is made of, and its slope: kinds as `_rules` numbers them."""
    sine, cosine = sin_cos(angle, 0.5 if kind == 4 else 0.0)
    if kind == 0:
        r, slope = offset + sine, frequency * cosine
    elif kind == 1:
        r, slope = cosine, -sine
    elif kind == 2:
        r, slope = sine * sine, (sine + sine) * cosine
    elif kind == 3:
        r, slope = sine + cosine, cosine - sine
        r, slope = r * r, (r + r) * slope
    elif kind == 4:  # the tangent of π/4 + x/2, by the half angle
        r = sine / cosine
        r, slope = r * r, r / (cosine * cosine)
    else:
        r = exp(sine)
        slope = cosine * r
    return r, slope


@loop
def periodic(x, p, odd, start, stop, kind, offset, frequency):
    real = x.dtype.type
    zero, low, furthest = real(0), real(-np.inf), real(1e5)
    shift, turn = real(offset), real(frequency)
    for r in range(start, stop):
        far, total = np.int32(0), 0.0
        for i in range(x.shape[1]):
            value = x[r, i]
            there = value != low
            angle = turn * (value if there else zero)
            far = np.int32(far + np.int32(not abs(angle) < furthest))
            weight, _ = wave(kind, angle, shift, turn)
            weight = weight if there else zero
            p[r, i] = weight
            total = add(total, weight)
        if far == 0 and 1e-6 < abs(total) < 1e30:
            whole = real(total)  # times its inverse, a single item would miss 1 by a rounding
            for i in range(x.shape[1]):
                p[r, i] /= whole
        else:
            odd[r] = True


@loop
def periodic_vjp(x, g, out, odd, start, stop, kind, offset, frequency):
    real = x.dtype.type
    zero, low, furthest = real(0), real(-np.inf), real(1e5)
    shift, turn = real(offset), real(frequency)
    weights = np.empty(x.shape[1], x.dtype)
    for r in range(start, stop):
        far, total, along = np.int32(0), 0.0, 0.0
        for i in range(x.shape[1]):
            value = x[r, i]
            there = value != low
            angle = turn * (value if there else zero)
            far = np.int32(far + np.int32(not abs(angle) < furthest))
            weight, slope = wave(kind, angle, shift, turn)
            weight = weight if there else zero
            out[r, i] = slope if there else zero
            weights[i] = weight
            total = add(total, weight)
            along = add(along, np.float64(weight) * g[r, i])
        # Next to a pole one item can have all the weight but a share that float64 does not see.
        alone = kind == 4 and top(weights) > (1 - 1e-6) * total
        if alone or not (far == 0 and 1e-6 < abs(total) < 1e30):
            odd[r] = True
            continue
        # In float64, as the products above: there a large slope meets a small difference.
        mean, share = along / total, 1 / total
        for i in range(x.shape[1]):
            out[r, i] = out[r, i] * ((g[r, i] - mean) * share)


# --- maps that judge an item by its own score, and the rest --------------------------------------


@loop
def relu(x, n, p, odd, start, stop):
    real = x.dtype.type
    zero = real(0)
    for r in range(start, stop):
        if math.isnan(top(x[r])):
            odd[r] = True
            continue
        count = real(n[r])
        for i in range(x.shape[1]):
            p[r, i] = max(x[r, i], zero) / count


@loop
def relu_vjp(x, n, g, out, by_n, odd, start, stop):
    real = x.dtype.type
    zero = real(0)
    for r in range(start, stop):
        count = real(n[r])
        for i in range(x.shape[1]):
            out[r, i] = (g[r, i] if x[r, i] > zero else zero) / count
        by_n[r] = 0.0


@loop
def sigmoid(x, bias, p, odd, start, stop):
    real = x.dtype.type
    zero, one = real(0), real(1)
    for r in range(start, stop):
        if math.isnan(top(x[r])):
            odd[r] = True
            continue
        b = real(bias[r])
        for i in range(x.shape[1]):
            z = x[r, i] + b
            small = exp(-abs(z))
            p[r, i] = (one if z >= zero else small) / (one + small)


@loop
def sigmoid_vjp(p, g, out, total, odd, start, stop):
    one = p.dtype.type(1)
    for r in range(start, stop):
        along = 0.0
        for i in range(p.shape[1]):
            value = p[r, i] * (one - p[r, i]) * g[r, i]
            out[r, i] = value
            along = add(along, value)
        total[r] = along


@loop
def broken(x, p, odd, start, stop):
    """Stick-breaking."""
    real = x.dtype.type
    zero, n = real(0), x.shape[1]
    for r in range(start, stop):
        if not math.isfinite(top(x[r])):
            odd[r] = True
            continue
        for i in range(n):
            p[r, i] = log1p(exp(-abs(x[r, i])))
        left = 0.0
        for i in range(n - 1, -1, -1):
            value, rest = x[r, i], p[r, i]
            p[r, i] = real(min(value, zero) - rest + left)
            left += min(-value, zero) - rest
        for i in range(n):
            p[r, i] = exp(p[r, i])


@loop
def broken_vjp(x, p, g, out, odd, start, stop):
    real = x.dtype.type
    zero, one = real(0), real(1)
    for r in range(start, stop):
        for i in range(x.shape[1]):
            small = exp(-abs(x[r, i]))
            out[r, i] = (one if x[r, i] >= zero else small) / (one + small)
        before = 0.0
        for i in range(x.shape[1]):
            own = p[r, i] * g[r, i]
            out[r, i] = own - out[r, i] * (own + before)
            before += own


@piece
def pole_sums(x, m, one, pole, q):
    """The sums of (pole - y)^-q and of (pole - y)^-(q+1)."""
    total = slope = 0.0
    zero = one - one
    infinity = one / zero
    for start in range(0, x.size, _BLOCK):
        some = part = zero
        for i in block(start, x.size):
            distance = pole - (x[i] - m)
            weight = exp(-q * log(distance))
            weight = weight if distance < infinity else zero
            some = add(some, weight)
            part = add(part, weight / distance)
        total += some
        slope += part
    return total, slope


@piece
def solve_stieltjes(x, m, one, pole, q, enough):
    """The pole at which the weights add up to 1, by Newton: after its first step from below."""
    for _ in range(32):
        total, slope = pole_sums(x, m, one, type_as(one, pole), type_as(one, q))
        step = (total ** (1 / q) - 1) * total / slope
        pole = max(pole + step, 1.0)
        if abs(step) <= enough * pole:
            break
    return pole


@piece
def write_stieltjes(x, m, one, pole, q, p):
    total, zero = 0.0, one - one
    infinity = one / zero
    for start in range(0, x.size, _BLOCK):
        part = zero
        for i in block(start, x.size):
            distance = pole - (x[i] - m)
            weight = exp(-q * log(distance))
            weight = weight if distance < infinity else zero
            p[i] = weight
            part = add(part, weight)
        total += part
    divide(p, total)
    return total


@loop
def stieltjes(x, power, p, sums, odd, start, stop):
    real = x.dtype.type
    for r in range(start, stop):
        m, q = top(x[r]), power[r]
        if not (math.isfinite(m) and 1 <= q < 1e6):
            odd[r] = True
            continue
        count, mean, square = 0, 0.0, 0.0
        for i in range(x.shape[1]):
            y = x[r, i] - m
            there = y > -np.inf
            count += there
            y = y if there else 0.0
            mean = add(mean, y)
            square = add(square, y * y)
        # Where all scores are at their mean; further off as they spread, to the second order.
        mean, base = mean / count, count ** (1 / q)
        rise = q * (q + 1) / 2 * (square / count - mean * mean) / (base * base)
        rise = min(rise, 3.0) if rise > 0 else 0.0
        pole = max(mean + base * (1 + rise) ** (1 / q), 1.0)
        # The last step squares the error, and the last division takes out what is left of it.
        if x.itemsize == 4 and q <= 16:
            pole = solve_stieltjes(x[r], real(m), real(1), pole, q, 1e-3)
            sums[r] = write_stieltjes(x[r], real(m), real(1), real(pole), real(q), p[r])
        else:
            pole = solve_stieltjes(x[r], m, 1.0, pole, q, 4 * np.finfo(np.float64).eps)
            sums[r] = write_stieltjes(x[r], m, 1.0, pole, q, p[r])


@loop
def stieltjes_vjp(p, power, g, out, by_power, odd, start, stop):
    real = p.dtype.type
    zero, one = real(0), real(1)
    for r in range(start, stop):
        root = real(1 / power[r])
        logs = along = 0.0
        for begin in range(0, p.shape[1], _BLOCK):
            some = part = zero
            for i in block(begin, p.shape[1]):
                w = p[r, i]
                value = log(w if w > zero else one)
                out[r, i] = w * exp(value * root)
                some = add(some, w * value)
                part = add(part, w * value * g[r, i])
            logs += some
            along += part
        mean = pull_weighted(out[r], g[r], power[r])
        by_power[r] = (along - mean * logs) / power[r]
