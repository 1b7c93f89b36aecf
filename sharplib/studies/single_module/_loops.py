"""One step of training for many models of a unit at once, in code that Numba compiles.

A model is a row of a matrix of parameters, those of its unit one after the other. `draw` makes its
batch, a function named after its unit finds loss and gradient of the mean squared error, and `adam`
takes the step. The units of `sharplib.arithmetic` are the specification: the gradients must be
theirs to rounding, for two inputs and one output.

Batches lie along the last axis, so that a loop over one uses vectors; sums over a batch may be
taken in any order. Everything is float32. Numba keeps the compiled code on disk and looks at the
date of this file alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from sharplib.kernels._loops import exp, log

ADD, SUB, MUL, DIV = range(4)

_F = np.float32
_ZERO, _HALF, _ONE, _TWO = _F(0), _F(0.5), _F(1), _F(2)
_PI = _F(math.pi)
_TINY = _F(2.0**-23)  # the epsilon of the power units
_NAC, _SNALU = _F(1e-7), _F(1e-8)
_KILO = _F(1000)
_TOP = _F(20)

_piece = njit(error_model="numpy", fastmath={"contract"}, inline="always")


def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    """Compile at the first call, and keep the result on disk where there is a place for it."""
    how: Any = {"error_model": "numpy", "fastmath": {"contract"}}
    try:
        return njit(cache=True, **how)(function)
    except RuntimeError:
        return njit(**how)(function)


@njit(error_model="numpy", fastmath={"contract", "reassoc", "nsz"}, forceinline=True)
def _add(total, value):
    """A sum that may be taken in any order, so that it can use vectors."""
    return total + value


@_compiled
def draw(random, low, width, operation, x, target):
    """Fill inputs (ranges, seeds, I, batch) and targets from numbers in [0, 1) common to ranges."""
    batch = random.shape[2]
    for r in range(low.size):
        for s in range(random.shape[0]):
            for i in range(x.shape[2]):
                for b in range(batch):
                    x[r, s, i, b] = low[r] + width[r] * random[s, i, b]
            one, other, answer = x[r, s, 0], x[r, s, 1], target[r, s]
            if operation == ADD:
                for b in range(batch):
                    answer[b] = one[b] + other[b]
            elif operation == SUB:
                for b in range(batch):
                    answer[b] = one[b] - other[b]
            elif operation == MUL:
                for b in range(batch):
                    answer[b] = one[b] * other[b]
            else:
                for b in range(batch):
                    answer[b] = one[b] / other[b]


@_compiled
def draw_noise(random, x, low, high, by_batch, noise):
    """Fill the noise of sNMU: from `low` to `high`, or from 1 to 1 + 1/sd of a model's inputs."""
    ranges, seeds, inputs, batch = x.shape
    count = _F(inputs * batch)
    for r in range(ranges):
        for s in range(seeds):
            start, width = low, high - low
            if by_batch:
                mean = variance = _ZERO
                for i in range(inputs):
                    for b in range(batch):
                        mean = _add(mean, x[r, s, i, b])
                mean /= count
                for i in range(inputs):
                    for b in range(batch):
                        variance = _add(variance, (x[r, s, i, b] - mean) ** 2)
                variance /= count - _ONE
                start = _ONE
                width = _ONE / math.sqrt(variance) if variance > 0 else _ZERO
            for i in range(inputs):
                for b in range(batch):
                    noise[r, s, i, b] = start + width * _F(random[s, i, b])


@_compiled
def adam(parameters, gradient, first, second, rate, step):
    """One step of Adam (Kingma and Ba, 2015) with its usual settings."""
    b1, b2 = _F(0.9), _F(0.999)
    low1, low2 = _F(1 - 0.9**step), _F(math.sqrt(1 - 0.999**step))
    for m in range(parameters.shape[0]):
        for k in range(parameters.shape[1]):
            g = gradient[m, k]
            first[m, k] = b1 * first[m, k] + (_ONE - b1) * g
            second[m, k] = b2 * second[m, k] + (_ONE - b2) * g * g
            size = math.sqrt(second[m, k]) / low2 + _F(1e-8)
            parameters[m, k] -= rate / low1 * first[m, k] / size


# --- gradients: of the mean squared error, for every model m --------------------------------------


@_compiled
def nau(p, x, t, noise, gradient, loss):
    for m in range(len(p)):
        w, v = p[m]
        total = g = h = _ZERO
        for b in range(t.shape[1]):
            e = w * x[m, 0, b] + v * x[m, 1, b] - t[m, b]
            total = _add(total, e * e)
            g, h = _add(g, e * x[m, 0, b]), _add(h, e * x[m, 1, b])
        n = _F(t.shape[1])
        loss[m] = total / n
        gradient[m, 0], gradient[m, 1] = _TWO * g / n, _TWO * h / n


@_piece
def _nmu(m, w, v, x, t, loss):
    """Loss of an NMU with weights w and v, and its slopes in them."""
    total = g = h = _ZERO
    for b in range(t.shape[1]):
        one = w * x[m, 0, b] + (_ONE - w)
        other = v * x[m, 1, b] + (_ONE - v)
        e = one * other - t[m, b]
        total = _add(total, e * e)
        g = _add(g, e * other * (x[m, 0, b] - _ONE))
        h = _add(h, e * one * (x[m, 1, b] - _ONE))
    n = _F(t.shape[1])
    loss[m] = total / n
    return _TWO * g / n, _TWO * h / n


@_compiled
def nmu(p, x, t, noise, gradient, loss):
    for m in range(len(p)):
        gradient[m, 0], gradient[m, 1] = _nmu(m, p[m, 0], p[m, 1], x, t, loss)


@_compiled
def sigmoid_nmu(p, x, t, noise, gradient, loss):
    for m in range(len(p)):
        w, v = _sigmoid(p[m, 0]), _sigmoid(p[m, 1])
        g, h = _nmu(m, w, v, x, t, loss)
        gradient[m, 0], gradient[m, 1] = g * w * (_ONE - w), h * v * (_ONE - v)


@_compiled
def snmu(p, x, t, noise, gradient, loss):
    for m in range(len(p)):
        w, v = p[m]
        total = g = h = _ZERO
        for b in range(t.shape[1]):
            a, c = noise[m, 0, b], noise[m, 1, b]
            below, under = w * a + (_ONE - w), v * c + (_ONE - v)
            one = (w * a * x[m, 0, b] + (_ONE - w)) / below
            other = (v * c * x[m, 1, b] + (_ONE - v)) / under
            e = one * other - t[m, b]
            total = _add(total, e * e)
            g = _add(g, e * other * a * (x[m, 0, b] - _ONE) / (below * below))
            h = _add(h, e * one * c * (x[m, 1, b] - _ONE) / (under * under))
        n = _F(t.shape[1])
        loss[m] = total / n
        gradient[m, 0], gradient[m, 1] = _TWO * g / n, _TWO * h / n


@_piece
def _sigmoid(x):
    return _ONE / (_ONE + math.exp(-x))


@_piece
def _sign(x):
    return _ONE if x > 0 else (-_ONE if x < 0 else _ZERO)


@_piece
def _raw(p, m, first, count, s, gradient, g, h):
    """Pass the gradients of two NAC weights on to their raw parameters."""
    for i in range(2):
        of = g if i == 0 else h
        direction, amount = math.tanh(s * p[m, first + i]), _sigmoid(s * p[m, first + count + i])
        gradient[m, first + i] = s * of * (_ONE - direction * direction) * amount
        gradient[m, first + count + i] = s * of * direction * amount * (_ONE - amount)


@_piece
def _weight(p, m, k, count, s):
    return math.tanh(s * p[m, k]) * _sigmoid(s * p[m, k + count])


@_compiled
def nac_add(p, x, t, noise, gradient, loss):
    for m in range(len(p)):
        w, v = _weight(p, m, 0, 2, _ONE), _weight(p, m, 1, 2, _ONE)
        total = g = h = _ZERO
        for b in range(t.shape[1]):
            e = w * x[m, 0, b] + v * x[m, 1, b] - t[m, b]
            total = _add(total, e * e)
            g, h = _add(g, e * x[m, 0, b]), _add(h, e * x[m, 1, b])
        n = _F(t.shape[1])
        loss[m] = total / n
        _raw(p, m, 0, 2, _ONE, gradient, _TWO * g / n, _TWO * h / n)


@_piece
def _powers(m, w, v, x, t, loss):
    """Loss of |x1|^w |x2|^v, and its slopes in w and v."""
    total = g = h = _ZERO
    for b in range(t.shape[1]):
        one, other = log(abs(x[m, 0, b]) + _NAC), log(abs(x[m, 1, b]) + _NAC)
        y = exp(w * one + v * other)
        e = y - t[m, b]
        total = _add(total, e * e)
        g, h = _add(g, e * y * one), _add(h, e * y * other)
    n = _F(t.shape[1])
    loss[m] = total / n
    return _TWO * g / n, _TWO * h / n


@_compiled
def nac_mul(p, x, t, noise, gradient, loss):
    for m in range(len(p)):
        w, v = _weight(p, m, 0, 2, _ONE), _weight(p, m, 1, 2, _ONE)
        g, h = _powers(m, w, v, x, t, loss)
        _raw(p, m, 0, 2, _ONE, gradient, g, h)


@_compiled
def nac_mul_sigmoid(p, x, t, noise, gradient, loss):
    for m in range(len(p)):
        w, v = _sigmoid(p[m, 0]), _sigmoid(p[m, 1])
        g, h = _powers(m, w, v, x, t, loss)
        gradient[m, 0], gradient[m, 1] = g * w * (_ONE - w), h * v * (_ONE - v)


@_compiled
def nac_mul_nmu(p, x, t, noise, gradient, loss):
    for m in range(len(p)):
        gradient[m, 0], gradient[m, 1] = _powers(m, p[m, 0], p[m, 1], x, t, loss)


@_piece
def _nalu(p, x, t, s, gradient, loss):
    for m in range(len(p)):
        w, v = _weight(p, m, 0, 2, s), _weight(p, m, 1, 2, s)
        gate, hatch = s * p[m, 4], s * p[m, 5]
        total = g = h = k = l = _ZERO  # noqa: E741
        for b in range(t.shape[1]):
            a, c = x[m, 0, b], x[m, 1, b]
            one, other = log(abs(a) + _NAC), log(abs(c) + _NAC)
            times, plus = exp(w * one + v * other), w * a + v * c
            z = gate * a + hatch * c
            shut = exp(-abs(z))
            open_ = (_ONE if z >= 0 else shut) / (_ONE + shut)
            closed = (shut if z >= 0 else _ONE) / (_ONE + shut)
            e = open_ * plus + closed * times - t[m, b]
            total = _add(total, e * e)
            g = _add(g, e * (open_ * a + closed * times * one))
            h = _add(h, e * (open_ * c + closed * times * other))
            turn = e * (plus - times) * open_ * closed
            k, l = _add(k, turn * a), _add(l, turn * c)  # noqa: E741
        n = _F(t.shape[1])
        loss[m] = total / n
        _raw(p, m, 0, 2, s, gradient, _TWO * g / n, _TWO * h / n)
        gradient[m, 4], gradient[m, 5] = _TWO * s * k / n, _TWO * s * l / n


@_compiled
def nalu(p, x, t, noise, gradient, loss):
    _nalu(p, x, t, _ONE, gradient, loss)


_GOLD = _F(math.log((1 + math.sqrt(5)) / 2))


@_compiled
def golden_nalu(p, x, t, noise, gradient, loss):
    _nalu(p, x, t, _GOLD, gradient, loss)


@_compiled
def snalu(p, x, t, noise, gradient, loss):
    # directions 0, 1; amounts 2, 3; gate 4
    for m in range(len(p)):
        w, v = _weight(p, m, 0, 2, _ONE), _weight(p, m, 1, 2, _ONE)
        gate = _sigmoid(p[m, 4])
        shut = _ONE - gate
        total = g = h = k = _ZERO
        for b in range(t.shape[1]):
            a, c = x[m, 0, b], x[m, 1, b]
            one, other = log(abs(a) + _SNALU), log(abs(c) + _SNALU)
            times = _sign(a) * _sign(c) * exp(w * one + v * other)
            plus = w * a + v * c
            e = gate * plus + shut * times - t[m, b]
            total = _add(total, e * e)
            g = _add(g, e * (gate * a + shut * times * one))
            h = _add(h, e * (gate * c + shut * times * other))
            k = _add(k, e * (plus - times))
        n = _F(t.shape[1])
        loss[m] = total / n
        _raw(p, m, 0, 2, _ONE, gradient, _TWO * g / n, _TWO * h / n)
        gradient[m, 4] = _TWO * k * gate * shut / n


@_compiled
def mcfc(p, x, t, noise, gradient, loss):
    # mass 0, 1, which does nothing: both inputs go to the only output; opening 2; bias 3
    for m in range(len(p)):
        gate = _sigmoid(p[m, 2] + p[m, 3])
        total = g = _ZERO
        for b in range(t.shape[1]):
            all_ = x[m, 0, b] + x[m, 1, b]
            e = gate * all_ - t[m, b]
            total, g = _add(total, e * e), _add(g, e * all_)
        n = _F(t.shape[1])
        loss[m] = total / n
        gradient[m, 0] = gradient[m, 1] = _ZERO
        gradient[m, 2] = gradient[m, 3] = _TWO * g * gate * (_ONE - gate) / n


@_piece
def _mul_mcfc(m, p, x, t, signed, cosine, gradient, loss):
    """Fill in gradient and loss; return the slopes in the cosine of each pair of signs."""
    # mass 0, 1, which does nothing; opening 2; bias 3; offset 4
    gate = _sigmoid(p[m, 2] + p[m, 3])
    total = g = h = both = left = right = _ZERO
    for b in range(t.shape[1]):
        a, c = x[m, 0, b], x[m, 1, b]
        # a plain product takes the logarithm of what it gets, and gives NaN below 0
        logs = log(abs(a)) + log(abs(c)) if signed else math.log(a) + math.log(c)
        minus, down = a < 0, c < 0
        size = exp(gate * logs + p[m, 4])
        y = size * cosine[2 * minus + down]
        e = y - t[m, b]
        total = _add(total, e * e)
        g, h = _add(g, e * y * logs), _add(h, e * y)
        both = _add(both, e * size if minus and down else _ZERO)
        left = _add(left, e * size if minus and not down else _ZERO)
        right = _add(right, e * size if down and not minus else _ZERO)
    n = _F(t.shape[1])
    loss[m] = total / n
    gradient[m, 0] = gradient[m, 1] = _ZERO
    gradient[m, 2] = gradient[m, 3] = _TWO * g * gate * (_ONE - gate) / n
    gradient[m, 4] = _TWO * h / n
    return _TWO * both / n, _TWO * left / n, _TWO * right / n


@_compiled
def mul_mcfc(p, x, t, noise, gradient, loss):
    cosine = np.ones(4, np.float32)
    for m in range(len(p)):
        _mul_mcfc(m, p, x, t, False, cosine, gradient, loss)


@_compiled
def mul_mcfc_sign_inalu(p, x, t, noise, gradient, loss):
    cosine = np.array([1, -1, -1, 1], np.float32)  # shares of one output are 1
    for m in range(len(p)):
        _mul_mcfc(m, p, x, t, True, cosine, gradient, loss)


@_compiled
def mul_mcfc_sign_real_npu(p, x, t, noise, gradient, loss):
    # and how far each input turns, 5 and 6
    cosine = np.ones(4, np.float32)
    for m in range(len(p)):
        a, c = min(max(p[m, 5], _ZERO), _ONE), min(max(p[m, 6], _ZERO), _ONE)
        for signs in range(1, 4):
            cosine[signs] = math.cos(_PI * (a * _F(signs // 2) + c * _F(signs % 2)))
        both, left, right = _mul_mcfc(m, p, x, t, True, cosine, gradient, loss)
        both *= math.sin(_PI * (a + c))
        one = -_PI * (both + left * math.sin(_PI * a))
        other = -_PI * (both + right * math.sin(_PI * c))
        gradient[m, 5] = one if a == p[m, 5] else _ZERO
        gradient[m, 6] = other if c == p[m, 6] else _ZERO


@_compiled
def inalu(p, x, t, noise, gradient, loss):
    # directions of the sum 0, 1 and of the product 2, 3; amounts 4, 5 and 6, 7; gate 8
    for m in range(len(p)):
        w, v = _weight(p, m, 0, 4, _ONE), _weight(p, m, 1, 4, _ONE)
        q, r = _weight(p, m, 2, 4, _ONE), _weight(p, m, 3, 4, _ONE)
        gate = _sigmoid(p[m, 8])
        shut = _ONE - gate
        total = g = h = k = l = j = _ZERO  # noqa: E741
        for b in range(t.shape[1]):
            a, c = x[m, 0, b], x[m, 1, b]
            one, other = log(max(abs(a), _NAC)), log(max(abs(c), _NAC))
            z = q * one + r * other
            size, free = exp(min(z, _TOP)), _ONE if z <= _TOP else _ZERO
            s, u = _sign(a) * abs(q) + _ONE - abs(q), _sign(c) * abs(r) + _ONE - abs(r)
            plus, times = w * a + v * c, size * s * u
            e = gate * plus + shut * times - t[m, b]
            total = _add(total, e * e)
            g, h = _add(g, e * gate * a), _add(h, e * gate * c)
            turned = (_sign(a) - _ONE) * _sign(q), (_sign(c) - _ONE) * _sign(r)
            k = _add(k, e * shut * (free * times * one + size * turned[0] * u))
            l = _add(l, e * shut * (free * times * other + size * turned[1] * s))  # noqa: E741
            j = _add(j, e * (plus - times))
        n = _F(t.shape[1])
        loss[m] = total / n
        _raw(p, m, 0, 4, _ONE, gradient, _TWO * g / n, _TWO * h / n)
        _raw(p, m, 2, 4, _ONE, gradient, _TWO * k / n, _TWO * l / n)
        gradient[m, 8] = _TWO * j * gate * shut / n


@_compiled
def real_npu(p, x, t, noise, gradient, loss):
    cosine, sine = np.empty(4, np.float32), np.empty(4, np.float32)
    for m in range(len(p)):
        w, v = p[m, 0], p[m, 1]
        a, c = min(max(p[m, 2], _ZERO), _ONE), min(max(p[m, 3], _ZERO), _ONE)
        for signs in range(4):  # the turn depends on the two signs alone
            angle = _PI * (w * a * _F(signs // 2) + v * c * _F(signs % 2))
            cosine[signs], sine[signs] = math.cos(angle), math.sin(angle)
        total = g = h = k = l = _ZERO  # noqa: E741
        for b in range(t.shape[1]):
            one, other = abs(x[m, 0, b]) + _TINY, abs(x[m, 1, b]) + _TINY
            r, q = a * one + (_ONE - a), c * other + (_ONE - c)
            left, right = log(r), log(q)
            minus, down = x[m, 0, b] < 0, x[m, 1, b] < 0
            co, si = cosine[2 * minus + down], sine[2 * minus + down]
            turn, tilt = (_PI if minus else _ZERO), (_PI if down else _ZERO)
            size = exp(w * left + v * right)
            e = size * co - t[m, b]
            total = _add(total, e * e)
            g = _add(g, e * size * (left * co - a * turn * si))
            h = _add(h, e * size * (right * co - c * tilt * si))
            k = _add(k, e * size * w * (co * (one - _ONE) / r - si * turn))
            l = _add(l, e * size * v * (co * (other - _ONE) / q - si * tilt))  # noqa: E741
        n = _F(t.shape[1])
        loss[m] = total / n
        gradient[m, 0], gradient[m, 1] = _TWO * g / n, _TWO * h / n
        gradient[m, 2] = _TWO * k / n if a == p[m, 2] else _ZERO
        gradient[m, 3] = _TWO * l / n if c == p[m, 3] else _ZERO


@_compiled
def npu(p, x, t, noise, gradient, loss):
    # weights 0, 1; gates 2, 3; imaginary weights 4, 5
    for m in range(len(p)):
        w, v, i, j = p[m, 0], p[m, 1], p[m, 4], p[m, 5]
        a, c = min(max(p[m, 2], _ZERO), _ONE), min(max(p[m, 3], _ZERO), _ONE)
        total = g = h = k = l = d = f = _ZERO  # noqa: E741
        for b in range(t.shape[1]):
            one, other = abs(x[m, 0, b]) + _TINY, abs(x[m, 1, b]) + _TINY
            r, q = a * one + (_ONE - a), c * other + (_ONE - c)
            left, right = log(r), log(q)
            turn, tilt = _PI if x[m, 0, b] < 0 else _ZERO, _PI if x[m, 1, b] < 0 else _ZERO
            angle = w * a * turn + v * c * tilt + i * left + j * right
            co, si = math.cos(angle), math.sin(angle)
            size = exp(w * left + v * right - i * a * turn - j * c * tilt)
            e = size * co - t[m, b]
            total = _add(total, e * e)
            e *= size
            g = _add(g, e * (left * co - a * turn * si))
            h = _add(h, e * (right * co - c * tilt * si))
            d = _add(d, -e * (a * turn * co + left * si))
            f = _add(f, -e * (c * tilt * co + right * si))
            rise, lift = (one - _ONE) / r, (other - _ONE) / q
            k = _add(k, e * (co * (w * rise - i * turn) - si * (w * turn + i * rise)))
            l = _add(l, e * (co * (v * lift - j * tilt) - si * (v * tilt + j * lift)))  # noqa: E741
        n = _F(t.shape[1])
        loss[m] = total / n
        gradient[m, 0], gradient[m, 1] = _TWO * g / n, _TWO * h / n
        gradient[m, 2] = _TWO * k / n if a == p[m, 2] else _ZERO
        gradient[m, 3] = _TWO * l / n if c == p[m, 3] else _ZERO
        gradient[m, 4], gradient[m, 5] = _TWO * d / n, _TWO * f / n


@_compiled
def nru(p, x, t, noise, gradient, loss):
    for m in range(len(p)):
        w, v = p[m]
        root, base = math.tanh(_KILO * w), math.tanh(_KILO * v)
        a, c = root * root, base * base
        rise, lift = _TWO * _KILO * root * (_ONE - a), _TWO * _KILO * base * (_ONE - c)
        total = g = h = _ZERO
        for b in range(t.shape[1]):
            left, right = log(abs(x[m, 0, b])), log(abs(x[m, 1, b]))
            one = math.copysign(exp(w * left), x[m, 0, b])
            other = math.copysign(exp(v * right), x[m, 1, b])
            s, u = one * a + (_ONE - a), other * c + (_ONE - c)
            e = s * u - t[m, b]
            total = _add(total, e * e)
            g = _add(g, e * u * (one * left * a + (one - _ONE) * rise))
            h = _add(h, e * s * (other * right * c + (other - _ONE) * lift))
        n = _F(t.shape[1])
        loss[m] = total / n
        gradient[m, 0], gradient[m, 1] = _TWO * g / n, _TWO * h / n


@_compiled
def nmru(p, x, t, noise, gradient, loss):
    # weights of the inputs 0, 1; of their reciprocals 2, 3
    cosine, sine = np.empty(4, np.float32), np.empty(4, np.float32)
    for m in range(len(p)):
        w, v, q, r = p[m]
        for signs in range(4):
            angle = _PI * ((w + q) * _F(signs // 2) + (v + r) * _F(signs % 2))
            cosine[signs], sine[signs] = math.cos(angle), math.sin(angle)
        total = g = h = k = l = _ZERO  # noqa: E741
        for b in range(t.shape[1]):
            minus, down = x[m, 0, b] < 0, x[m, 1, b] < 0
            co, si = cosine[2 * minus + down], sine[2 * minus + down]
            turn, tilt = (_PI if minus else _ZERO), (_PI if down else _ZERO)
            left, right = abs(x[m, 0, b]), abs(x[m, 1, b])
            over, under = abs(_ONE / (x[m, 0, b] + _TINY)), abs(_ONE / (x[m, 1, b] + _TINY))
            one, other = w * left + (_ONE - w), v * right + (_ONE - v)
            last, rest = q * over + (_ONE - q), r * under + (_ONE - r)
            ends, middle = last * rest, one * other
            size = middle * ends
            e = size * co - t[m, b]
            total = _add(total, e * e)
            g = _add(g, e * (co * (left - _ONE) * other * ends - si * turn * size))
            h = _add(h, e * (co * (right - _ONE) * one * ends - si * tilt * size))
            k = _add(k, e * (co * (over - _ONE) * middle * rest - si * turn * size))
            l = _add(l, e * (co * (under - _ONE) * middle * last - si * tilt * size))  # noqa: E741
        n = _F(t.shape[1])
        loss[m] = total / n
        gradient[m, 0], gradient[m, 1] = _TWO * g / n, _TWO * h / n
        gradient[m, 2], gradient[m, 3] = _TWO * k / n, _TWO * l / n


# --- regularisers: added to the gradient ----------------------------------------------------------


@_compiled
def pull(p, first, last, signed, scale, gradient):
    """Towards the nearest of 0 and 1, and -1 if signed: the slope of scale * min(|w|, |1 - w|)."""
    for m in range(len(p)):
        for k in range(first, last):
            w = p[m, k]
            size = abs(w) if signed else w
            toward = _sign(w) if abs(size) < abs(_ONE - size) else -_sign(_ONE - size)
            if signed and abs(size) >= abs(_ONE - size):
                toward *= _sign(w)
            gradient[m, k] += scale * toward


@_compiled
def pull_to_one(p, first, last, scale, gradient):
    """Towards -1 and 1: the slope of scale * |1 - |w||."""
    for m in range(len(p)):
        for k in range(first, last):
            gradient[m, k] -= scale * _sign(_ONE - abs(p[m, k])) * _sign(p[m, k])


@_compiled
def shrink(p, scale, gradient):
    """Towards 0: the slope of scale * |w|."""
    for m in range(len(p)):
        for k in range(p.shape[1]):
            gradient[m, k] += scale * _sign(p[m, k])


@_compiled
def push_out(p, scale, loss, gradient):
    """Away from 0 until 20: the slope of the penalty of iNALU, for models with a loss below 1."""
    for m in range(len(p)):
        if loss[m] < _ONE:
            for k in range(p.shape[1]):
                if abs(p[m, k]) < _TOP:
                    share = _ONE if k == 8 else _HALF
                    gradient[m, k] -= scale * share * _sign(p[m, k])


@_compiled
def saturate(p, scale, gradient):
    """Away from 0 without end: the slope of the penalty of MC-FC, for two inputs and one output."""
    for m in range(len(p)):
        for k in range(4):
            gradient[m, k] -= scale * p[m, k] * (_ONE if k < 2 else _TWO)


@_compiled
def limit(largest, largest_norm, gradient):
    """Clip each number of a gradient to ±largest, and each model's norm to largest_norm."""
    for m in range(len(gradient)):
        norm = _ZERO
        for k in range(gradient.shape[1]):
            g = gradient[m, k] = min(max(gradient[m, k], -largest), largest)
            norm += g * g
        norm = math.sqrt(norm)
        if norm > largest_norm:
            for k in range(gradient.shape[1]):
                gradient[m, k] *= largest_norm / norm
