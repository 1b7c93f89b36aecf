"""Pictures to play with: in Jupyter as widgets, in the book without a kernel.

>>> SoftmaxBench(scores=[0, 0, 4]).map
'softmax'
"""

from sharplib.figures.explorers._base import Explorer
from sharplib.figures.explorers.softmax_bench import SoftmaxBench

__all__ = ["Explorer", "SoftmaxBench"]
