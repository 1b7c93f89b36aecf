// Before a page is printed: ink on white whatever the screen shows, folded text open, long formulas
// and wide tables small enough for the paper. Afterwards everything is as it was.
(() => {
  const textWidth = 640; // CSS pixels; an A4 or Letter page inside the margins that book.css sets
  let undo = [];
  const set = (object, name, value) => {
    const before = object[name];
    object[name] = value;
    undo.push(() => { object[name] = before; });
  };
  addEventListener("beforeprint", () => {
    set(document.documentElement.dataset, "theme", "light");
    for (const fold of document.querySelectorAll("article details:not(.hide)")) set(fold, "open", true);
    for (const wide of document.querySelectorAll("article mjx-container[display] > mjx-math, article table")) {
      const width = wide.getBoundingClientRect().width;
      if (width > textWidth) set(wide.style, "zoom", textWidth / width);
    }
  });
  addEventListener("afterprint", () => {
    for (const step of undo.reverse()) step();
    undo = [];
  });
})();
