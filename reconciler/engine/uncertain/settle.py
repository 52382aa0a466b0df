"""Looking up requests in doubt: all of them before a run, and one that came to be in doubt within it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from reconciler.clock import Clock
from reconciler.diagnostics import ClipformError
from reconciler.engine.connections.providers import LOCAL, Connect, is_here, reach
from reconciler.engine.control import RunControl
from reconciler.engine.uncertain.match import APART, Absent, Ask, Matched
from reconciler.engine.uncertain.task_list import LookupContext, TaskListReader
from reconciler.events import Event, EventKind
from reconciler.project import endpoints
from reconciler.project.model import Loaded
from reconciler.providers.capabilities import Lists
from reconciler.records import Attempt, State

ROUNDS = 8
"""Readings that one look-up makes at most."""

Say = Callable[[Event], None]


async def _nap(clock: Clock, halt: RunControl, seconds: float, *, idle: bool = False) -> None:
    """Sleep, unless the user interrupts, or (`idle`) nobody else is at work any more."""
    events = (halt.event, halt.idle) if idle else (halt.event,)
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    nap = asyncio.ensure_future(clock.sleep(max(0.0, seconds)))
    try:
        await asyncio.wait([*waits, nap], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in (*waits, nap):
            wait.cancel()


async def settle_all(
    books: LookupContext, loaded: Loaded, connect: Connect, halt: RunControl, say: Say
) -> dict[str, str]:
    """Before a run: look up all that is in doubt wherever there is a list. What remains a question, with its reason, by
    key. A provider that cannot be asked is a reason, too, and never an error."""
    doubtful = [a for a in books.store.attempts() if a.state is State.UNCERTAIN]
    told: dict[str, str] = {}
    places: dict[tuple[str, ...], list[Attempt]] = {}
    for attempt in doubtful:
        if attempt.kind == LOCAL or (is_here(loaded, attempt) and attempt.provider not in loaded.listing):
            continue
        if reason := _nowhere(books, loaded, attempt):
            told[attempt.key] = reason
            continue
        account = "" if is_here(loaded, attempt) else books.store.account(attempt)
        place = (attempt.provider, "" if is_here(loaded, attempt) else attempt.endpoint, attempt.kind, account)
        places.setdefault(place, []).append(attempt)
    found = await asyncio.gather(
        *(_settle(own, books, loaded, connect, halt, say) for _, own in sorted(places.items()))
    )
    return told | {key: reason for reasons in found for key, reason in reasons.items()}


def _nowhere(books: LookupContext, loaded: Loaded, attempt: Attempt) -> str:
    """Why a request of an older clipform, which does not say where it was sent, is not looked up where its alias points
    now: no plan has shown that address, and no key goes there before one has."""
    if attempt.endpoint or not is_here(loaded, attempt):
        return ""
    config, dialect = loaded.project.providers[attempt.provider], loaded.dialects[attempt.provider]
    warning = endpoints.new_address(config, dialect, books.store.snapshot())
    return f"it was not asked: {warning.message}" if warning is not None else ""


async def _settle(  # the two ends of a connection around a loop
    own: Sequence[Attempt], books: LookupContext, loaded: Loaded, connect: Connect, halt: RunControl, say: Say
) -> dict[str, str]:
    """Look up the requests of one place."""
    try:
        vendor = reach(loaded, connect, own[0], books.store.account(own[0]))
    except ClipformError as error:
        return {a.key: f"it could not be asked: {error.message}" for a in own}
    try:
        if not isinstance(vendor.dialect, Lists):
            return {}
        return await _rounds(TaskListReader(books, vendor, is_here(loaded, own[0])), halt, say)
    finally:
        await vendor.transport.aclose()


async def _rounds(search: TaskListReader, halt: RunControl, say: Say) -> dict[str, str]:
    """Read and decide; wait for a second look where that decides, and for nothing else."""
    clock = search.books.clock
    attempts = {a.id: a for a in search.books.store.attempts()}
    reasons: dict[str, str] = {}
    since = clock.now()
    for _ in range(ROUNDS):
        await search.read(since)
        asks: list[Ask] = []
        for number, verdict in search.settle().items():
            attempt = attempts[number]
            reasons.pop(attempt.key, None)
            match verdict:
                case Matched(task, _):
                    say(_note(attempt, f"its request was accepted: {attempt.provider} lists it as task {task}"))
                case Absent():
                    say(_note(attempt, f"its request was not accepted: {attempt.provider} has no such task"))
                case Ask():
                    reasons[attempt.key] = question(verdict)
                    asks.append(verdict)
        soon = [ask.again for ask in asks if ask.again is not None and ask.again - clock.now() <= APART]
        if not soon:
            break
        since = min(soon)
        await _nap(clock, halt, since - clock.now())
        if halt.event.is_set():
            break
    return reasons


def question(ask: Ask) -> str:
    """A reason, with the time from when on looking again may help."""
    if ask.again is None:
        return ask.reason
    when = datetime.fromtimestamp(ask.again, UTC).strftime("%H:%M:%S UTC")
    return f"{ask.reason}; clipform apply looks again after {when}"


def _note(attempt: Attempt, text: str) -> Event:
    return Event(EventKind.NOTE, attempt.clip, attempt.take, message=f"{attempt.clip}: {text}")
