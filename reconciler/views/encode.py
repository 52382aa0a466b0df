"""Encode plans, events and rows as JSON values: the contract with programs, one version for all documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from decimal import Decimal

from reconciler.diagnostics import ClipformError, Diagnostic, SpecError
from reconciler.events import Event, EventKind, Outcome, Summary
from reconciler.plan.model import Action, Cascade, Cost, LookChange, Plan, Step
from reconciler.plan.remedies import command_of, reason_line
from reconciler.project.saved_plan import review_digest
from reconciler.views.base import StatusRow
from reconciler.views.format import plain_decimal, utc

FORMAT_VERSION = 1


def price(value: Cost, currency: str) -> dict[str, object] | None:
    """Encode an amount as text, so that no reader makes it a float; None without a price."""
    if value.amount is None:
        return None
    members = {"amount": plain_decimal(value.amount), "currency": value.currency or currency or None}
    return _ranged(members | ({"source": value.source} if value.source else {}), value.least)


def _ranged(members: Mapping[str, object], least: Decimal | None) -> dict[str, object]:
    """Add the lower end of a range; a single amount has none."""
    return dict(members) if least is None else {**members, "least": plain_decimal(least)}


def total(amount: Decimal, currency: str, unpriced: int) -> dict[str, object]:
    """Encode a sum, and how many of its parts have no price."""
    return {"amount": plain_decimal(amount), "currency": currency or None, "unpriced": unpriced}


def step(item: Step, currency: str) -> dict[str, object]:
    """Encode one action of a plan."""
    members: dict[str, object] = {
        "clip": item.clip,
        "take": item.take,
        "action": item.action.value,
        "reason": item.reason.value,
        "key": item.key,
        "previous_key": item.previous_key,
        "provider": item.provider,
        "model": item.model,
        "output": item.output,
        "changes": [{"field": c.field, "before": c.before, "after": c.after} for c in item.changes],
        "cost": price(item.cost, currency),
    }
    extra: dict[str, object] = {
        "message": reason_line(item.reason, item.detail) if item.action is Action.BLOCKED else "",
        "previous_output": item.previous_output,
        "detail": item.detail,
        "way_out": commands(item.way_out),
        "tier": {"name": item.tier, "why": item.tier_why} if item.tier else {},
        "provider_defaults": list(item.server_defaults),
        "makes": {"prompt": item.brief.prompt, **dict(item.brief.facts)} if item.brief else {},
        "expected_seconds": round(item.expected, 1) if item.expected is not None else None,
    }
    return members | {name: value for name, value in extra.items() if value}


def plan(item: Plan) -> dict[str, object]:
    """Encode the document of `plan --json`; its actions once, as they are asked for."""
    asks = [{"subject": d.subject, "use": d.use, "asked": d.is_asked} for d in item.demands]
    looks = [look(change, item.currency) for change in item.looks]
    moved = [{"from": former, "to": present} for former, present in item.moved]
    followed = [cascade(each, item.currency) for each in item.cascades]
    listed = (("asks_for", asks), ("looks", looks), ("cascades", followed), ("moved", moved))
    extra = {name: values for name, values in listed if values}
    return {
        "format_version": FORMAT_VERSION,
        "actions": (step(s, item.currency) for s in item.steps),
        "digest": review_digest(item),
        "summary": item.counts(),
        "cost": _ranged(total(item.total(), item.currency, item.unpriced()), item.least()),
        "expected_seconds": round(item.expected, 1) if item.expected is not None else None,
        "diagnostics": [diagnostic(d) for d in item.diagnostics],
    } | extra


def look(change: LookChange, currency: str) -> dict[str, object]:
    """Encode the clips that are generated again because of looks alone."""
    return {"looks": list(change.looks), **_part(change.steps, currency)}


def cascade(item: Cascade, currency: str) -> dict[str, object]:
    """Encode the clips that only follow another one; `also` are further causes of the same."""
    first, *others = item.causes
    return {"cause": first, **({"also": others} if others else {}), **_part(item.steps, currency)}


def _part(steps: tuple[Step, ...], currency: str) -> dict[str, object]:
    part = Plan(steps, currency=currency)
    cost = _ranged(total(part.total(), currency, part.unpriced()), part.least())
    return {"clips": list(dict.fromkeys(step.clip for step in steps)), "cost": cost}


def diagnostic(item: Diagnostic) -> dict[str, object]:
    """Encode a problem with its place."""
    source = item.source
    return {
        "severity": item.severity.value,
        "code": item.code,
        "message": item.message,
        "file": source.file if source else None,
        "line": source.line if source else None,
        "column": source.column if source else None,
        "help": item.help or None,
    }


def error(item: ClipformError) -> dict[str, object]:
    """Encode why a command failed; a spec error has all its diagnostics."""
    document: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "error": {"code": item.code, "message": item.message, "help": item.help or None, "exit_code": item.exit_code},
    }
    if isinstance(item, SpecError):
        document["diagnostics"] = [diagnostic(d) for d in item.diagnostics]
    return document


def commands(remedies: Iterable[str]) -> list[str]:
    """Encode remedies as their commands alone."""
    return [command_of(remedy) for remedy in remedies]


def _compact(values: dict[str, object]) -> dict[str, object]:
    """Return the values with amounts as text and without empty members."""
    plain = {name: plain_decimal(v) if isinstance(v, Decimal) else v for name, v in values.items()}
    return {name: v for name, v in plain.items() if v not in (None, "", ())}


_EVENT = tuple(item.name for item in fields(Event) if item.name not in ("kind", "takes"))


def event(item: Event) -> dict[str, object]:
    """Encode one line of `apply --json`."""
    values = {name: getattr(item, name) for name in _EVENT}
    for name in ("elapsed", "expected", "wait"):
        if values[name] is not None:
            values[name] = round(values[name], 2)
    return {"format_version": FORMAT_VERSION, "event": item.kind.value} | _compact(values)


def outcome(item: Outcome) -> dict[str, object]:
    """Encode how one step ended."""
    values = asdict(item) | {"elapsed": round(item.elapsed, 2), "result": item.result.value}
    del values["takes"]
    remedies = {"way_out": commands(item.help.splitlines())} if item.result is EventKind.BLOCKED else {}
    return _compact(values) | remedies


def summary(item: Summary) -> dict[str, object]:
    """Encode the last line of `apply --json`."""
    return {
        "format_version": FORMAT_VERSION,
        "event": "ended",
        "exit_code": item.exit_code,
        "interrupted": item.interrupted,
        "timed_out": item.late,
        "elapsed": round(item.elapsed, 2),
        "spent": total(item.spent, item.currency, item.unpriced) | {"in_doubt": item.in_doubt},
        "saved": total(item.saved, item.currency, item.saved_unpriced),
        "outcomes": [outcome(o) for o in item.outcomes],
    }


def status(item: StatusRow) -> dict[str, object]:
    """Encode one take of `status --json`."""
    return {
        "clip": item.clip,
        "take": item.take,
        "picked": item.picked,
        "state": item.state,
        "detail": item.detail or None,
        "way_out": commands(item.way_out),
        "progress": item.progress,
        "provider": item.provider,
        "model": item.model,
        "output": item.output,
        "cost": price(Cost(item.cost, item.currency), ""),
        "estimate": price(Cost(item.estimate, item.currency), ""),
        "age_seconds": None if item.age is None else int(item.age),
        "key": item.key,
        "phase": item.phase or None,
        "since_seconds": None if item.since is None else int(item.since),
        "expected_seconds": None if item.expected is None else round(item.expected, 1),
        **({"by": item.by} if item.by else {}),
        **({"since": utc(item.began)} if item.began is not None else {}),
        **({"waits_for": item.waits_for} if item.waits_for else {}),
    }
