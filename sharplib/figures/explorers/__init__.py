"""Pictures to play with: in Jupyter as widgets, in the book without a kernel.

>>> SoftmaxBench(scores=[0, 0, 4]).map
'softmax'
"""

from sharplib.figures.explorers._base import Explorer
from sharplib.figures.explorers.adaptive_temperature import AdaptiveTemperature
from sharplib.figures.explorers.bent_scores import BentScores
from sharplib.figures.explorers.circuit import Circuit
from sharplib.figures.explorers.dial import Dial
from sharplib.figures.explorers.dispersion import Dispersion
from sharplib.figures.explorers.noisy_surface import NoisySurface
from sharplib.figures.explorers.one_score import OneScore
from sharplib.figures.explorers.ranking import Ranking
from sharplib.figures.explorers.simplex import Simplex
from sharplib.figures.explorers.smoothness import Smoothness
from sharplib.figures.explorers.softmax_bench import SoftmaxBench
from sharplib.figures.explorers.trained_head import TrainedHead

__all__ = [
    "AdaptiveTemperature",
    "BentScores",
    "Circuit",
    "Dial",
    "Dispersion",
    "Explorer",
    "NoisySurface",
    "OneScore",
    "Ranking",
    "Simplex",
    "Smoothness",
    "SoftmaxBench",
    "TrainedHead",
]
