"""Builds the job that a dialect translates from an order. Pure: inputs arrive ready to send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from reconciler.project.orders import Order, take_params
from reconciler.project.tiers import FLEX
from reconciler.providers.base import Job, MediaRef, Scalar

T = TypeVar("T", int, str, bool)


def build(order: Order, inputs: Mapping[str, MediaRef], *, seed: int | None, marker: str) -> Job:
    """Return the job of one take. `inputs` is by field name, as `Clip.media` gives them; `seed` is the drawn one.

    Values that cost money are stated even when only the default asks for them. A seed that the model does not take
    is in the key only.
    """
    clip, model = order.clip, order.resolved.model
    params = take_params(clip, order.take, order.resolved)
    if clip.draft:
        seed = None  # it is the draft's
    sent = params.get("seed", seed) if model.seed_max is not None else None
    return Job(
        model=model,
        mode=order.resolved.mode,
        prompt="" if clip.draft else clip.spec.prompt,
        duration=_as(int, params.get("duration")),
        resolution=_as(str, params.get("resolution")),
        ratio=_as(str, params.get("ratio")),
        first_frame=inputs.get("first_frame"),
        last_frame=inputs.get("last_frame"),
        images=_list(inputs, "images"),
        videos=_list(inputs, "videos"),
        audios=_list(inputs, "audios"),
        seed=_as(int, sent),
        camera_fixed=_as(bool, params.get("camera_fixed")),
        audio=_as(bool, params.get("audio")),
        watermark=_as(bool, params.get("watermark")),
        return_last_frame=_as(bool, params.get("return_last_frame")),
        options=clip.spec.options,
        label=clip.name,
        take=order.take,
        retake=clip.spec.retake_of(order.take),
        lead=clip.lead,
        key=order.wanted.key,
        marker=marker,
        tier=order.wanted.tier if order.wanted.tier == FLEX else "",
        draft_task=inputs["draft"].value if clip.draft else "",
    )


def _list(inputs: Mapping[str, MediaRef], kind: str) -> tuple[MediaRef, ...]:
    """Return the references of a kind in the order of their numbers, as `Clip.media` names them."""
    return tuple(ref for name, ref in inputs.items() if name.startswith(f"references.{kind}["))


def _as(kind: type[T], value: Scalar | None) -> T | None:
    """Return the value if it is of exactly this kind: in Python a bool is an int."""
    return value if isinstance(value, kind) and isinstance(value, bool) == (kind is bool) else None
