"""One exchange as values: the request (`Call`) and its answer (`Answer`, or a raised `Refused`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field

from reconciler.emulator.faults import Action
from reconciler.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it was received. Header names are in lower case; `query` may repeat a name."""

    headers: Mapping[str, str]
    params: Mapping[str, str]  # from the path
    query: tuple[tuple[str, str], ...] = ()
    content: bytes = b""
    fault: Action | None = None

    def asked(self, name: str) -> str | None:
        """Return the first value of a query parameter, None without one."""
        return next((value for key, value in self.query if key == name), None)

    @property
    def task_id(self) -> str:
        """The id of the requested task, wherever its vendor puts it; empty without one."""
        return self.params.get("task_id") or self.asked("task_id") or self.asked("unique_id") or ""

    def json(self) -> object:
        """Return the parsed body; None if it is not JSON."""
        try:
            parsed: object = json.loads(self.content)
        except (ValueError, RecursionError):
            return None
        return parsed


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. `body` is JSON, or bytes that are sent unchanged. `dropped`: close the connection instead."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False

    def content(self) -> bytes:
        """Return the bytes of the body."""
        if isinstance(self.body, bytes):
            return self.body
        try:
            return json.dumps(self.body, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # a lone surrogate, which JSON can express and UTF-8 cannot
            return json.dumps(self.body).encode()


class Refused(Exception):
    """The vendor refuses the request with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with HTTP {answer.status}")
        self.answer = answer
