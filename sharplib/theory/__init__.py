"""The theorems: SymPy statements to read and change, and their numeric faces.

>>> from sharplib.theory import BOUNDS
>>> print(BOUNDS["largest weight"].statement)
alpha_k <= 1/((n - 1)*exp(-delta/theta) + 1)

One module per theorem: `dispersion` (Lemma 2.1), `critical_size` (its contrapositive),
`compactness` (Theorem 2.2), `sharpness` (Proposition 3.1), `temperature` (Proposition 3.2),
`ranking` (what no temperature can do), `entmax` (what exact zeros can), `dial` (what a fixed share
of zeros can), `smoothness` (what exactness costs in steepness), `periodic` (what a periodic map
cannot), `multiplication` (why a multiplication unit fails), `reversible_noise` (what noise does
about it), `extrapolation` (why what is invisible in training grows). Needs SymPy beside NumPy.
Source of the first five: Veličković et al., arXiv 2410.01104.
"""

from sharplib.theory import (
    compactness,
    critical_size,
    dial,
    dispersion,
    entmax,
    extrapolation,
    multiplication,
    periodic,
    ranking,
    reversible_noise,
    sharpness,
    smoothness,
    temperature,
)
from sharplib.theory.bound import Bound
from sharplib.theory.catalogue import BOUNDS
from sharplib.theory.proof import Proof, Step

__all__ = [
    "BOUNDS",
    "Bound",
    "Proof",
    "Step",
    "compactness",
    "critical_size",
    "dial",
    "dispersion",
    "entmax",
    "extrapolation",
    "multiplication",
    "periodic",
    "ranking",
    "reversible_noise",
    "sharpness",
    "smoothness",
    "temperature",
]
