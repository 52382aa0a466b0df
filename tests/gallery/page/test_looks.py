"""What can be measured of the looks: contrast, names, focus, motion, and that it follows light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.gallery.page.axe import violations
from tests.gallery.page.conftest import Visit
from tests.gallery.page.server import Server
from tests.gallery.page.test_connection import PROBLEM
from tests.gallery.page.values import ACTIONS, Value, card, detail, document, estimate, take, version

MEASURE = Path(__file__).with_name("looks.js").read_text(encoding="utf-8").split("\n", 1)[1]

FOCUS = """() => {
    const at = document.activeElement;
    const drawn = at.matches('.card') ? at.querySelector('.frame') : at;
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(drawn);
    return { what: at.id || at.className || at.tagName, style: outlineStyle, width: parseFloat(outlineWidth),
        colour: outlineColor };
}"""


def everything(site: Server) -> None:
    """Every state, a problem, a session with a cap, changed words and a way out: all colours there are."""
    cards: list[Value] = []
    price = estimate("0.50", "0.25", "ark-usd, 61 days old")
    for state in ACTIONS:
        running = {"progress": 40, "elapsed": 3, "expected": 9, "phase": "running"} if state == "running" else None
        shot = None if state in ("new", "failed") else "red"
        cards.append(card(state, state, shot, running=running, takes=3, tags=["a"], estimate=price))
    words = [["=", "slow "], ["-", "push-in"], ["+", "pull-out"]]
    changes = [
        {"field": "prompt", "before": "a", "after": "b", "words": words},
        {"field": "duration", "before": "3", "after": "5", "words": None},
    ]
    takes = [take(1), take(2, None), take(3, "green", mismatch="short")]
    versions = [version(1), version(2, "blue", changes=changes), version(3, None, current=True)]
    whole = [detail(each, takes, changes=changes, versions=versions) for each in cards]
    cards[7] |= {"way_out": ["clipform resolve blocked --abandon"], "detail": "asked at 14:02"}
    session = {"spent": "1.00", "unpriced": 1, "currency": "USD", "cap": "5.00", "offer": True}
    cost = {"amount": "1.50", "currency": "USD", "unpriced": 1}
    site.script.show(document(cards, draft=True, session=session, cost=cost, diagnostics=[PROBLEM]), whole)


def measured(page: Page, what: str) -> None:
    assert violations(page) == [], what
    found = page.evaluate(MEASURE)
    assert found.pop("counted") > 10, what
    assert found == {"texts": [], "edges": [], "nameless": [], "doubled": [], "styled": []}, what


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_controls_have_contrast_and_names_in_every_view(site: Server, visit: Visit, scheme: str) -> None:
    everything(site)
    page = visit(site.origin, scheme=scheme, calm=True)
    expect(page.locator(".cell")).to_have_count(len(ACTIONS))
    measured(page, "grid")
    page.get_by_role("button", name="changed 1").click()
    measured(page, "filtered")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    measured(page, "help")
    page.keyboard.press("Escape")
    page.keyboard.press("A")
    expect(page.get_by_role("dialog")).to_be_visible()
    site.script.push("message", {"kind": "error", "text": "It is held.", "help": "Wait.", "summary": None})
    expect(page.get_by_role("alert")).to_be_attached()
    measured(page, "confirmation")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator(".shot").first).to_be_visible()
    measured(page, "storyboard")
    for name in ("changed", "blocked"):
        page.evaluate("hash => { location.hash = hash; }", f"#/clip/{name}")
        expect(page.locator(".prompt ins")).to_be_visible()
        measured(page, f"clip page of {name}")
    site.script.answers["prompt"] = (200, {"file": "clipform.yaml", "text": "a lamp", "clips": 2})
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Version 1").click()
    expect(page.get_by_role("textbox")).to_have_value("a lamp")
    measured(page, "prompt being edited")


def test_what_measures_contrast_sees_a_pale_text_and_a_control_without_a_name(site: Server, visit: Visit) -> None:
    everything(site)
    page = visit(site.origin, calm=True)
    expect(page.locator(".cell")).to_have_count(len(ACTIONS))
    page.evaluate(
        "() => { document.documentElement.style.setProperty('--quiet', '#9a9a96');"
        " document.documentElement.style.setProperty('--edge', '#c9c9c4');"
        " document.getElementById('help-button').removeAttribute('aria-label'); }"
    )
    found = page.evaluate(MEASURE)
    assert len(found["texts"]) > 10 and found["edges"] and len(found["nameless"]) == 1
    assert {"color-contrast", "button-name"} <= {text.partition(":")[0] for text in violations(page)}


@pytest.mark.parametrize("view", ["#/", "#/clip/blocked"], ids=["grid", "clip"])
def test_the_keyboard_is_seen_wherever_it_stands(site: Server, visit: Visit, view: str) -> None:
    everything(site)
    page = visit(f"{site.origin}/{view}", calm=True)
    expect(page.locator(".cell" if view == "#/" else ".prompt ins").first).to_be_visible()
    page.evaluate("() => document.body.focus()")
    seen: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        if at["what"] in ("BODY", "skip-link") and seen:
            break
        seen.append(at["what"])
        assert at["style"] == "solid" and at["width"] >= 2, at
    assert len(seen) >= 8, seen
    if view == "#/":
        assert sum(what == "card" for what in seen) == 1, "Tab reaches one card; arrows reach the others"


def test_dark_and_light_follow_the_system_until_one_is_chosen(site: Server, visit: Visit) -> None:
    everything(site)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    page = visit(site.origin, scheme="dark")
    assert page.evaluate(ground) == "rgb(18, 18, 17)"
    page.emulate_media(color_scheme="light")
    assert page.evaluate(ground) == "rgb(246, 245, 242)"
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    assert page.evaluate(ground) == "rgb(18, 18, 17)"
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate(ground) == "rgb(18, 18, 17)"


def test_nothing_moves_by_itself_where_motion_is_not_wanted(site: Server, visit: Visit) -> None:
    everything(site)
    page = visit(f"{site.origin}/#/clip/changed", calm=True)
    expect(page.locator(".tile video").first).to_have_js_property("paused", True)
    moving = "() => document.getAnimations().filter(each => each.effect.getTiming().duration > 1).length"
    assert page.evaluate(moving) == 0


def test_a_screen_reader_is_told_where_it_is(site: Server, visit: Visit) -> None:
    everything(site)
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(len(ACTIONS))
    for role, name in (("banner", ""), ("main", ""), ("navigation", "Views"), ("search", "Filter clips")):
        expect(page.get_by_role(role, name=name)).to_have_count(1)  # type: ignore[arg-type]  # from a table
    expect(page.get_by_role("list", name="Clips").get_by_role("listitem")).to_have_count(len(ACTIONS))
    expect(page.locator("#messages")).to_have_attribute("aria-live", "polite")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name="ready")).to_be_focused()


def test_texts_twice_as_large_still_fit(site: Server, visit: Visit) -> None:
    everything(site)
    page = visit(site.origin)
    page.evaluate("() => document.documentElement.style.setProperty('font-size', '200%')")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
    page.set_viewport_size({"width": 1281, "height": 800})
    page.wait_for_function("() => document.querySelector('.cell').offsetHeight > 300")
    apart = """() => {
        const boxes = [...document.querySelectorAll('.cell')].map(each => each.getBoundingClientRect());
        return boxes.every((one, at) => boxes.every((other, to) => at === to || one.right <= other.left
            || one.left >= other.right || one.bottom <= other.top || one.top >= other.bottom));
    }"""
    assert page.evaluate(apart)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
