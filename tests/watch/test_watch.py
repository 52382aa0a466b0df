"""The real command: an edit is seen, drafts are made, nothing is paid for by accident, and the terminal stays sane."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.cli.app import main
from reconciler.clock import SystemClock
from reconciler.engine.run.session import open_session
from reconciler.project.workspace import Workspace
from tests.emulator.process import Emulator
from tests.watch.conftest import DRAFTS, edit, project, tasks
from tests.watch.terminal import on_pipes, on_terminal


def test_an_edit_is_planned_drafted_and_shown_once(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with on_terminal(folder, real=True) as screen:
        screen.until(
            r"create +sun .*sun: made renders/sun.mp4.*Nothing to do: 1 clip up to date.*Watching\. \[q\] quit\n"
        )
        edit(folder, "mist at", "fog at")
        screen.until(
            r"replace +sun .*\[-mist-\]\{\+fog\+\}.*sun: made renders/sun.mp4.*Nothing to do.*Watching\. \[q\] quit\n"
        )
        (folder / "clips/sea.yaml").write_text("clips: {sea: {prompt: waves}}")  # by its glob
        screen.until(r"create +sea .*sea: made renders/sea.mp4.*Nothing to do: 2 clips.*Watching\. \[q\] quit\n")
        screen.press("q")
        assert screen.end() == 0
        assert screen.is_sane()
    assert screen.said.count("Plan: ") == 3  # one for each edit and one at the start: our own writes are no edits
    assert screen.said.count("Nothing to do") == 3


def test_a_broken_spec_is_told_what_was_good_stays_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with on_terminal(folder) as screen:
        screen.until(r"sun: made .*Nothing to do.*Watching\. \[q\] quit\n")
        edit(folder, "prompt: mist", "promt: mist")
        screen.until(r"clipform.yaml:5:\d+: error: .*promt.*Watching\. \[q\] quit\n")
        screen.press("a")  # no plan to be had
        screen.until(r"clipform.yaml:5:\d+: error: .*promt.*Watching\. \[q\] quit\n")
        edit(folder, "promt: mist", "prompt: mist")
        screen.until(r"Fixed. There is nothing to apply.*Watching\. \[q\] quit\n")
        edit(folder, "mist at", "rain at")
        screen.until(r"replace +sun .*sun: made renders/sun.mp4.*Watching\. \[q\] quit\n")
        assert not screen.is_sane()  # it listens to single keys
        screen.press("\x03")
        assert screen.end() == 130
        assert screen.is_sane()


def test_ctrl_c_in_the_middle_of_a_draft_leaves_it_for_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path / "p", DRAFTS.replace("duration: 1", "duration: 60"))
    with on_terminal(folder) as screen:
        screen.until("running")
        screen.press("\x03")
        assert screen.end() == 130
        assert screen.is_sane()
    end = screen.said[screen.said.index("skipped") :]
    assert "sun: interrupted; the next apply draws it again" in end and "Interrupted" in end
    assert not [words for words in ("provider", "up to", "left running", "Traceback") if words in end]
    capsys.readouterr()
    assert [main(["-C", str(folder), "status"]), main(["-C", str(folder), "plan"])] == [0, 0]
    status, _, plan = capsys.readouterr().out.partition("* resume")
    assert "interrupted" in status and "running" not in status
    assert "sun  interrupted; the next apply draws it again" in plan and "up to free" not in plan


def test_money_is_spent_on_a_key_and_on_nothing_else(paid: Path, vendor: Emulator) -> None:
    before = tasks(vendor)
    with on_terminal(paid) as screen:
        screen.press("a")  # before there is a plan to say yes to
        screen.until(r"create +hero .*Waiting: 1 clip, 0.50 USD. \[a\] apply")
        edit(paid, "a lamp", "a torch")
        screen.until(r"create +hero .*Waiting: 1 clip, 0.50 USD. \[a\] apply")
        screen.press("s")
        screen.until(r"Skipped")
        screen.press("a")
        screen.until(r"Not applied.*\[a\] apply")
        assert tasks(vendor) == before
        screen.press("a")
        screen.until(r"hero: made renders/hero.mp4.*Session: 0.50 USD. Watching\. \[q\] quit\n")
        assert tasks(vendor) == before + 1
        edit(paid, "a torch", "a candle")
        screen.until(r"replace +hero .*Session: 0.50 USD. Waiting: 1 clip, 0.50 USD")
        screen.press("q")
        assert screen.end() == 0
    assert tasks(vendor) == before + 1


def test_the_cap_is_for_the_whole_session(paid: Path, vendor: Emulator) -> None:
    before = tasks(vendor)
    with on_pipes(paid, "--yes", "--max-cost", "0.80") as talk:
        talk.event(event="succeeded", clip="hero")
        assert talk.event(event="meter")["spent"] == {"amount": "0.50", "unpriced": 0}
        edit(paid, "a lamp", "a candle")
        assert talk.event(event="meter")["waiting"] == {"amount": "0.50", "unpriced": 0}
        talk.child.send_signal(signal.SIGINT)
        assert talk.end() == 130
    assert tasks(vendor) == before + 1


def test_stale_drafts_are_given_up_and_the_newest_edit_goes_first(paid: Path, vendor: Emulator) -> None:
    before = tasks(vendor)
    edit(paid, "clips:\n", "clips:\n  one: {prompt: first, duration: 12}\n  two: {prompt: second, duration: 12}\n")
    edit(paid, "a lamp}", "a lamp, duration: 2}")
    with on_pipes(paid, "--draft") as talk:
        talk.event(event="running")
        edit(paid, "a lamp", "a candle")
        talk.event(event="overtaken")
        assert talk.event(event="succeeded")["clip"] == "hero"
        talk.event(event="running", clip="one")  # its turn again
        talk.child.send_signal(signal.SIGTERM)
        assert talk.end() == 130
    assert (paid / "drafts/renders/hero.mp4").exists()
    assert not (paid / "renders").exists()
    assert tasks(vendor) == before


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks the system for the children of a process")
def test_the_next_draft_is_drawn_by_a_worker_that_is_awake(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)

    def workers() -> set[int]:
        return set(map(int, Path(f"/proc/{talk.child.pid}/task/{talk.child.pid}/children").read_text().split()))

    with on_pipes(folder, "--draft", own_workers=True) as talk:
        talk.event(event="meter")
        edit(folder, "mist", "rain")
        talk.event(event="started")
        awake = workers()
        talk.event(event="meter")
        assert awake and awake <= workers()
        talk.child.send_signal(signal.SIGTERM)
        assert talk.end() == 130
    assert all(not Path(f"/proc/{worker}").exists() for worker in awake)


def test_a_state_in_use_is_told_and_tried_again(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with ExitStack() as other:
        other.enter_context(open_session(Workspace(folder, SystemClock(), {}), "another"))
        with on_pipes(folder) as talk:
            talk.until(r"the state is in use by 'another'[^\n]*\n")
            talk.event(event="meter")
            other.close()
            edit(folder, "mist", "rain")
            assert talk.event(event="succeeded")["clip"] == "sun"
