"""Gives diagnostics of the later stages the lines they speak of; the reader does it for its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.diagnostics import Diagnostic, Excerpt
from reconciler.spec.files import Files, Unreadable


def with_excerpts(items: Iterable[Diagnostic], files: Files) -> list[Diagnostic]:
    """The same diagnostics, each with its line and the one before it. The texts were sound enough to be parsed."""
    texts: dict[str, list[str]] = {}
    return [replace(item, excerpt=item.excerpt or _excerpt(item, files, texts)) for item in items]


def _excerpt(item: Diagnostic, files: Files, texts: dict[str, list[str]]) -> Excerpt | None:
    source = item.source
    if source is None:
        return None
    if source.file not in texts:
        try:
            texts[source.file] = files.read(source.file).decode("utf-8-sig", "replace").splitlines()
        except Unreadable:
            texts[source.file] = []
    lines = texts[source.file]
    if not 1 <= source.line <= len(lines):
        return None
    first = max(1, source.line - 1)
    return Excerpt(first, tuple(lines[first - 1 : source.line]))
