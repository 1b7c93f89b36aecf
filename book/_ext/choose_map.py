"""Sphinx extension of the page *Choose your map*: it prints every map from the catalogue.

* ``{map-cards} sparse=True, sums_to=1`` is a directive: one card for each map that has these
  properties (`!=` for those that do not).
* ``{map-gallery}`` is a directive: the maps on three items, side by side; each leads to its card.
* ``{map-table}`` is a directive: what is left of a leader, and what it costs, a line for each map.
* ``{map}`sparsemax` `` is a role: a link to a card, and ``{maps}`sparse=True` ``: to several.

The pictures are drawn when a page asks for them, and again when the library has changed.
"""

from __future__ import annotations

import csv
import functools
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalogue_table import constant
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

import sharplib
from sharplib import CATALOGUE
from sharplib.mappings import Mapping, Properties

#: Where ``make bench`` keeps the speed of the maps, and the case that a card shows.
BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "mappings.csv"
CASE = {"precision": "float32", "shape": "1024x4096"}

SIZES = (100, 1_000_000)
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def matching(conditions: str) -> list[Mapping]:
    """The maps whose properties read as the conditions say.

    >>> [mapping.name for mapping in matching("sums_to=2, sparse=True")]
    ['budget']
    """
    chosen = list(CATALOGUE.values())
    for condition in conditions.split(","):
        found = re.fullmatch(r"\s*(\w+)(!?)=(\w+)\s*", condition)
        if not found:
            raise ValueError(f"not a condition on a property: {condition.strip()!r}")
        name, unlike, value = found.groups()
        chosen = [m for m in chosen if (_word(m.properties, name) == value) != bool(unlike)]
    return chosen


def _word(properties: Properties, name: str) -> str:
    value = getattr(properties, name)
    return f"{value:g}" if isinstance(value, float) else str(value)


# --- what is computed ----------------------------------------------------------------------------


@functools.cache
def drawn(folder: Path) -> dict[str, dict[str, Any]]:
    """Draw all maps into a folder, unless that was done since the library changed.

    Gives for each map the text that stands for each picture, and the weight of the leader at each
    of the `SIZES`, alone and in a crowd.
    """
    library = Path(sharplib.__file__).parent
    parts = (library, library / "mappings", library / "figures")
    stamp = max(path.stat().st_mtime for part in parts for path in part.glob("*.py"))
    index = folder / "index.json"
    if index.is_file():
        known = json.loads(index.read_text("utf-8"))
        if known["stamp"] == stamp:
            return known["maps"]

    from sharplib.figures import maps

    folder.mkdir(parents=True, exist_ok=True)
    about = {}
    for name, mapping in CATALOGUE.items():
        for draw in (maps.simplex, maps.ramp, maps.growth):
            target = folder / f"{name}-{draw.__name__}.webp"
            draw(mapping).savefig(target, dpi=160, pil_kwargs={"lossless": True})
        left = maps.top_weights(name, SIZES).tolist()
        about[name] = {"pictures": maps.describe(mapping), "left": left}
    index.write_text(json.dumps({"stamp": stamp, "maps": about}), "utf-8")
    return about


@functools.cache
def costs() -> dict[str, float]:
    """Time forward and backward as a multiple of torch.softmax, from the stored benchmark.

    Empty if there is none.
    """
    if not BENCHMARK.is_file():
        return {}
    with BENCHMARK.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if CASE.items() <= row.items()]
    if not rows:
        raise ValueError(f"{BENCHMARK.name} has no row with {CASE}")
    return {row["map"]: float(row["both / softmax"]) for row in rows}


def cost(mapping: Mapping) -> str:
    """The time of one map, in words."""
    times = costs().get(mapping.name)
    return "not measured yet" if times is None else f"{times:.1f} times softmax"


def weight(value: float) -> str:
    """A weight with two digits, as one reads it; its spaces do not break.

    >>> print(*map(weight, (1.0, 0.9955, 0.0123, 5.03e-6, 0.0)), sep="; ")
    1; 1.00; 0.012; 5.0\xa0×\xa010⁻⁶; 0
    """
    if value in (0, 1) or abs(value) >= 10:
        return f"{value:.0f}"
    if abs(value) >= 0.001:
        return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}\u00a0×\u00a010{str(int(power)).translate(RAISED)}"


def promises(properties: Properties) -> Iterator[str]:
    """What the tests hold a map to, in a few words each."""
    total = properties.sums_to
    yield "no fixed sum" if total is None else f"sums to {total:g}"
    yield "exact zeros" if properties.sparse else "no exact zeros"
    if properties.signed:
        yield "weights of either sign, without a bound"
    yield {
        "strict": "keeps order strictly",
        "weak": "keeps order weakly",
        "none": "does not keep order",
    }[properties.order]
    yield "ignores a shift" if properties.shift_invariant else "feels a shift"
    yield "continuous" if properties.continuous else "jumps"
    yield f"Lipschitz constant: {constant(properties.lipschitz)}"
    if not properties.equivariant:
        yield "position counts"


# --- the page ------------------------------------------------------------------------------------


def call(mapping: Mapping) -> str:
    """How to call it, at the settings of the catalogue."""
    settings = "".join(f", {name}={value}" for name, value in mapping.settings.items())
    return f"sharplib.{mapping.name}(x{settings})"


def link(mapping: Mapping) -> nodes.reference:
    """A link to the card of a map, on the same page."""
    text = nodes.literal(text=mapping.name)
    return nodes.reference("", "", text, internal=True, refid=f"map-{mapping.name}")


class Drawn(SphinxDirective):
    """What the directives share: the pictures."""

    def about(self, mapping: Mapping) -> dict[str, Any]:
        return drawn(Path(self.env.srcdir) / "book" / "_assets" / "drawn" / "maps")[mapping.name]

    def picture(self, mapping: Mapping, kind: str) -> nodes.image:
        uri = f"/book/_assets/drawn/maps/{mapping.name}-{kind}.webp"
        return nodes.image(uri=uri, alt=self.about(mapping)["pictures"][kind])


class MapCards(Drawn):
    """A section for each map with the properties that the argument names."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        return [self.card(mapping) for mapping in matching(self.arguments[0])]

    def card(self, mapping: Mapping) -> nodes.section:
        card = nodes.section(ids=[f"map-{mapping.name}"], classes=["map-card"])
        card += nodes.title("", "", nodes.literal(text=mapping.name))
        summary = inspect.getdoc(mapping.function).split("\n\n")[0].replace("\n", " ")
        card += self.parse_text_to_nodes(f"{summary}\n\n$$\n{mapping.formula}\n$$")
        strip = nodes.container(classes=["map-pictures"])
        strip += [self.picture(mapping, kind) for kind in ("simplex", "ramp", "growth")]
        card += strip
        alone, crowd = (weight(row[-1]) for row in self.about(mapping)["left"])
        lines = [
            ("When", mapping.use),
            ("When not", mapping.avoid),
            ("Promises", "; ".join(promises(mapping.properties)) + "."),
            ("At a million items", f"the leader weighs {alone} alone, {crowd} in a crowd."),
            *([("Cost", f"{cost(mapping)}.")] if costs() else []),
            ("Call", f"`{call(mapping)}`, {{py:func}}`reference <sharplib.{mapping.name}>`"),
            ("Source", f"{mapping.paper}."),
        ]
        card += self.parse_text_to_nodes("\n".join(f"- **{k}**: {v}" for k, v in lines))
        return card


class MapGallery(Drawn):
    """All maps on three items; each picture leads to the card."""

    def run(self) -> list[nodes.Node]:
        gallery = nodes.container(classes=["map-gallery"])
        for mapping in CATALOGUE.values():
            item = link(mapping)
            item.insert(0, self.picture(mapping, "simplex"))
            gallery += nodes.paragraph("", "", item)
        return [gallery]


class MapTable(Drawn):
    """What is left of a leader and what it costs, from the sharpest in a crowd downwards."""

    def run(self) -> list[nodes.Node]:
        head = ["map", "alone, n = 100", "alone, a million", "in a crowd, a million"]
        head += ["time, softmax = 1"] if costs() else []
        left = {name: self.about(mapping)["left"] for name, mapping in CATALOGUE.items()}
        rows = []
        for mapping in sorted(
            CATALOGUE.values(), key=lambda m: (-left[m.name][1][-1], -left[m.name][0][-1])
        ):
            alone, crowd = left[mapping.name]
            name = f"{{map}}`{mapping.name}`"
            rows.append([name, *map(weight, [*alone, crowd[-1]])])
            if costs():
                time = costs().get(mapping.name)
                rows[-1].append("–" if time is None else f"{time:.1f}")
        lines = "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])
        return self.parse_text_to_nodes(f":::{{container}} catalogue\n{lines}\n:::")


class MapCost(SphinxDirective):
    """A paragraph on where the costs come from."""

    def run(self) -> list[nodes.Node]:
        if not costs():
            return self.parse_text_to_nodes(
                "The costs were not measured yet: `make bench` does it."
            )
        about = json.loads(BENCHMARK.with_suffix(".json").read_text("utf-8"))
        return self.parse_text_to_nodes(
            f"Costs are those of a forward and backward pass in {CASE['precision']} over scores of "
            f"the shape {CASE['shape']}, beside `torch.softmax`: measured on {about['date']}, on "
            f"{about['cores']} cores of an {about['processor']}, with `make bench`."
        )


class OneMap(SphinxRole):
    """A link to the card of the map that is named."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [link(CATALOGUE[self.text])], []


class AllMaps(SphinxRole):
    """Links to the cards of all maps with some properties."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        found = nodes.inline(classes=["map-list"])
        for mapping in matching(self.text):
            found += [nodes.Text(", ")] if len(found) else []
            found += link(mapping)
        return [found], []


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives and the roles."""
    app.add_directive("map-cards", MapCards)
    app.add_directive("map-gallery", MapGallery)
    app.add_directive("map-table", MapTable)
    app.add_directive("map-cost", MapCost)
    app.add_role("map", OneMap())
    app.add_role("maps", AllMaps())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
