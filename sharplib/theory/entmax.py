r"""Exact zeros: why a lead keeps its weight under entmax, however many items there are.

$$p = \arg\max_{p \in \Delta} \langle p, x \rangle + \frac{\sum_i (p_i - p_i^\alpha)}
{\alpha(\alpha-1)}, \qquad \alpha > 1.$$

At $\alpha = 2$ this is sparsemax, the nearest point of the simplex; as $\alpha \to 1$ it becomes
softmax. Five facts, each as a proof to read and as a function to compute with:

* the solution has a threshold (`threshold_form`), so an item `reach` below the top weighs nothing;
* a lead keeps its weight at any n (`leader_keeps`, `least_leader_weight`), where softmax loses it;
* without a lead the weight does fall, but like $n^{-1/\alpha}$ (`crowd`, `crowd_weight`);
* for $\alpha \le 2$ it never moves faster than its scores (`steepness`);
* its loss is exactly zero from a finite margin on (`zero_loss`), and so is its gradient.

Source: sparsemax, arXiv 1602.02068, and entmax, arXiv 1905.05702, for the maps and their losses;
the statements about n are worked out here.
"""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array, real
from sharplib.theory.proof import Proof, Step, between

alpha, n, tau, lead, B = sympy.symbols("alpha n tau Delta B", positive=True)


# --- Statements -----------------------------------------------------------------------------------


def threshold_form() -> Proof:
    r"""The Lagrange conditions of the maximum, solved for a weight.

    $\lambda$ belongs to the sum and $\mu \ge 0$ to the sign of one weight: $\mu p = 0$. Where p is
    positive $\mu$ is gone; where it is not, $\mu \ge 0$ says $(\alpha-1)x \le \tau$.

    >>> print(threshold_form()[-1])
    Eq(p, (-tau + x*(alpha - 1))**(1/(alpha - 1)))
    """
    p, x = sympy.symbols("p x", positive=True)
    multiplier, sign = sympy.symbols("lambda mu", real=True)
    tsallis = (p - p**alpha) / (alpha * (alpha - 1))
    stationary = sympy.Eq(sympy.expand((p * x + tsallis).diff(p)) - multiplier + sign, 0)
    level = sympy.Eq(tau, (alpha - 1) * multiplier - 1 / alpha)
    power = (alpha - 1) * x - tau
    # The conditions times alpha - 1, with lambda written in tau, are this one line.
    by_tau = sympy.solve(level, multiplier)[0]
    left = sympy.simplify((alpha - 1) * stationary.lhs.subs({multiplier: by_tau, sign: 0}))
    if sympy.simplify(left - (power - p ** (alpha - 1))) != 0:
        raise AssertionError("the conditions do not lead to the threshold form")
    return Proof(
        "Threshold form",
        (
            Step(stationary, "no direction is uphill"),
            Step(level, "the same for all items"),
            Step(sympy.Eq(p ** (alpha - 1), power), "where p is positive"),
            Step(sympy.Eq(p, power ** (1 / (alpha - 1))), "0 if the bracket is negative"),
        ),
    )


def leader_keeps() -> Proof:
    r"""One item leads all others by at least $\Delta$: its weight P has a lower end without n.

    Q is the largest weight of the others. The first two lines are the threshold form of both; the
    upper end is reached if all others are level, and n Q is at most 1 since P is at least Q.

    >>> print(leader_keeps()[2])
    Eq(P**(alpha - 1) - Q**(alpha - 1), Delta*(alpha - 1))
    """
    P, Q, top = sympy.symbols("P Q x", positive=True)
    leader = (alpha - 1) * top - tau
    others = (alpha - 1) * (top - lead) - tau
    gap = sympy.expand(leader - others)
    exponent = 1 / (alpha - 1)
    gained = sympy.collect(gap, lead)
    return Proof(
        "A lead keeps its weight",
        (
            Step(sympy.Eq(P ** (alpha - 1), leader), "the leader"),
            Step(sympy.Eq(Q ** (alpha - 1), others), "the next, if it has any weight"),
            Step(sympy.Eq(P ** (alpha - 1) - Q ** (alpha - 1), gained), "the threshold is gone"),
            Step(sympy.Le(Q, 1 / n, evaluate=False), "n weights of at least Q make 1"),
            Step(
                between(gained**exponent, P, (gained + (1 / n) ** (alpha - 1)) ** exponent),
                "while the lower end is below 1",
            ),
        ),
    )


def crowd() -> Proof:
    r"""No lead: n scores spread evenly over a range B, which is what an ideal head gives.

    Items lie n/B to a unit of score below the top, which has the weight P; the lowest that has any
    weight lies h below. Where $h < B$ the sum of the weights fixes h.

    >>> for step in crowd():
    ...     print(step)
    Eq(P, (h*(alpha - 1))**(1/(alpha - 1)))
    Eq(P*h*n*(alpha - 1)/(B*alpha), 1)
    Eq(P, (B*alpha/n)**(1/alpha))
    Eq(S, P**(alpha - 1)*n/(B*(alpha - 1)))
    """
    h, t, P, S = sympy.symbols("h t P S", positive=True)
    c = sympy.Symbol("c", positive=True)  # the exponent, 1/(alpha - 1)
    top = ((alpha - 1) * h) ** (1 / (alpha - 1))
    # The weight at depth t, over that of the top, is (1 - t/h)^c.
    share = sympy.integrate((1 - t / h) ** c, (t, 0, h), conds="none")
    total = sympy.simplify((n / B) * P * share).subs(c, 1 / (alpha - 1))
    depth = P ** (alpha - 1) / (alpha - 1)
    power = sympy.powsimp(sympy.simplify(total.subs(h, depth)), force=True)
    if sympy.simplify(power - n * P**alpha / (alpha * B)) != 0:
        raise AssertionError("the sum of the weights is not n P^alpha / (alpha B)")
    return Proof(
        "A crowd",
        (
            Step(sympy.Eq(P, top), "threshold form of the top item"),
            Step(sympy.Eq(sympy.simplify(total), 1), "weights of all depths up to h"),
            Step(sympy.Eq(P, (alpha * B / n) ** (1 / alpha)), "put the first into the second"),
            Step(sympy.Eq(S, n * depth / B), "items with any weight"),
        ),
    )


def steepness() -> Proof:
    r"""How fast weights move: the Jacobian is a covariance, and u never passes 1 for alpha <= 2.

    J = diag(u) - u u^T / sum(u), with $u = p^{2-\alpha}$ on the support and 0 elsewhere. For a
    unit vector v, $v^T J v = \sum_i u_i (v_i - \bar v)^2 \le \max_i u_i$.

    >>> print(steepness()[1])
    Eq(u, p**(2 - alpha))
    """
    p, x, u = sympy.symbols("p x u", positive=True)
    move = sympy.Symbol("dtau")
    weight = ((alpha - 1) * x - tau) ** (1 / (alpha - 1))
    inner = sympy.simplify(weight.diff(x))
    slope = sympy.powsimp(
        sympy.powdenest(inner.subs((alpha - 1) * x - tau, p ** (alpha - 1)), force=True), force=True
    )
    if sympy.simplify(slope - p ** (2 - alpha)) != 0:
        raise AssertionError("the slope of a weight is not p^(2 - alpha)")
    i, m = sympy.symbols("i m", integer=True, positive=True)
    us, v = sympy.IndexedBase("u"), sympy.IndexedBase("v")
    mean = sympy.Symbol("vbar")
    form = sympy.Sum(us[i] * (v[i] - mean) ** 2, (i, 1, m))
    return Proof(
        "Steepness",
        (
            Step(
                sympy.Eq(sympy.Symbol("dp"), u * (sympy.Symbol("dx") - move / (alpha - 1))),
                "the threshold moves too",
            ),
            Step(sympy.Eq(u, p ** (2 - alpha)), "slope of the threshold form"),
            Step(sympy.Eq(sympy.Symbol("Q"), form), "the sum stays 1"),
            Step(sympy.Le(u, 1, evaluate=False), "for alpha up to 2"),
        ),
    )


def zero_loss() -> Proof:
    r"""The loss of the right item is exactly 0 from the margin $1/(\alpha-1)$ on.

    The gradient of a Fenchel–Young loss is prediction minus target. It is 0 where the right item
    has weight 1: then its power is $1 = (\alpha-1)x - \tau$, and the next must not pass $\tau$.

    >>> print(zero_loss()[-1])
    Delta >= 1/(alpha - 1)
    """
    x = sympy.Symbol("x", positive=True)
    (level,) = sympy.solve(sympy.Eq(1, (alpha - 1) * x - tau), tau)
    below = sympy.simplify((alpha - 1) * (x - lead) - level)
    (margin,) = sympy.solve(sympy.Eq(below, 0), lead)
    return Proof(
        "Zero loss",
        (
            Step(sympy.Eq(tau, level), "the right item has weight 1"),
            Step(sympy.Le(below, 0, evaluate=False), "the next one has none"),
            Step(sympy.Ge(lead, margin, evaluate=False), "solve for the lead"),
        ),
    )


# --- Numbers --------------------------------------------------------------------------------------


def reach(alpha: ArrayLike) -> Array:
    r"""How far below the top an item can lie and still weigh something: $1/(\alpha-1)$.

    Also the margin from which the loss is zero. Units of the scores. `alpha` > 1, any shape.

    >>> reach([1.25, 1.5, 2.0])
    array([4., 2., 1.])
    """
    return 1 / (_alpha(alpha) - 1)


def least_leader_weight(lead: ArrayLike, alpha: ArrayLike) -> Array:
    r"""The weight that a lead keeps at any n: $((\alpha-1)\Delta)^{1/(\alpha-1)}$, at most 1.

    The limit as n grows if all others are level, and a lower bound for any others. Arguments
    broadcast: `lead` >= 0 in units of the scores, `alpha` > 1. At lead 0 it is 0.
    Raises TypeError or ValueError that names the argument.

    >>> least_leader_weight(0.5, [1.25, 1.5, 2.0]).round(5)
    array([2.40e-04, 6.25e-02, 5.00e-01])
    """
    gap, more = real("lead", lead, at_least=0), _alpha(alpha) - 1
    return np.minimum(more * gap, 1.0) ** (1 / more)


def most_leader_weight(lead: ArrayLike, n: ArrayLike, alpha: ArrayLike) -> Array:
    r"""An upper end for a leader above n - 1 level items.

    $((\alpha-1)\Delta + n^{1-\alpha})^{1/(\alpha-1)}$, at most 1. It meets `least_leader_weight`
    as n grows, slowly for alpha near 1. Same arguments, and `n` >= 1.

    >>> most_leader_weight(0.5, [10, 1000, 100_000], 1.5).round(4)
    array([0.3206, 0.0793, 0.0641])
    """
    gap, more = real("lead", lead, at_least=0), _alpha(alpha) - 1
    size = real("n", n, at_least=1)
    return np.minimum(more * gap + size**-more, 1.0) ** (1 / more)


def crowd_weight(n: ArrayLike, sharpness: ArrayLike, alpha: ArrayLike) -> Array:
    r"""Top weight of n scores spread evenly over the range `sharpness`: $(\alpha B/n)^{1/\alpha}$.

    For n well above B; at alpha = 1 it is softmax's B/n. Arguments broadcast; n >= 1, B > 0,
    `alpha` >= 1. Capped at 1. Only n/B matters: to be as sharp at twice the items, a head needs
    twice the range, whatever alpha is.

    >>> crowd_weight(10_000, 100.0, [1.0, 1.5, 2.0]).round(3)
    array([0.01 , 0.061, 0.141])
    """
    size, span = real("n", n, at_least=1), real("sharpness", sharpness, above=0)
    power = real("alpha", alpha, at_least=1)
    return np.minimum((power * span / size) ** (1 / power), 1.0)


def crowd_support(n: ArrayLike, sharpness: ArrayLike, alpha: ArrayLike) -> Array:
    r"""How many of them weigh anything: $\frac{n}{B(\alpha-1)} (\alpha B/n)^{(\alpha-1)/\alpha}$.

    Between 1 and n. Same arguments, `alpha` > 1.

    >>> crowd_support(10_000, 100.0, [1.25, 1.5, 2.0]).round(1)
    array([166.5,  49.3,  14.1])
    """
    more = _alpha(alpha) - 1
    size, span = real("n", n, at_least=1), real("sharpness", sharpness, above=0)
    count = size / span / more * crowd_weight(size, span, more + 1) ** more
    return np.clip(count, 1.0, size)


def hardening_temperature(gap: ArrayLike, alpha: ArrayLike, leaders: ArrayLike = 1) -> Array:
    r"""The temperature at which entmax becomes the hard maximum, exactly.

    $\theta = (\alpha-1)\,g\,k^{\alpha-1}$ for k equal leaders and a gap g to the next score: at
    this temperature and below, entmax of $x/\theta$ gives each leader 1/k and all others 0. A
    softmax gets there only at 0. Arguments broadcast; `gap` > 0, `leaders` >= 1, `alpha` > 1.

    >>> hardening_temperature(0.5, [1.5, 2.0])
    array([0.25, 0.5 ])
    """
    more = _alpha(alpha) - 1
    count = real("leaders", leaders, at_least=1)
    return more * real("gap", gap, above=0) * count**more


def _alpha(alpha: ArrayLike) -> Array:
    return real("alpha", alpha, above=1)
