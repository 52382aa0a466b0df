"""The grid: what a card says, that a change touches one card, the filters, and that ten thousand are few nodes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.gallery.page.conftest import Visit, Watcher
from tests.gallery.page.server import Server
from tests.gallery.page.values import Value, card, detail, document, estimate, usd

THREE = ("hero", "hero-orbit", "social[ratio=16:9,lang=en]")


def three(**changes: object) -> list[Value]:
    shots = ("red", "green", "blue")
    return [card(name, shot=shot, **changes) for name, shot in zip(THREE, shots, strict=True)]


def shown(page: Page) -> list[str]:
    """The cards in the order of the page."""
    found = page.locator(".cell").evaluate_all("nodes => nodes.map(node => node.dataset.id)")
    assert isinstance(found, list)
    return found


def settled(page: Page) -> None:
    """After the next two frames: what was asked for is drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")


def heap(page: Page) -> float:
    """Bytes that the page's script holds."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    return float(
        next(m["value"] for m in session.send("Performance.getMetrics")["metrics"] if m["name"] == "JSHeapUsedSize")
    )


def test_a_card_says_name_state_maker_cost_age_takes_and_length(site: Server, visit: Visit) -> None:
    facts = {"provider": "studio", "model": "doubao-seedance-2-0", "cost": usd("0.45"), "takes": 3, "pick": 2}
    site.script.show(document([card(THREE[2], shot="blue", **facts)]))
    page = visit(site.origin)
    only = page.locator(".cell")
    expect(only).to_contain_text("social")
    expect(only.locator(".variant")).to_have_text("16:9 · en")
    expect(only.locator(".state")).to_have_text("ready")
    expect(only.locator(".maker")).to_have_text("studio · doubao-seedance-2-0")
    expect(only.locator(".cost")).to_have_text("0.45 USD")
    expect(only.locator(".note")).to_contain_text("generated ")
    expect(only.locator(".takes")).to_have_text("2/3")
    expect(only.locator(".length")).to_have_text("0:02")
    expect(only.locator("img")).to_have_js_property("naturalWidth", 320)


def test_a_card_shows_both_ends_of_an_estimate_and_where_its_price_is_from(site: Server, visit: Visit) -> None:
    price = estimate("0.7623", "0.4321", "ark-usd, 61 days old")
    changed = card("hero", "changed", "red", estimate=price)
    failed = card("late", "failed", None, estimate=price, detail="the provider ended it without a video")
    site.script.show(document([changed, failed, card("ready", estimate=price, cost=usd("0.45"))]))
    page = visit(site.origin)
    expect(page.locator(".cell .cost")).to_have_text(["0.4321–0.7623 USD", "0.4321–0.7623 USD", "0.45 USD"])
    expect(page.locator(".cell .source")).to_have_text(["ark-usd, 61 days old", "", ""])
    expect(page.locator(".cell .note").nth(0)).to_have_text("prompt changed")
    cut = "nodes => nodes.filter(each => each.scrollWidth > each.clientWidth).map(each => each.textContent)"
    assert page.locator(".cell .cost, .cell .source, .cell .note").evaluate_all(cut) == []


def test_a_change_touches_its_own_card_and_no_other(site: Server, visit: Visit) -> None:
    site.script.show(document(three()))
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(3)
    settled(page)
    page.evaluate(
        """() => {
            window.touched = new Set();
            window.replaced = 0;
            new MutationObserver(all => all.forEach(({ target, type }) => {
                const cell = (target.nodeType === 1 ? target : target.parentElement).closest('.cell');
                if (cell) window.touched.add(cell.dataset.id); else if (type === 'childList') window.replaced += 1;
            })).observe(document.getElementById('grid'),
                { subtree: true, childList: true, characterData: true, attributes: true });
        }"""
    )
    site.script.change(card("hero-orbit", "changed", "green", estimate=estimate("0.50")))
    expect(page.locator('.cell[data-id="hero-orbit"] .state')).to_have_text("changed")
    expect(page.locator('.cell[data-id="hero-orbit"] .cost')).to_have_text("0.50 USD")
    settled(page)
    assert page.evaluate("() => [[...window.touched], window.replaced]") == [["hero-orbit"], 0]


def test_progress_is_a_bar_and_a_line_on_the_running_card(site: Server, visit: Visit) -> None:
    site.script.show(document(three()))
    page = visit(site.origin)
    running = {"progress": 40, "elapsed": 12.1, "expected": 30.0, "phase": "running"}
    site.script.change(card("hero", "running", running=running))
    hero = page.locator('.cell[data-id="hero"]')
    expect(hero.locator(".note")).to_have_text("40 % · 12 s of about 30 s")
    expect(hero.get_by_role("progressbar")).to_have_js_property("value", 40)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    site.script.push("progress", {"id": "hero", "take": 1, "running": running | {"progress": 75, "elapsed": 22.0}})
    expect(hero.locator(".note")).to_have_text("75 % · 22 s of about 30 s")
    site.script.change(card("hero"))
    expect(hero.get_by_role("progressbar")).to_be_hidden()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()


def test_clips_come_go_and_change_places_without_a_reload(site: Server, visit: Visit) -> None:
    site.script.show(document(three()))
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(3)
    site.script.change(card("intro", "new", None), order=["intro", *THREE])
    expect(page.locator(".cell")).to_have_count(4)
    settled(page)
    assert shown(page) == ["intro", *THREE]
    site.script.change(removed=["hero"], order=[THREE[2], THREE[1], "intro"])
    expect(page.locator(".cell")).to_have_count(3)
    settled(page)
    assert shown(page) == [THREE[2], THREE[1], "intro"]
    assert page.evaluate("() => performance.getEntriesByType('navigation').length") == 1


@pytest.mark.parametrize("means", ["hover", "focus"])
def test_a_card_plays_under_the_pointer_and_under_the_keyboard(site: Server, visit: Visit, means: str) -> None:
    site.script.show(document(three()))
    page = visit(site.origin)
    hero = page.locator('.cell[data-id="hero"]')
    if means == "hover":
        hero.hover()
    else:
        page.keyboard.press("j")
    expect(hero.locator("video.on")).to_have_count(1)
    page.wait_for_function("() => document.querySelector('.cell video').currentTime > 0.2")
    video = hero.locator("video")
    expect(video).to_have_js_property("muted", True)
    expect(video).to_have_js_property("loop", True)
    page.keyboard.press("j") if means == "focus" else page.mouse.move(5, 5)
    expect(hero.locator("video")).to_have_count(0)


def test_nothing_plays_by_itself_where_motion_is_not_wanted_but_space_plays(site: Server, visit: Visit) -> None:
    site.script.show(document(three()))
    page = visit(site.origin, calm=True)
    hero = page.locator('.cell[data-id="hero"]')
    hero.hover()
    page.keyboard.press("j")
    settled(page)
    expect(page.locator("video")).to_have_count(0)
    page.keyboard.press("Space")
    expect(hero.locator("video.on")).to_have_count(1)
    page.keyboard.press("Space")
    expect(page.locator("video")).to_have_count(0)


def test_a_clip_without_a_picture_shows_its_prompt(site: Server, visit: Visit, watcher: Watcher) -> None:
    watcher.allow("404")
    lost = card("lost")
    shot = lost["shown"]
    assert isinstance(shot, dict)
    shot["poster"] = "media/gone.jpg"
    site.script.show(document([card("new", "new", None), lost]))
    page = visit(site.origin)
    for name in ("new", "lost"):
        expect(page.locator(f'.cell[data-id="{name}"] .slate')).to_contain_text(f"{name} on a marble table")
        expect(page.locator(f'.cell[data-id="{name}"] img')).to_be_hidden()


@pytest.mark.parametrize(
    ("text", "left"),
    [("orbit", ["hero-orbit"]), ("LAUNCH", ["hero"]), ("marble lang=en", [THREE[2]]), ("zebra", [])],
    ids=["name", "tag", "two words", "nothing"],
)
def test_the_filter_looks_at_names_prompts_and_tags(site: Server, visit: Visit, text: str, left: list[str]) -> None:
    cards = three()
    cards[0]["tags"] = ["launch"]
    site.script.show(document(cards))
    page = visit(site.origin)
    page.keyboard.press("/")
    page.keyboard.type(text)
    expect(page.locator(".cell")).to_have_count(len(left))
    assert shown(page) == left
    expect(page.locator("#count")).to_have_text(f"{len(left)} of 3")
    expect(page.get_by_text("No clip matches this filter.")).to_be_visible(visible=not left)
    page.keyboard.press("Escape")
    expect(page.locator(".cell")).to_have_count(3)


def test_clips_are_filtered_by_state_tag_and_provider(site: Server, visit: Visit) -> None:
    cards = [
        card("one", tags=["a", "b"]),
        card("two", "changed", tags=["b"], provider="studio"),
        card("three", "blocked", provider="studio"),
        card("four", "new", None),
    ]
    site.script.show(document(cards))
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(4)
    page.get_by_role("button", name="blocked 1").click()
    page.get_by_role("button", name="changed 1").click()
    expect(page.get_by_role("button", name="changed 1")).to_be_focused()  # though the buttons were drawn again
    expect(page.locator(".cell")).to_have_count(2)
    assert shown(page) == ["two", "three"]
    page.get_by_label("Filter by tag").select_option("b")
    expect(page.locator(".cell")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".cell")).to_have_count(4)
    page.get_by_label("Filter by provider").select_option("studio")
    expect(page.locator(".cell")).to_have_count(2)
    site.script.change(card("two", "ready", tags=["b"]))
    expect(page.locator(".cell")).to_have_count(1)
    assert shown(page) == ["three"]


def test_most_pictures_fill_their_frame_whatever_the_projects_ratio(site: Server, visit: Visit) -> None:
    site.script.show(document([card("a", shot="tall"), card("b", shot="tall"), card("c")]))
    page = visit(site.origin)
    box = page.locator('.cell[data-id="a"] .frame').bounding_box()
    assert box is not None and abs(box["width"] / box["height"] - 9 / 16) < 0.02


def test_a_project_without_clips_says_how_to_declare_one(site: Server, visit: Visit) -> None:
    site.script.show(document([]))
    page = visit(site.origin)
    expect(page.get_by_text("No clips yet")).to_be_visible()
    site.script.change(card("first", "new", None))
    expect(page.locator(".cell")).to_have_count(1)
    expect(page.get_by_text("No clips yet")).to_be_hidden()


def test_ten_thousand_clips_are_few_cards_and_nodes_little_memory_and_all_reachable(site: Server, visit: Visit) -> None:
    shots = ("red", "green", "blue", "wide")
    cards = [card(f"shot-{at:04}", shot=shots[at % 4]) for at in range(10_000)]
    site.script.window = 200
    site.script.show(document(cards), [detail(cards[-1])])
    page = visit(site.origin)
    count = "() => document.querySelectorAll('*').length"
    expect(page.locator('.cell[data-id="shot-0000"]')).to_be_visible()
    assert [path for path in site.script.asked if path.startswith("/api/")] == ["/api/events"]
    assert page.evaluate(count) < 1200
    before = heap(page)
    for step in range(24):
        page.mouse.wheel(0, 2500 if step < 12 else 40_000)
        settled(page)
        assert page.evaluate(count) < 1400
        assert page.evaluate("() => Gallery.store.state.cards.size") <= 400
    assert heap(page) < before + 1_000_000
    visible = page.evaluate(
        "() => [...document.querySelectorAll('.cell')].filter(cell => {"
        " const box = cell.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; }).length"
    )
    assert visible >= 8
    page.wait_for_function(
        "() => [...document.querySelectorAll('.cell img')].filter(each => {"
        " const box = each.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; })"
        ".every(each => !each.hidden && each.naturalWidth > 0)"
    )
    page.keyboard.press("/")
    page.keyboard.type("shot-9999")
    expect(page.locator(".cell")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator('.cell[data-id="shot-9999"] a')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#clip-name")).to_have_text("shot-9999")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator('.cell[data-id="shot-9999"] a')).to_be_visible()


def test_a_picture_of_nearly_the_frames_shape_fills_it(site: Server, visit: Visit) -> None:
    """So 864 × 496, which is called 16:9, has no stripes; another shape keeps its own."""
    site.script.show(document([card("hero"), card("orbit"), card("wide", shot="wide", ratio="21:9")]))
    page = visit(site.origin)
    expect(page.locator('.cell[data-id="hero"] .poster')).to_have_css("object-fit", "cover")
    expect(page.locator('.cell[data-id="wide"] .poster')).to_have_js_property("complete", True)
    expect(page.locator('.cell[data-id="wide"] .poster')).to_have_css("object-fit", "contain")


def test_amounts_read_as_in_the_terminal(site: Server, visit: Visit) -> None:
    rows = yaml.safe_load((Path(__file__).parents[2] / "views" / "amounts.yaml").read_text(encoding="utf-8"))
    site.script.show(document([card("hero")]))
    texts = visit(site.origin).evaluate(
        "rows => rows.map(row => Gallery.format.money({...row, currency: 'USD'}))", rows
    )
    assert texts == [row["text"] for row in rows]
