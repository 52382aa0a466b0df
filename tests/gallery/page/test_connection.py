"""A server that goes away, comes back, or is another one; and a project that breaks and is mended."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.gallery.page.conftest import Visit, Watcher
from tests.gallery.page.server import Server
from tests.gallery.page.values import card, document

PROBLEM = {
    "severity": "error",
    "code": "duration",
    "message": "duration 99 is not offered by animatic (1 to 60)",
    "file": "clips/hero.yaml",
    "line": 4,
    "column": 15,
    "help": "set 60",
    "lines": [[3, "    prompt: a lamp"], [4, "    duration: 99 # long"], [5, "    ratio: 16:9"]],
}


def test_a_server_that_went_away_is_said_and_its_return_brings_what_is_new(
    videos: Path, visit: Visit, watcher: Watcher
) -> None:
    watcher.allow("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    with Server(0, videos) as first:
        first.script.show(document([card("hero", "new", None)]))
        page = visit(first.origin)
        expect(page.locator("#connection")).to_have_text("live")
        expect(page.locator("#apply-all")).to_be_enabled()
        port = first.server_port
    expect(page.locator("#connection")).to_have_text("reconnecting")
    expect(page.locator("#apply-all")).to_be_disabled()
    page.keyboard.press("A")
    expect(page.locator("#messages")).to_contain_text("clipform does not answer")
    expect(page.locator(".cell")).to_have_count(1)
    with Server(port, videos) as second:
        second.script.show(document([card("hero"), card("more", shot="green")]))
        expect(page.locator("#connection")).to_have_text("live")
        expect(page.locator(".cell")).to_have_count(2)
        expect(page.locator('.cell[data-id="hero"] .state')).to_have_text("ready")
        assert [name for name, _ in second.script.posts] == []


def test_another_process_at_the_port_is_not_mistaken_for_this_one(site: Server, visit: Visit, watcher: Watcher) -> None:
    watcher.allow("401")
    site.script.show(document([card("hero")]))
    page = visit(site.origin)
    expect(page.locator("#connection")).to_have_text("live")
    site.script.locked = True
    site.script.hang_up()
    expect(page.locator("#connection")).to_have_text("ended")
    expect(page.locator("#connection")).to_have_attribute(
        "title", "Another clipform is running now: open the link that it printed"
    )


def test_a_broken_spec_shows_its_problem_at_its_place_and_keeps_the_cards(site: Server, visit: Visit) -> None:
    site.script.show(document([card("hero"), card("b", shot="green")]))
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(2)
    site.script.change(diagnostics=[PROBLEM], stale=True)
    banner = page.get_by_role("region", name="Problems")
    expect(banner).to_contain_text("1 problem in the project")
    expect(banner).to_contain_text("clips/hero.yaml:4:15")
    expect(banner).to_contain_text("duration 99 is not offered by animatic (1 to 60)")
    expect(banner.locator("mark")).to_have_text("99")
    expect(banner).to_contain_text("set 60")
    expect(page.locator(".cell")).to_have_count(2)
    assert page.title().startswith("! ")
    site.script.change(diagnostics=[], stale=False)
    expect(banner).to_be_hidden()
