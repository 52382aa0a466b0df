"""What a page asks of the loop, from any thread. Nothing is decided here but whether a click came twice.

A click is carried out by the loop, under the same lock and the same promises as a key. One that is about a step which
is under way already, or waiting its turn, is refused: when the first one fails, the second must not buy it again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from reconciler.watch.decide import Cause, Click, Ident


class Clicks:
    """A queue that wakes whoever listens, and the way to interrupt a run."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting: deque[Cause | Click] = deque()
        self._current: Cause | Click | None = None  # taken, and not finished with
        self._under_way: frozenset[Ident] = frozenset()
        self._wake: Callable[[], None] | None = None
        self._interrupt: Callable[[], None] | None = None
        self._stopped = False

    # --- asked by a page ----------------------------------------------------------------------

    def apply(self, clips: tuple[str, ...] | None, steps: frozenset[Ident], mark: str) -> bool:
        """Carry out what these clips are and need, if it is then still what `mark` names; False for what is under way
        or asked for already."""
        click = Click(clips, mark, steps)
        with self._turn:
            asked = (item for item in (*self._waiting, self._current) if isinstance(item, Click))
            if not self._under_way.isdisjoint(steps) or any(item.steps & steps for item in asked):
                return False
            self._waiting.append(click)
        self._rouse()
        return True

    def skip(self) -> None:
        """As the key `s`."""
        with self._turn:
            self._waiting.append(Cause.SKIP)
        self._rouse()

    def stop(self) -> bool:
        """Interrupt the run that goes on and forget what waits; False when nothing does."""
        with self._turn:
            something = self._interrupt is not None or bool(self._waiting)
            self._waiting.clear()
            if self._interrupt is not None:
                self._stopped = True
                self._interrupt()
        return something

    # --- asked by the loop --------------------------------------------------------------------

    def take(self) -> Cause | Click | None:
        """The next one, if any; the one before it is over."""
        with self._turn:
            self._current = self._waiting.popleft() if self._waiting else None
            return self._current

    @contextmanager
    def heard_by(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call `wake`, in whatever thread, when something is asked."""
        with self._turn:
            self._wake = wake
        try:
            yield
        finally:
            with self._turn:
                self._wake = None

    @contextmanager
    def running(self, steps: Collection[Ident], interrupt: Callable[[], None]) -> Iterator[None]:
        """While a run goes on: `interrupt` is called, in whatever thread, when a page says stop."""
        with self._turn:
            self._under_way, self._interrupt, self._stopped = frozenset(steps), interrupt, False
        try:
            yield
        finally:
            with self._turn:
                self._under_way, self._interrupt = frozenset(), None

    @property
    def stopped(self) -> bool:
        """Whether the last run was stopped from a page."""
        return self._stopped

    def _rouse(self) -> None:
        with self._turn:
            if self._wake is not None:
                self._wake()
