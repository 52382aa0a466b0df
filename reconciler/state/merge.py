"""What the receipts know that the database does not: a pure comparison, carried out by `Store.merge`.

Attempts are matched by their marker, for numbers start again with a new database. What the receipts say:

    receipts     attempt in the database   then
    intent       none                      restored, UNCERTAIN: the key is not bought again unasked
    accepted     none                      restored, ACCEPTED with its task
    accepted     SUBMITTING or UNCERTAIN   ACCEPTED with its task: the commit did not happen (full disk, crash)
    void         SUBMITTING or UNCERTAIN   NOT_SENT
    void         none                      nothing: nothing was bought
    anything     any other state           nothing: the database knows more

What was accepted and cannot be given an attempt is reported as lost: its intent is torn, its key has another open
attempt, or the database says that it was refused. A task that already belongs to an attempt is known by that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.records import BLOCKED, OPEN, Attempt, State
from reconciler.state.receipts import Receipt

_UNDECIDED = (State.SUBMITTING, State.UNCERTAIN)
_FREE = (State.NOT_SENT, State.REFUSED)

Events = Mapping[str, Receipt]


@dataclass(frozen=True, slots=True)
class Purchase:
    """A request that went out, or may have: its intent, and its task once it was accepted."""

    intent: Receipt
    task: str | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What is to be done; see the table above."""

    missing: list[Purchase] = field(default_factory=list)
    accepted: list[tuple[Attempt, str]] = field(default_factory=list)
    void: list[Attempt] = field(default_factory=list)
    lost: list[Receipt] = field(default_factory=list)


def decide(lines: Iterable[Receipt], attempts: Iterable[Attempt]) -> Findings:
    """Compare all receipts with all attempts."""
    known = {attempt.marker: attempt for attempt in attempts}
    tasks = {(attempt.provider, attempt.task) for attempt in known.values()}
    keys = {attempt.key for attempt in known.values() if attempt.state in OPEN | BLOCKED}
    findings = Findings()
    for marker, events in _by_marker(lines).items():
        if marker in known:
            _compare(findings, events, known[marker], tasks)
        elif not _nothing_owed(events, tasks):
            _restore(findings, events, keys)
    return findings


def _compare(findings: Findings, events: Events, attempt: Attempt, tasks: set[tuple[str, str | None]]) -> None:
    answer = events.get("accepted")
    if answer and answer.task and attempt.state in _UNDECIDED:
        if (attempt.provider, answer.task) not in tasks:  # a provider may answer two requests with one id
            findings.accepted.append((attempt, answer.task))
            tasks.add((attempt.provider, answer.task))
    elif answer and attempt.state in _FREE:
        findings.lost.append(answer)
    elif "void" in events and attempt.state in _UNDECIDED:
        findings.void.append(attempt)


def _nothing_owed(events: Events, tasks: set[tuple[str, str | None]]) -> bool:
    """Nothing was bought, or another attempt has the task."""
    intent, answer = events.get("intent"), events.get("accepted")
    if answer is None:
        return intent is None or "void" in events
    return intent is not None and (intent.provider, answer.task) in tasks


def _restore(findings: Findings, events: Events, keys: set[str]) -> None:
    intent, answer = events.get("intent"), events.get("accepted")
    if intent is not None and intent.key not in keys:
        findings.missing.append(Purchase(intent, answer.task if answer else None))
        keys.add(intent.key)
    elif answer is not None:
        findings.lost.append(answer)


def _by_marker(lines: Iterable[Receipt]) -> dict[str, dict[str, Receipt]]:
    found: dict[str, dict[str, Receipt]] = {}
    for line in lines:
        found.setdefault(line.marker, {})[line.event] = line
    return found
