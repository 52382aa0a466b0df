"""Looks up one uncertain request while its generation runs, a reading at a time."""

from __future__ import annotations

from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.control import Pause
from reconciler.engine.uncertain.absence import APART, Ask
from reconciler.engine.uncertain.settle import ROUNDS, question
from reconciler.events import EventKind
from reconciler.records import Attempt, State


async def look_up(context: AttemptContext, attempt: Attempt) -> Pause | None:
    """Look for a request that became uncertain in this run. Returns the wait before the next reading; None once it is
    settled, or `context.lookup_reason` says why it is not.

    The first reading is made at once and shows what was accepted. The time after which a request may count as absent is
    waited for only while the run has other things to do.
    """
    now, reader = context.ports.clock.monotonic(), context.ports.lookups.reader(context.provider)
    since, why = context.looking or (now, "")
    if since - now >= 1.0:  # nothing else is left to do
        context.lookup_reason = why
        return None
    await reader.read(since)
    verdict = reader.settle().get(attempt.id)
    if not isinstance(verdict, Ask):  # or another generation's look-up has settled it
        report(context)
        return None
    context.counters.looks += 1
    pause = None if verdict.again is None else _pause(context, verdict.again)
    if pause is None or verdict.again is None:
        context.lookup_reason = question(verdict, context.ports.clock)
    elif context.counters.looks >= ROUNDS:
        context.lookup_reason = "its list did not settle it"
        return None
    else:
        context.looking = verdict.again, question(verdict, context.ports.clock)
    return pause


def report(context: AttemptContext) -> None:
    """Say what a look-up has settled, and end it."""
    context.looking, newest = None, context.newest()
    if newest is not None and newest.state is State.ACCEPTED:
        context.say(EventKind.SUBMITTED, task=newest.task, message=f"found in {context.provider.alias}'s list")
    elif newest is not None and newest.state is State.NOT_SENT:
        text = f"{context.step.name}: {context.provider.alias} did not accept it; it is sent again"
        context.say(EventKind.NOTE, message=text)
        context.counters.sent = False


def _pause(context: AttemptContext, again: float) -> Pause | None:
    """Return the wait until `again` if that is soon, or else while other generations are running; None to detach."""
    delay, detach = again - context.ports.clock.monotonic(), context.terms.detach
    reason = "" if detach else f"looking for its request in {context.provider.alias}'s list"
    if delay <= APART:
        return Pause(max(0.0, delay), reason, looking=True)
    return None if detach else Pause(delay, reason, looking=True, idle=True)
