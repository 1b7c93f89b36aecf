// The page's copy of sharplib.theory: how far softmax can go. Pure functions; no DOM, no import.
// Every function is compared with the library under Node (tests/figures/explorers).

/** The least and the greatest weight that softmax can give to one of n items: attained. */
export function weightBounds(n, spread, temperature) {
  const ratio = spread / temperature;
  return [
    n > 1 ? 1 / (1 + (n - 1) * Math.exp(ratio)) : 1,
    1 / (1 + (n - 1) * Math.exp(-ratio)),
  ];
}

/** The same as Lemma 2.1 states it: looser, and close at large n. */
export function simpleWeightBounds(n, spread, temperature) {
  const ratio = spread / temperature;
  return [Math.exp(-ratio) / n, Math.exp(ratio) / n];
}

/** The largest size at which a head of this spread can still give `weight` to one item. */
export function criticalSize(spread, weight, temperature) {
  return 1 + ((1 - weight) / weight) * Math.exp(spread / temperature);
}

/** The least spread with which a head can give `weight` to one of n items. */
export function requiredSpread(n, weight, temperature) {
  const needed = Math.log(Math.max(n - 1, Number.MIN_VALUE)) - Math.log((1 - weight) / weight);
  return temperature * Math.max(needed, 0);
}

/** Numbers in [0, 1) that depend on the seed alone (the generator is known as mulberry32). */
export function randomNumbers(seed, count) {
  let state = seed | 0;
  return Array.from({length: count}, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  });
}

/**
 * The least and the greatest weight of a row of n scores in [0, spread], for each of several n >= 2.
 * `pattern` says where in the range each score lies and begins with 0, 1; a longer row repeats it.
 */
export function patternWeights(pattern, sizes, spread, temperature) {
  const ratio = spread / temperature;
  const sums = [0];
  for (const u of pattern) sums.push(sums.at(-1) + Math.exp(ratio * (u - 1)));
  return sizes.map((n) => {
    const total = Math.floor(n / pattern.length) * sums.at(-1) + sums[n % pattern.length];
    return [Math.exp(-ratio) / total, 1 / total];
  });
}

/**
 * A row of n scores as a list of {score, count}: one leader at `lead`, and n - 1 others spread
 * evenly over [-width, 0], on at most 64 levels.
 */
export function leaderAndCrowd(n, lead, width) {
  const levels = Math.min(n - 1, 64);
  const row = [{score: lead, count: 1}];
  for (let k = 0; k < levels; k++) {
    const score = levels > 1 ? (width * -k) / (levels - 1) : 0;
    row.push({score, count: Math.floor((n - 1 + levels - 1 - k) / levels)});
  }
  return row;
}

/** Weight of the first item, entropy in nats, and minus dH/dlog(beta), of softmax(beta row). */
export function cooled(row, beta) {
  const top = Math.max(...row.map(({score}) => score));
  const tilted = row.map(({score, count}) => [beta * (score - top), count]);
  let total = 0, mean = 0, square = 0;
  for (const [y, count] of tilted) {
    const w = count * Math.exp(y);
    total += w;
    mean += w * y;
  }
  mean /= total;
  for (const [y, count] of tilted) square += count * Math.exp(y) * (y - mean) ** 2;
  return {
    first: Math.exp(tilted[0][0]) / total,
    entropy: Math.max(Math.log(total) - mean, 0),
    fall: square / total,
  };
}

/** Adaptive temperature: the inverse temperature that a polynomial, gated, asks at an entropy. */
export function adaptiveBeta(entropy, coefficients, gate) {
  const wanted = polynomial(coefficients, entropy);
  return entropy > gate && wanted > 1 ? wanted : 1;
}

/** A polynomial, highest power first. */
export function polynomial(coefficients, x) {
  return coefficients.reduce((value, c) => value * x + c, 0);
}

/**
 * The least inverse temperature >= 1 at which the entropy is at most `target` > 0.
 * The row is one of `leaderAndCrowd` with a leader alone at the top.
 */
export function matchedBeta(row, target) {
  if (cooled(row, 1).entropy <= target) return 1;
  // Newton on log(beta) inside a bracket; at beta = 800 / gap only the leader is left.
  const gap = row[0].score - row[1].score;
  let low = 0, high = Math.log(Math.max(800 / gap, 1)), at = Math.min(1, high);
  for (let step = 0; step < 64; step++) {
    const {entropy, fall} = cooled(row, Math.exp(at));
    const excess = entropy - target;
    if (excess > 0) low = at;
    else high = at;
    const newton = at + excess / fall;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (next === at || Math.abs(excess) <= 1e-15 * target) break;
    at = next;
  }
  return Math.exp(at);
}

/** The largest relative error of a multiplication unit for inputs from 1 to `size`, against its rounded weights. */
export function circuitError(weights, size) {
  const product = (factors) => factors.reduce((total, factor) => total * factor, 1);
  const above = product(weights.filter((w) => w < 0.5).map((w) => 1 + w * (size - 1)));
  const below = product(weights.filter((w) => w >= 0.5).map((w) => 1 - (1 - w) * (1 - 1 / size)));
  return Math.max(above - 1, 1 - below);
}

/** g = above / below of a periodic map at x, with both derivatives: [above, below, above', below']. */
const SHARES = {
  softmax: (x) => [Math.exp(x), 1, Math.exp(x), 0],
  sin_softmax: (x) => [Math.exp(Math.sin(x)), 1, Math.cos(x) * Math.exp(Math.sin(x)), 0],
  shifted_sin2_max: (x) => [Math.sin(x + Math.PI / 4) ** 2, 1, Math.cos(2 * x), 0],
  siren_max: (x) => [1 + Math.sin(x), 2 - 2 * Math.sin(x), Math.cos(x), -2 * Math.cos(x)],
  sin_max: (x) => [1 + Math.sin(10 * x), 1, 10 * Math.cos(10 * x), 0],
};
const TOPS = { softmax: Infinity, sin_softmax: Math.E, shifted_sin2_max: 1, siren_max: Infinity, sin_max: 2 };

/** One item at score x among n - 1 others at 0: its weight, its slope, the most it can have. */
export function oneAmong(name, x, n) {
  const [a, b, da, db] = SHARES[name](x);
  const [rivalAbove, rivalBelow] = SHARES[name](0);
  const rest = ((n - 1) * rivalAbove) / rivalBelow;
  const total = a + rest * b;
  return { weight: a / total, slope: (rest * (da * b - a * db)) / total ** 2, most: 1 / (1 + rest / TOPS[name]) };
}

/** The largest expected loss of softmax at temperature 1 over rows of n scores: Lambert's W((n - 1)/e). */
export function softmaxLoss(n) {
  const z = (n - 1) / Math.E;
  let w = Math.log1p(z);
  for (let step = 0; step < 20; step++) w -= (w * Math.exp(w) - z) / (Math.exp(w) * (1 + w)); // Newton, from above
  return w;
}

/** Loss times slope from l1 to l1, at n items: expected loss for softmax, worst case for the others. */
export function columnSlopes(n) {
  const column = 2 * (1 - 1 / n);
  return { softmax: softmaxLoss(n) / 2, plsoftmax: column, sparsemax: column };
}
