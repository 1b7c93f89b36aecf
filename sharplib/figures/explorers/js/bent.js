// Bent scores of order 1, by their slopes, and the two measures of a row of weights. Nothing here knows the page.

/** A line of slope 1 between low and high, of slope `below` under low and `above` over high. */
export function bend(x, { low, high, below, above }) {
  return x + (1 - below) * Math.max(low - x, 0) + (above - 1) * Math.max(x - high, 0);
}

const mean = (values) => values.reduce((total, v) => total + v / values.length, 0);

/** Multi-modality M and sparsity S of weights p of scores x; 1/n counts as small. */
export function measures(p, x, threshold) {
  const top = Math.max(...p);
  const highest = Math.max(...x);
  return [
    1 - mean(p.filter((_, i) => x[i] > threshold && x[i] < highest).map((w) => top - w)),
    mean(p.filter((_, i) => x[i] < threshold).map((w) => Math.exp(-w * p.length))),
  ];
}
