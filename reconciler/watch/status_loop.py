"""`status --watch`: shows the status, and again after each change of the state or of files. It only reads.

The work of another process is visible in the state that it writes. The state is committed at each transition of a task
and contains no percentages, so a running task is shown with its phase, its start, and how long such tasks usually take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.diagnostics import ClipformError, Diagnostic, UsageError
from reconciler.project.model import Choice
from reconciler.project.shared_state import offline_warning
from reconciler.project.workspace import Workspace
from reconciler.state.paths import DATABASE, DRAFTS, STATE
from reconciler.views.base import StatusRow, View
from reconciler.views.status import status
from reconciler.watch.decide import Cause, Click
from reconciler.watch.page_requests import PageRequests
from reconciler.watch.wait import EventWaiter
from reconciler.watch.watched_paths import is_part, names_to_watch

_IDLE_RATIO = 4
"""Reading may take a fifth of the time: a process that applies a thousand clips needs the machine more."""
_SHARED = 5.0
"""Seconds between two looks at a shared state, which other machines change."""


@dataclass(slots=True)
class StatusLoop:
    """One session. `keyboard`: the descriptor of a terminal to read keys from, None without one."""

    workspace: Workspace
    choice: Choice
    view: View
    keyboard: int | None = None
    rows: Sequence[StatusRow] | None = None  # on the screen
    errors: str = ""
    warnings: Sequence[Diagnostic] = ()

    def run(self) -> int:
        """Run until the user ends it, and return the exit code. Raises ClipformError if files cannot be watched."""
        clock = self.workspace.clock
        self.workspace.remember()
        with EventWaiter(self.workspace.root, self.keyboard, self._is_irrelevant, PageRequests()) as events:
            while True:
                began = clock.monotonic()
                self._refresh()
                if events.watch_paths(names_to_watch(self.workspace.root, self.workspace.beyond())):
                    self._refresh()
                end = clock.monotonic()
                cause: Cause | Click | None = events.pause(end + _IDLE_RATIO * (end - began), clock.monotonic)
                cause = cause or (events.within(_SHARED) if self.workspace.shares_state else events.wait())
                if cause in (Cause.QUIT, Cause.STOP):
                    self.view.close()
                    return 130 if cause is Cause.STOP else 0

    def _refresh(self) -> None:
        """Show the rows if they differ from those on the screen. The errors of a project are shown once."""
        draft = self.choice.draft
        try:
            planned = self.workspace.plan(self.choice, self.workspace.load(draft))
        except ClipformError as error:
            if isinstance(error, UsageError) and self.rows is None:
                raise  # an unknown name on the command line
            if error.message != self.errors:
                self.view.error(error)
            self.errors = error.message
            return
        rows, warnings = status(planned, self.workspace.clock.now()), offline_warning(self.workspace.as_of)
        if self.errors or self.rows is None or _facts(rows) != _facts(self.rows) or warnings != self.warnings:
            self.view.follow(rows, warnings, keys=self.keyboard is not None)
        self.rows, self.errors, self.warnings = rows, "", warnings

    def _is_irrelevant(self, path: str) -> bool:
        """True if a change at a path changes no row: git's files, temporary files, and all of the state except its
        database. Drafts have a database of their own."""
        folder, _, name = path.partition("/")
        database = f"{DRAFTS}/{DATABASE}" if self.choice.draft else DATABASE
        return folder == ".git" or is_part(path) or (folder == STATE and name != database)


def _facts(rows: Sequence[StatusRow]) -> list[StatusRow]:
    """Return the rows without the fields that change with time alone."""
    return [replace(row, age=None, since=None) for row in rows]
