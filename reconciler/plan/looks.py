"""Find the clips that are generated again because of a look alone.

No record has looks: a key is made from the words that they gave. But a clip says where its prompt has words of a look,
and which inputs a look brought. If nothing else differs from the version on record, the looks are the cause.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from reconciler.plan.model import GENERATES, Change, LookChange, Step, Wanted
from reconciler.spec.values import LookUse

_IMAGE = re.compile(r"references\.images\[\d+\]")


def look_changes(steps: Iterable[Step], wanted: Iterable[Wanted]) -> tuple[LookChange, ...]:
    """Return what is generated again because of looks alone, by these looks."""
    uses = {(w.clip, w.take): w for w in wanted if w.looks}
    groups: dict[tuple[str, ...], list[Step]] = {}
    drafts: dict[tuple[str, int], tuple[str, ...]] = {}
    for step in steps if uses else ():
        w = uses.get(step.ident)
        if w is None or step.action not in GENERATES or not step.changes:
            continue
        looks = drafts.get(w.needs[0], ()) if is_of_draft(step.changes) else _causes(w, step.changes)
        drafts[step.ident] = looks
        if looks:
            groups.setdefault(looks, []).append(step)
    return tuple(LookChange(looks, tuple(group)) for looks, group in groups.items())


def is_of_draft(changes: Sequence[Change]) -> bool:
    """True for the changes of a final that only follows its draft."""
    return {change.field for change in changes} == {"draft"}


def _causes(w: Wanted, changes: Sequence[Change]) -> tuple[str, ...]:
    """Return the looks without which the changes are not explained; none if others than these changed."""
    stated = {name for name, _ in (w.brief.facts if w.brief else ())} - {
        field for look in w.looks for field in look.fields
    }
    if not _explain(w.looks, changes, stated):
        return ()
    all_names = tuple(look.name for look in w.looks)
    others = {look.name: [other for other in w.looks if other is not look] for look in w.looks}
    return tuple(name for name in all_names if not _explain(others[name], changes, stated)) or all_names


def _explain(looks: Sequence[LookUse], changes: Sequence[Change], stated: Collection[str]) -> bool:
    """True if all changes are in words or pictures of these looks. `stated` are the inputs that the clip has itself."""
    fields = {field for look in looks for field in look.fields}
    return all(
        change.field == "mode"
        or (change.field == "prompt" and _differ_within(looks, change))
        or change.field in fields
        or (
            change.after is None and bool(looks) and change.field not in stated and bool(_IMAGE.fullmatch(change.field))
        )
        for change in changes
    )


def _differ_within(looks: Sequence[LookUse], change: Change) -> bool:
    """True if two prompts are alike outside the words of these looks."""
    before, after = str(change.before or ""), str(change.after or "")
    pieces, end = list[str](), 0
    for first, last in sorted(span for look in looks for span in look.spans):
        pieces.append(after[end:first])
        end = last
    if not pieces or not before.startswith(pieces[0]):
        return False
    at, tail = len(pieces[0]), after[end:]
    for piece in pieces[1:]:
        if (at := before.find(piece, at)) < 0:
            return False
        at += len(piece)
    return len(before) - len(tail) >= at and before.endswith(tail)
