"""Tables of a vendor's error codes, and the four kinds of answer to a submit that they decide between.

A row stands in a table only when the code proves that nothing was accepted; whatever is not listed is `Unknown`
(A2), also when it looks like a refusal. An id beats every code: what has an id is owed (F37).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.providers.base import (
    Accepted,
    PollTrouble,
    Refusal,
    Rejected,
    Reply,
    SubmitAnswer,
    Unknown,
)
from reconciler.providers.replies import quoted, retry_after, summary, words

REFUSING = frozenset({400, 401, 402, 403, 404, 405, 413, 415, 422, 429})
"""Statuses under which a listed code counts: 408, 409, 425, 499 and every 5xx may hide an accepted task (F32, F33)."""

SUCCESS = frozenset({"", "0", "200", "success"})
"""Codes by which gateways say that nothing is wrong."""

CREDENTIAL_STATUSES: Mapping[int, Refusal] = {401: Refusal.CREDENTIALS, 403: Refusal.CREDENTIALS}


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A code that proves a refusal. `family`: it also covers `CODE.anything` and `CODEanything`."""

    code: str
    refusal: Refusal
    family: bool = False

    def covers(self, code: str) -> bool:
        """Whether this row speaks about a code."""
        return code == self.code or (self.family and code.startswith(self.code))


def rows(refusal: Refusal, *codes: str, family: bool = False) -> tuple[ErrorCode, ...]:
    """One row per code, all of one class."""
    return tuple(ErrorCode(code, refusal, family) for code in codes)


def judge(table: Iterable[ErrorCode], code: str) -> Refusal | None:
    """The class of a listed code, or None; the first row that covers it counts."""
    return next((row.refusal for row in table if row.covers(code)), None) if code else None


@dataclass(frozen=True, slots=True)
class Complaint:
    """The error part of a reply: its code and message, and its class where the dialect lists it as a refusal."""

    code: str = ""
    message: str = ""
    refusal: Refusal | None = None

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.code, self.message)))


def submitted(reply: Reply, task: str | None, raw: object, complaint: Complaint) -> SubmitAnswer:
    """The answer to a submit. `task` is a usable id, `raw` what stood in its place, for the record."""
    if task is not None:
        trouble = str(complaint) if complaint.code or not 200 <= reply.status < 300 else ""
        return Accepted(task, f"accepted, with a complaint (HTTP {reply.status}) {trouble}".strip() if trouble else "")
    if complaint.refusal is not None:
        return Rejected(complaint.refusal, complaint.code, complaint.message, retry_after(reply))
    if raw is not None:
        return Unknown(f"the task id cannot be used: {quoted(raw)} (HTTP {reply.status})")
    return Unknown(f"neither a task id nor a known refusal: {summary(reply)}")


def poll_trouble(reply: Reply, complaint: Complaint) -> PollTrouble:
    """A reply to a poll that says nothing about the task; credentials are named, since a person can mend them."""
    named = complaint.refusal if complaint.refusal in (Refusal.CREDENTIALS, Refusal.TOKEN) else None
    refusal = named or CREDENTIAL_STATUSES.get(reply.status)
    detail = words(str(complaint)) or summary(reply)
    return PollTrouble(f"HTTP {reply.status}: {detail}" if complaint.code else detail, retry_after(reply), refusal)


def other_task(wanted: str, *found: object) -> PollTrouble | None:
    """Trouble when a reply names tasks and none is ours (F52)."""
    named = [value for value in found if isinstance(value, str) and value]
    if named and wanted not in named:
        return PollTrouble(f"the reply is about another task: {quoted(named[0])}")
    return None
