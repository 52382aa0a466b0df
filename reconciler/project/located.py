"""Put the diagnostics of a project in order, each with its lines of source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.diagnostics import Diagnostic, Source
from reconciler.spec.files import Files, Unreadable
from reconciler.spec.load import excerpt, shown_lines
from reconciler.spec.problems import shared
from reconciler.spec.project import Project

NO_PLACES: Mapping[str, Source] = {}


def located(
    files: Files, problems: Sequence[Diagnostic], project: Project, others: Mapping[str, Source] = NO_PLACES
) -> list[Diagnostic]:
    """Sort diagnostics by file and place, and add their source lines: only the reader has added its own."""
    order = {name: i for i, name in enumerate(project.files)}
    nowhere = Source(project.name, 0, 0)

    def place(item: Diagnostic) -> tuple[int, int, int]:
        source = item.source or nowhere
        return (order.get(source.file, len(order)), source.line, source.column)

    lines = {name: _lines(files, name) for name in {item.source.file for item in problems if item.source}}
    complete = [replace(item, excerpt=item.excerpt or excerpt(item.source, lines)) for item in problems]
    named = any(item.clips for item in complete)  # without names no clip is read
    declared = {clip.declared: clip.where for clip in project.clips} if named else {}
    return sorted(shared(complete, {**declared, **others}), key=place)


def _lines(files: Files, name: str) -> list[str]:
    """Return the lines of a file to show; none if it cannot be read."""
    try:
        return shown_lines(name, files.read(name))
    except Unreadable:
        return []
