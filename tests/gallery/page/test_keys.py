"""Every key of the page does what the help says of it; no key acts where a text is written."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.gallery.page.conftest import Visit
from tests.gallery.page.server import Server
from tests.gallery.page.values import card, detail, document, take

GRID = [
    ("j", "selected", "a"),
    ("j", "selected", "b"),
    ("ArrowRight", "selected", "c"),
    ("ArrowLeft", "selected", "b"),
    ("k", "selected", "a"),
    ("ArrowDown", "selected", "e"),
    ("ArrowUp", "selected", "a"),
    ("Space", "playing", ""),  # the keyboard on a card plays it; the key stops it
    ("Space", "playing", "a"),
    ("3", "posted", "pick"),
    ("r", "posted", "retake"),
    ("o", "posted", "open"),
    ("t", "theme", "light"),
    ("t", "theme", "dark"),
    ("t", "theme", "auto"),
    ("?", "dialog", "help"),
    ("Escape", "dialog", ""),
    ("a", "dialog", "confirm"),
    ("Escape", "dialog", ""),
    ("A", "dialog", "confirm"),
    ("Escape", "dialog", ""),
    ("x", "posted", "skip"),
    ("b", "view", "grid"),  # nothing is compared here
    ("/", "focus", "filter-text"),
    ("Escape", "focus", ""),
    ("Enter", "view", "clip"),
]
CLIP = [
    ("Space", "paused", "true"),
    ("ArrowRight", "time", "1"),
    ("ArrowLeft", "time", "0"),
    (".", "time", "0.0417"),
    (",", "time", "0"),
    ("c", "tiles", "1"),
    ("c", "tiles", "3"),
    ("2", "posted", "pick"),
    ("e", "posted", "prompt"),
    ("Escape", "editors", "0"),  # the text is as it was
    ("j", "clip", "b"),
    ("k", "clip", "a"),
    ("s", "view", "film"),
    ("g", "view", "grid"),
    ("Enter", "view", "clip"),
    ("Escape", "view", "grid"),
]
SEEN = """what => ({
    selected: () => document.querySelector('.cell.selected').dataset.id,
    playing: () => document.querySelector('.cell video')?.closest('.cell').dataset.id || '',
    theme: () => document.documentElement.dataset.theme,
    dialog: () => document.querySelector('dialog[open]')?.id || '',
    focus: () => document.activeElement.id,
    view: () => document.body.dataset.view,
    clip: () => document.getElementById('clip-name').textContent,
    paused: () => String(document.querySelector('.tile video').paused),
    time: () => String(Number(document.querySelector('.tile video').currentTime.toFixed(4))),
    editors: () => String(document.querySelectorAll('textarea').length),
    tiles: () => String(document.querySelectorAll('.tile').length),
})[what]()"""


def press(page: Page, site: Server, rows: list[tuple[str, str, str]]) -> None:
    for at, (key, what, wanted) in enumerate(rows):
        count = len(site.script.posts)
        page.keyboard.press(key)
        if what == "posted":
            expect(page.get_by_text(f"{wanted} is done.").last).to_be_visible()
            assert [name for name, _ in site.script.posts[count:]] == [wanted], (at, key)
        else:
            page.wait_for_function(f"([what, wanted]) => ({SEEN})(what) === wanted", arg=[what, wanted])


def seven(site: Server) -> None:
    first = card("a", "changed", "blue", takes=3)
    cards = [first, *(card(name, shot="green") for name in "bcdefg")]
    takes = [take(1, "blue"), take(2, "blue"), take(3, "blue")]
    session = {"spent": "0", "unpriced": 0, "currency": "USD", "cap": None, "offer": True}
    site.script.answers["prompt"] = (200, {"message": "prompt is done.", "file": "f", "text": "a lamp", "clips": 1})
    site.script.show(document(cards, session=session), [detail(first, takes), *(detail(each) for each in cards[1:])])


def test_every_key_in_the_grid(site: Server, visit: Visit) -> None:
    seven(site)
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(7)
    press(page, site, GRID)


def test_every_key_on_the_clip_page(site: Server, visit: Visit) -> None:
    seven(site)
    page = visit(f"{site.origin}/#/clip/a")
    page.wait_for_function("() => document.querySelector('.tile video')?.currentTime > 0")
    page.keyboard.press("Space")
    page.get_by_label("Time in the clip").fill("0")
    page.locator("#clip-name").focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => !document.querySelector('.tile video').paused")
    page.keyboard.press("Space")
    page.get_by_label("Time in the clip").fill("0")
    page.locator("#clip-name").focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => !document.querySelector('.tile video').paused")
    press(page, site, CLIP[:1])
    page.get_by_label("Time in the clip").fill("0")
    page.locator("#clip-name").focus()
    press(page, site, CLIP[1:])


def test_every_key_that_the_page_knows_is_pressed_here_and_in_its_help(site: Server, visit: Visit) -> None:
    seven(site)
    page = visit(site.origin)
    known = page.evaluate("() => Gallery.keys.table.flatMap(row => row.keys)")
    pressed = {"Space": " "}
    tried = {pressed.get(key, key) for key, _, _ in GRID + CLIP} | set("123456789")
    assert set(known) == tried
    page.get_by_role("button", name="Keyboard help").click()
    dialog = page.get_by_role("dialog", name="Keyboard")
    labels = page.evaluate("() => Gallery.keys.table.map(row => row.label).filter(Boolean)")
    expect(dialog.locator("dd")).to_have_count(len(labels))
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_keys_of_one_character_can_be_switched_off_and_stay_off(site: Server, visit: Visit) -> None:
    seven(site)
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(7)
    page.keyboard.press("?")
    page.get_by_label("Letters, digits and signs act without a modifier").uncheck()
    page.get_by_role("button", name="Close").click()
    for _ in range(2):
        page.locator(".cell a").first.focus()
        for key in "ra1Ax?":
            page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert site.script.posts == []
        page.keyboard.press("Enter")
        expect(page.locator("#view-clip")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#view-grid")).to_be_visible()
        page.reload()
        expect(page.locator(".cell")).to_have_count(7)
    page.get_by_role("button", name="Keyboard help").click()
    page.get_by_label("Letters, digits and signs act without a modifier").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_each_view_has_its_title_and_what_scrolls_can_be_reached(site: Server, visit: Visit) -> None:
    seven(site)
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(7)
    project = page.title()
    page.keyboard.press("s")
    expect(page).to_have_title(f"Storyboard · {project}")
    page.keyboard.press("g")
    expect(page).to_have_title(project)
    page.locator(".cell a").first.focus()
    page.keyboard.press("Enter")
    expect(page).not_to_have_title(project)
    assert page.title().endswith(f" · {project}")


def test_keys_are_texts_in_a_field_and_the_browsers_own_with_a_modifier(site: Server, visit: Visit) -> None:
    seven(site)
    page = visit(site.origin)
    expect(page.locator(".cell")).to_have_count(7)
    page.keyboard.press("/")
    page.keyboard.type("a1r?A")
    expect(page.locator("#filter-text")).to_have_value("a1r?A")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+a")
    page.keyboard.press("Alt+r")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert site.script.posts == []
