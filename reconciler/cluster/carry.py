"""Carries out one order: what an apply does for one take, without a plan and without an output.

Nothing here says that something may be bought but the order, and that once: when its request went out, or may have, a
failure ends the order, and another purchase needs another apply, with its price.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.cluster.accounts import require_fit
from reconciler.cluster.place import ProjectPlace, WorkPlace
from reconciler.diagnostics import ArtifactError, ClipformError, ProviderError, StateError
from reconciler.engine.attempt.context import AttemptContext, Ports, RunTerms
from reconciler.engine.attempt.runner import AttemptRunner
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.inputs.delivery import MediaDelivery
from reconciler.engine.inputs.resolve import InputResolver
from reconciler.engine.ports import ConnectedProvider, Sink
from reconciler.engine.run.hooks import Hooks
from reconciler.events import Event, EventKind
from reconciler.plan.approvals import Approvals
from reconciler.plan.model import Action, Reason, Step
from reconciler.project import handed
from reconciler.project.handed import HandedOrder
from reconciler.project.pending_repairs import settle_orphans
from reconciler.providers.capabilities import Lists
from reconciler.records import LockEntry, State
from reconciler.spec.values import LocalMedia
from reconciler.state.hooks import LIFE
from reconciler.state.wants import DONE, Want

SOON = 1.0
AGAIN = 30.0
"""Seconds after which a key is looked at again that could not go on."""


@dataclass(slots=True)
class Carrier:
    """Carries out orders in one place."""

    place: WorkPlace
    accounts: Mapping[str, ConnectedProvider]
    sink: Sink
    control: RunControl = field(default_factory=RunControl)
    _deliveries: dict[tuple[str, str], MediaDelivery] = field(default_factory=dict)
    _hooks: dict[str, tuple[float, Hooks | None]] = field(default_factory=dict)  # by project: until when it is known

    async def carry_out(self, key: str) -> float | None:
        """Carry out the order of a key as far as it goes now. Returns the seconds after which it goes on, None if it is
        over. Raises StateError if that cannot be written down."""
        want = self.place.wants.find(key)
        if want is None:
            return None
        try:
            order = handed.read(want.document)
            require_fit(self.accounts[want.account], order)
            self.place.wants.note(key, "", self.place.member.name)
            await self._make(want, order)
        except StepEnded as end:
            return self._ended(want, end)
        except (StateError, ArtifactError, ProviderError) as error:
            self._note(want, error.message)
            return AGAIN
        except ClipformError as error:
            self._failed(want, EventKind.FAILED, error.message, error.help)
            return None
        self.place.wants.end(key, DONE, "", self.place.member.name)
        return None

    async def _make(self, want: Want, handed_order: HandedOrder) -> None:
        """Have the video of an order in the shared cache, and on record. Raises StepEnded and ClipformError."""
        project = self.place.of_project(want.project)
        if project.store.generation(want.key) is not None:
            return
        context = self._context(want, handed_order, project)
        await self._bring(context, handed_order, project)
        attempts = [a for a in project.store.attempts(want.key) if a.id > handed_order.after]
        if attempts and attempts[-1].state is State.SUBMITTING and not project.store.holder(attempts[-1]):
            settle_orphans(project.store, project.session.receipts)  # its sender is dead
        context.counters.sent = any(attempt.state is not State.NOT_SENT for attempt in attempts)
        sha256 = await AttemptRunner(context).make()
        await self._share(want, sha256, project)
        context.say(EventKind.SUCCEEDED)

    def _context(self, want: Want, handed_order: HandedOrder, project: ProjectPlace) -> AttemptContext:
        order, session = handed_order.order, project.session
        wanted = order.wanted
        provider = replace(self.accounts[want.account], alias=handed_order.config.alias)
        self.place.documents[wanted.key] = wanted.document
        keys = handed_order.needs

        def artifact(name: str) -> str | None:
            generation = session.store.generation(keys[name])
            return None if generation is None else generation.sha256

        def require_order() -> Approvals:
            """Within the transaction of the intent: an order may have been withdrawn. Approvals were asked for at the
            hand-over, by who has the project; a final is bought only from the draft that was approved then."""
            if self.place.wants.find(want.key) is None:
                raise StepEnded(EventKind.SKIPPED, "its order was withdrawn")
            return handed_order.approvals

        async def keep(sha256: str, suffix: str) -> None:
            await asyncio.to_thread(project.cache.shelf.put, sha256, session.objects.path(sha256, suffix))

        ports = Ports(
            store=session.store,
            receipts=session.receipts,
            objects=session.objects,
            inputs=InputResolver(
                self.place.folder,
                session.objects,
                self.place.renderer,
                rehash=lambda path: order.hashes[path],
                artifacts=artifact,
                delivery=self._delivery(want.account, provider),
                returned=self.place.returned,
            ),
            workers=self.place.renderer,
            clock=session.clock,
            sink=self.sink,
            lookups=project.lookups,
            marker=lambda: secrets.token_hex(16),
            seed=lambda: secrets.randbits(31),
            approvals=require_order,
            bring=project.cache.bring_one,
            keep=keep,  # it raises: a worker's folder may be lost, so a result is on record only once all can have it
        )
        if (hooks := self._hooks_of(want.project, project)) is not None:
            provider, ports = hooks.paced(provider), replace(ports, addressed=hooks.added)
        step = Step(
            clip=want.clip,
            take=want.take,
            action=Action.CREATE,
            reason=Reason.NEW,
            key=want.key,
            provider=provider.alias,
            kind=provider.kind,
            model=wanted.model,
            cost=wanted.cost,
            expected=handed_order.expected,
            takes=wanted.takes,
        )
        terms = RunTerms(want.run, handed.read_caps(want.caps))
        return AttemptContext(ports, terms, self.control, step, provider, order, began=session.clock.monotonic())

    def _hooks_of(self, name: str, project: ProjectPlace) -> Hooks | None:
        """Return where vendors call about a project; asked for again after a while, since a server may come or go."""
        now = project.session.clock.monotonic()
        until, hooks = self._hooks.get(name, (now, None))
        if now >= until:
            hooks = Hooks.of(project.session)
            self._hooks[name] = (now + LIFE / 2, hooks)
        return hooks

    def _delivery(self, account: str, provider: ConnectedProvider) -> MediaDelivery:
        """Return the one delivery of an account under an alias, so that no file is uploaded twice at one time."""
        name = (account, provider.alias)
        if name not in self._deliveries:
            providers = {provider.alias: provider}
            self._deliveries[name] = MediaDelivery(providers, self.place.links, self.place.publisher)
        return self._deliveries[name]

    async def _bring(self, context: AttemptContext, handed_order: HandedOrder, project: ProjectPlace) -> None:
        """Fetch what an order is made from. Raises ArtifactError."""
        for _, item in handed_order.order.clip.media():
            if isinstance(item, LocalMedia):
                await self.place.bring_input(item.path, project.cache.shelf)
        for name in () if handed_order.order.clip.draft else handed_order.needs:  # a final only names a task
            sha256 = context.ports.inputs.artifacts(name)
            if sha256 is None or not await project.cache.bring_one(sha256):
                project.cache.down = None  # it may answer the next time
                raise ArtifactError("the shared cache does not give a video that it is made from")

    async def _share(self, want: Want, sha256: str, project: ProjectPlace) -> None:
        """Write the result of a purchase where the team finds it without the database, and keep no copy here."""
        generation = project.store.generation(want.key)
        artifact = project.store.artifact(sha256)
        if generation is None or artifact is None or not project.session.objects.has(sha256, artifact.suffix):
            return
        entry = LockEntry(
            sha256,
            artifact.suffix,
            **generation.provenance(),
            key=want.key,
            clip=want.clip,
            take=want.take,
        )
        await project.cache.share([entry])

    # --- ends ---------------------------------------------------------------------------------

    def _ended(self, want: Want, end: StepEnded) -> float | None:
        """Decide what becomes of an order whose carrying out ended without a video."""
        if self.control.event.is_set():
            self._note(want, "", holder="")  # another worker takes it
            return 0.0
        if self.place.wants.find(want.key) is None:
            return None  # withdrawn
        attempts = self.place.of_project(want.project).store.attempts(want.key)
        newest = attempts[-1].state if attempts else None
        order = handed.read(want.document)
        alias, is_final = order.config.alias, bool(order.order.clip.draft)
        lists = isinstance(self.accounts[want.account].dialect, Lists)
        if newest is State.SUBMITTING:
            return SOON
        undecided = newest is State.UNCERTAIN and lists  # its list may say it later
        refused = newest is State.REFUSED and alias in self.control.stopped  # the account, not the request
        unsent = newest in (None, State.NOT_SENT)  # by us, or by one that woke up late
        if is_final and unsent and end.kind is EventKind.BLOCKED:  # by its draft: only a person can go on
            self._failed(want, end.kind, end.message, end.help)
            return None
        if end.kind in (EventKind.LEFT, EventKind.SKIPPED) or undecided or refused or unsent:
            self._note(want, end.message)
            return AGAIN
        self._failed(want, end.kind, end.message, end.help)
        return None

    def _failed(self, want: Want, kind: EventKind, message: str, help: str) -> None:
        self.place.wants.end(want.key, kind.value, f"{message}\n{help}" if help else message, self.place.member.name)
        self.sink.emit(Event(kind, want.clip, want.take, Action.CREATE.value, message, help))

    def _note(self, want: Want, text: str, holder: str | None = None) -> None:
        self.place.wants.note(want.key, text, self.place.member.name if holder is None else holder)
