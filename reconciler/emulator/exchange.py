"""One exchange as values: what was asked (`Call`), and what is answered (`Answer`, or `Refused` when raised)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.emulator.faults import Action


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrived. Header names are lower-case; `query` keeps repeated names."""

    headers: Mapping[str, str]
    params: Mapping[str, str]  # from the path
    query: tuple[tuple[str, str], ...] = ()
    content: bytes = b""
    fault: Action | None = None

    def asked(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), None)

    @property
    def task_id(self) -> str:
        """The task that is asked about, wherever its vendor puts the id; empty where there is none."""
        return self.params.get("task_id") or self.asked("task_id") or self.asked("unique_id") or ""

    def json(self) -> object:
        """The parsed body; None where it is not JSON."""
        try:
            parsed: object = json.loads(self.content)
        except (ValueError, RecursionError):
            return None
        return parsed


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered. `body` is JSON, or bytes that go out as they are. `dropped`: close without a word."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False

    def content(self) -> bytes:
        """The bytes of the body."""
        if isinstance(self.body, bytes):
            return self.body
        try:
            return json.dumps(self.body, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a character, which JSON can say and UTF-8 cannot
            return json.dumps(self.body).encode()


class Refused(Exception):
    """The vendor says no, in these words."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with HTTP {answer.status}")
        self.answer = answer
