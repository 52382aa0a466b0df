"""The real command and a vendor that takes its time: what is paid for stays paid for, and nothing else is."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.in_process import clipform
from tests.emulator.process import Emulator, emulator
from tests.watch.conftest import edit, tasks
from tests.watch.terminal import on_pipes, on_terminal


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Each task takes long enough for an edit or a signal to come in between."""
    with emulator("--latency", "1.5", "--no-render", cwd=tmp_path_factory.mktemp("emulator")) as running:
        yield running


def made(folder: Path) -> list[tuple[str, str]]:
    """State and prompt's end of every attempt, oldest first."""
    with sqlite3.connect(folder / "state/clipform.db") as state:
        return [tuple(row) for row in state.execute("SELECT state, key FROM attempt ORDER BY id")]


def test_an_edit_under_a_running_task_lets_it_finish_and_keeps_its_result(paid: Path, vendor: Emulator) -> None:
    before = tasks(vendor)
    with on_terminal(paid) as screen:
        screen.until(r"create +hero .*Waiting: 1 clip, 0.50 USD. \[a\] apply")
        screen.press("a")
        screen.until(r"hero +(queued|running)")
        edit(paid, "a lamp", "a torch")
        screen.until(r"hero: made renders/hero.mp4")
        screen.until(r"replace +hero .*Session: 0.50 USD. Waiting: 1 clip, 0.50 USD")
        assert tasks(vendor) == before + 1
        edit(paid, "a torch", "a lamp")  # its result was kept under its own key
        screen.until(r"Nothing to do.*Session: 0.50 USD. Watching\. \[q\] quit\n")
        screen.press("q")
        assert screen.end() == 0
    assert tasks(vendor) == before + 1
    assert [state for state, _ in made(paid)] == ["done"]


def test_a_state_folder_that_vanishes_is_not_begun_again(paid: Path, vendor: Emulator) -> None:
    before = tasks(vendor)
    with on_terminal(paid) as screen:
        screen.until(r"create +hero .*\[a\] apply")
        screen.press("a")
        screen.until(r"hero: made .*Watching\. \[q\] quit\n")
        (paid / "state").rename(paid / "elsewhere")
        edit(paid, "a lamp", "a torch")
        screen.until("the state folder is gone")
        screen.press("a")
        screen.until("the state folder is gone")
        assert not (paid / "state").exists()
        (paid / "elsewhere").rename(paid / "state")
        edit(paid, "a torch", "a fire")
        screen.until(r"replace +hero .*\[a\] apply")
        screen.press("q")
        assert screen.end() == 0
    assert tasks(vendor) == before + 1


@pytest.mark.parametrize("name", ["state", "state/clipform.db"])
def test_another_state_in_its_place_buys_nothing(paid: Path, vendor: Emulator, name: str) -> None:
    """A copy from before the purchase, which does not know of it."""
    before = tasks(vendor)
    assert clipform(paid, "plan", "--out", "saved.plan").returncode == 0
    shutil.copytree(paid / "state", paid / "copies/state")
    with on_terminal(paid) as screen:
        screen.until(r"create +hero .*\[a\] apply")
        screen.press("a")
        screen.until(r"hero: made .*Watching\. \[q\] quit\n")
        (paid / name).rename(paid / "elsewhere")
        (paid / "copies" / name).rename(paid / name)
        edit(paid, "a lamp", "a torch")
        screen.until("another state is where this session's was")
        screen.press("a")
        screen.until("another state is where this session's was")
        assert tasks(vendor) == before + 1
        screen.press("q")
        assert screen.end() == 0
    assert tasks(vendor) == before + 1


def test_a_spec_that_breaks_under_a_running_task_costs_nothing(paid: Path, vendor: Emulator) -> None:
    before = tasks(vendor)
    with on_pipes(paid, "--yes", "--max-cost", "0.50") as talk:
        talk.event(event="submitted")
        edit(paid, "prompt", "promt")
        talk.event(event="succeeded", clip="hero")
        talk.until(r"unknown key 'promt'[^\n]*\n")
        edit(paid, "promt", "prompt")
        assert talk.event(event="meter")["spent"] == {"amount": "0.50", "unpriced": 0}
        talk.child.send_signal(signal.SIGTERM)
        assert talk.end() == 130
    assert tasks(vendor) == before + 1


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_under_a_running_task_leaves_it_and_the_next_watch_collects_it(
    paid: Path, vendor: Emulator, times: int
) -> None:
    before = tasks(vendor)
    with on_terminal(paid, "--yes", "--max-cost", "1") as screen:
        screen.until(r"hero +(queued|running)")
        screen.press("\x03" * times)
        assert screen.end() == 130
        assert screen.is_sane()
        assert "Traceback" not in screen.said
        assert times == 2 or "To continue, run:" in screen.said  # how to go on
    assert tasks(vendor) == before + 1
    with on_terminal(paid, "--yes") as screen:
        screen.until(r"resume +hero .*hero: finished renders/hero.mp4.*Nothing to do.*Watching\. \[q\] quit\n")
        screen.press("q")
        assert screen.end() == 0
    assert tasks(vendor) == before + 1


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("per_clip: 0.50", "per_clip: 0.90", "0.90 USD"),
        ("currency: USD", "currency: EUR", "0.50 EUR"),
        ("a lamp", "a torch", "0.50 USD"),
        ("/ark\n", "/ark/elsewhere\n", "0.50 USD"),
    ],
    ids=["its price", "its currency", "its prompt", "its address"],
)
def test_a_key_pressed_while_an_edit_comes_in_buys_nothing(
    paid: Path, vendor: Emulator, old: str, new: str, shown: str
) -> None:
    """The process is held, so that both are there when it wakes: whichever it meets first."""
    before = tasks(vendor)
    with on_terminal(paid) as screen:
        screen.until(r"create +hero .*Waiting: 1 clip, 0.50 USD. \[a\] apply")
        os.kill(screen.child.pid, signal.SIGSTOP)
        edit(paid, old, new)
        screen.press("a")
        os.kill(screen.child.pid, signal.SIGCONT)
        screen.until(rf"create +hero .*Waiting: 1 clip, {shown}. \[a\] apply")
        screen.press("s")
        screen.until("Skipped")
        assert tasks(vendor) == before
        screen.press("q")
        assert screen.end() == 0
    assert tasks(vendor) == before


def test_what_is_written_beside_the_specs_starts_nothing(paid: Path, vendor: Emulator) -> None:
    with on_pipes(paid) as talk:
        talk.event(event="meter")
        said = len(talk.said)
        for name in (
            "state/cache/posters/a.jpg",
            "drafts/renders/hero.mp4",
            "report/index.html",
            "first.plan",
            "x.log",
        ):
            (paid / name).parent.mkdir(parents=True, exist_ok=True)
            (paid / name).write_bytes(b"x")
        (paid / "clipform.lock").write_text('{\n  "version": 1\n}\n', encoding="utf-8")
        edit(paid, "a lamp", "a torch")
        talk.event(event="meter")
        talk.child.send_signal(signal.SIGTERM)
        assert talk.end() == 130
    assert talk.said[said:].count('"actions"') == 1  # the edit's own
    assert '"error"' not in talk.said
