// The book's host of explorers: mounts each one where its static picture stands. No kernel, no network.

/** A model like the one a kernel gives: plain values and listeners. */
export function model(state) {
  const values = { ...state };
  const listeners = {};
  return {
    get: (key) => values[key],
    set(key, value) {
      values[key] = value;
      for (const listener of listeners[`change:${key}`] ?? []) listener();
    },
    on: (event, listener) => void (listeners[event] ??= []).push(listener),
    off: (event, listener) => void (listeners[event] = (listeners[event] ?? []).filter((l) => l !== listener)),
    save_changes() {},
  };
}

/** Mount all explorers of the page; `renders` maps a name to the function that draws it. */
export function mount(renders) {
  for (const figure of document.querySelectorAll("figure.sharp-explorer:not([data-mounted])")) {
    figure.dataset.mounted = "";
    const state = JSON.parse(figure.querySelector("script").textContent);
    renders[figure.dataset.explorer]({ model: model(state), el: figure.querySelector("div") });
  }
}
