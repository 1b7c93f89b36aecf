// A small kit for explorers: elements, controls, scales and axes. No framework, no global state.
//
// How an explorer is made:
// 1. js/my-idea.js exports `render({ model, el })`. It runs in Jupyter (anywidget) and in the book (page.js).
//    `import { a, b } from "./kit.js"` takes one line; only named imports and exports; no cycles (_bundle.py).
// 2. `const root = stage(el, "What it shows")`, then append controls, a drawing, readouts and a sentence.
// 3. The state lives in the model: plain JSON, one key for each thing a reader can change. Python declares and
//    checks the same keys (_base.py). Change it with `const update = follow(model, keys, draw)`: `update({ n: 8 })`
//    stores, tells Python, and draws again. Never keep state elsewhere; `draw` reads all of it from the model.
// 4. `draw` changes what is there and never rebuilds what can hold the focus; `repeat` keeps a list of children.
//    Sizes come from `drawing.clientWidth`, in CSS pixels, so that text is never scaled; `onResize` draws again.
// 5. Colours are CSS classes and variables (explorers.css), so that light and dark need no code.
// 6. Every number a reader sees is written by `show`, which keeps all its digits for tests (data-exact).

/** An HTML element: attributes as an object, listeners as `onclick` and the like, then children. */
export function element(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Set attributes of a node that exists. */
export function set(node, attributes) {
  return dress(node, attributes, []);
}

/** Keep exactly `count` children, made by `create(i)`, and return them. Those that stay keep the focus. */
export function repeat(parent, count, create) {
  while (parent.children.length > count) parent.lastChild.remove();
  while (parent.children.length < count) parent.append(create(parent.children.length));
  return [...parent.children];
}

/** Empty the host's element and make it the stage of one explorer. */
export function stage(el, label) {
  el.replaceChildren();
  el.classList.add("sharp-stage");
  return set(el, { role: "group", "aria-label": label });
}

/** Draw now and whenever one of the keys changes; gives back the function that changes them. */
export function follow(model, keys, draw) {
  for (const key of keys) model.on(`change:${key}`, draw);
  return (changes) => {
    for (const [key, value] of Object.entries(changes)) model.set(key, value);
    model.save_changes();
  };
}

let made = 0;

/** An id that no other element of the page has. */
export function unique() {
  made += 1;
  return `sharp-${made}`;
}

/** Three significant digits, never in e-notation between 0.001 and a million; a true minus sign. */
export function number(value, digits = 3) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "undefined" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  let text;
  if (value === 0) text = "0";
  else if (size >= 1e6 || size < 1e-3) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const raised = String(Number(exponent)).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
    text = Number(mantissa) === 1 ? `10${raised}` : `${Number(mantissa)} · 10${raised}`;
  } else if (size >= 10 ** (digits - 1)) text = Math.round(value).toLocaleString("en");
  else text = value.toPrecision(digits);
  return text.replace("-", "−");
}

/** As few digits as a number needs: for ticks. */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e5 || (size > 0 && size < 1e-3)) return number(value);
  return value.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", "−");
}

/** A share as a percentage of three digits. */
export function percent(share) {
  return `${number(100 * share)} %`;
}

/** Write a number into a node, for readers and, with all its digits, for tests. */
export function show(node, value, format = number) {
  node.textContent = format(value);
  node.dataset.exact = String(value);
}

/**
 * A labelled slider. `onInput(value)` hears what the reader does; `set(value)` follows the model.
 * A logarithmic one has 200 positions, whose values are rounded to three digits (and to `step`, if given).
 */
export function slider({ name, label, min, max, step, value, log = false, format = number, onInput }) {
  const id = unique();
  const positions = 200;
  const place = (v) => (log ? (positions * Math.log(v / min)) / Math.log(max / min) : v);
  const read = (position) => {
    if (!log) return position;
    const rounded = Number((min * (max / min) ** (position / positions)).toPrecision(3));
    const stepped = step ? Math.round(rounded / step) * step : rounded;
    return Math.min(Math.max(stepped, min), max);
  };
  const range = log ? { min: 0, max: positions, step: 1 } : { min, max, step };
  const input = element("input", { type: "range", id, name, ...range, oninput: () => onInput(read(input.valueAsNumber)) });
  const output = element("output", { for: id, "data-value": name });
  const follows = (v) => {
    input.value = place(v);
    show(output, v, format);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  follows(value);
  return { node: element("div", { class: "sharp-control" }, element("label", { for: id }, label), output, input), set: follows };
}

/** A labelled choice; options are pairs [value, label]. */
export function select({ name, label, options, value, onInput }) {
  const id = unique();
  const list = element("select", { id, name, onchange: () => onInput(list.value) });
  list.append(...options.map(([key, text]) => element("option", { value: key }, text)));
  list.value = value;
  return { node: element("div", { class: "sharp-control" }, element("label", { for: id }, label), list), set: (v) => (list.value = v) };
}

/** A button with a word on it. */
export function button(label, onclick) {
  return element("button", { type: "button", class: "sharp-button", onclick }, label);
}

/** A row of named numbers: `set({ entropy: 1.2 })` writes them. `items` are triples [name, label, format]. */
export function readouts(items) {
  const values = Object.fromEntries(items.map(([name]) => [name, element("span", { class: "sharp-number", "data-value": name })]));
  const node = element("div", { class: "sharp-readouts" });
  node.append(...items.map(([name, label]) => element("div", {}, element("span", { class: "sharp-name" }, label), " ", values[name])));
  return { node, set: (numbers) => items.forEach(([name, , format]) => show(values[name], numbers[name], format)) };
}

/** A sentence below the picture; screen readers hear it when it has stood still for half a second. */
export function sentence() {
  const node = element("p", { class: "sharp-sentence", "aria-live": "polite" });
  let timer;
  const say = (text) => {
    if (text === node.textContent) return;
    clearTimeout(timer);
    node.setAttribute("aria-busy", "true");
    node.textContent = text;
    timer = setTimeout(() => node.removeAttribute("aria-busy"), 500);
  };
  return { node, set: say };
}

/**
 * Make a node of a drawing a slider: dragged by pointer or finger, moved by arrow keys, announced by its label.
 * `at(event)` turns a pointer's place into a value; `get()` and `put(value)` read and change it.
 */
export function handle(node, { min, max, step, at, get, put }) {
  const tidy = (v) => Math.min(Math.max(Number((Math.round(v / step) * step).toPrecision(12)), min), max);
  set(node, { role: "slider", tabindex: 0, class: "sharp-handle", "aria-valuemin": min, "aria-valuemax": max });
  let grabbed = 0;
  const keys = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
  node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // no scrolling
  set(node, {
    onkeydown: (event) => {
      const value = { Home: min, End: max }[event.key] ?? get() + step * (keys[event.key] ?? NaN);
      if (Number.isNaN(value)) return;
      event.preventDefault();
      put(tidy(value));
    },
    onpointerdown: (event) => {
      if (event.button !== 0) return;
      node.setPointerCapture(event.pointerId);
      node.focus({ preventScroll: true });
      grabbed = get() - at(event); // nothing jumps when it is taken beside its middle
    },
    onpointermove: (event) => node.hasPointerCapture(event.pointerId) && put(tidy(at(event) + grabbed)),
  });
  return node;
}

/** Tell a handle's value to screen readers. */
export function announce(node, label, value, text = number(value)) {
  set(node, { "aria-label": label, "aria-valuenow": value, "aria-valuetext": text });
}

/** A drawing of fixed height and the full width; `draw` runs when its width changes, and once at the start. */
export function drawing(height, draw) {
  const node = svg("svg", { height, class: "sharp-drawing" });
  let width = 0;
  new ResizeObserver(() => {
    if (node.clientWidth === width) return;
    width = node.clientWidth;
    draw();
  }).observe(node);
  return node;
}

/** A linear map of [a, b] onto [c, d]; `.invert` goes back. */
export function linear([a, b], [c, d]) {
  const scale = (v) => c + ((v - a) / (b - a)) * (d - c);
  scale.invert = (v) => a + ((v - c) / (d - c)) * (b - a);
  return scale;
}

/** The same on a logarithmic axis; a and b are positive. */
export function logarithmic([a, b], range) {
  const inner = linear([Math.log(a), Math.log(b)], range);
  const scale = (v) => inner(Math.log(v));
  scale.invert = (v) => Math.exp(inner.invert(v));
  return scale;
}

/** Round numbers between two ends, about `count` of them, in steps of 1, 2 or 5. */
export function ticks(min, max, count = 5) {
  const raw = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((s) => s * power >= raw * 0.999);
  const found = [];
  for (let k = Math.ceil(min / step - 1e-9); k <= Math.floor(max / step + 1e-9); k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

/** Powers of ten between two ends, at most `count` of them. */
export function powers(min, max, count = 8) {
  const low = Math.ceil(Math.log10(min) - 1e-9);
  const high = Math.floor(Math.log10(max) + 1e-9);
  const step = Math.max(1, Math.ceil((high - low + 1) / count));
  return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, k) => 10 ** (low + k * step));
}

/** Ticks, labels and a title below a drawing: fills the group `g`, whose axis lies at height `y`. */
export function axisBelow(g, { scale, values, y, format = short, title, at }) {
  const marks = values.flatMap((v) => [
    svg("line", { class: "sharp-tick", x1: scale(v), x2: scale(v), y1: y, y2: y + 5 }),
    svg("text", { class: "sharp-label", x: scale(v), y: y + 18, "text-anchor": "middle" }, format(v)),
  ]);
  if (title) marks.push(svg("text", { class: "sharp-label", x: at, y: y + 36, "text-anchor": "end" }, title));
  g.replaceChildren(...marks);
}

/** The same at the left: grid lines from `x` to `end`, labels left of `x`. */
export function axisLeft(g, { scale, values, x, end, format = short }) {
  g.replaceChildren(
    ...values.flatMap((v) => [
      svg("line", { class: "sharp-grid", x1: x, x2: end, y1: scale(v), y2: scale(v) }),
      svg("text", { class: "sharp-label", x: x - 6, y: scale(v) + 4, "text-anchor": "end" }, format(v)),
    ]),
  );
}

/** An SVG path through points; a gap where a coordinate is not finite. */
export function path(points) {
  let pen = "M";
  return points
    .map(([x, y]) => {
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        pen = "M";
        return "";
      }
      const step = `${pen}${x.toFixed(2)},${y.toFixed(2)}`;
      pen = "L";
      return step;
    })
    .join("");
}

/** True where the reader asked for little motion: then nothing is animated. */
export function stillPlease() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
