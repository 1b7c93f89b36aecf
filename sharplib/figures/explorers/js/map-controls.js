// The choice of a map and its own sliders, for the explorers that let a reader choose one.

import { element, select, slider } from "./kit.js";
import { catalogue, maps } from "./maps.js";

/**
 * Controls for the keys `map`, `temperature` and `parameters` of a model; `update` changes them.
 * `weights(scores, temperature)` applies the chosen map, `draw()` follows the model.
 */
export function mapControls(model, update) {
  const defaults = (map) => Object.fromEntries(catalogue[map].parameters.map(({ name, value }) => [name, value]));
  const values = () => ({ ...defaults(model.get("map")), ...model.get("parameters") });
  const options = Object.entries(catalogue).map(([name, { label }]) => [name, label]);
  const choice = select({ name: "map", label: "Map", options, value: model.get("map"), onInput: (map) => update({ map, parameters: defaults(map) }) });
  const temperature = slider({
    name: "temperature", label: "Temperature", min: 0.1, max: 10, log: true,
    value: model.get("temperature"), onInput: (temperature) => update({ temperature }),
  });
  const own = element("div", { class: "sharp-controls" });
  let map;
  let sliders = {};

  function draw() {
    choice.set(model.get("map"));
    temperature.set(model.get("temperature"));
    const now = values();
    if (map !== model.get("map")) {
      map = model.get("map");
      const change = (name, v) => update({ parameters: { ...model.get("parameters"), [name]: v } });
      sliders = Object.fromEntries(catalogue[map].parameters.map((p) => [p.name, slider({ ...p, value: now[p.name], onInput: (v) => change(p.name, v) })]));
      own.replaceChildren(...Object.values(sliders).map(({ node }) => node));
    }
    for (const [name, control] of Object.entries(sliders)) control.set(now[name]);
  }

  const weights = (scores, theta = model.get("temperature")) => maps[model.get("map")](scores.map((x) => x / theta), values());
  return { nodes: [choice.node, temperature.node, own], draw, weights };
}
