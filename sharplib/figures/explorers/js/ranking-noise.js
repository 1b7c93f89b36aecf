// What a temperature can do about ranking noise: the accuracy of a softmax rule, and the best temperature.
//
// All lengths are in mean gaps between the two largest items, on which alone they depend. sharplib.theory.ranking
// has the theory and its numbers; here they are interpolated, by third powers, in the logarithms of both.

import { table } from "./ranking-table.js";

/** The value at a place between knots 0 ... count - 1, of which `knot(k)` gives the values; NaN outside. */
function between(knot, count, place) {
  if (!(place >= 0 && place <= count - 1)) return NaN;
  const k = Math.min(Math.floor(place), count - 2);
  const t = place - k;
  const [a, b, c, d] = [-1, 0, 1, 2].map((step) => (k + step >= 0 && k + step < count ? knot(k + step) : NaN));
  const before = Number.isNaN(a) ? 2 * b - c : a; // straight on at an end
  const after = Number.isNaN(d) ? 2 * c - b : d;
  return b + (t / 2) * (c - before + t * (2 * before - 5 * b + 4 * c - after + t * (3 * (b - c) + after - before)));
}

const place = ([first, each], value) => each * (Math.log2(value) - first);
const inGaps = (knot, gaps) => between(knot, table.best.length, place(table.gaps, gaps));

/** How often the hard maximum is right, under noise of so many gaps; kind is "item" or "class". */
export function hardMaximum(kind, gaps) {
  return inGaps((k) => table[kind][k].at(-1), gaps) / 1e5;
}

/** How often a softmax rule is right, at a temperature of `ratio` times the noise; NaN where there is no number. */
export function accuracy(kind, gaps, ratio) {
  const coldest = 2 ** table.ratios[0];
  if (ratio < coldest) {
    const share = ratio / coldest; // next to the hard maximum, which it tends to
    return (1 - share) * hardMaximum(kind, gaps) + share * accuracy(kind, gaps, coldest);
  }
  const column = place(table.ratios, ratio);
  const inRow = (row) => between((j) => row[j] ?? NaN, row.length - 1, column);
  return inGaps((k) => inRow(table[kind][k]), gaps) / 1e5;
}

/** The temperature that is best against noise of single items, in units of the noise. */
export function bestRatio(gaps) {
  return inGaps((k) => table.best[k], gaps) / 1e4;
}
