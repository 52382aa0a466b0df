"""What goes from a project to the shared cache of its team, and what comes from there."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.artifacts.shelf import AT_ONCE, UNREACHABLE, Shelf
from reconciler.artifacts.store import Health
from reconciler.diagnostics import ArtifactError, ClipformError
from reconciler.engine.connections.providers import LOCAL
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.run.session import Session
from reconciler.events import EventKind
from reconciler.next_command import command
from reconciler.plan.model import Step
from reconciler.records import LockEntry
from reconciler.spec.values import JsonValue


@dataclass(slots=True)
class SharedCache:
    """The shared cache in one run. Once it cannot be reached, the run asks it for nothing more.

    Nothing here fails a run: what was bought stays in the store of this machine, and a later run shares it.
    """

    session: Session
    shelf: Shelf
    pushes: bool
    control: RunControl = field(default_factory=RunControl)
    down: ArtifactError | None = None
    _free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _sending: list[asyncio.Task[object]] = field(default_factory=list)

    @classmethod
    def of(cls, session: Session, section: Mapping[str, JsonValue]) -> SharedCache:
        """Return the shared cache of a `cache` section. Makes no request."""
        workspace = session.workspace
        shelf = Shelf(section, workspace.env, workspace.state_dir(False))
        return cls(session, shelf, section["push"] == "auto")

    async def bring(self, steps: Sequence[Step]) -> dict[tuple[str, int], StepEnded]:
        """Fetch the artifacts of steps into the store of this machine. Returns why a step has none, by its identity."""
        wanted = {step.sha256: step for step in steps if step.sha256 is not None}
        errors = await asyncio.gather(*(self._fetch(sha256, ".mp4") for sha256 in wanted))
        self.shelf.memory.save()
        failed = {sha256: error for sha256, error in zip(wanted, errors, strict=True) if error is not None}
        return {step.ident: _ended(step, failed[step.sha256]) for step in steps if step.sha256 in failed}

    async def _fetch(self, sha256: str, suffix: str) -> ClipformError | None:
        async with self._free:
            if self.down is not None or self.session.objects.has(sha256, suffix):
                return self.down
            try:
                await self.shelf.fetch(sha256, suffix, self.session.objects)
            except ClipformError as error:
                self._note(error)
                return error
        return None

    def send(self, entry: LockEntry) -> None:
        """Share the result of a purchase while the run goes on."""
        if self.pushes:
            self._sending.append(asyncio.ensure_future(self.share([entry])))

    async def finish(self, entries: Iterable[LockEntry]) -> list[ClipformError]:
        """Share what was paid for and is not shared yet, of this run and of earlier ones. Returns the errors."""
        await asyncio.gather(*self._sending)
        if not self.pushes or self.control.event.is_set():
            return []
        return await self.share(entry for entry in entries if entry.kind != LOCAL)

    async def share(self, entries: Iterable[LockEntry], *, again: bool = False) -> list[ClipformError]:
        """Put results into the shared cache, unless they were seen there (and not `again`). Returns the errors."""
        chosen = self.unshared(entries, again=again)
        errors = await asyncio.gather(*(self._put(entry) for entry in chosen))
        self.shelf.memory.save()
        return list({error.message: error for error in errors if error is not None}.values())

    def unshared(self, entries: Iterable[LockEntry], *, again: bool = False) -> Collection[LockEntry]:
        """Return the results that this machine has and that were not seen in the shared cache."""
        has, objects = self.shelf.memory.has, self.session.objects
        by_key = {entry.key: entry for entry in entries if again or not has(entry.key, entry.sha256)}
        return [entry for entry in by_key.values() if objects.has(entry.sha256, entry.suffix)]

    async def _put(self, entry: LockEntry) -> ClipformError | None:
        async with self._free:
            if self.down is not None:
                return self.down
            try:
                await self.shelf.put(entry.sha256, *await asyncio.to_thread(self._sound, entry))
                await self.shelf.put_result(entry)
            except ClipformError as error:
                self._note(error)
                return error
        return None

    def _sound(self, entry: LockEntry) -> tuple[Path, int]:
        """Return path and size of an artifact. Raises ArtifactError if it is damaged here: nobody is to get it."""
        objects = self.session.objects
        if objects.verify(entry.sha256, entry.suffix) is not Health.SOUND:
            text = f"the stored video of {entry.clip} is damaged and is not shared"
            raise ArtifactError(text, help=f"{command('verify')} lists damaged files")
        path = objects.path(entry.sha256, entry.suffix)
        return path, path.stat().st_size

    def _note(self, error: ClipformError) -> None:
        if isinstance(error, ArtifactError) and error.code == UNREACHABLE:
            self.down = error


def _ended(step: Step, error: ClipformError) -> StepEnded:
    """Return the end of a step whose video the shared cache did not give: it is never bought again in silence."""
    fetch = command("fetch", step.clip)
    help = "\n".join(filter(None, (error.help, f"or collect it from its provider (free):\n{fetch}")))
    return StepEnded(EventKind.BLOCKED, error.message, help)
