"""Files beside the project file that clipform writes for git: the lock file and the approvals."""

from __future__ import annotations

from pathlib import Path

from reconciler.diagnostics import ClipformError, Diagnostic, Severity, Source
from reconciler.next_command import command
from reconciler.plan.approvals import ApprovalBook
from reconciler.state import disk
from reconciler.state.paths import APPROVALS, LOCK_FILE

LIMIT = 64 << 20
_NOUNS = {LOCK_FILE: "a lock file", APPROVALS: "a file of approvals"}


def text_of(root: Path, name: str, seen: disk.Seen) -> str | None:
    """Return the text of a file; None if there is none. Its stamp goes to `seen`. Raises ClipformError."""
    path = root / name
    seen.setdefault(str(path), (str(path), disk.stamp(path)))
    if not path.exists():
        return None
    if not path.is_file() or path.stat().st_size > LIMIT:
        raise ClipformError(f"{name} is not {_NOUNS[name]}", help="restore it from git", code="lock-file")
    return path.read_bytes().decode("utf-8", "replace")


def faults(book: ApprovalBook) -> tuple[Diagnostic, ...]:
    """Return a warning for each line that approves nothing."""
    return tuple(
        Diagnostic(
            "approval-line",
            f"this line approves nothing: it is not as {command('approve')} wrote it",
            Source(APPROVALS, number, 1),
            "remove it, and approve again",
            Severity.WARNING,
        )
        for number, _ in book.faults
    )
