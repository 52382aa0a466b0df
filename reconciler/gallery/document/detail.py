"""Builds the Detail: one clip with its takes, previous result, changes, inputs and history. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.gallery.document import media
from reconciler.gallery.document.cards import Progress, card, estimate, paid, with_running
from reconciler.gallery.document.index import PlanIndex
from reconciler.gallery.document.model import Detail, Take, TakeApproval, TakeVersion, Value, Video
from reconciler.plan.approvals import is_required
from reconciler.plan.changes import changes, short
from reconciler.plan.model import Change, Step
from reconciler.plan.vendor_drafts import draft_key
from reconciler.project.orders import Order
from reconciler.project.versions import Version, versions
from reconciler.records import OPEN, Attempt, Generation
from reconciler.spec.project import Clip
from reconciler.spec.values import (
    AssetMedia,
    ClipMedia,
    DataMedia,
    DraftTask,
    Frame,
    LocalMedia,
    Media,
    UrlMedia,
    final_name,
)
from reconciler.state.history import LogEntry
from reconciler.views.base import HistoryRow
from reconciler.views.format import utc
from reconciler.views.history import history
from reconciler.views.show import document_facts
from reconciler.views.status import standing
from reconciler.views.terminal import word_diff

EVENTS = 200
"""The newest events of a clip that its Detail contains."""

READ_EVENTS = 2_000
"""The newest events of a clip that its Detail is made from: the versions of its takes are in them."""


def detail(name: str, index: PlanIndex, events: Sequence[LogEntry], progress: Progress | None = None) -> Detail | None:
    """Return the Detail of a clip; None if no card has that name. `events` are the clip's, oldest first."""
    clip = index.clips.get(name)
    picked = index.steps.get((name, clip.spec.pick)) if clip else index.others.get(name)
    return None if picked is None else of_step(picked, clip, index, events, progress)


def of_step(
    picked: Step, clip: Clip | None, index: PlanIndex, events: Sequence[LogEntry], progress: Progress | None = None
) -> Detail:
    """Return the Detail of a clip from the step of its picked take; `clip` is None if it is not declared."""
    takes = range(1, clip.spec.takes + 1) if clip else ()
    steps = [index.steps[picked.clip, take] for take in takes if (picked.clip, take) in index.steps] or [picked]
    previous = _previous(picked, index, events)
    return Detail(
        card=with_running(card(picked, clip, index), progress or {}),
        takes=tuple(_take(step, clip, index) for step in steps),
        previous=None if previous is None else _with_result(picked, previous.key, previous, index),
        changes=field_changes(_changes(picked, previous, index)),
        inputs=tuple(_input(field, value, picked, index) for field, value in (clip.media() if clip else ())),
        facts=tuple(_facts(picked, index)),
        events=tuple(map(_event, history(events, EVENTS))),
        versions=tuple(_versions(steps, index, events)),
    )


def _versions(steps: Sequence[Step], index: PlanIndex, events: Sequence[LogEntry]) -> Iterator[TakeVersion]:
    """Yield the versions of each take that has more than one, the oldest first; the last may be declared only."""
    listed = versions(events, index.planned.snapshot)
    for step in steps:
        order, held = index.order(step), listed.get((step.clip, step.take), ())
        wanted = order.wanted if order else None
        if wanted is not None and all(version.key != wanted.key for version in held):
            held = (*held, Version(*step.ident, len(held) + 1, wanted.key, wanted.document, 0.0, None))
        former = ""
        for version in held if len(held) > 1 else ():
            document = version.document or (version.result.document if version.result else "")
            yield TakeVersion(
                take=step.take,
                number=version.number,
                key=version.key,
                current=wanted is not None and version.key == wanted.key,
                time=utc(version.since) if version.since else None,
                cost=paid(version.result),
                media=index.media(version.result.sha256 if version.result else None),
                changes=field_changes(changes(former, document) if former and document else ()),
            )
            former = document


def _take(step: Step, clip: Clip | None, index: PlanIndex) -> Take:
    attempt, result, order = index.planned.snapshot.attempts.get(step.key), index.result(step.key), index.order(step)
    take = _with_result(step, step.key, result, index)
    video = index.media(step.sha256 or (result.sha256 if result else None))
    return replace(
        take,
        picked=clip is None or step.take == clip.spec.pick,
        state=standing(step, attempt)[0],
        seed=_seed(result, attempt, order.wanted.document if order else ""),
        estimate=estimate(order.wanted.cost, index.planned.plan.currency) if order else None,
        attempt=_attempt(attempt),
        account=take.account or (attempt.provider if attempt else "") or step.provider,
        task=take.task or (attempt.task if attempt else None),
        media=video,
        draft=index.drawn(step.clip, step.take) if video is None else None,
        approval=_approval(order, index) if order and result is None else None,
    )


def _approval(order: Order, index: PlanIndex) -> TakeApproval | None:
    """Return whether a take is approved; None where the project does not ask for that."""
    review, w = index.review, order.wanted
    line = review.approved.get(w.key)
    if line is None and not is_required(review.rule, w):
        return None
    approval = TakeApproval(*_looked_at(order, index))
    return approval if line is None else replace(approval, by=line.by, at=line.at, note=line.note)


def _looked_at(order: Order, index: PlanIndex) -> tuple[str, Video | None]:
    """Return what is looked at before a take is bought, and its video, as `operations.approve` does."""
    w = order.wanted
    if key := draft_key(w.document):
        result = index.result(key)
        return "vendor draft", index.media(result.sha256 if result else None)
    if index.review.rule.of == "take":
        first = index.steps.get((w.clip, 1))
        return "take", index.shown(first)[0] if first is not None else None
    return "draft", index.drawn(final_name(w.clip), w.take)


def _with_result(step: Step, key: str, result: Generation | None, index: PlanIndex) -> Take:
    """Return a take with the facts of a result only, as the page shows the previous result."""
    return Take(
        take=step.take,
        key=key,
        seed=_seed(result, None, result.document if result else ""),
        account=result.provider if result else "",
        task=result.task if result else None,
        media=index.media(result.sha256 if result else None),
        cost=paid(result),
        created=utc(result.created) if result and result.created else None,
        took=round(result.elapsed, 1) if result and result.elapsed else None,
        mismatch=result.mismatch if result else "",
        origin=result.origin if result else "",
    )


def _seed(result: Generation | None, attempt: Attempt | None, document: str) -> int | None:
    """Return the seed that was sent, else the one in the clip's identity document."""
    for record in (result, attempt):
        if record is not None and record.seed is not None:
            return record.seed
    stated = json.loads(document).get("params", {}).get("seed") if document else None
    return stated if isinstance(stated, int) else None


def _attempt(attempt: Attempt | None) -> str:
    """Return the state of an attempt as text; why it ended, if it failed."""
    if attempt is None:
        return ""
    since = f"{attempt.state.value} since {utc(attempt.updated)}"
    explanation = attempt.message or attempt.reason
    return since if attempt.state in OPEN or not explanation else f"{since}: {explanation}"


def _previous(step: Step, index: PlanIndex, events: Sequence[LogEntry]) -> Generation | None:
    """Return the result that a step replaces, else the one that the take had before its current key."""
    if step.previous_key is not None:
        return index.result(step.previous_key)
    bound = (entry.payload for entry in reversed(events) if entry.type == "bound")
    keys = (str(payload["key"]) for payload in bound if payload.get("take") == step.take)
    return next((index.result(key) for key in keys if key != step.key), None)


def _changes(step: Step, previous: Generation | None, index: PlanIndex) -> Sequence[Change]:
    order = index.order(step)
    if step.changes or previous is None or order is None:
        return step.changes
    return changes(previous.document, order.wanted.document)


def field_changes(differences: Sequence[Change]) -> tuple[Value, ...]:
    """Return the differences as the page shows them. `words`: for a prompt, pairs of a sign (`=-+`) and text."""
    return tuple(map(_field_change, differences))


def _field_change(change: Change) -> Value:
    old, new = _text(change.before), _text(change.after)
    if change.note and old is None and new is None:  # a list, of which a sentence says what differs
        old, new = "", change.note
    runs = word_diff.words(old, new) if change.field == "prompt" and old is not None and new is not None else ()
    signed = tuple((run.part.value, run.text) for run in runs)
    return {"field": change.field, "before": old, "after": new, "words": signed or None}


def _text(value: object) -> str | None:
    """Return a field's value as a user writes it; None if it is absent."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _input(field: str, source: Media, step: Step, index: PlanIndex) -> Value:
    """Return an input. `media`: the address of its picture, if the page can show it."""
    order = index.order(step)
    frame = source if isinstance(source, ClipMedia) else None
    return {
        "field": field,
        "text": _input_text(source),
        "media": media.picture_url(source, order) if order else None,
        "clip": source.clip if isinstance(source, ClipMedia | DraftTask) else None,
        "part": Frame(frame.part).value if frame else "task" if isinstance(source, DraftTask) else None,
    }


def _input_text(source: Media) -> str:
    match source:
        case LocalMedia(path):
            return path
        case UrlMedia(address) | AssetMedia(address):
            return address
        case DataMedia(url):
            return f"{url.partition(',')[0]}, …"
        case ClipMedia(clip, part):
            return f"{Frame(part).value} of {clip}"
        case DraftTask(clip):
            return f"task of {clip}"


def _facts(step: Step, index: PlanIndex) -> Iterator[tuple[str, str]]:
    order, result = index.order(step), index.result(step.key)
    document = order.wanted.document if order else result.document if result else ""
    if document:
        yield from document_facts(document)
    yield "key", short(step.key)


def _event(row: HistoryRow) -> Value:
    return {"sequence": row.sequence, "time": row.time, "type": row.type, "detail": row.detail}
