// The mappings of sharplib, for the page: maps[name](scores, parameters) -> weights.
//
// Scores are finite numbers, or -Infinity for a masked item. Parameters have the names that they
// have in Python, but for multimax, whose thresholds and coefficients are r0, r1 and c0, c1; those
// left out have the value of their slider. Nothing here knows the page.
//
// A copy can drift, so tests hold every map to sharplib on thousands of random rows.

// --- For the row without its masked items, of which at least one is left --------------------------

const sum = (values) => values.reduce((total, v) => total + v, 0);
const mean = (values) => sum(values.map((v) => v / values.length));

/** Every value over their sum. */
const shares = (values) => {
  const total = sum(values);
  return values.map((v) => v / total);
};

const shifted = (x) => {
  const top = Math.max(...x);
  return x.map((v) => v - top);
};

const logistic = (z) => 1 / (1 + Math.exp(-z));

/** Places of the scores from the largest to the smallest; the first of equal ones comes first. */
const descending = (x) => x.map((_, i) => i).sort((i, j) => x[j] - x[i]);

const softmax = (x, scale = 1) => shares(shifted(x).map((v) => Math.exp(scale * v)));

/**
 * The t between low and high where f, which rises, is 0: false position, with a half now and then.
 * Gives back two numbers, which are equal, or neighbours if f jumps between them.
 */
function root(f, low, high) {
  let [below, above] = [f(low), f(high)];
  if (above < 1e-15) return [high, high];
  let last = 0;
  for (let step = 1; step < 200; step++) {
    let at = low - (below * (high - low)) / (above - below);
    if (step % 4 === 0 || !(at > low && at < high)) at = (low + high) / 2;
    if (at <= low || at >= high) break;
    const value = f(at);
    if (Math.abs(value) < 1e-15) return [at, at];
    // An end that stays counts for half, so that it comes nearer too.
    const side = Math.sign(value);
    if (value < 0) [low, below, above] = [at, value, side === last ? above / 2 : above];
    else [high, above, below] = [at, value, side === last ? below / 2 : below];
    last = side;
  }
  return [low, high];
}

/** The weights at the t where they add up to the goal; each of them rises with t. */
function solved(weightsAt, low, high, goal = 1) {
  [low, high] = root((t) => sum(weightsAt(t)) - goal, low, high);
  const below = weightsAt(low);
  const above = weightsAt(high);
  const rise = sum(above) - sum(below);
  const share = rise > 0 ? (goal - sum(below)) / rise : 0;
  return below.map((v, i) => v + share * (above[i] - v));
}

/** exp(y) times a ramp from 1 at the top to 0 at a distance t below it. */
function ramped(x, t) {
  const y = shifted(x);
  if (t === 0) return shares(y.map((v) => (v === 0 ? 1 : 0)));
  return shares(y.map((v) => Math.max((v + t) / t, 0) * Math.exp(v)));
}

function sparsemax(x) {
  const y = shifted(x);
  const sorted = [...y].sort((a, b) => b - a);
  let total = 0;
  let threshold = 0;
  sorted.forEach((v, i) => {
    total += v;
    if (1 + (i + 1) * v > total) threshold = (total - 1) / (i + 1);
  });
  return y.map((v) => Math.max(v - threshold, 0));
}

function entmax(x, alpha) {
  const y = shifted(x);
  const d = alpha - 1;
  if (d === 0) return softmax(x);
  // p = top (1 + d y / top^d)^(1/d), for the logarithm of the top weight
  const weightsAt = (logTop) =>
    y.map((v) => {
      const depth = d * v * Math.exp(-d * logTop);
      return depth > -1 ? Math.exp(logTop + Math.log1p(depth) / d) : 0;
    });
  return solved(weightsAt, -Math.log(x.length), 0);
}

function normmax(x, alpha) {
  const y = shifted(x);
  const powers = (t) => y.map((v) => Math.max(v + t, 0) ** (alpha / (alpha - 1)));
  return shares(solved(powers, 0, 1).map((v) => v ** (1 / alpha)));
}

function budget(x, k) {
  if (x.length <= k) return x.map(() => 1);
  const y = shifted(x);
  return solved((t) => y.map((v) => Math.min(Math.max(v + t, 0), 1)), 0, 1 - Math.min(...y), k);
}

function stieltjes(x, q) {
  const y = shifted(x);
  const weightsAt = (t) => y.map((v) => (-t - v) ** -q);
  return shares(solved(weightsAt, -(x.length ** (1 / q)), -1));
}

function plsoftmax(x, delta) {
  const y = shifted(x);
  const order = descending(y);
  const depths = [...order.map((i) => Math.min(-y[i], delta) / delta), 1];
  const p = new Array(x.length);
  let weight = 0;
  for (let j = x.length; j > 0; j--) {
    weight += (depths[j] - depths[j - 1]) / j;
    p[order[j - 1]] = weight;
  }
  return p;
}

function rsoftmax(x, rate) {
  if (rate === 0) return softmax(x);
  const y = shifted(x).sort((a, b) => a - b);
  const rank = rate * (x.length - 1);
  const k = Math.floor(rank);
  return ramped(x, -(y[k] + (rank - k) * ((y[k + 1] ?? 0) - y[k])));
}

function adaptive(x) {
  const h = entropy(softmax(x));
  const wanted = [-0.037, 0.481, -2.3, 4.917, -1.791].reduce((value, c) => value * h + c, 0);
  return softmax(x, h > 0.5 ? Math.max(wanted, 1) : 1);
}

function entropyMatched(x, target) {
  if (entropy(softmax(x)) <= target) return softmax(x);
  const y = shifted(x);
  const tied = y.filter((v) => v === 0).length;
  if (target <= Math.log(tied)) return y.map((v) => (v === 0 ? 1 / tied : 0));
  const gap = -Math.max(...y.filter((v) => v < 0));
  const excess = (logBeta) => target - entropy(softmax(x, Math.exp(logBeta)));
  const [, logBeta] = root(excess, 0, Math.log(800 / Math.min(gap, 800)));
  return softmax(x, Math.exp(logBeta));
}

function multimax(x, { r0, r1, c0, c1 }) {
  return softmax(x.map((v) => v + c0 * Math.max(r0 - v, 0) + c1 * Math.max(v - r1, 0)));
}

function sink(x, s) {
  const powers = softmax([...x, s]);
  return powers.slice(0, -1);
}

function softpick(x) {
  const top = Math.max(...x, 0);
  const above = x.map((v) => (v > 0 ? Math.exp(v - top) * -Math.expm1(-v) : 0));
  const below = x.map((v) => (v < 0 ? -Math.exp(-top) * Math.expm1(v) : 0));
  const total = sum(above) + sum(below);
  return above.map((v) => (total > 0 ? v / total : 0));
}

function power(x, alpha) {
  const logs = x.map((v) => (v > 0 ? Math.log(v) : -Infinity));
  return Math.max(...logs) > -Infinity ? softmax(logs, alpha) : x.map(() => 1 / x.length);
}

function stickBreaking(x) {
  let left = 1;
  return x
    .reverse()
    .map((v) => {
      const weight = left * logistic(v);
      left *= logistic(-v);
      return weight;
    })
    .reverse();
}

function topk(x, k) {
  const p = x.map(() => 0);
  const kept = descending(x).slice(0, k);
  softmax(kept.map((i) => x[i])).forEach((weight, place) => (p[kept[place]] = weight));
  return p;
}

function evSoftmax(x) {
  const y = shifted(x);
  const bar = mean(y);
  return softmax(y.map((v) => (v < bar ? -Infinity : v)));
}

/** Shares of a power of a function of the scores; equal ones where it is 0 throughout. */
function periodic(x, root, exponent = 1) {
  const r = x.map(root);
  const top = Math.max(...r.map(Math.abs));
  if (top === 0) return x.map(() => 1 / x.length);
  const powers = r.map((v) => (v / top) ** exponent);
  return sum(powers) === 0 ? x.map(() => NaN) : shares(powers);
}

/** tan(π/4 + x/2), large but finite at a pole. */
function tangent(x) {
  const sin = Math.sin(x / 2);
  const cos = Math.cos(x / 2);
  return (cos + sin) / (cos - sin || 2 ** -1022);
}

const logLength = (x) => Math.log(Math.max(x.length, 2));

// --- What a reader can choose ---------------------------------------------------------------------

const slider = (name, label, min, max, step, value, log = false) => {
  return { name, label, min, max, step, value, log };
};

// name in sharplib: [label, sliders, weights of a row without masked items]
const table = {
  softmax: ["softmax", [], (x) => softmax(x)],
  adaptive_softmax: ["adaptive temperature", [], adaptive],
  entropy_matched_softmax: [
    "entropy matching",
    [slider("target", "entropy", 0.05, 2, 0.05, 0.5)],
    (x, { target }) => entropyMatched(x, target),
  ],
  sparsemax: ["sparsemax", [], sparsemax],
  plsoftmax: [
    "PLSoftmax",
    [slider("delta", "δ", 0.1, 10, 0.1, 1, true)],
    (x, { delta }) => plsoftmax(x, delta),
  ],
  tsoftmax: ["t-softmax", [slider("t", "t", 0.1, 10, 0.1, 1, true)], (x, { t }) => ramped(x, t)],
  rsoftmax: [
    "r-softmax",
    [slider("rate", "rate of zeros", 0, 1, 0.01, 0.5)],
    (x, { rate }) => rsoftmax(x, rate),
  ],
  power_softmax: [
    "power",
    [slider("alpha", "α", 0.1, 10, 0.1, 2, true)],
    (x, { alpha }) => power(x, alpha),
  ],
  ssmax: [
    "SSMax",
    [slider("s", "s", 0.05, 2, 0.01, 0.43)],
    (x, { s }) => softmax(x, s * logLength(x)),
  ],
  logn_softmax: [
    "log-n scaling",
    [slider("train_length", "trained on n", 2, 64, 1, 64, true)],
    (x, { train_length: m }) => softmax(x, Math.max(logLength(x) / Math.log(m), 1)),
  ],
  yarn_softmax: [
    "YaRN scaling",
    [slider("train_length", "trained on n", 2, 64, 1, 64, true)],
    (x, { train_length: m }) => softmax(x, (0.1 * Math.log(Math.max(x.length / m, 1)) + 1) ** 2),
  ],
  multimax: [
    "MultiMax",
    [
      slider("r0", "lower threshold", -3, 3, 0.1, -0.5),
      slider("r1", "upper threshold", -3, 3, 0.1, 0.5),
      slider("c0", "bend below", -3, 1, 0.1, -1),
      slider("c1", "bend above", -1, 3, 0.1, -0.5),
    ],
    multimax,
  ],
  softmax_off_by_one: ["softmax off by one", [], (x) => sink(x, 0)],
  sink_softmax: [
    "softmax with a sink",
    [slider("sink", "score of the sink", -5, 5, 0.1, -1)],
    (x, { sink: s }) => sink(x, s),
  ],
  softpick: ["softpick", [], softpick],
  relu_weights: ["ReLU / n", [], (x) => x.map((v) => Math.max(v, 0) / x.length)],
  entmax: [
    "α-entmax",
    [slider("alpha", "α", 1, 4, 0.05, 1.75)],
    (x, { alpha }) => entmax(x, alpha),
  ],
  entmax15: ["1.5-entmax", [], (x) => entmax(x, 1.5)],
  asentmax: [
    "ASEntmax",
    [slider("beta", "β", 0.05, 3, 0.05, 0.5), slider("gamma", "γ", -2, 2, 0.1, 1)],
    (x, { beta, gamma }) => {
      const scale = 1 + beta * logLength(x) ** gamma;
      return entmax(shifted(x).map((v) => scale * v), 1.5);
    },
  ],
  normmax: [
    "normmax",
    [slider("alpha", "α", 1.1, 10, 0.1, 2, true)],
    (x, { alpha }) => normmax(x, alpha),
  ],
  budget: ["budget", [slider("k", "k", 0.1, 6, 0.1, 2)], (x, { k }) => budget(x, k)],
  topk_softmax: ["top-k softmax", [slider("k", "k", 1, 12, 1, 3)], (x, { k }) => topk(x, k)],
  ev_softmax: ["Ev-softmax", [], evSoftmax],
  sparsegen: [
    "sparsegen",
    [slider("lam", "λ", -5, 0.95, 0.05, 0.5)],
    (x, { lam }) => sparsemax(shifted(x).map((v) => v / (1 - lam))),
  ],
  sparsehourglass: [
    "sparsehourglass",
    [slider("q", "q", 0.01, 10, 0.01, 0.5, true)],
    (x, { q }) => {
      const scale = (1 / x.length + q) / (Math.abs(mean(x)) + q);
      return sparsemax(shifted(x).map((v) => scale * v));
    },
  ],
  sigmoid_weights: ["sigmoid", [], (x) => x.map((v) => logistic(v - Math.log(x.length)))],
  stick_breaking: ["stick-breaking", [], stickBreaking],
  stieltjes: [
    "Stieltjes",
    [slider("q", "q", 1, 32, 0.5, 4, true)],
    (x, { q }) => stieltjes(x, q),
  ],
  sin_max: [
    "sin-max",
    [slider("offset", "offset", 1, 3, 0.1, 1), slider("frequency", "frequency", 0.5, 10, 0.1, 10)],
    (x, { offset, frequency }) => periodic(x, (v) => offset + Math.sin(frequency * v)),
  ],
  cos_max: ["cos-max", [], (x) => periodic(x, Math.cos)],
  sin2_max: ["sin²-max", [], (x) => periodic(x, Math.sin, 2)],
  shifted_sin2_max: [
    "shifted sin²-max",
    [],
    (x) => periodic(x, (v) => Math.sin(v) + Math.cos(v), 2),
  ],
  siren_max: ["siren-max", [], (x) => periodic(x, tangent, 2)],
  sin_softmax: ["softmax of sines", [], (x) => softmax(x.map(Math.sin))],
};

const entries = Object.entries(table);

/** name -> {label, parameters: [{name, label, min, max, step, value, log}]} */
export const catalogue = Object.fromEntries(
  entries.map(([name, [label, parameters]]) => [name, { label, parameters }]),
);

/** name -> (scores, parameters) -> weights */
export const maps = Object.fromEntries(
  entries.map(([name, [, sliders, weights]]) => {
    const values = Object.fromEntries(sliders.map((s) => [s.name, s.value]));
    const map = (x, parameters = {}) => {
      const present = Array.from(x).filter((v) => v > -Infinity);
      if (present.length === 0) return Array.from(x, () => 0);
      const p = weights(present, { ...values, ...parameters });
      let next = 0;
      return Array.from(x, (v) => (v > -Infinity ? p[next++] : 0));
    };
    return [name, map];
  }),
);

/** Shannon entropy in nats. */
export function entropy(p) {
  return -sum(Array.from(p, (v) => (v === 0 ? 0 : v * Math.log(v))));
}

/** How many equal weights have the same entropy; 0 for a row of zeros. */
export function effectiveSupport(p) {
  return sum(Array.from(p)) === 0 ? 0 : Math.exp(entropy(p));
}
