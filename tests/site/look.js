// What a reader would see on the open page, as plain data. Called once for each colour scheme and width.
async () => {
  const late = new Promise((_, fail) => setTimeout(fail, 20000, new Error("MathJax took over 20 s")));
  if (window.MathJax && MathJax.startup) await Promise.race([MathJax.startup.promise, late]);
  for (const animation of document.getAnimations()) animation.finish(); // colours fade in

  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() && shown(parent)) texts.push([walker.currentNode.data.trim(), parent]);
  }

  // Contrast of a text with what lies behind it, as WCAG 2 defines it (1 to 21).
  const parse = (css) => {
    const [r, g, b, a = 1] = css.match(/[\d.]+/g).map(Number);
    return css.startsWith("color(srgb") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => a * c + (1 - a) * below[i]);
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour[3] === 0 ? behind(element.parentElement) : over(colour, behind(element.parentElement));
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (element) => {
    const back = behind(element);
    const [low, high] = [luminance(over(parse(getComputedStyle(element).color), back)), luminance(back)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };

  const scrolls = (element) =>
    element.tagName !== "ARTICLE" && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));

  const prose = texts.filter(([, parent]) => !parent.closest("pre, code, script, mjx-container"));
  return {
    background: luminance(behind(document.querySelector("main"))),
    faint: texts
      .filter(([, parent]) => !parent.closest("mjx-assistive-mml"))
      .map(([text, parent]) => [text.slice(0, 40), contrast(parent)])
      .filter(([, ratio]) => ratio < 4.5),
    formulas: document.querySelectorAll(".math").length,
    typeset: document.querySelectorAll(".math mjx-container").length,
    mathErrors: [...document.querySelectorAll("mjx-merror")].map((error) => error.textContent),
    rawMath: prose.map(([text]) => text).filter((text) => /\$|\\\(|\\\[|\\begin\{/.test(text)),
    rawMarkup: prose.map(([text]) => text).filter((text) => /^:::|^```|\{(cite|prf|ref|term|doc|numref|eq)[:\w]*\}/.test(text)),
    images: [...document.querySelectorAll("article img")].map((image) => ({ alt: image.alt, source: image.getAttribute("src"), loaded: image.complete && image.naturalWidth > 0 })),
    links: [...new Set([...document.querySelectorAll("a[href]")].map((link) => link.href))],
    complaints: [...document.querySelectorAll(".output.stderr, .output.traceback")].map((output) => output.textContent),
    width: document.documentElement.scrollWidth,
    tooWide: [...document.querySelectorAll("article *")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element))
      .map((element) => `${element.tagName} ${element.className}`)
      .slice(0, 5),
  };
}
