"""The results on record, as the origins that a video file may have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.frozen import dataclass
from reconciler.project.versions import Version, versions
from reconciler.project.workspace import Workspace
from reconciler.records import Generation, LockEntry, Provenance

SAME_BYTES: Final = "same bytes"
CARRIES_TAG: Final = "carries our tag"
SIGNED: Final = "C2PA"
SAME_PICTURES: Final = "same pictures"


@dataclass(frozen=True, slots=True)
class Origin:
    """A take whose result a file is. `created` is UTC seconds, 0 if unknown; `commit` names the commit that brought its
    line of the lock file, and who made it."""

    clip: str
    take: int
    key: str
    sha256: str
    made: Provenance
    draft: bool = False
    created: float = 0.0
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a file is. `how` is one of the words above, or empty: then it is not from this project. `problem` says what
    kept it from being looked at, or why its tag is not believed. `distance` is of 256, as `fingerprints.distance`
    does."""

    file: str
    how: str = ""
    origins: tuple[Origin, ...] = ()
    distance: int | None = None
    problem: str = ""


def origins_of(workspace: Workspace) -> Iterator[Origin]:
    """Yield every result on record: of the state, of the drafts, and of the lock file."""
    seen = set[tuple[str, str, int]]()
    for draft in (False, True):
        takes = versions(workspace.events(draft), workspace.snapshot(draft))
        for version in (version for each in takes.values() for version in each):
            if version.result is not None:
                seen.add((version.result.sha256, version.clip, version.take))
                yield _of_version(version, version.result, draft)
    for entry in workspace.lock_entries():
        if (entry.sha256, entry.clip, entry.take) not in seen:
            yield _of_line(entry)


def _of_version(version: Version, result: Generation, draft: bool) -> Origin:
    return Origin(version.clip, version.take, version.key, result.sha256, result, draft, result.created)


def _of_line(entry: LockEntry) -> Origin:
    return Origin(entry.clip, entry.take, entry.key, entry.sha256, entry)
