"""Reads what only the lock file names into the records, and writes the lock file from them.

In a fresh clone the lock file is the only memory of what was made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

from reconciler.artifacts.place import Placer
from reconciler.artifacts.store import Health, Objects
from reconciler.clock import Clock
from reconciler.diagnostics import ArtifactError, StateError
from reconciler.engine.run.session import Session
from reconciler.media.mp4 import read_mp4
from reconciler.next_command import command
from reconciler.plan.cuts import KIND
from reconciler.plan.model import OutputFact, Step
from reconciler.project.model import Loaded, Planned
from reconciler.project.orders import Order
from reconciler.records import Artifact, Binding, Generation, LockEntry, Placed, Seam, Snapshot
from reconciler.state import lockfile
from reconciler.state.paths import LOCK_FILE
from reconciler.state.snapshot import rehearsals
from reconciler.state.store import Store

_PAUSE = 0.001
"""Seconds for each line between two writes of the lock file in a run."""


@dataclass(frozen=True)
class LockfileAdopter:
    """Adopts what a plan took from the lock file. `locked` is by key, `outputs` by path, `orders` by clip and take."""

    store: Store
    objects: Objects
    placer: Placer
    clock: Clock
    root: Path
    locked: Mapping[str, LockEntry] = field(default_factory=dict)
    outputs: Mapping[str, OutputFact] = field(default_factory=dict)
    orders: Mapping[tuple[str, int], Order] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, planned: Planned | None = None) -> Self:
        """Return an adopter of a session, for what a plan takes from the lock file."""
        adopter = cls(session.store, session.objects, session.placer, session.clock, session.workspace.root)
        if planned is None:
            return adopter
        return replace(adopter, locked=planned.locked, outputs=planned.disk.outputs, orders=planned.loaded.by_ident)

    def artifact(self, step: Step) -> Artifact:
        """Adopt the artifact of a step's key. Raises ArtifactError when neither the store nor the output has it."""
        order = self.orders.get((step.clip, step.take))
        return self.adopt(self.locked[step.key], order.wanted.document if order else "", step.output)

    def placed(self, output: str) -> tuple[Placed, Artifact] | None:
        """Adopt the file at an output that has no record, if the lock file names its content; else None.

        It may be the only copy of what was paid for, or the user's own: it is in the store before anything takes its
        place, and `gc` keeps it.
        """
        entry = self._line_of(output)
        record = None if entry is None or entry.rehearsal else self.placer.record(output, entry.sha256)
        if entry is None or record is None:
            return None
        return record, self.adopt(entry, "", output)

    def is_rehearsal(self, output: str) -> bool:
        """True if the lock file calls the content of an output a rehearsal: `gc` keeps none, so it is moved aside."""
        entry = self._line_of(output)
        return entry is not None and entry.rehearsal

    def _line_of(self, output: str) -> LockEntry | None:
        fact = self.outputs.get(output)
        return self._by_content.get(fact.sha256) if fact is not None and fact.sha256 else None

    @cached_property
    def _by_content(self) -> dict[str, LockEntry]:
        return {entry.sha256: entry for entry in self.locked.values()}

    def adopt(self, entry: LockEntry, document: str, output: str | None) -> Artifact:
        """Record the artifact that a line of the lock file names, from the store, else from the output that holds it,
        or from the path that the line names.

        Raises ArtifactError when neither has it.
        """
        for path in {output: None, entry.output: None} if not self.objects.has(entry.sha256, entry.suffix) else ():
            if path is not None and self.placer.record(path, entry.sha256) is not None:
                self.objects.add(self.root / path, entry.suffix)
                break
        fresh = entry.sha256 in self.objects.entered and self.objects.has(entry.sha256, entry.suffix)
        if not fresh and self.objects.verify(entry.sha256, entry.suffix) is not Health.SOUND:
            help = f"{command('verify')} lists missing and damaged files"
            raise ArtifactError(f"the artifact of {entry.clip} is missing or damaged", help=help)
        stored = self.objects.path(entry.sha256, entry.suffix)
        with stored.open("rb") as file:
            facts = read_mp4(file)
        size = stored.stat().st_size
        artifact = Artifact(entry.sha256, size, entry.suffix, facts.duration_ms, facts.width, facts.height, facts.audio)
        now = self.clock.now()
        generation = Generation(entry.key, entry.sha256, document, **entry.provenance(), created=now, origin="locked")
        self.store.adopt(generation, artifact, entry.clip, note=f"from {LOCK_FILE}")
        return artifact


@dataclass(slots=True)
class LockfileSaver:
    """Keeps `clipform.lock` up to date while a run goes on: a kill and a lost state then forget nothing that was made.

    Its lines are in memory, because to read the whole state for each clip would be quadratic. So would be to write all
    of them for each clip: after each write it pauses, the longer the more they are.
    """

    session: Session
    loaded: Loaded
    lines: dict[tuple[str, int], LockEntry] | None = None
    is_dirty: bool = False
    writer: asyncio.Task[None] | None = None

    def add(self, bound: Binding, artifact: Artifact) -> LockEntry | None:
        """Take over what a take holds now, and have it written soon. Returns its line."""
        self.is_dirty = True
        if self.lines is None:
            self.lines = lines_of(self.session, self.loaded)
        elif (generation := self.session.store.generation(bound.key)) is not None:
            ident = (bound.clip, bound.take)
            of_rehearsal = rehearsals(self.session.store.attempts(bound.key), {bound.key: generation})
            entry = line_of(bound, generation, artifact, self.lines.get(ident), of_rehearsal)
            self.lines[ident] = replace(entry, seams=_seams(self.session.store, self.loaded, bound))
        if self.writer is None or self.writer.done():
            self.writer = asyncio.ensure_future(self._write())
        return self.lines.get((bound.clip, bound.take))

    def learn(self, entry: LockEntry) -> None:
        """Write the line of a result that was bought elsewhere, at once, as if git had brought it."""
        if self.lines is None:
            self.lines = lines_of(self.session, self.loaded)
        self.lines[entry.clip, entry.take] = entry
        lockfile.write(self.session.workspace.root / LOCK_FILE, self.lines.values())

    async def _write(self) -> None:
        """Write the file while there is news. If it cannot be written, the end of the run reports that."""
        while self.is_dirty and self.lines is not None:
            self.is_dirty = False
            with suppress(StateError):
                lockfile.write(self.session.workspace.root / LOCK_FILE, self.lines.values())
            await self.session.clock.sleep(_PAUSE * len(self.lines))

    def close(self) -> None:
        """Write no more; `save_lock` does so at the end of the run."""
        if self.writer is not None:
            self.writer.cancel()


def save_lock(session: Session, loaded: Loaded) -> None:
    """Write `clipform.lock` from what the takes hold now."""
    path, lines = session.workspace.root / LOCK_FILE, lines_of(session, loaded)
    if lines or path.exists():
        lockfile.write(path, lines.values())


def count_lines(session: Session, snapshot: Snapshot) -> None:
    """Record what the lock file says was bought and no attempt accounts for, before a line of it is replaced."""

    def is_known(line: LockEntry) -> bool:
        bought = (line.key, line.rehearsal)
        micros, _ = snapshot.counted.get(bought, (0, ""))
        return (line.cost_micros or 0) <= max(micros, snapshot.booked.get(bought, 0))

    unknown = [line for line in session.workspace.lock_entries() if line.key.isascii() and not is_known(line)]
    if unknown:
        with session.store.transaction():
            for line in unknown:
                session.store.count(line)


def lines_of(session: Session, loaded: Loaded) -> dict[tuple[str, int], LockEntry]:
    """Return the lines of the lock file by clip and take.

    A line stays where it may know more than this state: for a take without a record here, or for the key that the spec
    asks for now. It may be the only memory of a purchase.
    """
    keys = [wanted.key for wanted in loaded.wanted]
    snapshot = session.store.snapshot([*keys, *(line.key for line in session.workspace.lock_entries())])
    count_lines(session, snapshot)
    lines = {(entry.clip, entry.take): entry for entry in session.workspace.lock_entries()}
    wanted = {ident: order.wanted.key for ident, order in loaded.by_ident.items()}
    generations = snapshot.generations
    entries = {ident: e for ident, e in lines.items() if e.key not in generations or e.key == wanted.get(ident)}
    for ident, bound in snapshot.bindings.items():
        generation = generations.get(bound.key)
        if generation is None:
            entries |= {ident: lines[ident]} if ident in lines else {}
        elif ident not in entries or bound.key == wanted.get(ident) or generation.kind == KIND:
            artifact = snapshot.artifacts[generation.sha256]
            entry = line_of(bound, generation, artifact, lines.get(ident), snapshot.rehearsals)
            entries[ident] = replace(entry, seams=_seams(session.store, loaded, bound))
    return entries


def _seams(store: Store, loaded: Loaded, bound: Binding) -> tuple[Seam, ...]:
    """Return what the frozen seams of a take hold on to: as before, else what it was just made from."""
    order = loaded.by_ident.get((bound.clip, bound.take))
    if order is None:
        return ()
    seams, picked = dict(order.seams), dict(order.wanted.needs)
    unheld = order.clip.frozen().items() if order.wanted.key == bound.key else ()
    for name, clip in unheld:
        source = loaded.by_ident.get((clip, picked.get(clip, 0)))
        generation = store.generation(source.wanted.key) if source is not None and name not in seams else None
        if generation is not None:
            seams[name] = Seam(name, clip, generation.key, generation.sha256)
    return tuple(seams[name] for name in sorted(seams))


def line_of(
    bound: Binding, generation: Generation, artifact: Artifact, line: LockEntry | None, of_rehearsal: frozenset[str]
) -> LockEntry:
    """Return the line of a take. `line`, the present one, may know more of an imported or adopted result."""
    same = line if line is not None and (line.key, line.sha256) == (generation.key, generation.sha256) else None
    paid = same if same is not None and not generation.cost_micros else generation
    seed = same.seed if same is not None and generation.seed is None else generation.seed
    values = generation.provenance(seed=seed, cost_micros=paid.cost_micros, currency=paid.currency)
    values |= {"key": generation.key, "clip": bound.clip, "take": bound.take}
    adopted = same is not None and same.rehearsal and generation.origin == "locked"
    rehearsal = adopted or generation.key in of_rehearsal
    return LockEntry(generation.sha256, artifact.suffix, rehearsal, bound.output, **values)
