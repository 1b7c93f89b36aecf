"""The mappings that learn something, as torch modules."""

from sharplib.nn.multimax import MultiMax

__all__ = ["MultiMax"]
