"""What a trained head looks at, and how often it is right, under one rule after another."""

from __future__ import annotations

import re
import string
from typing import Any

import numpy as np
import pandas as pd
import traitlets as t
from matplotlib.figure import Figure

from sharplib.figures import max_retrieval, style
from sharplib.figures.explorers._base import Explorer

#: A weight on the page is one character: the first for 0, the last for 1, 64 in all. (7) is 0 seven
#: times.
LEVELS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"


class TrainedHead(Explorer):
    """Heat maps of one head, and ranking, weight and accuracy of all, with size and rule to choose.

    Parameters
    ----------
    table, heat_maps
        What `sharplib.studies.max_retrieval.evaluate` and `heat_maps` return. Sizes and rules that
        both tables have can be chosen.
    n, rule
        What is shown first: one of the sizes, one of the rules.
    measured
        Instead of both tables, what the page keeps of them: the state of another `TrainedHead`.
    """

    module = "trained-head"
    caption = (
        "Heat map: 16 sets, one in a row; the 16 items with the largest priorities, the largest at "
        "the right; bright is much weight. It is of one head. Curves: averages over all heads."
    )
    height = (430, 935)

    n = t.Int(1024).tag(sync=True)
    rule = t.Unicode("softmax").tag(sync=True)
    measured = t.Dict().tag(sync=True)

    def __init__(
        self,
        table: pd.DataFrame | None = None,
        heat_maps: pd.DataFrame | None = None,
        **state: Any,
    ) -> None:
        if "measured" not in state:
            if table is None or heat_maps is None:
                raise TypeError("TrainedHead needs table and heat_maps")
            state["measured"] = _measured(table, heat_maps)
        super().__init__(**state)

    @t.validate("n")
    def _check_n(self, proposal: Any) -> int:
        return _one_of("n", proposal["value"], self.measured["sizes"])

    @t.validate("rule")
    def _check_rule(self, proposal: Any) -> str:
        return _one_of("rule", proposal["value"], list(self.measured["rules"]))

    def figure(self) -> Figure:
        """The heat map, and the three averages against size."""
        sizes, rule = self.measured["sizes"], self.measured["rules"][self.rule]
        drawn = rule["maps"][sizes.index(self.n)]
        drawn = re.sub(r"\((\d+)\)", lambda run: LEVELS[0] * int(run[1]), drawn)
        cells = np.array([LEVELS.index(level) for level in drawn])
        figure, (left, right) = style.subplots(1, 2, figsize=(7, 3.4))
        left.imshow(cells.reshape(-1, self.measured["items"]), vmin=0, vmax=63, cmap="magma")
        left.set(title=f"weights, n = {self.n:,}", xticks=[], yticks=[], ylabel="sets")
        left.set_xlabel("items, the largest priority at the right")
        right.semilogx(sizes, self.measured["ranking"], color=style.INK, label="top logit is right")
        right.semilogx(sizes, rule["accuracy"], color=style.PALETTE[0], label="answer is right")
        color = max_retrieval.COLORS["adaptive"]
        right.semilogx(sizes, rule["top_weight"], color=color, label="weight of the top item")
        right.axvline(self.n, color=style.MUTED, lw=1)
        right.set(xlabel="items in a set, n", ylim=(0, 1.02), title=self.rule)
        right.legend(fontsize=8.5)
        return style.finish(figure)

    def describe(self) -> str:
        """The three averages at the chosen size and rule in words."""
        rule, i = self.measured["rules"][self.rule], self.measured["sizes"].index(self.n)
        return (
            f"A heat map of attention weights and three falling curves. Among {self.n:,} items the "
            f"top logit is right in {self.measured['ranking'][i]:.1%} of the sets; under the rule "
            f"{self.rule} the top item gets {rule['top_weight'][i]:.1%} of the weight and the "
            f"answer is right in {rule['accuracy'][i]:.1%}."
        )


def _one_of(name: str, value: Any, choices: list[Any]) -> Any:
    if value not in choices:
        raise t.TraitError(f"{name} must be one of {choices}, got {value!r}")
    return value


def _measured(table: pd.DataFrame, heat_maps: pd.DataFrame) -> dict[str, Any]:
    """Averages over heads by size, and heat maps as characters, see `LEVELS`."""
    means = table.pivot_table("value", "size", ["rule", "measure"], sort=False)
    sizes = [int(size) for size in means.index if size in set(heat_maps["size"])]
    maps = heat_maps.set_index(["rule", "size"]).drop(columns="set")
    rules = [rule for rule in dict.fromkeys(heat_maps["rule"]) if rule in means.columns]
    if not sizes or not rules:
        raise ValueError("table and heat_maps must share a size and a rule, and share none")
    means = means.loc[sizes]
    return {
        "sizes": sizes,
        "items": maps.shape[1],
        "heads": table["seed"].nunique(),
        "ranking": means["logits", "ranking"].tolist(),
        "rules": {
            rule: {
                "accuracy": means[rule, "accuracy"].tolist(),
                "top_weight": means[rule, "top_weight"].tolist(),
                "maps": [_drawn(maps.loc[[(rule, size)]].to_numpy()) for size in sizes],
            }
            for rule in rules
        },
    }


def _drawn(weights: np.ndarray) -> str:
    levels = (weights * (len(LEVELS) - 1)).round().astype(int)
    drawn = "".join(LEVELS[level] for level in levels.flat)
    return re.sub(f"{LEVELS[0]}{{4,}}", lambda run: f"({len(run[0])})", drawn)
