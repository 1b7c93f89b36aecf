r"""The size at which a head of a given spread can no longer give any item more than a given weight.

Lemma 2.1 read the other way round. From $\alpha_k \le 1/(1+(n-1)e^{-\delta/\theta})$ follows: a
head that gives a weight of at least $c$ to one of $n$ items has

$$n \le 1 + \left(\frac1c - 1\right) e^{\delta/\theta}
\quad\text{and}\quad \frac{\delta}{\theta} \ge \log(n-1) - \log\left(\frac1c - 1\right).$$

Source: consequences of Veličković et al., arXiv 2410.01104, Lemma 2.1.
"""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from sharplib.theory._checks import Array, ratio_of, real
from sharplib.theory.dispersion import delta, lemma_2_1, n, theta, tight_weights
from sharplib.theory.proof import Proof, Step, ends

c = sympy.Symbol("c", positive=True)


def critical_size_proof() -> Proof:
    """Solve the tight bound of Lemma 2.1 for the size and for the spread.

    >>> for step in critical_size_proof():
    ...     print(step)
    c <= 1/((n - 1)*exp(-delta/theta) + 1)
    n <= (-1 + 1/c)*exp(delta/theta) + 1
    delta >= theta*log(c*(1 - n)/(c - 1))
    n <= exp(delta/theta)/c
    """
    tight = ends(tight_weights().conclusion)[2]
    simple = ends(lemma_2_1().conclusion)[2]
    (size,) = sympy.solve(sympy.Eq(tight, c), n)
    (spread,) = sympy.solve(sympy.Eq(tight, c), delta)
    (simple_size,) = sympy.solve(sympy.Eq(simple, c), n)
    return Proof(
        "Critical size",
        (
            Step(sympy.Le(c, tight, evaluate=False), "one of the n items has the weight c"),
            Step(
                sympy.Le(n, sympy.collect(size, sympy.exp(delta / theta)), evaluate=False),
                "solve for n",
            ),
            Step(sympy.Ge(delta, spread, evaluate=False), "or for the spread"),
            Step(sympy.Le(n, simple_size, evaluate=False), "the same from the simple bound"),
        ),
    )


def critical_size(spread: ArrayLike, weight: ArrayLike, temperature: ArrayLike = 1.0) -> Array:
    r"""The largest size at which a head of this spread can still give `weight` to one item.

    $1 + (1/c - 1)\,e^{\delta/\theta}$, a real number: above it every weight is below `weight`. At a
    whole n equal to it the weight is attained, by one score at the top and the rest at the bottom.

    Arguments broadcast: `spread` >= 0, `weight` in (0, 1), `temperature` > 0. The result is a
    float, and inf where it passes 1.8e308 (spread / temperature near 709). At spread 0 it is
    1 / `weight`. Raises TypeError or ValueError that names the argument.
    Source: Veličković et al., arXiv 2410.01104, Lemma 2.1, sharpened.

    >>> critical_size([0.0, 2.28, 5.69], 0.1).round(1)
    array([  10.,   89., 2664.])
    """
    share = _weight(weight)
    with np.errstate(over="ignore"):
        return 1 + (1 - share) / share * np.exp(ratio_of(spread, temperature))


def simple_critical_size(
    spread: ArrayLike, weight: ArrayLike, temperature: ArrayLike = 1.0
) -> Array:
    r"""The critical size from the simple bound of Lemma 2.1: $e^{\delta/\theta}/c$.

    Never below `critical_size`, and close to it while `weight` is small. Same arguments.

    >>> simple_critical_size([0.0, 2.28, 5.69], 0.1).round(1)
    array([  10. ,   97.8, 2958.9])
    """
    share = _weight(weight)
    with np.errstate(over="ignore"):
        return np.exp(ratio_of(spread, temperature)) / share


def required_spread(n: ArrayLike, weight: ArrayLike, temperature: ArrayLike = 1.0) -> Array:
    r"""The least spread with which a head can give `weight` to one of n items.

    $\theta\,[\log(n-1) - \log(1/c-1)]$, or 0 where an even share is enough. It grows like log n:
    to stay as sharp at a larger n, a head must widen its scores or lower its temperature.

    Arguments broadcast: `n` >= 1, `weight` in (0, 1), `temperature` > 0. Units of the scores.
    Source: Veličković et al., arXiv 2410.01104, Lemma 2.1, sharpened.

    >>> required_spread([2, 16, 16384], 0.5).round(3)
    array([0.   , 2.708, 9.704])
    """
    size, share = real("n", n, at_least=1), _weight(weight)
    others = np.maximum(size - 1, np.finfo(np.float64).tiny)  # log 0: nobody to beat, spread 0
    needed = np.log(others) - np.log((1 - share) / share)
    return real("temperature", temperature, above=0) * np.maximum(needed, 0.0)


def _weight(weight: ArrayLike) -> Array:
    return real("weight", weight, above=0, below=1)
