"""Return what the price of a clip depends on, as far as it is known before the request. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date

from reconciler.plan.estimate import PricedRequest, Span
from reconciler.project.tiers import FLEX
from reconciler.providers.base import Billing, Model, Scalar
from reconciler.providers.check import Resolved
from reconciler.providers.pixels import Size, size_of, sizes_of, tokens
from reconciler.spec.project import Clip
from reconciler.spec.vendor_drafts import OPTION

_FAR = 10  # times the estimate


def priced_request(clip: Clip, resolved: Resolved, day: date | None = None, tier: str = "") -> PricedRequest:
    """Return the priced facts of a clip. What the provider chooses is a range of all that it may choose."""
    model, resolution = resolved.model, _resolution(resolved)
    audio = resolved.settled.get("audio", model.defaults.get("audio"))
    return PricedRequest(
        model.name,
        resolution,
        _sizes(model, resolution, resolved.settled.get("ratio", model.defaults.get("ratio"))),
        _seconds(model, resolved.settled.get("duration")),
        _input_seconds(model, len(clip.references.videos)),
        stem=model.stem,
        video_input=bool(clip.references.videos),
        audio=audio if isinstance(audio, bool) else None,
        tier=_service_tier(clip, tier),
        day=day,
        either=model.billing is Billing.EITHER,
        percent=_percent(clip, model, audio is True),
    )


def priced_facts(clip: Clip, resolved: Resolved, tier: str) -> Hashable:
    """Return what `priced_request` depends on in a form that is quickly compared, while the catalogue is in memory."""
    settled, options, model = resolved.settled, clip.spec.options, resolved.model
    facts = (settled.get("resolution"), settled.get("ratio"), settled.get("duration"), settled.get("audio"))
    return id(model), facts, len(clip.references.videos), _service_tier(clip, tier), options.get(OPTION) is True


def _service_tier(clip: Clip, tier: str) -> str:
    return FLEX if tier == FLEX else str(clip.spec.options.get("service_tier", "default"))


def is_absurd(model: Model, request: PricedRequest, used: int) -> bool:
    """True for reported tokens that no bill can have: far above the estimate, and above the model's longest video at
    its largest size. So a vendor that bills another size or length than it was asked for is believed."""
    largest = [size for resolution in model.resolutions for size in sizes_of(model.pixels, resolution)]
    if not (largest and request.sizes and request.seconds and request.input_seconds):
        return False
    inputs = request.input_seconds[1]
    estimated = max(tokens(size, request.seconds[1] + inputs) for size in request.sizes)
    return used > max(_FAR * estimated, *(tokens(size, max(model.durations) + inputs) for size in largest))


def _percent(clip: Clip, model: Model, audio: bool) -> int:
    """Return the part of its tokens that a clip is billed for, in percent."""
    is_draft = clip.spec.options.get(OPTION) is True
    return model.draft_tokens.get("audio" if audio else "silent", 100) if is_draft else 100


def _resolution(resolved: Resolved) -> str | None:
    """Return the stated resolution, the default that is sent, or the model's only one."""
    resolution = resolved.settled.get("resolution")
    if resolution is None and len(resolved.model.resolutions) == 1:
        return resolved.model.resolutions[0]
    return resolution if isinstance(resolution, str) else None


def _sizes(model: Model, resolution: str | None, ratio: Scalar | None) -> tuple[Size, ...]:
    """Return the picture's size; those of all ratios where the provider chooses one."""
    if resolution is None:
        return ()
    if ratio in (None, "adaptive"):
        return sizes_of(model.pixels, resolution)
    size = size_of(model.pixels, resolution, str(ratio))
    return () if size is None else (size,)


def _seconds(model: Model, duration: Scalar | None) -> Span | None:
    """Return the length of the result; where the provider chooses it, the shortest and the longest of the model."""
    if not isinstance(duration, int):
        return None
    if duration > 0:
        return duration, duration
    lengths = [seconds for seconds in model.durations if seconds > 0]
    return (min(lengths), max(lengths)) if lengths else None


def _input_seconds(model: Model, videos: int) -> Span | None:
    """Return the seconds of the reference videos that are billed, whose lengths are not known here. The vendor's own
    limits bound them; limits that it does not enforce bound nothing."""
    billed, limits = min(videos, model.billed_videos), model.video_limits
    if not billed:
        return 0, 0
    if not limits.strict or limits.min_seconds is None or limits.max_seconds is None:
        return None
    most = billed * limits.max_seconds
    return billed * limits.min_seconds, most if limits.max_total_seconds is None else min(
        most, limits.max_total_seconds
    )
