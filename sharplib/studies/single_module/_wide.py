"""Loss and gradient of units with more than two inputs, in code that Numba compiles.

As in `_loops`, which says how: a model is a row of parameters, batches lie along the last axis, and
the units of `sharplib.arithmetic`, here with I inputs and one output, are the specification.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sharplib.kernels._loops import exp, log
from sharplib.studies.single_module._loops import _add, _compiled

_F = np.float32
_ZERO, _ONE, _TWO, _PI = _F(0), _F(1), _F(2), _F(math.pi)
_TINY, _KILO = _F(2.0**-23), _F(1000)

_part = njit(error_model="numpy", fastmath={"contract"}, inline="always")


@_part
def _error(y, target, loss, m):
    """Turn outputs into slopes 2 (y - t) / batch, and note the loss."""
    total, n = _ZERO, _F(len(y))
    for b in range(len(y)):
        e = y[b] - target[b]
        total = _add(total, e * e)
        y[b] = _TWO * e / n
    loss[m] = total / n


@_part
def _others(f, before, behind):
    """Fill `before` with the product of all other rows of f, and `behind` with that of all rows.

    Nothing is divided, so that it is exact at zero.
    """
    count, batch = f.shape
    before[0] = _ONE
    for i in range(1, count):
        for b in range(batch):
            before[i, b] = before[i - 1, b] * f[i - 1, b]
    behind[:] = _ONE
    for i in range(count - 1, -1, -1):
        for b in range(batch):
            before[i, b] *= behind[b]
            behind[b] *= f[i, b]


@_compiled
def nau(p, x, t, noise, gradient, loss):
    y = np.empty(t.shape[1], np.float32)
    for m in range(len(p)):
        y[:] = _ZERO
        for i in range(p.shape[1]):
            for b in range(len(y)):
                y[b] += p[m, i] * x[m, i, b]
        _error(y, t[m], loss, m)
        for i in range(p.shape[1]):
            g = _ZERO
            for b in range(len(y)):
                g = _add(g, y[b] * x[m, i, b])
            gradient[m, i] = g


@_compiled
def nmu(p, x, t, noise, gradient, loss):
    f = np.empty((p.shape[1], t.shape[1]), np.float32)
    others, y = np.empty_like(f), np.empty(t.shape[1], np.float32)
    for m in range(len(p)):
        for i in range(len(f)):
            for b in range(len(y)):
                f[i, b] = p[m, i] * x[m, i, b] + (_ONE - p[m, i])
        _others(f, others, y)
        _error(y, t[m], loss, m)
        for i in range(len(f)):
            g = _ZERO
            for b in range(len(y)):
                g = _add(g, y[b] * others[i, b] * (x[m, i, b] - _ONE))
            gradient[m, i] = g


@_compiled
def snmu(p, x, t, noise, gradient, loss):
    f = np.empty((p.shape[1], t.shape[1]), np.float32)
    others, slope = np.empty_like(f), np.empty_like(f)
    y = np.empty(t.shape[1], np.float32)
    for m in range(len(p)):
        for i in range(len(f)):
            w = p[m, i]
            for b in range(len(y)):
                n = noise[m, i, b]
                below = w * n + (_ONE - w)
                f[i, b] = (w * n * x[m, i, b] + (_ONE - w)) / below
                slope[i, b] = n * (x[m, i, b] - _ONE) / (below * below)
        _others(f, others, y)
        _error(y, t[m], loss, m)
        for i in range(len(f)):
            g = _ZERO
            for b in range(len(y)):
                g = _add(g, y[b] * others[i, b] * slope[i, b])
            gradient[m, i] = g


@_compiled
def real_npu(p, x, t, noise, gradient, loss):
    # the weights of all inputs, then their gates
    count, batch = p.shape[1] // 2, t.shape[1]
    logs = np.empty((count, batch), np.float32)
    y, size = np.empty(batch, np.float32), np.empty(batch, np.float32)
    turn = np.empty(batch, np.float32)
    for m in range(len(p)):
        size[:] = _ZERO
        turn[:] = _ZERO
        for i in range(count):
            w, a = p[m, i], min(max(p[m, count + i], _ZERO), _ONE)
            for b in range(batch):
                logs[i, b] = log(a * (abs(x[m, i, b]) + _TINY) + (_ONE - a))
                size[b] += w * logs[i, b]
                turn[b] += w * a * _PI if x[m, i, b] < 0 else _ZERO
        for b in range(batch):
            size[b] = exp(size[b])
            y[b] = size[b] * math.cos(turn[b])
        _error(y, t[m], loss, m)
        for b in range(batch):
            size[b] *= y[b]
            turn[b], size[b] = size[b] * math.sin(turn[b]), size[b] * math.cos(turn[b])
        for i in range(count):
            w, gate = p[m, i], p[m, count + i]
            a = min(max(gate, _ZERO), _ONE)
            g = h = _ZERO
            for b in range(batch):
                pi = _PI if x[m, i, b] < 0 else _ZERO
                u = abs(x[m, i, b]) + _TINY
                g = _add(g, size[b] * logs[i, b] - turn[b] * a * pi)
                h = _add(h, w * (size[b] * (u - _ONE) / (a * u + (_ONE - a)) - turn[b] * pi))
            gradient[m, i] = g
            gradient[m, count + i] = h if a == gate else _ZERO


@_compiled
def nru(p, x, t, noise, gradient, loss):
    f = np.empty((p.shape[1], t.shape[1]), np.float32)
    others, slope = np.empty_like(f), np.empty_like(f)
    y = np.empty(t.shape[1], np.float32)
    for m in range(len(p)):
        for i in range(len(f)):
            w = p[m, i]
            root = math.tanh(_KILO * w)
            a = root * root
            rise = _TWO * _KILO * root * (_ONE - a)
            for b in range(len(y)):
                left = log(abs(x[m, i, b]))
                one = math.copysign(exp(w * left), x[m, i, b])
                f[i, b] = one * a + (_ONE - a)
                slope[i, b] = one * left * a + (one - _ONE) * rise
        _others(f, others, y)
        _error(y, t[m], loss, m)
        for i in range(len(f)):
            g = _ZERO
            for b in range(len(y)):
                g = _add(g, y[b] * others[i, b] * slope[i, b])
            gradient[m, i] = g


@_compiled
def nmru(p, x, t, noise, gradient, loss):
    # the weights of all inputs, then those of their reciprocals
    count, batch = p.shape[1] // 2, t.shape[1]
    v = np.empty((2 * count, batch), np.float32)
    f, others = np.empty_like(v), np.empty_like(v)
    y, size = np.empty(batch, np.float32), np.empty(batch, np.float32)
    turn = np.empty(batch, np.float32)
    for m in range(len(p)):
        turn[:] = _ZERO
        for k in range(2 * count):
            w, i = p[m, k], k % count
            for b in range(batch):
                v[k, b] = x[m, i, b] if k < count else _ONE / (x[m, i, b] + _TINY)
                turn[b] += w * _PI if v[k, b] < 0 else _ZERO
                f[k, b] = w * abs(v[k, b]) + (_ONE - w)
        _others(f, others, size)
        for b in range(batch):
            y[b] = size[b] * math.cos(turn[b])
        _error(y, t[m], loss, m)
        for b in range(batch):
            size[b] *= y[b] * math.sin(turn[b])
            y[b] *= math.cos(turn[b])
        for k in range(2 * count):
            g = _ZERO
            for b in range(batch):
                pi = _PI if v[k, b] < 0 else _ZERO
                g = _add(g, y[b] * others[k, b] * (abs(v[k, b]) - _ONE) - size[b] * pi)
            gradient[m, k] = g
