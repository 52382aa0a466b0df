"""A page of many clips holds few cards, and asks for others: what it shows is what it would show if it had them all."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from reconciler.gallery.document.cards import clip_index
from tests.gallery.page.conftest import Visit
from tests.gallery.page.server import Server
from tests.gallery.page.test_grid import settled, shown
from tests.gallery.page.values import Value, card, detail, document

SHOTS = ("red", "green", "blue", "wide")


def many(count: int, **changes: object) -> list[Value]:
    return [card(f"shot-{at:04}", shot=SHOTS[at % 4], **changes) for at in range(count)]


def requests(site: Server) -> list[str]:
    return [path for path in site.script.asked if path.startswith("/api/")]


@pytest.fixture
def indexed(site: Server) -> Server:
    """A gallery of 1,000 clips, of which the page gets 20 at first."""
    cards = many(1_000)
    cards[700] |= {"tags": ["night"], "prompt": "a zebra at night", "state": "blocked"}
    site.script.window = 20
    site.script.show(document(cards), [detail(each) for each in cards])
    return site


def cell(page: Page, name: str) -> str:
    return f'.cell[data-id="{name}"]'


def test_the_rows_are_those_that_the_script_makes_of_the_cards(site: Server, visit: Visit) -> None:
    cards = [
        card("one", tags=["a", "b"]),
        card("two", "new", None, ratio="9:16", apply=None),
        card("three", ratio=None),
    ]
    site.script.show(document(cards))
    rows = visit(site.origin).evaluate("() => [...Gallery.store.state.rows]")
    index = clip_index(site.script.real())
    assert rows == [
        [name, {**index["rows"][at], "tags": [*index["rows"][at]["tags"]]}]
        for name, at in zip(index["ids"], index["of"], strict=True)
    ]


def test_a_card_comes_when_it_is_near_and_asks_once(indexed: Server, visit: Visit) -> None:
    page = visit(indexed.origin)
    expect(page.locator("#count")).to_have_text("1000 clips")
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    last = page.locator(cell(page, "shot-0999"))
    expect(last.locator("img")).to_have_attribute("src", "media/wide.jpg")
    expect(last.locator(".maker")).to_have_text("draft · animatic")
    asked = len(requests(indexed))
    page.evaluate("() => scrollBy(0, -10)")
    settled(page)
    assert len(requests(indexed)) == asked < 12


def test_filters_look_at_clips_that_the_page_does_not_hold(indexed: Server, visit: Visit) -> None:
    page = visit(indexed.origin)
    page.get_by_role("button", name="blocked 1").click()
    expect(page.locator(".cell")).to_have_count(1)
    assert shown(page) == ["shot-0700"]
    expect(page.locator(".cell .slate")).to_have_text("a zebra at night")
    page.get_by_role("button", name="Clear").click()
    page.keyboard.press("/")
    page.keyboard.type("zebra NIGHT")
    expect(page.locator("#count")).to_have_text("1 of 1000")
    assert shown(page) == ["shot-0700"]
    indexed.script.change(indexed.script.cards[3] | {"prompt": "a zebra in the night"})
    expect(page.locator(".cell")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#count")).to_have_text("1000 clips")


def test_changes_reach_clips_that_are_not_held_and_a_new_index_replaces_what_is(indexed: Server, visit: Visit) -> None:
    page = visit(indexed.origin)
    indexed.script.change(indexed.script.cards[900] | {"state": "failed"})
    page.get_by_role("button", name="failed 1").click()
    expect(page.locator(".cell .state")).to_have_text("failed")
    page.get_by_role("button", name="Clear").click()
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    expect(page.locator(cell(page, "shot-0999") + " .maker")).to_have_text("draft · animatic")
    cards = [each | {"model": "other", "state": "changed"} for each in indexed.script.cards]
    indexed.script.document["cards"] = cards
    head = {name: value for name, value in indexed.script.document.items() if name != "cards"}
    indexed.script.push("document", {"revision": "2", "head": head, "removed": [], **indexed.script.indexed()})
    expect(page.locator(cell(page, "shot-0999") + " .maker")).to_have_text("draft · other")
    expect(page.get_by_role("button", name="changed 1000")).to_be_visible()


def test_a_reply_that_is_older_than_a_change_is_not_used(indexed: Server, visit: Visit) -> None:
    page = visit(indexed.origin)
    indexed.script.answering.clear()
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    last = page.locator(cell(page, "shot-0999"))
    expect(last.locator(".state")).to_have_text("ready")  # of its row
    while "/api/cards" not in indexed.script.asked:
        settled(page)
    indexed.script.change(indexed.script.cards[999] | {"state": "failed"})
    expect(last.locator(".state")).to_have_text("failed")
    indexed.script.answering.set()
    expect(page.locator(cell(page, "shot-0998") + " .maker")).to_have_text("draft · animatic")  # of the reply
    expect(last.locator(".state")).to_have_text("failed")


def test_the_page_of_a_clip_needs_no_card(indexed: Server, visit: Visit) -> None:
    page = visit(f"{indexed.origin}/#/clip/shot-0500")
    expect(page.locator("#clip-name")).to_have_text("shot-0500")
    expect(page.locator(".prompt")).to_have_text("shot-0500 on a marble table, slow push-in")
    page.keyboard.press("j")
    expect(page.locator("#clip-name")).to_have_text("shot-0501")
    expect(page.locator(".prompt")).to_have_text("shot-0501 on a marble table, slow push-in")
    expect(page.get_by_role("button", name="Retake")).to_be_visible()
    expect(page.locator(".position")).to_have_text("502 / 1000")


def test_the_storyboard_holds_all_clips_as_long_as_it_is_shown(indexed: Server, visit: Visit) -> None:
    page = visit(f"{indexed.origin}/#/storyboard")
    expect(page.locator("#film-sum")).to_contain_text("1,000 clips")
    page.keyboard.press("g")
    expect(page.locator(cell(page, "shot-0000"))).to_be_visible()
    page.wait_for_function("() => Gallery.store.state.cards.size <= 400")


def test_what_an_apply_would_do_is_listed_for_clips_that_are_not_held(site: Server, visit: Visit) -> None:
    cards = many(1_000)
    cards[600] = card("shot-0600", "new", None)
    site.script.window = 20
    site.script.show(document(cards), [detail(each) for each in cards])
    page = visit(site.origin)
    page.keyboard.press("A")
    expect(page.locator(".confirm-list li")).to_have_count(1)
    expect(page.locator(".confirm-list li")).to_contain_text("shot-0600 on a marble table")
