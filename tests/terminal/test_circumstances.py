"""Terminals as they are: closed, dumb, narrow, ASCII, or none. A run is safe on all of them, and can be read."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.emulator.process import Emulator, emulator
from tests.program.start import run
from tests.terminal import picture
from tests.terminal.pane import environment, pane

SPEC = """\
version: 1
providers:
  studio: {kind: ark, base_url: URL/ark, api_key: "${env.ARK_API_KEY}", concurrency: 4, PRICES}
defaults: {provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 5, resolution: 480p, ratio: "16:9"}
clips:
  hero: {prompt: a lamp}
  social: {matrix: {ratio: ["16:9", "9:16"], city: [上海]}, prompt: "${matrix.city}雨夜", ratio: "${matrix.ratio}"}
""".replace("PRICES", 'poll_interval: 50ms, requests_per_second: 100, prices: [{model: "*", per_clip: 0.50}]')
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
COLOUR = re.compile(rb"\x1b\[[\d;]*m")


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A vendor that takes long enough for progress to be shown."""
    with emulator("--latency", "0.3", "--no-render", cwd=tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A vendor whose tasks are still running whenever a signal comes."""
    with emulator("--latency", "3600", "--no-render", cwd=tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, slow: Emulator) -> Path:
    return written(tmp_path / "p", slow)


@pytest.fixture
def running(tmp_path: Path, endless: Emulator) -> Path:
    """A project that no apply brings to its end."""
    return written(tmp_path / "p", endless)


def written(project: Path, vendor: Emulator) -> Path:
    project.mkdir()
    (project / "clipform.yaml").write_text(SPEC.replace("URL", vendor.api), encoding="utf-8")
    return project


@pytest.fixture
def env(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {**environ, "ARK_API_KEY": f"key-of-{tmp_path.name}"}


def outputs(folder: Path) -> int:
    return len([*folder.rglob("renders/**/*.mp4")])


def test_whoever_stops_reading_stops_nothing(folder: Path, env: dict[str, str]) -> None:
    line = 'cd "$1"; shift; "$@" apply --yes | head -1; echo "ended ${PIPESTATUS[0]}"'
    command = ["bash", "-c", line, "bash", folder, sys.executable, "-m", "reconciler"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment(env), check=True)
    assert done.stdout.splitlines()[-1] == "ended 0"
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
    assert outputs(folder) == 3


@pytest.fixture
def full() -> Iterator[IO[bytes]]:
    """A device without room."""
    with open("/dev/full", "wb") as device:
        yield device


COMMANDS = ["status", "plan", "apply --yes", "history", "doctor", "models", "schema", "plan --json", "--help"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_output_is_like_a_pipe_that_nobody_reads(command: str, folder: Path, env: dict[str, str]) -> None:
    closed = {"closed": [1], "cwd": folder, "env": environment(env), "real": command == "plan"}
    done = run(command.split(), **closed)
    assert "error" not in done.stderr and "Traceback" not in done.stderr
    assert outputs(folder) == (3 if "apply" in command else 0)


def test_without_any_stream_an_apply_does_its_work(folder: Path, env: dict[str, str]) -> None:
    closed = {"closed": [0, 1, 2], "cwd": folder, "env": environment(env)}
    run(["apply", "--yes"], **closed, real=True)
    assert outputs(folder) == 3
    run(["retake", "hero"], **closed)
    assert run(["apply"], **closed, check=False).returncode == 4  # nobody to ask


@pytest.mark.parametrize("command", ["plan", "plan --json", "apply --yes", "models", "schema --json", "--help"])
def test_an_output_without_room_is_told_in_one_line(
    command: str, folder: Path, env: dict[str, str], full: IO[bytes]
) -> None:
    real = command in ("plan", "--help")
    done = run(command.split(), stdout=full, cwd=folder, env=environment(env), check=False, real=real)
    assert done.returncode == 1
    assert done.stderr == "error: cannot write the output: No space left on device\n"
    assert outputs(folder) == 0  # nothing is bought by a plan that could not be shown


def test_an_apply_that_ran_is_told_by_its_own_outcome(folder: Path, env: dict[str, str], full: IO[bytes]) -> None:
    done = run(["--json", "apply", "--yes"], stdout=full, cwd=folder, env=environment(env))
    assert done.stderr == "" and outputs(folder) == 3
    done = run(["plan"], stderr=full, cwd=folder, env=environment(env))
    assert "up to date" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_an_apply_in_words_and_gives_the_terminal_back(
    number: signal.Signals, running: Path, env: dict[str, str]
) -> None:
    with pane(running, "apply", "--yes", env=env, real=number == signal.SIGTERM) as screen:
        screen.until(r"(queued|running) .*\n\[")
        screen.signal(number)
        assert screen.end() == 130
        assert screen.is_sane()
        assert "Interrupted: " in screen.text and "To continue, run: clipform apply." in screen.text
        assert "[---" not in screen.text and "Traceback" not in screen.text
        picture.draw(screen.screen, f"interrupted-{number.name.lower()}")


def test_the_second_ctrl_c_ends_at_once_and_leaves_no_debris(running: Path, env: dict[str, str]) -> None:
    with pane(running, "apply", "--yes", env=env) as screen:
        screen.until(r"(queued|running) .*\n\[")
        screen.press("\x03\x03")
        assert screen.end() == 130
        assert screen.is_sane() and "Traceback" not in screen.text


@pytest.mark.parametrize("columns", [20, 40])
def test_a_narrow_terminal_shows_names_and_states(columns: int, folder: Path, env: dict[str, str]) -> None:
    with pane(folder, "apply", "--yes", columns=columns, rows=60, env=env) as screen:
        assert screen.end() == 0
        assert b"[-" in COLOUR.sub(b"", screen.raw)
        assert "hero: made" in " ".join(screen.text.split()) and "[###" not in screen.text
        picture.draw(screen.screen, f"apply-{columns}")
    with pane(folder, "status", columns=columns, env=env) as screen:
        assert screen.end() == 0
        assert screen.screen.overrun == []
        assert len(re.findall(r"ready", screen.text)) == 3 and "hero" in screen.text
        picture.draw(screen.screen, f"status-{columns}")


def test_where_only_ascii_can_be_shown_names_are_told_by_their_codes(folder: Path, env: dict[str, str]) -> None:
    with pane(folder, "apply", "--yes", env=env | ASCII, real=True) as screen:
        assert screen.end() == 0
        assert r"social[ratio=16:9,city=\u4e0a\u6d77]: made" in screen.text
        assert screen.text.isascii() and "Traceback" not in screen.text
    with pane(folder, "status", env=env | ASCII, real=True) as screen:
        assert screen.end() == 0
        assert screen.text.isascii() and r"\u4e0a\u6d77" in screen.text


def test_no_colour_means_no_colour_also_where_progress_is_live(folder: Path, env: dict[str, str]) -> None:
    with pane(folder, "apply", "--yes", env={**env, "NO_COLOR": "1"}) as screen:
        assert screen.end() == 0
        assert re.search(rb"\[.*/3", screen.raw) and COLOUR.search(screen.raw) is None


def test_a_dumb_terminal_gets_lines_and_no_codes(folder: Path, env: dict[str, str]) -> None:
    with pane(folder, "apply", "--yes", env={**env, "TERM": "dumb"}) as screen:
        assert screen.end() == 0
        assert b"\x1b" not in screen.raw
        assert "hero: submitted" in screen.text and "hero: made renders/hero.mp4" in screen.text


def test_without_a_terminal_there_are_lines_that_are_never_folded(folder: Path, env: dict[str, str]) -> None:
    more = {"cwd": folder, "env": environment(env)}
    asked = run(["apply"], **more, check=False)
    assert asked.returncode == 4 and "input is not a terminal" in asked.stderr and outputs(folder) == 0
    done = run(["apply", "--yes"], **more)
    assert "\x1b" not in done.stdout + done.stderr
    status = run(["status"], cwd=folder, env=environment({**env, "COLUMNS": "20"}))
    assert "studio/doubao-seedance-1-0-pro-250528" in status.stdout and "…" not in status.stdout


def test_who_says_no_pays_nothing(folder: Path, env: dict[str, str]) -> None:
    with pane(folder, "apply", env=env) as screen:
        screen.until("Type 'yes' to continue:")
        screen.press("y\r")
        screen.until("Please type the whole word 'yes', or 'no':")
        screen.press("\r")
        assert screen.end() == 4
        assert "not confirmed; nothing was done" in screen.text
    assert not (folder / "renders").exists()


def test_a_wrong_answer_is_asked_once_more(folder: Path, env: dict[str, str]) -> None:
    with pane(folder, "apply", env=env) as screen:
        screen.until("Type 'yes' to continue:")
        screen.press("ok\r")
        screen.until("Please type the whole word 'yes', or 'no':")
        screen.press("yes\r")
        assert screen.end() == 0


@pytest.mark.parametrize(("keys", "code"), [("\r", 0), ("y\r", 0), ("n\r", 4), ("\x04", 4), ("what\ry\r", 0)])
def test_enter_is_enough_for_what_is_free(tmp_path: Path, env: dict[str, str], keys: str, code: int) -> None:
    (tmp_path / "clipform.yaml").write_text(
        "version: 1\nclips: {lamp: {prompt: a lamp, duration: 1}}\n", encoding="utf-8"
    )
    with pane(tmp_path, "apply", env=env) as screen:
        screen.until(r"Apply this plan\? \[Y/n\]")
        screen.press(keys)
        assert screen.end() == code
    assert (tmp_path / "renders/lamp.mp4").exists() is (code == 0)


def test_keys_that_were_pressed_before_the_question_do_not_answer_it(folder: Path, env: dict[str, str]) -> None:
    with pane(folder, "apply", env=env) as screen:
        screen.press("yes\r")
        screen.until("Type 'yes' to continue:")
        screen.press("no\r")
        assert screen.end() == 4


def test_help_is_shown_without_a_project(tmp_path: Path) -> None:
    with pane(tmp_path, "--help", columns=80, rows=70) as screen:
        assert screen.end() == 0
        assert screen.screen.overrun == []
        picture.draw(screen.screen, "help-of-all")
