"""Build what `state list` and `state show` print: what the records have of each key. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from reconciler import money
from reconciler.diagnostics import UsageError
from reconciler.next_command import command
from reconciler.plan.changes import short
from reconciler.plan.vendor_drafts import draft_key, is_draft
from reconciler.records import BLOCKED, Artifact, Attempt, Generation, Holder, Money, Snapshot, State
from reconciler.spec.values import final_name
from reconciler.views.base import Section
from reconciler.views.format import SEPARATOR, clock, micros, plain_decimal, utc
from reconciler.views.show import document_facts

if TYPE_CHECKING:  # a list of records loads nothing that carries them
    from reconciler.state.carry import Carried

IN_FLIGHT = frozenset({State.SUBMITTING, State.UNCERTAIN, State.ACCEPTED, State.STALLED, State.READY})
"""Sent, or perhaps sent, and without a result."""
_GROUPS = ("in flight", "waits for your decision", "made", "not made")


def listed(
    records: Snapshot, *, in_flight: bool, keys: frozenset[str] | None = None
) -> tuple[list[Section], dict[str, object]]:
    """Return every key by what became of it, as sections and as data; only those in flight, or of `keys`, if asked."""
    groups: dict[str, list[tuple[str, str]]] = {title: [] for title in _GROUPS[: 1 if in_flight else None]}
    purchases = []
    for key in sorted({*records.attempts, *records.generations}):
        attempt, generation = records.attempts.get(key), records.generations.get(key)
        title = _group(attempt, generation)
        if title in groups and (keys is None or key in keys):
            holder = records.holders.get(attempt.id) if attempt is not None else None
            facts = (_line(key, attempt, generation), held(holder))
            groups[title].append((_name(attempt, key), SEPARATOR.join(filter(None, facts))))
            purchases.append({"key": key, "group": title, **_data(attempt, generation), **_held(holder)})
    sections = [Section(title, tuple(sorted(rows))) for title, rows in groups.items() if rows]
    return sections or [Section("nothing", ())], {"store": records.store, "purchases": purchases}


def held(holder: Holder | None) -> str:
    """Return who carries out a request, since when and until when; empty where that is not on record."""
    if holder is None or not holder.name:
        return ""
    until = f"held until {clock(holder.until)}" if holder.is_held else "held by nobody now"
    return f"{holder.name} since {clock(holder.since)} for {holder.project}, {until}"


def _held(holder: Holder | None) -> dict[str, object]:
    if holder is None or not holder.name:
        return {}
    until = utc(holder.until) if holder.is_held else None
    return {"holder": {"by": holder.name, "project": holder.project, "since": utc(holder.since), "until": until}}


def only_key(records: Snapshot, start: str) -> str:
    """Return the only key that a text is the beginning of; the part before the colon may be missing. Raises UsageError
    for none, or several."""
    every = {*records.attempts, *records.generations}
    keys = [key for key in every if start and (key.startswith(start) or key.partition(":")[2].startswith(start))]
    if len(keys) != 1:
        text = f"{len(keys)} keys begin with '{start}'" if keys else f"no key begins with '{start}'"
        raise UsageError(text, help=f"{command('state', 'list')} lists all keys")
    return keys[0]


def shown_result(key: str, records: Snapshot) -> list[str]:
    """Return the lines that say what is forgotten with a key, and what follows for what is made from its task."""
    generation, attempt = records.generations.get(key), records.attempts.get(key)
    bound = sorted({binding.clip for binding in records.bindings.values() if binding.key == key})
    names = ", ".join(bound or ([attempt.clip] if attempt is not None else [])) or "a result"
    facts = "" if generation is None else _line(key, None, generation)
    lines = [f"{names}: {facts}"]
    if generation is not None and is_draft(generation.document):
        final = ", ".join(sorted(map(final_name, bound))) or "a final"
        is_made = any(draft_key(other.document) == key for other in records.generations.values())
        lines.append(
            f"{final} was made from it, and stays as it is."
            if is_made
            else f"{final} is made from it: another draft is bought first, and no approval of this one counts for it."
        )
    return lines


def shown(key: str, records: Snapshot, attempts: Sequence[Attempt]) -> tuple[list[Section], dict[str, object]]:
    """Return what the records have of one key, as sections and as data; `attempts` are all of it, oldest first."""
    generation = records.generations.get(key)
    holders = sorted((b for b in records.bindings.values() if b.key == key), key=attrgetter("clip", "take"))
    names = [f"{b.clip}#{b.take}{f' at {b.output}' if b.output else ''}" for b in holders]
    document = (generation.document if generation else "") or (attempts[-1].document if attempts else "")
    facts = [("key", key), *(("held by", name) for name in names), *(document_facts(document) if document else ())]
    sections = [Section("key", tuple(facts))]
    sections += [
        Section(f"request {attempt.id}", tuple(_request(attempt, records.holders.get(attempt.id))))
        for attempt in attempts
    ]
    requests = [{**_data(each, None), **_held(records.holders.get(each.id))} for each in attempts]
    data: dict[str, object] = {"key": key, "held_by": names, "requests": requests}
    if generation is not None:
        sections.append(Section("result", tuple(_result(generation, records.artifacts.get(generation.sha256)))))
        data["result"] = _data(None, generation)
    return sections, data


def carried(doing: str, result: Carried) -> tuple[str, dict[str, object]]:
    """Return what `state push`, `pull` or `detach` did, for people and as data."""
    lines = [f"{len(result.attempts)} requests and {len(result.results)} results were carried."]
    if not (result.attempts or result.results):
        lines = ["The shared state has everything." if doing == "push" else "These records are up to date."]
    if doing == "detach":
        lines.append("They are a state of their own: take `state` out of the project file.")
    for attempt in result.waiting:
        mine = f"{_task(attempt) or 'a request'} at {attempt.provider} waits until the other one has ended"
        then = f"{command('state', doing)} carries it then ({short(attempt.key)})"
        lines.append(f"{attempt.clip}#{attempt.take} was bought twice: {mine}; {then}")
    for first, second in result.twice:
        lines.append(f"{short(first.key)} has two videos, both paid for and kept: {first.sha256} and {second.sha256}")
    return "\n".join(lines), {
        "requests": len(result.attempts),
        "results": len(result.results),
        "waiting": [_data(attempt, None) | {"key": attempt.key} for attempt in result.waiting],
        "twice": [{"key": first.key, "videos": [first.sha256, second.sha256]} for first, second in result.twice],
    }


def _group(attempt: Attempt | None, generation: Generation | None) -> str:
    if attempt is not None and attempt.state in IN_FLIGHT:
        return _GROUPS[0]
    if attempt is not None and attempt.state in BLOCKED:
        return _GROUPS[1]
    return _GROUPS[2 if generation is not None else 3]


def _name(attempt: Attempt | None, key: str) -> str:
    return f"{attempt.clip}#{attempt.take}" if attempt is not None and attempt.clip else short(key)


def _line(key: str, attempt: Attempt | None, generation: Generation | None) -> str:
    state = attempt.state.value if attempt is not None else generation.origin if generation is not None else ""
    maker = attempt or generation
    since = attempt.updated if attempt is not None else generation.created if generation is not None else 0.0
    facts = [f"{state} since {utc(since)}", maker.provider if maker else "", _task(maker), _cost(maker), short(key)]
    return SEPARATOR.join(filter(None, facts))


def _request(attempt: Attempt, holder: Holder | None) -> Iterator[tuple[str, str]]:
    yield "clip", f"{attempt.clip}#{attempt.take}"
    yield "state", f"{attempt.state.value} since {utc(attempt.updated)}"
    yield "sent", f"{utc(attempt.created)} to {attempt.provider} ({attempt.kind}, {attempt.model})"
    optional = (("address", attempt.endpoint), ("task", attempt.task), ("reason", attempt.message or attempt.reason))
    yield from ((name, value) for name, value in optional if value)
    if cost := _cost(attempt):
        yield "cost", cost
    if text := held(holder):
        yield "made by", text


def _result(generation: Generation, artifact: Artifact | None) -> Iterator[tuple[str, str]]:
    yield "made", f"{utc(generation.created)} by {generation.provider} ({generation.origin})"
    yield "video", generation.sha256
    if artifact is not None:
        size = f"{artifact.width}x{artifact.height}, {artifact.size / 1_000_000:.2f} MB"
        yield "size", f"{artifact.duration_ms / 1000:g} s, {size}"


def _task(maker: Attempt | Generation | None) -> str:
    return f"task {maker.task}" if maker is not None and maker.task else ""


def _cost(maker: Attempt | Generation | None) -> str:
    if maker is None or maker.cost_micros is None or (isinstance(maker, Attempt) and maker.money is Money.RELEASED):
        return ""
    return money.text(micros(maker.cost_micros), maker.currency)


def _data(attempt: Attempt | None, generation: Generation | None) -> dict[str, object]:
    """Return a request or a result for programs; without a request the clip is not known."""
    maker = attempt or generation
    cost = None if maker is None or not _cost(maker) else micros(maker.cost_micros)
    return {
        "clip": attempt.clip if attempt else None,
        "take": attempt.take if attempt else None,
        "state": attempt.state.value if attempt else None,
        "since": utc(attempt.updated if attempt else generation.created if generation else 0.0),
        "provider": maker.provider if maker else None,
        "kind": maker.kind if maker else None,
        "model": maker.model if maker else None,
        "task": maker.task if maker else None,
        "cost": None if cost is None or maker is None else {"amount": plain_decimal(cost), "currency": maker.currency},
        "video": generation.sha256 if generation else attempt.sha256 if attempt else None,
    }
