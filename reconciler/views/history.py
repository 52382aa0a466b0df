"""Tell the event log: `history` words what happened, `raw` shows every event as it is stored. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler import money
from reconciler.plan.changes import changes, short
from reconciler.plan.model import Change, plain_value
from reconciler.providers.base import LOCAL
from reconciler.records import State
from reconciler.state.history import LogEntry
from reconciler.state.ledger import FORGOTTEN
from reconciler.views.base import HistoryRow
from reconciler.views.format import seconds, utc
from reconciler.views.terminal import word_diff

_FIELDS = ("from", "to", "key", "task", "reason", "message", "output", "sha256", "what", "command")
_ENDED = {
    State.NOT_SENT: "was not sent",
    State.REFUSED: "was refused",
    State.UNCERTAIN: "may have been accepted or not",
    State.STALLED: "is past its deadline, and goes on",
    State.FAILED: "failed",
    State.CANCELLED: "was cancelled",
    State.VANISHED: "is unknown to the provider",
    State.NO_OUTPUT: "ended without a video",
    State.RESULT_EXPIRED: "lost its download link",
    State.QUARANTINED: "gave a file that is not a valid video",
}
_ORIGINS = {"imported": "imported the video of", "locked": "took over from clipform.lock"}
_NOTED = {"source": FORGOTTEN}
"""The evidence of moves that a note tells already."""
_LONGEST = 60  # characters of a prompt's new words


def raw(entries: Sequence[LogEntry]) -> list[HistoryRow]:
    """Return the events as rows, in the order given."""
    return [HistoryRow(entry.seq, utc(entry.time), entry.clip, entry.type, _detail(entry.payload)) for entry in entries]


def _detail(payload: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_short(name, payload[name])}" for name in _FIELDS if payload.get(name))


def _short(name: str, value: object) -> str:
    text = str(value)
    if name == "key":
        return short(text)
    return text[:12] if name == "sha256" else text


def history(entries: Sequence[LogEntry], limit: int | None = None) -> list[HistoryRow]:
    """Return what happened in words, the newest `limit` at most. `entries` begin with the first: an event is worded
    by those before it."""
    story = _Story()
    rows = [
        HistoryRow(entry.seq, utc(entry.time), entry.clip, entry.type, text)
        for entry in entries
        for text in story.words(entry)
    ]
    return rows if limit is None else rows[-limit:]


@dataclass(slots=True)
class _Story:
    """What the events so far say: attempts' takes and providers, lengths of videos, what each take was made from."""

    takes: dict[int | None, int] = field(default_factory=dict)  # by attempt
    providers: dict[int | None, str] = field(default_factory=dict)  # of paid attempts
    lengths: dict[str, int] = field(default_factory=dict)  # milliseconds, by content
    documents: dict[tuple[str, int], str] = field(default_factory=dict)  # of the newest result of each take
    held: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)  # outputs by key, the current one last

    def words(self, entry: LogEntry) -> Iterator[str]:
        """Yield a sentence about an event, if it is one that people care for."""
        payload = entry.payload
        match entry.type:
            case "begun":
                self.takes[entry.attempt] = int(str(payload["take"]))
                if payload.get("kind") != LOCAL:
                    self.providers[entry.attempt] = str(payload["provider"])
            case "artifact":
                self.lengths[str(payload["sha256"])] = int(str(payload["duration_ms"]))
            case "generation":
                yield self._made(entry)
            case "moved" if (state := State(str(payload["to"]))) in _ENDED and payload.get("evidence") != _NOTED:
                message = f": {payload['message']}" if payload.get("message") else ""
                yield f"{self._take(entry)}{_ENDED[state]}{message}"
            case "moved" if payload["to"] == State.ACCEPTED and payload.get("task") and entry.attempt in self.providers:
                yield f"{self._take(entry)}was accepted by {self.providers[entry.attempt]} as task {payload['task']}"
            case "bound":
                yield from self._bound(entry)
            case "unbound":
                self.held.pop((entry.clip or str(payload["clip"]), int(str(payload["take"]))), None)
                yield f"take {payload['take']} is no longer declared"
            case "unplaced":
                yield f"removed {payload['output']}"
            case "artifact-dropped":
                yield f"deleted the stored file {str(payload['sha256'])[:12]}"
            case "note":
                task = f" {payload['task']}" if payload.get("task") else ""
                yield f"you ran {payload['what']}{task}"

    def _take(self, entry: LogEntry) -> str:
        return f"take {self.takes[entry.attempt]} " if entry.attempt in self.takes else ""

    def _made(self, entry: LogEntry) -> str:
        payload = entry.payload
        take = self.takes.get(entry.attempt)
        verb = _ORIGINS.get(str(payload.get("origin")), "made")
        name = verb if take is None else f"{verb} take {take}"
        length = self.lengths.get(str(payload["sha256"]), 0)
        facts = [seconds(length / 1000)] if length else []
        micros, currency = payload.get("cost_micros"), str(payload.get("currency") or "")
        facts.append("price unknown" if micros is None else money.text(money.from_micros(int(str(micros))), currency))
        return ", ".join([f"{name}{self._difference(entry, take)}", *facts])

    def _difference(self, entry: LogEntry, take: int | None) -> str:
        """Return what changed since the take's result before, in brackets."""
        if take is None:
            return ""
        before, after = self.documents.get((entry.clip, take), ""), str(entry.payload.get("document") or "")
        self.documents[entry.clip, take] = after
        differing = changes(before, after) if before and after else ()
        phrases = [_phrase(change) for change in differing if change.field != "prompt"]
        new = _new_words(before, after) if any(change.field == "prompt" for change in differing) else ""
        return f" ({', '.join([new, *phrases] if new else phrases)})" if differing else ""

    def _bound(self, entry: LogEntry) -> Iterator[str]:
        payload = entry.payload
        ident = (str(payload["clip"]), int(str(payload["take"])))
        key, output = str(payload["key"]), str(payload.get("output") or "")
        keys = self.held.setdefault(ident, {})
        current = next(reversed(keys), None)
        if key in keys and key != current:
            yield f"take {ident[1]} went back to an earlier version"
        elif key == current and output and keys[key] != output:
            yield f"take {ident[1]} was placed at {output}"
        keys.pop(key, None)
        keys[key] = output


def _phrase(change: Change) -> str:
    is_new = change.before is None and change.is_explained and not change.note
    return f"{change.field} {plain_value(change.after)}" if is_new else change.phrase


def _new_words(before: str, after: str) -> str:
    """Return the words that a prompt gained, else that it changed."""
    old, new = (str(json.loads(document).get("prompt", "")) for document in (before, after))
    runs = word_diff.words(old, new)
    gained = " … ".join(run.text.strip() for run in runs if run.part is word_diff.DiffRun.NEW and run.text.strip())
    text = gained if len(gained) <= _LONGEST else f"{gained[: _LONGEST - 1]}…"
    return f"prompt: {text}" if text else "prompt changed"
