"""Hands what an apply would buy to workers, and follows what becomes of it.

Inputs go to the shared cache first, then all orders are written at once, those that wait for others too: from then on
this process may end, and the work goes on. Nothing here buys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from reconciler.diagnostics import ClipformError, StateUnreachable
from reconciler.engine.attempt.approval import require_approval
from reconciler.engine.attempt.context import RunTerms
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.ports import Sink
from reconciler.engine.run.scheduler import Ident
from reconciler.engine.run.session import Session
from reconciler.engine.run.shared_cache import SharedCache
from reconciler.events import Event, EventKind
from reconciler.next_command import command
from reconciler.plan import vendor_drafts
from reconciler.plan.approvals import is_required
from reconciler.plan.handed import standing
from reconciler.plan.model import GENERATES, Reason, Step
from reconciler.project import endpoints, handed
from reconciler.project.endpoints import ASKING
from reconciler.project.model import Planned
from reconciler.project.orders import Order
from reconciler.providers.base import LOCAL
from reconciler.records import Handed, LockEntry
from reconciler.spec.values import LocalMedia
from reconciler.state.wants import DONE, Want, Wants

FOLLOW = 1.0
"""Seconds between two looks at what the workers do: one look for all that is followed."""
_KINDS = {kind.value: kind for kind in (EventKind.FAILED, EventKind.BLOCKED, EventKind.SKIPPED)}


@dataclass(slots=True)
class HandOver:
    """The steps of one run that workers carry out, by clip and take."""

    wants: Wants
    session: Session
    planned: Planned
    sink: Sink
    steps: Mapping[Ident, Step]
    control: RunControl = field(default_factory=RunControl)
    detach: bool = False
    bought: dict[Ident, LockEntry] = field(default_factory=dict)
    refused: dict[Ident, ClipformError | StepEnded] = field(default_factory=dict)
    _seen: Mapping[str, Handed] = field(default_factory=dict)
    _looked: float = float("-inf")
    _told: dict[str, str] = field(default_factory=dict)
    _keys: Mapping[Ident, str] = field(init=False)

    def __post_init__(self) -> None:
        self._keys = {(wanted.clip, wanted.take): wanted.key for wanted in self.planned.loaded.wanted}

    @classmethod
    def of(cls, session: Session, planned: Planned, sink: Sink, elsewhere: Mapping[str, object]) -> HandOver | None:
        """Return what workers are to carry out of a plan; None if that is nothing. `elsewhere`: keys whose tasks are at
        a site that the project does not name now."""
        wants = getattr(session.store, "wants", None)
        if wants is None:
            return None
        loaded, only = planned.loaded, planned.loaded.project.state.get("workers") == "only"
        served = frozenset[str]() if only else wants.served()
        paid = {
            alias
            for alias, config in loaded.project.providers.items()
            if config.kind != LOCAL and (only or handed.account_name(config) in served)
        }
        steps = {
            step.ident: step
            for step in planned.plan.steps
            if step.action in ASKING and step.ident in loaded.by_ident and step.key not in elsewhere
            if step.provider in paid or step.reason is Reason.HANDED
        }
        return cls(wants, session, planned, sink, steps) if steps else None

    def has(self, step: Step) -> bool:
        """True if a worker carries out this step."""
        return step.ident in self.steps

    @property
    def aliases(self) -> frozenset[str]:
        """The providers of these steps."""
        return frozenset(step.provider for step in self.steps.values())

    async def hand_over(self, terms: RunTerms, shared: SharedCache | None) -> None:
        """Give the workers all orders that they do not have. What the team has bought before is noted as known."""
        self.detach = terms.detach
        new = [step for step in self.steps.values() if step.reason is not Reason.HANDED]
        if shared is None or not new:
            return
        await asyncio.gather(*(self._find_known(step, shared) for step in new if step.action in GENERATES))
        wants = [want for step in new if (want := await self._want(step, terms, shared)) is not None]
        self.wants.hand_over(wants, terms.run, handed.write_caps(terms.caps))

    async def _find_known(self, step: Step, shared: SharedCache) -> None:
        order = self.planned.loaded.by_ident[step.ident]
        try:
            entry = await shared.known(step, order.wanted.rehearses)
        except StepEnded as end:
            self.refused[step.ident] = end
        else:
            self.bought |= {} if entry is None else {step.ident: entry}

    async def _want(self, step: Step, terms: RunTerms, shared: SharedCache) -> Want | None:
        """Return the order of a step, with its inputs in the shared cache; None if it cannot be handed over."""
        loaded = self.planned.loaded
        if lacking := [clip for clip, take in step.needs if (clip, take) in self.refused]:
            self.refused[step.ident] = StepEnded(EventKind.SKIPPED, f"needs {lacking[0]}, which is not handed over")
        if step.ident in self.bought or step.ident in self.refused:
            return None
        order, config = loaded.by_ident[step.ident], loaded.project.providers[step.provider]
        before = [attempt.id for attempt in self.session.store.attempts(step.key)] if step.action in GENERATES else []
        try:
            about = handed.Circumstances(
                config=config,
                endpoint=endpoints.endpoint(config, loaded.dialects[step.provider]),
                can_publish=bool(loaded.project.publish),
                keys=self._keys,
                after=max(before, default=0),
                seen=self._approved_draft(step, order),
            )
            document = handed.write(order, step, about)
            for _, item in order.clip.media():
                if isinstance(item, LocalMedia):
                    await self._send_input(item.path, order.hashes[item.path], shared)
        except (ClipformError, StepEnded) as error:
            self.refused[step.ident] = error
            return None
        needs = tuple(dict.fromkeys(self._keys[need] for need in order.wanted.needs))
        account = handed.account_name(config)
        return Want(step.key, terms.run, account, step.clip, step.take, needs, document)

    def _approved_draft(self, step: Step, order: Order) -> str:
        """Return the content of the vendor's draft with which a final is approved, empty where that is not asked for.
        Raises StepEnded for a take that nobody has approved: a worker does not have the file."""
        if step.action not in GENERATES:
            return ""
        approvals = self.session.workspace.approvals(self.planned.loaded.project)
        result_of = self.session.store.generation
        require_approval(approvals, order.wanted, result_of)
        draft = result_of(vendor_drafts.draft_key(order.wanted.document))
        return draft.sha256 if draft is not None and is_required(approvals.rule, order.wanted) else ""

    async def _send_input(self, path: str, sha256: str, shared: SharedCache) -> None:
        """Put a local input into the shared cache. Raises ClipformError, also if its content is not the plan's."""
        file = self.session.workspace.root / path
        since = self.session.clock.now() - handed.RENEWED
        await asyncio.to_thread(shared.shelf.put, sha256, file, handed.INPUTS, path, since)

    # --- following ----------------------------------------------------------------------------

    def taken(self, step: Step) -> LockEntry | None:
        """Return the result of a step that the team has bought before. Raises what kept it from being handed over."""
        if (reason := self.refused.get(step.ident)) is not None:
            raise reason
        return self.bought.get(step.ident)

    def left(self) -> StepEnded:
        """Return how a step ends that this process does not wait for."""
        help = f"{command('status')} shows it, and {command('apply')} places it"
        return StepEnded(EventKind.LEFT, "the workers carry it out", help)

    async def follow(self, step: Step, shared: SharedCache | None) -> str:
        """Wait until a worker has made the video of a step, fetch it, and return its SHA-256. Raises StepEnded."""
        clock = self.session.clock
        while True:
            if (generation := self._result(step)) is not None:
                if shared is None or not await shared.bring_one(generation):
                    text = "a worker made it, and the shared cache does not give its video"
                    raise StepEnded(EventKind.BLOCKED, text, f"{command('apply')} fetches it (free)")
                return generation
            if self.detach or self.control.event.is_set():
                raise self.left()
            await self.control.sleep(clock, FOLLOW)

    def _result(self, step: Step) -> str | None:
        """Return the SHA-256 of a step's video once it is there. Raises StepEnded if there will be none."""
        store, now = self.session.store, self.session.clock.monotonic()
        if now - self._looked >= FOLLOW:
            self._looked = now
            with suppress(StateUnreachable):  # the workers go on, and so does the look at them
                self._seen = self.wants.handed([step.key for step in self.steps.values()])
        record = self._seen.get(step.key)
        if (record is None or record.kind == DONE) and (generation := store.generation(step.key)) is not None:
            return generation.sha256
        if record is not None and record.kind not in ("", DONE):
            text, _, help = record.note.partition("\n")
            raise StepEnded(_KINDS.get(record.kind, EventKind.SKIPPED), text, help)
        text = "waits for a worker" if record is None else standing(record)
        if text != self._told.get(step.key):
            self._told[step.key] = text
            event = Event(EventKind.WAITING, step.clip, step.take, step.action.value, text)
            self.sink.emit(replace(event, takes=step.takes))
        return None
