"""Listens to file changes with watchfiles, in a thread.

watchfiles uses the system's notifications (inotify, FSEvents, …). A network file system does not report the writes of
other machines; there the environment variable WATCHFILES_FORCE_POLLING makes watchfiles poll.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import watch

QUIET_MS = 20
"""A save is complete after this time without another change: an editor writes, renames and touches in one go."""
_MAX_DELAY_MS = 500
"""Changes that never pause are reported at this interval."""
_TICK_MS = 50
"""The interval of watchfiles' empty reports; the first one shows that it is listening."""


class FileListener:
    """Listens to folders from `start` until `stop`. Calls `on_change`, in the thread, for changed paths that `matters`
    accepts, and `on_failure` if listening fails. `recursive`: include subfolders."""

    def __init__(
        self,
        folders: Iterable[Path],
        matters: Callable[[str], bool],
        on_change: Callable[[], None],
        on_failure: Callable[[Exception], None],
        *,
        recursive: bool,
    ) -> None:
        self._folders, self._matters = tuple(folders), matters
        self._on_change, self._on_failure = on_change, on_failure
        self._recursive = recursive
        self._ready, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._listen, name="watch", daemon=True)

    def start(self) -> None:
        """Start listening; returns when every later change will be reported."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Stop listening; returns when no more calls will be made."""
        self._end.set()
        self._thread.join()

    def _listen(self) -> None:
        try:
            for changes in watch(
                *self._folders,
                watch_filter=lambda _, path: self._matters(path),
                debounce=_MAX_DELAY_MS,
                step=QUIET_MS,
                rust_timeout=_TICK_MS,
                yield_on_timeout=True,
                stop_event=self._end,
                recursive=self._recursive,
                ignore_permission_denied=True,
            ):
                self._ready.set()
                if changes:
                    self._on_change()
        except (OSError, RuntimeError) as error:
            self._on_failure(error)
        finally:
            self._ready.set()
