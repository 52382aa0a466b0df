"""Clips and jobs of the rows of data, as a spec and an engine would make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reconciler.conform.contract import ContractBroken, Sample
from reconciler.diagnostics import Source
from reconciler.providers.base import Job, MediaRef
from reconciler.providers.check import Resolved, resolve
from reconciler.spec.model import ClipFields
from reconciler.spec.project import Clip
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, Frame, LocalMedia, Media, UrlMedia

_LISTS = ("images", "videos", "audios")


def clip_with(name: str = "c", **fields: Any) -> Clip:
    """Return a clip as if read; `images`, `videos` and `audios` are its references."""
    return changed(Clip(name, name, ClipFields()), **fields)


def changed(clip: Clip, **fields: Any) -> Clip:
    """Return the clip with other fields."""
    references = {name: fields.pop(name) for name in _LISTS if name in fields}
    return clip.with_fields(references=clip.references.model_copy(update=references), **fields)


def clip_of(sample: Sample) -> Clip:
    """Return the clip of a row: `base` under `clip`, every field at a place of its own."""
    fields = {**sample.fields.get("base", {}), **sample.fields["clip"]}
    if sample.fields.get("model"):
        fields.setdefault("model", sample.fields["model"])
    length = fields.pop("prompt_length", None)
    stated = {name: value for name, value in fields.items() if value is not None}
    if length:
        stated["prompt"] = "p" * length
    places = {place(name): Source("clips.yaml", 1, column) for column, name in enumerate(stated, 2)}
    for name in ("first_frame", "last_frame"):
        if name in stated:
            stated[name] = media(stated[name])
    for name in _LISTS:
        if name in stated:
            stated[name] = tuple(media(text) for text in stated[name])
    return replace(clip_with(**stated), where=Source("clips.yaml", 1, 1), fields=places)


def media(text: str) -> Media:
    """Return media as a spec would have it, by its look."""
    if text.startswith("clip:"):
        _, name, part = text.split(":")
        return ClipMedia(name, Frame(part))
    schemes: dict[str, Callable[[str], Media]] = {"https:": UrlMedia, "asset:": AssetMedia, "data:": DataMedia}
    return next((make(text) for head, make in schemes.items() if text.startswith(head)), LocalMedia(text))


def place(name: str) -> str:
    """Return the name under which a spec locates a field."""
    return f"references.{name}" if name in _LISTS else name


def resolved(sample: Sample) -> Resolved:
    """Return the settings of the row's clip. Raises ContractBroken if the dialect refuses it."""
    answer = resolve(clip_of(sample), sample.dialect, can_publish=bool(sample.fields.get("can_publish")))
    if not isinstance(answer, Resolved):
        raise ContractBroken(f"the clip is refused: {'; '.join(problem.message for problem in answer)}")
    return answer


def job_of(clip: Clip, settings: Resolved) -> Job:
    """Return the job that an engine would make of a clip, when every input is ready to send."""
    values: dict[str, Any] = {**settings.params}
    values |= {name: _ref(item) for name, item in clip.media() if "[" not in name}
    for name in _LISTS:
        values[name] = tuple(_ref(item) for item in getattr(clip.references, name))
    return Job(
        settings.model,
        settings.mode,
        clip.spec.prompt,
        **values,
        options=clip.spec.options,
        label=clip.name,
        key="v1:aa",
    )


def _ref(item: Media) -> MediaRef:
    match item:
        case UrlMedia(url=url):
            return MediaRef("https", url)
        case DataMedia(url=url):
            return MediaRef("data", url)
        case AssetMedia(id=text):
            return MediaRef("asset", text)
        case LocalMedia(path=path):
            return MediaRef("file", path)
    raise ContractBroken(f"a job has no {item}")
