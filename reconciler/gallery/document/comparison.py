"""Before and after, for a report: what a project was at a revision, or what a plan would replace. Pure.

Both give the same values: `Document.since` with the counts, `Card.since` and `Detail.before` for each clip, and, at a
revision, cards at the end for the clips that are declared no more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.gallery.document.cards import paid
from reconciler.gallery.document.detail import change, detail
from reconciler.gallery.document.index import Known
from reconciler.gallery.document.media import Value
from reconciler.plan.changes import changes
from reconciler.plan.model import Action, Change, Plan, Reason, Step
from reconciler.project.orders import Order
from reconciler.project.revision import ProjectRevision, as_planned
from reconciler.records import Generation
from reconciler.views.rows import document_facts, utc

NOT_KEPT = "what was made then is not here any more"
NEVER_MADE = "it was not made then, as far as is known here"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a report says of the time before. `standing`: how each clip differs; `gone`: Details of removed clips."""

    head: Value
    standing: Mapping[str, str]
    before: Mapping[str, Value]
    gone: Mapping[str, Value] = field(default_factory=dict)


def since_revision(known: Known, found: ProjectRevision, chosen: frozenset[str] | None) -> Comparison:
    """Against a revision. `chosen`: the clips that the report is about, None for all."""
    old = _known(found, known)
    now = {order.clip.name: order for order in _picked(known.planned.loaded.orders)}
    then = _under_new_names(_picked(found.loaded.orders), now)
    wanted = [name for name in (*now, *then) if chosen is None or name in chosen]
    standing = {name: _standing(then.get(name), now.get(name)) for name in wanted}
    before = {name: _then(then[name], now.get(name), old) for name in standing if name in then}
    gone = {name: _gone(name, old, before[name]) for name, word in standing.items() if word == "removed"}
    head = _head("revision", found.label, standing) | {"commit": found.commit, "time": utc(found.time)}
    return Comparison(head, standing, before, gone)


def since_plan(known: Known, label: str) -> Comparison:
    """Against what a plan would replace: what the clips hold now is "before"."""
    steps = {
        step.clip: step for step in known.steps.values() if known.clips[step.clip].spec.pick == step.take
    } | known.others
    standing = {name: _planned(step) for name, step in steps.items()}
    held = ((name, step, known.made(step.previous_key or step.key)) for name, step in steps.items())
    before = {name: _held(step, made, known) for name, step, made in held if made is not None}
    return Comparison(_head("plan", label, standing), standing, before)


def _head(kind: str, label: str, standing: Mapping[str, str]) -> Value:
    counts = Counter(standing.values())
    numbers: Value = {word: counts.get(word, 0) for word in ("same", "changed", "added", "removed")}
    return {"kind": kind, "label": label, "commit": "", "time": None, **numbers}


def _picked(orders: Sequence[Order]) -> list[Order]:
    return [order for order in orders if order.take == order.clip.spec.pick]


def _under_new_names(then: Sequence[Order], now: Mapping[str, Order]) -> dict[str, Order]:
    """The clips of then by the name that they have now: a clip that was renamed is no other picture."""
    kept = {order.clip.name for order in then}
    new = {order.wanted.key: name for name, order in now.items() if name not in kept}
    return {o.clip.name if o.clip.name in now else new.get(o.wanted.key, o.clip.name): o for o in then}


def _standing(then: Order | None, now: Order | None) -> str:
    if now is None:
        return "removed"
    if then is None:
        return "added"
    return "same" if then.wanted.key == now.wanted.key else "changed"


def _planned(step: Step) -> str:
    if step.action in (Action.CREATE, Action.REMOVE):
        return "added" if step.action is Action.CREATE else "removed"
    return "changed" if step.previous_key is not None else "same"


def _known(found: ProjectRevision, known: Known) -> Known:
    """The revision as something that has no work to do."""
    steps = tuple(
        Step(w.clip, w.take, Action.NOOP, Reason.UP_TO_DATE, w.key, w.provider, w.kind, w.model, w.output)
        for w in (order.wanted for order in found.loaded.orders)
    )
    plan = Plan(steps, currency=known.planned.plan.currency)
    return Known(replace(as_planned(found, known.planned), plan=plan))


def _then(then: Order, now: Order | None, old: Known) -> Value:
    """One clip as a revision had it, and what of it is another now."""
    shown, made = old.shown(old.steps[then.clip.name, then.take])
    differ = changes(then.wanted.document, now.wanted.document) if now else ()
    note = "" if shown else NOT_KEPT if made or old.made(then.wanted.key) else NEVER_MADE
    return {
        "shown": shown,
        "prompt": then.clip.spec.prompt,
        "facts": [list(pair) for pair in document_facts(then.wanted.document)],
        "changes": [change(item) for item in differ],
        "output": then.clip.spec.output,
        "pick": then.clip.spec.pick,
        "cost": paid(made or old.made(then.wanted.key)),
        "note": note,
    }


def _held(step: Step, made: Generation, known: Known) -> Value:
    """What a take holds now, by its record."""
    shown = known.media(made.sha256)
    document = json.loads(made.document) if made.document else {}
    differ: Sequence[Change] = step.changes if step.previous_key is not None else ()
    return {
        "shown": shown,
        "prompt": str(document.get("prompt", "")),
        "facts": [list(pair) for pair in document_facts(made.document)] if document else [],
        "changes": [change(item) for item in differ],
        "output": step.previous_output or step.output or "",
        "pick": step.take,
        "cost": paid(made),
        "note": "" if shown else NOT_KEPT,
    }


def _gone(name: str, old: Known, before: Value) -> Value:
    """The Detail of a clip that is declared no more."""
    found = detail(name, old, ())
    assert found is not None
    card = found["card"]
    assert isinstance(card, dict)
    standing: Value = {
        "state": "undeclared",
        "action": "remove",
        "sentence": "no longer declared",
        "apply": None,
        "way_out": [],
    }
    return found | {"card": card | standing | {"reason": Reason.UNDECLARED.value}, "before": before}
