"""Removes what a process that died left on its way to a place."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from reconciler.diagnostics import ArtifactError
from reconciler.engine.run.session import Session
from reconciler.project.model import Planned
from reconciler.state import disk
from reconciler.state.paths import APPROVALS, LOCK_FILE, SPECS, STATE

_REPLACING = re.compile(r"\.(.+)\.[0-9a-f]{16}\.part")
"""What `disk.replace` calls a file on its way; the group is the name it will have."""


def sweep(session: Session, planned: Planned) -> None:
    """Remove what a dead process left beside outputs, specs, lock file, approvals and hashes: only names of ours."""
    outputs = {*planned.disk.outputs, *(b.output for b in planned.snapshot.bindings.values() if b.output)}
    for output in {path.rpartition("/")[0]: path for path in sorted(outputs)}.values():
        with suppress(ArtifactError):  # the step that needs the folder reports that it cannot be reached
            session.placer.sweep([output])
    if session.draft:
        return  # these files belong to the session of paid clips, which may be running
    root = session.workspace.root
    names = (*planned.loaded.project.files, LOCK_FILE, *(f"{STATE}/{name}" for name in ("hashes", "seal", SPECS)))
    _remove({root / name for name in names})
    with suppress(OSError), disk.turn(root, wait=False):  # who approves has no session
        _remove({root / APPROVALS})


def _remove(replaced: Collection[Path]) -> None:
    """Remove what was to replace these files."""
    for folder in {path.parent for path in replaced}:
        with suppress(OSError):
            for stray in folder.glob(".*.part"):
                match = _REPLACING.fullmatch(stray.name)
                if match and folder / match[1] in replaced:
                    stray.unlink()
