"""Waits for the next event of a watch: a saved file, a key, a click or a signal.

watchfiles runs in threads of its own, which only report that something was saved. The main thread sleeps in `select`
and handles keys and signals. Specs are below the root (their reader refuses others, symlinks included), so the root is
watched recursively, and a new file or a renamed folder needs no special case. Inputs in allowed folders outside the
root are watched by name (`watched_paths`).
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
from reconciler.watch.file_listener import FileListener
from reconciler.watch.page_requests import PageRequests
from reconciler.watch.watched_paths import Names, concerns

_KEYS = {key.value.encode(): key for key in (Cause.APPLY, Cause.SKIP, Cause.QUIT)}
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EventWaiter:
    """`with EventWaiter(…) as events:` listens until the end of the block, then restores the terminal and the signals.

    `keyboard` is the descriptor of a terminal to read keys from, None without one. `ignored` is called with a path
    relative to the root. For the main thread only, because Python handles signals there.
    """

    def __init__(
        self, root: Path, keyboard: int | None, ignored: Callable[[str], bool], requests: PageRequests
    ) -> None:
        self.stopped = False
        self._requests = requests
        self._root, self._keyboard, self._ignored = root, keyboard, ignored
        self._edited = threading.Event()
        self._names: Names = {}  # the names that are watched outside the root
        self._outside: FileListener | None = None
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._on_edit: Callable[[], None] | None = None
        self._settings: list[int | list[bytes | int]] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._wake_reader, self._wake_writer = os.pipe()
            for end in (self._wake_reader, self._wake_writer):
                os.set_blocking(end, False)
                stack.callback(os.close, end)
            stack.callback(self._stop_outside)
            inside = FileListener([self._root], self._is_edit, self._report_edit, self._fail, recursive=True)
            stack.callback(inside.stop)
            inside.start()  # before the first plan, so that no later save is missed
            stack.callback(self.restore)
            self._take_keys()
            stack.enter_context(self._requests.waking(self.wake))
            for number in _SIGNALS:
                stack.callback(signal.signal, number, signal.signal(number, self._signal))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def wait(self) -> Cause | Click:
        """Return the next event. Raises ClipformError if files can no longer be watched."""
        while (cause := self._pending()) is None:
            if (key := self._sleep()) is not None:
                return key
        return cause

    def within(self, seconds: float) -> Cause | Click | None:
        """Return the next event, None if none comes in so many seconds. Raises as `wait`."""
        return self._pending() or self._sleep(seconds) or self._pending()

    def pause(self, end: float, now: Callable[[], float]) -> Cause | None:
        """Wait until the time `end`, ignoring saved files. Returns the key or signal that ended it early, if any."""
        while not self.stopped and (remaining := end - now()) > 0:
            if self._sleep(remaining) is Cause.QUIT:
                return Cause.QUIT
        return Cause.STOP if self.stopped else None

    def after(self) -> Cause | Click:
        """Return the event after an apply: one that arrived meanwhile, else `Cause.AFTER`."""
        return self._pending() or Cause.AFTER

    def watch_paths(self, names: Names) -> bool:
        """Listen to exactly these names outside the root. True if some of them are new: their earlier changes were
        missed, so the caller must plan again."""
        if names == self._names:
            return False
        new = any(not wanted <= self._names.get(folder, frozenset()) for folder, wanted in names.items())
        previous, self._outside, self._names = self._outside, None, names
        if names:
            self._outside = FileListener(
                names, partial(concerns, names), self._report_edit, self._fail_outside, recursive=False
            )
            self._outside.start()
        if previous is not None:
            previous.stop()
        return new

    def forget_keys(self) -> None:
        """Discard keys that were pressed before the current plan was on the screen."""
        if self._keyboard is not None:
            with suppress(termios.error):
                termios.tcflush(self._keyboard, termios.TCIFLUSH)

    def restore(self) -> None:
        """Restore the terminal."""
        if self._keyboard is not None and self._settings is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._keyboard, termios.TCSANOW, self._settings)

    @contextmanager
    def reporting_edits(self, edited: Callable[[], None]) -> Iterator[None]:
        """Call `edited`, in the listening thread, for each edit, and at once for one that is still pending."""
        with self._lock:
            self._on_edit = edited
            if self._edited.is_set():
                edited()
        try:
            yield
        finally:
            with self._lock:
                self._on_edit = None

    def _pending(self) -> Cause | Click | None:
        if self.stopped:
            return Cause.STOP
        if self._failure is not None:
            help = "on Linux the number of watched folders is limited: sysctl fs.inotify.max_user_watches"
            raise ClipformError(f"files cannot be watched: {self._failure}", help=help, code="watch")
        if self._edited.is_set():
            self._edited.clear()
            return Cause.EDIT
        return self._requests.take()

    def _sleep(self, seconds: float | None = None) -> Cause | None:
        """Sleep until something happens; return the key that was pressed, if any."""
        sources = [self._wake_reader] if self._keyboard is None else [self._wake_reader, self._keyboard]
        ready, _, _ = select.select(sources, [], [], seconds)
        if self._wake_reader in ready:
            os.read(self._wake_reader, 4096)
        elif self._keyboard is not None and self._keyboard in ready:
            return self._key(self._keyboard)
        return None

    def _key(self, keyboard: int) -> Cause | None:
        try:
            key = os.read(keyboard, 1)
        except OSError:  # the terminal was closed
            return Cause.QUIT
        return _KEYS.get(key) if key else Cause.QUIT

    def _take_keys(self) -> None:
        """Read single keys without echo; Ctrl-C remains a signal."""
        if self._keyboard is not None:
            self._settings = termios.tcgetattr(self._keyboard)
            tty.setcbreak(self._keyboard, termios.TCSANOW)

    def _signal(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first one ends the wait, a second one raises KeyboardInterrupt, even during planning."""
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        self.wake()

    def wake(self) -> None:
        """End a wait early, from any thread."""
        with suppress(BlockingIOError):  # the pipe is full, so the main thread is awake
            os.write(self._wake_writer, b".")

    def _is_edit(self, path: str) -> bool:
        with suppress(ValueError):
            return not self._ignored(Path(path).relative_to(self._root).as_posix())
        return True

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self.wake()

    def _fail_outside(self, error: Exception) -> None:
        """Handle a failure outside the root. A folder that disappeared causes a new plan, which watches again."""
        if not isinstance(error, FileNotFoundError):
            return self._fail(error)
        self._names = {}
        self._report_edit()

    def _stop_outside(self) -> None:
        if self._outside is not None:
            self._outside.stop()

    def _report_edit(self) -> None:
        with self._lock:
            self._edited.set()
            if self._on_edit is not None:
                self._on_edit()
        self.wake()
