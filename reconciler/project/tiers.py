"""Choose the tier at which a clip is bought: flex is cheaper and later. Pure.

The tier is not in the key: the video is the same, and what was bought at one tier is not bought again at another.
"""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.providers.base import Model
from reconciler.spec.project import Clip

FLEX = "flex"
STANDARD = "standard"
MARGIN = 3600
"""Seconds for the usual tier, in case that flex gives no video within its time."""


def chosen(clip: Clip, model: Model, now: float) -> tuple[str, str]:
    """Return the tier of a clip at a time, in UTC seconds, and why, if that is not plain; empty where none was
    to be chosen."""
    spec, within = clip.spec, model.flex_within
    is_draft = bool(clip.draft or spec.options.get("draft"))  # the vendor's, or made from its task
    if within is None or is_draft or spec.tier == STANDARD or (spec.tier is None and spec.needed_by is None):
        return "", ""
    if spec.needed_by is None:
        return FLEX, ""
    hours = (within + MARGIN) // 3600
    if isinstance(spec.needed_by, datetime):
        seconds = spec.needed_by.timestamp() - now
        subject = f"needed by {spec.needed_by.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    else:
        seconds, subject = float(spec.needed_by), f"it may take {float(spec.needed_by) / 3600:g} h"
    if seconds >= within + MARGIN:
        return FLEX, f"{subject}, and flex takes at most {within // 3600} h"
    return STANDARD, f"{subject}, and flex needs {hours} h" if seconds > 0 else f"{subject}, which has passed"


def depends_on_time(clip: Clip) -> bool:
    """True if the tier of a clip may be another one later."""
    return isinstance(clip.spec.needed_by, datetime)
