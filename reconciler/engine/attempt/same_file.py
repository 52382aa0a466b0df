"""Notices that a provider served one file for two different requests: each was paid for, and one was not made."""

from __future__ import annotations

import json
from collections.abc import Iterable

from reconciler.events import take_name
from reconciler.next_command import command
from reconciler.records import Attempt

_NUMBERS = frozenset({"take", "retake"})  # of a document: they tell equal requests apart


def same_file(attempt: Attempt, makers: Iterable[Attempt]) -> str:
    """Return a sentence about another request of this provider that got the same file; empty if there is none.

    Requests that differ in their numbers only may well give one picture.
    """
    place, asked = (attempt.provider, attempt.endpoint), _picture(attempt)
    others = (m for m in makers if m.key != attempt.key and (m.provider, m.endpoint) == place)
    other = next((m for m in others if _picture(m) != asked), None)
    if other is None:
        return ""
    name = take_name(other.clip, other.take)
    text = f"{attempt.provider} served for task {attempt.task} the very file of task {other.task} ({name})"
    shows = " and ".join(command("show", clip) for clip in dict.fromkeys((attempt.clip, other.clip)))
    return f"{text}, although the requests differ: compare {shows}"


def _picture(attempt: Attempt) -> tuple[object, int | None]:
    """Return all that shapes the picture of a request."""
    try:
        document = json.loads(attempt.document)
        return {name: value for name, value in document.items() if name not in _NUMBERS}, attempt.seed
    except (ValueError, AttributeError):  # lost with the database
        return None, attempt.seed
