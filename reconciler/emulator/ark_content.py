"""Read the content items and fields of a request of kinds `3hei` and `ark`, and check them against the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from reconciler.emulator.checks import Broken, Why
from reconciler.emulator.rules import Wanted
from reconciler.emulator.vendor import text, whole
from reconciler.frozen import dataclass
from reconciler.providers.base import Mode, Model

_ITEMS: Final = {
    "text": ("text",),
    "image_url": ("first_frame", "last_frame", "reference_image"),
    "video_url": ("reference_video",),
    "audio_url": ("reference_audio",),
}
"""The types of content items, each with its allowed roles."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One content item: its type, its text or URL, and its role if it has one."""

    type: str
    value: str
    role: str | None = None


def content_items(body: Mapping[str, object]) -> list[_Item]:
    """Return the content items, each with a known type, its content, and a role that the type can have."""
    content = body["content"]
    if not isinstance(content, list) or not content:
        raise Broken("content", Why.MISSING, "`content` must not be empty")
    return [
        _item(f"content[{index}]", {name: value for name, value in fields.items() if value is not None})
        for index, fields in enumerate(content)
    ]


def _item(name: str, fields: Mapping[str, object]) -> _Item:
    type, role = fields.get("type"), fields.get("role")
    if not isinstance(type, str) or type not in _ITEMS:
        raise Broken(f"{name}.type", Why.VALUE, f"`{name}.type` must be one of {', '.join(_ITEMS)}")
    for key in fields:
        if key not in ("type", type, "role") or (key == "role" and type == "text"):
            raise Broken(f"{name}.{key}", Why.UNKNOWN, f"unknown parameter `{name}.{key}`")
    value = fields.get(type)
    if type != "text":
        if not isinstance(value, dict) or value.keys() != {"url"}:
            raise Broken(f"{name}.{type}", Why.MISSING, f"`{name}.{type}` must be an object with a `url`")
        value = value["url"]
    if not isinstance(value, str) or not value:
        raise Broken(f"{name}.{type}", Why.MISSING, f"`{name}.{type}` must not be empty")
    if role is not None and role not in _ITEMS[type]:
        raise Broken(f"{name}.role", Why.VALUE, f"`{name}.role` must be one of {', '.join(_ITEMS[type])}")
    return _Item(type, value, None if role is None else str(role))


def stated_values(body: Mapping[str, object], model: Model) -> Wanted:
    return Wanted(
        model,
        duration=whole(body, "duration"),
        resolution="480p" if body.get("draft") is True else text(body, "resolution"),
        ratio=text(body, "ratio"),
        seed=whole(body, "seed"),
        names=dict.fromkeys(("prompt", "first", "last", "images", "videos", "audios"), "content"),
        more_schemes=frozenset({"http"}),  # "URL"
    )


def with_content(wanted: Wanted, items: Sequence[_Item]) -> Wanted:
    """Add the content items to a request. One picture without a role is a first frame; of two, both need a role."""
    texts = [item.value for item in items if item.type == "text"]
    if len(texts) > 1:
        raise Broken("content", Why.RULE, "at most one text item is accepted")
    by_role: dict[str, list[str]] = {role: [] for roles in _ITEMS.values() for role in roles}
    roleless: list[str] = []
    for item in items:
        if item.type == "text":
            continue
        if item.role is not None:
            by_role[item.role].append(item.value)
        elif item.type == "image_url":
            roleless.append(item.value)
        else:
            raise Broken("content.role", Why.MISSING, f"`role` is required with {item.type}")
    firsts, lasts = by_role["first_frame"] + roleless, by_role["last_frame"]
    if len(firsts) > 1 or len(lasts) > 1 or (roleless and lasts):
        raise Broken("content.role", Why.RULE, "two frames need the roles first_frame and last_frame")
    return replace(
        wanted,
        prompt=texts[0] if texts else "",
        first=firsts[0] if firsts else None,
        last=lasts[0] if lasts else None,
        images=tuple(by_role["reference_image"]),
        videos=tuple(by_role["reference_video"]),
        audios=tuple(by_role["reference_audio"]),
    )


def check_line(body: Mapping[str, object], model: Model) -> None:
    """Check the fields that not every model generation has (Ark docs)."""
    two, drafts = model.line.startswith("2."), model.line in ("1.5 pro", "2.5")
    draft = body.get("draft") is True
    frames, name = body.get("frames"), body.get("safety_identifier")
    flex, audio = body.get("service_tier") == "flex", body.get("generate_audio") is True
    for field, refused in (
        ("generate_audio", audio and not model.has_audio),
        ("seed", body.get("seed") is not None and two),
        ("camera_fixed", body.get("camera_fixed") is not None and two),
        ("frames", frames is not None and (two or (isinstance(frames, int) and (frames - 25) % 4 != 0))),
        ("service_tier", flex and two),
        ("draft", draft and not drafts),
        ("resolution", draft and body.get("resolution") not in (None, "480p")),
        ("safety_identifier", isinstance(name, str) and len(name) > 64),
    ):
        if refused:
            raise Broken(field, Why.VALUE, f"`{field}` is not valid for {model.name}")


def check_mode(body: Mapping[str, object], wanted: Wanted) -> None:
    """Refuse a camera lock in reference mode, and a ratio that the named task type does not take."""
    task, ratio = body.get("omni_reference_task_type"), wanted.ratio or "adaptive"
    if task in ("edit", "extend") and Mode(str(task)) in wanted.model.adaptive_only and ratio != "adaptive":
        raise Broken("ratio", Why.RULE, f"`ratio` must be adaptive for {task}")
    if body.get("camera_fixed") is True and (wanted.images or wanted.videos):
        raise Broken("camera_fixed", Why.RULE, "`camera_fixed` does not go with reference media")
