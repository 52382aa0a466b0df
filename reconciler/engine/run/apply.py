"""`apply`: settle open questions, check budget and consent, carry out the plan, save the lock file."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from reconciler.artifacts.upload_links import Handles
from reconciler.diagnostics import ArtifactError, Refused, StateError
from reconciler.engine.attempt.context import Ports, RunTerms
from reconciler.engine.connections.providers import Connect, ConnectedProviders, connect_aliases, is_here, reach_all
from reconciler.engine.control import RunControl
from reconciler.engine.inputs.delivery import MediaDelivery, publisher_of
from reconciler.engine.inputs.resolve import InputResolver, ReturnedFrames
from reconciler.engine.ports import Sink
from reconciler.engine.run.executor import Executor, Rules, RunRecords
from reconciler.engine.run.lockfile_sync import LockfileAdopter, save_lock
from reconciler.engine.run.session import Session, end_unwanted_drafts
from reconciler.engine.run.signals import Hold, signals
from reconciler.engine.uncertain import settle as doubts
from reconciler.engine.uncertain.task_list import LookupContext
from reconciler.events import Event, EventKind, Summary
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.plan import cost
from reconciler.plan.model import SENTENCES, Action, Plan
from reconciler.project import saved_plan
from reconciler.project.endpoints import ASKING
from reconciler.project.model import Choice, Confirm, Loaded, Planned
from reconciler.project.workspace import LOCK_FILE, STATE
from reconciler.records import State, to_micros
from reconciler.state.budget import Caps

_LISTED = 20
"""How many clips an error names."""


_REPLACING = re.compile(r"\.(.+)\.[0-9a-f]{16}\.part")
"""What `disk.replace` calls a file on its way; the group is the name it will have."""


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What an apply was asked to do beside its choice of clips."""

    choice: Choice = Choice()
    saved: saved_plan.SavedPlan | None = None
    locked: bool = False
    max_cost: Decimal | None = None
    detach: bool = False
    fail_fast: bool = False
    run: int = 0  # of `Store.start_run`, for whoever asks afterwards what it cost; 0: a new one


def apply(session: Session, asked: ApplyOptions, confirm: Confirm, sink: Sink, connect: Connect) -> Summary:
    """Plan, ask, carry out. Raises SpecError, Refused, UsageError before anything is done."""
    workspace = session.workspace
    choice = asked.saved.choice if asked.saved else asked.choice
    loaded = workspace.load(choice.draft)
    end_unwanted_drafts(session.store, loaded)
    # A saved plan is carried out exactly: what is in doubt stays so.
    reasons = {} if asked.saved is not None else settle_uncertain(session, loaded, sink, connect)
    planned = workspace.plan(choice, loaded, session.store.snapshot(), reasons)
    if asked.saved is not None:
        saved_plan.require_unused(asked.saved, session.store)
        saved_plan.require_fresh(asked.saved, planned)
    _require_allowed(session, planned, asked)
    confirm(planned.plan)
    if asked.saved is not None:
        session.store.consume_plan(asked.saved.id)
    return carry_out(session, planned, asked, sink, connect)


def settle_uncertain(session: Session, loaded: Loaded, sink: Sink, connect: Connect) -> dict[str, str]:
    """Look up what is in doubt before anything is planned, so that the plan shows what it means. What remains a
    question, by key. Raises KeyboardInterrupt when the user does not want to wait."""
    if session.draft or not any(a.state is State.UNCERTAIN for a in session.store.attempts()):
        return {}
    halt = RunControl()

    async def settle() -> dict[str, str]:
        with signals(halt.event.set):
            return await doubts.settle_all(_books(session, loaded), loaded, connect, halt, sink.emit)

    reasons = asyncio.run(settle())
    session.store.merge(session.receipts.lines)  # what was proven absent frees its key for a purchase behind it
    if halt.event.is_set():
        raise KeyboardInterrupt
    return reasons


def _books(session: Session, loaded: Loaded) -> LookupContext:
    entries = session.workspace.lock_entries()
    tasks = (*(entry.task for entry in entries), *(line.task for line in session.receipts.lines))
    claimed = {task for task in tasks if task is not None}
    documents = {order.wanted.key: order.wanted.document for order in loaded.orders}
    return LookupContext(session.store, session.receipts, session.clock, frozenset(claimed), documents)


def apply_part(
    session: Session, planned: Planned, asked: ApplyOptions, sink: Sink, connect: Connect, hold: Hold
) -> Summary:
    """Carry out what was planned under this lock, or a part of it. Raises Refused before anything is done."""
    _require_allowed(session, planned, asked)
    return carry_out(session, planned, asked, sink, connect, hold)


def carry_out(
    session: Session, planned: Planned, asked: ApplyOptions, sink: Sink, connect: Connect, hold: Hold | None = None
) -> Summary:
    """Do what a plan says, and bring the lock file up to date whatever happens."""
    _sweep(session, planned)
    for event in _homeless(session):
        sink.emit(event)
    try:
        work = _drive(session, planned, asked, sink, connect, hold or partial(signals, leave=sink.close))
        return asyncio.run(work) if session.shop is None else session.shop.run(work)
    finally:
        if not session.draft:
            _remember(session, planned.loaded)


def _remember(session: Session, loaded: Loaded) -> None:
    """Write the lock file. Raises ArtifactError where it cannot be written: what was done is done all the same."""
    try:
        save_lock(session, loaded)
    except StateError as error:
        text = f"what this run did is on record, and {LOCK_FILE} could not be written: {error.message}"
        raise ArtifactError(text, help="mend that; the next clipform apply writes it", code=error.code) from error


def _homeless(session: Session) -> Iterator[Event]:
    """What the receipts say was bought beside what the records hold: only a person can tell what to do with it."""
    intents = {line.marker: line for line in session.receipts.lines if line.event == "intent"}
    for line in session.lost:
        intent = intents.get(line.marker, line)
        where = f" at {intent.provider}" if intent.provider else ""
        name = intent.clip or "a clip"
        text = f"{name}: task {line.task}{where} was paid for too, and its key has another task or was refused"
        yield Event(EventKind.NOTE, intent.clip, message=f"{text}; look at it there, its video can be imported")


def _sweep(session: Session, planned: Planned) -> None:
    """Remove what a dead process left beside outputs, specs, lock file and hashes; only names that clipform gives."""
    outputs = {*planned.disk.outputs, *(b.output for b in planned.snapshot.bindings.values() if b.output)}
    for output in {path.rpartition("/")[0]: path for path in sorted(outputs)}.values():
        with suppress(ArtifactError):  # a folder that cannot be reached is the affair of the step that needs it
            session.placer.sweep([output])
    if session.draft:
        return  # what follows is another session's, and it may be at work
    replaced = {session.workspace.root / name for name in (*planned.loaded.project.files, LOCK_FILE, f"{STATE}/hashes")}
    for folder in {path.parent for path in replaced}:
        with suppress(OSError):
            for stray in folder.glob(".*.part"):
                found = _REPLACING.fullmatch(stray.name)
                if found and folder / found[1] in replaced:
                    stray.unlink()


def _require_allowed(session: Session, planned: Planned, asked: ApplyOptions) -> None:
    making = planned.plan.generating()
    if asked.locked and making:
        raise Refused(
            _not_locked(planned.plan), help="apply without --locked, and commit clipform.lock", code="locked-plan"
        )
    budget, spent = planned.loaded.project.budget, planned.snapshot.spent
    objections = cost.objections(planned.plan, budget, asked.max_cost, spent)
    if objections:
        raise Refused("; ".join(objections), help=cost.WAY_OUT, code="budget")


def _not_locked(plan: Plan) -> str:
    """What is not as the lock file says, a line each."""
    making, blocked = plan.generating(), plan.blocked()
    count = f"{len(making)} would have to be generated" + (f", {len(blocked)} blocked" if blocked else "")
    lines = [f"- {step.name}: {SENTENCES[step.reason]}" for step in (*making, *blocked)]
    more = [f"- and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    return "\n".join([f"--locked: {count}", *lines[:_LISTED], *more])


async def _drive(
    session: Session, planned: Planned, asked: ApplyOptions, sink: Sink, connect: Connect, hold: Hold
) -> Summary:
    workers = os.cpu_count() or 1
    crew = None if session.shop is None else session.shop.crew
    farm = DraftRenderer(session.workspace.state_dir(session.draft) / "scratch", workers, crew)
    asking = [step for step in planned.plan.steps if step.action in ASKING]
    under_way = {step.key: planned.snapshot.attempts.get(step.key) for step in asking if step.action is Action.RESUME}
    elsewhere = [a for a in under_way.values() if a is not None and not is_here(planned.loaded, a)]
    away = {attempt.key for attempt in elsewhere}
    found = ConnectedProviders()
    try:
        needed = frozenset(step.provider for step in asking if step.key not in away)
        found.by_alias = connect_aliases(planned.loaded, needed, farm, workers, connect)
        reach_all(planned.loaded, connect, ((a, session.store.account(a)) for a in elsewhere), found)
        driver = _driver(session, planned, asked, sink, farm, found)
        with hold(driver.interrupt):
            return await driver.run(planned.plan)
    finally:
        await found.aclose()
        await farm.aclose()


def _driver(  # the wiring of a run
    session: Session,
    planned: Planned,
    asked: ApplyOptions,
    sink: Sink,
    farm: DraftRenderer,
    found: ConnectedProviders,
) -> Executor:
    world = RunRecords.of(planned.snapshot)
    picked = {o.clip.name: o.wanted.key for o in planned.loaded.orders if o.take == o.clip.spec.pick}
    hasher = session.workspace.hasher(planned.loaded.project)
    inputs = InputResolver(
        session.workspace.root,
        session.objects,
        farm,
        rehash=lambda path: hasher.hash(path).sha256,
        artifacts=lambda clip: world.at_hand.get(picked[clip]),
        hosting=_hosting(session, planned, found),
        returned=ReturnedFrames(session.clock),
    )
    ports = Ports(
        store=session.store,
        receipts=session.receipts,
        objects=session.objects,
        inputs=inputs,
        workers=farm,
        clock=session.clock,
        sink=sink,
        books=_books(session, planned.loaded),
        marker=lambda: secrets.token_hex(16),
        seed=lambda: secrets.randbits(31),
    )
    run = asked.run or (session.store.start_run("apply") if planned.plan.has_changes() else 0)
    terms = RunTerms(run, _caps(planned, asked), asked.detach)
    rules = Rules(terms, asked.fail_fast, planned.scope.force)
    return Executor(
        ports, session.placer, found, planned.loaded.by_ident, world, rules, LockfileAdopter(session, planned)
    )


def _hosting(session: Session, planned: Planned, found: ConnectedProviders) -> MediaDelivery:
    """Raises ClipformError when the project's store is needed and cannot be used."""
    loaded, workspace = planned.loaded, session.workspace
    making = [loaded.by_ident[step.ident] for step in planned.plan.generating()]
    handles = Handles(workspace.state_dir(session.draft), session.clock.now)
    return MediaDelivery(
        found.by_alias, handles, publisher_of(loaded.project.publish, workspace.env, making, loaded.dialects)
    )


def _caps(planned: Planned, asked: ApplyOptions) -> Caps | None:
    budget = planned.loaded.project.budget
    caps = [c for c in (budget.per_apply if budget else None, asked.max_cost) if c is not None]
    if budget is None and not caps:
        return None

    return Caps(
        currency=budget.currency if budget else "",
        run_micros=to_micros(min(caps, default=None)),
        total_micros=to_micros(budget.total) if budget else None,
        run_clips=budget.clips_per_apply if budget else None,
    )
