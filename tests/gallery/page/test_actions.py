"""What the page asks the server to do: never without a price and a confirmation, and never when nobody answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.gallery.page.conftest import Visit, Watcher
from tests.gallery.page.server import Server
from tests.gallery.page.values import FREE, Value, card, detail, document, estimate, media, take, usd


def paid() -> list[Value]:
    """Two clips that cost, one of them for the other, and one that is done."""
    both = {"amount": "1.00", "currency": "USD", "unpriced": 0, "steps": 2, "with": ["hero"]}
    hero = card("hero", "changed", estimate=estimate("0.50"), used_by=["orbit"])
    return [
        hero,
        card("orbit", "new", None, estimate=estimate("0.50"), needs=["hero"], apply=both),
        card("done", takes=3),
    ]


def cost(amount: str, unpriced: int = 0) -> Value:
    return {"amount": amount, "currency": "USD", "unpriced": unpriced}


def open_grid(site: Server, visit: Visit, cards: list[Value], **head: object) -> Page:
    site.script.show(document(cards, **head), [detail(each) for each in cards])
    page = visit(site.origin)
    expect(page.locator("#connection")).to_have_text("live")
    return page


def test_applying_everything_names_each_clip_and_its_price_and_asks(site: Server, visit: Visit) -> None:
    page = open_grid(site, visit, paid(), cost=cost("1.00"))
    page.get_by_role("button", name="Apply all · 1.00 USD").click()
    dialog = page.get_by_role("dialog", name="Apply the whole plan?")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    expect(dialog.get_by_role("listitem").nth(0)).to_contain_text("hero")
    expect(dialog.get_by_role("listitem").nth(0)).to_contain_text("0.50 USD")
    expect(dialog).to_contain_text("Maximum cost")
    assert site.script.posts == []
    dialog.get_by_role("button", name="Apply · 1.00 USD").click()
    expect(page.get_by_text("apply is done.")).to_be_visible()
    assert site.script.posts == [("apply", {"clips": None, "revision": "plan.rest", "cost": usd("1.00")})]


def test_a_page_without_actions_shows_everything_and_has_no_button_for_them(site: Server, visit: Visit) -> None:
    page = open_grid(site, visit, paid(), cost=cost("1.00"), acts=False)
    expect(page.locator("#plan")).to_contain_text("1.00 USD")
    page.keyboard.press("A")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_text("hero", exact=True).first.click()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Apply")).to_have_count(0)
    expect(page.get_by_role("button", name="Retake")).to_have_count(0)
    expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    assert site.script.posts == []


def test_the_question_shows_what_changes_and_how_long_it_takes(site: Server, visit: Visit) -> None:
    words = [["=", "slow "], ["-", "push-in"], ["+", "pull-out"]]
    changes = [{"field": "prompt", "before": "…", "after": "…", "words": words}]
    cards = [card("hero", "changed"), card("sea", "new", None, duration=5, model="doubao-seedance-2-0")]
    site.script.show(document(cards, expected=83.0), [detail(cards[0], changes=changes), detail(cards[1])])
    page = visit(site.origin)
    expect(page.locator("#connection")).to_have_text("live")
    page.keyboard.press("A")
    dialog = page.get_by_role("dialog", name="Apply the whole plan?")
    expect(dialog.locator("del, ins")).to_have_text(["push-in", "pull-out"])
    expect(dialog).to_contain_text("doubao-seedance-2-0 · 5 s · 16:9 · 480p")
    expect(dialog).to_contain_text("sea on a marble table")
    expect(dialog).to_contain_text("It takes about 83 s.")


def test_applying_one_says_the_price_with_what_it_needs(site: Server, visit: Visit) -> None:
    page = open_grid(site, visit, paid(), cost=cost("1.00"))
    page.evaluate("() => { location.hash = '#/clip/orbit'; }")
    page.get_by_role("button", name="Apply · 1.00 USD").click()
    dialog = page.get_by_role("dialog", name="Apply orbit?")
    expect(dialog.locator(".confirm-name bdi")).to_have_text(["hero", "orbit"])
    dialog.get_by_role("button", name="Apply · 1.00 USD").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("apply is done.")).to_be_visible()
    assert site.script.posts == [("apply", {"clips": ["orbit"], "revision": "plan.rest", "cost": usd("1.00")})]


def test_where_money_is_spent_enter_alone_says_no(site: Server, visit: Visit) -> None:
    page = open_grid(site, visit, paid(), cost=cost("1.00"))
    for key in ("j", "a", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("a")
    expect(page.get_by_role("dialog", name="Apply hero?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert site.script.posts == []
    for key in ("a", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text("apply is done.")).to_be_visible()
    assert [body["cost"] for _, body in site.script.posts] == [usd("0.50")]


def test_what_is_free_needs_one_key_to_confirm(site: Server, visit: Visit) -> None:
    page = open_grid(site, visit, [card("hero", "new", None)])
    page.keyboard.press("A")
    expect(page.get_by_role("dialog")).to_contain_text("Free")
    page.keyboard.press("Enter")
    expect(page.get_by_text("apply is done.")).to_be_visible()
    assert site.script.posts == [("apply", {"clips": None, "revision": "plan.rest", "cost": FREE})]


def test_an_unknown_price_is_called_unknown(site: Server, visit: Visit) -> None:
    page = open_grid(site, visit, [card("hero", "new", None, estimate=None)], cost=cost("0", 1))
    page.keyboard.press("A")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("No price is known for 1 generation")
    expect(dialog.get_by_role("button", name="Apply · 1 unpriced")).to_be_visible()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()


def test_a_refusal_is_shown_with_its_help_and_stays(site: Server, visit: Visit, watcher: Watcher) -> None:
    watcher.allow("409")
    error = {"code": "stale", "message": "the plan has changed", "help": "review it and confirm again"}
    site.script.answers["apply"] = (409, {"error": error})
    page = open_grid(site, visit, [card("hero", "new", None)])
    for key in ("A", "Enter"):
        page.keyboard.press(key)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("the plan has changed")
    expect(alert).to_contain_text("review it and confirm again")
    alert.get_by_role("button", name="Close").click()
    expect(alert).to_have_count(0)


@pytest.mark.parametrize(
    ("head", "says"),
    [({"stale": True}, "The project has problems."), ({}, "Nothing to do: everything is up to date.")],
    ids=["broken", "up to date"],
)
def test_nothing_is_offered_where_there_is_nothing_to_apply(site: Server, visit: Visit, head: Value, says: str) -> None:
    page = open_grid(site, visit, [card("hero")], **head)
    expect(page.locator("#apply-all")).to_be_hidden()
    page.keyboard.press("A")
    expect(page.locator("#messages")).to_contain_text(says)
    assert site.script.posts == []


def test_takes_are_picked_by_number_on_the_page_and_in_the_grid(site: Server, visit: Visit) -> None:
    three = card("hero", takes=3)
    site.script.show(document([three]), [detail(three, [take(1), take(2, "green"), take(3, "blue")])])
    page = visit(site.origin)
    for key in ("j", "3", "1", "7"):  # 1 is picked already, and there is no seventh
        page.keyboard.press(key)
    expect(page.get_by_text("pick is done.")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pick take 2").click()
    expect(page.get_by_text("pick is done.")).to_have_count(2)
    assert site.script.posts == [("pick", {"clip": "hero", "take": 3}), ("pick", {"clip": "hero", "take": 2})]


def test_retake_and_open_name_their_clip_and_a_missing_editor_gives_a_place_to_copy(site: Server, visit: Visit) -> None:
    place = {"message": "clipform.yaml:14", "place": "clipform.yaml:14", "url": "vscode://file/x"}
    site.script.answers["open"] = (200, place)
    page = open_grid(site, visit, [card("hero")])
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.get_by_text("retake is done.")).to_be_visible()
    page.keyboard.press("o")
    expect(page.locator("#messages code")).to_have_text("clipform.yaml:14")
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    assert site.script.posts == [("retake", {"clip": "hero"}), ("open", {"clip": "hero"})]


def test_what_waits_can_be_skipped_and_what_runs_can_be_stopped(site: Server, visit: Visit) -> None:
    session = {"spent": "1.00", "unpriced": 0, "currency": "USD", "cap": "5.00", "offer": True}
    running = card("hero", "running", running={"progress": 5, "elapsed": 1, "expected": None, "phase": "running"})
    head = {"session": session, "run": {"total": 3, "done": 1}, "cost": cost("0.50")}
    page = open_grid(site, visit, [running, card("b", "new", None, estimate=estimate("0.50"))], **head)
    expect(page.locator("#session")).to_contain_text("Session 1.00 USD of 5.00 USD")
    expect(page.locator("#plan")).to_have_text("Applying: 1 of 3")
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_text("skip is done.")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stop is done.")).to_be_visible()
    assert site.script.posts == [("skip", {}), ("stop", {})]


def test_messages_of_a_run_are_told(site: Server, visit: Visit) -> None:
    page = open_grid(site, visit, [card("hero")])
    site.script.push("message", {"kind": "done", "text": "Done: 1 succeeded.", "help": "", "summary": None})
    expect(page.get_by_role("status").get_by_text("Done: 1 succeeded.")).to_be_visible()
    site.script.push("message", {"kind": "error", "text": "It is held.", "help": "Wait.", "summary": None})
    expect(page.get_by_role("alert")).to_contain_text("It is held.")


def test_what_is_approved_is_the_key_and_the_draft_on_the_page(site: Server, visit: Visit) -> None:
    looked = media("blue")
    needed = {"of": "draft", "seen": looked, "by": "", "at": "", "note": ""}
    hero = card("hero", "blocked", None)
    one = take(1, None, draft=looked, approval=needed)
    site.script.show(document([hero]), [detail(hero, [one])])
    page = visit(f"{site.origin}/#/clip/hero")
    expect(page.get_by_role("figure")).to_contain_text("Draft")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("approve is done.")).to_be_visible()
    body = {"clip": "hero", "take": 1, "key": one["key"], "seen": looked["sha256"]}
    assert site.script.posts == [("approve", body)]
    given = needed | {"by": "Ana <ana@example.com>", "at": "2026-11-25T14:00:00Z", "note": "go"}
    site.script.show(document([hero]), [detail(hero, [one | {"approval": given}])])
    page.reload()
    expect(page.get_by_text("Approved by")).to_contain_text("Ana <ana@example.com>")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("disapprove is done.")).to_be_visible()
    assert site.script.posts[-1] == ("disapprove", {"clip": "hero"})


def test_nothing_is_approved_without_something_to_look_at_or_without_actions(site: Server, visit: Visit) -> None:
    hero, looked = card("hero", "blocked", None), media("blue")
    for seen, acts in ((None, True), (looked, False)):
        waiting = {"of": "draft", "seen": seen, "by": "", "at": "", "note": ""}
        site.script.show(document([hero], acts=acts), [detail(hero, [take(1, None, approval=waiting)])])
        page = visit(f"{site.origin}/#/clip/hero")
        expect(page.get_by_text("yet.")).to_be_visible()
        expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
