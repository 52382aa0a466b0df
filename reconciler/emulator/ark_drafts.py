"""Make a final from the task of a draft, as kind `ark` does.

The final reuses what the draft was asked for, and refuses to get it again. A draft's task can be used for seven
days by the account and model that made it. Of its own, a final of 1.5 pro may state resolution, watermark and the like;
one of 2.5 states nothing, and is made in 1080p.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from reconciler.emulator.checks import Broken, Why
from reconciler.emulator.rules import Wanted
from reconciler.emulator.vendor import Order, text
from reconciler.emulator.world import Stage, Task, World
from reconciler.providers.base import Model

LIFE: Final = 7 * 86_400

_REUSED: Final = frozenset({"generate_audio", "seed", "ratio", "duration", "camera_fixed", "frames", "draft"})
_OF_ITS_OWN: Final = frozenset({"model", "content", "callback_url"})


def draft_task(body: Mapping[str, object]) -> str | None:
    """Return the id of the draft's task that a request names; None for any other request. Raises Broken."""
    content = body["content"]
    items = [item for item in content if isinstance(item, dict)] if isinstance(content, list) else []
    if all(item.get("type") != "draft_task" for item in items):
        return None
    if len(items) > 1:
        raise Broken("content", Why.RULE, "`content` must have nothing beside a draft_task")
    named = items[0].get("draft_task")
    if items[0].keys() != {"type", "draft_task"} or not isinstance(named, dict) or named.keys() != {"id"}:
        raise Broken("content[0].draft_task", Why.RULE, "`content[0].draft_task` must be an object with an `id`")
    return str(named["id"])


def final_order(body: dict[str, object], model: Model, draft: Task | None, world: World) -> Order:
    """Return the order of a final. Raises Broken."""
    names = body.keys() & _REUSED if len(model.draft_finals) > 1 else body.keys() - _OF_ITS_OWN
    if names:
        raise Broken(min(names), Why.RULE, f"`{min(names)}` must not be sent with a draft_task")
    if draft is None or draft.request.get("draft") is not True or world.now() - draft.taken >= LIFE:
        raise Broken("content[0].draft_task.id", Why.VALUE, "the draft task does not exist, or has expired")
    if draft.model != model.name:
        raise Broken("model", Why.RULE, f"`model` must be the draft's, {draft.model}")
    if world.progress(draft)[0] is not Stage.DONE:
        raise Broken("content[0].draft_task.id", Why.RULE, "the draft task has not succeeded")
    default = str(model.defaults["resolution"]) if len(model.draft_finals) > 1 else model.draft_finals[0]
    resolution = text(body, "resolution") or default
    shape = replace(draft.shape, resolution=resolution, return_last_frame=body.get("return_last_frame") is True)
    return Order(Wanted(model, prompt=draft.shape.prompt or "-", resolution=resolution), shape, body)
