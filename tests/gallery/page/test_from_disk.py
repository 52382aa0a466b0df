"""The page as a report: static files, opened from disk, with everything to look at and nothing to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.gallery.page.axe import violations
from tests.gallery.page.conftest import Visit
from tests.gallery.page.server import ASSETS
from tests.gallery.page.values import card, detail, document, estimate, take, usd


@pytest.fixture
def report(tmp_path: Path, videos: Path) -> Path:
    """As `clipform report` lays it out."""
    folder = tmp_path / "a report #1 100%"
    shutil.copytree(ASSETS, folder / "assets")
    shutil.copytree(videos, folder / "media")
    page = (ASSETS / "page.html").read_text(encoding="utf-8")
    assert "<!-- clipform:data -->" in page
    (folder / "index.html").write_text(page.replace("<!-- clipform:data -->", '<script src="data.js"></script>'))
    cards = [card("hero", takes=2, used_by=["__proto__"]), card("__proto__", shot="green", needs=["hero"])]
    whole = document(cards, live=False, session=None)
    details = {"hero": detail(cards[0], [take(1), take(2, "blue")]), "__proto__": detail(cards[1])}
    data = json.dumps(json.dumps({"document": whole, "details": details}))
    (folder / "data.js").write_text(f"window.CLIPFORM = JSON.parse({data});\n")
    return folder / "index.html"


def test_a_report_opens_from_disk_and_shows_every_view(report: Path, visit: Visit) -> None:
    page = visit(report.as_uri())
    expect(page.locator(".cell")).to_have_count(2)
    expect(page.locator("#connection")).to_have_text("report of 25 Nov 2026, 14:30")
    page.locator('.cell[data-id="hero"]').hover()
    expect(page.locator(".cell video.on")).to_have_count(1)
    page.keyboard.press("s")
    expect(page.locator(".shot")).to_have_count(2)
    page.keyboard.press("Space")
    expect(page.locator(".shot.on")).to_have_attribute("data-id", "__proto__")
    page.keyboard.press("Enter")
    page.evaluate("() => { location.hash = '#/clip/hero'; }")
    expect(page.locator(".tile")).to_have_count(2)
    page.locator(".links").get_by_role("link", name="__proto__").click()
    expect(page.locator(".prompt")).to_contain_text("__proto__ on a marble table")


def test_a_report_offers_nothing_that_it_cannot_do(report: Path, visit: Visit) -> None:
    page = visit(f"{report.as_uri()}#/clip/hero")
    expect(page.locator(".tile")).to_have_count(2)
    for name in ("Apply", "Retake", "Open YAML", "Pick take 2", "Skip", "Stop"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    for key in ("a", "A", "r", "o", "2", "x"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".message")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).not_to_contain_text("Retake")


@pytest.fixture
def compared(report: Path) -> Path:
    """As `clipform report --since main` adds to it."""
    words = [["=", "slow "], ["-", "push-in"], ["+", "pull-out"]]
    was = {
        "prompt": "slow push-in",
        "facts": [],
        "output": "renders/a.mp4",
        "pick": 1,
        "cost": None,
        "note": "",
        "pieces": [],
    }
    edits = [
        {"field": "prompt", "before": "slow push-in", "after": "slow pull-out", "words": words},
        {"field": "duration", "before": "1", "after": "2", "words": None},
    ]
    cards = [
        card("kept", since="same"),
        card("hero", shot="blue", since="changed"),
        card("fresh", shot="green", since="added"),
        card("old", "undeclared", "wide", since="removed", file=None),
    ]
    befores = [was | {"changes": []}, was | {"shown": cards[0]["shown"], "changes": edits}, None, was | {"changes": []}]
    details = {str(c["id"]): detail(c, before=b) for c, b in zip(cards, befores, strict=True)}
    details["kept"]["before"] = details["old"]["before"] = was | {"shown": cards[3]["shown"], "changes": []}
    since = {"kind": "revision", "label": "main~3", "commit": "9a0d4f8" * 5, "time": "2026-11-20T10:00:00Z"}
    counts = {"same": 1, "changed": 1, "added": 1, "removed": 1}
    whole = document(cards, live=False, session=None, since=since | counts)
    data = json.dumps(json.dumps({"document": whole, "details": details}))
    (report.parent / "data.js").write_text(f"window.CLIPFORM = JSON.parse({data});\n")
    return report


def test_a_changed_clip_that_is_not_made_has_a_price_and_no_video_after(report: Path, visit: Visit) -> None:
    """Its card still shows the old video, which must not play as the new version."""
    due = {"amount": "1.50", "currency": "USD", "unpriced": 0, "least": "0.90"}
    hero = card("hero", "changed", "blue", since="changed", takes=3, due=due, estimate=estimate("0.50", "0.30"))
    before = {"shown": hero["shown"], "prompt": "a lamp", "facts": [], "changes": [], "output": "renders/hero.mp4"}
    takes = [take(number, None, state="changed") for number in (1, 2, 3)]
    about = detail(hero, takes, before=before | {"pick": 1, "cost": usd("0.50"), "note": "", "pieces": []})
    since = {"kind": "revision", "label": "main", "commit": "9a0d4f8" * 5, "time": "2026-11-20T10:00:00Z"}
    counts = {"same": 0, "changed": 1, "added": 0, "removed": 0}
    whole = document([hero], live=False, session=None, since=since | counts)
    data = json.dumps(json.dumps({"document": whole, "details": {"hero": about}}))
    (report.parent / "data.js").write_text(f"window.CLIPFORM = JSON.parse({data});\n")
    page = visit(f"{report.as_uri()}#/changes")
    tiles = page.locator(".change .tile")
    expect(tiles).to_have_text(["Before0.50 USD", "not made yetAfter0.90–1.50 USD"])
    expect(tiles.nth(1).locator("video")).to_have_count(0)
    page.evaluate("() => { location.hash = '#/clip/hero'; }")
    page.get_by_role("button", name="Before / after").click()
    expect(page.locator(".clip .tile video")).to_have_count(1)
    expect(page.locator(".clip .tile").nth(1)).to_contain_text("0.90–1.50 USD")


def test_a_report_that_compares_shows_each_difference_side_by_side(compared: Path, visit: Visit) -> None:
    page = visit(compared.as_uri())
    expect(page).to_have_title("Before and after · aurora")  # it opens there
    expect(page.get_by_role("heading", name="Since main~3")).to_be_visible()
    expect(page.get_by_text("1 clip changed, 1 clip added, 1 clip removed, 1 clip the same")).to_be_visible()
    expect(page.locator(".change")).to_have_count(3)
    hero = page.locator('.change[data-id="hero"]')
    expect(hero.locator(".tile strong")).to_have_text(["Before", "After"])
    expect(hero.locator("del")).to_have_text(["push-in", "1"])
    expect(hero.locator("ins")).to_have_text(["pull-out", "2"])
    page.wait_for_function("() => document.querySelector('.change video').currentTime > 0.1")
    page.get_by_label("Pause hero").click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # from a table
        assert violations(page) == []
    page.get_by_label("Time in hero").fill("0.5")
    assert hero.locator("video").evaluate_all("all => all.map(each => each.currentTime)") == [0.5, 0.5]
    for name, title in (("fresh", "New"), ("old", "Before")):
        page.keyboard.press("j")
        expect(page.locator(f'.change[data-id="{name}"] .tile strong')).to_have_text([title])
    page.locator('.change[data-id="hero"] h3 a').click()
    clip = page.get_by_role("article", name="hero")
    expect(clip.locator(".tile strong")).to_have_text(["Before: main~3", "After"])
    expect(clip.locator(".prompt ins")).to_have_text("pull-out")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Since main~3")).to_be_visible()
    expect(page.locator('.change[data-id="hero"]')).to_be_in_viewport()
    page.keyboard.press("g")
    expect(page.locator(".cell")).to_have_count(4)
    page.keyboard.press("b")
    expect(page.locator(".change")).to_have_count(3)
