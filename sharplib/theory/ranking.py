r"""What no temperature can do: heads whose top logit is not always the right item.

The task is max retrieval. A set has n items with uniform priorities in (0, 1) and one of C classes
each; the answer is the class of the largest. A head gives an item the logit

$$B\,(\rho_i + \text{its head start} + \text{its noise}) ,$$

a softmax at temperature $\theta$ turns logits into weights, and the guess is the class with the
largest pooled weight. At $\theta = 0$ it is the class of the top logit: the *hard maximum*.

**Units.** All lengths are in units of priority: a temperature of this module is the temperature of
the logits divided by the sharpness B, and so are head starts and noise. The gap between the two
largest priorities is $1/n$ on average.

**Edge.** Only the items near the top count. Seen from there, the depths $t_i = 1 - \rho_i$ are a
Poisson process of rate n on $(0, \infty)$. Every function here is for that process. It is the limit
of n uniform items as n grows, and close to them as long as temperature, noise and head starts are
far below 1, the length of the whole range. In it, only $n\theta$, n times noise and n times head
starts matter: without noise, a temperature keeps its effect at another n if it falls like 1/n.

Ranking fails in two ways, and they want different temperatures.

* *Head starts*: all items of a class are ahead by the same h. Over heads whose head starts are
  independent with a log-concave density, the hard maximum is the best of all rules.
* *Item noise*: each item is displaced on its own, by sigma times a standard normal number. Then an
  average over near ties helps, and the best temperature is about sigma, whatever n is.

Source: worked out here; the task is that of Veličković et al., arXiv 2410.01104, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array, real
from sharplib.theory.proof import Proof, Step

n, theta, sigma, spread, C = sympy.symbols("n theta sigma s C", positive=True)

#: The best temperature in units of the noise, as n grows with all else fixed.
CROWDED = math.sqrt(2)
#: The same where near ties are rare: see `few_rivals`.
FEW_RIVALS = 0.7776232


# --- Statements -----------------------------------------------------------------------------------


def ideal_head() -> Proof:
    r"""The head without noise: how much weight the largest item gets.

    S is the sum of the weights of all others, relative to the largest item.

    >>> print(ideal_head()[-1])
    1/(n*theta + 1) <= P
    """
    t, k, u = sympy.symbols("t k u", positive=True)
    S, P = sympy.symbols("S P", positive=True)
    mean, transform, bound = sympy.Function("E"), sympy.Function("L"), 1 / (1 + n * theta)
    moment = sympy.integrate(n * sympy.exp(-t / theta), (t, 0, sympy.oo))
    # u = k exp(-t / theta), so dt = theta du / u
    log_transform = -n * theta * sympy.Integral((1 - sympy.exp(-u)) / u, (u, 0, k))
    weight = sympy.Integral(sympy.exp(-k) * transform(k), (k, 0, sympy.oo))
    return Proof(
        "Ideal head",
        (
            Step(sympy.Eq(mean(S), moment), "rivals at depth t below the largest, at rate n"),
            Step(sympy.Eq(sympy.log(transform(k)), log_transform), "Laplace transform of S"),
            Step(sympy.Eq(P, weight), "mean of 1/(1+S): only n times theta matters"),
            Step(sympy.Le(bound, P, evaluate=False), "Jensen: 1/(1+S) is convex"),
        ),
    )


def head_starts() -> Proof:
    r"""How often the top logit is the largest item, if classes have head starts.

    The largest item has class c with probability 1/C. It loses to an item of class j that lies
    less than $(h_j - h_c)_+$ below it; a is the mean of that over j.

    >>> for step in head_starts():
    ...     print(step)
    Eq(R(c), exp(-a*n))
    Eq(R(c), 1 - a*n + O(n**2))
    Eq(Sum(a(c), (c, 1, C))/C, D*(C - 1)/(2*C))
    """
    t, a, D = sympy.symbols("t a D", positive=True)
    c = sympy.Symbol("c", integer=True, positive=True)
    ranked = sympy.Function("R")(c)
    chance = sympy.integrate(n * sympy.exp(-n * t) * sympy.exp(-n * a), (t, 0, sympy.oo))
    pairs = sympy.Sum(sympy.Function("a")(c), (c, 1, C)) / C
    return Proof(
        "Head starts",
        (
            Step(sympy.Eq(ranked, chance), "no rival of any class in front"),
            Step(sympy.Eq(ranked, chance.series(n, 0, 2)), "small head starts"),
            Step(
                sympy.Eq(pairs, (C - 1) * D / (2 * C), evaluate=False),
                "D is the mean distance of two different head starts",
            ),
        ),
    )


def _normal_log_density(h: sympy.Expr) -> sympy.Expr:
    return -(h**2) / (2 * spread**2)


def hard_maximum_is_best(
    log_density: Callable[[sympy.Expr], sympy.Expr] = _normal_log_density,
) -> Proof:
    r"""Independent head starts with a log-concave density: no rule beats the hard maximum.

    The rule may see all logits and classes, and know n, the density and where the edge is; not
    which class is favoured. Let $y_c$ be the depth at which the top logit of class c appears, and t
    its true depth, so that its head start is $t - y_c$. What lies below the top of a class is a
    Poisson process whatever the head start is, and tells nothing. So, given all that is seen, the
    true depths of the classes are independent with densities $f_c$. Let class a appear before b.

    Put in the logarithm of another density. The last claim needs `ratio` to fall with t: it does if
    the logarithm is concave, since $t - y_a > t - y_b$.

    >>> print(hard_maximum_is_best()[1])
    Eq(Derivative(ratio(t), t), -g/s**2)
    """
    t, y, gap, rate = sympy.symbols("t y_a g lambda", positive=True)
    ratio = sympy.Function("ratio")(t)
    posterior = [-rate * t + log_density(t - top) for top in (y, y + gap)]
    slope = sympy.simplify(posterior[0].diff(t) - posterior[1].diff(t))
    u = sympy.Symbol("u", positive=True)
    first, second = sympy.Function("f_a"), sympy.Function("f_b")
    return Proof(
        "Hard maximum",
        (
            Step(
                sympy.Eq(sympy.log(first(t)), posterior[0] + sympy.Symbol("K")),
                "rate lambda = n/C, times the density of the head start t - y",
            ),
            Step(
                sympy.Eq(sympy.Derivative(ratio, t), slope, evaluate=False),
                "ratio = log of f at a over f at b, which appears g later",
            ),
            Step(
                sympy.Ge(first(t) * second(t + u), first(t + u) * second(t), evaluate=False),
                "so of two depths the smaller belongs to a, more likely than not",
            ),
        ),
    )


def tie_law() -> Proof:
    r"""Accuracy above chance is how often the two best classes are about to tie.

    Let F be the distribution of the score of a class: its top logit, or $\theta$ times the log of
    its pooled weight, or any score that moves along with its logits. G is the same for the class
    of the largest item, given that this one lies at the edge. Move the edge by a little: items
    appear at rate n/C, so $F' = (n/C)(F - G)$. The answer is guessed if its class has the best of
    C scores. The lead, best score minus second best, has at 0 the density
    $C(C-1)\int F^{C-2}F'^2$.

    >>> print(tie_law()[-1])
    Eq(A, lead(0)/n + 1/C)
    """
    x, A = sympy.symbols("x A", real=True)
    F, lead = sympy.Function("F"), sympy.Function("lead")
    slope = sympy.Derivative(F(x), x)
    answer = F(x) - (C / n) * slope
    ties = sympy.Integral(F(x) ** (C - 2) * slope**2, (x, -sympy.oo, sympy.oo))
    guessed = sympy.Integral(
        F(x) ** (C - 1) * sympy.Derivative(answer, x), (x, -sympy.oo, sympy.oo)
    )
    return Proof(
        "Tie law",
        (
            Step(sympy.Eq(sympy.Function("G")(x), answer), "move the edge"),
            Step(sympy.Eq(A, guessed), "the answer beats the C - 1 others"),
            Step(sympy.Eq(A, 1 / C + (C / n) * (C - 1) * ties), "by parts"),
            Step(sympy.Eq(A, 1 / C + lead(0) / n), "the density of a lead of 0"),
        ),
    )


def item_noise() -> Proof:
    r"""How often the top logit is the largest item, if each item has noise of its own.

    The largest item has the noise $\sigma x$. A rival of depth d below it wins if its own noise is
    larger by d; over all d such rivals number $n\sigma\psi(x)$, where phi is the normal density and
    Q its upper tail.

    >>> print(item_noise()[-1])
    Eq(R, 1 - n*sigma/sqrt(pi) + O(n**2))
    """
    x, u = sympy.symbols("x u", real=True)
    R = sympy.Symbol("R", positive=True)
    density = sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi)
    psi, whole = sympy.Function("psi"), (x, -sympy.oo, sympy.oo)
    tail = sympy.erfc(x / sympy.sqrt(2)) / 2
    # the integral of (u - x) phi(u) from x on, whose two parts SymPy knows
    rivals = sympy.integrate(u * density, (u, x, sympy.oo)) - x * tail
    # x / 2 has the mean 0, and without it the integral converges on neither side
    mean = sympy.simplify(sympy.integrate(density.subs(u, x) * (rivals + x / 2), whole))
    ranked = sympy.Integral(density.subs(u, x) * sympy.exp(-n * sigma * psi(x)), whole)
    return Proof(
        "Item noise",
        (
            Step(sympy.Eq(psi(x), rivals), "rivals ahead, for n times sigma = 1"),
            Step(sympy.Eq(R, ranked), "no rival is ahead"),
            Step(
                sympy.Eq(R, 1 - n * sigma * mean + sympy.O(n**2), evaluate=False),
                "little noise",
            ),
        ),
    )


def best_temperature_proof() -> Proof:
    r"""Where the best temperature lies among many near ties, and why it does not depend on n.

    With b = sigma/theta, a class whose items have displaced depths y gets the pooled weight
    $\sum e^{-y/\theta}$. The largest item adds $e^{bx}$ to the class that is the answer; x is
    normal. The sums are nearly normal, so accuracy above chance is in proportion to the mean of
    what is added, over the standard deviation of a sum.

    >>> print(best_temperature_proof()[-1])
    Eq(theta, sqrt(2)*sigma)
    """
    x = sympy.Symbol("x", real=True)
    b = sympy.Symbol("b", positive=True)
    density = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    whole = (x, -sympy.oo, sympy.oo)

    def moment(k: sympy.Expr) -> sympy.Expr:
        return sympy.simplify(sympy.integrate(density * sympy.exp(k * x), whole))

    added = moment(b)
    # items number (n / C) sigma Phi(y) dy; by parts, the exponential takes the place of Phi
    variance = n * sigma / C * moment(2 * b) / (2 * b)
    signal = sympy.simplify(added**2 / variance)
    (best,) = sympy.solve(sympy.log(signal).diff(b), b)
    ratio, bonus, noise = sympy.Function("signal"), sympy.Symbol("m"), sympy.Symbol("v")
    below = sympy.erfc(-x / sympy.sqrt(2)) / 2
    hazard = sympy.Integral(density**2 / below, whole)
    return Proof(
        "Best temperature",
        (
            Step(sympy.Eq(bonus, added), "the largest item adds, on average"),
            Step(sympy.Eq(noise, variance), "variance of the pooled weight of a class"),
            Step(sympy.Eq(ratio(b), signal), "squared ratio: n is a factor"),
            Step(
                sympy.Le(ratio(b), C / (n * sigma) * hazard, evaluate=False),
                "Cauchy and Schwarz: no weights do better than the hazard phi / Phi",
            ),
            Step(sympy.Eq(b, best), "the maximum of the signal"),
            Step(sympy.Eq(theta, sigma / best), "back to the temperature"),
        ),
    )


# --- Numbers --------------------------------------------------------------------------------------


def top_weight(n: ArrayLike, temperature: ArrayLike) -> Array:
    r"""Mean weight of the largest item under an ideal head: $\int_0^\infty e^{-k} L(k)\,dk$.

    Between 1 / (1 + n theta) and 1. `n` >= 0 and `temperature` >= 0, in units of priority,
    broadcast. Raises TypeError or ValueError that names the argument.

    >>> top_weight([16, 128, 1024, 4096, 16384], 1 / 300).round(3)
    array([0.964, 0.761, 0.249, 0.071, 0.018])
    """
    crowd = _per_gap("temperature", n, temperature)[..., None]
    v, dv = _gauss_legendre(0.0, 80.0, 400)
    k = v / (1 + crowd)
    return np.exp(-k - crowd * _entire_exponential_integral(k)) @ dv / (1 + crowd[..., 0])


def ranking_with_head_starts(n: ArrayLike, head_start: ArrayLike) -> Array:
    r"""How often the top logit is the largest item: $\frac1C\sum_c e^{-n a_c}$.

    $a_c = \frac1C\sum_j (h_j - h_c)_+$ for the head starts h in units of priority, `head_start`
    (..., C), whose leading shape broadcasts against `n` >= 0. It is also the accuracy of the hard
    maximum. It falls from 1 to 1/C if there is one favourite class. Near 1 it is 1 - n D (C-1)/(2C)
    with the mean distance D of two head starts.

    >>> ranking_with_head_starts([16, 1024, 2**20], [0.001, 0.0]).round(3)
    array([0.996, 0.8  , 0.5  ])
    """
    h, size = real("head_start", head_start), real("n", n, at_least=0)
    if h.ndim < 1 or h.shape[-1] < 1:
        raise ValueError(f"head_start must have an entry for each class, got shape {h.shape}")
    behind = np.maximum(h[..., None, :] - h[..., :, None], 0).mean(axis=-1)
    return np.exp(-size[..., None] * behind).mean(axis=-1)


def ranking_over_heads(n: ArrayLike, head_start: ArrayLike, classes: int = 10) -> Array:
    r"""`ranking_with_head_starts`, averaged over heads.

    `head_start` is the standard deviation of head starts, which are normal and independent:
    $\int \varphi(u)\,[\Phi(u) + e^{au + a^2/2} Q(u + a)]^{C-1} du$ with a = n s / C. By
    `hard_maximum_is_best` no rule has a larger accuracy on average over these heads.

    `n` >= 0 and `head_start` >= 0 broadcast.

    >>> ranking_over_heads([16, 256, 4096, 65536], 0.001).round(3)
    array([0.992, 0.885, 0.366, 0.123])
    """
    a = _per_gap("head_start", n, head_start)[..., None] / _classes(classes)
    u, du = _NORMAL_GRID
    # e^{au + a^2/2} Q(u + a) = phi(u) Q(u + a) / phi(u + a), which does not overflow
    ahead = _density(u) * _mills(u + a)
    return (_density(u) * (1 - _tail(u) + ahead) ** (classes - 1)).sum(axis=-1) * du


def ranking_with_item_noise(n: ArrayLike, noise: ArrayLike) -> Array:
    r"""How often the top logit is the largest item: $\int\varphi(x)\,e^{-n\sigma\psi(x)}\,dx$.

    $\psi(x) = \varphi(x) - x\,Q(x)$. Near 1 it is 1 - n sigma / sqrt(pi), for large n it falls like
    sqrt(2 log(n sigma)) / (n sigma). `n` >= 0 and `noise` >= 0 broadcast.

    >>> ranking_with_item_noise([16, 256, 4096, 65536], 0.001).round(3)
    array([0.991, 0.873, 0.31 , 0.036])
    """
    x, dx = _NORMAL_GRID
    crowd = _per_gap("noise", n, noise)[..., None]
    return (_density(x) * np.exp(-crowd * _loss(x))).sum(axis=-1) * dx


def accuracy_with_item_noise(
    n: float, temperature: float, noise: float, classes: int = 10
) -> float:
    r"""Accuracy of a softmax rule if each item has normal noise of its own, by the `tie_law`.

    At temperature 0, the hard maximum: R + (1 - R)/C, with the ranking R. Numbers, not arrays;
    `n` > 0, the others >= 0. A temperature above 0 must be at least noise / 32, and n theta / C at
    most 100, where `crowded_accuracy` takes over. Errors are below 1e-5 if noise is at least
    temperature / 20, and below 2e-3 if there is none.

    >>> [round(accuracy_with_item_noise(1024, t / 1024, 4 / 1024), 3) for t in (0, 4, 16)]
    [0.383, 0.397, 0.314]
    """
    size, heat, sd, count = _numbers(n, temperature, noise, "noise", classes)
    if heat == 0:
        ranked = float(ranking_with_item_noise(size, sd))
        return ranked + (1 - ranked) / count
    rate = size * heat / count
    return _accuracy(rate, count, *_pooled_weight(rate, item=sd / heat))


def accuracy_with_head_starts(
    n: float, temperature: float, head_start: float, classes: int = 10
) -> float:
    r"""Accuracy of a softmax rule over heads with normal head starts, by the `tie_law`.

    `head_start` is their standard deviation. At temperature 0 it is `ranking_over_heads`, and no
    temperature gives more. Numbers, not arrays; `n` > 0, the others >= 0. A temperature above 0
    must be at least head_start / 32, and n theta / C at most 100. Errors are below 2e-4 if head
    starts are at least temperature / 20, and below 2e-3 if there are none.

    >>> [round(accuracy_with_head_starts(1024, t / 1024, 1 / 1024), 3) for t in (0, 1, 16)]
    [0.67, 0.667, 0.32]
    """
    size, heat, sd, count = _numbers(n, temperature, head_start, "head_start", classes)
    if heat == 0:
        return float(ranking_over_heads(size, sd, count))
    rate = size * heat / count
    return _accuracy(rate, count, *_pooled_weight(rate, shared=sd / heat))


def crowded_accuracy(
    n: ArrayLike, temperature: ArrayLike, noise: ArrayLike = 0.0, classes: int = 10
) -> Array:
    r"""The limit of `accuracy_with_item_noise` as n grows with temperature and noise fixed.

    $\frac1C + \kappa_C\sqrt{\frac{2}{C n\theta}}\;e^{-\sigma^2/2\theta^2}$, where kappa is the mean
    of the largest of C standard normal numbers (1.54 for ten). The root is dispersion, the
    exponential is noise; the best temperature is sqrt(2) sigma. `n` > 0, `temperature` > 0 and
    `noise` >= 0 broadcast.

    >>> crowded_accuracy(2**20, [2**-12, 2**-11, 2**-10], 2**-12).round(3)
    array([0.126, 0.127, 0.121])
    """
    heat = real("temperature", temperature, above=0)
    crowd = real("n", n, above=0) * heat * _classes(classes)
    u, du = _NORMAL_GRID
    largest = classes * (u * _density(u) * (1 - _tail(u)) ** (classes - 1)).sum() * du
    b = real("noise", noise, at_least=0) / heat
    return 1 / classes + largest * np.sqrt(2 / crowd) * np.exp(-(b**2) / 2)


def best_temperature(n: float, noise: float, classes: int = 10) -> float:
    r"""The temperature with the largest `accuracy_with_item_noise`, to one part in a hundred.

    It is a multiple of the noise: 0.78 where n sigma is small (`few_rivals`), up to 1.5 at some
    hundreds if there are ten classes, and sqrt(2) in the limit. So it depends on the noise, and
    next to not on n. 0 where there is no noise. `n` times `noise` can be up to 45 times `classes`.

    >>> [round(1024 * best_temperature(1024, s / 1024) / s, 1) for s in (1 / 4, 4, 64)]
    [0.8, 1.2, 1.5]
    """
    size, sd = float(real("n", n, above=0)), float(real("noise", noise, at_least=0))
    if size * sd < 0.05:  # so flat that rounding would decide; the limit is within one part in 100
        return FEW_RIVALS * sd

    def loss(log_ratio: float) -> float:
        return -accuracy_with_item_noise(size, sd * math.exp(log_ratio), sd, classes)

    return sd * math.exp(_minimiser(loss, math.log(0.7), math.log(4.0), 0.01))


def few_rivals(ratio: float) -> float:
    r"""The slope of accuracy in theta/sigma where near ties are rare; 0 at `FEW_RIVALS`.

    A temperature first matters among three: the top item against two of one other class that are z
    and z' behind. A softmax believes the two if $e^{-z/\theta} + e^{-z'/\theta} > 1$. In truth they
    hold the largest with probability $1 - \int\varphi(u)\,Q(u-z)\,Q(u-z')\,du$ (in units of sigma).
    The slope adds up what is gained along the line of indifference, up to a positive factor.

    >>> [few_rivals(r) > 0 for r in (0.5, 0.77, 0.78, 1.0)]
    [True, True, False, False]
    """
    u, du = _NORMAL_GRID
    p, dp = _gauss_legendre(0.0, 1.0, 400)
    z, other = -np.log(p), -np.log1p(-p)
    top = _density(u) * _tail(u - ratio * z[:, None]) * _tail(u - ratio * other[:, None])
    swept = z / (1 - p) + other / p  # area that the line sweeps as the temperature rises
    return float(((1 - 2 * top.sum(axis=-1) * du) * swept) @ dp)


# --- How the numbers are found --------------------------------------------------------------------


def _accuracy(rate: float, classes: int, u: Array, below: Array, density: Array) -> float:
    """The tie law for scores u with this distribution, which is exp(rate u) left of the grid."""
    ties = np.trapezoid(below ** (classes - 2) * density**2, u)
    left = rate * below[0] ** classes / classes
    return float(1 / classes + (classes - 1) / rate * (ties + left))


_STEP = 0.02
#: Abate and Whitt's Euler method to invert a Laplace transform: terms, averaged terms, error e^-A.
_TERMS, _AVERAGED, _A = 20, 12, 18.4
#: Noise that is wider than so many temperatures would need too long a grid, and more items of a
#: class within one temperature too many terms.
_WIDEST, _FULLEST = 32, 100


def _pooled_weight(
    rate: float, item: float = 0.0, shared: float = 0.0
) -> tuple[Array, Array, Array]:
    r"""Distribution of the logarithm u of a class's pooled weight: u, P(< u) and density.

    `item` and `shared` are the standard deviations of item noise and head starts, in temperatures.
    Weights $w = e^{-y/\theta}$ of the items of a class are a Poisson process of density rate *
    Q(log(w) / item) / w, with rate = n theta / C, so the Laplace transform of their sum is
    $e^{-\Phi(k)}$ with $\Phi(k) = rate \int (1 - e^{-k w})\,Q(\log(w)/item)\,dw/w$. On a grid of
    log k and log w this is a correlation; and to move u by a head start is to move log k.
    """
    reach = math.ceil(8 * shared / _STEP)
    # left of the start Q is 1, and the distribution is in proportion to e^(rate u)
    start = math.floor((-6.5 * (item + shared) - 2) / _STEP)
    stop = math.ceil((math.log1p(rate) + item**2 / 2 + 6.5 * (item + shared) + 4) / _STEP)
    at = np.arange(start - reach, stop + reach + 1)
    log_w = np.arange(at[0] - round(36 / _STEP), math.ceil(8.5 * item / _STEP) + 1)
    order = np.arange(_TERMS + _AVERAGED + 1)
    k = _A / 2 + 1j * np.pi * order  # times e^-u
    # P(noise > log w / item); without noise a step, whose middle takes one half
    alive = _tail(log_w * _STEP / item) if item > 0 else (1 - np.sign(log_w)) / 2
    lags = np.arange(log_w[0] - at[-1], log_w[-1] - at[0] + 1)
    # beyond e^5 an item is certain to be felt
    felt = -np.expm1(-k[:, None] * np.exp(np.minimum(lags * _STEP, 5.0)))
    phi = _correlation(felt[:, ::-1], alive)[:, : len(at)]
    transform = np.exp(-rate * _STEP * phi)
    kernel = _density(np.arange(-reach, reach + 1) * _STEP / shared) if reach else np.ones(1)
    transform = _correlation(transform, kernel / kernel.sum())
    sign = np.where(order == 0, 1, 2) * (-1.0) ** order
    share = np.array([math.comb(_AVERAGED, j) for j in range(_AVERAGED + 1)]) / 2**_AVERAGED

    def invert(f: np.ndarray) -> Array:
        partial = np.cumsum(sign[:, None] * f.real, axis=0)
        return math.exp(_A / 2) / 2 * (share @ partial[_TERMS:])

    below, density = invert(transform / k[:, None]), invert(transform)
    u = np.arange(start, stop + 1) * _STEP
    return u, np.clip(below, 0, 1), np.maximum(density, 0)


def _correlation(rows: np.ndarray, kernel: Array) -> np.ndarray:
    """Each row convolved with the kernel, where the kernel lies inside the row."""
    length = 1 << rows.shape[-1].bit_length()
    product = np.fft.fft(rows, length) * np.fft.fft(kernel, length)
    return np.fft.ifft(product)[:, len(kernel) - 1 : rows.shape[-1]]


def _minimiser(f: Callable[[float], float], low: float, high: float, width: float) -> float:
    """Golden-section search for the lowest point of f, which has one, to within `width`."""
    share = (math.sqrt(5) - 1) / 2
    inner, outer = high - share * (high - low), low + share * (high - low)
    at_inner, at_outer = f(inner), f(outer)
    while high - low > width:
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - share * (high - low)
            at_inner = f(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + share * (high - low)
            at_outer = f(outer)
    return (low + high) / 2


#: Grid and step for integrals with the normal density, where sums converge faster than any power.
_NORMAL_GRID = np.arange(-9, 9.01, 0.05), 0.05


def _density(x: Array) -> Array:
    return np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def _tail(x: ArrayLike) -> Array:
    """Q(x), the probability that a standard normal number is above x."""
    return _erfc(np.asarray(x) / math.sqrt(2)) / 2


_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _mills(x: Array) -> Array:
    """Q(x) / phi(x)."""
    near = np.minimum(x, 30.0)
    far = np.maximum(x, 30.0)
    return np.where(x < 30, _tail(near) / _density(near), (1 - 1 / far**2 + 3 / far**4) / far)


def _loss(x: Array) -> Array:
    """psi(x), the mean of (noise - x) where that is positive."""
    return _density(x) - x * _tail(x)


def _gauss_legendre(low: float, high: float, count: int) -> tuple[Array, Array]:
    x, dx = np.polynomial.legendre.leggauss(count)
    return low + (high - low) * (x + 1) / 2, dx * (high - low) / 2


def _entire_exponential_integral(k: Array) -> Array:
    r"""$\mathrm{Ein}(k) = \int_0^k (1 - e^{-u})\,du/u$ for k from 0 to 80."""
    x, dx = _gauss_legendre(0.0, 1.0, 60)
    return (-np.expm1(-k[..., None] * x) / x) @ dx


def _per_gap(name: str, n: ArrayLike, length: ArrayLike) -> Array:
    """A length in units of the mean gap, n times it."""
    return real("n", n, at_least=0) * real(name, length, at_least=0)


def _classes(classes: int) -> int:
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
        raise ValueError(f"classes must be a whole number >= 2, got {classes!r}")
    return classes


def _numbers(
    n: float, temperature: float, length: float, name: str, classes: int
) -> tuple[float, float, float, int]:
    size = float(real("n", n, above=0))
    heat = float(real("temperature", temperature, at_least=0))
    noise = float(real(name, length, at_least=0))
    if 0 < heat < noise / _WIDEST:
        raise ValueError(f"temperature must be 0 or at least {name} / {_WIDEST}, got {temperature}")
    if size * heat > _FULLEST * _classes(classes):
        raise ValueError(
            f"temperature must be at most {_FULLEST} classes / n, got {temperature} at n = {n}"
        )
    return size, heat, noise, classes
