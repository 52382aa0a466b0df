"""`status --watch`: what another process does is seen, nothing is held or written, and it ends when asked to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.process import Emulator, emulator
from tests.program.start import run, start
from tests.terminal.pane import environment, pane
from tests.watch.conftest import DRAFTS, edit, project


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One that takes its time, so that there is something to look at."""
    with emulator("--latency", "1.2", "--no-render", cwd=tmp_path_factory.mktemp("emulator")) as running:
        yield running


def test_a_task_of_another_process_is_seen_to_run_and_to_end(paid: Path) -> None:
    with pane(paid, "status", "--watch") as screen:
        screen.until(r"^hero +new .*\n1 new\. Watching\. \[q\] quit")
        with pane(paid, "apply", "--yes") as other:
            screen.until(r"^hero +running (\(\w+\) )?\d+ s .*\n1 running\. Watching\.")
            screen.until(r"^hero +ready .*0\.50 USD")
            assert other.end() == 0  # whoever looks on holds nothing
        screen.press("q")
        assert screen.end() == 0
        assert screen.is_sane() and "Watching" not in screen.text  # the last state stays, the display is gone
        assert screen.text.count("hero") == 2  # its name and its output


def test_an_edit_and_a_lost_output_are_seen_and_a_broken_spec_is_told_once(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    run(["apply", "--yes"], cwd=folder, env=environment({}))
    with pane(folder, "status", "--watch") as screen:
        screen.until("^sun +ready ")
        edit(folder, "mist at", "fog at")
        screen.until("^sun +changed ")
        edit(folder, "prompt: fog", "promt: fog")
        screen.until("error: unknown key 'promt'")
        edit(folder, "promt: fog", "prompt: mist")
        screen.until("^sun +ready ")
        (folder / "renders/sun.mp4").unlink()
        screen.until("^sun +restorable ")
        screen.press("\x03")
        assert screen.end() == 130
        assert screen.is_sane()
    assert screen.raw.count(b"unknown key") == 1


def test_programs_get_a_document_for_each_change_and_no_other(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    before = sorted(folder.rglob("*"))
    streams = {"stdout": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    with start(["--json", "status", "--watch"], cwd=folder, env=environment({}), **streams) as child:
        assert child.stdout is not None
        states = [json.loads(child.stdout.readline())["clips"][0]["state"]]
        assert [path for path in folder.rglob("*") if path not in before] == []  # it wrote nothing
        (folder / "notes.txt").write_text("of no matter")
        edit(folder, "duration: 1", "duration: 2")
        edit(folder, "mist", "fog")
        (folder / "clips" / "sea.yaml").write_text("clips: {sea: {prompt: waves}}")
        while len(clips := json.loads(child.stdout.readline())["clips"]) == 1:
            states.append(clips[0]["state"])
        assert [clip["clip"] for clip in clips] == ["sun", "sea"]
        child.terminate()
        assert child.wait(timeout=100) == 130
    assert len(states) <= 3  # the edits, unless they were seen as one


def test_what_is_no_clip_is_a_wrong_command_line(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    assert run(["status", "--watch", "nothing"], cwd=folder, check=False).returncode == 64


def test_a_thousand_clips_fit_the_screen_those_that_run_first(tmp_path: Path) -> None:
    clips = "".join(f"  c{i}: {{prompt: shot {i}}}\n" for i in range(300))
    folder = project(tmp_path / "p", DRAFTS.replace("  sun: {prompt: mist at sunrise}\n", clips))
    with pane(folder, "status", "--watch", rows=20) as screen:
        screen.until(r"… and 284 more\n300 new\. Watching\.")
        assert len(screen.text.splitlines()) == 19 and screen.screen.overrun == []
        screen.resize(60, 12)
        screen.until(r"… and 292 more")
        screen.press("q")
        assert screen.end() == 0


def test_without_a_terminal_to_draw_on_tables_come_one_after_the_other(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    with pane(folder, "status", "--watch", env={"TERM": "dumb"}) as screen:
        screen.until("^sun +new ")
        edit(folder, "clips:\n", "clips:\n  sea: {prompt: waves}\n")
        screen.until("^sea +new ")
        screen.press("\x03")
        assert screen.end() == 130
    assert b"\x1b" not in screen.raw
    assert screen.text.count("CLIP") == 2
