// The bounds of Lemma 2.1 against the number of items, and a row inside them.

import { announce, axisBelow, axisLeft, button, drawing, element, follow, handle, logarithmic, number, path, percent, powers, readouts, repeat, sentence, set, slider, stage, svg, unique } from "./kit.js";
import { criticalSize, patternWeights, randomNumbers, requiredSpread, simpleWeightBounds, weightBounds } from "./theory.js";

const KEYS = ["spread", "temperature", "n", "weight", "seed"];
const DRAWN = 1024; // scores of the row; a longer one repeats them
const MOST = 1e7; // items
const LEAST = 1e-8; // weight, at the lower edge
const [LEFT, TOP, BOTTOM] = [48, 22, 300];
/** Sizes 2, 3, 4 ... evenly spaced on the axis as soon as there are enough whole numbers. */
const SIZES = [...new Set(Array.from({ length: 241 }, (_, k) => Math.round(2 * (MOST / 2) ** (k / 240))))];

const count = (n) => (n < 1e9 ? Math.floor(n).toLocaleString("en") : number(n));

/** A share as a percentage, or as one in so many. */
const share = (v) => (v >= 1e-4 ? percent(v) : `1 in ${Number((1 / v).toPrecision(3)).toLocaleString("en")}`);

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "Dispersion: the weight that one item can get, against the number of items");

  const clip = unique();
  const window_ = svg("rect", { x: LEFT, y: TOP, height: BOTTOM - TOP });
  const [below, left, labels] = [svg("g"), svg("g"), svg("g")];
  const line = (look) => svg("path", { class: `sharp-line ${look}` });
  const band = svg("path", { class: "sharp-band" });
  const lines = { most: line("sharp-blue"), least: line("sharp-blue"), even: line("sharp-quiet"), high: line("sharp-vermilion sharp-thin"), low: line("sharp-vermilion sharp-thin"), wanted: line("sharp-green sharp-dashed") };
  const here = svg("line", { class: "sharp-tick", y1: TOP, y2: BOTTOM });
  const dots = svg("g");
  const last = svg("g", {}, svg("circle", { class: "sharp-bar sharp-green", r: 5 }), svg("text", { class: "sharp-green sharp-over", y: -8 }));
  const grip = handle(svg("g", {}, svg("rect", { class: "sharp-reach", width: 44, height: BOTTOM - TOP + 22, x: -22, y: TOP }), svg("circle", { class: "sharp-grip sharp-vermilion", r: 7, cy: BOTTOM })), {
    min: 0, max: SIZES.length - 1, step: 1,
    at: (event) => nearest(x.invert(event.clientX - picture.getBoundingClientRect().left)),
    get: () => nearest(model.get("n")),
    put: (index) => update({ n: SIZES[index] }),
  });
  const picture = drawing(346, () => draw());
  picture.append(
    svg("clipPath", { id: clip }, window_), left, below,
    svg("g", { "clip-path": `url(#${clip})` }, band, ...Object.values(lines)),
    here, dots, last, labels, svg("text", { class: "sharp-title", x: 0, y: 10 }, "weight"), grip,
  );

  const sliders = [
    slider({ name: "spread", label: "Spread δ", min: 0, max: 20, step: 0.01, value: start.spread, format: (v) => v.toFixed(2), onInput: (spread) => update({ spread }) }),
    slider({ name: "temperature", label: "Temperature θ", min: 0.1, max: 10, log: true, value: start.temperature, onInput: (temperature) => update({ temperature }) }),
    slider({ name: "n", label: "Items n", min: 2, max: MOST, step: 1, log: true, value: start.n, format: count, onInput: (n) => update({ n }) }),
    slider({ name: "weight", label: "Wanted weight", min: 0.001, max: 0.9, log: true, value: start.weight, format: percent, onInput: (weight) => update({ weight }) }),
  ];
  const another = button("Another row", () => update({ seed: (model.get("seed") + 1) % 2 ** 31 }));
  const buttons = element("div", { class: "sharp-buttons" }, another, button("Reset", () => update(start)));
  const numbers = readouts([
    ["most", "most possible", share],
    ["row", "in this row", share],
    ["critical", "wanted up to n =", count],
    ["required", "spread needed", number],
  ]);
  const words = sentence();
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), element("div", { class: "sharp-controls" }, ...sliders.map(({ node }) => node), buttons)));

  const update = follow(model, KEYS, draw);
  let x;
  let drawn = { seed: null, pattern: [] };

  function draw() {
    const [spread, temperature, n, weight, seed] = KEYS.map((key) => model.get(key));
    sliders.forEach((each, i) => each.set(model.get(KEYS[i])));
    if (drawn.seed !== seed) drawn = { seed, pattern: [0, 1, ...randomNumbers(seed, DRAWN).slice(2)] };

    const width = picture.clientWidth || 400;
    const wide = width >= 440;
    const right = width - (wide ? 122 : 14);
    x = logarithmic([2, MOST], [LEFT, right]);
    const y = logarithmic([LEAST, 1], [BOTTOM, TOP]);
    set(window_, { width: right - LEFT });
    axisLeft(left, { scale: y, values: powers(LEAST, 1, 6), x: LEFT, end: right, format: (v) => number(v, 1) });
    axisBelow(below, { scale: x, values: powers(2, MOST, wide ? 7 : 4), y: BOTTOM, format: (v) => number(v, 1), title: "number of items n", at: right });

    const high = (v) => y(Math.max(v, 1e-30)); // beyond the edge, but finite
    const trace = (value) => path(SIZES.map((size, i) => [x(size), high(value(size, i))]));
    const simple = SIZES.map((size) => simpleWeightBounds(size, spread, temperature));
    const tight = SIZES.map((size) => weightBounds(size, spread, temperature));
    const row = patternWeights(drawn.pattern, [...SIZES, n], spread, temperature);
    const upper = SIZES.map((size, i) => [x(size), high(Math.min(simple[i][1], 1e3))]);
    set(band, { d: path([...upper, ...SIZES.map((size, i) => [x(size), high(simple[i][0])]).reverse()]) });
    set(lines.most, { d: trace((_, i) => tight[i][1]) });
    set(lines.least, { d: trace((_, i) => tight[i][0]) });
    set(lines.even, { d: trace((size) => 1 / size) });
    set(lines.high, { d: trace((_, i) => row[i][1]) });
    set(lines.low, { d: trace((_, i) => row[i][0]) });
    set(lines.wanted, { d: path([[LEFT, y(weight)], [right, y(weight)]]) });

    const [lowest, most] = weightBounds(n, spread, temperature);
    const [smallest, largest] = row.at(-1);
    set(here, { x1: x(n), x2: x(n) });
    set(grip, { transform: `translate(${x(n)},0)` });
    announce(grip, "Number of items", nearest(n), `${count(n)} items`);
    const marks = [["sharp-blue", most], ["sharp-blue", lowest], ["sharp-vermilion", largest], ["sharp-vermilion", smallest]];
    repeat(dots, marks.length, () => svg("circle", { r: 4 })).forEach((dot, i) => {
      const [colour, value] = marks[i];
      set(dot, { class: `sharp-bar ${colour}`, cx: x(n), cy: high(value), visibility: value < LEAST ? "hidden" : "visible" });
    });

    const critical = criticalSize(spread, weight, temperature);
    const seen = critical <= MOST && critical >= 2;
    set(last, { transform: seen ? `translate(${x(critical)},${y(weight)})` : "", visibility: seen ? "visible" : "hidden" });
    set(last.lastChild, critical < MOST / 20 ? { x: 8, "text-anchor": "start" } : { x: -8, "text-anchor": "end" });
    last.lastChild.textContent = `n = ${count(critical)}`;

    const end = SIZES.length - 1;
    const names = [
      ["wanted", "sharp-green", weight],
      ["most possible", "sharp-blue", tight[end][1]],
      ["largest of the row", "sharp-vermilion", row[end][1]],
      ["even share", "sharp-label", 1 / MOST],
      ["smallest of the row", "sharp-vermilion", row[end][0]],
      ["least possible", "sharp-blue", tight[end][0]],
    ].filter(([, , value]) => value >= LEAST).sort((one, other) => other[2] - one[2]);
    const heights = apart(names.map(([, , value]) => y(value)), 14, wide ? 0 : -8);
    repeat(labels, names.length, () => svg("text")).forEach((text, i) => {
      set(text, { x: wide ? right + 6 : right, y: heights[i] + 4, class: `sharp-over ${names[i][1]}`, "text-anchor": wide ? "start" : "end" });
      text.textContent = names[i][0];
    });

    const required = requiredSpread(n, weight, temperature);
    numbers.set({ most, row: largest, critical, required });
    words.set(inWords({ n, weight, most, largest, critical, required }));
  }

  draw();
}

/** Index of the size nearest to n. */
function nearest(n) {
  const after = SIZES.findIndex((size) => size >= n);
  if (after < 1) return after < 0 ? SIZES.length - 1 : 0;
  return n / SIZES[after - 1] < SIZES[after] / n ? after - 1 : after;
}

/** Heights at least `gap` apart, in the order given, moved up or down as little as is simple. */
function apart(heights, gap, shift) {
  const placed = [];
  for (const height of heights) placed.push(Math.max(height + shift, (placed.at(-1) ?? -Infinity) + gap));
  for (let i = placed.length - 1, floor = BOTTOM - 4; i >= 0; i--, floor -= gap) placed[i] = Math.min(placed[i], floor);
  return placed;
}

function inWords({ n, weight, most, largest, critical, required }) {
  const row = `In this row the best gets ${share(largest)}.`;
  if (n <= critical) return `One of ${count(n)} items can get up to ${share(most)}, and ${percent(weight)} as long as there are no more than ${count(critical)}. ${row}`;
  return `None of ${count(n)} items can get ${percent(weight)}, whatever the scores: that takes a spread of ${number(required)}. ${row}`;
}
