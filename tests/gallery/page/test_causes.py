"""What the page says goes with its cause and names it: errors, an ended server, other steps, unsaved words."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.gallery.page.conftest import Visit, Watcher
from tests.gallery.page.server import Server
from tests.gallery.page.values import Value, card, detail, document, estimate, take

KEY = f"v1:{7:064x}"
TASK: Value = {"action": "resume", "take": 1, "sentence": "no clip uses this request any more", "detail": "task cgt-9"}


def open_page(site: Server, visit: Visit, cards: list[Value], at: str = "", **how: object) -> Page:
    site.script.show(document(cards), [detail(each) for each in cards])
    page = visit(f"{site.origin}/{at}", **how)
    expect(page.locator("#connection")).to_have_text("live")
    return page


def test_a_clip_that_is_up_to_date_says_why_the_plan_has_a_step_of_it(site: Server, visit: Visit) -> None:
    both = {"amount": "0", "currency": "USD", "unpriced": 0, "least": None, "steps": 1, "expected": None, "with": []}
    hero = card("hero", also=[TASK], apply=both)
    page = open_page(site, visit, [hero])
    reason = "resume: no clip uses this request any more (task cgt-9)"
    expect(page.locator(".cell .note")).to_have_text(reason)
    page.evaluate("() => Gallery.dialogs.apply('hero')")
    expect(page.get_by_role("dialog")).to_contain_text(reason)
    expect(page.get_by_role("dialog")).not_to_contain_text("up to date")
    page.keyboard.press("Escape")
    page.evaluate("() => { location.hash = '#/clip/hero'; }")
    expect(page.locator(".clip-note")).to_have_text(reason)


def test_the_question_and_the_card_speak_of_all_takes(site: Server, visit: Visit) -> None:
    second: Value = {"action": "create", "take": 2, "sentence": "never generated before", "detail": ""}
    price: Value = {"amount": "1.00", "currency": "USD", "unpriced": 0, "least": None}
    offer: Value = {**price, "steps": 2, "expected": None, "with": ["sea"]}
    hero = card("hero", "new", None, takes=2, also=[second], due=price, apply=offer, estimate=estimate("0.50"))
    sea = card("sea", "new", None, takes=3, also=[second], estimate=estimate("0.25"))
    half = card("half", takes=2, also=[second], due={**price, "amount": "0.50"})
    page = open_page(site, visit, [hero, sea, half])
    expect(page.locator('.cell[data-id="hero"] .cost')).to_have_text("1.00 USD")
    expect(page.locator('.cell[data-id="half"] .cost')).to_have_text("0.50 USD")
    page.evaluate("() => Gallery.dialogs.apply('hero')")
    rows = page.get_by_role("dialog").get_by_role("listitem")
    expect(rows.nth(1)).to_contain_text("2 takes")
    expect(rows.nth(1)).not_to_contain_text("create take 2")
    expect(rows.nth(0)).to_contain_text("take 1 of 3")
    page.keyboard.press("Escape")
    page.evaluate("() => { location.hash = '#/clip/hero'; }")
    expect(page.locator(".facts div", has_text="estimated cost").locator("dd")).to_have_text("1.00 USD")


@pytest.mark.parametrize("cause", ["success", "change", "button"])
def test_an_error_is_announced_and_goes_with_its_cause(
    cause: str, site: Server, visit: Visit, watcher: Watcher
) -> None:
    watcher.allow("409")
    page = open_page(site, visit, [card("hero", takes=2)], fresh=True)
    page.clock.install()
    site.script.answers["pick"] = (409, {"error": {"code": "stale", "message": "the file has changed", "help": ""}})
    page.locator(".cell a").focus()
    page.keyboard.press("2")
    error = page.get_by_role("alert")
    expect(error).to_contain_text("the file has changed")
    page.clock.run_for(60_000)
    expect(error).to_have_count(1)
    if cause == "success":
        del site.script.answers["pick"]
        page.keyboard.press("2")
    elif cause == "change":
        site.script.change(card("hero", "changed"), revision="other.rest")
        expect(page.locator(".cell .state")).to_have_text("changed")
        page.clock.run_for(10_000)
    else:
        error.get_by_role("button", name="Close").click()
    expect(error).to_have_count(0)


def test_a_server_that_ended_is_said_with_the_command_that_starts_it(
    videos: Path, visit: Visit, watcher: Watcher
) -> None:
    watcher.allow("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    with Server(0, videos) as first:
        page = open_page(first, visit, [card("hero")])
        port = first.server_port
    expect(page.locator("#connection")).to_have_text("ended")
    expect(page.get_by_role("alert")).to_contain_text("clipform has ended")
    expect(page.get_by_role("alert").locator("code")).to_have_text("clipform ui")
    with Server(port, videos) as second:
        second.script.show(document([card("hero")]))
        expect(page.locator("#connection")).to_have_text("live")
        expect(page.get_by_role("alert")).to_have_count(0)


def test_escape_leaves_the_prompt_and_asks_first_with_unsaved_words(site: Server, visit: Visit) -> None:
    site.script.answers["prompt"] = (200, {"file": "clipform.yaml", "text": "a lamp", "clips": 1})
    page = open_page(site, visit, [card("hero")], "#/clip/hero", height=720)
    page.get_by_role("button", name="Edit").click()
    area = page.get_by_label("Prompt of hero")
    expect(page.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    expect(area).to_have_count(0)
    page.get_by_role("button", name="Edit").click()
    area.fill("a torch")
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert")).to_contain_text("Discard the unsaved words?")
    expect(page.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")  # goes on
    expect(area).to_be_focused()
    expect(area).to_have_value("a torch")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Discard").click()
    expect(area).to_have_count(0)
    assert [action for action, _ in site.script.posts] == ["prompt", "prompt"]


def test_keys_are_short_and_times_are_the_readers_own(site: Server, visit: Visit) -> None:
    when = "2026-11-25T14:02:00Z"
    events = [{"sequence": 1, "time": when, "type": "x", "detail": f"back at its version of {when} ({KEY})"}]
    hero = card("hero", "blocked", detail="since 2026-11-25 14:02 UTC")
    whole = detail(hero, [take(7, None, picked=True)], events=events, facts=[["first_frame", f"{9:064x}"]])
    site.script.show(document([hero]), [whole])
    page = visit(f"{site.origin}/#/clip/hero")
    expect(page.locator(".events")).to_contain_text("back at its version of 25 Nov 2026, 14:02 (v1:000000000000…)")
    expect(page.locator(".trouble")).to_contain_text("since 25 Nov 2026, 14:02")
    text = page.evaluate("() => document.body.textContent + [...document.querySelectorAll('time')].map(t => t.title)")
    assert KEY not in text and f"{9:064x}" not in text and when not in text
    expect(page.locator(".facts code", has_text="v1:000000000000…")).to_have_attribute("title", KEY)
