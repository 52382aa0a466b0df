"""The command as a process of its own, on the draft provider: signals, closed pipes, odd locales, disks that refuse."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.program import start as program

REPO = Path(__file__).parents[3]
SPEC = """version: 1
defaults: {duration: 1, ratio: "1:1", resolution: 480p}
clips:
  a: {prompt: a lamp}
  b: {prompt: it falls, first_frame: "${clips.a.last_frame}"}
"""
ONE = 'version: 1\nclips:\n  a: {prompt: a lamp, duration: 1, ratio: "1:1", resolution: 480p}\n'
LONG = 'version: 1\nclips:\n  a: {prompt: a lamp, duration: 20, ratio: "1:1"}\n'
PATIENCE = 100.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    return folder


def start(
    project: Path, *words: str, before: Callable[[], None] | None = None, own_workers: bool = True, **more: str
) -> subprocess.Popen[bytes]:
    """A command in a session of its own, as a terminal would have it. `before` it, or where the environment has more
    to say, it is a fresh start."""
    env = {"PATH": os.environ["PATH"], "HOME": str(project.parent / "home"), "PYTHONPATH": str(REPO), **more}
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    fresh: dict[str, Any] = {"real": True, "preexec_fn": before} if before or more else {"own_workers": own_workers}
    return program.start(words, start_new_session=True, cwd=project, env=env, **fresh, **streams)


def run(project: Path, *words: str, before: Callable[[], None] | None = None, **more: str) -> tuple[int, str, str]:
    """A command to its end: exit code and both streams. No traceback, whatever happens."""
    with start(project, *words, before=before, own_workers=False, **more) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert b"Traceback" not in err, err.decode()
    return process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def events(process: subprocess.Popen[bytes]) -> Iterator[dict[str, object]]:
    """The events of `apply --json`, as they come."""
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def until(process: subprocess.Popen[bytes], name: str) -> None:
    """Wait for an event."""
    assert any(event.get("event") == name for event in events(process))


def alone(session: int) -> None:
    """Wait until no process of a session is left; a worker that goes on for ever is an error."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if os.getsid(int(entry.name)) == session:
                descriptor = os.pidfd_open(int(entry.name))
                try:
                    assert select.select([descriptor], [], [], PATIENCE)[0], f"process {entry.name} is left"
                finally:
                    os.close(descriptor)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Wait for a process and its workers; its exit code and what it said."""
    with process:
        _, err = process.communicate(timeout=PATIENCE)
    alone(process.pid)
    assert b"Traceback" not in err, err.decode()
    return process.returncode, err.decode("utf-8", "replace")


def assert_whole(project: Path) -> None:
    """Objects are what their names say, and outputs are objects: nothing torn, nothing empty."""
    found = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in project.glob("state/**/objects/??/*")}
    assert all(path.name.startswith(sha) for path, sha in found.items())
    outputs = [path for path in project.glob("renders/**/*.mp4")]
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in outputs} <= set(found.values())


def assert_finished(project: Path, *clips: str) -> None:
    """One more apply does the rest, and leaves nothing behind."""
    code, _, err = run(project, "apply", "--yes")
    assert code == 0, err
    assert_whole(project)
    assert sorted(path.stem for path in project.glob("renders/*.mp4")) == sorted(clips)
    assert [path.name for path in project.rglob("*") if path.name.endswith(".part")] == []
    assert not list((project / "state").glob("scratch/*"))


# --- signals --------------------------------------------------------------------------------


def test_an_interrupt_during_a_render_can_be_carried_on_from(project: Path) -> None:
    (project / "clipform.yaml").write_text(LONG, encoding="utf-8")
    process = start(project, "--json", "apply", "--yes")
    until(process, "running")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it
    last = list(events(process))[-1]
    code, _ = ended(process)
    assert (code, last["event"], last["interrupted"]) == (130, "ended", True)
    assert not list(project.rglob("*.part"))
    (project / "clipform.yaml").write_text(ONE, encoding="utf-8")
    assert_finished(project, "a")


@pytest.mark.parametrize("group", [1, 2, 3])
def test_killed_again_and_again_it_leaves_whole_files_and_finishes(group: int, project: Path) -> None:
    """Four kills in a row on one project, each after a number of events that the seed gives."""
    for seed in range(4 * group, 4 * group + 4):
        lines = random.Random(seed).randrange(9)
        process = start(project, "--json", "apply", "--yes")
        for _ in zip(range(lines), events(process), strict=False):
            pass
        process.kill()
        process.wait(PATIENCE)
        assert_whole(project)
        ended(process)
    assert_finished(project, "a", "b")


def test_a_second_apply_is_told_who_is_at_work_and_does_nothing(project: Path) -> None:
    (project / "clipform.yaml").write_text(ONE, encoding="utf-8")
    first = start(project, "--json", "apply", "--yes")
    until(first, "submitted")
    first.send_signal(signal.SIGSTOP)  # it holds the state for as long as we like
    code, _, err = run(project, "apply", "--yes")
    first.send_signal(signal.SIGCONT)
    assert code == 5
    assert f"process {first.pid}" in err
    assert "'apply'" in err
    assert ended(first)[0] == 0
    assert_finished(project, "a")


# --- output ---------------------------------------------------------------------------------


def test_a_reader_that_goes_away_stops_no_work(project: Path) -> None:
    (project / "clipform.yaml").write_text(ONE, encoding="utf-8")
    process = start(project, "--json", "apply", "--yes")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    with process:
        assert process.stderr is not None
        err = process.stderr.read()
    alone(process.pid)
    assert b"Traceback" not in err, err.decode()
    assert (project / "renders/a.mp4").exists()
    assert_finished(project, "a")


def test_a_console_without_the_characters_of_a_prompt_is_no_obstacle(project: Path) -> None:
    text = ONE.replace("a lamp", "一盏灯在大理石桌上，慢慢推近 🎬")
    (project / "clipform.yaml").write_text(text, encoding="utf-8")
    poor = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}
    for words in (("apply", "--yes"), ("show", "a")):
        code, out, err = run(project, *words, **poor)
        assert (code, (out + err).isascii()) == (0, True)
    assert_whole(project)
    assert (project / "renders/a.mp4").exists()


# --- disks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kib", [16, 72, 200])
def test_a_disk_that_is_full_ends_in_a_clear_error_and_loses_nothing(kib: int, project: Path) -> None:
    (project / "clipform.yaml").write_text(ONE.replace(", resolution: 480p", ""), encoding="utf-8")
    limit = kib * 1024

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    code, out, err = run(project, "apply", "--yes", before=full)
    if code:
        assert code in (1, 3)
        assert "disk" in out + err
    assert_whole(project)
    assert_finished(project, "a")


_ON_A_SMALL_DISK = """set -e
mount -t tmpfs -o size=$1 none disk
cp clipform.yaml disk/
cd disk
"$2" -m reconciler apply --yes || echo "code $?"
mount -o remount,size=128m none .
"$2" -m reconciler apply --yes
"$2" -m reconciler verify
"""


@pytest.mark.parametrize(
    ("size", "code", "reason"),
    [("60k", 1, "disk is full"), ("170k", 3, "No space left"), ("210k", 3, "are free on the disk")],
)
def test_a_small_disk_that_fills_up_ends_in_a_clear_error_and_loses_nothing(
    size: str, code: int, reason: str, project: Path
) -> None:
    """A real one, at three moments: no room for the database, for the render, for the artifact or its copy."""
    (project / "clipform.yaml").write_text(ONE, encoding="utf-8")
    (project / "disk").mkdir()
    private = ["unshare", "--mount", "sh", "-c"]
    if shutil.which("unshare") is None or _refused([*private, "mount -t tmpfs none disk"], project):
        pytest.skip("this user may not mount a small disk")
    env = {"PATH": os.environ["PATH"], "HOME": str(project.parent / "home"), "PYTHONPATH": str(REPO)}
    command = [*private, _ON_A_SMALL_DISK, "sh", size, sys.executable]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, timeout=PATIENCE)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err, err
    assert done.returncode == 0, out + err
    assert f"code {code}\n" in out
    assert reason in err, out + err


def _refused(command: list[str], folder: Path) -> bool:
    return subprocess.run(command, cwd=folder, capture_output=True).returncode != 0


def test_a_folder_that_may_not_be_written_ends_in_a_clear_error(project: Path) -> None:
    (project / "clipform.yaml").write_text(ONE, encoding="utf-8")
    project.chmod(0o555)
    words = ("apply", "--yes")
    if os.geteuid() == 0:
        code, err = _as_nobody(project, *words)
    else:
        code, _, err = run(project, *words)
    project.chmod(0o755)
    assert code in (1, 3), err
    assert "permission denied" in err or "read-only" in err
    assert [path.name for path in project.iterdir()] == ["clipform.yaml"]


def _as_nobody(project: Path, *words: str) -> tuple[int, str]:
    """Root may write anywhere: somebody else has to try."""
    if shutil.which("setpriv") is None:
        pytest.skip("running as root, and there is no setpriv to become somebody else")
    for folder in (project.parent, *project.parent.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(REPO), "PYTHONDONTWRITEBYTECODE": "1"}
    if subprocess.run([*nobody, sys.executable, "-c", "import reconciler"], env=env, capture_output=True).returncode:
        pytest.skip("running as root, and nobody else may read this interpreter")
    command = [*nobody, sys.executable, "-m", "reconciler", *words]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, timeout=PATIENCE)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, done.stderr.decode()
