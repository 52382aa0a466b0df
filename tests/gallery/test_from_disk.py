"""The page as a report: static files, opened from disk, with everything to look at and nothing to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.gallery.conftest import Visit
from tests.gallery.server import ASSETS
from tests.gallery.values import card, detail, document, take


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
