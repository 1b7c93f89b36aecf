// Scores under two thresholds: one on ranks (r-softmax), one on the distance to the top (t-softmax).

import { announce, axisLeft, button, drawing, element, follow, handle, linear, path, readouts, repeat, sentence, set, short, show, slider, stage, svg, ticks } from "./kit.js";
import { maps } from "./maps.js";
import { answers, quantile } from "./quantile.js";

const LIMIT = 3; // of a score, both ways
const SCORES = { top: 22, bottom: 232 }; // the two panels, in pixels from the top of the drawing
const WEIGHTS = { top: 268, bottom: 368 };
const LEFT = 34;
const REACH = 40; // the longest arrow, in pixels
const KEYS = ["scores", "rate", "t", "item"];

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "The dial: a threshold on ranks beside one on distances");

  const [scoreAxis, weightAxis, bars, grips] = [0, 1, 2, 3].map(() => svg("g"));
  const line = (colour) => svg("g", {}, svg("path", { class: `sharp-line sharp-dashed ${colour}` }), svg("text", { class: `sharp-over ${colour}`, "text-anchor": "end" }));
  const lines = { rank: line("sharp-blue"), distance: line("sharp-vermilion") };
  const title = (text, y, colour = "") => svg("text", { class: `sharp-title ${colour}`, x: 0, y }, text);
  const picture = drawing(388, () => draw());
  picture.append(title("score", 12), title("weight", WEIGHTS.top - 12), scoreAxis, weightAxis, lines.rank, lines.distance, bars, grips);

  const sliders = {
    rate: slider({ name: "rate", label: "r-softmax: rate r", min: 0.01, max: 0.99, step: 0.01, value: start.rate, format: (v) => v.toFixed(2), onInput: (rate) => update({ rate }) }),
    t: slider({ name: "t", label: "t-softmax: distance t", min: 0.1, max: 6, step: 0.1, value: start.t, format: (v) => v.toFixed(1), onInput: (t) => update({ t }) }),
  };
  const swap = button("Swap the top two", () => {
    const scores = model.get("scores");
    const [first, second] = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
    update({ scores: scores.map((v, i) => scores[{ [first]: second, [second]: first }[i] ?? i]) });
  });
  const level = button("Shrink tenfold", () => update({ scores: model.get("scores").map((v) => Number((v / 10).toPrecision(6))) }));
  const buttons = element("div", { class: "sharp-buttons" }, swap, level, button("Reset", () => update(start)));
  const numbers = readouts([
    ["zeros", "zeros, r-softmax", short],
    ["formula", "⌊r(n − 1)⌋ + 1", short],
    ["others", "zeros, t-softmax", short],
  ]);
  const words = sentence();
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), element("div", { class: "sharp-controls" }, ...Object.values(sliders).map(({ node }) => node), buttons)));

  const update = follow(model, KEYS, draw);

  function draw() {
    const [scores, rate, t, touched] = KEYS.map((key) => model.get(key));
    sliders.rate.set(rate);
    sliders.t.set(t);
    const n = scores.length;
    const item = Math.min(touched, n - 1);
    const top = Math.max(...scores);
    const edge = { rank: quantile(scores, rate).value, distance: top - t };
    const p = { rank: maps.rsoftmax(scores, { rate }), distance: maps.tsoftmax(scores, { t }) };
    const pulls = [false, true].map((detached) => answers(scores, rate, item, detached));
    const longest = Math.max(...pulls.flat().map(Math.abs), 1e-12);

    const width = picture.clientWidth || 400;
    const column = (width - LEFT) / n;
    const centre = (i) => LEFT + column * (i + 0.5);
    const y = linear([-LIMIT, LIMIT], [SCORES.bottom, SCORES.top]);
    const w = linear([0, 1], [WEIGHTS.bottom, WEIGHTS.top]);
    axisLeft(scoreAxis, { scale: y, values: ticks(-LIMIT, LIMIT, 6), x: LEFT, end: width });
    axisLeft(weightAxis, { scale: w, values: [0, 0.5, 1], x: LEFT, end: width });
    for (const [name, label] of [["rank", "quantile"], ["distance", "top − t"]]) {
      const [stroke, text] = lines[name].children;
      const at = y(Math.max(edge[name], -LIMIT));
      set(stroke, { d: path([[LEFT, at], [width, at]]) });
      set(text, { x: width, y: at + ((name === "rank") === edge.rank > edge.distance ? -4 : 14), "data-value": name });
      show(text, edge[name], (v) => `${label} ${v < -LIMIT ? "↓" : ""}`);
    }

    const arrow = (pull, x, i) => {
      const size = (-REACH * pull) / longest;
      if (Math.abs(size) < 2) return "";
      const [from, to] = [y(scores[i]), y(scores[i]) + size];
      const head = 5 * Math.sign(size);
      return path([[x, from], [x, to]]) + path([[x - 4, to - head], [x, to], [x + 4, to - head]]);
    };
    repeat(grips, n, (i) =>
      handle(svg("g", { "aria-orientation": "vertical" }, svg("path", { class: "sharp-line sharp-green" }), svg("path", { class: "sharp-line sharp-purple" }), svg("rect", { class: "sharp-reach", height: 44 }), svg("circle", { class: "sharp-grip", r: 7 })), {
        min: -LIMIT, max: LIMIT, step: 0.01,
        at: (event) => y.invert(event.clientY - picture.getBoundingClientRect().top),
        get: () => model.get("scores")[i],
        put: (value) => update({ scores: model.get("scores").map((old, k) => (k === i ? value : old)), item: i }),
      }),
    ).forEach((node, i) => {
      const [own, theirs, reach, grip] = node.children;
      set(own, { d: arrow(pulls[0][i], centre(i) - 14, i) });
      set(theirs, { d: arrow(pulls[1][i], centre(i) + 14, i) });
      set(reach, { x: centre(i) - column / 2, width: column, y: y(scores[i]) - 22 });
      set(grip, { class: `sharp-grip ${i === item ? "sharp-green" : "sharp-blue"}`, cx: centre(i), cy: y(scores[i]), "data-value": "pull", "data-exact": pulls[0][i] });
      announce(node, `Score of item ${i + 1}`, scores[i]);
    });

    const bar = Math.min(0.3 * column, 22);
    repeat(bars, n, () => svg("g", {}, svg("rect", { class: "sharp-bar sharp-blue", width: bar }), svg("rect", { class: "sharp-bar sharp-vermilion", width: bar }), svg("text", { class: "sharp-label", "text-anchor": "middle" }))).forEach((node, i) => {
      const [ranked, near, text] = node.children;
      set(ranked, { x: centre(i) - bar - 1, width: bar, y: w(p.rank[i]), height: w(0) - w(p.rank[i]), "data-value": "ranked", "data-exact": p.rank[i] });
      set(near, { x: centre(i) + 1, width: bar, y: w(p.distance[i]), height: w(0) - w(p.distance[i]), "data-value": "near", "data-exact": p.distance[i] });
      set(text, { x: centre(i), y: w(0) + 16 });
      text.textContent = `item ${i + 1}`;
    });

    const count = (weights) => weights.filter((v) => v === 0).length;
    const found = { zeros: count(p.rank), formula: Math.floor(rate * (n - 1)) + 1, others: count(p.distance) };
    numbers.set(found);
    words.set(inWords(found, pulls, item, scores, edge.rank));
  }

  draw();
}

function inWords({ zeros, formula }, pulls, item, scores, edge) {
  if (edge === Math.max(...scores)) return "The quantile is the maximum: r-softmax jumps here. t-softmax does not.";
  const first = zeros === formula ? `${zeros} zeros in blue, wherever you drag.` : `${zeros} zeros in blue: ties share alike.`;
  if (scores[item] <= edge) return `${first} Item ${item + 1} weighs nothing, and answers to nobody.`;
  const silent = pulls[0].findIndex((v, i) => v !== 0 && scores[i] <= edge);
  const heard = silent < 0 ? "" : ` In truth even item ${silent + 1} is heard, which weighs nothing.`;
  return `${first} Arrows: what raises item ${item + 1} in truth (green), and with the distance held (purple).${heard}`;
}
