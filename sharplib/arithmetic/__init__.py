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
from sharplib.arithmetic.mcfc import (
    MCFC,
    MulMCFC,
    MulMCFCSignINALU,
    MulMCFCSignRealNPU,
    mcfc,
    mul_mcfc,
)
from sharplib.arithmetic.nac import (
    NACAdd,
    NACMul,
    NACMulNMU,
    NACMulSigmoid,
    nac_mul,
    nac_weight,
)
from sharplib.arithmetic.nalu import NALU, SNALU, GoldenNALU, nalu, snalu
from sharplib.arithmetic.nau import NAU, nau, nau_penalty
from sharplib.arithmetic.nmu import (
    NMU,
    SigmoidNMU,
    StochasticNMU,
    nmu,
    nmu_penalty,
    snmu,
    snmu_by_weights,
)
from sharplib.arithmetic.npu import NPU, ModifiedRealNPU, RealNPU, npu
from sharplib.arithmetic.reciprocal import NMRU, NRU, nmru, nru

__all__ = [
    "INALU",
    "MCFC",
    "NALU",
    "NAU",
    "NMRU",
    "NMU",
    "NPU",
    "NRU",
    "SNALU",
    "GoldenNALU",
    "ModifiedRealNPU",
    "MulMCFC",
    "MulMCFCSignINALU",
    "MulMCFCSignRealNPU",
    "NACAdd",
    "NACMul",
    "NACMulNMU",
    "NACMulSigmoid",
    "RealNPU",
    "SigmoidNMU",
    "StochasticNMU",
    "Unit",
    "inalu",
    "mcfc",
    "mul_mcfc",
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
    "snalu",
    "snmu",
    "snmu_by_weights",
]
