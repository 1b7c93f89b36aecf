"""All that decides the figures, and the named sizes at which the study is run."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal, get_args

from sharplib.studies._settings import Preset, at_least

__all__ = ["PRESETS", "Rule", "Settings", "Training"]

Rule = Literal[
    "softmax",
    "adaptive",
    "refitted",
    "entropy-matched",
    "log n",
    "n",
    "sparsemax",
    "hard maximum",
]
RULES: tuple[str, ...] = get_args(Rule)


def _check_choices(settings: Any) -> None:
    for field in fields(settings):
        value = getattr(settings, field.name)
        choices = get_args(field.type)
        if choices and isinstance(value, str) and value not in choices:
            raise ValueError(f"{field.name} must be one of {', '.join(choices)}; got {value!r}")


@dataclass(frozen=True)
class Training:
    """What decides a trained head, apart from its seed. The defaults are the paper's.

    Examples
    --------
    >>> Training(width=64).width
    64
    >>> Training(steps=-1)
    Traceback (most recent call last):
      ...
    ValueError: steps must be at least 0, got -1
    """

    classes: int = 10
    width: int = 128
    steps: int = 100_000
    batch: int = 128
    smallest_set: int = 5
    largest_set: int = 16
    learning_rate: float = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"
    """Whether the learning rate stays, or falls to zero along half a cosine wave."""
    weight_decay: float = 1e-3
    """Decoupled: a step shrinks every weight by learning rate times this."""
    attention: Literal["softmax", "sparsemax"] = "softmax"
    """The map that turns logits into weights while the head is trained."""
    seeds_together: int = 5
    """Seeds trained as one batched model. It can change the last digits, so it is a setting."""

    def __post_init__(self) -> None:
        at_least(self, classes=2, width=1, steps=0, batch=1, smallest_set=1, seeds_together=1)
        at_least(self, largest_set=max(2, self.smallest_set), learning_rate=0, weight_decay=0)
        _check_choices(self)
        if self.classes > 255:
            raise ValueError(f"classes must be at most 255, got {self.classes!r}")


@dataclass(frozen=True)
class Settings:
    """How the heads are trained, and on what they are tested under which rules.

    Examples
    --------
    >>> Settings(test_sets=1024).sets(2**17)
    128
    """

    training: Training = Training()
    sizes: tuple[int, ...] = tuple(2**k for k in range(4, 18))
    test_sets: int = 1024
    """Test sets per seed and size ..."""
    test_items: int = 2**24
    """... but no more than make this many items (and at least one set)."""
    tests_per_fit: int = 16
    """The rule "refitted" is fitted to one set (not a test set) for so many test sets."""
    rules: tuple[str, ...] = RULES

    def __post_init__(self) -> None:
        at_least(self, test_sets=1, test_items=1, tests_per_fit=1)
        if not self.sizes or min(self.sizes) < 2:
            raise ValueError(f"sizes must hold numbers of items from 2 on, got {self.sizes!r}")
        unknown = [rule for rule in self.rules if rule not in RULES]
        if unknown or not self.rules:
            raise ValueError(f"rules must be among {', '.join(RULES)}; got {self.rules!r}")

    def sets(self, size: int) -> int:
        """Test sets of `size` items for each seed."""
        return max(1, min(self.test_sets, self.test_items // size))


PRESETS: Mapping[str, Preset[Settings]] = MappingProxyType(
    {
        "quick": Preset(
            Settings(
                Training(width=64, steps=5_000),
                sizes=tuple(2**k for k in range(4, 13)),
                test_sets=256,
                rules=("softmax", "adaptive", "entropy-matched", "hard maximum"),
            ),
            seeds=(0, 1, 2),
        ),
        "paper": Preset(Settings(), seeds=tuple(range(10))),
        # Ours: it ranks right where the paper's training does not; see the study of recipes.
        "recipe": Preset(
            Settings(
                Training(
                    width=32,
                    steps=50_000,
                    batch=512,
                    learning_rate=3e-3,
                    schedule="cosine",
                    weight_decay=0.33,
                )
            ),
            seeds=tuple(range(10)),
        ),
    }
)
