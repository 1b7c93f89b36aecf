// One score moves among others that stand at 0: its weight and its slope, under a periodic map and under softmax.

import { announce, axisBelow, axisLeft, button, drawing, element, follow, handle, linear, number, path, percent, readouts, select, sentence, set, slider, stage, svg, ticks } from "./kit.js";
import { oneAmong } from "./theory.js";

const KEYS = ["score", "n", "map"];
const REACH = 7;
const LEFT = 52;
const WEIGHT = { top: 24, bottom: 164 };
const SLOPE = { top: 196, bottom: 300 };
const SCORES = Array.from({ length: 561 }, (_, k) => (REACH * (k - 280)) / 280);
const MAPS = [["sin_softmax", "sin-softmax"], ["shifted_sin2_max", "shifted sin²-max"], ["siren_max", "siren-max"], ["sin_max", "1 + sin 10x"], ["softmax", "softmax"]];

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "One score among others: its weight, and the slope of its weight");

  const [below, left, lower] = [svg("g"), svg("g"), svg("g")];
  const falling = svg("path", { class: "sharp-band" });
  const line = (look) => svg("path", { class: `sharp-line ${look}` });
  const [weights, slopes] = [0, 1].map(() => [line("sharp-blue sharp-thin"), line("sharp-vermilion")]);
  const most = line("sharp-green sharp-dashed");
  const zero = line("sharp-quiet");
  const dots = [0, 1].map(() => svg("circle", { class: "sharp-bar sharp-vermilion", r: 5 }));
  const here = svg("line", { class: "sharp-tick", y1: WEIGHT.top, y2: SLOPE.bottom });
  const highest = svg("text", { class: "sharp-over sharp-green", "text-anchor": "end" });
  const grip = handle(svg("g", {}, svg("rect", { class: "sharp-reach", x: -22, width: 44, y: WEIGHT.top, height: SLOPE.bottom - WEIGHT.top + 16 }), svg("circle", { class: "sharp-grip sharp-vermilion", r: 7, cy: (WEIGHT.bottom + SLOPE.top) / 2 })), {
    min: -REACH, max: REACH, step: 0.01,
    at: (event) => x.invert(event.clientX - picture.getBoundingClientRect().left),
    get: () => model.get("score"),
    put: (score) => update({ score }),
  });
  const picture = drawing(346, () => draw());
  picture.append(
    falling, left, lower, below, zero, ...weights, ...slopes, most, highest, here, ...dots,
    svg("text", { class: "sharp-title", x: 0, y: 10 }, "weight"), svg("text", { class: "sharp-title", x: 0, y: SLOPE.top - 10 }, "slope"), grip,
  );

  const controls = [
    select({ name: "map", label: "Map", options: MAPS, value: start.map, onInput: (map) => update({ map }) }),
    slider({ name: "score", label: "Score", min: -REACH, max: REACH, step: 0.01, value: start.score, format: (v) => v.toFixed(2).replace("-", "−"), onInput: (score) => update({ score }) }),
    slider({ name: "n", label: "Items n", min: 2, max: 10_000, step: 1, log: true, value: start.n, format: (v) => v.toLocaleString("en"), onInput: (n) => update({ n }) }),
  ];
  const numbers = readouts([["weight", "weight", percent], ["slope", "slope", number], ["most", "most on this axis", percent], ["softmax", "weight, softmax", percent]]);
  const words = sentence();
  const buttons = element("div", { class: "sharp-buttons" }, button("Reset", () => update(start)));
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), element("div", { class: "sharp-controls" }, ...controls.map(({ node }) => node), buttons)));

  const update = follow(model, KEYS, draw);
  let x;

  function draw() {
    const [score, n, map] = KEYS.map((key) => model.get(key));
    [map, score, n].forEach((value, i) => controls[i].set(value));
    const right = (picture.clientWidth || 400) - 14;
    x = linear([-REACH, REACH], [LEFT, right]);
    const ways = ["softmax", map].map((name) => SCORES.map((v) => oneAmong(name, v, n)));
    const top = ways[1][0].most;
    const steep = ways.flat().map(({ slope }) => slope);
    const [low, high] = [Math.min(...steep, 0), Math.max(...steep)];
    const y = linear([0, 1], [WEIGHT.bottom, WEIGHT.top]);
    const z = linear([1.1 * low, high], [SLOPE.bottom, SLOPE.top]);
    axisLeft(left, { scale: y, values: [0, 0.5, 1], x: LEFT, end: right });
    axisLeft(lower, { scale: z, values: ticks(low, high, 3), x: LEFT, end: right });
    axisBelow(below, { scale: x, values: ticks(-REACH, REACH, 7), y: SLOPE.bottom, title: "score", at: right });
    ways.forEach((way, i) => {
      set(weights[i], { d: path(SCORES.map((v, k) => [x(v), y(way[k].weight)])) });
      set(slopes[i], { d: path(SCORES.map((v, k) => [x(v), z(way[k].slope)])) });
    });
    const half = (right - LEFT) / 560 / 2;
    set(falling, { d: SCORES.map((v, k) => (ways[1][k].slope < 0 ? `M${(x(v) - half).toFixed(1)},${WEIGHT.top}h${(2 * half).toFixed(2)}V${SLOPE.bottom}h${(-2 * half).toFixed(2)}Z` : "")).join("") });
    set(most, { d: path([[LEFT, y(top)], [right, y(top)]]) });
    set(highest, { x: right, y: y(top) + (top > 0.9 ? 14 : -6) });
    highest.textContent = "most on this axis";
    set(zero, { d: path([[LEFT, z(0)], [right, z(0)]]) });

    const now = oneAmong(map, score, n);
    set(here, { x1: x(score), x2: x(score) });
    set(dots[0], { cx: x(score), cy: y(now.weight) });
    set(dots[1], { cx: x(score), cy: Math.min(Math.max(z(now.slope), SLOPE.top), SLOPE.bottom) });
    set(grip, { transform: `translate(${x(score)},0)` });
    announce(grip, "Score of the item", score);
    numbers.set({ ...now, softmax: oneAmong("softmax", score, n).weight });
    words.set(inWords(map, n, now));
  }

  draw();
}

function inWords(map, n, { weight, slope, most }) {
  const way = Math.abs(slope) < 1e-12 ? "At this score the weight does not move." : slope > 0 ? "More score means more weight here." : "More score means less weight here (shaded).";
  if (map === "softmax") return `${way} Softmax never turns round, and goes flat where its weight is near 1.`;
  if (most === 1) return `${way} At the pole the item gets everything.`;
  return `${way} No score gives this item more than ${percent(most)}; an even share is ${percent(1 / n)}.`;
}
