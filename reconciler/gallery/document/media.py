"""What the page may show of a project: videos by their content, and the local pictures that clips declare. Pure.

An address names content and nothing else (`media/<sha256>.mp4`), so that no address can lead anywhere by its path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.project.model import Planned
from reconciler.project.orders import Order
from reconciler.records import Artifact
from reconciler.spec.values import DataMedia, LocalMedia, Media

Value = dict[str, object]

PICTURES: Mapping[str, str] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}
"""What a browser is sent as a picture, by suffix. No SVG: it is a document, and could hold a script."""

_DATA = re.compile(r"data:image/(png|jpeg|webp|gif);base64,")
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the videos and pictures of a plan are."""

    videos: Mapping[str, str]  # SHA-256 -> suffix, of all that is at hand
    outputs: Mapping[str, str]  # SHA-256 -> a path below the root where that very file was found
    pictures: Mapping[str, str]  # `<sha256>.<suffix>` -> a path as the project names it
    allowed: tuple[str, ...] = ()  # folders outside the project that pictures may be read from


def shelf(planned: Planned) -> Shelf:
    """Everything that a page made from this plan may ask for."""
    known = {artifact.sha256: artifact.suffix for artifact in planned.snapshot.artifacts.values()}
    known = {entry.sha256: entry.suffix for entry in planned.locked.values()} | known
    outputs = {fact.sha256: path for path, fact in planned.disk.outputs.items() if fact.sha256 in known}
    at_hand = {sha: suffix for sha, suffix in known.items() if sha in planned.disk.objects or sha in outputs}
    inputs = ((order, item) for order in planned.loaded.orders for _, item in order.clip.media())
    addresses = ((picture(item, order), item) for order, item in inputs if isinstance(item, LocalMedia))
    pictures = {name: item.path for name, item in addresses if name is not None}
    return Shelf(at_hand, outputs, pictures, planned.loaded.project.allowed_inputs)


def picture(item: Media, order: Order) -> str | None:
    """The last part of an input picture's address; None for what is no picture, or not here."""
    if not isinstance(item, LocalMedia) or item.path not in order.hashes:
        return None
    suffix = item.path.rpartition(".")[2].lower()
    return f"{order.hashes[item.path]}.{suffix}" if suffix in PICTURES else None


def picture_url(item: Media, order: Order) -> str | None:
    """Where the page finds an input's picture."""
    if isinstance(item, DataMedia):
        return item.url if len(item.url) <= _LONGEST and _DATA.match(item.url) else None
    name = picture(item, order)
    return None if name is None else f"media/input/{name}"


def at_hand(planned: Planned) -> frozenset[str]:
    """The artifacts whose bytes are here, in the store or at an output."""
    known = planned.snapshot.artifacts.keys() | {entry.sha256 for entry in planned.locked.values()}
    return planned.disk.objects | {f.sha256 for f in planned.disk.outputs.values() if f.sha256 and f.sha256 in known}


def video(sha256: str, artifact: Artifact | None) -> Value | None:
    """A Media of the page, for an artifact that is at hand; None for one that is no video."""
    found = artifact or Artifact(sha256, 0, ".mp4")  # only the lock file knows it: its sides show once it plays
    if found.suffix != ".mp4":
        return None
    return {
        "sha256": sha256,
        "video": f"media/{sha256}.mp4",
        "poster": f"media/{sha256}.jpg",
        "preview": None,
        "width": found.width,
        "height": found.height,
        "seconds": found.duration_ms / 1000,
        "audio": found.audio,
        "bytes": found.size,
    }
