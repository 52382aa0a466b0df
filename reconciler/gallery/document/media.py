"""The videos and input pictures of a project that the page may load. Pure.

An address names content (`media/<sha256>.mp4`) and contains no path, so no address can reach another file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from reconciler.frozen import dataclass
from reconciler.gallery.document.model import Video
from reconciler.project.model import Planned
from reconciler.project.orders import Order
from reconciler.records import Artifact
from reconciler.spec.values import DataMedia, LocalMedia, Media

PICTURES: Mapping[str, str] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}
"""Media types of pictures by suffix. No SVG: it is a document that can contain a script."""

_DATA = re.compile(r"data:image/(png|jpeg|webp|gif);base64,")
_MAX_DATA_URL = 1 << 20  # characters


@dataclass(frozen=True, slots=True)
class MediaIndex:
    """The videos and pictures of a plan, and their locations."""

    videos: Mapping[str, str]  # SHA-256 -> suffix, of the available artifacts
    outputs: Mapping[str, str]  # SHA-256 -> an output with this content, relative to the root
    pictures: Mapping[str, str]  # `<sha256>.<suffix>` -> the path in the spec
    allowed: tuple[str, ...] = ()  # folders outside the root that inputs may be read from


def media_index(planned: Planned, drafts: Iterable[Artifact] = ()) -> MediaIndex:
    """Return all media that a page of this plan, and of these drafts, may request."""
    locked = {entry.sha256: entry.suffix for entry in planned.locked.values()}
    suffixes = locked | {artifact.sha256: artifact.suffix for artifact in planned.snapshot.artifacts.values()}
    outputs = {fact.sha256: path for path, fact in planned.disk.outputs.items() if fact.sha256 in suffixes}
    videos = {sha: suffix for sha, suffix in suffixes.items() if sha in planned.disk.objects or sha in outputs}
    videos |= {draft.sha256: draft.suffix for draft in drafts}
    inputs = ((order, item) for order in planned.loaded.orders for _, item in order.clip.media())
    addresses = ((picture(item, order), item) for order, item in inputs if isinstance(item, LocalMedia))
    pictures = {name: item.path for name, item in addresses if name is not None} | stills(planned)
    return MediaIndex(videos, outputs, pictures, planned.loaded.project.allowed_inputs)


def stills(planned: Planned) -> dict[str, str]:
    """Return the path of each picture that a film shows, by the file name in its address."""
    files = planned.loaded.cut_files.items()
    named = ((f"{sha256}.{path.rpartition('.')[2].lower()}", path) for sha256, path in files)
    return {name: path for name, path in named if name.rpartition(".")[2] in PICTURES}


def picture(item: Media, order: Order) -> str | None:
    """Return the file name in an input picture's address; None if it is not a picture, or missing."""
    if not isinstance(item, LocalMedia) or item.path not in order.hashes:
        return None
    suffix = item.path.rpartition(".")[2].lower()
    return f"{order.hashes[item.path]}.{suffix}" if suffix in PICTURES else None


def picture_url(item: Media, order: Order) -> str | None:
    """Return the address of an input's picture; None if the page cannot show it."""
    if isinstance(item, DataMedia):
        return item.url if len(item.url) <= _MAX_DATA_URL and _DATA.match(item.url) else None
    name = picture(item, order)
    return None if name is None else f"media/input/{name}"


def video(sha256: str, artifact: Artifact | None) -> Video | None:
    """Return an available artifact as a video; None if it is not one. Without a record (the lock file stores no
    dimensions) width and height are 0, and the page learns them from the file."""
    facts = artifact or Artifact(sha256, 0, ".mp4")
    if facts.suffix != ".mp4":
        return None
    return Video(
        sha256=sha256,
        video=f"media/{sha256}.mp4",
        poster=f"media/{sha256}.jpg",
        preview=None,
        width=facts.width,
        height=facts.height,
        seconds=facts.duration_ms / 1000,
        audio=facts.audio,
        bytes=facts.size,
    )
