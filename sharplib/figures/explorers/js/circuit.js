// Weights of a multiplication unit, and how wrong it may be inside and outside its training range.

import { announce, axisBelow, axisLeft, button, drawing, element, follow, handle, linear, logarithmic, number, path, percent, powers, readouts, repeat, sentence, set, short, slider, stage, svg } from "./kit.js";
import { circuitError } from "./theory.js";

const KEYS = ["weights", "trained", "tested"];
const NAMES = ["x₁", "x₂", "x₃"];
const [MOST, FLOOR, CEILING] = [1e4, 1e-6, 100]; // largest input; ends of the axis of errors
const LEFT = 48;
const WEIGHTS = { top: 30, bottom: 128 };
const ERRORS = { top: 190, bottom: 350 };
const SIZES = Array.from({ length: 161 }, (_, k) => 1.01 * (MOST / 1.01) ** (k / 160));

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "A circuit: soften its weights and see what becomes of large inputs");

  const [weightAxis, handles, left, below] = [svg("g"), svg("g"), svg("g"), svg("g")];
  const band = svg("rect", { class: "sharp-band", x: LEFT, y: ERRORS.top, height: ERRORS.bottom - ERRORS.top });
  const curve = svg("path", { class: "sharp-line sharp-blue" });
  const dots = { inside: svg("circle", { class: "sharp-bar sharp-green", r: 6 }), outside: svg("circle", { class: "sharp-bar sharp-vermilion", r: 6 }) };
  const names = { inside: svg("text", { class: "sharp-green sharp-over" }, "training"), outside: svg("text", { class: "sharp-vermilion sharp-over", "text-anchor": "end" }, "test") };
  const picture = drawing(394, () => draw());
  const title = (text, y) => svg("text", { class: "sharp-title", x: 0, y }, text);
  picture.append(title("weight", 12), title("largest relative error", ERRORS.top - 16), weightAxis, handles, left, below, band, curve, ...Object.values(names), ...Object.values(dots));

  const sliders = {
    trained: slider({ name: "trained", label: "Largest in training", min: 1.5, max: 10, step: 0.1, value: start.trained, onInput: (trained) => update({ trained }) }),
    tested: slider({ name: "tested", label: "Largest in the test", min: 2, max: MOST, log: true, value: start.tested, onInput: (tested) => update({ tested }) }),
  };
  const move = (share) => () => update({ weights: model.get("weights").map((w) => Number((Math.round(w) + share * (w - Math.round(w))).toPrecision(12))) });
  const buttons = element("div", { class: "sharp-buttons" }, button("Ten times sharper", move(0.1)), button("Round", move(0)), button("Reset", () => update(start)));
  const numbers = readouts([
    ["inside", "in training", percent],
    ["outside", "in the test", percent],
    ["slack", "slack of the worst", number],
  ]);
  const words = sentence();
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), element("div", { class: "sharp-controls" }, ...Object.values(sliders).map(({ node }) => node), buttons)));

  const update = follow(model, KEYS, draw);

  function draw() {
    const [weights, trained, tested] = KEYS.map((key) => model.get(key));
    for (const [name, each] of Object.entries(sliders)) each.set(model.get(name));
    const right = (picture.clientWidth || 400) - 22;
    const w = linear([0, 1], [WEIGHTS.bottom, WEIGHTS.top]);
    axisLeft(weightAxis, { scale: w, values: [0, 0.5, 1], x: LEFT, end: right });
    const column = (right - LEFT) / weights.length;
    const bar = Math.min(0.5 * column, 60);
    const centre = (i) => LEFT + column * (i + 0.5);
    repeat(handles, weights.length, (i) =>
      handle(svg("g", { "aria-orientation": "vertical" }, svg("rect", { class: "sharp-bar sharp-blue" }), svg("rect", { class: "sharp-reach" }), svg("circle", { class: "sharp-grip sharp-blue", r: 7 }), svg("text", { "text-anchor": "middle" }), svg("text", { class: "sharp-label", "text-anchor": "middle" }, NAMES[i])), {
        min: 0, max: 1, step: 0.001,
        at: (event) => w.invert(event.clientY - picture.getBoundingClientRect().top),
        get: () => model.get("weights")[i],
        put: (value) => update({ weights: model.get("weights").map((old, k) => (k === i ? value : old)) }),
      }),
    ).forEach((node, i) => {
      const [rect, reach, grip, text, name] = node.children;
      set(rect, { x: centre(i) - bar / 2, width: bar, y: w(weights[i]), height: w(0) - w(weights[i]) });
      set(reach, { x: centre(i) - column / 2, width: column, y: w(weights[i]) - 22, height: 44 });
      set(grip, { cx: centre(i), cy: w(weights[i]) });
      set(text, { x: centre(i), y: w(weights[i]) - 12, "data-value": "weight", "data-exact": weights[i] });
      text.textContent = short(weights[i]);
      set(name, { x: centre(i), y: WEIGHTS.bottom + 18 });
      announce(node, `Weight of ${NAMES[i]}`, weights[i], short(weights[i]));
    });

    const x = logarithmic([1, MOST], [LEFT, right]);
    const y = logarithmic([FLOOR, CEILING], [ERRORS.bottom, ERRORS.top]);
    const high = (error) => y(Math.min(Math.max(error, FLOOR), CEILING));
    axisLeft(left, { scale: y, values: powers(FLOOR, CEILING, 5), x: LEFT, end: right, format: (v) => number(v, 1) });
    axisBelow(below, { scale: x, values: powers(1, MOST), y: ERRORS.bottom, title: "largest input M", at: right });
    set(band, { width: x(trained) - LEFT });
    set(curve, { d: path(SIZES.map((size) => [x(size), high(circuitError(weights, size))])) });
    const errors = { inside: circuitError(weights, trained), outside: circuitError(weights, tested) };
    const places = { inside: trained, outside: tested };
    for (const [key, dot] of Object.entries(dots)) {
      const [cx, cy] = [x(places[key]), high(errors[key])];
      set(dot, { cx, cy });
      set(names[key], { x: key === "inside" ? cx + 11 : Math.max(cx - 11, LEFT + 110), y: key === "inside" ? Math.min(cy + 16, ERRORS.bottom - 4) : Math.max(cy - 10, ERRORS.top + 10) });
    }
    const slack = Math.max(...weights.map((v) => Math.abs(v - Math.round(v))));
    numbers.set({ ...errors, slack });
    words.set(inWords(weights, slack, errors, tested));
  }

  draw();
}

function inWords(weights, slack, { inside, outside }, tested) {
  const formula = NAMES.filter((_, i) => weights[i] >= 0.5).join(" · ") || "1";
  if (slack === 0) return `The circuit is ${formula}, exactly: right at any size.`;
  return `Rounded, the circuit is ${formula}. As it is, it may be wrong by ${percent(inside)} in training, and by ${percent(outside)} with inputs up to ${short(tested)}.`;
}
