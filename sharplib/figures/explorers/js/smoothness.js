// A ramp of scores, one of which moves, under three maps that may lose the same.

import { announce, axisLeft, button, drawing, element, follow, handle, linear, number, repeat, sentence, set, show, slider, stage, svg } from "./kit.js";
import { maps } from "./maps.js";
import { columnSlopes, softmaxLoss } from "./theory.js";

const KEYS = ["n", "drop", "delta", "item", "step"];
const NAMES = { softmax: "softmax", plsoftmax: "PLSoftMax", sparsemax: "sparsemax" };
const [LEFT, TOP, BOTTOM] = [34, 22, 152]; // the panel of scores
const [LOW, HIGH] = [-5, 1]; // scores
const ROW = { first: 200, step: 104, high: 62 }; // the panels of weights

/** The scores before and after the move. */
export function ramps({ n, drop, item, step }) {
  const before = Array.from({ length: n }, (_, i) => (-drop * i) / (n - 1));
  return [before, before.map((v, i) => (i === item - 1 ? v + step : v))];
}

/** Name -> loss on average, lowest with weight, weight moved, the most that can move, both rows of weights. */
export function compared(state) {
  const { n, delta, step } = state;
  const weigh = {
    softmax: (x) => maps.softmax(x.map((v) => (v * softmaxLoss(n)) / delta)),
    plsoftmax: (x) => maps.plsoftmax(x, { delta }),
    sparsemax: (x) => maps.sparsemax(x.map((v) => v / delta)),
  };
  const [before, after] = ramps(state);
  return Object.fromEntries(Object.entries(weigh).map(([name, f]) => {
    const [p, q] = [f(before), f(after)];
    const lost = -p.reduce((total, w, i) => total + w * before[i], 0);
    const worst = -Math.min(...before.filter((_, i) => p[i] > 0));
    const moved = p.reduce((total, w, i) => total + Math.abs(w - q[i]), 0);
    return [name, { p, q, lost, worst, moved, most: Math.min((columnSlopes(n)[name] * Math.abs(step)) / delta, 2) }];
  }));
}

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "Smoothness: three maps, what they lose and how far they move");
  const y = linear([LOW, HIGH], [BOTTOM, TOP]);
  const height = (event) => y.invert(event.clientY - picture.getBoundingClientRect().top);

  const left = svg("g");
  const band = svg("rect", { class: "sharp-band", x: LEFT });
  const dots = svg("g");
  const grip = (colour, controls) => handle(svg("g", { "aria-orientation": "vertical" }, svg("circle", { class: "sharp-reach", r: 22 }), svg("circle", { class: `sharp-grip ${colour}`, r: 7 })), { step: 0.05, ...controls });
  const tilt = grip("sharp-blue", { min: -4, max: 0, at: height, get: () => -model.get("drop"), put: (v) => update({ drop: Math.abs(v) }) });
  const mover = grip("sharp-vermilion", { min: -1, max: 1, at: height, get: () => model.get("step"), put: (step) => update({ step }) });
  const panels = Object.entries(NAMES).map(([name, label], k) => {
    const base = ROW.first + ROW.step * k + ROW.high;
    const [lost, moved, most] = ["lost", "moved", "most"].map((what) => svg("tspan", { "data-value": `${what}-${name}` }));
    const said = svg("text", { class: "sharp-label", "text-anchor": "end", y: base - ROW.high - 10 }, "loses ", lost, ", moves ", moved, " of ", most);
    const bars = svg("g");
    const axis = svg("g");
    return { name, base, lost, moved, most, said, bars, axis, title: svg("text", { class: "sharp-title", x: 0, y: base - ROW.high - 10 }, label) };
  });
  const picture = drawing(ROW.first + ROW.step * 3 - 30, () => draw());
  picture.append(svg("text", { class: "sharp-title", x: 0, y: 12 }, "score"), band, left, dots, tilt, mover, ...panels.flatMap(({ axis, bars, title, said }) => [axis, bars, title, said]));

  const fixed = (v) => v.toFixed(2).replace("-", "−");
  const whole = (v) => String(v);
  const sliders = {
    n: slider({ name: "n", label: "Items n", min: 2, max: 64, step: 1, value: start.n, format: whole, onInput: (n) => update({ item: Math.min(model.get("item"), n), n }) }),
    delta: slider({ name: "delta", label: "Allowance δ", min: 0.2, max: 4, step: 0.05, value: start.delta, format: fixed, onInput: (delta) => update({ delta }) }),
    item: slider({ name: "item", label: "Item that moves", min: 1, max: 64, step: 1, value: start.item, format: whole, onInput: (item) => update({ item: Math.min(item, model.get("n")) }) }),
    step: slider({ name: "step", label: "Moves by", min: -1, max: 1, step: 0.05, value: start.step, format: fixed, onInput: (step) => update({ step }) }),
  };
  const words = sentence();
  const reset = element("div", { class: "sharp-buttons" }, button("Reset", () => update(start)));
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, words.node), element("div", { class: "sharp-controls" }, ...Object.values(sliders).map(({ node }) => node), reset)));

  const update = follow(model, KEYS, draw);

  function draw() {
    const state = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
    state.item = Math.min(state.item, state.n); // keys change one after the other
    for (const [key, each] of Object.entries(sliders)) each.set(state[key]);
    const { n, delta, item, step } = state;
    const [before, after] = ramps(state);
    const found = compared(state);
    const end = (picture.clientWidth || 400) - 12;
    const column = (end - LEFT) / n;
    const centre = (i) => LEFT + column * (i + 0.5);

    axisLeft(left, { scale: y, values: [-4, -2, 0], x: LEFT, end });
    set(band, { width: end - LEFT, y: y(0), height: y(Math.max(-delta, LOW)) - y(0) });
    repeat(dots, n, () => svg("circle", { class: "sharp-bar sharp-blue" })).forEach((dot, i) => set(dot, { cx: centre(i), cy: y(before[i]), r: n > 32 ? 2.5 : 4 }));
    set(tilt, { transform: `translate(${centre(n - 1)},${y(before[n - 1])})` });
    set(mover, { transform: `translate(${centre(item - 1)},${y(after[item - 1])})` });
    announce(tilt, "Last score of the ramp", before[n - 1]);
    announce(mover, `Move of item ${item}`, step);

    const top = Math.max(...Object.values(found).flatMap(({ p, q }) => [...p, ...q]));
    for (const { name, base, lost, moved, most, said, bars, axis } of panels) {
      const one = found[name];
      const w = linear([0, top], [base, base - ROW.high]);
      const half = Math.floor(top * 50) / 100;
      axisLeft(axis, { scale: w, values: half > 0 ? [0, half] : [0], x: LEFT, end });
      repeat(bars, n, () => svg("g", {}, svg("rect", { class: "sharp-bar sharp-blue" }), svg("rect", { class: "sharp-outline" }))).forEach((node, i) => {
        const box = (value) => ({ x: centre(i) - 0.38 * column, width: 0.76 * column, y: w(value), height: base - w(value) });
        set(node.children[0], box(one.p[i]));
        set(node.children[1], box(one.q[i]));
      });
      set(said, { x: end });
      show(lost, one.lost, fixed);
      show(moved, one.moved, fixed);
      show(most, one.most, fixed);
    }
    words.set(
      `Allowed is a loss of ${number(delta)}: for softmax on average, for the others at worst. The lowest item with weight lies ` +
        `${number(found.softmax.worst)} below the top under softmax, ${number(found.plsoftmax.worst)} under PLSoftMax, ${number(found.sparsemax.worst)} under sparsemax.`,
    );
  }

  draw();
}
