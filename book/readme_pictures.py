"""Draw the pictures of README.md from the built book: ``python book/readme_pictures.py``.

Run it by hand after ``make book`` when a page has changed its face; it needs Chromium.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
TARGET = ROOT / "book" / "readme"
CHAPTER = "notebooks/dispersion/a-sharp-lookup.html"


def opened(browser: Browser, name: str, scheme: str) -> Page:
    """A page of the site, typeset, wide enough to show its contents."""
    size = {"width": 1280, "height": 800}
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.goto((SITE / name).as_uri())
    page.wait_for_function("MathJax.startup && document.querySelector('mjx-container')")
    page.evaluate("() => MathJax.startup.promise")
    return page


def shot(page: Page, **how: object) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot(**how))).convert("RGB")


def drawn_book(browser: Browser) -> None:
    """Two screenshots: a theorem on a light page, an explorer on a dark one."""
    page = opened(browser, "notebooks/dispersion/dispersion-theorem.html", "light")
    page.locator("div.theorem").first.evaluate("e => scrollTo(0, e.offsetTop - 200)")
    shot(page).resize((960, 600)).save(TARGET / "theorem.webp", quality=80)
    page = opened(browser, CHAPTER, "dark")
    page.locator("figure.sharp-explorer").first.evaluate(
        "e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 180)"
    )
    shot(page).resize((960, 600)).save(TARGET / "explorer-dark.webp", quality=80)


def drawn_bench(browser: Browser) -> None:
    """An animation: a score is dragged up, then down, then the map is changed."""
    page = opened(browser, CHAPTER, "light")
    stage = page.locator("figure.sharp-explorer .sharp-stage").first
    stage.scroll_into_view_if_needed()
    frames: list[Image.Image] = []

    def keep(count: int = 1) -> None:
        frames.extend([shot(stage)] * count)

    box = stage.locator("[role=slider] circle").nth(1).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    keep(4)
    page.mouse.move(x, y)
    page.mouse.down()
    for height in (*range(0, 42, 6), *range(42, -66, -9)):
        page.mouse.move(x, y - height)
        keep()
    page.mouse.up()
    keep(4)
    for name in ("sparsemax", "entmax15", "softmax"):
        stage.locator("select").select_option(name)
        keep(6)
    small = [f.resize((f.width * 3 // 4, f.height * 3 // 4)).quantize(32) for f in frames]
    how = {"append_images": small[1:], "duration": 150, "loop": 0, "optimize": True}
    small[0].save(TARGET / "bench.gif", save_all=True, **how)


def main() -> None:
    """Draw all of them."""
    TARGET.mkdir(exist_ok=True)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        drawn_book(browser)
        drawn_bench(browser)
        browser.close()
    for picture in sorted(TARGET.iterdir()):
        print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
