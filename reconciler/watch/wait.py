"""What a watch hears while it waits: files, keys, clicks, signals. Nothing is decided here.

watchfiles runs in threads of its own that do nothing but say "something was saved"; keys and signals are met in the
main thread, which sleeps in `select` meanwhile. Specs lie below the root (their reader refuses what does not, links
included), so the root is watched with all that is below it: a file that appears, or a folder that is renamed, is no
special case. Inputs from folders outside that the project allows are listened to by name (`ways`).
"""

from __future__ import annotations

import os
import select
import signal
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from reconciler.diagnostics import ClipformError
from reconciler.watch.decide import Cause, Click
from reconciler.watch.file_listener import Listener
from reconciler.watch.page_requests import Clicks
from reconciler.watch.watched_paths import Names, counts

_KEYS = {key.value.encode(): key for key in (Cause.APPLY, Cause.SKIP, Cause.QUIT)}
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EventWaiter:
    """`with Ears(…) as ears:` listens, and puts the terminal and the signals back as they were.

    `keyboard` is the descriptor of a terminal that we may read keys from, None where there is none. `ours` tells our
    own files, by their path relative to the root. For the main thread only: signals are met nowhere else.
    """

    def __init__(self, root: Path, keyboard: int | None, ours: Callable[[str], bool], clicks: Clicks) -> None:
        self.stopped = False
        self._clicks = clicks
        self._root, self._keyboard, self._ours = root, keyboard, ours
        self._edited = threading.Event()
        self._names: Names = {}  # what is listened to outside the root
        self._beyond: Listener | None = None
        self._failure: Exception | None = None
        self._turn = threading.Lock()
        self._told: Callable[[], None] | None = None
        self._settings: list[int | list[bytes | int]] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._woken, self._wake = os.pipe()
            for end in (self._woken, self._wake):
                os.set_blocking(end, False)
                stack.callback(os.close, end)
            stack.callback(self._forsake)
            below = Listener([self._root], self._counts, self._hear, self._failed, deep=True)
            stack.callback(below.stop)
            below.start()  # what is saved from now on is heard: only then may the first look be taken
            stack.callback(self.restore)
            self._take_keys()
            stack.enter_context(self._clicks.heard_by(self._rouse))
            for number in _SIGNALS:
                stack.callback(signal.signal, number, signal.signal(number, self._signal))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def wait(self) -> Cause | Click:
        """The next thing that happens. Raises ClipformError when files can no longer be watched."""
        heard = [self._woken] if self._keyboard is None else [self._woken, self._keyboard]
        while (cause := self._pending()) is None:
            ready, _, _ = select.select(heard, [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
            elif (cause := self._key()) is not None:
                return cause
        return cause

    def pause(self, end: float, now: Callable[[], float]) -> Cause | None:
        """Let time go by until `end`, whatever is saved meanwhile; how it was asked to end before, if it was."""
        heard = [self._woken] if self._keyboard is None else [self._woken, self._keyboard]
        while not self.stopped and (left := end - now()) > 0:
            ready, _, _ = select.select(heard, [], [], left)
            if self._woken in ready:
                os.read(self._woken, 4096)
            if self._keyboard in ready and self._key() is Cause.QUIT:
                return Cause.QUIT
        return Cause.STOP if self.stopped else None

    def after(self) -> Cause | Click:
        """What comes after an apply: what was heard meanwhile, else a look at what it did."""
        return self._pending() or Cause.AFTER

    def attend(self, names: Names) -> bool:
        """Listen to these names outside the root, and to no others there. Whether some of them are new: what happened
        to those before was not heard, so whoever looked must look again."""
        if names == self._names:
            return False
        more = any(not of <= self._names.get(folder, frozenset()) for folder, of in names.items())
        before, self._beyond, self._names = self._beyond, None, names
        if names:
            self._beyond = Listener(names, partial(counts, names), self._hear, self._lost, deep=False)
            self._beyond.start()
        if before is not None:
            before.stop()
        return more

    def forget_keys(self) -> None:
        """Keys that were pressed before a plan was on the screen are not about that plan."""
        if self._keyboard is not None:
            with suppress(termios.error):
                termios.tcflush(self._keyboard, termios.TCIFLUSH)

    def restore(self) -> None:
        """Put the terminal back."""
        if self._keyboard is not None and self._settings is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._keyboard, termios.TCSANOW, self._settings)

    @contextmanager
    def telling(self, edited: Callable[[], None]) -> Iterator[None]:
        """Call `edited` in the listening thread at each edit, and at once for one that nobody has looked at yet."""
        with self._turn:
            self._told = edited
            if self._edited.is_set():
                edited()
        try:
            yield
        finally:
            with self._turn:
                self._told = None

    def _pending(self) -> Cause | Click | None:
        if self.stopped:
            return Cause.STOP
        if self._failure is not None:
            help = "on Linux the number of watched folders is bounded: sysctl fs.inotify.max_user_watches"
            raise ClipformError(f"files cannot be watched: {self._failure}", help=help, code="watch")
        if self._edited.is_set():
            self._edited.clear()
            return Cause.EDIT
        return self._clicks.take()

    def _key(self) -> Cause | None:
        assert self._keyboard is not None
        try:
            key = os.read(self._keyboard, 1)
        except OSError:  # the terminal is gone
            return Cause.QUIT
        return _KEYS.get(key) if key else Cause.QUIT

    def _take_keys(self) -> None:
        """One key at a time, not shown; Ctrl-C stays a signal."""
        if self._keyboard is not None:
            self._settings = termios.tcgetattr(self._keyboard)
            tty.setcbreak(self._keyboard, termios.TCSANOW)

    def _signal(self, number: int, frame: FrameType | None) -> None:
        """The first one ends the wait; another one while we are busy looking ends everything."""
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        self._rouse()

    def _rouse(self) -> None:
        with suppress(BlockingIOError):  # full: it is awake
            os.write(self._wake, b".")

    def _counts(self, path: str) -> bool:
        with suppress(ValueError):
            return not self._ours(Path(path).relative_to(self._root).as_posix())
        return True

    def _failed(self, error: Exception) -> None:
        self._failure = error
        self._rouse()

    def _lost(self, error: Exception) -> None:
        """A folder that went away while we turned to it is looked for again; anything else is a failure."""
        if not isinstance(error, FileNotFoundError):
            return self._failed(error)
        self._names = {}
        self._hear()

    def _forsake(self) -> None:
        if self._beyond is not None:
            self._beyond.stop()

    def _hear(self) -> None:
        with self._turn:
            self._edited.set()
            if self._told is not None:
                self._told()
        self._rouse()
