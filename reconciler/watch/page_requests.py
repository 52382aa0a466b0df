"""A queue of the clicks on a page, for the watch loop. Thread-safe.

The loop handles a click like a key, under the same lock and with the same checks. A click on a step that is running or
already requested is refused: if the first request fails, the second must not buy the clip again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from reconciler.plan.subset import Ident
from reconciler.watch.decide import Cause, Click


class PageRequests:
    """The queue. It wakes the loop, and can interrupt a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Cause | Click] = deque()
        self._current: Cause | Click | None = None  # taken, and still being handled
        self._running: frozenset[Ident] = frozenset()
        self._wake: Callable[[], None] | None = None
        self._interrupt: Callable[[], None] | None = None
        self._stopped = False

    # --- called by a page ---------------------------------------------------------------------

    def apply(self, clips: tuple[str, ...] | None, steps: frozenset[Ident], mark: str) -> bool:
        """Request an apply of these clips (None: all) if their part of the plan still has the fingerprint `mark`. False
        if one of `steps` is running or already requested."""
        click = Click(clips, mark, steps)
        with self._lock:
            clicks = (cause for cause in (*self._waiting, self._current) if isinstance(cause, Click))
            if not self._running.isdisjoint(steps) or any(earlier.steps & steps for earlier in clicks):
                return False
            self._waiting.append(click)
        self._wake_loop()
        return True

    def skip(self) -> None:
        """Skip the plan on the screen, like the key `s`."""
        with self._lock:
            self._waiting.append(Cause.SKIP)
        self._wake_loop()

    def stop(self) -> bool:
        """Interrupt the run and drop all waiting requests; False if there is neither."""
        with self._lock:
            stoppable = self._interrupt is not None or bool(self._waiting)
            self._waiting.clear()
            if self._interrupt is not None:
                self._stopped = True
                self._interrupt()
        return stoppable

    # --- called by the loop -------------------------------------------------------------------

    def take(self) -> Cause | Click | None:
        """Return the next request, if any; the previous one counts as finished."""
        with self._lock:
            self._current = self._waiting.popleft() if self._waiting else None
            return self._current

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call `wake`, in any thread, for each request."""
        with self._lock:
            self._wake = wake
        try:
            yield
        finally:
            with self._lock:
                self._wake = None

    @contextmanager
    def running(self, steps: Collection[Ident], interrupt: Callable[[], None]) -> Iterator[None]:
        """Mark the steps as running; a page's stop calls `interrupt`, in any thread."""
        with self._lock:
            self._running, self._interrupt, self._stopped = frozenset(steps), interrupt, False
        try:
            yield
        finally:
            with self._lock:
                self._running, self._interrupt = frozenset(), None

    @property
    def stopped(self) -> bool:
        """True if a page stopped the last run."""
        return self._stopped

    def _wake_loop(self) -> None:
        with self._lock:
            if self._wake is not None:
                self._wake()
