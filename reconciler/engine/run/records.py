"""The records of a run, in memory."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.engine.run.scheduler import Ident
from reconciler.records import Artifact, Attempt, Binding, Placed, Snapshot


@dataclass(slots=True)
class RunRecords:
    """The records of a run: as they were at the plan, with what the run has added since."""

    artifacts: dict[str, Artifact]
    sha256s: dict[str, str]  # of the artifact, by key
    placed: dict[str, Placed]
    bindings: dict[Ident, Binding]
    attempts: dict[str, Attempt]  # the newest of each key

    @classmethod
    def of(cls, snapshot: Snapshot) -> RunRecords:
        """Return the records at the start of a run."""
        sha256s = {key: generation.sha256 for key, generation in snapshot.generations.items()}
        artifacts, placed = dict(snapshot.artifacts), dict(snapshot.placed)
        return cls(artifacts, sha256s, placed, dict(snapshot.bindings), dict(snapshot.attempts))
