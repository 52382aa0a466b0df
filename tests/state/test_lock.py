"""The lock: one process at a time, gone with its holder, and honest about who that is (F16, F17, F26)."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from state_kit import Clock

from reconciler.diagnostics import StateError, StateLocked
from reconciler.state import disk, lock
from reconciler.state.lock import Lock, is_free

HOLDER = """
import os, sys, pathlib
from reconciler.state.lock import Lock
with Lock(pathlib.Path(sys.argv[1]), "apply hero", lambda: 1_700_000_000.0):
    forks = len(sys.argv) > 2
    child = forks and os.fork() == 0
    if child or not forks:
        print("held", flush=True)  # said by the worker, which has let go of its copy by then
    sys.stdin.read()  # a worker outlives us
    os._exit(0)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its standard input ends."""
    yield from _hold(str(tmp_path))


@pytest.fixture
def forking_holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    yield from _hold(str(tmp_path), "fork")


def _hold(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_the_second_process_is_told_who_holds_the_state(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(StateLocked) as error, Lock(tmp_path, "apply", Clock()):
        raise AssertionError("held twice")
    assert error.value.exit_code == 5
    assert f"'apply hero' (process {holder.pid} on " in error.value.message
    assert "since 2023-11-14 22:13:20 UTC" in error.value.message


def test_a_killed_holder_frees_the_lock(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with Lock(tmp_path, "apply", Clock()):
        pass


def test_a_worker_that_outlives_a_killed_holder_does_not_keep_the_lock(
    tmp_path: Path, forking_holder: subprocess.Popen[str]
) -> None:
    forking_holder.kill()
    forking_holder.wait()
    with Lock(tmp_path, "apply", Clock()):
        pass


def test_a_lock_is_by_real_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with (
        Lock(tmp_path / "link", "apply", Clock()),
        pytest.raises(StateLocked),
        Lock(tmp_path / "real", "apply", Clock()),
    ):
        pass


def test_a_lock_can_be_taken_again_after_it_was_let_go(tmp_path: Path) -> None:
    for _ in range(3):
        with Lock(tmp_path / "new" / "state", "apply", Clock()):
            pass
    assert (tmp_path / "new" / "state" / "lock").read_bytes() == b""


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[]", b'{"pid": 1}', b"\0" * 50, b'{"since": 1e999}'])
def test_a_torn_text_still_says_locked(tmp_path: Path, text: bytes) -> None:
    with Lock(tmp_path, "apply", Clock()):
        (tmp_path / "lock").write_bytes(text)
        with pytest.raises(StateLocked, match="another process"), Lock(tmp_path, "apply", Clock()):
            pass


def test_a_removed_lock_file_is_not_what_gets_locked(tmp_path: Path) -> None:
    with Lock(tmp_path, "apply", Clock()):
        (tmp_path / "lock").unlink()
        with Lock(tmp_path, "apply", Clock()):  # nothing can prevent this; but it locks what is there now
            assert (tmp_path / "lock").read_bytes() != b""


def test_a_file_system_that_does_not_lock_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda descriptor, operation: None)
    with pytest.raises(StateError, match="does not lock files"), Lock(tmp_path, "apply", Clock()):
        pass


def test_a_link_in_place_of_the_lock_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    (tmp_path / "lock").symlink_to("mine")
    with pytest.raises(StateError), Lock(tmp_path, "apply", Clock()):
        pass
    assert (tmp_path / "mine").read_text() == "keep"


def test_a_lock_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with Lock(tmp_path, "apply", Clock()), pytest.raises(StateLocked), Lock(tmp_path, "apply", Clock()):
        pass
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_lock_that_is_let_go_in_the_middle_of_an_interrupt_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(descriptor: int, size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Lock(tmp_path, "apply", Clock()):
        monkeypatch.setattr(os, "ftruncate", interrupted)
    monkeypatch.undo()
    with Lock(tmp_path, "apply", Clock()):
        assert (tmp_path / "lock").read_bytes() != b""


def test_who_looks_is_told_whether_another_process_holds_the_state(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    assert not is_free(tmp_path)
    holder.kill()
    holder.wait()
    assert is_free(tmp_path)


def test_who_looks_makes_no_lock_file(tmp_path: Path) -> None:
    assert is_free(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_glance_does_not_turn_a_writer_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lock").touch()
    glance = os.open(tmp_path / "lock", disk.READ)
    fcntl.flock(glance, fcntl.LOCK_SH)
    monkeypatch.setattr(os, "sched_yield", lambda: os.close(glance))
    with Lock(tmp_path, "apply", Clock()):
        assert not is_free(tmp_path)


def test_a_shared_lock_that_stays_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_RETRIES", 100)
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        with pytest.raises(StateLocked, match="another process"), Lock(tmp_path, "apply", Clock()):
            pass
