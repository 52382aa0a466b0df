"""What the receipts know that the database does not: a pure comparison, carried out by `Store.merge`.

Attempts are matched by their marker, for numbers start again with a new database. What the receipts say:

    receipts     attempt in the database   then
    intent       none                      restored, UNCERTAIN: the key is not bought again unasked
    accepted     none                      restored, ACCEPTED with its task
    accepted     SUBMITTING or UNCERTAIN   ACCEPTED with its task: the commit did not happen (full disk, crash)
    void         SUBMITTING or UNCERTAIN   NOT_SENT; its key is free for another
    void         none                      nothing: nothing was bought
    anything     any other state           nothing: the database knows more

What was accepted and cannot be given an attempt is reported as lost: its intent is torn, its key has another open
attempt, or the database says that it was refused. A task that already belongs to an attempt of the same key is known by
that one; where it belongs to another key (a provider answered two requests with one id), the request is in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.records import BLOCKED, OPEN, UNDECIDED, Attempt, State
from reconciler.state.receipts import Receipt

_FREE = (State.NOT_SENT, State.REFUSED)

Events = Mapping[str, Receipt]
Owners = dict[tuple[str, str], str]
"""Whose each task is: provider and task to the key that was bought."""


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
    owners = {(attempt.provider, attempt.task): attempt.key for attempt in known.values() if attempt.task is not None}
    keys = {attempt.key for attempt in known.values() if attempt.state in OPEN | BLOCKED}
    findings = Findings()
    for marker, events in sorted(_by_marker(lines).items(), key=lambda item: _turn(item[1])):
        if marker in known:
            _compare(findings, events, known[marker], owners, keys)
        elif not _nothing_owed(events, owners):
            _restore(findings, events, owners, keys)
    return findings


def _turn(events: Events) -> int:
    """A request that was void frees its key, and one without an answer must not take that of a purchase behind it."""
    return 0 if "void" in events else 1 if "accepted" in events else 2


def _compare(findings: Findings, events: Events, attempt: Attempt, owners: Owners, keys: set[str]) -> None:
    answer = events.get("accepted")
    if answer and answer.task and attempt.state in UNDECIDED:
        if (attempt.provider, answer.task) not in owners:  # a provider may answer two requests with one id
            findings.accepted.append((attempt, answer.task))
            owners[attempt.provider, answer.task] = attempt.key
    elif answer and attempt.state in _FREE:
        findings.lost.append(answer)
    elif "void" in events and attempt.state in UNDECIDED:
        findings.void.append(attempt)
        keys.discard(attempt.key)


def _nothing_owed(events: Events, owners: Owners) -> bool:
    """Nothing was bought, or another attempt of the key has the task."""
    intent, answer = events.get("intent"), events.get("accepted")
    if answer is None or answer.task is None:
        return intent is None or "void" in events
    return intent is not None and owners.get((intent.provider, answer.task)) == intent.key


def _restore(findings: Findings, events: Events, owners: Owners, keys: set[str]) -> None:
    intent, answer = events.get("intent"), events.get("accepted")
    task = answer.task if answer is not None else None
    if intent is not None and intent.key not in keys:
        if task is not None and owners.setdefault((intent.provider, task), intent.key) != intent.key:
            task = None  # the id is another key's: what became of this request is in doubt
        findings.missing.append(Purchase(intent, task))
        keys.add(intent.key)
    elif answer is not None:
        findings.lost.append(answer)


def _by_marker(lines: Iterable[Receipt]) -> dict[str, dict[str, Receipt]]:
    found: dict[str, dict[str, Receipt]] = {}
    for line in lines:
        found.setdefault(line.marker, {})[line.event] = line
    return found
