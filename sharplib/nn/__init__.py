"""Torch modules: the mappings that learn something, and any mapping or loss wrapped as one."""

from sharplib.nn.adaptive_entmax import AdaptiveEntmax
from sharplib.nn.loss import Loss
from sharplib.nn.map import Map
from sharplib.nn.multimax import MultiMax

__all__ = ["AdaptiveEntmax", "Loss", "Map", "MultiMax"]
