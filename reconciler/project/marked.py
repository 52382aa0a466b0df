"""Find the marked copies that a project wants, and what is known of those that exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reconciler.artifacts.files import cache_entries
from reconciler.frozen import dataclass
from reconciler.plan.marks import Marking, marking
from reconciler.project.model import Loaded
from reconciler.records import Snapshot


@dataclass(frozen=True, slots=True)
class Copy:
    """A marked copy on record: its key, the artifact that it shows, and its own content."""

    key: str
    source: str
    sha256: str


def copies(file: Path) -> dict[str, Copy]:
    """Return the copies on record, by path. The file may be lost: copies are made again."""
    rows = (entry for entry in cache_entries(file) if isinstance(entry[1], list) and len(entry[1]) == 3)
    return {path: Copy(*map(str, values)) for path, values in rows}


def markings(loaded: Loaded, records: Snapshot) -> Iterator[Marking]:
    """Yield the copy of each output whose take, or film, holds what the project wants now."""
    settings = loaded.project.provenance
    if settings is None or not settings.is_on():
        return
    for w in loaded.wanted:
        bound = records.bindings.get((w.clip, w.take))
        generation = records.generations.get(bound.key) if bound is not None else None
        if w.output is not None and bound is not None and bound.output == w.output and generation is not None:
            yield marking(w, bound.key, bound.document, generation.sha256, settings)
