"""What only the lock file knows, taken into the records: in a fresh clone it is the only memory of what was made."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from reconciler.artifacts.store import Health
from reconciler.diagnostics import ArtifactError
from reconciler.engine.run.session import Session
from reconciler.media.mp4 import read_mp4
from reconciler.project.model import Loaded
from reconciler.project.workspace import LOCK_FILE
from reconciler.records import Artifact, Binding, Generation, LockEntry, Placed
from reconciler.state import lockfile
from reconciler.state.lockfile import FILE

if TYPE_CHECKING:
    from reconciler.engine.run.session import Session
    from reconciler.plan.model import Step
    from reconciler.project.model import Planned

_VERIFY: Final = "clipform verify lists what is"


class LockfileAdopter:
    """Adopts for one run what its plan took from the lock file."""

    def __init__(self, session: Session, planned: Planned) -> None:
        self._session, self._planned = session, planned

    def artifact(self, step: Step) -> Artifact:
        """What a step's key is. Raises ArtifactError when neither the store nor the output has it."""
        order = self._planned.loaded.by_ident.get((step.clip, step.take))
        document = order.wanted.document if order else ""
        return adopt(self._session, self._planned.locked[step.key], document, step.output)

    def placed(self, output: str) -> tuple[Placed, Artifact] | None:
        """The file at an output that no record speaks of, if the lock file names it. It may be the only copy of what
        was paid for: it is in the store before anything takes its place."""
        fact = self._planned.disk.outputs.get(output)
        entry = self._by_content.get(fact.sha256) if fact is not None and fact.sha256 else None
        record = self._session.placer.record(output, entry.sha256) if entry is not None else None
        if entry is None or record is None:
            return None
        return record, adopt(self._session, entry, "", output)

    @cached_property
    def _by_content(self) -> dict[str, LockEntry]:
        return {entry.sha256: entry for entry in self._planned.locked.values()}


def adopt(session: Session, entry: LockEntry, document: str, output: str | None) -> Artifact:
    """Take into the records what a line of the lock file names, from the store, else from the output that is that very
    file. Raises ArtifactError when neither has it."""
    missing = not session.objects.has(entry.sha256, entry.suffix)
    if missing and output is not None and session.placer.record(output, entry.sha256) is not None:
        session.objects.add(session.workspace.root / output, entry.suffix)
    if session.objects.verify(entry.sha256, entry.suffix) is not Health.SOUND:
        raise ArtifactError(f"the artifact of {entry.clip} is damaged or gone", help=_VERIFY)
    path = session.objects.path(entry.sha256, entry.suffix)
    with path.open("rb") as file:
        facts = read_mp4(file)
    size = path.stat().st_size
    found = Artifact(entry.sha256, size, entry.suffix, facts.duration_ms, facts.width, facts.height, facts.audio)
    now = session.clock.now()
    generation = Generation(entry.key, entry.sha256, document, **entry.provenance(), created=now, origin="locked")
    session.store.adopt(generation, found, entry.clip, note=f"from {FILE}")
    return found


def save_lock(session: Session, loaded: Loaded) -> None:
    """Write `clipform.lock` from what the takes hold now. A line stays where it may know more than this state: of a
    take of which nothing is known here, or of what the specs say now. It may be the only memory of a purchase."""
    path = session.workspace.root / LOCK_FILE
    snapshot = session.store.snapshot()
    lines = {(entry.clip, entry.take): entry for entry in session.workspace.lock_entries()}
    wanted = {ident: order.wanted.key for ident, order in loaded.by_ident.items()}
    known = snapshot.generations
    kept = {ident: e for ident, e in lines.items() if e.key not in known or e.key == wanted.get(ident)}
    for ident, bound in snapshot.bindings.items():
        made = known.get(bound.key)
        if made is None:
            kept |= {ident: lines[ident]} if ident in lines else {}
        elif ident not in kept or bound.key == wanted.get(ident):
            kept[ident] = _entry(bound, made, snapshot.artifacts[made.sha256], lines.get(ident))
    if kept or path.exists():
        lockfile.write(path, kept.values())


def _entry(bound: Binding, made: Generation, artifact: Artifact, line: LockEntry | None) -> LockEntry:
    """`line` is what stands there: of what was imported it may know the price and the seed that it had elsewhere."""
    told = line if line is not None and (line.key, line.sha256) == (made.key, made.sha256) else None
    paid = told if told is not None and not made.cost_micros else made
    seed = told.seed if told is not None and made.seed is None else made.seed
    provenance = made.provenance(seed=seed, cost_micros=paid.cost_micros, currency=paid.currency)
    return LockEntry(made.sha256, artifact.suffix, **provenance, key=made.key, clip=bound.clip, take=bound.take)
