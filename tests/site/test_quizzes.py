"""The quizzes in a browser: by mouse, by keyboard, by touch, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from sharplib import exercises
from sharplib.exercises import Quiz, quiz

Mount = Callable[..., Page]

pytestmark = pytest.mark.site

CHAPTERS = list(exercises._chapters())


@pytest.fixture
def asked() -> Quiz:
    return quiz("a-sharp-lookup")


#: Takes every option of a question in turn, at last the first one again, and hears the answers.
ASK = """
(set) => [...set.querySelectorAll("input"), set.querySelector("input")].map((input) => {
    const said = () => set.querySelector("[role=status]").innerText;
    input.click();
    const before = said();
    set.querySelector("button").click();
    return [input.labels[0].innerText, before, said()];
})
"""


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_option_answers_with_its_reason(chapter: str, mounted: Mount) -> None:
    questions = quiz(chapter).questions
    page = mounted(quiz(chapter))
    sets = page.locator("fieldset")
    assert sets.count() == len(questions)
    for one, question in zip(sets.all(), questions, strict=True):
        expected = [
            [option["text"], "", f"{'Right' if option['right'] else 'Wrong'}. {option['why']}"]
            for option in [*question["options"], question["options"][0]]
        ]
        assert one.evaluate(ASK) == expected
    right = sum(question["options"][0]["right"] for question in questions)
    total = f"{right} of {len(questions)} right."
    assert page.locator(".sharp-total").inner_text() == total


def test_works_by_mouse(asked: Quiz, mounted: Mount) -> None:
    page = mounted(asked)
    for question in asked.questions:
        one = page.locator("fieldset", has_text=question["text"])
        for option in question["options"]:
            one.get_by_label(option["text"], exact=True).check()
            assert one.get_by_role("status").inner_text() == ""  # of another option
            one.get_by_role("button", name="Check").click()
            assert one.get_by_role("status").inner_text().endswith(option["why"])


def test_asks_for_an_answer_first(asked: Quiz, mounted: Mount) -> None:
    page = mounted(asked)
    first = page.locator("fieldset").first
    first.get_by_role("button").click()
    assert first.get_by_role("status").inner_text() == "Choose an answer first."
    assert page.locator(".sharp-total").inner_text() == ""


def test_works_by_keyboard_alone(asked: Quiz, mounted: Mount) -> None:
    page = mounted(asked)
    for question in asked.questions:
        page.keyboard.press("Tab")  # into the options
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")  # the second of them
        page.keyboard.press("Tab")  # the button
        page.keyboard.press("Enter")
        option = question["options"][1]
        said = page.locator("fieldset", has_text=question["text"]).get_by_role("status")
        assert said.inner_text().endswith(option["why"])
    assert page.locator(".sharp-total").inner_text().endswith("of 4 right.")


def test_works_by_touch_on_a_phone(asked: Quiz, mounted: Mount) -> None:
    page = mounted(asked, width=360, has_touch=True)
    first = page.locator("fieldset").first
    first.get_by_text("Nothing.", exact=True).tap()
    first.get_by_role("button").tap()
    assert first.get_by_role("status").inner_text().startswith("Right.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for label in page.locator("label").all():
        assert label.bounding_box()["height"] >= 24


def test_tells_python_what_was_taken(asked: Quiz, browser: Browser) -> None:
    """In Jupyter, where anywidget loads the module and gives it the model."""
    page = browser.new_page()
    page.evaluate(
        """async ([source, state]) => {
            const blob = new Blob([source], { type: "text/javascript" });
            const { default: widget } = await import(URL.createObjectURL(blob));
            const heard = {};
            window.saved = [];
            const model = {
                get: (key) => state[key],
                set: (key, value) => { state[key] = value; heard[`change:${key}`]?.(); },
                on: (event, listener) => { heard[event] = listener; },
                save_changes: () => saved.push(state.chosen),
            };
            const el = document.body.appendChild(document.createElement("div"));
            await widget.render({ model, el });
        }""",
        [asked._esm, asked.state()],
    )
    second = page.locator("fieldset").nth(1)
    second.get_by_label("9 times").check()
    second.get_by_role("button").click()
    assert page.evaluate("saved.at(-1)") == [None, 2, None, None]
    page.close()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_without_scripts_each_answer_unfolds(chapter: str, mounted: Mount) -> None:
    page = mounted(quiz(chapter), java_script_enabled=False)
    for question in quiz(chapter).questions:
        one = page.locator(".sharp-question", has_text=question["text"])
        right = next(option for option in question["options"] if option["right"])
        reason = one.get_by_text(f"Right. {right['why']}", exact=True)
        assert not reason.is_visible()
        one.locator("summary").click()
        assert reason.is_visible()


@pytest.mark.parametrize("width", [360, 760])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_nothing_jumps_when_it_comes_to_life(chapter: str, mounted: Mount, width: int) -> None:
    before, after = (
        mounted(quiz(chapter), width, java_script_enabled=on).locator("figure").bounding_box()
        for on in (False, True)
    )
    assert before["height"] == after["height"]


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_is_accessible(asked: Quiz, mounted: Mount, theme: str, scripts: bool) -> None:
    page = mounted(asked, theme=theme, java_script_enabled=True)
    if not scripts:  # axe is a script itself: give it the page as it was before ours ran
        page.locator("figure").evaluate("(node, text) => { node.outerHTML = text }", asked.html())
    for one in page.locator("fieldset").all()[:2]:
        one.get_by_role("radio").nth(1).check()
        one.get_by_role("button").click()
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["impact"]) for each in found] == []
