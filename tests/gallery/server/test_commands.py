"""The real commands with a page open: an edit is seen, a click is carried out, and nothing is paid for by accident."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from reconciler.cli.app import main
from reconciler.clock import SystemClock
from reconciler.project.workspace import Workspace
from reconciler.state.budget import NewAttempt
from reconciler.state.lock import Lock
from reconciler.state.store import Store
from tests.emulator.process import Emulator, emulator
from tests.gallery.server.kit import Browser
from tests.watch.conftest import DRAFTS, PAID, edit, paid, project, tasks, vendor
from tests.watch.terminal import Talk, on_pipes, on_terminal

__all__ = ["paid", "vendor"]

TWO = DRAFTS.replace("{prompt: mist at sunrise}", "{prompt: mist at sunrise, takes: 2}")


@contextmanager
def shown(folder: Path, *arguments: str, name: str = "ui") -> Iterator[tuple[Talk, Browser]]:
    """The command without a terminal, and a browser at its address."""
    with (
        on_pipes(folder, *arguments, "--no-open", "--port", "0", name=name) as talk,
        Browser(talk.event(event="listening")["url"]) as browser,
    ):
        yield talk, browser


def test_an_edit_is_seen_and_only_what_is_clicked_is_made(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", TWO)
    with shown(folder) as (talk, browser), browser.events() as events:
        events.state("sun", "new")
        assert browser.apply("sun").status_code == 200
        events.until(lambda name, data: name == "progress" and data["running"]["phase"] == "running")
        assert events.message("done")["summary"]["exit_code"] == 0
        card = events.state("sun", "ready")
        assert browser.get(f"/{card['shown']['video']}").content == (folder / "renders/sun.mp4").read_bytes()
        edit(folder, "mist at", "fog at")
        assert events.state("sun", "changed")["shown"] == card["shown"]
        assert browser.json("/api/clips/sun")["changes"][0]["words"][0] == ["-", "mist"]
        talk.child.send_signal(signal.SIGTERM)
        assert talk.end() == 130
    assert talk.said.count('"event": "started"') == 1  # the edit made nothing by itself


def test_pick_and_retake_change_the_yaml_and_the_page_shows_it(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", TWO)
    with shown(folder) as (_, browser), browser.events() as events:
        events.state("sun", "new")
        assert browser.post("pick", clip="sun", take=2).status_code == 200
        events.holds(lambda: events.cards["sun"]["pick"] == 2)
        assert "pick: 2" in (folder / "clipform.yaml").read_text()
        assert browser.apply("sun").status_code == 200
        events.state("sun", "ready")
        assert browser.post("retake", clip="sun").status_code == 200
        events.state("sun", "changed")
        assert "retake: 1" in (folder / "clipform.yaml").read_text()


def test_a_watch_with_a_page_makes_drafts_at_once_and_every_page_sees_it(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with shown(folder, "--ui", name="watch") as (_, browser), ExitStack() as open_pages:
        pages = [open_pages.enter_context(browser.events()) for _ in range(2)]
        for page in pages:
            page.state("sun", "ready")
        edit(folder, "mist at", "fog at")
        for page in pages:
            page.state("sun", "changed")
            page.state("sun", "ready")
            assert page.cards["sun"]["prompt"] == "fog at sunrise"


def test_a_broken_spec_is_shown_beside_the_cards_and_nothing_is_applied(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS.replace("prompt: mist", "promt: mist"))
    with shown(folder) as (_, browser), browser.events() as events:
        events.holds(lambda: bool(events.head.get("diagnostics")))
        assert events.cards == {} and events.head["stale"] is True
        edit(folder, "promt: mist", "prompt: mist")
        events.state("sun", "new")
        seen = browser.document()
        edit(folder, "prompt: mist", "promt: mist")
        events.holds(lambda: events.head["stale"])
        assert events.cards["sun"]["state"] == "new"
        free = {name: seen["cost"][name] for name in ("amount", "currency")}
        assert browser.post("apply", clips=["sun"], revision=seen["revision"], cost=free).status_code == 409
    assert not (folder / "renders").exists()


def test_a_click_pays_once_for_what_was_on_the_button(paid: Path, vendor: Emulator) -> None:
    before = tasks(vendor)
    with shown(paid) as (talk, browser), browser.events() as events:
        card = events.state("hero", "new")
        assert card["apply"] == {
            "amount": "0.50",
            "currency": "USD",
            "unpriced": 0,
            "least": None,
            "steps": 1,
            "expected": None,
            "with": [],
        }
        answers = [browser.apply("hero").status_code for _ in range(3)]  # a finger that trembles
        events.state("hero", "ready")
        assert answers == [200, 409, 409]
        assert tasks(vendor) == before + 1
        events.meter(spent="0.50")
        seen = browser.document()["revision"]
        edit(paid, "a lamp", "a torch")
        events.state("hero", "changed")
        assert browser.apply("hero", revision=seen).json()["error"]["code"] == "stale"
        talk.child.send_signal(signal.SIGINT)
        assert talk.end() == 130
    assert tasks(vendor) == before + 1
    written = b"".join(path.read_bytes() for path in paid.rglob("*") if path.is_file())
    assert browser.token.encode() not in written
    assert f"key-of-{paid.parent.name}".encode() not in written
    assert talk.said.count(browser.token) == 1  # the address itself
    assert f"key-of-{paid.parent.name}" not in talk.said


def test_the_terminal_beside_the_page_shows_each_new_plan(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with on_terminal(folder, "--no-open", "--port", "0", name="ui") as screen:
        url = screen.until(r"Gallery: (\S+)\n")[1]
        screen.until(r"create +sun .*\[a\] apply")
        with Browser(url) as browser, browser.events() as events:
            events.state("sun", "new")
            assert browser.apply("sun").status_code == 200
            screen.until(r"sun: made .*Nothing to do: 1 clip up to date.*Watching\. \[q\] quit\n")
            assert (
                browser.post("rewrite", clip="sun", before="mist at sunrise", text="fog at sunrise").status_code == 200
            )
            screen.until(r"replace +sun .*\[-mist-\]\{\+fog\+\}.*\[a\] apply")
        screen.press("q")
        assert screen.end() == 0


def test_a_page_and_a_terminal_are_one_session(paid: Path, vendor: Emulator) -> None:
    before = tasks(vendor)
    with on_terminal(paid, "--ui", "--no-open", "--port", "0") as screen:
        url = screen.until(r"Gallery: (\S+)\n")[1]
        screen.until(r"create +hero .*Waiting: 1 clip, 0.50 USD. \[a\] apply")
        with Browser(url) as browser, browser.events() as events:
            events.state("hero", "new")
            screen.press("a")
            events.state("hero", "ready")
            screen.until(r"hero: made renders/hero.mp4.*Session: 0.50 USD. Watching\. \[q\] quit\n")
            edit(paid, "a lamp", "a torch")
            screen.until(r"replace +hero .*Session: 0.50 USD. Waiting: 1 clip, 0.50 USD")
            events.state("hero", "changed")
            events.meter(spent="0.50", offer=True)
            assert browser.post("skip").status_code == 200
            screen.until(r"Skipped")
            events.meter(offer=False)
            assert browser.apply("hero").status_code == 200
            screen.until(r"hero: made renders/hero.mp4.*Session: 1.00 USD. Watching\. \[q\] quit\n")
            events.meter(spent="1")
        screen.press("q")
        assert screen.end() == 0
        assert screen.is_sane()
    assert tasks(vendor) == before + 2


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Emulator]]:
    """A vendor that takes for ever, until it is another one."""
    monkeypatch.setenv("ARK_API_KEY", "key")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with emulator("--latency", "600", "--no-render", cwd=tmp_path) as running:
        yield project(tmp_path / "project", PAID.replace("URL", running.api)), running


def test_stop_leaves_the_task_running_and_the_page_open(slow: tuple[Path, Emulator]) -> None:
    folder, vendor = slow
    with shown(folder) as (talk, browser), browser.events() as events:
        events.state("hero", "new")
        assert browser.post("stop").json() == {"message": "Nothing is running."}
        assert browser.apply("hero").status_code == 200
        events.until(lambda name, data: name == "progress" and data["running"]["phase"] == "submitted")
        assert browser.post("stop").json() == {"message": "Stopping."}
        assert events.message("done")["summary"]["interrupted"] is True
        card = events.until(lambda name, data: name == "document" and events.cards["hero"]["running"] is None)
        assert events.state("hero", "running")["action"] == "resume" and card["head"]["run"] is None
        assert tasks(vendor) == 1
        assert browser.apply("hero", cost=None).status_code == 200  # to wait for it again, which costs nothing more
        events.until(lambda name, data: name == "progress")
        talk.child.send_signal(signal.SIGINT)
        assert talk.end() == 130
    assert tasks(vendor) == 1


def test_what_is_saved_while_a_run_goes_on_is_on_the_page(slow: tuple[Path, Emulator]) -> None:
    folder, vendor = slow
    with shown(folder) as (_, browser), browser.events() as events:
        events.state("hero", "new")
        assert browser.apply("hero").status_code == 200
        events.until(lambda name, data: name == "progress" and data["running"]["phase"] == "submitted")
        assert browser.post("retake", clip="hero").status_code == 200
        events.holds(lambda: events.cards["hero"]["action"] == "create")
        assert "retake: 1" in (folder / "clipform.yaml").read_text()
        edit(folder, "retake: 1, ", "")
        events.holds(lambda: events.cards["hero"]["action"] == "resume")
        edit(folder, "prompt: a lamp", "promt: a lamp")
        events.holds(lambda: events.head["stale"])
        edit(folder, "promt: a lamp", "prompt: a lamp")
        events.holds(lambda: not events.head["stale"])
        assert events.cards["hero"]["state"] == "running" and tasks(vendor) == 1


def test_ctrl_c_ends_it_with_pages_open_and_tells_them(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with shown(folder) as (talk, browser), ExitStack() as open_pages:
        pages = [open_pages.enter_context(browser.events()) for _ in range(3)]
        for page in pages:
            page.state("sun", "new")
        talk.child.send_signal(signal.SIGINT)
        assert talk.end() == 130
        for page in pages:
            assert not any("error" in line for line in page.lines)  # and the stream is over
    assert "Traceback" not in talk.said


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with shown(folder) as (_, browser), on_pipes(folder, "--port", str(browser.port), name="ui") as second:
        second.until("cannot be used")
        assert second.end() == 1


def test_what_another_process_makes_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with shown(folder) as (_, browser), browser.events() as events:
        events.state("sun", "new")
        assert main(["-C", str(folder), "--json", "apply", "--yes"]) == 0
        card = events.state("sun", "ready")
        assert browser.get(f"/{card['shown']['video']}").status_code == 200


def test_a_process_that_dies_while_it_sends_is_seen_though_no_file_changes(paid: Path, vendor: Emulator) -> None:
    clock = SystemClock()
    order = Workspace(paid, clock, os.environ).load().orders[0]
    clip, state = order.clip.name, paid / "state"
    new = NewAttempt(
        "m",
        key=order.wanted.key,
        clip=clip,
        take=1,
        provider=order.clip.spec.provider,
        kind=order.wanted.kind,
        model=order.wanted.model,
    )
    with shown(paid) as (_, browser), browser.events() as events:
        events.state(clip, "new")
        with Lock(state, "apply", clock.now), Store.open(state, clock.now) as store:
            store.begin(new)
            events.state(clip, "running")
        events.state(clip, "blocked")
