"""Neural arithmetic units: small layers that learn which inputs to add, multiply or divide.

A solved unit has weights at whole numbers, so that it is right for any input, however far from the
training range, and can be read:

>>> import torch
>>> from sharplib.arithmetic import NMU
>>> unit = NMU(3, 1)
>>> unit.weight.data = torch.tensor([[1.0, 1.0, 0.0]])
>>> unit(torch.tensor([[3.0, -5.0, 7.0]])).item(), *unit.formula()
(-15.0, x1*x2)

Each unit is a function of inputs and weights and a `Unit`, a module that holds the weights.
"""

from sharplib.arithmetic._unit import Unit, ramp
from sharplib.arithmetic.inalu import INALU, inalu
from sharplib.arithmetic.nac import NACAdd, NACMul, nac_mul, nac_weight
from sharplib.arithmetic.nalu import NALU, GoldenNALU, nalu
from sharplib.arithmetic.nau import NAU, nau, nau_penalty
from sharplib.arithmetic.nmu import NMU, StochasticNMU, nmu, nmu_penalty, snmu, snmu_by_weights
from sharplib.arithmetic.npu import NPU, ModifiedRealNPU, RealNPU, npu
from sharplib.arithmetic.reciprocal import NMRU, NRU, nmru, nru

__all__ = [
    "INALU",
    "NALU",
    "NAU",
    "NMRU",
    "NMU",
    "NPU",
    "NRU",
    "GoldenNALU",
    "ModifiedRealNPU",
    "NACAdd",
    "NACMul",
    "RealNPU",
    "StochasticNMU",
    "Unit",
    "inalu",
    "nac_mul",
    "nac_weight",
    "nalu",
    "nau",
    "nau_penalty",
    "nmru",
    "nmu",
    "nmu_penalty",
    "npu",
    "nru",
    "ramp",
    "snmu",
    "snmu_by_weights",
]
