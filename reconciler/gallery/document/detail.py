"""The Detail: one clip whole, with its takes, what it held before, what changed, and what happened to it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from reconciler.gallery.document import media
from reconciler.gallery.document.cards import FORMAT_VERSION, Running, card, paid, with_running
from reconciler.gallery.document.index import Known
from reconciler.gallery.document.media import Value
from reconciler.plan.changes import changes, short
from reconciler.plan.model import Change, Step
from reconciler.records import OPEN, Attempt, Generation
from reconciler.spec.project import Clip
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, Frame, LocalMedia, Media, UrlMedia
from reconciler.state.history import LogEntry
from reconciler.views import encode
from reconciler.views.rows import document_facts, history, standing, utc
from reconciler.views.terminal import word_diff

EVENTS = 200
"""How many events of a clip are shown."""

_SIGNS = {word_diff.DiffRun.SAME: "=", word_diff.DiffRun.GONE: "-", word_diff.DiffRun.NEW: "+"}


def detail(name: str, known: Known, events: Sequence[LogEntry], running: Running | None = None) -> Value | None:
    """The Detail of a clip; None when no card has that name. `events` are the clip's, oldest first."""
    clip = known.clips.get(name)
    picked = known.steps.get((name, clip.spec.pick)) if clip else known.others.get(name)
    if picked is None:
        return None
    takes = range(1, clip.spec.takes + 1) if clip else ()
    steps = [known.steps[name, take] for take in takes if (name, take) in known.steps] or [picked]
    before = _before(picked, known, events)
    return {
        "format_version": FORMAT_VERSION,
        "card": with_running(card(picked, clip, known), running or {}),
        "takes": [_take(step, clip, known) for step in steps],
        "previous": None if before is None else _held(before, picked, known),
        "changes": [change(item) for item in _changes(picked, before, known)],
        "inputs": [_input(field, item, picked, known) for field, item in (clip.media() if clip else ())],
        "facts": [list(pair) for pair in _facts(picked, known)],
        "events": [_event(entry) for entry in events[-EVENTS:]],
        "before": None,
    }


def _take(step: Step, clip: Clip | None, known: Known) -> Value:
    attempt, made, order = known.planned.snapshot.attempts.get(step.key), known.made(step.key), known.order(step)
    drawn = order.wanted.document if order else ""
    return {
        "take": step.take,
        "picked": clip is None or step.take == clip.spec.pick,
        "key": step.key,
        "state": standing(step, attempt)[0],
        "seed": _seed(made, attempt, drawn),
        "estimate": encode.price(order.wanted.cost, known.planned.plan.currency) if order else None,
        "attempt": _attempt(attempt),
        "account": (made.provider if made else "") or (attempt.provider if attempt else "") or step.provider,
        "task": (made.task if made else None) or (attempt.task if attempt else None),
        "media": known.media(step.sha256 or (made.sha256 if made else None)),
    } | _result(made)


def _held(made: Generation, step: Step, known: Known) -> Value:
    """What the picked take held, in the form of a take."""
    return {
        "take": step.take,
        "picked": False,
        "key": made.key,
        "state": "ready",
        "seed": _seed(made, None, made.document),
        "estimate": None,
        "attempt": "",
        "account": made.provider,
        "task": made.task,
        "media": known.media(made.sha256),
    } | _result(made)


def _result(made: Generation | None) -> Value:
    return {
        "cost": paid(made),
        "created": utc(made.created) if made and made.created else None,
        "took": round(made.elapsed, 1) if made and made.elapsed else None,
        "mismatch": made.mismatch if made else "",
        "origin": made.origin if made else "",
    }


def _seed(made: Generation | None, attempt: Attempt | None, document: str) -> int | None:
    """What was sent, else what the clip states."""
    for known in (made, attempt):
        if known is not None and known.seed is not None:
            return known.seed
    stated = json.loads(document).get("params", {}).get("seed") if document else None
    return stated if isinstance(stated, int) else None


def _attempt(attempt: Attempt | None) -> str:
    """How an attempt stands, for one that is under way or came to nothing."""
    if attempt is None:
        return ""
    since = f"{attempt.state.value} since {utc(attempt.updated)}"
    told = attempt.message or attempt.reason
    return since if attempt.state in OPEN or not told else f"{since}: {told}"


def _before(step: Step, known: Known, events: Sequence[LogEntry]) -> Generation | None:
    """What the take holds under another key than it is to have, else what it held before its newest one."""
    if step.previous_key is not None:
        return known.made(step.previous_key)
    bound = (entry.payload for entry in reversed(events) if entry.type == "bound")
    keys = (str(payload["key"]) for payload in bound if payload.get("take") == step.take)
    return next((known.made(key) for key in keys if key != step.key), None)


def _changes(step: Step, before: Generation | None, known: Known) -> Sequence[Change]:
    order = known.order(step)
    if step.changes or before is None or order is None:
        return step.changes
    return changes(before.document, order.wanted.document)


def change(item: Change) -> Value:
    """One field that differs; a prompt with its words."""
    before, after = text(item.before), text(item.after)
    words = item.field == "prompt" and before is not None and after is not None
    runs = word_diff.words(before or "", after or "") if words else ()
    found = [[_SIGNS[run.part], run.text] for run in runs]
    return {"field": item.field, "before": before, "after": after, "words": found or None}


def text(value: object) -> str | None:
    """A field's value as a user writes it; None where it is not stated."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _input(field: str, item: Media, step: Step, known: Known) -> Value:
    order = known.order(step)
    return {
        "field": field,
        "text": _words(item),
        "media": media.picture_url(item, order) if order else None,
        "clip": item.clip if isinstance(item, ClipMedia) else None,
        "part": Frame(item.part).value if isinstance(item, ClipMedia) else None,
    }


def _words(item: Media) -> str:
    match item:
        case LocalMedia(path):
            return path
        case UrlMedia(found) | AssetMedia(found):
            return found
        case DataMedia(url):
            return f"{url.partition(',')[0]}, …"
        case ClipMedia(clip, part):
            return f"{Frame(part).value} of {clip}"


def _facts(step: Step, known: Known) -> Iterator[tuple[str, str]]:
    order, made = known.order(step), known.made(step.key)
    document = order.wanted.document if order else made.document if made else ""
    if document:
        yield from document_facts(document)
    yield "key", short(step.key)


def _event(entry: LogEntry) -> Value:
    [row] = history([entry])
    return {"sequence": row.sequence, "time": row.time, "type": row.type, "detail": row.detail}
