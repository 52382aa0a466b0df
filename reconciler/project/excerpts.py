"""Add source lines to the diagnostics of stages after the reader, which adds its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.diagnostics import Diagnostic
from reconciler.spec.files import Files, Unreadable
from reconciler.spec.load import excerpt, shown_lines


def with_excerpts(items: Iterable[Diagnostic], files: Files) -> list[Diagnostic]:
    """Return the diagnostics, each with its line and the one before it; without them if the file cannot be read."""
    diagnostics = list(items)
    lines = {name: _lines(name, files) for name in {item.source.file for item in diagnostics if item.source}}
    return [replace(item, excerpt=item.excerpt or excerpt(item.source, lines)) for item in diagnostics]


def _lines(name: str, files: Files) -> list[str]:
    try:
        return shown_lines(name, files.read(name))
    except Unreadable:
        return []
