"""The spelling of the input of each family: fal has one body per model, without a common form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Literal

from reconciler.frozen import dataclass
from reconciler.providers.base import Job, Model, Placement
from reconciler.providers.http_dialect import stated, value, values

MARK = "end_user_id"
"""The field of Seedance 2.0 that shapes no video, and that the history shows as it was sent."""


@dataclass(frozen=True, slots=True)
class InputForm:
    """The names and types of one family's input. `fixed`: the owner's defaults that change the picture, always sent;
    an option of the clip takes their place."""

    duration: Literal["text", "text with s", "number", "none"] = "text"
    first: str = "image_url"
    last: str = "end_image_url"
    images: str = "image_urls"
    videos: str = "video_urls"
    is_marked: bool = False
    fixed: Mapping[str, object] = field(default_factory=dict)

    def seconds(self, duration: object) -> object:
        """Return a duration as the family writes it. A wrong type is an error only after the wait."""
        match self.duration:
            case "none":
                return None
            case "number":
                return duration
        return None if duration is None else f"{duration}s" if self.duration == "text with s" else str(duration)


_BLUR = {"negative_prompt": "blur, distort, and low quality"}
_OPTIMIZER = {"prompt_optimizer": True}
_EXPANSION = {"enable_prompt_expansion": True}
_VEO_PAIR = InputForm("text with s", "first_frame_url", "last_frame_url", fixed={"auto_fix": False})
_WAN_REFERENCES = InputForm("number", images="reference_image_urls", videos="reference_video_urls")

FORMS: tuple[tuple[str, InputForm], ...] = (
    ("bytedance/seedance-2.*", InputForm(is_marked=True)),
    ("fal-ai/bytedance/seedance/*", InputForm()),
    ("fal-ai/kling-video/v3/turbo/*", InputForm()),
    ("fal-ai/kling-video/v3/*", InputForm(first="start_image_url", fixed=_BLUR)),
    ("fal-ai/kling-video/v2.6/*", InputForm(first="start_image_url", fixed=_BLUR)),
    ("fal-ai/kling-video/o3/*", InputForm()),
    ("fal-ai/veo3.1*/first-last-frame-to-video", _VEO_PAIR),
    ("fal-ai/veo3.1*-to-video", InputForm("text with s", fixed={"auto_fix": False})),
    ("fal-ai/veo3.1*", InputForm("text with s", fixed={"auto_fix": True})),
    ("fal-ai/minimax/hailuo-02/standard/image-to-video", InputForm(fixed={**_OPTIMIZER, "resolution": "768P"})),
    ("fal-ai/minimax/hailuo-*/pro/*", InputForm("none", fixed=_OPTIMIZER)),
    ("fal-ai/minimax/*", InputForm(fixed=_OPTIMIZER)),
    ("minimax/h3/*", InputForm("number")),
    ("fal-ai/wan/v2.7/reference-to-video", _WAN_REFERENCES),
    ("fal-ai/wan/v2.7/*", InputForm("number", fixed=_EXPANSION)),
    ("wan/v2.6/*", InputForm(fixed=_EXPANSION)),
    ("fal-ai/wan-25-preview/*", InputForm(fixed=_EXPANSION)),
    ("*", InputForm()),
)
"""The form of the models whose names match, the first that does."""


def form_of(model: Model) -> InputForm:
    """Return the form of a model; a project's own has that of the shipped one that it is like."""
    return next(form for pattern, form in FORMS if fnmatchcase(model.stem or model.name, pattern))


def body_of(job: Job) -> dict[str, object]:
    """Return the members that a job sets, with None for those that are not sent."""
    form, model = form_of(job.model), job.model
    in_field = model.resolution_in is Placement.FIELD and bool(model.resolutions)
    resolution = stated(job, "resolution") if in_field else None
    return {
        "prompt": job.prompt or None,
        "duration": form.seconds(stated(job, "duration")),
        "resolution": "2K" if resolution == "2k" else resolution,
        "aspect_ratio": "auto" if job.ratio == "adaptive" else job.ratio,
        "generate_audio": stated(job, "audio") if model.has_audio else None,
        "seed": job.seed,
        "camera_fixed": job.camera_fixed,
        form.first: value(job.first_frame),
        form.last: value(job.last_frame),
        form.images: values(job.images),
        form.videos: values(job.videos),
        "audio_urls": values(job.audios),
        MARK: f"clipform-{job.expires_after}" if form.is_marked and job.expires_after is not None else None,
    }


def fields_of(model: Model, sent: Mapping[str, object]) -> dict[str, str | int | bool]:
    """Return what a request's input shows of a clip, by our field names: the reverse of `body_of`."""
    facts: dict[str, object] = {
        "model": model.name,
        "prompt": sent.get("prompt"),
        "duration": _whole(str(sent.get("duration", "")).removesuffix("s")),
        "resolution": str(sent["resolution"]).lower() if isinstance(sent.get("resolution"), str) else None,
        "ratio": "adaptive" if sent.get("aspect_ratio") == "auto" else sent.get("aspect_ratio"),
        "audio": sent.get("generate_audio"),
        "seed": sent.get("seed"),
        "expires_after": _whole(str(sent.get(MARK, "")).removeprefix("clipform-")),
    }
    if model.resolution_in is not Placement.FIELD:
        del facts["resolution"]
    return {name: fact for name, fact in facts.items() if isinstance(fact, str | int)}


def media_of(model: Model, sent: Mapping[str, object]) -> tuple[str, ...]:
    """Return the links to the inputs in a request, in the order of our fields."""
    form = form_of(model)
    names = (form.first, form.last, form.images, form.videos, "audio_urls")
    listed = (sent.get(name) for name in names)
    links = [link for item in listed for link in (item if isinstance(item, list) else [item])]
    return tuple(link for link in links if isinstance(link, str))


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 18 else None
