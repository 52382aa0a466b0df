"""Places the subtitles of a film beside it, under its name, and removes them with it.

They are a copy of the file that the film names, and on record as an output is: so a copy that is missing is placed
again, one that was edited stays, and a file of the user's at that path is never replaced or removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from reconciler.artifacts.place import Placer
from reconciler.diagnostics import ArtifactError
from reconciler.engine.attempt.context import Ports
from reconciler.engine.run.records import RunRecords
from reconciler.plan.model import Action, Step
from reconciler.records import Artifact, Placed
from reconciler.spec.cut_fields import SUBTITLE_FILES, beside


def place_beside(step: Step, ports: Ports, placer: Placer, records: RunRecords) -> None:
    """Put the subtitles of a film beside it, if it has such, and remove those of an earlier version of it. Raises
    ArtifactError for a file of the user's there."""
    sha256 = _sha256(step.document)
    source = records.files.get(sha256)
    target = "" if source is None or step.output is None else beside(step.output, source)
    bound = records.bindings.get(step.ident)
    for path in _recorded(bound.output if bound is not None else None, records):
        if path != target:
            _remove(path, step.clip, ports, placer, records)
    if source is None or not target:
        return
    before = records.placed.get(target)
    if step.action is Action.NOOP:
        placed = placer.record(target, sha256)  # git may have brought it
    else:
        placed = placer.place(target, _stored(source, sha256, ports), before)
    if placed is not None and placed != before:
        ports.store.desk.record_placed(placed, step.clip)
        records.placed[target] = placed


def remove_beside(step: Step, ports: Ports, placer: Placer, records: RunRecords) -> None:
    """Remove the subtitles beside a film that is removed, unless they were edited."""
    for path in _recorded(step.output, records):
        _remove(path, step.clip, ports, placer, records)


def _stored(source: str, sha256: str, ports: Ports) -> Artifact:
    suffix = PurePosixPath(source).suffix.lower()
    stored = ports.objects.add((ports.inputs.root / source).resolve(), suffix)
    if stored.sha256 != sha256:
        raise ArtifactError(f"{source} changed after the plan was made", help="run the command again")
    return Artifact(stored.sha256, stored.size, suffix)


def _recorded(output: str | None, records: RunRecords) -> Iterator[str]:
    """Yield where subtitles were placed beside an output."""
    paths = (beside(output, suffix) for suffix in SUBTITLE_FILES) if output is not None else ()
    yield from [path for path in paths if path in records.placed]


def _remove(path: str, clip: str, ports: Ports, placer: Placer, records: RunRecords) -> None:
    placed: Placed = records.placed.pop(path)
    placer.remove(path, placed)
    ports.store.desk.record_unplaced(path, clip)


def _sha256(document: str) -> str:
    """Return the content of the subtitles beside a film; empty for a film without such, and for a clip."""
    subtitles = json.loads(document).get("subtitles", {}) if document else {}
    return str(subtitles["sha256"]) if subtitles.get("as") == "beside" else ""
