// Three scores as a point of a hexagon, and the weights that a map makes of them as a point of a triangle.

import { button, drawing, element, follow, path, percent, readouts, sentence, set, short, show, slider, stage, svg, unique } from "./kit.js";
import { mapControls } from "./map-controls.js";

const WIDEST = 2; // the largest difference of two scores: the hexagon's radius
const CELLS = 95; // on a side of the picture of regions; odd, so that no corner of a cell has ties
const KEYS = ["scores", "map", "temperature", "parameters"];
// Of a point where none, one, two, all three items have weight; they suit light and dark paper.
const SHADES = [[107, 114, 128, 150], [213, 94, 0, 200], [213, 94, 0, 85], [0, 0, 0, 0]];
const COOLING = Array.from({ length: 81 }, (_, k) => 10 ** (1 - k / 40));

// Towards items 1, 2, 3: up, down left, down right. In the plane of scores, an item that leads two
// equal ones by a lies a away from the centre; in that of weights, all weight on one item is its corner.
const CORNERS = [90, 210, 330].map((degrees) => [Math.cos((degrees * Math.PI) / 180), -Math.sin((degrees * Math.PI) / 180)]);
const toPlane = (v) => [0, 1].map((axis) => CORNERS.reduce((sum, corner, i) => sum + v[i] * corner[axis], 0));
const fromPlane = ([a, b]) => CORNERS.map(([c, d]) => (2 / 3) * (a * c + b * d));
const mean = (x) => (x[0] + x[1] + x[2]) / 3;
const rounded = (v) => short(Math.round(100 * v) / 100);
const spread = (x) => Math.max(...x) - Math.min(...x);

// Lines of equal direction and of equal spread, for a plane of scores.
const ROUND = Array.from({ length: 73 }, (_, k) => {
  const x = fromPlane([Math.cos((k * Math.PI) / 36), Math.sin((k * Math.PI) / 36)]);
  return x.map((v) => v / spread(x));
});
const RAYS = ROUND.filter((_, k) => k % 6 === 0 && k < 72).map((x) => Array.from({ length: 31 }, (_, k) => x.map((v) => (v * k * WIDEST) / 30)));
const RINGS = [0.5, 1, 1.5].map((size) => ROUND.map((x) => x.map((v) => v * size)));

export function render({ model, el }) {
  const start = Object.fromEntries(KEYS.map((key) => [key, model.get(key)]));
  const root = stage(el, "Simplex: move three scores and see where their weights land");
  const update = follow(model, KEYS, draw);
  const controls = mapControls(model, update);
  const level = slider({ name: "level", label: "Mean score", min: -3, max: 3, step: 0.1, value: 0, onInput: (v) => put(model.get("scores"), v) });

  const text = (label, kind, anchor = "middle") => svg("text", { class: kind, "text-anchor": anchor }, label);
  const titles = ["scores", "weights"].map((label) => text(label, "sharp-title", "start"));
  const names = [1, 2, 3].map((i) => text(`item ${i}`, "sharp-label"));
  const scored = [1, 2, 3].map(() => text("", "sharp-label"));
  for (const node of scored) set(node, { "data-value": "score" });
  const clip = unique();
  const opening = svg("polygon");
  const regions = svg("image", { preserveAspectRatio: "none", "clip-path": `url(#${clip})` });
  const nets = [svg("path", { class: "sharp-net" }), svg("path", { class: "sharp-net" })];
  const frames = [svg("polygon", { class: "sharp-frame" }), svg("polygon", { class: "sharp-frame" })];
  const cooling = svg("path", { class: "sharp-line sharp-vermilion" });
  const ends = ["hot", "cold"].map((label) => text(label, "sharp-vermilion", "start"));
  const landed = svg("circle", { class: "sharp-grip sharp-blue", r: 8 });
  const grip = svg("g", { role: "slider", tabindex: 0, class: "sharp-handle", "aria-label": "Scores of the three items, by arrow keys", "aria-valuemin": 0, "aria-valuemax": WIDEST });
  grip.append(svg("circle", { class: "sharp-reach", r: 22 }), svg("circle", { class: "sharp-grip sharp-blue", r: 8 }));
  const picture = drawing(300, draw);
  picture.append(svg("clipPath", { id: clip }, opening), regions, ...nets, ...frames, cooling, ...ends, landed, ...titles, ...scored, ...names, grip);

  const numbers = readouts([
    ["first", "item 1", percent],
    ["second", "item 2", percent],
    ["third", "item 3", percent],
    ["zeros", "scores with an exact zero", percent],
  ]);
  const words = sentence();
  const reset = element("div", { class: "sharp-buttons" }, button("Reset", () => update(start)));
  const side = element("div", { class: "sharp-controls" }, ...controls.nodes, level.node, reset);
  root.append(element("div", { class: "sharp-beside" }, element("div", {}, picture, numbers.node, words.node), side));

  let place = { x: 0, y: 0, unit: 1 }; // of the hexagon, in pixels
  let shaded = { of: "", zeros: 0 };

  /** Store scores with these differences, as far as the hexagon goes, and a mean. */
  function put(scores, middle = mean(model.get("scores"))) {
    const shrink = Math.min(1, WIDEST / spread(scores));
    const around = mean(scores);
    const centre = Number(middle.toFixed(4)); // coarser than the scores, or it would drift
    update({ scores: scores.map((v) => Number((centre + shrink * (v - around)).toFixed(6))) });
  }

  function moveTo(event) {
    const box = picture.getBoundingClientRect();
    put(fromPlane([(event.clientX - box.left - place.x) / place.unit, (event.clientY - box.top - place.y) / place.unit]));
  }

  function grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    grip.focus({ preventScroll: true });
    moveTo(event);
  }

  grip.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // no scrolling
  set(grip, {
    onpointerdown: grab,
    onpointermove: (event) => grip.hasPointerCapture(event.pointerId) && moveTo(event),
    onkeydown: (event) => {
      const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
      if (!by && event.key !== "Home") return;
      event.preventDefault();
      const [a, b] = toPlane(model.get("scores"));
      put(fromPlane(by ? [a + by[0], b + by[1]] : [0, 0]));
    },
  });
  // A mouse may begin anywhere in the hexagon; a finger taps, since a page scrolls where it drags.
  set(frames[0], { onpointerdown: (event) => event.pointerType === "mouse" && grab(event), onclick: moveTo });

  /** How many items have weight, by colour; drawn again only when that can have changed. */
  function shade(middle) {
    const of = JSON.stringify([model.get("map"), model.get("temperature"), model.get("parameters"), middle.toFixed(3)]);
    if (of === shaded.of) return;
    const counts = [0, 0, 0, 0];
    const heavy = Array.from({ length: (CELLS + 1) ** 2 }, (_, k) => {
      const at = [k % (CELLS + 1), Math.floor(k / (CELLS + 1))].map((step) => WIDEST * ((2 * step) / CELLS - 1));
      const x = fromPlane(at);
      if (spread(x) > 1.1 * WIDEST) return 3; // no colour, but only a little beyond the edge
      const count = controls.weights(x.map((v) => v + middle)).filter((w) => w !== 0).length;
      if (spread(x) <= WIDEST) counts[count] += 1;
      return count;
    });
    const canvas = element("canvas", { width: CELLS, height: CELLS });
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(CELLS, CELLS);
    for (let k = 0; k < CELLS ** 2; k++) {
      const corner = k + Math.floor(k / CELLS);
      // The mean of the corners: a border then runs smoothly.
      const shades = [corner, corner + 1, corner + CELLS + 1, corner + CELLS + 2].map((c) => SHADES[heavy[c]]);
      const alpha = shades.reduce((all, shade) => all + shade[3] / 4, 0);
      const [red, green, blue] = shades.find((shade) => shade[3] > 0) ?? SHADES[3];
      pixels.data.set([red, green, blue, alpha], 4 * k);
    }
    context.putImageData(pixels, 0, 0);
    set(regions, { href: canvas.toDataURL() });
    shaded = { of, zeros: 1 - counts[3] / counts.reduce((a, b) => a + b) };
  }

  function draw() {
    const scores = model.get("scores");
    const middle = mean(scores);
    const p = controls.weights(scores);
    controls.draw();
    level.set(middle);
    shade(middle);

    const width = picture.clientWidth || 440;
    const beside = width >= 400;
    const panel = beside ? (width - 24) / 2 : width;
    const radius = Math.min(panel / 2.31, beside ? 100 : 105); // of the hexagon; both shapes are as high
    const corner = (4 / 3) * radius; // of the triangle, from its centre
    const [left, right] = beside ? [0, width - panel] : [0, 0];
    const [top, below] = beside ? [44, 44] : [44, 2 * radius + 120];
    place = { x: left + panel / 2, y: top + radius, unit: radius / WIDEST };
    set(picture, { height: below + (beside ? 200 : 2 * radius) + 30 });

    const onHexagon = (x) => toPlane(x).map((v, axis) => [place.x, place.y][axis] + v * place.unit);
    const onTriangle = (w) => {
      const total = w[0] + w[1] + w[2];
      const share = w.map((v) => v / total);
      const outside = !(Math.min(...share) > -0.1); // negative weights, or none at all
      return toPlane(share).map((v, axis) => (outside ? NaN : [right + panel / 2, below + corner][axis] + v * corner));
    };
    const corners = [0, 1, 2, 3, 4, 5].map((k) => onHexagon(ROUND[6 + 12 * k].map((v) => v * WIDEST)));
    const one = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
    for (const node of [opening, frames[0]]) set(node, { points: corners.join(" ") });
    set(frames[1], { points: one.map(onTriangle).join(" ") });
    set(regions, { x: place.x - radius, y: place.y - radius, width: 2 * radius, height: 2 * radius });
    set(titles[0], { x: left, y: 14 });
    set(titles[1], { x: right, y: below - 30 });
    const beyond = ([x, y], i, edge, drop) => [{ x, y: y - 8 }, { x: Math.max(edge, x - 36), y: y + drop, "text-anchor": "start" }, { x: Math.min(edge + panel, x + 36), y: y + drop, "text-anchor": "end" }][i];
    one.map(onTriangle).forEach((at, i) => set(names[i], beyond(at, i, right, 20)));
    one.map((x) => onHexagon(x.map((v) => v * WIDEST))).forEach((at, i) => {
      set(scored[i], beyond(at, i, left, radius / 2));
      show(scored[i], scores[i], (v) => `item ${i + 1}: ${rounded(v)}`);
    });

    const land = (x) => onTriangle(controls.weights(x.map((v) => v + middle)));
    const net = (to) => [...RAYS, ...RINGS].map((line) => path(line.map(to))).join("");
    set(nets[0], { d: net(onHexagon) });
    set(nets[1], { d: net(land) });

    const cooled = COOLING.map((theta) => onTriangle(controls.weights(scores, theta)));
    set(cooling, { d: path(cooled) });
    const mark = (node, [x, y], places) => set(node, Number.isFinite(x) ? { ...places(x, y), visibility: "visible" } : { visibility: "hidden" });
    [cooled[0], cooled.at(-1)].forEach((at, i) => mark(ends[i], at, (x, y) => ({ x: x + 10, y: y + 4 })));
    mark(landed, onTriangle(p), (cx, cy) => ({ cx, cy }));
    const [gx, gy] = onHexagon(scores);
    set(grip, { transform: `translate(${gx},${gy})`, "aria-valuenow": spread(scores), "aria-valuetext": scores.map(rounded).join(", ") });

    numbers.set({ first: p[0], second: p[1], third: p[2], zeros: shaded.zeros });
    words.set(inWords(p, shaded.zeros));
  }

  draw();
}

function inWords(p, zeros) {
  const heavy = p.flatMap((w, i) => (w !== 0 ? [i + 1] : []));
  const first = ["No item has any weight.", `Only item ${heavy[0]} has weight.`, `Only items ${heavy.join(" and ")} have weight.`, "All three items have weight."][heavy.length];
  const last = zeros === 0 ? "No scores of the hexagon give an exact zero." : `${percent(zeros)} of the hexagon give an exact zero.`;
  return `${first} ${last}`;
}
