"""`approve` and `disapprove`: write `clipform.approvals`. Both are free, and neither asks anybody."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.diagnostics import ClipformError, Refused, UsageError
from reconciler.next_command import command
from reconciler.plan import approvals, cuts
from reconciler.plan.approvals import VENDOR_DRAFT, Approval, ApprovalBook, Approvals, content_of
from reconciler.plan.model import Wanted
from reconciler.plan.vendor_drafts import draft_key
from reconciler.project import git
from reconciler.project.model import Loaded
from reconciler.project.selectors import no_clip
from reconciler.project.shared_state import user_and_machine
from reconciler.project.workspace import Workspace
from reconciler.records import Generation, Snapshot
from reconciler.spec.values import ApprovalRule, final_name
from reconciler.spec.vendor_drafts import is_vendor_draft
from reconciler.state import disk
from reconciler.state.paths import APPROVALS


def approve(
    workspace: Workspace, clips: Collection[str], take: int | None, note: str, confirmed: tuple[str, str] | None = None
) -> tuple[Approval, ...]:
    """Approve the present keys of these clips, of one take or of all, and return the lines that were added. `confirmed`
    is the key that a page showed, and the content that was looked at there: Refused is raised if either is another now.

    Raises UsageError for a take that is not there, ClipformError where there is nothing to look at, or where who wrote
    a clip must not approve it.
    """
    loaded = workspace.load()
    wanted = _takes(loaded, clips, take)
    book = workspace.approval_book()
    approved = Approvals.of(loaded.project.approval, book.approvals)
    content = content_of(workspace.snapshot(False).generations.get)
    missing = _first_stage([w for w in wanted if not approved.allows(w, content)], loaded.project.approval)
    looked = _looked_at(workspace, loaded, missing) if missing else {}
    now, person = workspace.clock.now(), git.person(workspace.root) or user_and_machine()
    lines = []
    for w in missing:
        seen, of = looked[w.clip, w.take], approvals.looked_at(loaded.project.approval, w)
        if confirmed is not None and confirmed != (w.key, seen.sha256):
            raise Refused(f"{w.name} has changed", help="look at it again", code="stale")
        if seen.created > now:
            text = f"the clock of this machine is before the time when the {of.replace('_', ' ')} was made"
            raise ClipformError(text, help="set the clock", code="clock")
        at = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
        line = Approval(w.name, w.key, of, f"sha256:{seen.sha256}", at, person, note=" ".join(note.split()))
        lines.append(replace(line, author=_author(workspace, loaded, w, person)))
    if lines:
        with disk.turn(workspace.root):  # none overwrites a line of another
            book = workspace.approval_book()
            _write(workspace.root, replace(book, approvals=(*book.approvals, *lines)))
    return tuple(lines)


def disapprove(workspace: Workspace, clips: Collection[str]) -> tuple[Approval, ...]:
    """Take back what approves these clips: their present keys, and under their names what no clip wants any more.
    Return the lines that were removed."""
    wanted = workspace.load().wanted
    theirs, others = ({w.key for w in wanted if _is_of(w, clips) is is_one} for is_one in (True, False))
    with disk.turn(workspace.root):
        book = workspace.approval_book()
        gone = [a for a in book.approvals if a.key in theirs or (final_name(_clip(a)) in clips and a.key not in others)]
        if gone:
            _write(workspace.root, replace(book, approvals=tuple(a for a in book.approvals if a not in gone)))
    return tuple(gone)


def _clip(approval: Approval) -> str:
    return approval.name.partition("#")[0]


def _takes(loaded: Loaded, clips: Collection[str], take: int | None) -> Sequence[Wanted]:
    wanted = [w for w in loaded.wanted if _is_of(w, clips) and w.kind != cuts.KIND]
    for name in clips:
        takes = sorted({w.take for w in wanted if _is_of(w, (name,))})
        if not takes:
            raise no_clip(name, loaded.project.cuts)
        if take is not None and take not in takes:
            raise UsageError(f"{name} has no take {take}; it has {len(takes)}")
    return [w for w in wanted if take in (None, w.take)]


def _is_of(w: Wanted, clips: Collection[str]) -> bool:
    """True for a take of one of these clips, or of its vendor's draft."""
    return w.clip in clips or final_name(w.clip) in clips


def _first_stage(wanted: Sequence[Wanted], rule: ApprovalRule) -> Sequence[Wanted]:
    """Return what can be approved now: a final has nothing to look at before its draft is bought."""
    drafts = [w for w in wanted if is_vendor_draft(w.clip)]
    finals = [w for w in wanted if not is_vendor_draft(w.clip)]
    return finals if rule.of == VENDOR_DRAFT or not drafts else drafts


def _looked_at(workspace: Workspace, loaded: Loaded, wanted: Sequence[Wanted]) -> Mapping[tuple[str, int], Generation]:
    """Return what a person looks at before each take is bought. Raises ClipformError for a take without that."""
    results: dict[tuple[str, int], Generation] = {}
    nouns = {w.key: approvals.looked_at(loaded.project.approval, w).replace("_", " ") for w in wanted}
    animatics = {key for key, noun in nouns.items() if noun == "draft"}
    records = {draft: workspace.snapshot(draft) for draft in {w.key in animatics for w in wanted}}
    firsts = {w.clip: _sample(records[False], w) for w in loaded.wanted if w.take == 1} if False in records else {}
    drawn = {(w.clip, w.take): w.key for w in workspace.load(draft=True).wanted} if animatics else {}
    for w in wanted:
        is_drawn, clip = w.key in animatics, final_name(w.clip)
        key = drawn[clip, w.take] if is_drawn else draft_key(w.document) or firsts[w.clip]
        result = records[is_drawn].generations.get(key)
        if result is None:
            needed = w.needs[0][0] if draft_key(w.document) else clip
            help = command("apply", *(("--draft",) if is_drawn else ()), needed)
            text = f"{clip} has no {nouns[w.key]} of what it says now"
            raise ClipformError(text, help=f"make it first: {help}", code="unseen")
        results[w.clip, w.take] = result
    return results


def _sample(records: Snapshot, first: Wanted) -> str:
    """Return the key of the take that is looked at: the first; if that is to be made again, what the clip has."""
    bound = records.bindings.get((first.clip, 1))
    return first.key if bound is None or approvals.is_sample(first) else bound.key


def _author(workspace: Workspace, loaded: Loaded, w: Wanted, person: str) -> str:
    """Return who wrote a clip, if that matters. Raises ClipformError if it is who approves, or nobody knows."""
    if not loaded.project.approval.by_other:
        return ""
    file = loaded.by_ident[w.clip, w.take].clip.file
    author = git.author(workspace.root, file)
    if author in ("", person):
        who = f"you wrote {w.clip} ({file})" if author else f"git does not say who wrote {w.clip} ({file})"
        help = "commit it, and let somebody else approve it"
        raise ClipformError(
            f"{who}, and `approval: {{by: other}}` lets nobody approve that", help=help, code="own-clip"
        )
    return author


def _write(root: Path, book: ApprovalBook) -> None:
    with disk.translated(f"write {APPROVALS}"):
        disk.replace(os.path.realpath(root / APPROVALS), approvals.written(book).encode())
