"""The lines of `clipform.lock`, as a plan asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from reconciler.frozen import dataclass
from reconciler.records import LockEntry
from reconciler.state import lockfile


@dataclass(frozen=True, slots=True)
class LockLines:
    """The lock file's entries, as written and by key."""

    entries: tuple[LockEntry, ...] = ()
    by_key: Mapping[str, LockEntry] = field(default_factory=dict)


def parse(text: str, name: str) -> LockLines:
    """Return the lines of a lock file. Raises SpecError."""
    entries = lockfile.loads(text, name)
    by_key = {entry.key: entry for entry in sorted(entries, key=lambda entry: entry.output is not None)}
    return LockLines(entries, by_key)  # of several takes with one key, the one that says where the video was placed
