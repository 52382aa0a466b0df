"""The strip of versions, and the prompt that is edited in place."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.gallery.page.conftest import Visit, Watcher
from tests.gallery.page.server import Server
from tests.gallery.page.values import card, detail, document, take, version


def visit_hero(site: Server, visit: Visit) -> Page:
    """Three versions; the one that is declared now is not made."""
    words = [["=", "slow "], ["-", "push-in"], ["+", "pull-out"]]
    changed = {"field": "prompt", "before": "…", "after": "…", "words": words}
    longer = {"field": "duration", "before": "5", "after": "8", "words": None}
    hero = card("hero", "changed", "blue")
    versions = [
        version(1, "red"),
        version(2, "blue", changes=[changed]),
        version(3, None, current=True, changes=[longer]),
    ]
    about = detail(hero, [take(1, None, state="changed")], previous=take(1, "blue"), versions=versions)
    site.script.show(document([hero, card("sea")]), [about, detail(card("sea"))])
    return visit(f"{site.origin}/#/clip/hero", calm=True)


def test_any_two_versions_play_side_by_side_and_one_can_be_used_again(site: Server, visit: Visit) -> None:
    page = visit_hero(site, visit)
    strip = page.get_by_role("list", name="Versions of take 1")
    expect(strip.get_by_role("listitem")).to_have_count(3)
    expect(strip.locator("del, ins")).to_have_text(["push-in", "pull-out", "5", "8"])
    strip.get_by_role("button", name="Version 1").click()
    expect(page.locator(".tile strong")).to_have_text(["Version 1", "Version 3 (current)"])
    expect(page.locator(".tile").nth(1)).to_contain_text("not made yet")
    strip.get_by_role("button", name="Version 2").click()
    expect(page.locator(".tile strong")).to_have_text(["Version 1", "Version 2"])
    expect(page.locator(".tile video")).to_have_count(2)
    expect(strip.get_by_role("button", pressed=True)).to_have_count(2)
    strip.get_by_role("button", name="Use this version").first.click()
    expect(page.locator(".message")).to_contain_text("use is done.")
    body = {"clip": "hero", "take": 1, "key": f"v1:{1:064x}", "current": f"v1:{3:064x}"}
    assert site.script.posts == [("use", body)]


def test_a_prompt_is_edited_in_place_and_a_refusal_keeps_the_text(site: Server, visit: Visit, watcher: Watcher) -> None:
    watcher.allow("409")
    written = {"file": "clipform.yaml", "name": "hero", "field": "prompt", "text": "a ${vars.product}", "clips": 2}
    refused = {"error": {"code": "conflict", "message": "the prompt was changed meanwhile", "help": "copy your text"}}
    site.script.answers |= {"prompt": (200, written), "rewrite": (409, refused)}
    page = visit_hero(site, visit)
    page.keyboard.press("e")
    editor = page.get_by_role("textbox", name="Prompt of hero")
    expect(editor).to_be_focused()
    expect(editor).to_have_value("a ${vars.product}")
    expect(page.get_by_text("2 clips share this prompt.")).to_be_visible()
    editor.fill("a torch, e r a 1")
    site.script.change(card("hero", "changed", "blue", prompt="another"))  # the page is drawn again meanwhile
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="the prompt was changed meanwhile")).to_be_visible()
    expect(editor).to_have_value("a torch, e r a 1")
    site.script.answers["rewrite"] = (200, {"message": "clipform.yaml: the prompt of hero is changed."})
    page.get_by_role("button", name="Save").click()
    expect(editor).to_have_count(0)
    body = {"clip": "hero", "before": "a ${vars.product}", "text": "a torch, e r a 1"}
    assert site.script.posts == [("prompt", {"clip": "hero"}), ("rewrite", body), ("rewrite", body)]
