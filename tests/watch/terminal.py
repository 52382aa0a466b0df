"""The real command on a terminal of its own, or on pipes. Whoever waits, waits on output, with a deadline."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.program.start import Child, start

DEADLINE = 100.0

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Talk:
    """A running command and all that it said; `until` goes on where it stopped reading."""

    def __init__(self, child: Child, output: int) -> None:
        self.child, self.output = child, output
        self.said = ""
        self._at = 0
        self._raw = b""

    def until(self, pattern: str) -> re.Match[str]:
        """The next thing said that matches."""
        end = time.monotonic() + DEADLINE
        while (found := re.compile(pattern, re.DOTALL).search(self.said, self._at)) is None:
            assert self._hear(end - time.monotonic()), f"{pattern!r} was not said in: {self.said[self._at :]}"
        self._at = found.end()
        return found

    def _hear(self, seconds: float) -> bool:
        """More of it; False at the end, or when it takes too long."""
        ready, _, _ = select.select([self.output, self.child.gone], [], [], max(0.0, seconds))
        chunk = os.read(self.output, 65536) if self.output in ready else b""
        self._raw += chunk
        self.said = _CODES.sub("", self._raw.decode(errors="replace").replace("\r\n", "\n"))
        return bool(chunk)

    def end(self) -> int:
        """Everything up to the end; the exit code."""
        end = time.monotonic() + DEADLINE
        while self._hear(end - time.monotonic()):
            pass
        return self.child.wait(timeout=DEADLINE)

    def _line(self) -> str:
        """The next line that is not empty. No pattern: it would try every place of a long one that is not whole yet."""
        end = time.monotonic() + DEADLINE
        while True:
            line, found, _ = self.said[self._at :].partition("\n")
            self._at += len(line) + 1 if found else 0
            if found and line:
                return line
            assert found or self._hear(end - time.monotonic()), f"no line after: {line}"

    def event(self, **wanted: object) -> dict[str, Any]:
        """The next line of JSON that has these members."""
        while True:
            line: dict[str, Any] = json.loads(self._line())
            if wanted.items() <= line.items():
                return line


class Terminal(Talk):
    """On a terminal of 24 lines and 100 columns, which it may do with as it likes."""

    def __init__(self, child: Child, output: int, theirs: int) -> None:
        super().__init__(child, output)
        self._theirs = theirs

    def press(self, keys: str) -> None:
        """As if typed; \\x03 is Ctrl-C."""
        os.write(self.output, keys.encode())

    def is_sane(self) -> bool:
        """Whether what is typed is shown and waits for the end of the line, as in a shell."""
        modes = termios.tcgetattr(self._theirs)[3]
        return bool(modes & termios.ECHO) and bool(modes & termios.ICANON)


def _environment() -> dict[str, str]:
    """Without COLUMNS, which would override the terminal's width."""
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return {**inherited, "TERM": "xterm", "PYTHONWARNINGS": "error"}


@contextmanager
def _started(*words: str, **more: Any) -> Iterator[Child]:
    with start(words, start_new_session=True, env=_environment(), **more) as child:
        try:
            yield child
        finally:
            child.kill()


@contextmanager
def on_terminal(folder: Path, *arguments: str, name: str = "watch", real: bool = False) -> Iterator[Terminal]:
    """`clipform watch`, or another command, at a terminal."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    words = ("-C", str(folder), "--no-color", name, *arguments)
    with _started(*words, real=real, terminal=True, **streams) as child:
        yield Terminal(child, ours, theirs)
    os.close(ours)
    os.close(theirs)


@contextmanager
def on_pipes(folder: Path, *arguments: str, name: str = "watch", **more: Any) -> Iterator[Talk]:
    """`clipform --json watch`, or another command, with nobody at the keyboard."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with _started("-C", str(folder), "--json", name, *arguments, **streams, **more) as child:
        assert child.stdout is not None
        yield Talk(child, child.stdout.fileno())
