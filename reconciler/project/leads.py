"""The part that a prompt shares with those of other clips at its start, such as a look that `vars` holds. Pure.

A draft's caption puts it last: captions that all begin alike do not say which clip is which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from os.path import commonprefix

from reconciler.spec.memo import reuse
from reconciler.spec.project import Clip

_SHORTEST = 16  # characters: a shared word or two are no shared look
_BREAK = re.compile(r"[.;:,。；：，]\s*|\n\s*")


def with_leads(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    """Return the clips with what their prompts share."""
    clips = tuple(clips)
    shared = leads(clips)
    return tuple(
        reuse(("lead", clip.name), (clip, lead), partial(replace, clip, lead=lead)) if lead else clip
        for clip, lead in ((clip, shared.get(clip.name, 0)) for clip in clips)
    )


def leads(clips: Iterable[Clip]) -> dict[str, int]:
    """Return by name how many characters of a clip's prompt, up to a break, another declaration begins with too."""
    ordered = sorted(clips, key=lambda clip: clip.spec.prompt)
    longest = {clip.name: 0 for clip in ordered}
    for sequence in (ordered, ordered[::-1]):
        former = other = None  # the clip before, and the nearest one of another declaration
        for clip in sequence:
            if former is not None and former.declared != clip.declared:
                other = former
            if other is not None:
                longest[clip.name] = max(longest[clip.name], _shared(clip.spec.prompt, other.spec.prompt))
            former = clip
    return longest


def _shared(prompt: str, other: str) -> int:
    common = commonprefix((prompt, other))
    end = max((found.end() for found in _BREAK.finditer(common)), default=0)
    return end if end >= _SHORTEST and prompt[end:].strip() else 0
