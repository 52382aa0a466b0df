"""Find the files that a rename in a fresh clone may move.

Nothing but the lock file calls such a file clipform's, and a stranger may have written that. So git must have the file,
too: then it came with the project, and its bytes cannot be lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from reconciler.plan.facts import only_in_lock
from reconciler.plan.model import OutputFact
from reconciler.project.git import tracked
from reconciler.project.model import Loaded
from reconciler.records import LockEntry, Snapshot


def movable(
    root: Path, loaded: Loaded, records: Snapshot, locked: Mapping[str, LockEntry], outputs: Mapping[str, OutputFact]
) -> frozenset[str]:
    """Return the paths that hold the video of one take by the lock file alone, and that nothing declares."""
    alone = only_in_lock(records, locked)
    times = Counter(w.key for w in loaded.wanted if w.key in alone)
    lines = {line.output: line for line in map(locked.__getitem__, times) if line.output and times[line.key] == 1}
    if not lines:
        return frozenset()
    elsewhere = lines.keys() - {w.output for w in loaded.wanted} - loaded.inputs
    paths = {path for path in elsewhere if outputs[path].sha256 == lines[path].sha256}
    return frozenset(tracked(root, *sorted(paths)) or ()) & paths if paths else frozenset()
