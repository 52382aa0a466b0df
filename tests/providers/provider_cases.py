"""Reading the data files of the contract suite: one folder per kind, written by hand from the vendors' pages.

accepted.yaml   what a clip becomes on the wire, for every model and mode (`<model>` is filled in)
refused.yaml    what is refused before sending, with the exact words; `warned` goes through with a warning
replies.yaml    every status word, every error code, odd answers (`<task>`, `<code>`, `<status>` are filled in)
exchange.yaml   one task from submit to the end
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.diagnostics import Source
from reconciler.providers.base import Dialect, Job, MediaRef
from reconciler.providers.check import Resolved, resolve
from reconciler.providers.registry import dialect
from reconciler.spec.model import ClipFields
from reconciler.spec.project import Clip
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, Frame, LocalMedia, Media, UrlMedia

HERE = Path(__file__).parent
FOLDERS = tuple(sorted(path.parent.name for path in HERE.glob("*/accepted.yaml")))


@cache
def load(kind: str, name: str) -> Any:
    """One data file."""
    return yaml.load((HERE / kind / f"{name}.yaml").read_text("utf-8"), yaml.CSafeLoader)


def fill(value: Any, words: Mapping[str, Any]) -> Any:
    """The value with placeholders replaced; one that stands alone keeps the type of what replaces it."""
    match value:
        case str() if value in words:
            return words[value]
        case str():
            for name, text in words.items():
                value = value.replace(name, str(text))
            return value
        case list():
            return [fill(item, words) for item in value]
        case dict():
            return {key: fill(item, words) for key, item in value.items()}
    return value


@dataclass(frozen=True)
class Case:
    """One row of a data file, with its placeholders filled in."""

    kind: str
    data: Mapping[str, Any]

    @property
    def dialect(self) -> Dialect:
        return dialect(self.kind, self.data.get("settings", {}))


def rows(name: str, key: str) -> list[Any]:
    """Pytest parameters for every row under a key, one for each model that a row names."""
    return [pytest.param(case, id=label) for kind in FOLDERS for case, label in _rows(kind, name, key)]


def _rows(kind: str, name: str, key: str) -> Iterator[tuple[Case, str]]:
    data = load(kind, name)
    shared = {field: data[field] for field in ("base", "request", "settings") if field in data}
    for number, row in enumerate(data.get(key, ())):
        for model in row.get("models", [None]):
            words = {"<model>": model} if model else {}
            label = f"{kind}-{number}-{model or row.get('says') or row.get('code') or row.get('is') or ''}"
            yield Case(kind, fill({**shared, **row, "model": model}, words)), label


def media(text: str) -> Media:
    """Media as a spec would have it, by its look."""
    if text.startswith("clip:"):
        _, name, part = text.split(":")
        return ClipMedia(name, Frame(part))
    known = {"https:": UrlMedia, "asset:": AssetMedia, "data:": DataMedia}
    return next((make(text) for head, make in known.items() if text.startswith(head)), LocalMedia(text))


def clip_of(case: Case) -> Clip:
    """The clip of a row: `base` under `clip`, every field at a place of its own, so that places can be told apart."""
    fields = {**case.data.get("base", {}), **case.data["clip"]}
    if case.data.get("model"):
        fields.setdefault("model", case.data["model"])
    length = fields.pop("prompt_length", None)
    stated = {name: value for name, value in fields.items() if value is not None}
    if length:
        stated["prompt"] = "p" * length
    places = {place(name): Source("clips.yaml", 1, column) for column, name in enumerate(stated, 2)}
    for name in ("first_frame", "last_frame"):
        if name in stated:
            stated[name] = media(stated[name])
    for name in ("images", "videos", "audios"):
        if name in stated:
            stated[name] = tuple(media(text) for text in stated[name])
    return replace(clip_with(**stated), where=Source("clips.yaml", 1, 1), fields=places)


def clip_with(name: str = "c", **fields: Any) -> Clip:
    """A clip as if read; `images`, `videos` and `audios` are its references."""
    return changed(Clip(name, name, ClipFields()), **fields)


def changed(clip: Clip, **fields: Any) -> Clip:
    """The clip with other fields."""
    references = {name: fields.pop(name) for name in ("images", "videos", "audios") if name in fields}
    return clip.with_fields(references=clip.references.model_copy(update=references), **fields)


def place(name: str) -> str:
    """The name under which a spec locates a field."""
    return f"references.{name}" if name in ("images", "videos", "audios") else name


def resolved(case: Case) -> Resolved:
    """The row's clip, which its dialect must take."""
    found = resolve(clip_of(case), case.dialect, can_publish=bool(case.data.get("can_publish")))
    assert isinstance(found, Resolved), found
    return found


def job_of(clip: Clip, found: Resolved) -> Job:
    """The job an engine would make of it, when every input is ready to send."""
    inputs: dict[str, Any] = {name: ref(item) for name, item in clip.media() if "[" not in name}
    for name in ("images", "videos", "audios"):
        inputs[name] = tuple(ref(item) for item in getattr(clip.references, name))
    return Job(
        found.model,
        found.mode,
        clip.spec.prompt,
        **found.params,
        **inputs,
        options=clip.spec.options,
        label=clip.name,
        key="v1:aa",
    )


def ref(item: Media) -> MediaRef:
    """An input as it stands in the spec."""
    match item:
        case UrlMedia(url=url):
            return MediaRef("https", url)
        case DataMedia(url=url):
            return MediaRef("data", url)
        case AssetMedia(id=text):
            return MediaRef("asset", text)
        case LocalMedia(path=path):
            return MediaRef("file", path)
        case _:
            raise AssertionError(f"a job has no {item}")
