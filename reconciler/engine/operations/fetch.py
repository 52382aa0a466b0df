"""`fetch`: brings back the videos that the lock file or the state knows and this machine lacks. It never buys.

Each lost video's task is adopted again, and a run with only the free steps of the plan collects and places it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

from reconciler.diagnostics import ClipformError, Finding, Refused
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.connections.providers import LOCAL, Connect
from reconciler.engine.operations.adopt_task import adopt_again, adopt_line, adopt_task
from reconciler.engine.ports import Sink
from reconciler.engine.run.apply import ApplyOptions, Run
from reconciler.engine.run.session import Session, look
from reconciler.events import EventKind, Outcome, Summary
from reconciler.plan.model import Action, Plan, Reason, Step
from reconciler.project.model import Choice, Planned
from reconciler.records import LOOKED_AT_AGAIN, Attempt, State

Problems = dict[tuple[str, int], ClipformError]


def fetch(
    session: Session, choice: Choice, marker: Callable[[], str], sink: Sink, connect: Connect
) -> tuple[Summary, list[Finding]]:
    """Bring back what is missing of the chosen clips. Returns the run, and a finding for each take that was missing.

    Raises SpecError, UsageError before anything is done, and Refused from `connect` before anything is sent.
    """
    planned = _from_shared_cache(session, look(session, choice), choice)
    access = ProviderAccess(planned.loaded, connect)
    problems: Problems = {}
    for step in planned.plan.steps:
        if _is_missing(step, planned):
            try:
                _adopt(session, planned, step, marker, access)
            except Refused:
                raise
            except ClipformError as error:
                problems[step.ident] = error
    planned = look(session, choice)
    free = replace(planned, plan=_free_part(planned.plan))
    summary = Run(session, free, ApplyOptions(choice, fetching=True), sink, connect).execute()
    return summary, list(_findings(planned.plan, problems, summary))


def _from_shared_cache(session: Session, planned: Planned, choice: Choice) -> Planned:
    """Bring what the shared cache has, and return the plan with it. What it lacks is asked for at the provider."""
    steps = [step for step in planned.plan.steps if step.reason is Reason.CACHED]
    if not steps:
        return planned
    from reconciler.engine.run.shared_cache import SharedCache

    asyncio.run(SharedCache.of(session, planned.loaded.project.cache).bring(steps))
    return look(session, choice)


def _is_missing(step: Step, planned: Planned) -> bool:
    """True if the video of a take was made, and neither the store nor an output has it, nor a task in progress."""
    order = planned.loaded.by_ident.get((step.clip, step.take))
    if (
        (step.sha256 is not None and step.reason is not Reason.CACHED)
        or order is None
        or order.wanted.free
        or step.action is Action.RESUME
    ):
        return False
    attempt = planned.snapshot.attempts.get(step.key)
    line = planned.locked.get(step.key)
    if line is not None and line.rehearsal and not order.wanted.rehearses:
        line = None
    result = planned.snapshot.generations.get(step.key) or line
    if result is not None:
        return result.sha256 not in planned.disk.objects
    return attempt is not None and _has_lost_result(attempt)


def _has_lost_result(attempt: Attempt) -> bool:
    return attempt.state in LOOKED_AT_AGAIN | {State.FETCHED, State.DONE}


def _adopt(session: Session, planned: Planned, step: Step, marker: Callable[[], str], access: ProviderAccess) -> None:
    """Record that the task of a lost video is to be collected. Raises ClipformError, saying why it cannot be."""
    attempt, line = planned.snapshot.attempts.get(step.key), planned.locked.get(step.key)
    if attempt is not None and attempt.task is not None and attempt.kind != LOCAL and _has_lost_result(attempt):
        again = adopt_task if attempt.state in LOOKED_AT_AGAIN else adopt_again
        again(session, attempt, attempt.task, access)
    elif line is not None:
        adopt_line(session, planned.loaded, line, marker, access)
    else:
        raise ClipformError("no task of a provider is on record")


def _free_part(plan: Plan) -> Plan:
    """Return the steps that collect or place what was made, and nothing that is made, moved or removed."""
    collected = [s for s in plan.steps if s.action is Action.RESUME and s.reason is not Reason.NOT_REFERENCED]
    idents = {step.ident for step in collected}
    placed = [s for s in plan.steps if s.action is Action.RESTORE and (not s.needs_a_maker or set(s.needs) <= idents)]
    return Plan((*placed, *collected), currency=plan.currency)


def _findings(plan: Plan, problems: Problems, summary: Summary) -> Iterator[Finding]:
    outcomes = {(outcome.clip, outcome.take): outcome for outcome in summary.outcomes}
    for step in plan.steps:
        error, outcome = problems.get(step.ident), outcomes.get(step.ident)
        if outcome is not None:
            yield _finding(step.name, outcome)
        elif error is not None:
            yield Finding(
                step.name, False, f"{step.detail}: {error.message}" if step.detail else error.message, error.help
            )


def _finding(name: str, outcome: Outcome) -> Finding:
    place = f"fetched to {outcome.output}" if outcome.output else "fetched to the store"
    is_here = outcome.result is EventKind.SUCCEEDED
    return Finding(name, is_here, (outcome.message or place) if is_here else outcome.message, outcome.help)
