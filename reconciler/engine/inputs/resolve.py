"""Makes a job's inputs ready to send: local files on their way, frames of other clips extracted and stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reconciler.artifacts.store import Objects
from reconciler.artifacts.upload_links import usable_until
from reconciler.clock import Clock
from reconciler.diagnostics import MediaError
from reconciler.engine.inputs.delivery import LocalFile, MediaDelivery
from reconciler.engine.ports import Workers
from reconciler.media.frames import extract_frame
from reconciler.project.orders import Order
from reconciler.providers import media_routes
from reconciler.providers.base import MediaRef, Succeeded
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, Frame, LocalMedia, Media, UrlMedia


class ReturnedFrames:
    """Last frames that providers returned beside a video: free links, good for the provider that gave them.

    In memory only, for a run: such a link is a key to what it names, and lives hours.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[str, float]] = {}

    def note(self, alias: str, sha256: str, result: Succeeded, link_life: float | None) -> None:
        """Take note of what came with the video `sha256`. A link whose life nobody tells is not relied on."""
        life = result.life if result.life is not None else link_life
        if result.last_frame is not None and life is not None:
            self._known[alias, sha256] = (result.last_frame, usable_until(life, self._clock.now()))

    def find(self, alias: str, sha256: str) -> str | None:
        """The link to the last frame of a video, for the provider that made it, while it lives."""
        url, until = self._known.get((alias, sha256), ("", 0.0))
        return url if self._clock.now() < until else None


class InputResolver:
    """Reads the inputs of one project. `rehash` gives the SHA-256 of a local input as it is now.

    `artifacts` tells the SHA-256 of the video of a clip's picked take, None while it is not at hand. `returned` hears
    from whoever collects results.
    """

    def __init__(  # noqa: PLR0913  # the wiring of a run, done in one place
        self,
        root: Path,
        objects: Objects,
        workers: Workers,
        rehash: Callable[[str], str],
        artifacts: Callable[[str], str | None],
        hosting: MediaDelivery,
        returned: ReturnedFrames,
    ) -> None:
        self.root, self.objects, self.hosting, self.returned = root, objects, hosting, returned
        self.workers, self.rehash, self.artifacts = workers, rehash, artifacts

    async def ready(self, order: Order) -> dict[str, MediaRef]:
        """Every input by field name. Raises MediaError when one is not what the plan saw, or cannot be sent."""
        free = media_routes.room(order.resolved.model, order.clip.spec.prompt)
        if free is not None:
            free -= sum(len(item.url) for _, item in order.clip.media() if isinstance(item, DataMedia))
        found: dict[str, MediaRef] = {}
        for name, item in order.clip.media():
            found[name] = await self._ready(name, item, order, free)
            if free is not None and found[name].scheme == "data" and not isinstance(item, DataMedia):
                free -= len(found[name].value)
        return found

    async def _ready(self, name: str, item: Media, order: Order, free: int | None) -> MediaRef:
        match item:
            case LocalMedia(path):
                return await self._send(self._local(name, path, order.hashes[path]), order, free)
            case UrlMedia(url):
                return MediaRef("https", url)
            case AssetMedia(ident):
                return MediaRef("asset", ident)
            case DataMedia(url):
                return MediaRef("data", url)
            case ClipMedia():
                return await self._of_clip(name, item, order, free)

    async def _send(self, parcel: LocalFile, order: Order, free: int | None) -> MediaRef:
        return await self.hosting.send(order.clip.spec.provider, order.resolved.model, parcel, free)

    def _local(self, name: str, path: str, expected: str) -> LocalFile:
        """The key says what the picture is: another content under the same path is another clip."""
        if self.rehash(path) != expected:
            raise MediaError(f"{path} changed while applying", help="clipform apply plans again with the new content")
        return LocalFile(name, self.root / path, expected, path)

    async def _of_clip(self, name: str, item: ClipMedia, order: Order, free: int | None) -> MediaRef:
        sha = self.artifacts(item.clip)
        if sha is None or not self.objects.has(sha, ".mp4"):
            raise MediaError(f"the video of {item.clip} is not in the store", help=f"clipform apply {item.clip}")
        if item.part is Frame.LAST and (link := self._returned(name, sha, order)) is not None:
            return MediaRef("https", link)
        shown = f"{item.part.value} of {item.clip}"
        parcel = LocalFile(name, self.objects.path(sha, ".mp4"), sha, shown)
        if item.part is not Frame.VIDEO:
            frame = await self._frame(sha, parcel.path, item.part)
            parcel = replace(parcel, path=self.objects.path(frame, ".png"), sha256=frame)
        return await self._send(parcel, order, free)

    def _returned(self, name: str, sha: str, order: Order) -> str | None:
        """The provider's own link to the frame, where this clip's model takes links and it is the same provider."""
        takes_links = "https" in media_routes.schemes(order.resolved.model, media_routes.sort_of(name))
        return self.returned.find(order.clip.spec.provider, sha) if takes_links else None

    async def _frame(self, sha: str, video: Path, part: Frame) -> str:
        """The SHA-256 of the frame as a PNG in the store. Extracted each time: it is deterministic and takes 0.1 s,
        which is less than what a cache of it would cost in care."""
        with self.objects.part(f"{part.value}-{sha[:12]}") as target:
            await self.workers.run(extract_frame, video, part.value, target.path)
            return target.commit(".png").sha256
