// The surface that a multiplication unit rolls down, and where it ends, with and without noise.

import { announce, axisBelow, axisLeft, button, drawing, element, follow, linear, number, path, readouts, select, sentence, set, short, slider, stage, svg } from "./kit.js";
import { adam, batches, downhill, draws, joined, moments, parts } from "./multiplication.js";

const KEYS = ["range", "least", "ratio", "weights"];
const CELLS = 72;
const STEPS = [1500, 2e-3]; // of Adam, and how long
const [LEFT, TOP, WIDEST] = [34, 10, 300];
const QUIET = [[1, 1]]; // noise that is always 1
const RANGES = ["[-20, -10]", "[-2, -1]", "[-1.2, -1.1]", "[-0.65, -0.55]", "[-0.3, -0.2]", "[-0.2, -0.1]", "[-2, 2]", "[0.1, 0.2]", "[1, 2]", "[1.1, 1.2]", "[10, 20]"];
const WAYS = { plain: "sharp-blue", noisy: "sharp-vermilion" };
const two = (v) => v.toFixed(2);
const pair = ([a, b]) => `(${two(a)}, ${two(b)})`;
const ends = (range) => range.slice(1, -1).split(", ").map(Number);

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "The surface of a multiplication unit: choose a start and see where training ends, with and without noise");
  const update = follow(model, KEYS, draw);
  const [below, left] = [svg("g"), svg("g")];
  const shade = svg("image", { preserveAspectRatio: "none" });
  const frame = svg("rect", { class: "sharp-frame" });
  const box = svg("rect", { class: "sharp-outline" });
  const scatter = svg("path", { class: "sharp-line sharp-ink sharp-thin" });
  const ways = Object.fromEntries(Object.entries(WAYS).map(([name, look]) => [name, { line: svg("path", { class: `sharp-line ${look}` }), end: svg("circle", { class: `sharp-bar ${look}`, r: 5 }) }]));
  const goal = svg("text", { class: "sharp-title sharp-over", "text-anchor": "end" }, "right");
  const grip = svg("g", { role: "slider", tabindex: 0, class: "sharp-handle", "aria-valuemin": 0, "aria-valuemax": 1 });
  grip.append(svg("circle", { class: "sharp-reach", r: 22 }), svg("circle", { class: "sharp-grip sharp-green", r: 8 }));
  const picture = drawing(WIDEST + 60, draw);
  picture.append(below, left, shade, box, frame, scatter, ...Object.values(ways).flatMap(({ line, end }) => [line, end]), goal, grip);

  const choice = select({ name: "range", label: "Numbers in training", options: RANGES.map((r) => [r, r.replaceAll("-", "−")]), value: start.range, onInput: (range) => update({ range }) });
  const least = slider({ name: "least", label: "Least noise", min: 0.1, max: 10, log: true, value: start.least, format: short, onInput: (v) => update({ least: v }) });
  const ratio = slider({ name: "ratio", label: "Most over least", min: 1, max: 40, log: true, value: start.ratio, format: short, onInput: (v) => update({ ratio: v }) });
  const reset = element("div", { class: "sharp-buttons" }, button("Reset", () => update(start)));
  const numbers = readouts([["plain-1", "no noise: W₁", two], ["plain-2", "W₂", two], ["noisy-1", "noise: W₁", two], ["noisy-2", "W₂", two]]);
  const words = sentence();
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), element("div", { class: "sharp-controls" }, choice.node, least.node, ratio.node, reset)));

  let x, y;
  const put = (weights) => update({ weights: weights.map((w) => Number(Math.min(Math.max(w, 0), 1).toFixed(3))) });
  const moveTo = (event) => {
    const at = picture.getBoundingClientRect();
    put([x.invert(event.clientX - at.left), y.invert(event.clientY - at.top)]);
  };
  const grab = (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    grip.focus({ preventScroll: true });
    moveTo(event);
  };
  grip.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // no scrolling
  set(grip, {
    onpointerdown: grab,
    onpointermove: (event) => grip.hasPointerCapture(event.pointerId) && moveTo(event),
    onkeydown: (event) => {
      const by = { ArrowLeft: [-0.01, 0], ArrowRight: [0.01, 0], ArrowUp: [0, 0.01], ArrowDown: [0, -0.01] }[event.key];
      if (!by && event.key !== "Home") return;
      event.preventDefault();
      put(by ? model.get("weights").map((w, i) => w + by[i]) : start.weights);
    },
  });
  // A mouse may begin anywhere; a finger taps, since a page scrolls where it drags.
  set(frame, { onpointerdown: (event) => event.pointerType === "mouse" && grab(event), onclick: moveTo });

  /** Colour the square by the error, in steps of a sixth of a power of ten below its largest. */
  function paint(inputs, noise) {
    const rows = Array.from({ length: CELLS }, (_, k) => parts((k + 0.5) / CELLS, inputs, noise));
    const levels = [...rows].reverse().flatMap((q) => rows.map((p) => Math.log10(Math.max(joined(p, q, inputs[1]), 1e-12))));
    const top = Math.max(...levels);
    const canvas = element("canvas", { width: CELLS, height: CELLS });
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(CELLS, CELLS);
    levels.forEach((v, k) => pixels.data.set([107, 114, 128, Math.max(0, 180 - 12 * Math.floor(6 * (top - v)))], 4 * k));
    context.putImageData(pixels, 0, 0);
    set(shade, { href: canvas.toDataURL() });
  }

  function draw() {
    const [range, lowest, most, weights] = KEYS.map((key) => model.get(key));
    choice.set(range);
    least.set(lowest);
    ratio.set(most);
    const [low, high] = ends(range);
    const inputs = moments(low, high);
    const noise = draws(lowest, most);
    paint(inputs, noise);

    const side = Math.min((picture.clientWidth || 340) - LEFT - 10, WIDEST);
    x = linear([0, 1], [LEFT, LEFT + side]);
    y = linear([0, 1], [TOP + side, TOP]);
    set(picture, { height: TOP + side + 44 });
    axisBelow(below, { scale: x, values: [0, 0.5, 1], y: TOP + side, title: "weight W₁", at: LEFT + side });
    axisLeft(left, { scale: y, values: [0, 0.5, 1], x: LEFT, end: LEFT });
    const square = { x: LEFT, y: TOP, width: side, height: side };
    set(shade, square);
    set(frame, square);
    set(box, { x: x(0.25), y: y(0.75), width: side / 2, height: side / 2 });
    set(goal, { x: x(1) - 8, y: y(1) + 16 });

    const last = {};
    const trace = (way) => path(way.filter((_, k) => k % 5 === 0).map(([a, b]) => [x(a), y(b)]));
    for (const [name, of] of [["plain", QUIET], ["noisy", noise]]) {
      const way = adam(weights, (w) => downhill(w, inputs, of), ...STEPS);
      last[name] = way[STEPS[0]];
      set(ways[name].line, { d: trace(way) });
      set(ways[name].end, { cx: x(last[name][0]), cy: y(last[name][1]) });
    }
    set(scatter, { d: trace(adam(weights, batches([low, high], lowest, most), ...STEPS)) });
    set(grip, { transform: `translate(${x(weights[0])},${y(weights[1])})` });
    announce(grip, "Weights at the start, by arrow keys", weights[0], pair(weights));
    numbers.set({ "plain-1": last.plain[0], "plain-2": last.plain[1], "noisy-1": last.noisy[0], "noisy-2": last.noisy[1] });
    const verdict = (w) => `${pair(w)}, ${w.every((v) => v > 0.99) ? "which is right" : w.every((v) => v >= 0.5) ? "which is rounded up" : "which is wrong"}`;
    words.set(`From ${pair(weights)}, without noise training comes to ${verdict(last.plain)}; with noise from ${number(lowest)} to ${number(lowest * most)}, to ${verdict(last.noisy)}.`);
  }
}
