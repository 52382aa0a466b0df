"""The Document: every clip a card, and what stands above them. Pure.

    head    format_version, project, live, draft, title, generated, revision, summary, cost, session, diagnostics, stale
    cards   in file order; clips that are no longer declared but still have files stand last

`revision` is `<mark of the plan>.<mark of the rest>`: what a click means is bound to the first half. It does not change
with `generated`, with the session's meter, or with progress.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciler.diagnostics import Diagnostic
from reconciler.gallery.document.index import Known
from reconciler.gallery.document.media import Value
from reconciler.plan.model import GENERATES, SENTENCES, Cost, Plan, Step
from reconciler.project.model import Planned
from reconciler.project.saved_plan import fingerprint
from reconciler.records import Generation
from reconciler.spec.project import Clip
from reconciler.views import encode
from reconciler.views.format import plain_decimal
from reconciler.views.rows import micros, standing, utc

FORMAT_VERSION = 1

Running = Mapping[str, Value]
"""What a run says of the clips that it works on, by clip."""


@dataclass(frozen=True, slots=True)
class DocumentContext:
    """Where a page stands. `now` is UTC seconds; `problems`: what is wrong with the project since the plan was made."""

    project: str
    live: bool
    draft: bool
    now: float
    session: Value | None = None
    problems: tuple[Diagnostic, ...] = ()


def document(planned: Planned, setting: DocumentContext, running: Running | None = None) -> Value:
    """The Document of a plan."""
    found = cards(Known(planned))
    return head(planned.plan, setting, found) | {"cards": [with_running(card, running or {}) for card in found]}


def head(plan: Plan, setting: DocumentContext, found: Sequence[Value]) -> Value:
    """The Document without its cards, which count in its revision: as they are without what a run says of them."""
    rest: Value = {
        "format_version": FORMAT_VERSION,
        "project": setting.project,
        "live": setting.live,
        "draft": setting.draft,
        "title": f"{setting.project} · drafts" if setting.draft else setting.project,
        "summary": plan.counts(),
        "cost": bill(plan.generating(), plan.currency),
        "diagnostics": [diagnostic(item) for item in setting.problems or plan.diagnostics],
        "stale": bool(setting.problems),
    }
    mark = f"{plan_mark(plan)}.{_digest([rest, found])}"
    return rest | {"revision": mark, "generated": utc(setting.now), "session": setting.session}


def plan_mark(plan: Plan) -> str:
    """What names a plan as it would be carried out, its prices included."""
    return fingerprint(plan)[:32]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:16]


def bill(steps: Sequence[Step], currency: str) -> Value:
    """What steps would cost: the known sum, and how many have no price."""
    making = [step for step in steps if step.action in GENERATES]
    known = [step.cost.amount for step in making if step.cost.amount is not None]
    amount = plain_decimal(sum(known, Decimal(0)))
    return {"amount": amount, "currency": currency or None, "unpriced": len(making) - len(known)}


def diagnostic(item: Diagnostic) -> Value:
    """A problem with its place and the lines it speaks of."""
    excerpt = item.excerpt
    lines = [[excerpt.first + i, text] for i, text in enumerate(excerpt.lines)] if excerpt else []
    return encode.diagnostic(item) | {"lines": lines}


def cards(known: Known) -> list[Value]:
    """A card for each clip that the plan is about."""
    clips = known.planned.loaded.project.clips
    declared = ((known.steps.get((clip.name, clip.spec.pick)), clip) for clip in clips)
    found = [card(step, clip, known) for step, clip in declared if step is not None]  # None: it is about other clips
    return found + [card(step, None, known) for step in known.others.values()]


def with_running(found: Value, running: Running) -> Value:
    """A card with what a run says of its clip."""
    now = running.get(str(found["id"]))
    return found if now is None else found | {"state": "running", "running": now}


def card(step: Step, clip: Clip | None, known: Known) -> Value:
    """One clip by the step of its picked take; `clip` None for one that is no longer declared."""
    state, detail = standing(step, known.planned.snapshot.attempts.get(step.key))
    video, made = known.shown(step)
    found: Value = {
        "id": step.clip,
        "state": state,
        "action": step.action.value,
        "reason": step.reason.value,
        "sentence": SENTENCES[step.reason],
        "detail": detail,
        "way_out": list(step.way_out),
        "running": None,
        "provider": step.provider or (made.provider if made else ""),
        "kind": step.kind or (made.kind if made else ""),
        "model": step.model or (made.model if made else ""),
        "output": step.output or "",
        "cost": paid(made),
        "created": utc(made.created) if made and made.created else None,
        "mismatch": made.mismatch if made else "",
        "shown": video,
        "apply": portion(step.clip, known),
    }
    return found | (_declared(step, clip, known) if clip else _undeclared(step))


def _declared(step: Step, clip: Clip, known: Known) -> Value:
    """What the project's files say of a clip."""
    order = known.order(step)
    settled = order.resolved.settled if order else {}
    seconds = settled.get("duration", clip.spec.duration)
    return {
        "declared": clip.declared,
        "tags": list(clip.spec.tags),
        "description": clip.spec.description,
        "file": {"path": clip.where.file, "line": clip.where.line} if clip.where else None,
        "mode": order.resolved.mode.value if order else "",
        "duration": seconds if isinstance(seconds, int) and seconds > 0 else None,
        "ratio": settled.get("ratio", clip.spec.ratio),
        "resolution": settled.get("resolution", clip.spec.resolution),
        "estimate": encode.price(order.wanted.cost, known.planned.plan.currency) if order else None,
        "prompt": clip.spec.prompt,
        "pick": clip.spec.pick,
        "takes": clip.spec.takes,
        "needs": list(clip.depends_on()),
        "used_by": known.users.get(clip.name, []),
    }


def _undeclared(step: Step) -> Value:
    return {
        "declared": step.clip.partition("[")[0],
        "tags": [],
        "description": "",
        "file": None,
        "mode": "",
        "duration": None,
        "ratio": None,
        "resolution": None,
        "estimate": None,
        "prompt": "",
        "pick": step.take,
        "takes": 1,
        "needs": [],
        "used_by": [],
    }


def paid(made: Generation | None) -> Value | None:
    """What an artifact cost; None when nobody knows."""
    return encode.price(Cost(micros(made.cost_micros), made.currency), "") if made else None


def portion(clip: str, known: Known) -> Value | None:
    """What a click on "apply" does for a clip with what it needs; None when there is nothing to do."""
    steps = known.portions.steps([clip])
    if not steps:
        return None
    others = dict.fromkeys(step.clip for step in steps if step.clip != clip)
    return bill(steps, known.planned.plan.currency) | {"steps": len(steps), "with": list(others)}


@dataclass(frozen=True, slots=True)
class Patch:
    """From one list of cards to another. `order` None: the names and their order are the same."""

    cards: list[Value]
    removed: list[str]
    order: list[str] | None


def patch(before: Sequence[Value], after: Sequence[Value]) -> Patch:
    """What a page that shows `before` must be told."""
    old = {str(card["id"]): card for card in before}
    order = [str(card["id"]) for card in after]
    changed = [card for name, card in zip(order, after, strict=True) if old.get(name) != card]
    return Patch(changed, sorted(old.keys() - set(order)), None if order == list(old) else order)
