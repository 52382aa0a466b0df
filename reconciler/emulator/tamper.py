"""Apply the faults of the API: in place of handling a request, or to the answer of a handled one."""

from __future__ import annotations

import re
from dataclasses import replace
from email.utils import formatdate
from typing import Final

from reconciler.emulator.exchange import Answer
from reconciler.emulator.faults import Action, BadId, Busy, Drop, Garble, IdAndError, Redirect, Refuse, Status
from reconciler.emulator.vendor import Vendor

_DATE: Final = re.compile(r"date([+-][0-9]{1,12})")
_PAGE: Final = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_HTML: Final = {"content-type": "text/html; charset=utf-8"}
_DEPTH: Final = 100_000


def instead(vendor: Vendor, fault: Action | None) -> Answer | None:
    """Return the answer of a fault that prevents a request from being handled, else None."""
    match fault:
        case Refuse(code=code, message=message, status=status):
            return vendor.refusal(code, message, status)
        case Busy():
            return _busy(vendor, fault)
        case Status(accepted=False):
            return _status(fault)
        case Drop(accepted=False):
            return Answer(dropped=True)
        case Redirect(to=to, status=code):
            return Answer(code, b"", {"location": to})
    return None


def spoiled(vendor: Vendor, fault: Action | None, answer: Answer) -> Answer:
    """Return the answer to a handled request as a fault changes it."""
    match fault:
        case Status(accepted=True):
            return _status(fault)
        case Drop(accepted=True):
            return Answer(dropped=True)
        case Garble():
            return _garbled(fault, answer)
        case BadId():
            return replace(answer, body=_with_id(vendor, answer.body, fault))
        case IdAndError(code=code):
            refusal = _object(vendor.refusal(code, "accepted, with an error").body)
            error = {name: value for name, value in refusal.items() if name != "data"}
            return replace(answer, body={**_object(answer.body), **error})
    return answer


def retry_after(vendor: Vendor, asked: str) -> str:
    """Return the text of the header: `date+30` becomes the date 30 s from now."""
    relative = _DATE.fullmatch(asked)
    return formatdate(vendor.world.now() + int(relative[1]), usegmt=True) if relative else asked


def _busy(vendor: Vendor, fault: Busy) -> Answer:
    answer = vendor.refusal(vendor.busy, "too many requests")
    if fault.retry_after is None:
        return answer
    if fault.in_body:
        return replace(answer, body={**_object(answer.body), "retry_after": fault.retry_after})
    return replace(answer, headers={**answer.headers, "retry-after": retry_after(vendor, fault.retry_after)})


def _status(fault: Status) -> Answer:
    return Answer(fault.status, fault.text.encode() or _PAGE, _HTML)


def _garbled(fault: Garble, answer: Answer) -> Answer:
    content = answer.content()
    match fault.how:
        case "html":
            return replace(answer, body=_PAGE, headers=_HTML)
        case "truncated":
            return replace(answer, body=content[: len(content) // 2])
        case "empty":
            return replace(answer, body=b"")
        case "deep":
            return replace(answer, body=b"[" * _DEPTH + b"]" * _DEPTH)
        case "nan":
            return replace(answer, body=b'{"code": NaN, "id": 1e999, "task_id": -Infinity, "data": {"task_id": NaN}}')
        case "list":
            return replace(answer, body=b"[" + content + b"]")
    return replace(answer, body=content + b'\xff\xfe "\xe9"')


def _with_id(vendor: Vendor, body: object, fault: BadId) -> object:
    """Return a body with another id in place of the task's, or with none."""
    ids: dict[str, object] = {
        "number": 90071992547409931,
        "list": ["a", "b"],
        "huge": "x" * 10_240,
        "surrogate": "task-\ud800",
        "escape": "task-\x1b[2J\u202e",
        "duplicate": _task_before(vendor),
    }
    return _put(body, vendor.id_path, ids.get(fault.how), remove=fault.how == "missing")


def _put(body: object, path: tuple[str, ...], value: object, *, remove: bool) -> object:
    document, (name, *inner) = _object(body), path
    if inner:
        return {**document, name: _put(document[name], tuple(inner), value, remove=remove)}
    if remove:
        return {key: item for key, item in document.items() if key not in (name, "task_id")}
    return {**document, name: value}


def _object(body: object) -> dict[str, object]:
    """Return a JSON object; every answer of a vendor is one."""
    if not isinstance(body, dict):
        raise TypeError(f"a JSON object is needed, not {type(body).__name__}")
    return body


def _task_before(vendor: Vendor) -> str:
    """Return the id of the task before this one; of this one if it is the first."""
    ids = [task.id for task in vendor.world.tasks.values() if task.kind == vendor.kind]
    return ids[-2:][0]
