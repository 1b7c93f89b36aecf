// A row of scores on the curve of adaptive temperature, beside plain softmax and entropy matching.

import { axisBelow, axisLeft, button, drawing, element, follow, linear, number, path, percent, readouts, sentence, set, slider, stage, svg, ticks, unique } from "./kit.js";
import { adaptiveBeta, cooled, leaderAndCrowd, matchedBeta, polynomial } from "./theory.js";

const KEYS = ["n", "lead", "width", "target", "coefficients", "gate"];
const [LEFT, TOP, BOTTOM] = [34, 22, 220]; // the plane of entropy and inverse temperature
const [MOST_H, MOST_BETA] = [12, 4];
const BARS = { top: 292, step: 30, thick: 16 };
const RULES = [["softmax", "softmax", "sharp-blue"], ["adaptive", "adaptive", "sharp-vermilion"], ["matched", "matched", "sharp-green"]];

const count = (n) => Math.round(n).toLocaleString("en");

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "Adaptive temperature: how far a row is cooled, and what its leader gets");

  const clip = unique();
  const pane = svg("rect", { x: LEFT, y: TOP, height: BOTTOM - TOP });
  const [below, left] = [svg("g"), svg("g")];
  const gain = svg("path", { class: "sharp-band" });
  const asked = svg("path", { class: "sharp-line sharp-quiet" });
  const used = svg("path", { class: "sharp-line sharp-blue" });
  const gate = svg("line", { class: "sharp-tick", "stroke-dasharray": "2 3", y1: TOP, y2: BOTTOM });
  const text = (look, words, more = {}) => svg("text", { class: `sharp-over ${look}`, ...more }, words);
  const names = { gate: text("sharp-label", "gate"), used: text("sharp-blue", "β = 1: left alone", { "text-anchor": "end" }), asked: text("sharp-label", "the polynomial") };
  const here = svg("line", { class: "sharp-tick", y1: TOP, y2: BOTTOM });
  const dot = (colour) => svg("g", {}, svg("circle", { class: `sharp-bar ${colour}`, r: 6 }), text(colour, ""));
  const dots = { matched: dot("sharp-green"), adaptive: dot("sharp-vermilion") };
  const bars = Object.fromEntries(RULES.map(([key, name, colour], i) => {
    const y = BARS.top + BARS.step * i;
    const bar = svg("g", { transform: `translate(0,${y})` }, svg("text", { y: 13 }, name), svg("rect", { class: "sharp-outline", height: BARS.thick }), svg("rect", { class: `sharp-bar ${colour}`, height: BARS.thick }), svg("text", { y: 13, "data-value": key }));
    return [key, bar];
  }));
  const picture = drawing(BARS.top + BARS.step * 3 - 8, () => draw());
  picture.append(
    svg("clipPath", { id: clip }, pane), svg("text", { class: "sharp-title", x: 0, y: 12 }, "inverse temperature β"), left, below,
    svg("g", { "clip-path": `url(#${clip})` }, gain, asked, used), gate, here, ...Object.values(names), ...Object.values(dots),
    svg("text", { class: "sharp-title", x: 0, y: BARS.top - 10 }, "weight of the leader"), ...Object.values(bars),
  );

  const sliders = {
    n: slider({ name: "n", label: "Items n", min: 2, max: 1e5, step: 1, log: true, value: start.n, format: count, onInput: (n) => update({ n }) }),
    lead: slider({ name: "lead", label: "Lead", min: 0.1, max: 15, step: 0.1, value: start.lead, format: (v) => v.toFixed(1), onInput: (lead) => update({ lead }) }),
    width: slider({ name: "width", label: "Width of the crowd", min: 0, max: 10, step: 0.1, value: start.width, format: (v) => v.toFixed(1), onInput: (width) => update({ width }) }),
    target: slider({ name: "target", label: "Matched to (nats)", min: 0.05, max: 3, step: 0.05, value: start.target, format: (v) => v.toFixed(2), onInput: (target) => update({ target }) }),
  };
  const buttons = element("div", { class: "sharp-buttons" }, button("Reset", () => update(start)));
  const numbers = readouts([
    ["entropy", "entropy (nats)", number],
    ["support", "looks at, items", number],
    ["beta", "β, adaptive", number],
    ["needed", "β, matched", number],
  ]);
  const words = sentence();
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), element("div", { class: "sharp-controls" }, ...Object.values(sliders).map(({ node }) => node), buttons)));

  const update = follow(model, KEYS, draw);

  function draw() {
    const [n, lead, width, target, coefficients, least] = KEYS.map((key) => model.get(key));
    for (const [name, each] of Object.entries(sliders)) each.set(model.get(name));
    const row = leaderAndCrowd(n, lead, width);
    const plain = cooled(row, 1);
    const beta = { softmax: 1, adaptive: adaptiveBeta(plain.entropy, coefficients, least), matched: matchedBeta(row, target) };

    const right = (picture.clientWidth || 400) - 8;
    const x = linear([0, MOST_H], [LEFT, right]);
    const y = linear([0, MOST_BETA], [BOTTOM, TOP]);
    set(pane, { width: right - LEFT });
    axisLeft(left, { scale: y, values: ticks(0, MOST_BETA, 4), x: LEFT, end: right, format: (v) => String(v) });
    axisBelow(below, { scale: x, values: ticks(0, MOST_H, 6), y: BOTTOM, format: (v) => String(v), title: "entropy H of the plain row (nats)", at: right });
    const grid = Array.from({ length: 481 }, (_, k) => (MOST_H * k) / 480);
    const high = (v) => y(Math.min(Math.max(v, -9), 99)); // beyond the edge, but finite
    const curve = grid.map((h) => [x(h), high(adaptiveBeta(h, coefficients, least))]);
    set(used, { d: path(curve) });
    set(gain, { d: path([...curve, [right, y(1)], [LEFT, y(1)]]) });
    set(asked, { d: path(grid.map((h) => [x(h), high(polynomial(coefficients, h))])) });
    set(gate, { x1: x(least), x2: x(least) });
    set(names.gate, { x: x(least) + 4, y: TOP + 12 });
    set(names.used, { x: right - 4, y: y(1) + (plain.entropy > 0.5 * MOST_H ? -8 : 16) });
    const low = grid.find((h) => h > least && polynomial(coefficients, h) < 0.4 && h > 3);
    set(names.asked, { x: x(low ?? MOST_H) + 6, y: y(0.25), visibility: low ? "visible" : "hidden" });

    set(here, { x1: x(plain.entropy), x2: x(plain.entropy) });
    for (const [rule, group] of Object.entries(dots)) {
      const above = beta[rule] > MOST_BETA;
      const before = plain.entropy > 0.7 * MOST_H;
      set(group, { transform: `translate(${x(plain.entropy)},${y(Math.min(beta[rule], MOST_BETA))})` });
      const higher = beta[rule] > beta[rule === "matched" ? "adaptive" : "matched"];
      set(group.lastChild, { x: before ? -11 : 11, y: higher ? -5 : 15, "text-anchor": before ? "end" : "start" });
      group.lastChild.textContent = rule === "matched" && beta.matched === 1 ? "" : `${rule} ${number(beta[rule])}${above ? " ↑" : ""}`;
    }

    const found = {};
    for (const [rule] of RULES) {
      found[rule] = cooled(row, beta[rule]);
      const [, outline, rect, value] = bars[rule].children;
      const share = found[rule].first;
      const w = linear([0, 1], [0, right - 126]);
      set(outline, { x: 62, width: w(1) });
      set(rect, { x: 62, width: w(share) });
      set(value, { x: 62 + w(1) + 8, "data-exact": share });
      value.textContent = percent(share);
    }
    numbers.set({ entropy: plain.entropy, support: Math.exp(plain.entropy), beta: beta.adaptive, needed: beta.matched });
    words.set(inWords(plain, found, beta, least));
  }

  draw();
}

function inWords(plain, found, beta, gate) {
  const looks = `The plain row looks at ${number(Math.exp(plain.entropy))} items.`;
  const shares = `the leader gets ${percent(found.adaptive.first)} instead of ${percent(plain.first)}`;
  const needed = beta.matched === 1 ? "It is as sharp as the target already." : `The target asks for β\u00a0=\u00a0${number(beta.matched)}.`;
  if (beta.adaptive > 1) return `${looks} The curve cools it to β\u00a0=\u00a0${number(beta.adaptive)}: ${shares}. ${needed}`;
  const why = plain.entropy <= gate ? "below the gate" : "where the curve is not above 1";
  return `${looks} That is ${why}, so adaptive temperature leaves it alone. ${needed}`;
}
