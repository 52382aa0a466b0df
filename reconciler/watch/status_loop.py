"""`status --watch`: look, show, wait for a change of state or files, look again. It only ever reads.

What another process does is seen in the state that it writes. That is committed at each move of a task, and holds no
percentages: a task in flight is shown with its phase, since when, and how long such tasks took before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.diagnostics import ClipformError, UsageError
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace
from reconciler.state.paths import DATABASE, DRAFTS, STATE
from reconciler.views.base import StatusRow, View
from reconciler.views.status import status
from reconciler.watch.decide import Cause, is_part
from reconciler.watch.page_requests import Clicks
from reconciler.watch.wait import EventWaiter
from reconciler.watch.watched_paths import ways

_SHARE = 4
"""A look may take a fifth of the time: whoever applies a thousand clips needs the machine more than the watcher."""


@dataclass(slots=True)
class Follow:
    """One session. `keyboard`: a terminal's descriptor, None where nobody can press a key."""

    workspace: Workspace
    choice: Choice
    view: View
    keyboard: int | None = None
    shown: Sequence[StatusRow] | None = None
    complaint: str = ""

    def run(self) -> int:
        """Until the user ends it; the exit code. Raises ClipformError when it cannot go on."""
        clock = self.workspace.clock
        self.workspace.remember()
        with EventWaiter(self.workspace.root, self.keyboard, self._is_nothing, Clicks()) as ears:
            while True:
                began = clock.monotonic()
                self._look()
                if ears.attend(ways(self.workspace.root, self.workspace.beyond())):
                    self._look()
                end = clock.monotonic()
                cause = ears.pause(end + _SHARE * (end - began), clock.monotonic) or ears.wait()
                if cause in (Cause.QUIT, Cause.STOP):
                    self.view.close()
                    return 130 if cause is Cause.STOP else 0

    def _look(self) -> None:
        """Show the rows, if they are others than those on the screen; a project that cannot be read is told once."""
        draft = self.choice.draft
        try:
            planned = self.workspace.plan(self.choice, self.workspace.load(draft))
        except ClipformError as error:
            if isinstance(error, UsageError) and self.shown is None:
                raise  # a name that never meant a clip is a wrong command line
            if error.message != self.complaint:
                self.view.error(error)
            self.complaint = error.message
            return
        rows = status(planned, self.workspace.clock.now())
        if self.complaint or self.shown is None or _facts(rows) != _facts(self.shown):
            self.view.follow(rows, keys=self.keyboard is not None)
        self.shown, self.complaint = rows, ""

    def _is_nothing(self, path: str) -> bool:
        """Whether what happens at a path changes no row: git's files, our temporary ones, and all of the state but its
        database. The one of the drafts is another than that of the paid clips."""
        first, _, rest = path.partition("/")
        database = f"{DRAFTS}/{DATABASE}" if self.choice.draft else DATABASE
        return first == ".git" or is_part(path) or (first == STATE and rest != database)


def _facts(rows: Sequence[StatusRow]) -> list[StatusRow]:
    """The rows without what changes by itself as time goes by."""
    return [replace(row, age=None, since=None) for row in rows]
