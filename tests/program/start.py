"""Starts the program as `subprocess` would, by a fork of a process that has imported it: see `server`.

`start` and `run` take the words after `clipform`, and what `subprocess.Popen` and `subprocess.run` take. With
`real=True`, and on a system that has no handles of processes, what they start is `python -m reconciler` itself.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess, Popen, TimeoutExpired
from typing import IO, Any

ROOT = Path(__file__).parents[2]
PROGRAM = "reconciler.__main__:main"
_BOOT = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"

_server: tuple[socket.socket, Popen[bytes] | None] | None = None


class Child(Popen[Any]):
    """A process that was started. `gone` can be read from when it has ended."""

    gone: socket.socket | IO[bytes]

    def __del__(self, *more: Any) -> None:
        self.gone.close()
        super().__del__(*more)  # type: ignore[misc]


class Forked(Child):
    """A child of the server, with the streams, the signals and the end of a child of ours."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        call: str = PROGRAM,
        terminal: bool = False,
        closed: Collection[int] = (),
        own_workers: bool = False,
        **more: Any,
    ) -> None:
        self._order = {"argv": ["clipform", *words], "call": call, "terminal": terminal, "closed": [*closed]}
        self._order["own_workers"] = own_workers
        super().__init__(list(words), **more)

    def _execute_child(self, *sorted_out: Any) -> None:
        """Order what `Popen` would fork and execute; its arguments are sorted out, and its pipes are open."""
        cwd, env, pipes = sorted_out[5], sorted_out[6], sorted_out[10:16]
        session = bool(sorted_out[-2]) or sorted_out[-1] >= 0 or self._order["terminal"]
        place = {"cwd": str(Path.cwd() / (cwd or "")), "env": dict(os.environ if env is None else env)}
        theirs = [end if end >= 0 else number for number, end in enumerate((pipes[0], pipes[3], pipes[5]))]
        passed = [end for number, end in enumerate(theirs) if number not in self._order["closed"]]
        self.gone, reporter = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with reporter:
            message = json.dumps({**self._order, **place, "session": session}).encode()
            socket.send_fds(_orders(), [message], [reporter.fileno(), *passed])
        pid, (self._handle,), _, _ = socket.recv_fds(self.gone, 100, 1)
        self.pid = int(pid)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        return self._end(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for a signal. Raises TimeoutExpired."""
        status = self._end(timeout)
        if status is None:
            raise TimeoutExpired(self.args, timeout or 0.0)
        return status

    def _end(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self.gone], [], [], seconds)[0]:
            self.returncode = int(self.gone.recv(100) or -signal.SIGKILL)
            os.close(self._handle)
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """To this very process, whatever became of its number."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, sig)


class Real(Child):
    """A command as `Popen` starts it."""

    def __init__(
        self, command: Sequence[str], *, terminal: bool = False, closed: Collection[int] = (), **more: Any
    ) -> None:
        boot = [sys.executable, "-c", _BOOT] if terminal else []
        before = {"preexec_fn": lambda: [os.close(number) for number in closed]} if closed else {}
        end, held = os.pipe()
        self.gone = os.fdopen(end, "rb")
        session = more.pop("start_new_session", terminal)
        super().__init__([*boot, *command], pass_fds=[held], start_new_session=session, **before, **more)
        os.close(held)


def start(words: Sequence[str], *, real: bool = False, **more: Any) -> Child:
    """Start `clipform WORDS`. `terminal`: its input is a terminal that is to be its own, and so is its session.
    `closed`: the streams that it lacks. `own_workers`: its media workers are children of its own, begun afresh.
    """
    if real or not hasattr(os, "pidfd_open"):
        more.pop("own_workers", None)
        return Real([sys.executable, "-m", "reconciler", *words], **more)
    return Forked(words, **more)


def run(words: Sequence[str], *, check: bool = True, timeout: float = 120, **more: Any) -> CompletedProcess[Any]:
    """Run `clipform WORDS` to its end, what it writes captured unless it is redirected. Raises CalledProcessError."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(words, **{"encoding": "utf-8", **streams, **more}) as child:
        try:
            out, err = child.communicate(timeout=timeout)
        finally:
            child.kill()
    done = CompletedProcess(child.args, child.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def _orders() -> socket.socket:
    """Where the server takes orders. It is started by the first."""
    global _server
    if _server is None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.program.server", str(theirs.fileno())]
            env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
            nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
            server = Popen(command, cwd=ROOT, env=env, pass_fds=[theirs.fileno()], start_new_session=True, **nowhere)
        _server = ours, server
    return _server[0]


def order_from(orders: socket.socket) -> None:
    """A child's children are its server's too."""
    global _server
    _server = orders, None


def stop() -> None:
    """Stop the server and what it has started."""
    global _server
    if _server is not None:
        orders, server = _server
        _server = None
        orders.close()
        if server is not None:
            server.wait()
