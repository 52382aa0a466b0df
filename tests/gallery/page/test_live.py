"""The page and the real `clipform ui` and `clipform watch --ui`: what is edited is seen, what is clicked is done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.emulator.process import Emulator
from tests.gallery.page.conftest import Visit, Watcher
from tests.program.start import run
from tests.watch.conftest import DRAFTS, edit, paid, project, tasks, vendor
from tests.watch.terminal import Talk, on_pipes

__all__ = ["paid", "vendor"]

TWO = DRAFTS.replace(
    "{prompt: mist at sunrise}", "{prompt: mist at sunrise, takes: 2}\n  moon: {prompt: the moon rises}"
)


@contextmanager
def gallery(folder: Path, visit: Visit, *arguments: str, name: str = "ui") -> Iterator[tuple[Page, Talk]]:
    """A page that looks at a running command."""
    with on_pipes(folder, *arguments, "--no-open", "--port", "0", name=name) as talk:
        page = visit(str(talk.event(event="listening")["url"]))
        expect(page.locator("#connection")).to_have_text("live")
        yield page, talk
        page.close()


def clipform(folder: Path, *arguments: str) -> None:
    """A command in a process of its own: the browser's driver has this one's event loop."""
    run(["-C", str(folder), *arguments])


def card(page: Page, name: str, state: str) -> None:
    """A clip's card, as soon as it has this state."""
    expect(page.locator(f'.cell[data-id="{name}"] .state')).to_have_text(state)


def test_edit_apply_retake_pick_play_and_break_without_a_reload(tmp_path: Path, visit: Visit) -> None:
    folder = project(tmp_path / "p", TWO)
    with gallery(folder, visit) as (page, _):
        card(page, "sun", "new")
        page.get_by_role("button", name="Apply all · free").click()
        page.get_by_role("dialog").get_by_role("button", name="Apply · free").click()
        card(page, "sun", "ready")
        card(page, "moon", "ready")
        poster = page.locator('.cell[data-id="moon"] img')
        expect(poster).to_have_js_property("complete", True)
        page.wait_for_function("() => document.querySelector('.cell[data-id=moon] img').naturalWidth > 0")
        page.locator('.cell[data-id="moon"]').hover()
        expect(page.locator(".cell video.on")).to_have_count(1)

        edit(folder, "the moon rises", "the moon sets slowly")
        card(page, "moon", "changed")
        page.locator('.cell[data-id="moon"] a').click()
        expect(page.locator(".prompt ins")).to_contain_text("sets slowly")
        page.keyboard.press("Escape")

        page.locator('.cell[data-id="sun"] a').click()
        page.wait_for_function("() => document.querySelectorAll('.tile video').length === 2")
        page.get_by_role("button", name="Pick take 2").click()
        expect(page.locator(".tile.picked")).to_contain_text("Take 2")
        assert "pick: 2" in (folder / "clipform.yaml").read_text()
        page.keyboard.press("r")
        expect(page.locator(".clip-title .state")).to_have_text("changed")
        assert "retake: 1" in (folder / "clipform.yaml").read_text()

        edit(folder, "prompt: the moon", "promt: the moon")
        expect(page.get_by_role("region", name="Problems")).to_contain_text("unknown key 'promt'")
        edit(folder, "promt: the moon", "prompt: the moon")
        expect(page.get_by_role("region", name="Problems")).not_to_contain_text("unknown key")
        assert page.evaluate("() => performance.getEntriesByType('navigation').length") == 1


def test_the_films_seconds_are_those_of_the_files(tmp_path: Path, visit: Visit) -> None:
    folder = project(tmp_path / "p", TWO)
    clipform(folder, "apply", "--yes", "sun")
    with gallery(folder, visit) as (page, _):
        card(page, "sun", "ready")
        page.keyboard.press("s")
        expect(page.locator("#film-sum")).to_have_text("2 clips, 0:02, 1 not generated yet")
        page.keyboard.press("Space")
        expect(page.locator(".slate-title")).to_have_text("moon")
        page.wait_for_function("() => document.querySelector('.film-controls .scrub').value === '2'")
        expect(page.get_by_label("Play the film")).to_be_visible()


def test_a_paid_clip_is_bought_once_at_the_price_in_the_button(paid: Path, vendor: Emulator, visit: Visit) -> None:
    before = tasks(vendor)
    with gallery(paid, visit) as (page, _):
        card(page, "hero", "new")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.get_by_role("article", name="hero").get_by_role("button", name="Apply · 0.50 USD").click()
        dialog = page.get_by_role("dialog", name="Apply hero?")
        expect(dialog).to_contain_text("Maximum cost")
        dialog.get_by_role("button", name="Cancel").click()
        assert tasks(vendor) == before
        page.keyboard.press("a")
        dialog.get_by_role("button", name="Apply · 0.50 USD").dblclick()
        expect(page.locator(".clip-title .state")).to_have_text("ready")
        expect(page.locator("#session")).to_contain_text("0.50 USD")
        expect(page.get_by_role("complementary", name="Facts")).to_contain_text("cgt-")
        page.keyboard.press("Escape")
        card(page, "hero", "ready")
    assert tasks(vendor) == before + 1


def test_drafts_of_a_watch_appear_as_they_are_made(tmp_path: Path, visit: Visit) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with gallery(folder, visit, "--ui", name="watch") as (page, _):
        card(page, "sun", "ready")
        shown = page.locator('.cell[data-id="sun"] img').get_attribute("src")
        edit(folder, "mist at", "fog over the harbour at")
        page.wait_for_function(
            "before => document.querySelector('.cell[data-id=sun] img').getAttribute('src') !== before", arg=shown
        )
        card(page, "sun", "ready")


def test_a_command_that_ends_is_said_on_the_page(tmp_path: Path, visit: Visit, watcher: Watcher) -> None:
    watcher.allow("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    folder = project(tmp_path / "p", DRAFTS)
    with gallery(folder, visit) as (page, talk):
        card(page, "sun", "new")
        talk.child.send_signal(signal.SIGTERM)
        assert talk.end() == 130
        expect(page.locator("#connection")).to_have_text("reconnecting")
        expect(page.locator("#apply-all")).to_be_disabled()


def test_a_report_of_a_real_project_opens_from_disk(tmp_path: Path, visit: Visit) -> None:
    folder = project(tmp_path / "p", TWO)
    clipform(folder, "apply", "--yes", "sun")
    clipform(folder, "report", "--out", str(tmp_path / "out"))
    page = visit((tmp_path / "out/index.html").as_uri())
    card(page, "sun", "ready")
    card(page, "moon", "new")
    page.wait_for_function("() => document.querySelector('.cell[data-id=sun] img').naturalWidth > 0")
    page.locator('.cell[data-id="sun"] a').click()
    expect(page.locator(".tile video")).to_have_count(2)
    page.wait_for_function("() => document.querySelector('.tile video').currentTime > 0")
    expect(page.get_by_role("button", name="Retake")).to_have_count(0)
