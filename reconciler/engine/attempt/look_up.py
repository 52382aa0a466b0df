"""Looks up one uncertain request while its generation runs."""

from __future__ import annotations

from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.control import StepEnded
from reconciler.engine.uncertain.absence import APART, Ask
from reconciler.engine.uncertain.settle import ROUNDS, question
from reconciler.events import EventKind
from reconciler.next_command import command
from reconciler.records import Attempt, State


async def look_up(context: AttemptContext, attempt: Attempt) -> None:
    """Look up a request that became uncertain in this run, until it is settled or `context.lookup_reason` says why not.

    The first reading is made at once and shows what was accepted. The time after which a request may count as absent is
    waited for only while the run has other things to do.
    """
    reader, since = context.ports.lookups.reader(context.provider), context.ports.clock.monotonic()
    for _ in range(ROUNDS):
        await reader.read(since)
        verdict = reader.settle().get(attempt.id)
        if not isinstance(verdict, Ask):  # or another generation's look-up has settled it
            _report(context)
            return
        if verdict.again is None or not await _may_wait(context, verdict.again):
            context.lookup_reason = question(verdict, context.ports.clock)
            return
        since = verdict.again
    context.lookup_reason = "its list did not settle it"


def _report(context: AttemptContext) -> None:
    newest = context.newest()
    if newest is not None and newest.state is State.ACCEPTED:
        context.say(EventKind.SUBMITTED, task=newest.task, message=f"found in {context.provider.alias}'s list")
    elif newest is not None and newest.state is State.NOT_SENT:
        text = f"{context.step.name}: {context.provider.alias} did not accept it; it is sent again"
        context.say(EventKind.NOTE, message=text)
        context.counters.sent = False


async def _may_wait(context: AttemptContext, again: float) -> bool:
    """Wait until `again` if that is soon, or while other generations are running. Returns True if the time has come."""
    clock, control = context.ports.clock, context.control
    delay = again - clock.monotonic()
    if delay > 0 and not context.terms.detach:
        context.say_waiting(f"looking for its request in {context.provider.alias}'s list", delay)
    if delay <= APART:
        await control.sleep(clock, delay)
    elif not context.terms.detach:
        with control.waiting():
            await control.sleep(clock, delay, idle=True)
    if control.event.is_set():
        text = f"{control.end} before it could be looked up"
        raise StepEnded(EventKind.BLOCKED, text, f"{command('apply')} looks it up")
    return again - clock.monotonic() < 1.0
