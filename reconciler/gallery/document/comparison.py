"""Compares the clips of a report with a git revision, or with what a plan would replace. Pure.

Both comparisons fill the same members: `since` of the Document and of each Card, and `before` of each Detail. A
comparison with a revision adds cards at the end for the clips that it declared and the project no longer does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace

from reconciler.frozen import dataclass
from reconciler.gallery.document.cards import paid
from reconciler.gallery.document.detail import field_changes, of_step
from reconciler.gallery.document.index import PlanIndex
from reconciler.gallery.document.model import Detail, Earlier, Since
from reconciler.plan import cuts
from reconciler.plan.model import Action, Plan, Reason, Step, Wanted
from reconciler.project.orders import Order
from reconciler.project.revision import ProjectRevision, differences, film_differences, former_names
from reconciler.records import Generation
from reconciler.views.format import utc
from reconciler.views.show import document_facts

NOT_STORED = "the earlier video is no longer stored here"
NOT_GENERATED = "no earlier video on record"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions of the clips. `groups`: same, changed, renamed, added or removed, by clip; `removed`: the Details of
    clips that are no longer declared."""

    head: Since
    groups: Mapping[str, str]
    earlier: Mapping[str, Earlier]
    removed: Mapping[str, Detail] = field(default_factory=dict)


def since_revision(index: PlanIndex, revision: ProjectRevision, chosen: frozenset[str] | None) -> Comparison:
    """Compare with a git revision. `chosen`: the clips of the report, None for all."""
    old = _revision_index(revision, index)
    new_orders = {order.clip.name: order for order in _picked(index.planned.loaded.orders)}
    old_orders = _under_new_names(_picked(revision.loaded.orders), former_names(revision.loaded, index.planned))
    names = [name for name in (*new_orders, *old_orders) if chosen is None or name in chosen]
    groups = {name: _group(old_orders.get(name), new_orders.get(name)) for name in names}
    earlier = {name: _at_revision(old_orders[name], new_orders.get(name), old) for name in groups if name in old_orders}
    new_films, old_films = ({w.clip: w for w in loaded.cuts} for loaded in (index.planned.loaded, revision.loaded))
    films = [name for name in dict.fromkeys((*new_films, *old_films)) if chosen is None or name in chosen]
    groups |= {name: _film_group(old_films.get(name), new_films.get(name)) for name in films}
    earlier |= {name: _film_at(old_films[name], new_films.get(name), old) for name in films if name in old_films}
    removed = {name: _removed(name, old, earlier[name]) for name, group in groups.items() if group == "removed"}
    head = replace(_since("revision", revision.label, groups), commit=revision.commit, time=utc(revision.time))
    return Comparison(head, groups, earlier, removed)


def since_plan(index: PlanIndex, label: str) -> Comparison:
    """Compare with what a plan would replace: the current result of each clip is the earlier side."""
    picked = (step for step in map(index.picked, index.clips) if step is not None)
    steps = {step.clip: step for step in picked} | index.others
    groups = {name: _planned_group(step) for name, step in steps.items()}
    results = ((name, step, index.result(step.previous_key or step.key)) for name, step in steps.items())
    earlier = {name: _current(step, result, index) for name, step, result in results if result is not None}
    return Comparison(_since("plan", label, groups), groups, earlier)


def _since(kind: str, label: str, groups: Mapping[str, str]) -> Since:
    counts = Counter(groups.values())
    numbers = [counts[group] for group in ("same", "changed", "added", "removed", "renamed")]
    return Since(kind, label, "", None, *numbers)


def _picked(orders: Sequence[Order]) -> list[Order]:
    return [order for order in orders if order.take == order.clip.spec.pick]


def _under_new_names(old: Sequence[Order], sources: Mapping[str, str]) -> dict[str, Order]:
    """Return the old orders by the current names of their clips; one that is gone has its own."""
    by_name = {order.clip.name: order for order in old}
    renamed = {name: by_name[source] for name, source in sources.items()}
    gone = {name: order for name, order in by_name.items() if name not in sources.values()}
    return gone | renamed


def _group(old: Order | None, new: Order | None) -> str:
    if new is None:
        return "removed"
    if old is None:
        return "added"
    if old.wanted.key != new.wanted.key:
        return "changed"
    return "same" if old.clip.name == new.clip.name else "renamed"


def _film_group(old: Wanted | None, new: Wanted | None) -> str:
    if old is None or new is None:
        return "removed" if new is None else "added"
    return "same" if old.key == new.key else "changed"


def _planned_group(step: Step) -> str:
    if step.action is Action.ASSEMBLE and step.previous_key is None:
        return "added"
    if step.action in (Action.CREATE, Action.REMOVE):
        return "added" if step.action is Action.CREATE else "removed"
    return "changed" if step.previous_key is not None else "same"


def _revision_index(revision: ProjectRevision, index: PlanIndex) -> PlanIndex:
    """Return an index of the revision, as a plan with nothing to do."""
    steps = tuple(
        Step(w.clip, w.take, Action.NOOP, Reason.UP_TO_DATE, w.key, w.provider, w.kind, w.model, w.output)
        for w in (order.wanted for order in revision.loaded.orders)
    )
    planned, locked = index.planned, {**index.planned.locked, **revision.locked}
    results = {key: result.sha256 for key, result in planned.snapshot.generations.items()}
    contents = results | {key: line.sha256 for key, line in locked.items()}
    steps += tuple(_film_steps(revision.loaded.cuts, contents))
    plan = Plan(steps, currency=planned.plan.currency)
    return PlanIndex(replace(planned, loaded=revision.loaded, disk=revision.disk, locked=locked, plan=plan))


def _film_steps(films: Sequence[Wanted], contents: Mapping[str, str]) -> Iterator[Step]:
    """Yield the films of a revision, each with the key that it had when the clips were as then. `contents` has the
    SHA-256 of a key's video."""
    keys: dict[str, str] = {}
    for w in films:
        document = cuts.settled(w.document, lambda key: (key, contents.get(keys.get(key, key))))
        keys[w.key] = cuts.key_of(document)
        yield Step(w.clip, w.take, Action.NOOP, Reason.UP_TO_DATE, keys[w.key], kind=w.kind, output=w.output)


def _film_at(old: Wanted, new: Wanted | None, index: PlanIndex) -> Earlier:
    """Return a film at a revision, from the revision's index, with the pieces that it had."""
    step = index.steps[old.clip, old.take]
    video, result = index.shown(step)[0], index.result(step.key)
    return Earlier(
        shown=video,
        prompt="",
        facts=(),
        changes=field_changes(film_differences(old, new) if new else ()),
        output=old.output or "",
        pick=old.take,
        cost=None,
        note="" if video else NOT_STORED if result else NOT_GENERATED,
        pieces=index.pieces(old.clip),
    )


def _at_revision(old: Order, new: Order | None, index: PlanIndex) -> Earlier:
    """Return a clip at a revision, from the revision's index, and its differences from the current clip."""
    video, source = index.shown(index.steps[old.clip.name, old.take])
    result = source or index.result(old.wanted.key)
    return Earlier(
        shown=video,
        prompt=old.clip.spec.prompt,
        facts=tuple(document_facts(old.wanted.document)),
        changes=field_changes(differences(old, new) if new else ()),
        output=old.clip.spec.output,
        pick=old.clip.spec.pick,
        cost=paid(result),
        note="" if video else NOT_STORED if result else NOT_GENERATED,
    )


def _current(step: Step, result: Generation, index: PlanIndex) -> Earlier:
    """Return the current result of a take, and what the plan would change."""
    video = index.media(result.sha256)
    document = json.loads(result.document) if result.document else {}
    return Earlier(
        shown=video,
        prompt=str(document.get("prompt", "")),
        facts=tuple(document_facts(result.document)) if document else (),
        changes=field_changes(step.changes if step.previous_key is not None else ()),
        output=step.previous_output or step.output or "",
        pick=step.take,
        cost=paid(result),
        note="" if video else NOT_STORED,
    )


def _removed(name: str, old: PlanIndex, earlier: Earlier) -> Detail:
    """Return the Detail of a clip of the revision that is no longer declared."""
    detail = of_step(old.steps[name, earlier.pick], old.clips.get(name), old, ())
    card = replace(
        detail.card,
        state="undeclared",
        action="remove",
        reason=Reason.UNDECLARED.value,
        sentence="no longer declared",
        apply=None,
        way_out=(),
    )
    return replace(detail, card=card, before=earlier)
