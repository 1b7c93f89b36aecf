// What a temperature can do about ranking noise: the accuracy of a softmax rule, and the best temperature.
//
// All lengths are in mean gaps between the two largest items, on which alone they depend. sharplib.theory.ranking
// has the theory and its numbers; here they are interpolated, by third powers, in the logarithms of both.

import { table } from "./ranking-table.js";

/** The value between the knots of a list at a place, counted in knots from 0; NaN outside. */
function between(values, place) {
  if (!(place >= 0 && place <= values.length - 1)) return NaN;
  const k = Math.min(Math.floor(place), values.length - 2);
  const t = place - k;
  const [b, c] = [values[k], values[k + 1]];
  const a = Number.isFinite(values[k - 1]) ? values[k - 1] : 2 * b - c; // straight on at an end
  const d = Number.isFinite(values[k + 2]) ? values[k + 2] : 2 * c - b;
  return b + (t / 2) * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

const place = ([first, each], value) => each * (Math.log2(value) - first);

const rows = (kind, pick) => table[kind].map((row) => pick(row) ?? NaN);

/** How often the hard maximum is right, under noise of so many gaps; kind is "item" or "class". */
export function hardMaximum(kind, gaps) {
  return between(rows(kind, (row) => row.at(-1)), place(table.gaps, gaps)) / 1e5;
}

/** How often a softmax rule is right, at a temperature of `ratio` times the noise; NaN where the theory has no number. */
export function accuracy(kind, gaps, ratio) {
  const at = place(table.gaps, gaps);
  const coldest = 2 ** table.ratios[0];
  if (ratio < coldest) {
    const share = ratio / coldest; // next to the hard maximum, which it tends to
    return (1 - share) * hardMaximum(kind, gaps) + share * accuracy(kind, gaps, coldest);
  }
  const column = place(table.ratios, ratio);
  return between(rows(kind, (row) => between(row.slice(0, -1).map((v) => v ?? NaN), column)), at) / 1e5;
}

/** The temperature that is best against noise of single items, in units of the noise. */
export function bestRatio(gaps) {
  return between(table.best, place(table.gaps, gaps)) / 1e4;
}
