"""From plans and records to the rows that views show. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from reconciler.plan.changes import input_words, short
from reconciler.plan.compute import usual
from reconciler.plan.model import SENTENCES, Action, Reason, Step
from reconciler.plan.remedies import reason_line
from reconciler.project.model import Planned
from reconciler.project.orders import Order
from reconciler.records import Attempt, Generation, from_micros
from reconciler.spec.project import Clip
from reconciler.state.history import LogEntry
from reconciler.views import encode, format
from reconciler.views.base import HistoryRow, Section, StatusRow

_STATES = {
    Action.NOOP: "ready",
    Action.CREATE: "new",
    Action.REPLACE: "changed",
    Action.RESUME: "running",
    Action.RESTORE: "restorable",
    Action.MOVE: "moved",
    Action.REMOVE: "undeclared",
    Action.BLOCKED: "blocked",
}


def status(planned: Planned, now: float) -> list[StatusRow]:
    """One row a take, in plan order."""
    return [_status(step, planned, now) for step in planned.plan.steps]


def _status(step: Step, planned: Planned, now: float) -> StatusRow:
    made = planned.snapshot.generations.get(step.key)
    order = planned.loaded.by_ident.get((step.clip, step.take))
    attempt = planned.snapshot.attempts.get(step.key)
    state, detail = standing(step, attempt)
    flying = attempt if attempt is not None and step.action is Action.RESUME else None
    return StatusRow(
        clip=step.clip,
        take=step.take,
        picked=order is None or order.take == order.clip.spec.pick,
        state=state,
        detail=reason_line(step.reason, step.detail)
        if step.action is Action.BLOCKED
        else detail or SENTENCES[step.reason],
        way_out=step.way_out,
        provider=step.provider,
        model=step.model,
        output=step.output,
        cost=micros(made.cost_micros) if made else None,
        estimate=order.wanted.cost.amount if order else None,
        currency=(made.currency if made else "") or (order.wanted.cost.currency if order else ""),
        age=now - made.created if made and made.created else None,
        key=step.key,
        phase=flying.state.value if flying else "",
        since=max(0.0, now - flying.created) if flying else None,
        expected=usual(planned.snapshot, step.kind, step.model) if flying else None,
    )


def standing(step: Step, attempt: Attempt | None) -> tuple[str, str]:
    """The word for how a take stands, and what is known of it beside the plan's sentence."""
    if attempt is not None and attempt.reason and step.action in (Action.CREATE, Action.REPLACE):
        return "failed", attempt.message or attempt.reason
    return _state(step), step.detail


def _state(step: Step) -> str:
    """A picture that another clip is still to make cannot be restored yet."""
    return "new" if step.reason is Reason.SHARED else _STATES[step.action]


def micros(amount: int | None) -> Decimal | None:
    """Millionths as an amount."""
    return None if amount is None else from_micros(amount)


def history(entries: Sequence[LogEntry]) -> list[HistoryRow]:
    """Events as people read them."""
    return [HistoryRow(entry.seq, utc(entry.time), entry.clip, entry.type, _detail(entry.payload)) for entry in entries]


def utc(seconds: float) -> str:
    """An instant as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_SHOWN = ("from", "to", "key", "task", "reason", "message", "output", "sha256", "what", "command")


def _detail(payload: Mapping[str, object]) -> str:
    parts = [f"{name}={_short(name, payload[name])}" for name in _SHOWN if payload.get(name)]
    return " ".join(parts)


def _short(name: str, value: object) -> str:
    text = str(value)
    if name == "key":
        return short(text)
    return text[:12] if name == "sha256" else text


def show(clip: str, planned: Planned, objects_root: str) -> tuple[list[Section], dict[str, object]]:
    """One clip whole: each take with what it is made from, what is known of it, and its file in the store."""
    steps = [step for step in planned.plan.steps if step.clip == clip]
    sections = [Section(step.name, tuple(_facts(step, planned, objects_root))) for step in steps]
    data: dict[str, object] = {"clip": clip, "takes": [_data(step, planned, objects_root) for step in steps]}
    return sections, data


def _facts(step: Step, planned: Planned, root: str) -> Iterator[tuple[str, str]]:
    yield "state", f"{_state(step)}: {reason_line(step.reason, step.detail)}"
    for command in step.way_out:
        yield "way out", command
    yield "key", step.key
    if step.previous_key:
        yield "holds", step.previous_key
    if step.output:
        yield "output", step.output
    order = _order(step, planned)
    if order is not None:
        yield "estimated", format.money(order.wanted.cost.amount, order.wanted.cost.currency)
    if document := _document(step, planned):
        yield from document_facts(document)
    if order is not None:
        users = [o.clip.name for o in planned.loaded.orders if step.clip in o.clip.depends_on()]
        if users and order.take == order.clip.spec.pick:
            yield "used by", ", ".join(dict.fromkeys(users))
    made = planned.snapshot.generations.get(step.key)
    if made is not None:
        yield from _made(made, planned, root)
    attempt = planned.snapshot.attempts.get(step.key)
    if attempt is not None:
        if made is None and attempt.seed is not None:
            yield "seed sent", str(attempt.seed)
        yield "attempt", _attempt(attempt)


def _order(step: Step, planned: Planned) -> Order | None:
    """What is wanted of the step's key; None for one that the take held, or asked for, before its specs changed."""
    order = planned.loaded.by_ident.get((step.clip, step.take))
    return order if order is not None and order.wanted.key == step.key else None


def _document(step: Step, planned: Planned) -> str:
    """What the step's key stands for; empty where nobody knows any more."""
    order, snapshot = _order(step, planned), planned.snapshot
    if order is not None:
        return order.wanted.document
    made, attempt = snapshot.generations.get(step.key), snapshot.attempts.get(step.key)
    return (made.document if made else "") or (attempt.document if attempt else "")


def document_facts(document: str) -> Iterator[tuple[str, str]]:
    """An identity document, flattened for people."""
    for name, value in json.loads(document).items():
        if name == "inputs" and isinstance(value, list):
            for item in value:
                yield str(item["field"]), input_words(item)
        elif isinstance(value, dict):
            yield from ((str(inner), _plain(item)) for inner, item in value.items())
        elif name != "recipe":
            yield name, _plain(value)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _made(made: Generation, planned: Planned, root: str) -> Iterator[tuple[str, str]]:
    artifact = planned.snapshot.artifacts.get(made.sha256)
    yield "artifact", f"{root}/{made.sha256[:2]}/{made.sha256}{artifact.suffix if artifact else ''}"
    if artifact is not None:
        sound = "audio" if artifact.audio else "no audio"
        size = f"{artifact.duration_ms / 1000:g} s, {artifact.width}x{artifact.height}, {sound}"
        yield "video", f"{size}, {artifact.size / 1_000_000:.2f} MB"
    yield "made", f"{utc(made.created)} by {made.provider} ({made.origin})"
    if made.elapsed:
        yield "took", format.seconds(made.elapsed)
    if made.cost_micros is not None:
        yield "cost", format.money(micros(made.cost_micros), made.currency)
    optional = (("task", made.task), ("seed used", made.seed), ("mismatch", made.mismatch or None))
    yield from ((name, str(value)) for name, value in optional if value is not None)


def _attempt(attempt: Attempt) -> str:
    message = f": {attempt.message}" if attempt.message else ""
    return f"#{attempt.id} {attempt.state.value} at {utc(attempt.updated)}{message}"


def _data(step: Step, planned: Planned, root: str) -> dict[str, object]:
    order, document = _order(step, planned), _document(step, planned)
    found: dict[str, object] = {
        "take": step.take,
        "picked": order is not None and order.take == order.clip.spec.pick,
        "action": step.action.value,
        "reason": step.reason.value,
        "key": step.key,
        "output": step.output,
        "document": json.loads(document) if document else None,
        "estimate": encode.price(order.wanted.cost, "") if order else None,
        "way_out": list(step.way_out),
    }
    made = planned.snapshot.generations.get(step.key)
    if made is not None:
        found["artifact"] = dict(_made(made, planned, root))
    return found


def graph(clips: Sequence[Clip], form: str) -> str:
    """The dependency graph of the clips: `text`, `mermaid` or `dot`."""
    edges = [(need, clip.name) for clip in clips for need in clip.depends_on()]
    if form == "text":
        return _tree([clip.name for clip in clips], edges)
    ids = {clip.name: f"c{i}" for i, clip in enumerate(clips)}  # names may hold what the formats give a meaning
    if form == "mermaid":
        lines = ["flowchart LR", *(f'  {ident}["{name}"]' for name, ident in ids.items())]
        return "\n".join([*lines, *(f"  {ids[a]} --> {ids[b]}" for a, b in edges)]) + "\n"
    lines = ["digraph clips {", "  rankdir=LR;", *(f'  {ident} [label="{name}"];' for name, ident in ids.items())]
    return "\n".join([*lines, *(f"  {ids[a]} -> {ids[b]};" for a, b in edges), "}"]) + "\n"


_DEEP = 40  # levels that are indented: a chain of ten thousand clips would be a page of a hundred megabytes


def _tree(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> str:
    users: dict[str, list[str]] = {name: [] for name in names}
    for need, user in edges:
        users[need].append(user)
    rooted = {user for _, user in edges}
    lines: list[str] = []
    stack = [(name, 0) for name in reversed(names) if name not in rooted]
    shown: set[str] = set()
    while stack:
        name, depth = stack.pop()
        again = name in shown
        lines.append(f"{'  ' * min(depth, _DEEP)}{'└ ' if depth else ''}{name}{' …' if again and users[name] else ''}")
        shown.add(name)
        if not again:
            stack += [(user, depth + 1) for user in reversed(users[name])]
    return "\n".join(lines) + "\n"
