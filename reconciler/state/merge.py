"""Compares the receipts with the database: pure; `Store.merge` carries out the findings.

Attempts are matched by their marker, because numbers start again with a new database.

    receipts     attempt in the database   then
    intent       none                      restored, UNCERTAIN: the key is not bought again without consent
    accepted     none                      restored, ACCEPTED with its task
    accepted     SUBMITTING or UNCERTAIN   ACCEPTED with its task: the commit did not happen (full disk, crash)
    void         SUBMITTING or UNCERTAIN   NOT_SENT; its key is free for another
    void         none                      nothing: nothing was bought
    the user's   none                      restored, ABANDONED as the user decided
    word         not closed                ABANDONED
    anything     any other state           nothing: the database has more

A purchase that no attempt can hold is reported as lost: its intent is torn, its key has another open attempt, or the
database says that it was refused. A task that an attempt of the same key has is recorded there already; if an attempt
of another key has it (a provider answered two requests with one id), the request is uncertain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from reconciler.frozen import dataclass
from reconciler.records import BLOCKED, CONSENTS, OPEN, UNDECIDED, Attempt, State
from reconciler.state.receipts import Receipt

_NOT_CLOSED = UNDECIDED | BLOCKED | {State.STALLED, State.FAILED}
"""States that the user may end."""
_FREE = (State.NOT_SENT, State.REFUSED)

Events = Mapping[str, Receipt]
Owners = dict[tuple[str, str, str], str]
"""The key that was bought, by provider, address and task: each address may number its tasks from 1."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """A request that was sent, or may have been: its intent, and its task once it was accepted."""

    intent: Receipt
    task: str | None
    consent: str = ""  # the user's decision that ended it, a key of `CONSENTS`


@dataclass(frozen=True, slots=True)
class Findings:
    """What `Store.merge` has to do; see the table above."""

    missing: list[Purchase] = field(default_factory=list)
    accepted: list[tuple[Attempt, str]] = field(default_factory=list)
    void: list[Attempt] = field(default_factory=list)
    decided: list[tuple[Attempt, str]] = field(default_factory=list)
    lost: list[Receipt] = field(default_factory=list)


def decide(lines: Iterable[Receipt], attempts: Iterable[Attempt]) -> Findings:
    """Compare all receipts with all attempts."""
    by_marker = {attempt.marker: attempt for attempt in attempts}
    owners = {
        (bought.provider, bought.endpoint, bought.task): bought.key
        for bought in by_marker.values()
        if bought.task is not None
    }
    keys = {attempt.key for attempt in by_marker.values() if attempt.state in OPEN | BLOCKED}
    requests: dict[str, dict[str, Receipt]] = {}
    for line in lines:
        events = requests.setdefault(line.marker, {})
        if line.event == "accepted":  # also after the user ended it: that was taken back
            for word in CONSENTS:
                events.pop(word, None)
        events[line.event] = line
    findings = Findings()
    for marker, events in sorted(requests.items(), key=lambda item: _rank(item[1])):
        if marker in by_marker:
            _compare(findings, events, by_marker[marker], owners, keys)
        elif not _is_settled(events, owners):
            _restore(findings, events, owners, keys)
    return findings


def _rank(events: Events) -> int:
    """Void and abandoned requests first, which free their key, then accepted ones, then unanswered ones."""
    return 0 if "void" in events or _consent(events) else 1 if "accepted" in events else 2


def _consent(events: Events) -> str:
    return next((word for word in CONSENTS if word in events), "")


def _compare(findings: Findings, events: Events, attempt: Attempt, owners: Owners, keys: set[str]) -> None:
    answer, consent = events.get("accepted"), _consent(events)
    if consent and attempt.state in _NOT_CLOSED:
        findings.decided.append((attempt, consent))
        keys.discard(attempt.key)
    elif answer and answer.task and attempt.state in UNDECIDED:
        if (attempt.provider, attempt.endpoint, answer.task) not in owners:  # one id may answer two requests
            findings.accepted.append((attempt, answer.task))
            owners[attempt.provider, attempt.endpoint, answer.task] = attempt.key
    elif answer and attempt.state in _FREE:
        findings.lost.append(answer)
    elif "void" in events and attempt.state in UNDECIDED:
        findings.void.append(attempt)
        keys.discard(attempt.key)


def _is_settled(events: Events, owners: Owners) -> bool:
    """True if nothing was bought, or another attempt of the key has the task."""
    intent, answer = events.get("intent"), events.get("accepted")
    if answer is None or answer.task is None:
        return intent is None or "void" in events
    return intent is not None and owners.get((intent.provider, intent.endpoint, answer.task)) == intent.key


def _restore(findings: Findings, events: Events, owners: Owners, keys: set[str]) -> None:
    intent, answer = events.get("intent"), events.get("accepted")
    task, consent = answer.task if answer is not None else None, _consent(events)
    if intent is not None and (consent or intent.key not in keys):
        if task is not None and owners.setdefault((intent.provider, intent.endpoint, task), intent.key) != intent.key:
            task = None  # the id is another key's: this request is uncertain
        findings.missing.append(Purchase(intent, task, consent))
        keys.update(() if consent else (intent.key,))
    elif answer is not None:
        findings.lost.append(answer)
