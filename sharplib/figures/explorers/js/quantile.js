// The threshold of r-softmax and its two derivatives. Pure functions; no DOM, no import.
// Every function is compared with the library under Node (tests/figures/explorers/test_dial.py).

/** The quantile of some scores, and how far it follows each of them; tied scores share alike. */
export function quantile(x, rate) {
  const sorted = [...x].sort((a, b) => a - b);
  const rank = rate * (x.length - 1);
  const low = Math.floor(rank);
  const part = rank - low;
  const ends = [sorted[low], sorted[low + 1] ?? sorted[low]];
  const share = (end) => {
    const count = x.filter((v) => v === end).length;
    return x.map((v) => (v === end ? 1 / count : 0));
  };
  const [below, above] = ends.map(share);
  return {
    value: ends[0] + part * (ends[1] - ends[0]),
    follows: x.map((_, k) => (1 - part) * below[k] + part * above[k]),
  };
}

/** How the weight of one item answers to each score; `detached`: with the distance to the top as given. */
export function answers(x, rate, item, detached) {
  const { value, follows } = quantile(x, rate);
  const top = Math.max(...x);
  if (value >= top) return x.map(() => 0); // at a jump, nothing moves
  const leaders = x.filter((v) => v === top).length;
  const c = detached ? x.map((v) => (v === top ? 1 / leaders : 0)) : follows;
  const powers = x.map((v) => (v > value ? Math.exp(v - top) : 0));
  const total = x.reduce((sum, v, i) => sum + powers[i] * Math.max(v - value, 0), 0);
  const g = powers.map((v) => v / total);
  const p = x.map((v, i) => g[i] * Math.max(v - value, 0));
  const all = g.reduce((a, b) => a + b);
  const slope = (k) => p[k] + g[k];
  return x.map((_, k) => (k === item ? slope(k) : 0) - p[item] * slope(k) - c[k] * (g[item] - all * p[item]));
}
