"""Turn a vendor's error codes into answers, by tables of the codes that prove a refusal.

A table lists a code only if it proves that nothing was accepted. Any other code is `Unknown`, even if it looks like a
refusal (docs/design/never-pay-twice.md#a2). A task id outweighs every code: its task is billed (#f37).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.frozen import dataclass
from reconciler.providers.base import Accepted, PollTrouble, Refusal, Rejected, Reply, SubmitAnswer, Unknown
from reconciler.providers.replies import quoted, retry_after, summary, task_id, words

REFUSING = frozenset({400, 401, 402, 403, 404, 405, 413, 415, 422, 429})
"""Statuses under which a listed code counts. Under 408, 409, 425, 499 and every 5xx the task may have been accepted:
never-pay-twice#f32, #f33."""

SUCCESS = frozenset({"", "0", "200", "success"})
"""Codes that gateways send for success."""

CREDENTIAL_STATUSES: Mapping[int, Refusal] = {401: Refusal.CREDENTIALS, 403: Refusal.CREDENTIALS}


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A code that proves a refusal. `family`: any code that begins with it does too. `phrases`: one of them must be in
    the message, in lower case; else the row does not count."""

    code: str
    refusal: Refusal
    family: bool = False
    phrases: tuple[str, ...] = ()

    def covers(self, code: str) -> bool:
        """True if this row lists the code."""
        return code == self.code or (self.family and code.startswith(self.code))


def rows(refusal: Refusal, *codes: str, family: bool = False) -> tuple[ErrorCode, ...]:
    """Return one row per code, all with one refusal."""
    return tuple(ErrorCode(code, refusal, family) for code in codes)


def judge(table: Iterable[ErrorCode], code: str, message: str = "") -> Refusal | None:
    """Return the refusal of a listed code, else None; the first row that covers it counts."""
    folded = message.casefold()
    listed = (row for row in table if row.covers(code) and (not row.phrases or any(p in folded for p in row.phrases)))
    return next((row.refusal for row in listed), None) if code else None


@dataclass(frozen=True, slots=True)
class Complaint:
    """The error part of a reply: its code and message, the refusal if the dialect lists the code, and a note on it."""

    code: str = ""
    message: str = ""
    refusal: Refusal | None = None
    note: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.code, self.message)))


def submitted(reply: Reply, task: str | None, raw: object, complaint: Complaint) -> SubmitAnswer:
    """Return the answer to a submit. `task` is a usable id; `raw` is the value in its place, for the message."""
    if task is not None:
        trouble = str(complaint) if complaint.code or not 200 <= reply.status < 300 else ""
        return Accepted(task, f"accepted, with a complaint (HTTP {reply.status}) {trouble}".strip() if trouble else "")
    note = f" ({complaint.note})" if complaint.note else ""
    if complaint.refusal is not None:
        return Rejected(complaint.refusal, complaint.code, complaint.message + note, retry_after(reply))
    if raw is not None:
        return Unknown(f"the task id cannot be used: {quoted(raw)} (HTTP {reply.status})")
    refuses = 400 <= reply.status < 500 or (reply.status == 200 and bool(complaint.code))
    return Unknown(f"neither a task id nor a known refusal: {summary(reply)}{note}", complaint=refuses)


def proved(reply: Reply, answer: object) -> SubmitAnswer:
    """Return a dialect's answer to a submit as far as its reply can prove it: another package may be wrong,
    and an answer that is believed too much is paid for twice."""
    match answer:
        case Accepted(task=task) if task_id(task) is not None:
            return answer
        case Rejected() if reply.status in REFUSING or 200 <= reply.status < 300:
            return answer
        case Unknown():
            return answer
    return Unknown(f"HTTP {reply.status} does not prove what the dialect reads in it: {quoted(answer)}")


def poll_trouble(reply: Reply, complaint: Complaint) -> PollTrouble:
    """Return the answer for a reply without a task's status; names bad credentials, which the user can fix."""
    named = complaint.refusal if complaint.refusal in (Refusal.CREDENTIALS, Refusal.TOKEN) else None
    refusal = named or CREDENTIAL_STATUSES.get(reply.status)
    detail = words(str(complaint)) or summary(reply)
    return PollTrouble(f"HTTP {reply.status}: {detail}" if complaint.code else detail, retry_after(reply), refusal)


def other_task(wanted: str, *ids: object) -> PollTrouble | None:
    """Return trouble if a reply names task ids and none is the wanted one (never-pay-twice#f52)."""
    named = [value for value in ids if isinstance(value, str) and value]
    if named and wanted not in named:
        return PollTrouble(f"the reply is about another task: {quoted(named[0])}")
    return None
