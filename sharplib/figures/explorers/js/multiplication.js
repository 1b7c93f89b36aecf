// The surface of a multiplication unit with two inputs, with and without noise, and the way down it.
// It is that of sharplib.theory.multiplication; noise is uniform from `least` to `ratio * least`.

// Gauss and Legendre's nodes and shares on [0, 1], for eight draws.
const NODES = [0.1834346424956498, 0.525532409916329, 0.7966664774136267, 0.9602898564975363].flatMap((x) => [(1 - x) / 2, (1 + x) / 2]);
const SHARES = [0.362683783378362, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763].flatMap((s) => [s, s]);

/** Draws of the noise and their shares, even in the logarithm, where a shifted weight is smooth. */
export function draws(least, ratio) {
  const noise = NODES.map((t) => least * ratio ** t);
  const shares = noise.map((n, k) => n * SHARES[k]);
  const total = shares.reduce((a, b) => a + b);
  return noise.map((n, k) => [n, shares[k] / total]);
}

/** Mean and second moment of uniform inputs. */
export function moments(low, high) {
  return [(low + high) / 2, (low * low + low * high + high * high) / 3];
}

/** E f^2 and E f x of a factor with weight w, and their slopes in w. */
export function parts(w, [mean, square], noise) {
  let first = 0, second = 0, slope = 0, bend = 0;
  for (const [n, share] of noise) {
    const below = w * n + 1 - w;
    const moved = (w * n) / below;
    const steep = n / (below * below);
    first += share * moved;
    second += share * moved * moved;
    slope += share * steep;
    bend += share * 2 * moved * steep;
  }
  return [
    second * square + 2 * (first - second) * mean + 1 - 2 * first + second,
    first * square + (1 - first) * mean,
    bend * square + 2 * (slope - bend) * mean - 2 * slope + bend,
    slope * (square - mean),
  ];
}

/** The expected squared error of two weights, from their parts and the second moment. */
export const joined = (p, q, square) => p[0] * q[0] - 2 * p[1] * q[1] + square * square;

/** Slopes of the expected error along both weights. */
export function downhill(weights, inputs, noise) {
  const [p, q] = weights.map((w) => parts(w, inputs, noise));
  return [p[2] * q[0] - 2 * p[3] * q[1], q[2] * p[0] - 2 * q[3] * p[1]];
}

/** The way of Adam from `start`, kept in [0, 1]; `gradient(weights)` may be the expected one or that of a batch. */
export function adam(start, gradient, steps, rate) {
  const w = [...start], first = [0, 0], second = [0, 0];
  const way = [[...w]];
  for (let step = 1; step <= steps; step++) {
    gradient(w).forEach((g, i) => {
      first[i] = 0.9 * first[i] + 0.1 * g;
      second[i] = 0.999 * second[i] + 0.001 * g * g;
      const size = Math.sqrt(second[i] / (1 - 0.999 ** step)) + 1e-8;
      w[i] = Math.min(Math.max(w[i] - (rate * first[i]) / (1 - 0.9 ** step) / size, 0), 1);
    });
    way.push([...w]);
  }
  return way;
}

/** Gradients of the error on fresh batches of four with noise, the same ones every time. */
export function batches([low, high], least, ratio) {
  let seed = 1;
  const uniform = (a, b) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return a + ((b - a) * seed) / 2 ** 32;
  };
  return (weights) => {
    const total = [0, 0];
    for (let b = 0; b < 4; b++) {
      const [x, n] = [weights.map(() => uniform(low, high)), weights.map(() => uniform(least, least * ratio))];
      const below = weights.map((w, i) => w * n[i] + 1 - w);
      const f = weights.map((w, i) => (w * n[i] * x[i] + 1 - w) / below[i]);
      const miss = f[0] * f[1] - x[0] * x[1];
      for (const i of [0, 1]) total[i] += (2 * miss * f[1 - i] * n[i] * (x[i] - 1)) / below[i] ** 2 / 4;
    }
    return total;
  };
}
