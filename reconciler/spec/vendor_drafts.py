"""Expand `draft: vendor` into two clips: the vendor's cheap draft, and the final, which is made from the draft's task.

The draft is a clip of its own (`hero.draft`, which no declaration can be called), so it is planned, paid for once, kept
and looked at as any other; the final only names its task. Takes, picks and retakes are the draft's: of several drafts,
the final is made from the picked one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from posixpath import splitext

from reconciler.spec.project import Clip
from reconciler.spec.values import DRAFT

VENDOR = "vendor"
RESOLUTION = "480p"
"""The only one that drafts have."""
OPTION = "draft"
"""The vendor's field that asks for a draft."""


def is_vendor_draft(name: str) -> bool:
    """True for the name of a clip that is the vendor's draft of another."""
    return name.endswith(DRAFT)


def with_draft(clip: Clip) -> tuple[Clip, ...]:
    """Return the draft of a clip and its final, or the clip alone."""
    spec = clip.spec
    if spec.draft is None:
        return (clip,)
    stem, suffix = splitext(spec.output)
    asked = {"draft": None, "resolution": RESOLUTION, "options": {**spec.options, OPTION: True}}
    draft = clip.with_fields(**asked, output=f"{stem}{DRAFT}{suffix}")
    final = clip.with_fields(takes=1, pick=1, retake=0, options={})
    return replace(draft, name=clip.name + DRAFT), replace(final, draft=clip.name + DRAFT)


def without_drafts(clips: Iterable[Clip]) -> Iterator[Clip]:
    """Yield clips as if none had a vendor's draft: each final has the inputs and takes that its draft was given."""
    drafts: dict[str, Clip] = {}
    for clip in clips:  # a draft comes before its final
        if is_vendor_draft(clip.name):
            drafts[clip.name] = clip
        elif clip.draft:
            asked = drafts[clip.draft]
            fields = {name: getattr(clip.spec, name) for name in ("resolution", "output", "options")}
            yield replace(asked.with_fields(**fields), name=clip.name)
        else:
            yield clip
