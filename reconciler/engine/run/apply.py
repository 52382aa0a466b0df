"""`apply`: settle uncertain requests, check budget and consent, carry out the plan, save the lock file."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.artifacts.upload_links import UploadLinks
from reconciler.diagnostics import ArtifactError, Refused, StateError
from reconciler.engine.attempt.context import Ports, RunTerms
from reconciler.engine.connections.providers import LOCAL, Connect, ConnectedProviders, connect_aliases, reach_all
from reconciler.engine.control import RunControl
from reconciler.engine.inputs.delivery import MediaDelivery, publisher_of
from reconciler.engine.inputs.resolve import InputResolver, ReturnedFrames
from reconciler.engine.ports import Sink
from reconciler.engine.run import seams
from reconciler.engine.run.executor import Executor
from reconciler.engine.run.hooks import called_back
from reconciler.engine.run.locked import objection
from reconciler.engine.run.lockfile_sync import LockfileAdopter, LockfileSaver, lines_of, save_lock
from reconciler.engine.run.notify import notifier_of
from reconciler.engine.run.records import RunRecords
from reconciler.engine.run.session import Session, end_unwanted_drafts, records_of
from reconciler.engine.run.signals import Hold, signals
from reconciler.engine.run.sweep import sweep
from reconciler.engine.run.timers import renewed, timed
from reconciler.engine.uncertain.settle import Settler
from reconciler.engine.uncertain.task_list import LookupContext
from reconciler.events import Event, EventKind, Summary
from reconciler.frozen import dataclass
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.money import to_micros
from reconciler.next_command import command
from reconciler.plan import cost, rules
from reconciler.plan.model import Action, Reason, Step
from reconciler.plan.windows import Window
from reconciler.project import capped, policy, saved_plan
from reconciler.project.approved_plan import require_approved
from reconciler.project.endpoints import ASKING, Site
from reconciler.project.model import Choice, Confirm, Loaded, Planned
from reconciler.project.shared_state import user_and_machine
from reconciler.state.budget import Caps
from reconciler.state.paths import LOCK_FILE

if TYPE_CHECKING:
    from reconciler.engine.run.draft_farm import DraftFarm
    from reconciler.engine.run.hand_over import HandOver
    from reconciler.engine.run.shared_cache import SharedCache


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """The options of an apply beside its choice of clips."""

    choice: Choice = Choice()
    saved: saved_plan.SavedPlan | None = None
    locked: bool = False  # refuse what would ask a provider or change the lock file
    max_cost: Decimal | None = None
    detach: bool = False
    fail_fast: bool = False
    timeout: float | None = None  # seconds after the confirmation; then what is running is left
    agree: Callable[[], None] = lambda: None  # asks whether the project may do what is not ordinary; raises Refused
    run: int = 0  # of `Store.start_run`, so that the caller can ask later what the run cost; 0: a new one
    fetching: bool = False  # a video must be the very file that the lock file names
    hold: Hold | None = None  # what interrupts the run; None: signals
    plan_file: Path | None = None  # of `saved`: a policy may ask for its signature


def apply(session: Session, options: ApplyOptions, confirm: Confirm, sink: Sink, connect: Connect) -> Summary:
    """Plan, ask, carry out. Raises SpecError, Refused, UsageError before anything is done."""
    choice = options.saved.choice if options.saved else options.choice
    loaded = session.workspace.load(choice.draft)
    notifier = notifier_of(session.workspace, loaded.project, choice.draft)
    if notifier is None:
        return _applied(session, options, loaded, confirm, (sink, connect))
    options.agree()
    return notifier.tell(lambda: _applied(session, options, loaded, confirm, (sink, connect)), sink)


def _applied(
    session: Session, options: ApplyOptions, loaded: Loaded, confirm: Confirm, doors: tuple[Sink, Connect]
) -> Summary:
    (sink, connect), saved = doors, options.saved
    choice = saved.choice if saved else options.choice
    end_unwanted_drafts(session.store, loaded)
    # A saved plan is carried out exactly: uncertain requests stay uncertain.
    reasons: Mapping[str, str] = {}
    if saved is None and not options.locked and not session.store.is_offline and _has_uncertain(session):
        options.agree()
        reasons = settle_uncertain(session, loaded, sink, connect)
    planned = session.workspace.plan(choice, loaded, records_of(session.store, loaded), reasons)
    if saved is not None:
        session.store.require_unused(saved.id)
        saved_plan.require_fresh(saved, planned)
    run = Run(session, planned, options, sink, connect, options.hold)
    run.require_allowed()
    confirm(planned.plan)
    if not choice.draft and any(s.action in ASKING or s.reason is Reason.CACHED for s in planned.plan.steps):
        options.agree()
    if saved is not None:
        session.store.consume_plan(saved.id)
    return run.execute()


def settle_uncertain(session: Session, loaded: Loaded, sink: Sink, connect: Connect) -> dict[str, str]:
    """Look up uncertain requests before planning, so that the plan shows the result.

    Returns why a request is still uncertain, by key. Raises KeyboardInterrupt when the user does not want to wait.
    """
    if not _has_uncertain(session):
        return {}
    control = RunControl()

    async def settle() -> dict[str, str]:
        with signals(control.event.set):
            return await Settler(_lookup_context(session, loaded), loaded, connect, control, sink.emit).settle()

    reasons = asyncio.run(settle())
    session.store.merge(session.receipts.lines)  # what was proven absent frees its key for a purchase behind it
    if control.event.is_set():
        raise KeyboardInterrupt
    return reasons


def _has_uncertain(session: Session) -> bool:
    return not session.draft and bool(session.store.uncertain())


def _lookup_context(session: Session, loaded: Loaded) -> LookupContext:
    entries = session.workspace.lock_entries()
    tasks = (*(entry.task for entry in entries), *(line.task for line in session.receipts.lines))
    claimed = {task for task in tasks if task is not None}
    documents = {order.wanted.key: order.wanted.document for order in loaded.orders}
    return LookupContext(session.store, session.receipts, session.clock, frozenset(claimed), documents)


@dataclass(frozen=True, slots=True)
class Run:
    """One plan carried out in one session. `hold` decides what interrupts it; None: signals."""

    session: Session
    planned: Planned
    options: ApplyOptions
    sink: Sink
    connect: Connect
    hold: Hold | None = None

    def require_allowed(self) -> None:
        """Raise Refused where --locked or a budget forbids the plan. Nothing is done yet."""
        plan, project = self.planned.plan, self.planned.loaded.project
        store, workspace = self.session.store, self.session.workspace
        if store.joined is not None and not (store.is_shared or store.is_offline) and plan.generating():
            text = "the records of this machine are those of a shared state, and this project names none"
            help = f"name it again, or make them a state of their own:\n{command('state', 'detach')}"
            raise Refused(text, help=help, code="state-joined")
        require_approved(workspace, project, plan, self.options.saved, self.options.plan_file)
        if not self.session.draft:
            rules.require_allowed(policy.objections(plan, project, workspace.root, workspace.env))
        entries = None if self.session.draft else workspace.lock_entries()
        if self.options.locked and (text := objection(plan, entries)):
            raise Refused(text, help=f"apply without --locked, and commit {LOCK_FILE}", code="locked-plan")
        objections = (
            *cost.objections(plan, project.budget, self.options.max_cost, self.planned.spent),
            *capped.objections(plan, self.planned.loaded, self._windows(), store),
        )
        if objections:
            raise Refused("; ".join(objections), help=cost.over_budget_help(plan), code="budget")

    def _windows(self) -> tuple[Window, ...]:
        return capped.windows_of(self.planned.loaded, self.planned.snapshot, self.planned.locked)

    def execute(self) -> Summary:
        """Carry out the plan, and bring the lock file up to date whatever happens."""
        session = self.session
        sweep(session, self.planned)
        self._rename()
        for event in _unassigned(session):
            self.sink.emit(event)
        try:
            return asyncio.run(self._drive()) if session.shop is None else session.shop.run(self._drive())
        finally:
            if not session.draft and not self.options.locked:
                _save_lock(session, self.planned.loaded)

    def _rename(self) -> None:
        """Record under its present name what a moved clip holds, before anything else: `undo` goes back to it."""
        if not self.planned.renamed:
            return  # an apply that moves nothing makes no commit of it
        store = self.session.store
        with store.transaction():
            for former, present in self.planned.renamed:
                if self.planned.scope.selects(present.clip):
                    store.desk.bind(present)
                    store.desk.unbind(former.clip, former.take)

    async def _drive(self) -> Summary:
        session, loaded, plan = self.session, self.planned.loaded, self.planned.plan
        workers = os.cpu_count() or 1
        crew = None if session.shop is None else session.shop.crew
        renderer = DraftRenderer(session.workspace.state_dir(session.draft) / "scratch", workers, crew)
        asking = [step for step in plan.steps if step.action in ASKING]
        resumed = [self.planned.snapshot.attempts.get(step.key) for step in asking if step.action is Action.RESUME]
        sites = {a.key: (a, Site.of(a, session.store.account(a))) for a in resumed if a is not None}
        elsewhere = {key: pair for key, pair in sites.items() if not loaded.has(pair[1])}
        handed = self._handed(elsewhere)
        providers, farm = ConnectedProviders(), self._farm(renderer, asking)
        hold = self.hold or partial(signals, leave=self.sink.close)
        try:
            sent = (step for step in asking if step.key not in elsewhere and not (handed and handed.has(step)))
            needed = frozenset(step.provider for step in sent)
            drafts = farm.AT_ONCE if farm else workers
            providers.by_alias = connect_aliases(loaded, needed, farm or renderer, drafts, self.connect)
            reach_all(loaded, self.connect, elsewhere.values(), providers)
            executor = self._executor(renderer, providers)
            executor.handed = handed
            if handed is not None:
                handed.control = executor.control
            with hold(executor.interrupt):
                timeout = self.options.timeout
                async with timed(executor, timeout), renewed(session), called_back(session, executor):
                    summary = await executor.run(plan)
                    await self._share(executor)
                    await seams.measure(session, loaded, renderer)
                    await self._mark(renderer)
                return summary
        finally:
            await providers.aclose()
            await renderer.aclose()
            if farm is not None:
                farm.close()

    def _farm(self, renderer: DraftRenderer, asking: list[Step]) -> DraftFarm | None:
        """Return the workers that render the drafts of this run; None if it renders them itself."""
        loaded = self.planned.loaded
        drafts = any(
            step.provider in loaded.dialects and loaded.dialects[step.provider].kind == LOCAL for step in asking
        )
        if not drafts or loaded.project.state.get("workers", "off") == "off":
            return None
        from reconciler.engine.run.draft_farm import farm_of

        return farm_of(self.session, loaded, renderer, self.sink)

    def _handed(self, elsewhere: Mapping[str, object]) -> HandOver | None:
        """Return what workers are to carry out; None if that is nothing."""
        state = self.planned.loaded.project.state
        if state.get("workers", "off") == "off" or not self.session.store.is_shared or self.options.fetching:
            return None
        from reconciler.engine.run.hand_over import HandOver

        return HandOver.of(self.session, self.planned, self.sink, elsewhere)

    def _shared(self) -> SharedCache | None:
        section = self.planned.loaded.project.cache
        if not section or self.session.draft:
            return None
        from reconciler.engine.run.shared_cache import SharedCache

        return SharedCache.of(self.session, section)

    async def _share(self, executor: Executor) -> None:
        """Put what was paid for into the shared cache. What cannot be put there now is noted, and shared by a later
        run."""
        if executor.shared is not None and executor.shared.pushes:
            lines = lines_of(self.session, self.planned.loaded)
            for error in await executor.shared.finish(lines.values()):
                text = f"not shared yet: {error.message}; the next {command('apply')} shares it"
                self.sink.emit(Event(EventKind.NOTE, message=text))
                self.session.workspace.unshared = True

    async def _mark(self, workers: DraftRenderer) -> None:
        """Bring the marked copies of outputs up to date, if the project wants any."""
        if self.planned.loaded.project.provenance is not None and not self.session.draft:
            from reconciler.engine.run import marks

            await marks.keep(self.session, self.planned.loaded, workers, self.sink)

    def _executor(self, renderer: DraftRenderer, providers: ConnectedProviders) -> Executor:
        session, planned, options = self.session, self.planned, self.options
        records = RunRecords.of(planned.snapshot, planned.loaded.cut_files)
        shared = self._shared()
        ports = Ports(
            store=session.store,
            receipts=session.receipts,
            objects=session.objects,
            inputs=self._inputs(renderer, providers, records),
            workers=renderer,
            clock=session.clock,
            sink=self.sink,
            lookups=_lookup_context(session, planned.loaded),
            marker=lambda: secrets.token_hex(16),
            seed=lambda: secrets.randbits(31),
            approvals=partial(session.workspace.approvals, planned.loaded.project),
        )
        if shared is not None:
            ports.inputs.fetch = shared.bring_one
        if session.store.is_shared and shared is not None:
            ports = replace(ports, bring=shared.bring_one, keep=shared.keep)
        who = user_and_machine()
        run = options.run or (session.store.start_run("apply", who) if planned.plan.has_changes() else 0)
        terms = RunTerms(run, self._caps(), options.detach, options.fail_fast, planned.scope.force, options.fetching)
        adopter = LockfileAdopter.of(session, planned)
        saver = LockfileSaver(session, planned.loaded)
        orders = planned.loaded.by_ident
        executor = Executor(ports, session.placer, providers, orders, records, terms, adopter, saver, shared)
        if shared is not None:
            shared.control = executor.control
        return executor

    def _inputs(self, renderer: DraftRenderer, providers: ConnectedProviders, records: RunRecords) -> InputResolver:
        """Raises ClipformError when the project's store is needed and cannot be used."""
        session, workspace, loaded = self.session, self.session.workspace, self.planned.loaded
        picked = {o.clip.name: o.wanted.key for o in loaded.orders if o.take == o.clip.spec.pick}
        hasher = workspace.hasher(loaded.project)
        handles = UploadLinks(workspace.state_dir(session.draft), session.clock.now)
        generating = [loaded.by_ident[step.ident] for step in self.planned.plan.generating()]
        publisher = publisher_of(loaded.project.publish, workspace.env, generating, loaded.dialects)
        return InputResolver(
            workspace.root,
            session.objects,
            renderer,
            rehash=lambda path: hasher.hash(path).sha256,
            artifacts=lambda clip: records.sha256s.get(picked[clip]),
            delivery=MediaDelivery(providers.by_alias, handles, publisher),
            returned=ReturnedFrames(session.clock),
        )

    def _caps(self) -> Caps | None:
        budget = self.planned.loaded.project.budget
        caps = [cap for cap in (budget.per_apply if budget else None, self.options.max_cost) if cap is not None]
        if budget is None and not caps:
            return None
        currency = budget.currency if budget else ""
        snapshot, locked = self.planned.snapshot, self.planned.locked
        known = cost.counted(budget, self.planned.spent) if budget else 0
        everything = cost.counted(budget, cost.spent_so_far(snapshot, locked, rehearsing=True)) if budget else 0
        return Caps(
            currency=currency,
            unrecorded_micros=known - snapshot.spent.get(currency, 0) if budget else 0,
            rehearsed_micros=everything - known,
            run_micros=to_micros(min(caps, default=None)),
            total_micros=to_micros(budget.total) if budget else None,
            run_clips=budget.clips_per_apply if budget else None,
            windows=self._windows(),
        )


def _save_lock(session: Session, loaded: Loaded) -> None:
    """Write the lock file. Raises ArtifactError when it cannot be written; the run itself is on record."""
    try:
        save_lock(session, loaded)
    except StateError as error:
        text = f"this run is on record, and {LOCK_FILE} could not be written: {error.message}"
        raise ArtifactError(text, help=f"fix that; the next {command('apply')} writes it", code=error.code) from error


def _unassigned(session: Session) -> Iterator[Event]:
    """Note each purchase of the receipts that no attempt can hold: only a person can decide what to do with it."""
    intents = {line.marker: line for line in session.receipts.lines if line.event == "intent"}
    for line in session.lost:
        intent = intents.get(line.marker, line)
        where = f" at {intent.provider}" if intent.provider else ""
        name = intent.clip or "a clip"
        text = f"{name}: task {line.task}{where} was paid for too, and its key has another task or was refused"
        yield Event(EventKind.NOTE, intent.clip, message=f"{text}; look at it there, its video can be imported")
