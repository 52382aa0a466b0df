"""Build the sections and the data of `show` for one clip."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler import money
from reconciler.plan.changes import NO_NAMES, input_text, short
from reconciler.plan.model import Step
from reconciler.project.model import Planned
from reconciler.project.orders import Order
from reconciler.records import Attempt, Generation
from reconciler.views import encode, film, format
from reconciler.views.base import Section
from reconciler.views.format import micros, utc
from reconciler.views.groups import StepGroup
from reconciler.views.status import state_of


def show(clip: str, planned: Planned, objects_root: str) -> tuple[list[Section], dict[str, object]]:
    """Return everything about one clip: each take's spec, records and file in the store.

    The same facts come as sections for people and as JSON values. `objects_root` is the store's path."""
    steps = [step for step in planned.plan.steps if step.clip == clip]
    sections = [Section(step.name, tuple(_facts(step, planned, objects_root))) for step in steps]
    data: dict[str, object] = {"clip": clip, "takes": [_data(step, planned, objects_root) for step in steps]}
    return sections, data


def _facts(step: Step, planned: Planned, root: str) -> Iterator[tuple[str, str]]:
    yield "state", f"{state_of(step)}: {f'{step.headline}: {step.detail}' if step.detail else step.headline}"
    for remedy in step.way_out:
        yield "next", remedy
    yield "key", short(step.key)
    if step.previous_key:
        yield "holds", short(step.previous_key)
    if step.output:
        yield "output", step.output
    order = _order(step, planned)
    if order is not None:
        price, takes = format.price(order.wanted.cost, ""), (replace(step, cost=order.wanted.cost),) * step.takes
        yield "estimated", price if step.takes == 1 else f"{price}; {StepGroup(takes).price('')}"
    if step.document:
        yield from (piece.line() for piece in film.pieces(step, planned))
    elif document := _document(step, planned):
        clips = {order.wanted.key: order.wanted.name for order in planned.loaded.orders}
        yield from document_facts(document, clips)
    if order is not None:
        yield from _looks(order)
        users = [o.clip.name for o in planned.loaded.orders if step.clip in o.clip.depends_on()]
        if users and order.take == order.clip.spec.pick:
            yield "used by", ", ".join(dict.fromkeys(users))
    generation = planned.snapshot.generations.get(step.key)
    if generation is not None:
        yield from _generation(generation, planned, root)
    attempt = planned.snapshot.attempts.get(step.key)
    if attempt is not None:
        if generation is None and attempt.seed is not None:
            yield "seed sent", str(attempt.seed)
        yield "attempt", _attempt(attempt)


def _looks(order: Order) -> Iterator[tuple[str, str]]:
    """Yield the looks in the prompt, with the numbers of the pictures that they brought, and what is avoided."""
    looks = order.clip.looks
    numbers = {look.name: ", ".join(map(str, look.pictures)) for look in looks}
    if looks:
        yield "looks", ", ".join(f"{name} (picture {text})" if text else name for name, text in numbers.items())
    if avoided := ", ".join(order.clip.avoided()):
        yield "avoid", f"{avoided} (written in the prompt: {order.wanted.model} has no field for it)"


def _order(step: Step, planned: Planned) -> Order | None:
    """Return the order of the step's key; None for a key from before the spec changed."""
    order = planned.loaded.by_ident.get((step.clip, step.take))
    return order if order is not None and order.wanted.key == step.key else None


def _document(step: Step, planned: Planned) -> str:
    """Return the identity document of the step's key; empty if no record has it."""
    order, snapshot = _order(step, planned), planned.snapshot
    if order is not None:
        return order.wanted.document
    generation, attempt = snapshot.generations.get(step.key), snapshot.attempts.get(step.key)
    return (generation.document if generation else "") or (attempt.document if attempt else "")


def document_facts(document: str, clips: Mapping[str, str] = NO_NAMES) -> Iterator[tuple[str, str]]:
    """Yield the fields of an identity document as text; `clips` names the clip of a key."""
    for name, value in json.loads(document).items():
        if name == "inputs" and isinstance(value, list):
            for item in value:
                yield str(item["field"]), input_text(item, clips)
        elif isinstance(value, dict):
            yield from ((str(inner), _plain(item)) for inner, item in value.items())
        elif name != "recipe":
            yield name, _plain(value)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _generation(generation: Generation, planned: Planned, root: str) -> Iterator[tuple[str, str]]:
    artifact = planned.snapshot.artifacts.get(generation.sha256)
    yield "artifact", f"{root}/{generation.sha256[:2]}/{generation.sha256}{artifact.suffix if artifact else ''}"
    if artifact is not None:
        sound = "audio" if artifact.audio else "no audio"
        size = f"{artifact.duration_ms / 1000:g} s, {artifact.width}x{artifact.height}, {sound}"
        yield "video", f"{size}, {artifact.size / 1_000_000:.2f} MB"
    yield "made", f"{utc(generation.created)} by {generation.provider} ({generation.origin})"
    if generation.elapsed:
        yield "took", format.seconds(generation.elapsed)
    if generation.cost_micros is not None:
        yield "cost", money.text(micros(generation.cost_micros), generation.currency)
    optional = (("task", generation.task), ("seed used", generation.seed), ("mismatch", generation.mismatch or None))
    yield from ((name, str(value)) for name, value in optional if value is not None)


def _attempt(attempt: Attempt) -> str:
    message = f": {attempt.message}" if attempt.message else ""
    return f"#{attempt.id} {attempt.state.value} at {utc(attempt.updated)}{message}"


def _data(step: Step, planned: Planned, root: str) -> dict[str, object]:
    order, document = _order(step, planned), _document(step, planned)
    values: dict[str, object] = {
        "take": step.take,
        "picked": order is not None and order.take == order.clip.spec.pick,
        "action": step.action.value,
        "reason": step.reason.value,
        "key": step.key,
        "output": step.output,
        "document": json.loads(document) if document else None,
        "estimate": encode.price(order.wanted.cost, "") if order else None,
        "way_out": encode.commands(step.way_out),
    }
    if order is not None and order.clip.looks:
        values["looks"] = [{"name": look.name, "pictures": list(look.pictures)} for look in order.clip.looks]
    if order is not None and (avoided := order.clip.avoided()):
        values["avoid"] = list(avoided)
    if step.document:
        values |= {"picked": True, "document": json.loads(step.document)}
        values["pieces"] = [piece.document() for piece in film.pieces(step, planned)]
    generation = planned.snapshot.generations.get(step.key)
    if generation is not None:
        values["artifact"] = dict(_generation(generation, planned, root))
    return values
