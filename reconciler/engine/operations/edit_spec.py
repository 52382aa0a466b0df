"""`retake` and `pick`: change a number in the YAML in place, so that git shows who chose what."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from reconciler.diagnostics import ClipformError, Refused, UsageError
from reconciler.next_command import command
from reconciler.project.workspace import Workspace
from reconciler.spec.edit import set_field
from reconciler.spec.load import read_project
from reconciler.spec.project import Clip
from reconciler.state import disk


@dataclass(frozen=True, slots=True)
class Edit:
    """One changed value."""

    file: str
    clip: str
    field: str
    value: int

    def data(self) -> dict[str, object]:
        """Return it as a JSON document."""
        return asdict(self)


def retake(workspace: Workspace, name: str) -> Edit:
    """Raise `retake` by one. Raises ClipformError for a protected clip: its video would be replaced."""
    clips = _named(workspace, name)
    if any(clip.spec.protect for clip in clips):
        raise ClipformError(f"{name} is protected", help="remove `protect` first", code="protected")
    return _set(workspace, clips[0], name, "retake", max(clip.spec.retake for clip in clips) + 1)


def pick(workspace: Workspace, name: str, take: int) -> Edit:
    """Set `pick`. Raises UsageError for a take that the clip does not have."""
    clips = _named(workspace, name)
    fewest = min(clip.spec.takes for clip in clips)
    if take > fewest:
        text = f"{name} has {fewest} take{'' if fewest == 1 else 's'}, not {take}"
        raise UsageError(text, help="raise `takes` first")
    return _set(workspace, clips[0], name, "pick", take)


def _named(workspace: Workspace, name: str) -> list[Clip]:
    """Return the clip of that name, or all clips of the declaration of that name."""
    clips = read_project(workspace.files).clips
    named = [clip for clip in clips if clip.name == name] or [clip for clip in clips if clip.declared == name]
    if not named:
        raise UsageError(f"no clip is named '{name}'", help=f"{command('status')} lists all clips")
    return named


def _set(workspace: Workspace, clip: Clip, name: str, field: str, value: int) -> Edit:
    assert clip.where is not None
    file = clip.where.file
    text = workspace.files.read(file).decode("utf-8")
    replace_file(workspace, file, text, set_field(text, file, name, field, value))
    return Edit(file, name, field, value)


def replace_file(workspace: Workspace, file: str, before: str, after: str) -> None:
    """Replace a spec file atomically. Raises ClipformError for a symlink out of the project, and Refused if the file is
    no longer as it was read."""
    root, target = Path(os.path.realpath(workspace.root)), Path(os.path.realpath(workspace.root / file))
    if not target.is_relative_to(root):
        raise ClipformError(f"{file} is a symlink that leads out of the project", help="make the change there")
    if workspace.files.read(file) != before.encode("utf-8"):
        raise Refused(f"{file} was changed meanwhile", help="run the command again", code="conflict")
    with disk.translated(f"write {file}"):
        disk.replace(target, after.encode("utf-8"))
