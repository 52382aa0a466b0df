"""Places the subtitles of a film beside it, under its name, and removes them with it.

They are a copy of the file that the film names. Which copies are ours, the films' documents say: no other record has
them, and a file with other content at that path stays.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from reconciler.artifacts.place import Placer
from reconciler.diagnostics import ArtifactError
from reconciler.engine.attempt.context import Ports
from reconciler.engine.run.records import RunRecords
from reconciler.plan.model import Action, Step
from reconciler.records import Artifact, Placed

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")


def place_beside(step: Step, ports: Ports, placer: Placer, records: RunRecords) -> None:
    """Put the subtitles of a film at its side, if it has such. Raises ArtifactError for a file of the user's there."""
    sha256 = _sha256(step.document)
    source = records.files.get(sha256)
    if source is None or step.output is None or step.action is Action.NOOP:
        return
    suffix = PurePosixPath(source).suffix.lower()
    stored = ports.objects.add((ports.inputs.root / source).resolve(), suffix)
    if stored.sha256 != sha256:
        raise ArtifactError(f"{source} changed after the plan was made", help="run the command again")
    target, bound = _beside(step.output, suffix), records.bindings.get(step.ident)
    before = _sha256(bound.document) if bound is not None else ""
    placer.place(target, Artifact(stored.sha256, stored.size, suffix), Placed(target, before, 0, 0, 0))


def remove_beside(step: Step, placer: Placer, records: RunRecords) -> None:
    """Remove the subtitles beside a film that is removed, unless they were edited."""
    bound = records.bindings.get((step.clip, step.take))
    if step.output is not None and bound is not None and (sha256 := _sha256(bound.document)):
        for suffix in SUFFIXES:
            target = _beside(step.output, suffix)
            placer.remove(target, Placed(target, sha256, 0, 0, 0))


def _sha256(document: str) -> str:
    """Return the content of the subtitles beside a film; empty for a film without such, and for a clip."""
    subtitles = json.loads(document).get("subtitles", {}) if document else {}
    return str(subtitles["sha256"]) if subtitles.get("as") == "beside" else ""


def _beside(output: str, suffix: str) -> str:
    return str(PurePosixPath(output).with_suffix(suffix))
