"""The library's weights at the settings of the page's sliders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sharplib.mappings import CATALOGUE

#: Sliders that hold an element of a pair.
_PAIRS = {"r0": ("thresholds", 0), "r1": ("thresholds", 1)}
_PAIRS |= {"c0": ("coefficients", 0), "c1": ("coefficients", 1)}


def weights(
    name: str, scores: np.ndarray, parameters: Mapping[str, float], temperature: Any = 1.0
) -> np.ndarray:
    """Weights under a map of the catalogue of the scores divided by the temperature.

    `parameters` are those that js/maps.js has sliders for; those left out have the values of the
    catalogue.

    >>> weights("multimax", np.array([0.0, 1.0]), {"r1": 5.0}).round(3)
    array([0.269, 0.731])
    """
    settings: dict[str, Any] = dict(CATALOGUE[name].settings)
    for key, value in parameters.items():
        if key in _PAIRS:
            pair, place = _PAIRS[key]
            settings[pair] = tuple(value if i == place else v for i, v in enumerate(settings[pair]))
        else:
            whole = isinstance(settings.get(key), int)
            settings[key] = int(value) if whole else value
    return np.asarray(CATALOGUE[name].function(scores / temperature, **settings))
