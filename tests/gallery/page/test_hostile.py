"""Texts come from specs, providers and files. They are shown as texts wherever they stand; nothing of them runs."""

from __future__ import annotations

import json
from typing import cast

from playwright.sync_api import expect

from tests.gallery.page.conftest import Visit
from tests.gallery.page.server import Server
from tests.gallery.page.values import Value, card, detail, document, take

MARKUP = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script><style>*{display:none}</style>"
BIDI = "safe \u202e desrever \u2066 مصباح"
FOREIGN = (
    "https://evil.example/a",
    "//evil.example/b",
    "javascript:window.hacked=1",
    "data:text/html,<b>",
    "media/../../x",
)
KEPT = {
    *("state", "action", "id", "severity", "time", "created", "generated", "revision", "format_version", "ratio"),
    *("phase", "amount", "spent", "cap", "currency", "needs", "used_by", "with", "clip", "words", "video", "poster"),
    *("tags", "field"),
}
"""What the page reads as a value, not as a text."""


def poisoned(value: object) -> object:
    """The same value with markup in every text that is a text to read."""
    if isinstance(value, dict):
        return {name: item if name in KEPT else poisoned(item) for name, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return f"{MARKUP}{BIDI}" if isinstance(value, str) else value


def hostile() -> tuple[Value, Value]:
    """A document and a detail, with markup wherever a text is shown."""
    first = card("hero", "blocked", way_out=["x"], detail="x", description="x", mismatch="x", needs=["orbit"])
    words = [["=", MARKUP], ["-", MARKUP], ["+", BIDI]]
    changes = [
        {"field": "prompt", "before": "x", "after": "x", "words": words},
        {"field": MARKUP, "before": "x", "after": None, "words": None},
    ]
    inputs = [{"field": MARKUP, "text": "x", "media": "x", "clip": None, "part": None}]
    whole = detail(
        first, [take(1, attempt="x", mismatch="x"), take(2, None, attempt="x")], changes=changes, inputs=inputs
    )
    problem = {
        "severity": "error",
        "code": "x",
        "message": "x",
        "file": "x",
        "line": 1,
        "column": 2,
        "help": "x",
        "lines": [[1, "x"]],
    }
    named = card('"><script>window.hacked=1</script>', tags=[MARKUP])
    bad = cast("Value", poisoned(document([first, card("orbit"), named], diagnostics=[problem])))
    return bad, cast("Value", poisoned(whole))


def test_markup_is_text_in_every_view(site: Server, visit: Visit) -> None:
    bad, whole = hostile()
    site.script.show(bad, [whole])
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(3)
    expect(page.locator('.cell[data-id="hero"] .note')).to_contain_text("<script>window.hacked=1</script>")
    expect(page.locator("#diagnostics")).to_contain_text("<img src=x")
    for view in ("#/storyboard", "#/clip/hero", "#/"):
        page.evaluate("hash => { location.hash = hash; }", view)
        page.wait_for_function("hash => location.hash === hash", arg=view)
        if view == "#/clip/hero":
            expect(page.locator(".prompt del")).to_contain_text("<img src=x")
            expect(page.locator(".trouble pre")).to_contain_text("<img src=x")
    page.keyboard.press("A")
    site.script.push("message", {"kind": "error", "text": MARKUP, "help": MARKUP, "summary": None})
    expect(page.get_by_role("alert")).to_contain_text("<img src=x")
    assert page.evaluate("() => window.hacked === undefined")
    assert page.locator("img[src=x], main script, main style, .messages script").count() == 0


def test_no_address_leads_out_of_the_page(site: Server, visit: Visit) -> None:
    cards = []
    for number, address in enumerate(FOREIGN):
        each = card(f"clip-{number}")
        each["shown"] = {**cast("Value", each["shown"]), "poster": address, "video": address, "preview": address}
        cards.append(each)
    inputs = [{"field": "first_frame", "text": each, "media": each, "clip": None, "part": None} for each in FOREIGN]
    site.script.show(document(cards), [detail(cards[0], inputs=inputs)])
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(len(FOREIGN))
    page.locator(".cell").first.hover()
    page.evaluate("() => { location.hash = '#/storyboard'; }")
    expect(page.locator(".film-slate")).to_be_visible()
    page.evaluate("() => { location.hash = '#/clip/clip-0'; }")
    expect(page.locator(".inputs li")).to_have_count(len(FOREIGN))
    assert page.locator("main [src]:not([src^='media/'])").count() == 0
    assert not [path for path in site.script.asked if "evil" in path or path.strip("/.") == "x"]


def test_a_text_that_turns_direction_stays_in_its_own_place(site: Server, visit: Visit) -> None:
    site.script.show(document([card("hero", "blocked", detail=f"{BIDI} end")]), [detail(card("hero", prompt=BIDI))])
    page = visit(site.origin)
    expect(page.locator(".note")).to_have_attribute("dir", "auto")
    page.evaluate("() => { location.hash = '#/clip/hero'; }")
    expect(page.locator(".prompt")).to_have_attribute("dir", "auto")
    expect(page.locator(".prompt")).to_have_css("unicode-bidi", "isolate")


def test_a_clip_named_like_a_builtin_is_a_clip(site: Server, visit: Visit) -> None:
    names = ["__proto__", "constructor", "toString"]
    cards = [card(name) for name in names]
    site.script.show(document(cards), [detail(each) for each in cards])
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(3)
    assert json.loads(page.evaluate("() => JSON.stringify(Gallery.store.state.order)")) == names
    page.evaluate("() => { location.hash = '#/clip/__proto__'; }")
    expect(page.locator("#clip-name")).to_have_text("__proto__")
    expect(page.locator(".prompt")).to_contain_text("__proto__ on a marble table")
