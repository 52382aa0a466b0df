"""Faults of the API, carried out: instead of handling a request, or on the answer to one that was handled."""

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
    """The answer of a fault that keeps a request from being carried out; None when it is to be carried out."""
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
    """What a fault makes of the answer to a request that was carried out."""
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
            refusal = vendor.refusal(code, "accepted, and an error beside it").body
            assert isinstance(answer.body, dict) and isinstance(refusal, dict)
            kept = {name: value for name, value in refusal.items() if name != "data"}
            return replace(answer, body={**answer.body, **kept})
    return answer


def retry_after(vendor: Vendor, asked: str) -> str:
    """The text of the header: a date where one relative to now was asked for."""
    relative = _DATE.fullmatch(asked)
    return formatdate(vendor.world.now() + int(relative[1]), usegmt=True) if relative else asked


def _busy(vendor: Vendor, fault: Busy) -> Answer:
    answer = vendor.refusal(vendor.busy, "too many requests")
    if fault.retry_after is None:
        return answer
    if fault.in_body:
        assert isinstance(answer.body, dict)
        return replace(answer, body={**answer.body, "retry_after": fault.retry_after})
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
    """The answer with another id at its place, or with none."""
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
    assert isinstance(body, dict)
    name, *rest = path
    if rest:
        return {**body, name: _put(body[name], tuple(rest), value, remove=remove)}
    if remove:
        return {key: item for key, item in body.items() if key not in (name, "task_id")}
    return {**body, name: value}


def _task_before(vendor: Vendor) -> str:
    """The id of the task that was accepted before this one; its own when it is the first."""
    own = [task.id for task in vendor.world.tasks.values() if task.kind == vendor.kind]
    return own[-2:][0]
