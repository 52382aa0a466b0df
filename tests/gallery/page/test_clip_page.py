"""The clip page: takes and versions play in step, and everything that is known of a clip stands there."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.gallery.page.conftest import Visit, Watcher
from tests.gallery.page.server import Server
from tests.gallery.page.values import Value, card, detail, document, estimate, take

APART = """async () => {
    const videos = [...document.querySelectorAll('.tile video')];
    const found = [];
    while (found.length < 30) {
        await new Promise(requestAnimationFrame);
        const times = videos.filter(each => !each.ended && !each.seeking).map(each => each.currentTime);
        if (times.length === videos.length) found.push(Math.max(...times) - Math.min(...times));
    }
    return found.sort((one, other) => one - other)[15];
}"""
"""Half of the time the videos are no further apart than this, in seconds."""


def hero(**changes: object) -> Value:
    return card("hero", shot="blue", **{"takes": 3, "used_by": ["hero-orbit"], "tags": ["launch"], **changes})


def three_takes() -> list[Value]:
    return [
        take(1, "blue"),
        take(2, "blue", mismatch="1.9 s instead of 2 s"),
        take(3, None, attempt="submitted since 14:02"),
    ]


def compared(**changes: object) -> Value:
    """The hero after an edit that was made: what it was, and what it is."""
    words = [["=", "Aurora lamp, slow "], ["-", "push-in"], ["+", "pull-out"]]
    return detail(
        hero(takes=1),
        [take(1, "blue")],
        previous=take(1, "blue", picked=False, seed=7),
        changes=[
            {"field": "prompt", "before": "…", "after": "…", "words": words},
            {"field": "duration", "before": None, "after": "5", "words": None},
        ],
        inputs=[
            {"field": "first_frame", "text": "assets/lamp.png", "media": "media/green.jpg", "clip": None, "part": None},
            {
                "field": "last_frame",
                "text": "first_frame of b",
                "media": None,
                "clip": "hero-orbit",
                "part": "first_frame",
            },
        ],
        **changes,
    )


def visit_clip(site: Server, visit: Visit, about: Value, **how: object) -> Page:
    whole = about["card"]
    assert isinstance(whole, dict)
    orbit = card("hero-orbit", shot="green", needs=["hero"])
    site.script.show(document([whole, orbit]), [about, detail(orbit)])
    return visit(f"{site.origin}/#/clip/hero", **how)


def test_all_takes_stand_side_by_side_and_play_in_step(site: Server, visit: Visit) -> None:
    page = visit_clip(site, visit, detail(hero(), three_takes()))
    expect(page.get_by_role("button", name="Takes (3)")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".tile")).to_have_count(3)
    expect(page.locator(".tile").nth(0)).to_contain_text("picked")
    expect(page.locator(".tile").nth(1)).to_contain_text("1.9 s instead of 2 s")
    expect(page.locator(".tile").nth(2)).to_contain_text("submitted since 14:02")
    page.wait_for_function("() => (document.querySelector('.tile video')?.currentTime ?? 0) > 0.1")
    assert page.evaluate(APART) < 0.12
    page.get_by_label("Pause").click()
    page.get_by_label("Time in the clip").fill("1.25")
    times = page.locator(".tile video").evaluate_all("all => all.map(each => each.currentTime)")
    assert times == [1.25, 1.25]
    page.keyboard.press("Escape")


def test_the_version_before_plays_beside_the_new_one(site: Server, visit: Visit) -> None:
    page = visit_clip(site, visit, compared())
    expect(page.locator(".tile strong")).to_have_text(["Previous version", "Current version"])
    page.wait_for_function("() => (document.querySelector('.tile video')?.currentTime ?? 0) > 0.1")
    assert page.evaluate(APART) < 0.12
    page.get_by_role("button", name="Clip", exact=True).click()
    expect(page.locator(".tile")).to_have_count(1)


def test_a_new_version_that_is_not_made_yet_leaves_its_place(site: Server, visit: Visit) -> None:
    waiting = card("hero", "changed", "blue", estimate=estimate("0.50"))
    page = visit_clip(site, visit, detail(waiting, [take(1, None, state="changed")], previous=take(1, "blue")))
    expect(page.locator(".tile").nth(1)).to_contain_text("prompt changed")
    expect(page.locator(".tile video")).to_have_count(1)


def test_an_estimate_has_both_ends_and_the_source_of_its_price(site: Server, visit: Visit) -> None:
    price = estimate("0.7623", "0.4321", "ark-usd, 61 days old")
    waiting = card("hero", "changed", "blue", estimate=price)
    page = visit_clip(site, visit, detail(waiting, [take(1, None, state="changed", estimate=price)]))
    row = page.locator(".facts div").filter(has_text="estimated cost")
    expect(row.locator("dd")).to_have_text("0.4321–0.7623 USD (ark-usd, 61 days old)")
    expect(page.locator(".tile")).to_contain_text("0.4321–0.7623 USD")
    page.keyboard.press("a")
    expect(page.get_by_role("dialog")).to_contain_text("Costup to 0.7623 USD")


def test_what_changed_is_shown_word_by_word_and_field_by_field(site: Server, visit: Visit) -> None:
    page = visit_clip(site, visit, compared())
    expect(page.locator(".prompt del")).to_have_text("push-in")
    expect(page.locator(".prompt ins")).to_have_text("pull-out")
    row = page.get_by_role("row", name="duration")
    expect(row.get_by_role("cell").nth(0)).to_have_text("not set")
    expect(row.get_by_role("cell").nth(1)).to_have_text("5")


def test_inputs_have_pictures_and_dependencies_are_links(site: Server, visit: Visit) -> None:
    page = visit_clip(site, visit, compared())
    images = page.locator(".inputs img")
    expect(images).to_have_count(2)
    expect(images.nth(0)).to_have_js_property("naturalWidth", 320)
    expect(page.locator(".inputs")).to_contain_text("assets/lamp.png")
    page.locator(".links").get_by_role("link", name="hero-orbit").click()
    expect(page.locator("#clip-name")).to_have_text("hero-orbit")


def test_a_clip_that_is_there_before_the_document_gets_the_pictures_of_other_clips(site: Server, visit: Visit) -> None:
    site.script.ready.clear()
    page = visit_clip(site, visit, compared())
    expect(page.locator(".inputs img")).to_have_count(2)
    expect(page.locator(".inputs").get_by_role("link", name="hero-orbit")).to_have_count(1)
    orbit = card("hero-orbit", shot="blue", needs=["hero"])
    site.script.change(orbit)
    expect(page.locator(".inputs img").nth(1)).to_have_attribute("src", re.compile("blue"))


def test_seed_task_key_cost_facts_and_events_are_there(site: Server, visit: Visit, watcher: Watcher) -> None:
    page = visit_clip(site, visit, compared())
    side = page.get_by_role("complementary", name="Facts")
    for text in ("101", "cgt-1", "v1:000000000000…", "renders/hero.mp4", "clipform.yaml:14", "320 × 180", "launch"):
        expect(side).to_contain_text(text)
    events = side.get_by_label("Events, newest first")
    expect(events).to_contain_text("submitted")
    events.focus()
    expect(events).to_be_focused()
    page.get_by_text("Fields that determine the key").click()
    expect(side).to_contain_text("dialect")


def test_a_blocked_clip_says_what_is_known_and_the_ways_out(site: Server, visit: Visit) -> None:
    ways = ["clipform resolve hero --task ID", "clipform resolve hero --abandon"]
    stuck = card("hero", "blocked", None, detail="the provider answered 500", way_out=ways)
    page = visit_clip(site, visit, detail(stuck))
    trouble = page.locator(".trouble")
    expect(trouble).to_contain_text("it may have been accepted")
    expect(trouble).to_contain_text("the provider answered 500")
    expect(trouble.locator("pre")).to_have_text(ways)


def test_a_new_detail_changes_the_page_and_what_plays_goes_on_playing(site: Server, visit: Visit) -> None:
    page = visit_clip(site, visit, detail(hero(), three_takes()))
    page.wait_for_function("() => (document.querySelector('.tile video')?.currentTime ?? 0) > 0.1")
    page.evaluate("() => { window.first = document.querySelector('.tile video'); }")
    takes = three_takes()
    takes[0] |= {"picked": False}
    takes[1] |= {"picked": True}
    site.script.details["hero"] = detail(hero(pick=2), takes)
    site.script.change(hero(pick=2))
    expect(page.locator(".tile.picked")).to_contain_text("Take 2")
    assert page.evaluate("() => window.first === document.querySelector('.tile video') && !window.first.paused")


def test_a_clip_that_does_not_exist_says_so(site: Server, visit: Visit, watcher: Watcher) -> None:
    watcher.allow("404")
    site.script.show(document([card("hero")]))
    page = visit(f"{site.origin}/#/clip/zero%20%3Cb%3E")
    expect(page.get_by_text("No such clip")).to_be_visible()
    expect(page.get_by_text("No clip is named zero <b>.")).to_be_visible()
    page.get_by_role("link", name="All clips").click()
    expect(page.locator(".cell")).to_have_count(1)


def test_a_phone_has_one_column_and_nothing_sticks_out(site: Server, visit: Visit) -> None:
    page = visit_clip(site, visit, compared(), width=390, height=844)
    expect(page.locator(".events")).to_be_attached()
    for view in ("#/clip/hero", "#/", "#/storyboard"):
        page.evaluate("hash => { location.hash = hash; }", view)
        page.wait_for_function(
            "hash => document.body.dataset.view === hash", arg={"#/": "grid", "#/storyboard": "film"}.get(view, "clip")
        )
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), view
