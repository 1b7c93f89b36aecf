// What a trained head looks at, and how often it is right: measured figures, nothing computed.

import { announce, axisBelow, axisLeft, button, drawing, element, follow, handle, linear, logarithmic, number, path, percent, readouts, select, sentence, set, slider, stage, svg } from "./kit.js";

const KEYS = ["n", "rule"];
const [LEFT, TOP, BOTTOM] = [30, 24, 210];
const NAMES = {
  softmax: "softmax", adaptive: "adaptive temperature", "entropy-matched": "entropy matching",
  "log n": "cooling with log n", n: "cooling with n", sparsemax: "sparsemax", "hard maximum": "hard maximum",
};
/** The colour map that is known as magma, at nine places; between them it is mixed. */
const MAGMA = [[0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122], [229, 89, 100], [251, 135, 97], [254, 194, 135], [252, 253, 191]];
/** A weight is one character: the first for 0, the last for 1. (7) is 0 seven times. */
const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const called = (rule) => NAMES[rule] ?? rule;
const count = (n) => n.toLocaleString("en");

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const { sizes, items, heads, ranking, rules } = model.get("measured");
  const root = stage(el, "A trained head: where its weight goes as sets grow");

  const canvas = element("canvas", { class: "sharp-pixels", role: "img", width: items });
  const bar = element("div", { class: "sharp-colours", style: `background: linear-gradient(to right, ${MAGMA.map((rgb) => `rgb(${rgb})`).join(", ")})` });
  const heat = element("div", { class: "sharp-heat" }, element("strong", {}, "weight, set by set"), canvas,
    element("div", { class: "sharp-ends" }, element("span", {}, `${items}th`), element("span", {}, "largest priority")),
    element("div", { class: "sharp-ends" }, element("span", {}, "0"), bar, element("span", {}, "1")));

  const [below, left] = [svg("g"), svg("g")];
  const curves = [
    ["ranking", "the top logit is right", "sharp-ink", () => ranking],
    ["accuracy", "the answer is right", "sharp-blue", (rule) => rule.accuracy],
    ["top_weight", "weight of the top item", "sharp-vermilion", (rule) => rule.top_weight],
  ].map(([name, label, look, of]) => ({
    name, of,
    line: svg("path", { class: `sharp-line ${look}` }),
    dot: svg("circle", { class: `sharp-bar ${look}`, r: 4 }),
    label: svg("text", { class: `sharp-over ${look}` }, label),
  }));
  const here = svg("line", { class: "sharp-tick", y1: TOP, y2: BOTTOM });
  const grip = handle(svg("g", {}, svg("rect", { class: "sharp-reach", width: 44, height: BOTTOM - TOP + 22, x: -22, y: TOP }), svg("circle", { class: "sharp-grip sharp-vermilion", r: 7, cy: BOTTOM })), {
    min: 0, max: sizes.length - 1, step: 1,
    at: (event) => nearest(x.invert(event.clientX - picture.getBoundingClientRect().left)),
    get: () => sizes.indexOf(model.get("n")),
    put: (i) => update({ n: sizes[i] }),
  });
  const picture = drawing(250, () => draw());
  picture.append(svg("text", { class: "sharp-title", x: 0, y: 12 }, "share, average"), left, below, here, ...curves.flatMap(({ line, dot, label }) => [line, dot, label]), grip);

  const size = slider({ name: "n", label: "Items n", min: 0, max: sizes.length - 1, step: 1, value: sizes.indexOf(start.n), format: (i) => count(sizes[i]), onInput: (i) => update({ n: sizes[i] }) });
  const choice = select({ name: "rule", label: "Rule", options: Object.keys(rules).map((rule) => [rule, called(rule)]), value: start.rule, onInput: (rule) => update({ rule }) });
  const buttons = element("div", { class: "sharp-buttons" }, button("Reset", () => update(start)));
  const numbers = readouts([
    ["ranking", "top logit is right", percent],
    ["top_weight", "weight of the top item", percent],
    ["accuracy", "answer is right", percent],
  ]);
  const words = sentence();
  root.append(element("div", { class: "sharp-beside" },
    element("div", {}, element("div", { class: "sharp-pair" }, heat, picture), numbers.node, words.node),
    element("div", { class: "sharp-controls" }, choice.node, size.node, buttons)));

  const update = follow(model, KEYS, draw);
  let x;

  function nearest(n) {
    const distance = sizes.map((size) => Math.abs(Math.log(size / n)));
    return distance.indexOf(Math.min(...distance));
  }

  function draw() {
    const n = model.get("n");
    const rule = rules[model.get("rule")];
    const at = sizes.indexOf(n);
    choice.set(model.get("rule"));
    size.set(at);
    paint(canvas, rule.maps[at]);
    set(canvas, { "aria-label": `Heat map of weights among ${count(n)} items under ${called(model.get("rule"))}` });

    const right = (picture.clientWidth || 280) - 22;
    x = logarithmic([sizes[0], sizes.at(-1)], [LEFT, right]);
    const y = linear([0, 1], [BOTTOM, TOP]);
    const sparse = sizes.filter((_, i) => i % Math.ceil(sizes.length / Math.max(2, (right - LEFT) / 62)) === 0);
    axisLeft(left, { scale: y, values: [0, 0.5, 1], x: LEFT, end: right, format: (v) => String(v) });
    axisBelow(below, { scale: x, values: sparse, y: BOTTOM, format: count, title: "items in a set, n", at: right });
    set(here, { x1: x(n), x2: x(n) });
    set(grip, { transform: `translate(${x(n)},0)` });
    announce(grip, "Number of items", at, `${count(n)} items`);
    const shares = {};
    curves.forEach(({ name, of, line, dot, label }, i) => {
      const values = of(rule);
      shares[name] = values[at];
      set(line, { d: path(values.map((v, k) => [x(sizes[k]), y(v)])) });
      set(dot, { cx: x(n), cy: y(values[at]) });
      set(label, { x: LEFT + 6, y: BOTTOM - 44 + 17 * i });
    });
    numbers.set(shares);
    words.set(inWords(n, heads, shares));
  }

  draw();
}

function paint(canvas, drawn) {
  const map = drawn.replace(/\((\d+)\)/g, (_, times) => LEVELS[0].repeat(times));
  canvas.height = map.length / canvas.width;
  const image = canvas.getContext("2d").createImageData(canvas.width, canvas.height);
  [...map].forEach((level, i) => {
    const place = (LEVELS.indexOf(level) / (LEVELS.length - 1)) * (MAGMA.length - 1);
    const low = Math.min(Math.floor(place), MAGMA.length - 2);
    const mixed = MAGMA[low].map((c, k) => c + (place - low) * (MAGMA[low + 1][k] - c));
    image.data.set([...mixed, 255], 4 * i);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function inWords(n, heads, { ranking, accuracy, top_weight }) {
  const points = (share) => `${number(100 * share)} points`;
  const first = `Among ${count(n)} items the top item gets ${percent(top_weight)} of the weight (mean of ${heads} heads).`;
  const lost = ranking - accuracy;
  const more = lost > 0.0005 ? `${points(lost)} more` : "nothing";
  return `${first} Wrong ranking costs ${points(1 - ranking)} of accuracy, dispersion and reading ${more}.`;
}
