"""What is known of a clip that waits for a person, in words, and the commands that lead out.

Every view says it with these words: why (`SENTENCES`), what is known, at which alias, since when, what it cost, and the
way out. `reason_line` is the one line; what `plan` and `apply` decide at different times comes from the same functions.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.plan.model import SENTENCES, Reason
from reconciler.records import ABANDONED, BLOCKED, Attempt, Generation, LockEntry, Money, State, from_micros

_BLOCKING = {
    State.UNCERTAIN: Reason.UNCERTAIN,
    State.STALLED: Reason.STALLED,
    State.VANISHED: Reason.VANISHED,
    State.NO_OUTPUT: Reason.NO_OUTPUT,
    State.RESULT_EXPIRED: Reason.LINK_EXPIRED,
    State.QUARANTINED: Reason.QUARANTINED,
}
_FINAL = frozenset({"bad input", "moderation"})  # the same request would be refused again
_TOLD = BLOCKED | {State.REFUSED, State.FAILED, State.ABANDONED}  # states whose message says why


@dataclass(frozen=True, slots=True)
class Block:
    """Why a clip is not made by itself, what is known of it, and the commands that settle it."""

    reason: Reason
    known: str = ""
    way_out: tuple[str, ...] = ()


def reason_line(reason: Reason, known: str) -> str:
    """Why, and what is known, in one line."""
    return f"{SENTENCES[reason]}: {known}" if known else SENTENCES[reason]


def of_attempt(attempt: Attempt, *, takes: int = 1, several: bool = False) -> Block | None:
    """What an attempt means for its clip when a person must settle it, as `settle` has it; None when the next run may
    go on by itself."""
    if attempt.state in _BLOCKING:
        return Block(_BLOCKING[attempt.state], describe_attempt(attempt), settle(attempt, takes=takes, several=several))
    name = quote(attempt.clip)
    if attempt.state in (State.REFUSED, State.FAILED) and attempt.reason in _FINAL:
        return Block(Reason.REFUSED, describe_attempt(attempt), (f"clipform show {name}", f"clipform retake {name}"))
    if attempt.state is State.ABANDONED and attempt.reason == ABANDONED:
        return Block(Reason.GIVEN_UP, describe_attempt(attempt), (f"clipform retake {name}",))
    return None


def describe_attempt(attempt: Attempt) -> str:
    """What is known of an attempt, in one line: the same in `plan`, `status`, `show` and `apply`."""
    task = f"task {attempt.task}" if attempt.task else "no task id"
    words = [f"{attempt.state.value.replace('_', ' ')} at {attempt.provider} ({attempt.model})", task]
    if attempt.created:
        words.append(f"since {_when(attempt.created)}")
    words.append(_cost(attempt))
    if attempt.message and attempt.state in _TOLD:
        words.append(attempt.message)
    return ", ".join(words)


def _cost(attempt: Attempt) -> str:
    if attempt.money is Money.RELEASED:
        return "not charged"
    if attempt.cost_micros is None:
        return "at an unknown price"
    bound = "up to " if attempt.money is Money.RESERVED else ""
    return f"{bound}{_money(attempt.cost_micros, attempt.currency)}"


def _money(micros: int, currency: str) -> str:
    """An amount with two places at least."""
    if not micros:
        return "free"
    whole, _, fraction = f"{from_micros(micros):f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')} {currency}".rstrip()


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def quote(clip: str) -> str:
    """A clip's name as it stands in a shell command: a matrix suffix needs quotes."""
    return "'" + clip.replace("'", "'\\''") + "'" if "[" in clip else clip


def settle(attempt: Attempt, *, takes: int = 1, several: bool = False) -> tuple[str, ...]:
    """The commands that settle an attempt: one in doubt may turn out to be some task, and one whose result did not come
    may be looked at again, for free. They say which where two may wait at once: its clip has so many takes, or this
    take has `several` versions that are not settled."""
    name = quote(attempt.clip)
    which = f" --take {attempt.take}" if max(takes, attempt.take) > 1 else ""
    which = f" --attempt {attempt.id}" if several else which
    if attempt.state is State.STALLED:
        return (f"clipform apply {name}", f"clipform resolve {name}{which} --abandon")
    task = "ID" if attempt.state is State.UNCERTAIN else attempt.task
    ways = ((f"--task {shlex.quote(task)}",) if task else ()) + ("--resubmit", "--abandon")
    return tuple(f"clipform resolve {name}{which} {way}" for way in ways)


def artifact_lost(clip: str, made: Generation | None, attempt: Attempt | None) -> Block:
    """It was paid for, and its bytes are gone from the store."""
    facts = _made(made) if made is not None else describe_attempt(attempt) if attempt is not None else ""
    return Block(Reason.PAID_BEFORE, facts, (f"clipform retake {quote(clip)}",))


def protected(clip: str, made: Generation | None) -> Block:
    """It is protected; what it holds stays."""
    return Block(Reason.PROTECTED, _made(made) if made is not None else "", (f"clipform apply {quote(clip)}",))


def _made(made: Generation) -> str:
    words = [f"made at {made.provider} ({made.model})"]
    words += [f"task {made.task}"] if made.task else []
    words += [f"on {_when(made.created)}"] if made.created else []
    words.append("at an unknown price" if made.cost_micros is None else _money(made.cost_micros, made.currency))
    return ", ".join(words)


def elsewhere(clip: str, entry: LockEntry) -> Block:
    """The lock file knows it; the provider may still have what the lock file knows a task of."""
    words = [f"made at {entry.provider} ({entry.model})"] if entry.provider else []
    words += [f"task {entry.task}"] if entry.task else []
    words += [_money(entry.cost_micros, entry.currency)] if entry.cost_micros is not None else []
    adopt = (f"clipform import {quote(clip)} --task {shlex.quote(entry.task)}",) if entry.task else ()
    return Block(Reason.LOCKED_BEFORE, ", ".join(words), (*adopt, f"clipform retake {quote(clip)}"))


def upstream(clip: str, missing: Iterable[str], *, chosen: bool) -> Block:
    """What it needs will not be there: because it is blocked itself, or (`chosen`) was not asked for."""
    names = sorted(missing)
    ways = (f"clipform apply {quote('+' + clip)}",) if chosen else tuple(f"clipform show {quote(n)}" for n in names[:3])
    return Block(Reason.UPSTREAM, f"needs {', '.join(names)}", ways)


def barred(output: str, by: str) -> Block:
    """Outputs are placed through real folders only; `by` is what stands in the way."""
    return Block(Reason.BARRED, f"{by} on the way to {output} is no folder", (f"ls -l {shlex.quote(by)}",))


def foreign_file(clip: str, output: str) -> Block:
    """The user's own file lies at its output."""
    return Block(Reason.FOREIGN, output, (f"clipform apply --force {quote(clip)}",))
