"""Build the rows of `history` from the event log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.plan.changes import short
from reconciler.state.history import LogEntry
from reconciler.views.base import HistoryRow
from reconciler.views.format import utc

_FIELDS = ("from", "to", "key", "task", "reason", "message", "output", "sha256", "what", "command")


def history(entries: Sequence[LogEntry]) -> list[HistoryRow]:
    """Return the events as rows, in the order given."""
    return [HistoryRow(entry.seq, utc(entry.time), entry.clip, entry.type, _detail(entry.payload)) for entry in entries]


def _detail(payload: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_short(name, payload[name])}" for name in _FIELDS if payload.get(name))


def _short(name: str, value: object) -> str:
    text = str(value)
    if name == "key":
        return short(text)
    return text[:12] if name == "sha256" else text
