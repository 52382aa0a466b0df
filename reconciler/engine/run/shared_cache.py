"""What goes from a project to the shared cache of its team, and what comes from there."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from reconciler.artifacts.reading import CHANGED
from reconciler.artifacts.shelf import AT_ONCE, UNREACHABLE, Claim, Shelf
from reconciler.diagnostics import ArtifactError, ClipformError
from reconciler.engine.connections.providers import LOCAL
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.ports import Sink
from reconciler.engine.run.session import Session
from reconciler.events import Event, EventKind
from reconciler.next_command import command
from reconciler.plan.model import Step
from reconciler.project.shared_state import machine_id, user_and_machine
from reconciler.records import LockEntry, Money
from reconciler.spec.values import JsonValue
from reconciler.state.paths import STATE

P = ParamSpec("P")
T = TypeVar("T")

FOLLOW = 5.0
"""Seconds between two looks at a purchase of another working copy."""


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
    _held: dict[tuple[str, int], Claim] = field(default_factory=dict)
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
        failed = {sha256: error for sha256, error in zip(wanted, errors, strict=True) if error is not None}
        for step in steps:
            if step.sha256 is not None and step.sha256 not in failed:
                self.shelf.memory.add(step.key, step.sha256)
        self.shelf.memory.save()
        return {step.ident: _ended(step, failed[step.sha256]) for step in steps if step.sha256 in failed}

    # --- purchases ----------------------------------------------------------------------------

    async def secure(self, step: Step, rehearsal: bool, patience: float, sink: Sink) -> LockEntry | None:
        """Return the result of a key, with its bytes stored here, if the team has it; None once this working copy holds
        the claim of the key and may buy it.

        Raises StepEnded if neither is so: the cache cannot be asked, or another working copy has the claim and gives no
        result for `patience` seconds.
        """
        mine, clock = self._claim(step.key, rehearsal), self.session.clock
        began = clock.monotonic()
        while True:
            holder, entry = await self._asked(mine)
            if entry is not None:
                if (error := await self._fetch(entry.sha256, entry.suffix)) is not None:
                    raise _ended(step, error)
                self.shelf.memory.add(entry.key, entry.sha256)
                return entry
            if holder.owner == mine.owner:
                self._held[step.ident] = holder
                return None
            if self.control.event.is_set() or clock.monotonic() - began >= patience:
                claim = command("resolve", step.clip, "--resubmit")
                help = f"{command('apply')} follows it (free); if it never comes back:\n{claim}"
                raise StepEnded(EventKind.SKIPPED, f"being made elsewhere: {holder}", help)
            sink.emit(
                Event(EventKind.WAITING, step.clip, step.take, step.action.value, message=str(holder), wait=FOLLOW)
            )
            await self.control.sleep(clock, FOLLOW)

    async def known(self, step: Step, rehearsal: bool) -> LockEntry | None:
        """Return the result of a key, with its bytes stored here, if the team had it before it shared a database.

        Raises StepEnded if the cache cannot be asked, or does not give the video."""
        entry = await self._answered(self.shelf.result, step.key, rehearsal)
        if entry is not None and (error := await self._fetch(entry.sha256, entry.suffix)) is not None:
            raise _ended(step, error)
        return entry

    async def bring_one(self, sha256: str) -> bool:
        """Return True if the artifact is stored here, after it was fetched from the shared cache if need be."""
        return await self._fetch(sha256, ".mp4") is None

    async def keep(self, sha256: str, suffix: str) -> None:
        """Put the bytes of a purchase there before it is on record that everybody can have them. If that fails, a later
        run does it: what was paid for is not given up."""
        async with self._free:
            if self.pushes and self.down is None:
                with suppress(ClipformError):
                    await asyncio.to_thread(self.shelf.put, sha256, self.session.objects.path(sha256, suffix))

    async def _asked(self, mine: Claim) -> tuple[Claim, LockEntry | None]:
        """Return who has the claim of a key now, and its result: who has shared one, even without a claim, has paid."""
        holder = await self._answered(self.shelf.claim, mine)
        return holder, await self._answered(self.shelf.result, mine.key, mine.rehearsal)

    async def _answered(self, ask: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        async with self._free:
            if self.down is None:
                try:
                    return await asyncio.to_thread(ask, *args, **named)
                except ArtifactError as error:
                    self._note(error)
                    text, help = error.message, error.help
            else:
                text, help = self.down.message, self.down.help
        text = f"{text}: it may be bought elsewhere, so nothing was sent"
        raise StepEnded(EventKind.SKIPPED, text, help)

    async def release(self, step: Step) -> None:
        """Give back the claim of a step that bought nothing. If that fails, the next apply here goes on with it."""
        if (claim := self._held.pop(step.ident, None)) is not None:
            attempts = self.session.store.attempts(step.key)
            if not attempts or attempts[-1].money is Money.RELEASED:
                with suppress(ClipformError):
                    await asyncio.to_thread(self.shelf.release, claim)

    def foreign(self, key: str, rehearsal: bool) -> Claim | None:
        """Return the claim of a key if another working copy has it. Raises ArtifactError."""
        claim = self.shelf.claimed(key, rehearsal)
        return None if claim is None or claim.owner == self._claim(key, rehearsal).owner else claim

    def _claim(self, key: str, rehearsal: bool) -> Claim:
        """Return the claim of this working copy: a copy of the folder, or on another machine, has another owner."""
        session, root = self.session, self.session.workspace.root
        facts = [session.store.id, str(root), str((root / STATE).stat().st_ino), machine_id()]
        return Claim(
            key=key,
            owner=hashlib.sha256("\0".join(facts).encode()).hexdigest()[:32],
            project=root.name,
            machine=user_and_machine(),
            time=f"{datetime.fromtimestamp(session.clock.now(), UTC):%Y-%m-%d %H:%M:%S} UTC",
            marker=secrets.token_hex(16),
            rehearsal=rehearsal,
        )

    async def _fetch(self, sha256: str, suffix: str) -> ClipformError | None:
        async with self._free:
            if self.down is not None or self.session.objects.has(sha256, suffix):
                return self.down
            try:
                await asyncio.to_thread(self.shelf.fetch, sha256, suffix, self.session.objects)
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
                await asyncio.to_thread(self._put_now, entry)
            except ClipformError as error:
                self._note(error)
                return error
        return None

    def _put_now(self, entry: LockEntry) -> None:
        """Put a result there. Raises ArtifactError, also if its video is damaged here: nobody is to get it."""
        try:
            self.shelf.put(entry.sha256, self.session.objects.path(entry.sha256, entry.suffix))
        except ArtifactError as error:
            if error.code != CHANGED:
                raise
            text = f"the stored video of {entry.clip} is damaged and is not shared"
            raise ArtifactError(text, help=f"{command('verify')} lists damaged files") from None
        self.shelf.put_result(entry)

    def _note(self, error: ClipformError) -> None:
        if isinstance(error, ArtifactError) and error.code == UNREACHABLE:
            self.down = error


def _ended(step: Step, error: ClipformError) -> StepEnded:
    """Return the end of a step whose video the shared cache did not give: it is never bought again in silence."""
    fetch = command("fetch", step.clip)
    help = "\n".join(filter(None, (error.help, f"or collect it from its provider (free):\n{fetch}")))
    return StepEnded(EventKind.BLOCKED, error.message, help)
