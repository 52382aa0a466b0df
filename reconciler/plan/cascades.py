"""Find what an edit of one clip costs in the clips that only follow it: those made from its frames or its video. Pure.

A take follows if nothing differs from the version that it holds but the videos of the clips that it uses. What made it
follow is the first clip on the way up that differs in something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.plan.changes import InputEntry, flat_fields
from reconciler.plan.cuts import KIND
from reconciler.plan.looks import is_of_draft, look_changes
from reconciler.plan.model import GENERATES, Action, Cascade, Plan, Step, Wanted
from reconciler.records import Binding
from reconciler.spec.graph import in_order
from reconciler.spec.problems import listed
from reconciler.spec.values import final_name

Ident = tuple[str, int]

FRAMES = frozenset(("first_frame", "last_frame"))
"""The inputs that may have a frozen seam."""

_LISTED = 10  # long chains


def with_causes(plan: Plan, wanted: Sequence[Wanted], bindings: Mapping[Ident, Binding], most: int | None) -> Plan:
    """Return the plan with what each look and each edit of a clip changes elsewhere, and warnings about chains of more
    than `most` clips."""
    return replace(
        plan,
        looks=look_changes(plan.steps, wanted),
        cascades=cascades(plan.steps, wanted, bindings),
        diagnostics=(*plan.diagnostics, *long_chains(wanted, most), *watermarks(plan)),
    )


def cascades(steps: Sequence[Step], wanted: Iterable[Wanted], bindings: Mapping[Ident, Binding]) -> tuple[Cascade, ...]:
    """Return what follows from what among the steps of a plan, each of which comes after those that it needs."""
    replaced = {step.ident: step for step in steps if step.action is Action.REPLACE and step.changes}
    if not replaced:
        return ()
    by_ident = {(w.clip, w.take): w for w in wanted}
    names = {w.key: w.clip for w in by_ident.values()}
    causes: dict[Ident, frozenset[str]] = {}
    groups: dict[frozenset[str], list[Step]] = {}
    first: dict[frozenset[str], list[Step]] = {}
    for ident, step in replaced.items():
        bound = bindings.get(ident)
        above = _followed(step, by_ident[ident], bound.document if bound else "", names, by_ident)
        if is_of_draft(step.changes) and not above <= causes.keys():
            continue  # the clip itself was edited
        if above:
            causes[ident] = frozenset[str]().union(*(causes.get(other, {other[0]}) for other in above))
            groups.setdefault(causes[ident], []).append(step)
            if not above <= causes.keys():
                first.setdefault(causes[ident], []).append(step)
    generated = {step.clip for step in steps if step.action in GENERATES}
    places = {clip: place for place, clip in enumerate(dict.fromkeys(names.values()))}
    return tuple(
        Cascade(
            tuple(sorted(clips, key=lambda clip: places.get(clip, 0))),
            tuple(group),
            clips <= generated,
            _seams(first.get(clips, ())),
        )
        for clips, group in groups.items()
    )


def _seams(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return the clips of steps, unless one has other inputs than frames that may be frozen."""
    fields = {change.field for step in steps for change in step.changes}
    return tuple(dict.fromkeys(final_name(step.clip) for step in steps)) if fields <= FRAMES else ()


def _followed(
    step: Step, w: Wanted, before: str, names: Mapping[str, str], wanted: Mapping[Ident, Wanted]
) -> set[Ident]:
    """Return the takes whose new videos are all that differs; none if something else does."""
    if not w.needs:
        return set()
    old, new = flat_fields(before), flat_fields(w.document)
    keys = {wanted[need].key: need for need in w.needs if need in wanted}
    above = set[Ident]()
    for change in step.changes:
        was, now = old.get(change.field), new.get(change.field)
        if not (isinstance(was, InputEntry) and isinstance(now, InputEntry) and was.key and now.key in keys):
            return set()
        clip = keys[now.key][0]
        if names.get(was.key, clip) != clip or was.entry["part"] != now.entry["part"]:  # the clip names another one now
            return set()
        above.add(keys[now.key])
    return above


def long_chains(wanted: Iterable[Wanted], most: int | None) -> Iterator[Diagnostic]:
    """Yield a warning about the last clip of each chain in which more than `most` clips are made from one another."""
    needs = {(w.clip, w.take): w.needs for w in wanted if w.kind != KIND} if most is not None else {}
    before: dict[Ident, Ident] = {}  # on the longest way up
    length = dict.fromkeys(needs, 1)
    for ident in in_order(needs):
        for need in needs[ident]:
            count = length.get(need, 0) + (final_name(need[0]) != ident[0])  # with its draft it is one clip
            if count > length[ident]:
                length[ident], before[ident] = count, need
    used = {need for others in needs.values() for need in others}
    ends = {ident[0]: ident for ident, count in length.items() if ident not in used and count > (most or 0)}
    for clip, ident in islice(ends.items(), _LISTED):
        first = ident
        while first in before:
            first = before[first]
        edited = final_name(first[0])
        message = f"{clip} is the last of {length[ident]} clips that are made from one another"
        help = f"an edit of {edited} buys all of them again; defaults.chain_warning is {most}"
        yield Diagnostic("long-chain", message, None, help, Severity.WARNING, clips=(clip,))


def watermarks(plan: Plan) -> Iterator[Diagnostic]:
    """Yield a warning about clips that are bought again for nothing but the provider's watermark."""
    steps = [step for step in plan.generating() if step.action is Action.REPLACE and step.cost.amount != 0]
    clips = [s.clip for s in steps if {change.field for change in s.changes} == {"watermark"} and s.changes[0].after]
    if clips:
        message = f"the provider's watermark is part of the video, so it buys {listed(clips, 'and')} again"
        help = "a label of clipform is free: provenance: {label: {visible: {text: AI generated}}}"
        yield Diagnostic("watermark", message, None, help, Severity.WARNING)


def part_of(cascades: Iterable[Cascade], idents: Iterable[Ident]) -> tuple[Cascade, ...]:
    """Return the cascades with those of their steps alone that have these identities."""
    chosen = frozenset(idents)
    parts = (replace(each, steps=tuple(step for step in each.steps if step.ident in chosen)) for each in cascades)
    return tuple(part for part in parts if part.steps)


def heavy(plan: Plan) -> Iterator[Cascade]:
    """Yield each cascade that is over half of what a plan costs: in money, or in takes while a price is unknown."""
    is_priced = not plan.unpriced()
    everything = _weight(plan.generating(), is_priced)
    return (each for each in plan.cascades if _weight(each.steps, is_priced) * 2 > everything)


def _weight(steps: Iterable[Step], is_priced: bool) -> Decimal:
    amounts = (step.cost.amount or Decimal(0) if is_priced else Decimal(1) for step in steps)
    return sum(amounts, Decimal(0))
