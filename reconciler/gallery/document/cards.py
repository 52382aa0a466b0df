"""Builds the Document: the head, and a card for every clip. Pure.

Cards are in file order, then films. Clips that are no longer declared but still have files come last.

`revision` is `<fingerprint of the plan>.<digest of everything else>`. A click is bound to the first half. Neither half
changes with `generated`, with the session's running total, or with progress.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace

from reconciler.diagnostics import Diagnostic
from reconciler.frozen import dataclass
from reconciler.gallery.document import model
from reconciler.gallery.document.index import PlanIndex
from reconciler.next_command import command
from reconciler.plan.model import Cost, Plan, Step
from reconciler.plan.timing import run_seconds
from reconciler.project.model import Planned
from reconciler.project.saved_plan import fingerprint
from reconciler.records import Generation
from reconciler.spec.matrix import declared_name
from reconciler.spec.project import Clip, Cut
from reconciler.views import encode
from reconciler.views.format import cascade_lines, micros, plain_decimal, utc
from reconciler.views.status import standing

Progress = Mapping[str, model.Running]
"""The progress of the clips in the current run, by clip."""


@dataclass(frozen=True, slots=True)
class DocumentContext:
    """The inputs of a Document beside the plan. `now` is UTC seconds; `problems`: errors in the project that appeared
    after the plan was made; `acts`: the page has the actions of a watch."""

    project: str
    live: bool
    draft: bool
    now: float
    acts: bool = False
    session: model.SessionTotal | None = None
    problems: tuple[Diagnostic, ...] = ()


def document(planned: Planned, context: DocumentContext, progress: Progress | None = None) -> model.Document:
    """Return the Document of a plan."""
    plain = card_list(PlanIndex(planned))
    with_progress = tuple(with_running(card, progress or {}) for card in plain.cards)
    return model.Document(head(planned.plan, context, plain), with_progress)


def head(plan: Plan, context: DocumentContext, plain: CardList) -> model.Head:
    """Return the head. `plain` are the cards without progress; the revision covers them."""
    content = model.Head(
        project=context.project,
        live=context.live,
        acts=context.acts,
        draft=context.draft,
        title=f"{context.project} · drafts" if context.draft else context.project,
        summary=plan.counts(),
        cost=bill(plan),
        expected=plan.expected,
        diagnostics=tuple(map(diagnostic, context.problems or plan.diagnostics)),
        stale=bool(context.problems),
        restart=command("ui" if context.acts else "serve") if context.live else "",
        cascades=tuple({"sentence": line} for line in cascade_lines(plan)),
    )
    revision = f"{plain.mark}.{_digest(model.encoded([content, plain.digest]))}"
    return replace(content, revision=revision, generated=utc(context.now), session=context.session)


def plan_mark(plan: Plan) -> str:
    """Return the fingerprint of a plan, including its prices, as the page sends it back with a click."""
    return fingerprint(plan)[:32]


def bill(plan: Plan) -> model.Bill:
    """Return the price of what a plan generates."""
    least = plan.least()
    return model.Bill(
        amount=plain_decimal(plan.total()),
        currency=plan.currency or None,
        unpriced=plan.unpriced(),
        least=None if least is None else plain_decimal(least),
    )


def diagnostic(problem: Diagnostic) -> model.Value:
    """Return a problem with its place and, as `lines`, its excerpt with line numbers."""
    excerpt = problem.excerpt
    lines = [[excerpt.first + i, text] for i, text in enumerate(excerpt.lines)] if excerpt else []
    return encode.diagnostic(problem) | {"lines": lines}


def _digest(json: bytes) -> str:
    return hashlib.sha256(json).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class CardList:
    """The cards of a plan without progress, the mark of the plan, and the JSON of the cards with its digest: computed
    once a plan, because the head changes more often, and each page that opens asks for all of it."""

    cards: tuple[model.Card, ...] = ()
    mark: str = ""
    json: bytes = b"[]"
    digest: str = ""


def card_list(index: PlanIndex) -> CardList:
    """Return the cards of a plan."""
    plain = _cards(index)
    json = model.encoded(plain)
    return CardList(plain, plan_mark(index.planned.plan), json, _digest(json))


def clip_index(cards: Sequence[model.Card]) -> model.Value:
    """Return what the page knows of every clip, with or without its card: `ids` in their order, and for each of them
    `of`, the number of its row. Clips share `rows`, so that there are few; `rowOf` in the page's script returns one."""
    numbers: dict[tuple[object, ...], int] = {}
    of = [numbers.setdefault(_row(card), len(numbers)) for card in cards]
    rows = [dict(zip(_ROW, row, strict=True)) for row in numbers]
    return {"ids": [card.id for card in cards], "of": of, "rows": rows}


_ROW = ("state", "provider", "tags", "shape", "applies")


def _row(card: model.Card) -> tuple[object, ...]:
    video = card.shown
    shape = f"{video.width}:{video.height}" if video is not None and video.width else card.ratio
    return card.state, card.provider, card.tags, shape, card.apply is not None


def containing(text: str, cards: Iterable[model.Card]) -> list[str]:
    """Return the names of the clips that contain every word of a text, as the page's script looks for it."""
    terms = text.lower().split()
    return [card.id for card in cards if all(map(_searchable(card).__contains__, terms))]


def _searchable(card: model.Card) -> str:
    path = card.file["path"] if card.file else ""
    fields = (card.id, card.prompt, card.description, card.model, card.provider, path, card.output, *card.tags)
    return "\n".join(map(str, fields)).lower()


def _cards(index: PlanIndex) -> tuple[model.Card, ...]:
    """Return a card, without progress, for each clip in the plan."""
    clips = index.planned.loaded.project.clips
    declared = ((index.steps.get((clip.name, clip.spec.pick)), clip) for clip in clips)
    selected = [card(step, clip, index) for step, clip in declared if step is not None]  # None: not in this plan
    return (*selected, *(card(step, None, index) for step in index.others.values()))


def with_running(plain: model.Card, progress: Progress) -> model.Card:
    """Return a card with the progress of its clip, if it is in the current run."""
    running = progress.get(plain.id)
    return plain if running is None else replace(plain, state="running", running=running)


def card(step: Step, clip: Clip | None, index: PlanIndex) -> model.Card:
    """Return the card of one clip from the step of its picked take; `clip` is None if it is not declared."""
    state, detail = standing(step, index.planned.snapshot.attempts.get(step.key))
    video, result = index.shown(step)
    part = replace(index.planned.plan, steps=index.subsets.steps([step.clip]))
    basic = model.Card(
        id=step.clip,
        state=state,
        action=step.action.value,
        reason=step.reason.value,
        sentence=step.headline,
        detail=detail,
        way_out=tuple(step.way_out),
        running=None,
        provider=step.provider or (result.provider if result else ""),
        kind=step.kind or (result.kind if result else ""),
        model=step.model or (result.model if result else ""),
        output=step.output or "",
        cost=_paid_for_all(step, result, index),
        created=utc(result.created) if result and result.created else None,
        mismatch="; ".join(filter(None, (result.mismatch if result else "", index.seams.get(step.clip)))),
        shown=video,
        due=due(step.clip, part),
        apply=portion(step.clip, part, index),
        declared=declared_name(step.clip),
        also=tuple(_also(other) for other in part.steps if other.clip == step.clip and other.ident != step.ident),
        pick=step.take,
    )
    if clip is not None:
        return _declared(basic, step, clip, index)
    return _film(basic, index.films[step.clip], index) if step.clip in index.films else basic


def _film(basic: model.Card, cut: Cut, index: PlanIndex) -> model.Card:
    """Return the card of a film, which no provider makes. It has no `file`: its clips are what the page edits."""
    users = tuple(index.users.get(cut.name, ()))
    return replace(basic, provider="", model="", needs=cut.needs(), used_by=users, pieces=index.pieces(cut.name))


def _also(step: Step) -> model.Value:
    return {"action": step.action.value, "take": step.take, "sentence": step.headline, "detail": step.detail}


def _declared(basic: model.Card, step: Step, clip: Clip, index: PlanIndex) -> model.Card:
    order = index.order(step)
    settled = order.resolved.settled if order else {}
    seconds = settled.get("duration", clip.spec.duration)
    return replace(
        basic,
        declared=clip.declared,
        tags=clip.spec.tags,
        description=clip.spec.description,
        file={"path": clip.where.file, "line": clip.where.line} if clip.where else None,
        mode=order.resolved.mode.value if order else "",
        duration=seconds if isinstance(seconds, int) and seconds > 0 else None,
        ratio=settled.get("ratio", clip.spec.ratio),
        resolution=settled.get("resolution", clip.spec.resolution),
        estimate=estimate(order.wanted.cost, index.planned.plan.currency) if order else None,
        prompt=clip.spec.prompt,
        pick=clip.spec.pick,
        takes=clip.spec.takes,
        needs=tuple(clip.depends_on()),
        used_by=tuple(index.users.get(clip.name, ())),
    )


def estimate(cost: Cost, currency: str) -> model.Estimate | None:
    """Return the price of a generation as the page shows it, `currency` where it states none; None without a price."""
    if cost.amount is None:
        return None
    least = None if cost.least is None else plain_decimal(cost.least)
    return model.Estimate(plain_decimal(cost.amount), cost.currency or currency or None, least, cost.source)


def paid(result: Generation | None) -> model.Amount | None:
    """Return the recorded cost of a result; None without a result or a recorded cost."""
    amount = micros(result.cost_micros) if result else None
    return None if result is None or amount is None else model.Amount(plain_decimal(amount), result.currency or None)


def _paid_for_all(step: Step, result: Generation | None, index: PlanIndex) -> model.Amount | None:
    """Return the recorded cost of the results of all takes of a clip, of which `result` is the picked one's."""
    others = (index.steps.get((step.clip, number)) for number in range(1, step.takes + 1) if number != step.take)
    results = [index.result(other.key) or index.result(other.previous_key) for other in others if other is not None]
    costs = [each for each in (result, *results) if each is not None and each.cost_micros is not None]
    if len({each.currency for each in costs}) != 1:
        return paid(result)
    return paid(replace(costs[0], cost_micros=sum(each.cost_micros or 0 for each in costs)))


def due(clip: str, part: Plan) -> model.Bill | None:
    """Return the price of all takes of a clip that its part of the plan generates; None if it generates none."""
    takes = replace(part, steps=tuple(step for step in part.generating() if step.clip == clip))
    return bill(takes) if takes.steps else None


def portion(clip: str, part: Plan, index: PlanIndex) -> model.Value | None:
    """Return what "apply" does for a clip and its dependencies, `part` of the plan: the bill, the number of steps, the
    seconds, and the other clips that they include; None if there is nothing to do."""
    others = dict.fromkeys(step.clip for step in part.steps if step.clip != clip)
    members = {"steps": len(part.steps), "expected": run_seconds(part.steps, index.slots), "with": tuple(others)}
    return asdict(bill(part)) | members if part.steps else None


@dataclass(frozen=True, slots=True)
class Patch:
    """The difference between two lists of cards. `order` is None if names and order are equal."""

    cards: list[model.Card]
    removed: list[str]
    order: list[str] | None


def patch(old: Sequence[model.Card], new: Sequence[model.Card]) -> Patch:
    """Return the difference from `old`, which a page shows, to `new`."""
    previous = {card.id: card for card in old}
    order = [card.id for card in new]
    changed = [card for card in new if previous.get(card.id) != card]
    return Patch(changed, sorted(previous.keys() - set(order)), None if order == list(previous) else order)
