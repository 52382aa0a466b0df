"""Decide how a local file reaches a provider, from the model, the file and the available uploads. Pure.

The first possible route is taken. A data URL needs no third party and leaves no copy; the vendor's own upload keeps the
file between the user and the vendor; the user's publish store comes last.
"""

from __future__ import annotations

from enum import StrEnum

from reconciler.frozen import dataclass
from reconciler.providers.base import Dialect, MediaLimits, Model
from reconciler.providers.capabilities import Uploads
from reconciler.spec.project import Clip
from reconciler.spec.values import ClipMedia, LocalMedia

RESERVED = 64 * 1024
"""Bytes of a request that are reserved for everything but media: names, switches, options."""


class MediaKind(StrEnum):
    """The type of media that a field takes."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class Route(StrEnum):
    """How a file is sent."""

    FILE = "file"  # as a path, which the draft renderer reads
    DATA = "data"
    UPLOAD = "upload"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where a file can be hosted. `upload_max` is in bytes, None if the vendor states no limit."""

    upload: bool = False
    upload_max: int | None = None
    store: bool = False


def hosting_of(dialect: Dialect, store: bool) -> Hosting:
    """Return where files for a vendor can be hosted; `store`: the project has a publish store."""
    if isinstance(dialect, Uploads):
        return Hosting(True, dialect.upload_max_bytes, store)
    return Hosting(store=store)


@dataclass(frozen=True, slots=True)
class NoRoute:
    """The reason why a file cannot be sent, and a remedy."""

    message: str
    help: str


def kind_of(field: str) -> MediaKind:
    """Return the media type of a clip's field (`first_frame`, `references.videos[0]`, …)."""
    if field.startswith("references.videos"):
        return MediaKind.VIDEO
    return MediaKind.AUDIO if field.startswith("references.audios") else MediaKind.IMAGE


def schemes(model: Model, kind: MediaKind) -> frozenset[str]:
    """Return the URL schemes that a model accepts for a media type."""
    if kind is MediaKind.IMAGE:
        return model.image_schemes
    return model.video_schemes if kind is MediaKind.VIDEO else model.audio_schemes


def limits(model: Model, kind: MediaKind) -> MediaLimits:
    """Return a model's limits on a media type."""
    if kind is MediaKind.IMAGE:
        return model.image_limits
    return model.video_limits if kind is MediaKind.VIDEO else model.audio_limits


def room(model: Model, prompt: str) -> int | None:
    """Return the bytes that a request may spend on media; None without a limit."""
    if model.max_request_bytes is None:
        return None
    return model.max_request_bytes - RESERVED - len(prompt.encode())


def encoded(size: int) -> int:
    """Return the length of a data URL with so many bytes of content."""
    return 64 + (size + 2) // 3 * 4


def choose(model: Model, kind: MediaKind, size: int, hosting: Hosting, free: int | None = None) -> Route | NoRoute:
    """Return the route of a file of `size` bytes, or why it has none; `free`: bytes left in the request."""
    accepted = schemes(model, kind)
    if "file" in accepted:
        return Route.FILE
    fits = free is None or encoded(size) <= free
    if "data" in accepted and fits:
        return Route.DATA
    if "https" in accepted and hosting.upload and (hosting.upload_max is None or size <= hosting.upload_max):
        return Route.UPLOAD
    if "https" in accepted and hosting.store:
        return Route.STORE
    return _no_route(model, kind, size, hosting, fits)


def _no_route(model: Model, kind: MediaKind, size: int, hosting: Hosting, fits: bool) -> NoRoute:
    accepted = schemes(model, kind)
    publish = "add `publish:` to the project, or give an https:// URL"
    if "https" not in accepted and "data" not in accepted:
        return NoRoute(f"{model.name} takes no file here", "register it with the provider and give its asset:// id")
    if not fits:
        most = f"the {model.max_request_bytes} bytes that {model.name} takes in one request"
        return NoRoute(f"with its {size} bytes the media are more than {most}", f"shrink it, or {publish}")
    if hosting.upload:
        return NoRoute(f"its {size} bytes are more than the {hosting.upload_max} that the provider hosts", publish)
    return NoRoute(f"{model.name} takes only links, and this project has no way to publish a file", publish)


def must_publish(clip: Clip, model: Model, hosting: Hosting) -> bool:
    """True if the clip needs the publish store whatever the sizes of its files are."""
    return any(
        isinstance(media, LocalMedia | ClipMedia) and choose(model, kind_of(name), 0, hosting) is Route.STORE
        for name, media in clip.media()
    )
