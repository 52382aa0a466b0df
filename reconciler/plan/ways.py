"""What is known of an attempt in words, and the commands that lead out of a block. The same words in every view."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.plan.model import Locked
from reconciler.records import BLOCKED, Attempt, State, from_micros


def known(attempt: Attempt) -> str:
    """What is known of an attempt, in one line: the same in `plan`, `status`, `show` and `apply`."""
    task = f"task {attempt.task}" if attempt.task else "no task id"
    words = [f"{attempt.state.value} at {attempt.provider} ({attempt.model})", task]
    if attempt.created:
        words.append(f"since {datetime.fromtimestamp(attempt.created, UTC):%Y-%m-%d %H:%M} UTC")
    if attempt.cost_micros:
        words.append(f"up to {_money(attempt)}")
    if attempt.message and attempt.state in BLOCKED:
        words.append(attempt.message)
    return ", ".join(words)


def _money(attempt: Attempt) -> str:
    amount = from_micros(attempt.cost_micros or 0)
    return f"{amount.normalize():f} {attempt.currency}".rstrip()


def quote(clip: str) -> str:
    """A clip's name as it stands in a shell command: a matrix suffix needs quotes."""
    return f"'{clip}'" if "[" in clip else clip


def settle(attempt: Attempt) -> tuple[str, ...]:
    """The commands that settle an attempt: only one in doubt may still turn out to be some task."""
    name = quote(attempt.clip)
    ways = ("--task ID", "--resubmit", "--abandon") if attempt.state is State.UNCERTAIN else ("--resubmit", "--abandon")
    return tuple(f"clipform resolve {name} {way}" for way in ways)


def fetch_or_retake(clip: str, entry: Locked) -> tuple[str, ...]:
    """The provider may still have what the lock file knows a task of."""
    adopt = (f"clipform import {quote(clip)} --task {entry.task}",) if entry.task else ()
    return (*adopt, f"clipform retake {quote(clip)}")
