// A line that bends scores, the weights that come of it, and both measures beside those of every temperature.

import { announce, axisBelow, axisLeft, button, drawing, element, follow, handle, linear, number, path, percent, readouts, repeat, sentence, set, slider, stage, svg, unique } from "./kit.js";
import { bend, measures } from "./bent.js";
import { maps } from "./maps.js";

const KEYS = ["scores", "shift", "low", "high", "below", "above"];
const TEMPERATURES = Array.from({ length: 61 }, (_, k) => 20 * 400 ** (-k / 60));
const [LEFT, TOP, TALL, REACH, STEEP] = [30, 30, 190, 4, 7]; // the ends of the axes of scores and of bent ones
const signed = (v) => `${v > 0 ? "+" : ""}${number(v, 2)}`;

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "Bent scores: drag the line and see the weights, and both measures");
  const state = () => Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));

  const clip = unique();
  const opening = svg("rect");
  const axes = [svg("g"), svg("g"), svg("g"), svg("g")];
  const straight = svg("path", { class: "sharp-net" });
  const line = svg("path", { class: "sharp-line sharp-blue" });
  const dots = svg("g");
  const bars = svg("g");
  const way = svg("path", { class: "sharp-line sharp-vermilion" });
  const soft = svg("circle", { class: "sharp-bar sharp-vermilion", r: 5 });
  const here = svg("circle", { class: "sharp-grip sharp-blue", r: 8 });
  const titles = ["bent score against score", "sparsity S against M", "weights: bent, softmax as lines"].map((text) => svg("text", { class: "sharp-title" }, text));
  let x, y;

  /** A handle for one key; a threshold goes sideways, a slope up and down one unit beside its threshold. */
  const grip = (key, min, max, at) => {
    const node = svg("g", {}, svg("circle", { class: "sharp-reach", r: 18 }), svg("circle", { class: "sharp-grip sharp-green", r: 7 }));
    return handle(node, {
      min, max, step: 0.05,
      at: (event) => {
        const box = picture.getBoundingClientRect();
        return at(x.invert(event.clientX - box.left), y.invert(event.clientY - box.top));
      },
      get: () => model.get(key),
      put: (value) => update({ [key]: value }),
    });
  };
  const grips = {
    low: grip("low", -2, 0, (across) => across),
    high: grip("high", 0, 2, (across) => across),
    below: grip("below", -1, 4, (_, up) => model.get("low") - up),
    above: grip("above", -1, 4, (_, up) => up - model.get("high")),
  };
  const picture = drawing(380, () => draw());
  picture.append(svg("clipPath", { id: clip }, opening), ...axes, svg("g", { "clip-path": `url(#${clip})` }, straight, line, dots), bars, way, soft, here, ...titles, ...Object.values(grips));

  const names = { shift: "Raise all scores by", below: "Slope below", above: "Slope above" };
  const ends = { shift: [-2, 2], below: [-1, 4], above: [-1, 4] };
  const sliders = Object.entries(names).map(([key, label]) => [
    key,
    slider({ name: key, label, min: ends[key][0], max: ends[key][1], step: 0.05, value: start[key], format: key === "shift" ? signed : number, onInput: (v) => update({ [key]: v }) }),
  ]);
  const numbers = readouts([
    ["modality", "M", number],
    ["sparsity", "S", number],
    ["soft-modality", "M of softmax", number],
    ["soft-sparsity", "S of softmax", number],
    ["top", "top weight", percent],
  ]);
  const words = sentence();
  const reset = element("div", { class: "sharp-buttons" }, button("Reset", () => update(start)));
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), element("div", { class: "sharp-controls" }, ...sliders.map(([, { node }]) => node), reset)));

  const update = follow(model, KEYS, draw);

  function draw() {
    const now = state();
    const scores = now.scores.map((v) => v + now.shift);
    const raised = scores.map((v) => bend(v, now));
    const p = maps.softmax(raised);
    const plain = maps.softmax(scores);
    const of = (weights) => measures(weights, scores, now.shift);
    const [M, S] = of(p);
    const curve = TEMPERATURES.map((theta) => of(maps.softmax(scores.map((v) => v / theta))));

    const width = picture.clientWidth || 440;
    const beside = width >= 400;
    const panel = beside ? (width - 24) / 2 : width;
    const [right, second] = beside ? [width - panel, TOP] : [0, TOP + TALL + 70];
    const third = second + TALL + 66;
    set(picture, { height: third + 110 });
    x = linear([-REACH, REACH], [LEFT, panel - 8]);
    y = linear([-STEEP, STEEP], [TOP + TALL, TOP]);
    set(opening, { x: LEFT, y: TOP, width: panel - 8 - LEFT, height: TALL });
    axisLeft(axes[0], { scale: y, values: [-6, -3, 0, 3, 6], x: LEFT, end: panel - 8 });
    axisBelow(axes[1], { scale: x, values: [-4, -2, 0, 2, 4], y: TOP + TALL });
    set(straight, { d: path([-REACH, REACH].map((v) => [x(v), y(v)])) });
    set(line, { d: path([-REACH, now.low, now.high, REACH].map((v) => [x(v), y(bend(v, now))])) });
    repeat(dots, scores.length, () => svg("circle", { class: "sharp-bar sharp-blue", r: 4 })).forEach((dot, i) => set(dot, { cx: x(scores[i]), cy: y(raised[i]) }));
    const places = { low: [now.low, now.low], high: [now.high, now.high], below: [now.low - 1, now.low - now.below], above: [now.high + 1, now.high + now.above] };
    for (const [key, label] of Object.entries({ low: "Lower threshold", high: "Upper threshold", below: "Slope below the lower threshold", above: "Slope above the upper threshold" })) {
      const [across, up] = places[key];
      set(grips[key], { transform: `translate(${x(across)},${y(up)})` });
      announce(grips[key], label, now[key]);
    }

    const across = linear([0, 1], [right + LEFT, right + panel - 10]);
    const up = linear([0, 1], [second + TALL, second]);
    axisLeft(axes[2], { scale: up, values: [0, 0.5, 1], x: right + LEFT, end: right + panel - 10 });
    axisBelow(axes[3], { scale: across, values: [0, 0.5, 1], y: second + TALL });
    set(way, { d: path(curve.map(([a, b]) => [across(a), up(b)])) });
    const [softM, softS] = of(plain);
    set(soft, { cx: across(softM), cy: up(softS) });
    set(here, { cx: across(M), cy: up(S) });

    const each = (width - 8) / scores.length;
    const tall = linear([0, 1], [0, 90]);
    const drawn = repeat(bars, 2 * scores.length, (k) => (k % 2 ? svg("line", { class: "sharp-line sharp-vermilion" }) : svg("rect", { class: "sharp-bar sharp-blue" })));
    scores.forEach((_, i) => {
      const [from, foot] = [4 + i * each, third + 100];
      set(drawn[2 * i], { x: from + 0.15 * each, width: 0.7 * each, y: foot - tall(p[i]), height: Math.max(tall(p[i]), 0.5) });
      set(drawn[2 * i + 1], { x1: from + 0.05 * each, x2: from + 0.95 * each, y1: foot - tall(plain[i]), y2: foot - tall(plain[i]) });
    });
    [[0, 14], [right, second - 16], [0, third - 12]].forEach(([a, b], i) => set(titles[i], { x: a, y: b }));

    for (const [key, { set: follows }] of sliders) follows(now[key]);
    numbers.set({ modality: M, sparsity: S, "soft-modality": softM, "soft-sparsity": softS, top: Math.max(...p) });
    words.set(`${turned(now, scores, p)} ${curve.some(([a, b]) => a >= M && b >= S) ? "Some temperature of softmax does as well in both." : "No temperature of softmax has as large an M and S."}`);
  }

  draw();
}

function turned({ below, above }, scores, p) {
  if (below >= 0 && above >= 0) return "The line falls nowhere: the order is kept.";
  const wrong = scores.some((a, i) => scores.some((b, j) => a > b && p[i] < p[j]));
  return `Careful: the line falls ${below < 0 ? "below" : "above"}. ${wrong ? "Here a higher score has a smaller weight." : "No score of this row turns round, others would."}`;
}
