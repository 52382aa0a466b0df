"""The vendor's draft that a final is made from: which one its key names, and until when its task can be used. Pure.

A final names the key of its draft, so it is never made from a draft of other words, and never silently from a new one.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from reconciler.records import Attempt, Generation

LIFE = 7 * 86_400.0
"""Seconds for which the vendor takes a draft's task, from the task's creation."""

TASK = '"part":"task"'
"""What the identity document of a final has, and no other."""


def draft_key(document: str) -> str:
    """Return the key of the draft that a final is made from, by its identity document; empty for other clips."""
    if TASK not in document:
        return ""
    inputs = json.loads(document).get("inputs", ())
    return next((str(entry["clip"]) for entry in inputs if entry.get("part") == "task"), "")


def is_draft(document: str) -> bool:
    """True if an identity document asks the vendor for a draft."""
    return '"draft":true' in document and json.loads(document).get("options", {}).get("draft") is True


def usable_until(draft: Generation, attempt: Attempt | None) -> float | None:
    """Return when a draft's task expires, in UTC seconds: by our time of the request, which is before the vendor's.
    None if no request is on record, as in a fresh clone."""
    return attempt.created + LIFE if attempt is not None and attempt.task == draft.task else None


def deadline(draft: Generation, attempt: Attempt | None) -> str:
    """Return in words until when a final can be made from a draft; empty if that is not known."""
    until = usable_until(draft, attempt)
    return "" if until is None else f"its draft can be used until {utc_minute(until)}"


def obstacle(draft: Generation, attempt: Attempt | None, provider: str, now: float) -> str:
    """Return why no final can be made from a draft at a provider; empty if one can. Only another draft helps, which
    costs money, so a person decides."""
    until = usable_until(draft, attempt)
    if not draft.task:
        return "its draft has no task, as an imported video"
    if draft.provider != provider:
        return f"its draft is at {draft.provider}, and only the account that made it can make the final"
    return f"its draft expired on {utc_minute(until)}" if until is not None and now >= until else ""


def utc_minute(seconds: float) -> str:
    """Return a time as people read it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
