// Scores that a reader drags, and the weights that a map of the catalogue makes of them.

import { announce, axisLeft, button, drawing, element, follow, handle, linear, number, percent, readouts, repeat, sentence, set, stage, svg, ticks } from "./kit.js";
import { mapControls } from "./map-controls.js";
import { effectiveSupport, entropy, maps } from "./maps.js";

const LIMIT = 5; // of a score, both ways
const STEP = 0.1;
const MOST = 12; // items
const SCORES = { top: 22, bottom: 172 }; // the two panels, in pixels from the top of the drawing
const WEIGHTS = { top: 208, bottom: 338 };
const LEFT = 34;
const KEYS = ["scores", "map", "temperature", "parameters"];

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "Softmax bench: drag the scores and see the weights");

  const scoreAxis = svg("g");
  const weightAxis = svg("g");
  const bars = svg("g");
  const handles = svg("g");
  const picture = drawing(356, () => draw());
  const title = (text, y) => svg("text", { class: "sharp-title", x: 0, y }, text);
  picture.append(title("score", 12), title("weight", WEIGHTS.top - 12), scoreAxis, weightAxis, bars, handles);

  const add = button("Add an item", () => update({ scores: [...model.get("scores"), 0] }));
  const remove = button("Remove one", () => update({ scores: model.get("scores").slice(0, -1) }));
  const reset = button("Reset", () => update(start));

  const numbers = readouts([
    ["top", "top weight", percent],
    ["support", "effective support", number],
    ["entropy", "entropy (nats)", number],
  ]);
  const words = sentence();
  const update = follow(model, KEYS, draw);
  const map = mapControls(model, update);
  const controls = element("div", { class: "sharp-controls" }, ...map.nodes, element("div", { class: "sharp-buttons" }, add, remove, reset));
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), controls));

  function draw() {
    const scores = model.get("scores");
    map.draw();
    add.disabled = scores.length >= MOST;
    remove.disabled = scores.length <= 1;
    const p = map.weights(scores);
    const plain = maps.softmax(scores, { temperature: 1 });
    const width = picture.clientWidth || 400;
    const column = (width - LEFT) / scores.length;
    const bar = Math.min(0.64 * column, 44);
    const centre = (i) => LEFT + column * (i + 0.5);
    const ends = [Math.min(0, ...p.filter(Number.isFinite)), Math.max(1, ...p.filter(Number.isFinite))];
    const x = linear([-LIMIT, LIMIT], [SCORES.bottom, SCORES.top]);
    const w = linear(ends, [WEIGHTS.bottom, WEIGHTS.top]);
    axisLeft(scoreAxis, { scale: x, values: [-LIMIT, 0, LIMIT], x: LEFT, end: width });
    axisLeft(weightAxis, { scale: w, values: ticks(...ends, 2), x: LEFT, end: width });

    repeat(handles, scores.length, (i) =>
      handle(svg("g", { "aria-orientation": "vertical" }, svg("rect", { class: "sharp-bar sharp-blue" }), svg("rect", { class: "sharp-reach" }), svg("circle", { class: "sharp-grip sharp-blue", r: 7 }), svg("text", { class: "sharp-label", "text-anchor": "middle" })), {
        min: -LIMIT, max: LIMIT, step: STEP,
        at: (event) => linear([SCORES.bottom, SCORES.top], [-LIMIT, LIMIT])(event.clientY - picture.getBoundingClientRect().top),
        get: () => model.get("scores")[i],
        put: (value) => update({ scores: model.get("scores").map((old, k) => (k === i ? value : old)) }),
      }),
    ).forEach((node, i) => {
      const [rect, reach, grip, text] = node.children;
      const [low, high] = [x(Math.min(0, scores[i])), x(Math.max(0, scores[i]))];
      set(rect, { x: centre(i) - bar / 2, width: bar, y: high, height: low - high });
      set(reach, { x: centre(i) - column / 2, width: column, y: x(scores[i]) - 22, height: 44 });
      set(grip, { cx: centre(i), cy: x(scores[i]) });
      set(text, { x: centre(i), y: scores[i] < 0 ? x(scores[i]) + 23 : x(scores[i]) - 12 });
      text.textContent = scores[i].toFixed(1).replace("-", "−");
      announce(node, `Score of item ${i + 1}`, scores[i]);
    });

    const most = Math.max(...p);
    repeat(bars, scores.length, () => svg("g", {}, svg("rect"), svg("rect", { class: "sharp-outline" }), svg("text", { class: "sharp-label", "text-anchor": "middle" }))).forEach((node, i) => {
      const [rect, outline, text] = node.children;
      const box = (value) => ({ x: centre(i) - bar / 2, width: bar, y: w(Math.max(0, value)), height: Math.abs(w(value) - w(0)) });
      set(rect, { ...box(p[i]), class: `sharp-bar ${p[i] === most ? "sharp-vermilion" : "sharp-blue"}` });
      set(outline, box(plain[i]));
      set(text, { x: centre(i), y: w(0) + 16, "data-value": "weight", "data-exact": p[i] });
      text.textContent = p[i] === 0 ? "0" : p[i].toFixed(2).replace("-", "−").replace(column < 30 ? /^0/ : "", "");
    });

    numbers.set({ top: most, support: effectiveSupport(p), entropy: entropy(p) });
    words.set(inWords(p, plain, model.get("map") === "softmax" && model.get("temperature") === 1));
  }

  draw();
}

function inWords(p, plain, isPlain) {
  const most = Math.max(...p);
  const leaders = p.flatMap((weight, i) => (weight === most ? [i] : []));
  const zeros = p.filter((weight) => weight === 0).length;
  const one = leaders.length === 1;
  const first = one ? `Item ${leaders[0] + 1} holds ${percent(most)} of the weight` : `${leaders.length} items lead with ${percent(most)} each`;
  const beside = isPlain || !one ? "." : `; a plain softmax would give it ${percent(plain[leaders[0]])}.`;
  return `${first}${beside} ${zeros === 0 ? "Every item gets something." : `${zeros} of ${p.length} get exactly nothing.`}`;
}
