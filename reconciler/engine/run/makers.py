"""Gets the video of one step: from the team that bought it before, from workers, or by a purchase of this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from reconciler.diagnostics import ClipformError
from reconciler.engine.attempt.context import AttemptContext, Ports, RunTerms
from reconciler.engine.attempt.runner import AttemptRunner
from reconciler.engine.connections.providers import ConnectedProviders
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.run.scheduler import Ident
from reconciler.events import EventKind
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.model import GENERATES, Step
from reconciler.project.orders import Order
from reconciler.records import Artifact, LockEntry

if TYPE_CHECKING:
    from reconciler.engine.run.hand_over import HandOver
    from reconciler.engine.run.shared_cache import SharedCache


class MakingRun(Protocol):
    """A run whose steps are made; `Executor` is one."""

    ports: Ports
    providers: ConnectedProviders
    orders: Mapping[Ident, Order]
    terms: RunTerms
    shared: SharedCache | None
    handed: HandOver | None
    control: RunControl


@dataclass(frozen=True, slots=True)
class Made:
    """A video that is stored here. `line`: it was bought elsewhere, and has no record yet. `free`: why nothing was paid
    for it in this run."""

    sha256: str
    free: str = ""
    line: LockEntry | None = None
    artifact: Artifact | None = None
    is_durable: bool = True


async def make(run: MakingRun, step: Step) -> Made:
    """Have the video of a step made. Raises StepEnded and ClipformError."""
    if run.handed is not None and run.handed.has(step):
        if (line := run.handed.taken(step)) is None:
            return Made(await run.handed.follow(step, run.shared))
    else:
        line = await _bought_elsewhere(run, step)
    if line is not None:
        return Made(line.sha256, "bought elsewhere; taken from the shared cache", line)
    runner = _runner(run, step)
    sha256 = await runner.make()
    free = f"{runner.maker} made it; nothing was paid here" if runner.maker else ""
    return Made(sha256, free, artifact=runner.context.artifact, is_durable=runner.context.provider.durable)


async def _bought_elsewhere(run: MakingRun, step: Step) -> LockEntry | None:
    """Return the result of a purchase that the team has made; None if this run may buy, or shares nothing."""
    provider = run.providers.by_alias.get(step.provider) if step.action in GENERATES else None
    shared, order = run.shared, run.orders.get(step.ident)
    if shared is None or provider is None or order is None or not (shared.pushes and provider.durable):
        return None
    if run.ports.store.is_shared or run.ports.store.is_offline:  # the database says who may buy
        return await shared.known(step, order.wanted.rehearses)
    patience = 0.0 if run.terms.detach else provider.pace.timeout
    return await shared.secure(step, order.wanted.rehearses, patience, run.ports.sink)


def _runner(run: MakingRun, step: Step) -> AttemptRunner:
    try:
        provider = run.providers.of(step.provider, step.key)
    except ClipformError as error:
        raise StepEnded(EventKind.BLOCKED, error.message, error.help) from error
    if run.ports.store.is_offline and provider.durable:
        text = "the shared state cannot be reached, so nothing was sent"
        raise StepEnded(EventKind.SKIPPED, text, f"{command('apply')} goes on when it answers")
    now, order = run.ports.clock.monotonic(), run.orders.get(step.ident)
    return AttemptRunner(AttemptContext(run.ports, run.terms, run.control, step, provider, order, began=now))
