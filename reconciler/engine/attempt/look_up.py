"""Looks up one uncertain request while its generation runs."""

from __future__ import annotations

from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.control import StepEnded
from reconciler.engine.uncertain.match import APART, Ask
from reconciler.engine.uncertain.settle import ROUNDS, _nap, question
from reconciler.events import EventKind
from reconciler.records import Attempt, State


async def look_up(work: AttemptContext, attempt: Attempt) -> None:
    """For a request that came to be in doubt in this run: until its record has moved on, or `work.doubt` says why not.

    The first look is made at once, and finds what was accepted. The time after which it may be believed absent is
    waited for only while the run has other things to do.
    """
    vendor, since = work.vendor, attempt.updated
    search = work.ports.books.search(vendor)
    for _ in range(ROUNDS):
        await search.read(since)
        verdict = search.settle().get(attempt.id)
        if not isinstance(verdict, Ask):  # or another's look has settled it
            _moved_on(work)
            return
        if verdict.again is None or not await _may_wait(work, verdict.again):
            work.doubt = question(verdict)
            return
        since = verdict.again
    work.doubt = "its list could not tell"


def _moved_on(work: AttemptContext) -> None:
    now = work.newest()
    if now is not None and now.state is State.ACCEPTED:
        work.say(EventKind.SUBMITTED, task=now.task, message=f"found in {work.vendor.alias}'s list")
    elif now is not None and now.state is State.NOT_SENT:
        work.say(
            EventKind.NOTE, message=f"{work.step.name}: {work.vendor.alias} did not accept it; it is asked for anew"
        )
        work.sent = False


async def _may_wait(work: AttemptContext, again: float) -> bool:
    """Wait until then, if that is a moment only, or others are at work all the while."""
    clock, halt = work.ports.clock, work.halt
    delay = again - clock.now()
    if delay <= APART:
        await _nap(clock, halt, delay)
    elif not work.terms.detach:
        with halt.waiting():
            await _nap(clock, halt, delay, idle=True)
    if halt.event.is_set():
        raise StepEnded(EventKind.BLOCKED, "interrupted before it could be looked up", "clipform apply looks it up")
    return again - clock.now() < 1.0
