// How often a softmax rule is right when scores are noisy, against its inverse temperature.

import { announce, axisBelow, axisLeft, button, drawing, element, follow, handle, linear, logarithmic, number, path, percent, readouts, sentence, set, short, show, slider, stage, svg, unique } from "./kit.js";
import { accuracy, bestRatio, hardMaximum } from "./ranking-noise.js";

const KEYS = ["n", "sharpness", "noise", "beta"];
const [COLDEST, HOTTEST] = [64, 1 / 2]; // inverse temperatures
const STEPS = 160; // of the axis, for the curves and the grip
const BETAS = Array.from({ length: STEPS + 1 }, (_, k) => Number((HOTTEST * (COLDEST / HOTTEST) ** (k / STEPS)).toPrecision(3)));
const [LEFT, TOP, BOTTOM] = [40, 46, 270];
const [LOSS, GAIN] = [-6, 3]; // points, the ends of the axis
const KINDS = { item: ["sharp-blue", "noise of single items"], class: ["sharp-vermilion", "head starts of classes"] };

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "Ranking noise: what a softmax rule gains on the hard maximum, against its inverse temperature");

  const clip = unique();
  const opening = svg("rect", { x: LEFT, y: TOP, height: BOTTOM - TOP });
  const [below, left] = [svg("g"), svg("g")];
  const parts = Object.entries(KINDS).map(([kind, [look, label]], row) => ({
    kind,
    curve: svg("path", { class: `sharp-line ${look}` }),
    here: svg("circle", { class: `sharp-bar ${look}`, r: 4 }),
    name: svg("text", { class: look, x: LEFT + 90, y: 14 + 16 * row }, label),
  }));
  const inside = svg("g", { "clip-path": `url(#${clip})` }, ...parts.flatMap(({ curve, here }) => [curve, here]));
  const zero = svg("line", { class: "sharp-tick", x1: LEFT });
  const hard = svg("text", { class: "sharp-label", "text-anchor": "end" }, "hard maximum");
  const label = (name, y) => svg("text", { class: "sharp-blue", "text-anchor": "middle", y, "data-value": name });
  const [gain, at] = [label("gain", -12), label("best", -27)];
  const best = svg("g", {}, svg("path", { class: "sharp-frame", d: "M0,-7V7M-7,0H7M-5,-5L5,5M-5,5L5,-5" }), gain, at);
  const rule = svg("line", { class: "sharp-tick", y1: TOP - 6, y2: BOTTOM });
  const grip = handle(svg("g", {}, svg("rect", { class: "sharp-reach", width: 44, height: BOTTOM - TOP + 22, x: -22, y: TOP }), svg("circle", { class: "sharp-grip sharp-green", r: 7, cy: BOTTOM })), {
    min: 0, max: STEPS, step: 1,
    at: (event) => nearest(x.invert(event.clientX - picture.getBoundingClientRect().left)),
    get: () => nearest(model.get("beta")),
    put: (step) => update({ beta: BETAS[step] }),
  });
  const picture = drawing(316, () => draw());
  picture.append(
    svg("clipPath", { id: clip }, opening), left, below, zero, hard, rule, inside, best, grip,
    svg("text", { class: "sharp-title", x: 0, y: 14 }, "points gained"), ...parts.map(({ name }) => name),
  );

  const whole = (v) => v.toLocaleString("en");
  const sliders = [
    slider({ name: "n", label: "Items n", min: 16, max: 16384, step: 1, log: true, value: start.n, format: whole, onInput: (n) => update({ n }) }),
    slider({ name: "sharpness", label: "Sharpness B", min: 100, max: 1000, step: 1, log: true, value: start.sharpness, format: whole, onInput: (sharpness) => update({ sharpness }) }),
    slider({ name: "noise", label: "Noise, in logits", min: 0.07, max: 1.2, log: true, value: start.noise, onInput: (noise) => update({ noise }) }),
    slider({ name: "beta", label: "Read at β", min: HOTTEST, max: COLDEST, log: true, value: start.beta, onInput: (beta) => update({ beta }) }),
  ];
  const numbers = readouts([
    ["item", "items, at β", percent],
    ["item-hard", "hard max", percent],
    ["class", "classes, at β", percent],
    ["class-hard", "hard max", percent],
  ]);
  const words = sentence();
  const reset = element("div", { class: "sharp-buttons" }, button("Reset", () => update(start)));
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), element("div", { class: "sharp-controls" }, ...sliders.map(({ node }) => node), reset)));

  const update = follow(model, KEYS, draw);
  let x;

  function draw() {
    const [n, sharpness, noise, beta] = KEYS.map((key) => model.get(key));
    sliders.forEach((each, i) => each.set(model.get(KEYS[i])));
    const gaps = (n * noise) / sharpness;
    const right = (kind, b) => accuracy(kind, gaps, 1 / (b * noise));
    const bestBeta = 1 / (bestRatio(gaps) * noise);

    const width = picture.clientWidth || 440;
    const end = width - 10;
    x = logarithmic([HOTTEST, COLDEST], [LEFT, end]);
    const y = linear([LOSS, GAIN], [BOTTOM, TOP]);
    axisLeft(left, { scale: y, values: [-6, -3, 0, 3], x: LEFT, end, format: (v) => (v > 0 ? `+${v}` : short(v)) });
    axisBelow(below, { scale: x, values: [1, 4, 16, 64], y: BOTTOM, title: "inverse temperature β", at: end });
    set(opening, { width: end - LEFT });
    set(zero, { x2: end, y1: y(0), y2: y(0) });
    set(hard, { x: end, y: y(0) - 6 });

    const hardest = Object.fromEntries(parts.map(({ kind }) => [kind, hardMaximum(kind, gaps)]));
    const height = (kind, b) => y(100 * (right(kind, b) - hardest[kind]));
    for (const { kind, curve, here } of parts) {
      set(curve, { d: path(BETAS.map((b) => [x(b), height(kind, b)])) });
      set(here, { cx: x(beta), cy: height(kind, beta) });
    }
    const gained = right("item", bestBeta) - hardest.item;
    set(best, { transform: `translate(${x(bestBeta)},${height("item", bestBeta)})` });
    show(gain, gained, (v) => `+${number(100 * v, 2)}`);
    show(at, bestBeta, (v) => `β = ${number(v)}`);
    set(rule, { x1: x(beta), x2: x(beta) });
    set(grip, { transform: `translate(${x(beta)},0)` });
    announce(grip, "Inverse temperature", nearest(beta), number(beta));

    numbers.set({ item: right("item", beta), "item-hard": hardest.item, class: right("class", beta), "class-hard": hardest.class });
    words.set(
      `Noise of single items: a temperature of ${number(bestRatio(gaps), 2)} times the noise is best, ` +
        `${number(100 * gained, 2)} points above the hard maximum. Head starts: nothing is above it.`,
    );
  }

  draw();
}

const nearest = (beta) => Math.min(Math.max(Math.round((STEPS * Math.log(beta / HOTTEST)) / Math.log(COLDEST / HOTTEST)), 0), STEPS);
