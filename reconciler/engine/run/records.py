"""The records of a run, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.engine.run.scheduler import Ident
from reconciler.plan.model import Step
from reconciler.project.orders import Order
from reconciler.records import Artifact, Attempt, Binding, Placed, Snapshot


@dataclass(slots=True)
class RunRecords:
    """The records of a run: as they were at the plan, with what the run has added since."""

    artifacts: dict[str, Artifact]
    sha256s: dict[str, str]  # of the artifact, by key
    placed: dict[str, Placed]
    bindings: dict[Ident, Binding]
    attempts: dict[str, Attempt]  # the newest of each key
    files: Mapping[str, str] = field(default_factory=dict)  # paths of the local inputs of films, by SHA-256

    @classmethod
    def of(cls, snapshot: Snapshot, files: Mapping[str, str]) -> RunRecords:
        """Return the records at the start of a run."""
        sha256s = {key: generation.sha256 for key, generation in snapshot.generations.items()}
        artifacts, placed = dict(snapshot.artifacts), dict(snapshot.placed)
        return cls(artifacts, sha256s, placed, dict(snapshot.bindings), dict(snapshot.attempts), files)


def binding_of(step: Step, order: Order | None) -> Binding | None:
    """Return what a take holds after its step: what its order wants, or, of a film, what the step made."""
    if order is not None:
        wanted = order.wanted
        return Binding(wanted.clip, wanted.take, wanted.key, wanted.output, wanted.document, wanted.protect)
    return Binding(step.clip, step.take, step.key, step.output, step.document) if step.document else None
