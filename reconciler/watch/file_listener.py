"""One thread of watchfiles: it says that something happened, and nothing else.

watchfiles picks what the system offers (inotify, FSEvents, …). A network file system tells nobody what other machines
write to it; there the environment variable WATCHFILES_FORCE_POLLING makes watchfiles look for itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import watch

QUIET_MS = 20
"""A save is over when nothing more happened for this long: an editor writes, renames and touches in one go."""
_LONGEST_MS = 500
"""A folder that never comes to rest is looked at this often."""
_TICK_MS = 50
"""How often the thread shows that it is listening; only its first sign is waited for."""


class Listener:
    """Listens to folders from `start` on, until `stop`. `counts` is asked about each path, `heard` is called in the
    thread for those that count, and `failed` when nothing can be heard any more."""

    def __init__(
        self,
        folders: Iterable[Path],
        counts: Callable[[str], bool],
        heard: Callable[[], None],
        failed: Callable[[Exception], None],
        *,
        deep: bool,
    ) -> None:
        self._folders, self._counts, self._heard, self._failed = tuple(folders), counts, heard, failed
        self._deep = deep
        self._ready, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._listen, name="watch", daemon=True)

    def start(self) -> None:
        """Returns when it listens: what is saved from now on is heard."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Returns when it says nothing any more."""
        self._end.set()
        self._thread.join()

    def _listen(self) -> None:
        """Every change that counts, as one word."""
        try:
            for changes in watch(
                *self._folders,
                watch_filter=lambda _, path: self._counts(path),
                debounce=_LONGEST_MS,
                step=QUIET_MS,
                rust_timeout=_TICK_MS,
                yield_on_timeout=True,
                stop_event=self._end,
                recursive=self._deep,
                ignore_permission_denied=True,
            ):
                self._ready.set()
                if changes:
                    self._heard()
        except (OSError, RuntimeError) as error:
            self._failed(error)
        finally:
            self._ready.set()
