// Questions with radio buttons; each answer says why it is right or wrong.

import { element, follow, set, stage, unique } from "./kit.js";

export function render({ model, el }) {
  const questions = model.get("questions");
  const root = stage(el, "Quiz");
  const parts = questions.map(ask);
  const total = element("p", { class: "sharp-total", role: "status" });
  root.append(...parts.map(({ node }) => node), total);
  const update = follow(model, ["chosen"], draw);
  draw();

  function ask({ text, options }, index) {
    const name = unique();
    const radios = options.map((_, k) => element("input", { type: "radio", name, value: k, onchange: () => choose(index, null) }));
    const labels = options.map((option, k) => element("label", {}, radios[k], element("span", {}, option.text)));
    const said = element("p", { class: "sharp-said", role: "status" });
    const node = element(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          const taken = radios.findIndex((radio) => radio.checked);
          if (taken < 0) said.textContent = "Choose an answer first.";
          else choose(index, taken);
        },
      },
      element(
        "fieldset",
        { class: "sharp-question" },
        element("legend", { class: "sharp-asked" }, text),
        element("div", { class: "sharp-options" }, ...labels),
        element("div", { class: "sharp-answer" }, element("button", { class: "sharp-button" }, "Check"), said),
      ),
    );
    return { node, radios, said };
  }

  function choose(index, option) {
    update({ chosen: model.get("chosen").map((old, k) => (k === index ? option : old)) });
  }

  function draw() {
    const chosen = model.get("chosen");
    parts.forEach(({ radios, said }, index) => {
      const option = questions[index].options[chosen[index]];
      set(said, { "data-verdict": option ? (option.right ? "right" : "wrong") : "none" });
      if (option) radios[chosen[index]].checked = true;
      const words = option ? `${option.right ? "Right." : "Wrong."} ${option.why}` : "";
      if (said.textContent !== words) said.textContent = words;
    });
    const right = chosen.filter((option, index) => questions[index].options[option]?.right).length;
    total.textContent = chosen.includes(null) ? "" : `${right} of ${chosen.length} right.`;
  }
}
