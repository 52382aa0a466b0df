"""A terminal of any size with the real command in it. Whoever waits, waits on output, with a deadline."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyte

from reconciler.views.terminal import pictures
from tests.program.start import ROOT, Child, start

DEADLINE = 100.0

_TELLING = {"NO_COLOR", "COLUMNS", "LINES", "TMUX", "TERM_PROGRAM", "VTE_VERSION", *pictures._VARIABLES}
"""Variables by which a program would see the terminal that the tests are run in."""


class _Cells(pyte.Screen):
    """Notes which lines ran over the edge."""

    def __init__(self, columns: int, lines: int) -> None:
        self.overrun: list[str] = []
        super().__init__(columns, lines)

    def draw(self, data: str) -> None:
        for character in data:
            if self.cursor.x == self.columns:
                self.overrun.append(self.display[self.cursor.y])
            super().draw(character)

    def select_graphic_rendition(self, *attrs: int) -> None:
        """pyte knows no dim text: it is kept as grey."""
        super().select_graphic_rendition(*(attrs if {38, 48} & {*attrs} else (90 if a == 2 else a for a in attrs)))


class Pane:
    """The terminal, what is on it, and the process in it."""

    def __init__(self, child: Child, ours: int, theirs: int, columns: int, rows: int) -> None:
        self.child = child
        self._ours, self._theirs = ours, theirs
        self.screen = _Cells(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""

    @property
    def text(self) -> str:
        """The screen as lines, without what is blank at their ends and at the bottom."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip() + "\n"

    def until(self, pattern: str) -> re.Match[str]:
        """Wait until the screen shows this."""
        end = time.monotonic() + DEADLINE
        while (found := re.search(pattern, self.text, re.DOTALL | re.MULTILINE)) is None:
            assert self._hear(end - time.monotonic()), f"{pattern!r} was not shown:\n{self.text}"
        return found

    def end(self) -> int:
        """Everything up to the end of the process; its exit code."""
        end = time.monotonic() + DEADLINE
        while self._hear(end - time.monotonic()):
            pass
        return self.child.wait(timeout=DEADLINE)

    def press(self, keys: str) -> None:
        """As if typed; \\x03 is Ctrl-C."""
        os.write(self._ours, keys.encode())

    def signal(self, number: int) -> None:
        """To the process itself."""
        self.child.send_signal(number)

    def resize(self, columns: int, rows: int) -> None:
        """As when a window is dragged."""
        _size(self._ours, columns, rows)
        self.screen.resize(rows, columns)
        self.child.send_signal(signal.SIGWINCH)

    def is_sane(self) -> bool:
        """Whether what is typed is shown and waits for the end of the line, as in a shell, and the cursor is there."""
        modes = termios.tcgetattr(self._theirs)[3]
        return bool(modes & termios.ECHO) and bool(modes & termios.ICANON) and not self.screen.cursor.hidden

    def _hear(self, seconds: float) -> bool:
        """More of it; False at the end, or when it takes too long."""
        ready, _, _ = select.select([self._ours, self.child.gone], [], [], max(0.0, seconds))
        chunk = os.read(self._ours, 65536) if self._ours in ready else b""
        self.raw += chunk
        self._stream.feed(chunk)
        return bool(chunk)


@contextmanager
def pane(
    folder: Path,
    *words: str,
    columns: int = 80,
    rows: int = 40,
    env: Mapping[str, str] | None = None,
    real: bool = False,
) -> Iterator[Pane]:
    """A terminal with `clipform WORDS` in it, run in a folder; the process is dead when the block ends."""
    with terminal(partial(start, words, real=real), folder, columns=columns, rows=rows, env=env or {}) as screen:
        yield screen


@contextmanager
def terminal(
    begin: Callable[..., Child], cwd: Path, *, columns: int, rows: int, env: Mapping[str, str]
) -> Iterator[Pane]:
    """A terminal with anything in it."""
    ours, theirs = os.openpty()
    _size(theirs, columns, rows)
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    with begin(terminal=True, cwd=cwd, env=environment(env), **streams) as child:
        try:
            yield Pane(child, ours, theirs, columns, rows)
        finally:
            child.kill()
            for end in (ours, theirs):
                os.close(end)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """A plain terminal with colours, whatever this one is."""
    ours = {name: value for name, value in os.environ.items() if name not in _TELLING}
    base = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return {**ours, **base, **more}


def _size(terminal: int, columns: int, rows: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
