"""`state rm`: forget the result of a key, so that the next apply may buy it again."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.artifacts.shelf import Shelf
from reconciler.diagnostics import StateError
from reconciler.engine.run.lockfile_sync import count_lines
from reconciler.engine.run.session import Session
from reconciler.next_command import command
from reconciler.records import BLOCKED, OPEN, Attempt, State
from reconciler.state import lockfile
from reconciler.state.paths import LOCK_FILE


def require_settled(attempts: Sequence[Attempt]) -> None:
    """Raise StateError, with what to do first, if a request of a key is open or waits for a decision."""
    for attempt in attempts:
        if attempt.state in OPEN | BLOCKED:
            text = f"the request for {attempt.clip} is {attempt.state.value}, so its key is not forgotten"
            doing = "resolve" if attempt.state in BLOCKED else "apply"
            raise StateError(text, help=f"settle it first: {command(doing, attempt.clip)}", code="key-open")


def forget(session: Session, key: str) -> None:
    """Forget a result, what the shared cache says of it, and its line in the lock file of this working copy. Its video
    and its outputs stay where they are. Raises ArtifactError, with nothing done, if the shared cache does not answer:
    it would bring the result back."""
    store, path = session.store, session.workspace.root / LOCK_FILE
    snapshot = store.snapshot([key])
    if (section := session.workspace.load().project.cache) and section["push"] != "off":
        shelf = Shelf(section, session.workspace.env, session.workspace.state_dir(False))
        for rehearsal in (False, True):
            shelf.forget(key, rehearsal)
        shelf.memory.forget(snapshot.generations[key].sha256)
        shelf.memory.save()
    lines = session.workspace.lock_entries()
    count_lines(session, snapshot)
    session.receipts.make_room()
    attempts = [attempt for attempt in store.attempts(key) if attempt.state is State.DONE]
    with store.transaction():
        store.forget(key)
        for attempt in attempts:
            session.receipts.consent(attempt, "resubmit")
    if any(line.key == key for line in lines):
        lockfile.write(path, [line for line in lines if line.key != key])
