"""The experiments of the book: one file per study.

A study is a module that offers

* `Settings`, a frozen dataclass whose defaults are the paper's, and `VERSION`, a number that rises
  whenever the same settings would give other figures;
* `PRESETS`, a table of named sizes (`quick`, `paper`), each a `Preset`;
* `run(settings, seeds, device, *, jobs, store, progress, checkpoint_seconds)`, which returns one
  tidy table with a row per figure; the keywords have defaults and decide no digit;
* `published()`, the paper's own figures, each with the tag that says how well it is known;
* `KEYS`, the columns that name a cell of the table, two or more; `HEADLINE`, the measure to show
  first; `BASELINE`, what the others in the column `rule` are tested against, or None;
  `NUMERICS`, precision and threads, for the record;
* if it computes on some devices alone, `DEVICES`, their types: `sharp run` takes no other;
* and, if figures should not be shown as mean and standard error, `report(ours)`, the text that
  stands for them.

This module only knows the names. A study is imported when it is asked for, so that listing them
needs neither torch nor pandas.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType, ModuleType

from sharplib.studies._settings import Preset

__all__ = ["STUDIES", "Preset", "load"]

STUDIES: Mapping[str, str] = MappingProxyType(
    {
        "max-retrieval": "Find the largest of n items: trained on at most 16, tested on thousands",
        "max-retrieval-recipes": "Which way of training teaches a head to rank thousands of items?",
        "ranking-noise": "Which temperature is best if the top logit is not always the right item?",
        "sparse-heads": "Does it help to train a head with the sparse map that it will use?",
        "multi-label": "Which rule finds the labels of a sample that has several?",
        "dial-attention": "Can attention trained with softmax be made sparse by a dial?",
        "multimax": "Does attention do better if its scores are bent before the softmax?",
        "output-maps": "Softmax, sparsemax or PLSoftMax at the end of a classifier, with its loss?",
        "private-greedy": "Which draw covers most at equal privacy, by ratios or by differences?",
        "periodic-attention": "Do maps that do not saturate train a vision transformer better?",
        "out-of-range": "Which models are right a thousand times outside their training range?",
        "single-module": "Which arithmetic units learn an operation, and are right out of range?",
        "redundant-inputs": "Which arithmetic units find the two numbers that matter among ten?",
        "reversible-noise": "Does the noise of a stochastic NMU push, shake, or both?",
        "arithmetic-dataset": "Can two layers multiply the sums of two subsets of 100 numbers?",
        "digit-arithmetic": "Which units multiply digits that they see as images, in long rows?",
    }
)
"""Name of each study, and what it asks in one line."""


def load(name: str) -> ModuleType:
    """Return the module of the study called `name`.

    Raises
    ------
    ValueError
        If there is no such study.

    Examples
    --------
    >>> from sharplib import studies
    >>> studies.load("max-retrieval").HEADLINE
    'accuracy'
    """
    if name not in STUDIES:
        raise ValueError(f"unknown study {name!r}; there is: {', '.join(STUDIES)}")
    return import_module(f"{__name__}.{name.replace('-', '_')}")
