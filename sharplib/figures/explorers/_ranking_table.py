"""The accuracies that the page interpolates: `python -m sharplib.figures.explorers._ranking_table`.

Each takes the library some hundredths of a second, too long for a page that draws two curves at
every step of a slider. They depend on two numbers only (see `sharplib.theory.ranking`), so that one
table holds them all.
"""

from __future__ import annotations

import json
import math

from sharplib.figures.explorers._bundle import FOLDER
from sharplib.theory import ranking

#: Noise in mean gaps of the two largest items, n sigma; and temperatures in units of the noise.
GAPS = [2 ** (k / 2) for k in range(-21, 18)]
RATIOS = [2 ** (k / 3) for k in range(-9, 16)]
#: Beyond this many items within one temperature the theory has no numbers: see there.
MOST = 1000.0
KINDS = {"item": ranking.accuracy_with_item_noise, "class": ranking.accuracy_with_head_starts}
FILE = FOLDER / "ranking-table.js"
HEADER = """\
// Written by _ranking_table.py. Of each axis: its begin, as a power of 2, and its knots in a
// doubling. Then accuracies by noise and temperature, the hard maximum last, and the best
// temperatures.
"""


def row(kind: str, gaps: float) -> list[int | None]:
    """Accuracy in units of 10^-5 at each ratio, and at last that of the hard maximum."""
    n = 1000.0  # any: lengths are in gaps
    heats = [*(gaps * ratio if gaps * ratio <= MOST else None for ratio in RATIOS), 0.0]
    return [
        None if heat is None else round(1e5 * KINDS[kind](n, heat / n, gaps / n)) for heat in heats
    ]


def best(gaps: float) -> int:
    """The best ratio against noise of single items, in units of 10^-4; within 1 in 100."""
    return round(1e4 * ranking.best_temperature(1000.0, gaps / 1000) * 1000 / gaps)


def main() -> None:
    """Write js/ranking-table.js."""
    table = {kind: [row(kind, gaps) for gaps in GAPS] for kind in KINDS}
    table["best"] = [best(gaps) for gaps in GAPS]
    ends = {"gaps": [math.log2(GAPS[0]), 2], "ratios": [math.log2(RATIOS[0]), 3]}
    text = json.dumps({**ends, **table}, separators=(",", ":"))
    FILE.write_text(f"{HEADER}export const table = {text};\n", encoding="utf-8")


if __name__ == "__main__":
    main()
