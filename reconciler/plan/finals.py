"""Decide about the finals of vendors' drafts, by the records of their drafts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.events import take_name
from reconciler.plan import remedies, vendor_drafts
from reconciler.plan.model import Step, Wanted
from reconciler.plan.remedies import Block
from reconciler.records import Attempt, Generation, Snapshot


def unusable(w: Wanted, snapshot: Snapshot, now: float, takes: Mapping[str, int]) -> Block | None:
    """Return why the draft of a final cannot be used at a time; None if it can, or is not made. `takes` has how many
    each clip has."""
    draft, attempt = _draft_of(w, snapshot)
    why = vendor_drafts.obstacle(draft, attempt, w.provider, now) if draft else ""
    if draft is None or not why:
        return None
    ((clip, take),) = w.needs
    return remedies.draft_unusable(take_name(w.clip, take, takes[clip]), why, draft)


def with_deadline(step: Step, w: Wanted, snapshot: Snapshot) -> Step:
    """Return the step of a final with the time until which its draft can be used."""
    draft, attempt = _draft_of(w, snapshot)
    outlook = f"made from {w.needs[0][0]}, which can be used for seven days"
    text = vendor_drafts.deadline(draft, attempt) if draft else outlook
    return replace(step, detail="; ".join(filter(None, (step.detail, text))))


def _draft_of(w: Wanted, snapshot: Snapshot) -> tuple[Generation | None, Attempt | None]:
    key = vendor_drafts.draft_key(w.document)
    return snapshot.generations.get(key), snapshot.attempts.get(key)
