"""How a local file reaches a provider: a pure decision from the model, the file and the means at hand.

The first way that is open is taken. A data URL needs nobody's help and leaves no copy anywhere; the vendor's own upload
keeps the file between the user and the vendor; a publish store is the user's own, and the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.providers.base import Dialect, MediaLimits, Model
from reconciler.providers.capabilities import Uploads
from reconciler.spec.project import Clip
from reconciler.spec.values import ClipMedia, LocalMedia

REST = 64 * 1024
"""Bytes of a request that are kept free for everything that is not media: names, switches, options."""


class Sort(StrEnum):
    """What a field wants."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class Way(StrEnum):
    """How a file goes out."""

    FILE = "file"  # as a path: the draft renderer reads it itself
    DATA = "data"
    UPLOAD = "upload"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Means:
    """What there is beside the request itself. `upload_max` is in bytes, None when the vendor names no limit."""

    upload: bool = False
    upload_max: int | None = None
    store: bool = False


def means_of(dialect: Dialect, store: bool) -> Means:
    """What there is to host a file for a vendor; `store`: the project has a publish store."""
    if isinstance(dialect, Uploads):
        return Means(True, dialect.upload_max_bytes, store)
    return Means(store=store)


@dataclass(frozen=True, slots=True)
class NoWay:
    """Why a file cannot be sent, and what would help."""

    message: str
    help: str


def sort_of(field: str) -> Sort:
    """What the field of a clip (`first_frame`, `references.videos[0]`, …) wants."""
    if field.startswith("references.videos"):
        return Sort.VIDEO
    return Sort.AUDIO if field.startswith("references.audios") else Sort.IMAGE


def schemes(model: Model, sort: Sort) -> frozenset[str]:
    """What the model takes in such a field."""
    if sort is Sort.IMAGE:
        return model.image_schemes
    return model.video_schemes if sort is Sort.VIDEO else model.audio_schemes


def limits(model: Model, sort: Sort) -> MediaLimits:
    """The limits on media of such a field."""
    if sort is Sort.IMAGE:
        return model.image_limits
    return model.video_limits if sort is Sort.VIDEO else model.audio_limits


def room(model: Model, prompt: str) -> int | None:
    """Bytes that a request has for media in it; None where nobody limits it."""
    if model.max_request_bytes is None:
        return None
    return model.max_request_bytes - REST - len(prompt.encode())


def encoded(size: int) -> int:
    """Bytes of a data URL with so many bytes in it."""
    return 64 + (size + 2) // 3 * 4


def choose(model: Model, sort: Sort, size: int, means: Means, free: int | None = None) -> Way | NoWay:
    """The way for a file of `size` bytes, while the request has `free` bytes left."""
    taken = schemes(model, sort)
    if "file" in taken:
        return Way.FILE
    fits = free is None or encoded(size) <= free
    if "data" in taken and fits:
        return Way.DATA
    if "https" in taken and means.upload and (means.upload_max is None or size <= means.upload_max):
        return Way.UPLOAD
    if "https" in taken and means.store:
        return Way.STORE
    return _no_way(model, sort, size, means, fits)


def _no_way(model: Model, sort: Sort, size: int, means: Means, fits: bool) -> NoWay:
    taken = schemes(model, sort)
    publish = "add `publish:` to the project, or give an https:// URL"
    if "https" not in taken and "data" not in taken:
        return NoWay(f"{model.name} takes no file here", "register it with the provider and give its asset:// id")
    if not fits:
        most = f"the {model.max_request_bytes} bytes that {model.name} takes in one request"
        return NoWay(f"with its {size} bytes the media are more than {most}", f"shrink it, or {publish}")
    if means.upload:
        return NoWay(f"its {size} bytes are more than the {means.upload_max} that the provider hosts", publish)
    return NoWay(f"{model.name} takes only links, and this project has no way to publish a file", publish)


def must_publish(clip: Clip, model: Model, means: Means) -> bool:
    """Whether the clip surely needs the publish store, whatever the sizes of its files are."""
    return any(
        isinstance(item, LocalMedia | ClipMedia) and choose(model, sort_of(name), 0, means) is Way.STORE
        for name, item in clip.media()
    )
