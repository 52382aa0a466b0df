"""`fmt`: bring the files of a project into the common layout, without a change to any clip."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler.diagnostics import ClipformError, SpecError
from reconciler.project.workspace import Workspace
from reconciler.spec.files import EditedFiles
from reconciler.spec.layout import formatted
from reconciler.spec.load import read_partly
from reconciler.spec.project import Project
from reconciler.state import disk

_UNREADABLE = ("yaml-syntax", "unreadable")


def unformatted(workspace: Workspace, *, sort: bool) -> dict[str, str]:
    """Return the new texts of the files whose layout is another. Raises SpecError for a project that is not YAML."""
    project, problems = read_partly(workspace.files, workspace.overlay)
    if project is None or any(problem.code in _UNREADABLE for problem in problems):
        raise SpecError(problems)
    before = {name: workspace.files.read(name).decode("utf-8") for name in project.files}
    after = {name: formatted(text, name, sort=sort) for name, text in before.items()}
    texts = {name: text for name, text in after.items() if text != before[name]}
    files = workspace.files
    for name, text in texts.items():
        files = EditedFiles(files, name, text)
    same, _ = read_partly(files, workspace.overlay)
    if same is None or _meaning(same) != _meaning(project):
        raise ClipformError("the project would read differently, so nothing was changed", help="", code="edit")
    return texts


def write_texts(workspace: Workspace, texts: Mapping[str, str]) -> None:
    """Replace files atomically. Raises ClipformError for a link that leads out of the project."""
    root = Path(os.path.realpath(workspace.root))
    for name, text in texts.items():
        target = Path(os.path.realpath(workspace.root / name))
        if not target.is_relative_to(root):
            raise ClipformError(f"{name} is a symlink that leads out of the project", help="format it there")
        with disk.translated(f"write {name}"):
            disk.replace(target, text.encode("utf-8"))


def _meaning(project: Project) -> object:
    """Return all that a project declares, without the places."""
    clips = {clip.name: (clip.declared, clip.matrix, clip.spec) for clip in project.clips}
    providers = {alias: config.spec for alias, config in project.providers.items()}
    return (
        clips,
        providers,
        project.budget,
        project.publish,
        project.cache,
        project.state,
        project.notify,
        project.allowed_inputs,
    )
