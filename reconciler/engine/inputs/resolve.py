"""Resolves a job's inputs into what a request can name: local files delivered, frames of other clips extracted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.artifacts.store import Objects
from reconciler.artifacts.upload_links import usable_until
from reconciler.clock import Clock
from reconciler.diagnostics import MediaError
from reconciler.engine.inputs.delivery import LocalFile, MediaDelivery
from reconciler.engine.ports import Workers
from reconciler.media.frames import extract_frame
from reconciler.next_command import command
from reconciler.project.orders import Order
from reconciler.providers import media_routes
from reconciler.providers.base import MediaRef, Succeeded
from reconciler.records import Seam
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, DraftTask, Frame, InputMedia, LocalMedia, UrlMedia


class ReturnedFrames:
    """The links to last frames that providers returned with a video: free, and valid at the provider that gave them.

    In memory only, for one run: such a link grants access to what it names, and lives for hours.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._links: dict[tuple[str, str], tuple[str, float]] = {}

    def note(self, alias: str, sha256: str, result: Succeeded, link_life: float | None) -> None:
        """Remember the link that came with the video `sha256`. A link without a known lifetime is not used."""
        life = result.life if result.life is not None else link_life
        if result.last_frame is not None and life is not None:
            self._links[alias, sha256] = (result.last_frame, usable_until(life, self._clock.now()))

    def find(self, alias: str, sha256: str) -> str | None:
        """Return the link to the last frame of a video, for the provider that made it; None once it has expired."""
        url, until = self._links.get((alias, sha256), ("", 0.0))
        return url if self._clock.now() < until else None


@dataclass(slots=True)
class InputResolver:
    """Resolves the inputs of one project.

    `rehash` returns the SHA-256 of a local input as it is now; `artifacts` that of the video of a clip's picked take,
    None while it is not in the store. Downloads add to `returned`, and `fetch` asks the shared cache for a video.
    """

    root: Path
    objects: Objects
    workers: Workers
    rehash: Callable[[str], str]
    artifacts: Callable[[str], str | None]
    delivery: MediaDelivery
    returned: ReturnedFrames
    fetch: Callable[[str], Awaitable[bool]] | None = None

    async def ready(self, order: Order) -> dict[str, MediaRef]:
        """Return every input by field name but the task of a draft. Raises MediaError when one differs from the plan or
        cannot be sent."""
        free = media_routes.room(order.resolved.model, order.clip.spec.prompt)
        if free is not None:
            free -= sum(len(item.url) for _, item in order.clip.media() if isinstance(item, DataMedia))
        refs: dict[str, MediaRef] = {}
        for name, item in order.clip.media():
            if isinstance(item, DraftTask):
                continue
            refs[name] = await self._ready(name, item, order, free)
            if free is not None and refs[name].scheme == "data" and not isinstance(item, DataMedia):
                free -= len(refs[name].value)
        return refs

    async def _ready(self, name: str, item: InputMedia, order: Order, free: int | None) -> MediaRef:
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

    async def _send(self, file: LocalFile, order: Order, free: int | None) -> MediaRef:
        return await self.delivery.send(order.clip.spec.provider, order.resolved.model, file, free)

    def _local(self, name: str, path: str, expected: str) -> LocalFile:
        """Return a local file. Raises MediaError when its content changed: its hash is part of the key."""
        if self.rehash(path) != expected:
            raise MediaError(
                f"{path} changed while applying", help=f"{command('apply')} plans again with the new content"
            )
        return LocalFile(name, self.root / path, expected, path)

    async def _of_clip(self, name: str, item: ClipMedia, order: Order, free: int | None) -> MediaRef:
        seam = order.seams.get(name)
        sha256 = self.artifacts(item.clip) if seam is None else seam.sha256
        if sha256 is None or not (self.objects.has(sha256, ".mp4") or await self._fetched(sha256, seam)):
            raise _absent(item.clip, is_frozen=seam is not None)
        if item.part is Frame.LAST and (link := self._returned(name, sha256, order)) is not None:
            return MediaRef("https", link)
        file = LocalFile(name, self.objects.path(sha256, ".mp4"), sha256, f"{item.part.value} of {item.clip}")
        if item.part is not Frame.VIDEO:
            frame = await self._frame(sha256, file.path, item.part)
            file = replace(file, path=self.objects.path(frame, ".png"), sha256=frame)
        return await self._send(file, order, free)

    async def _fetched(self, sha256: str, seam: Seam | None) -> bool:
        """True if the version that a seam is frozen to is stored here now: in a fresh clone the shared cache has it."""
        return seam is not None and self.fetch is not None and await self.fetch(sha256)

    def _returned(self, name: str, sha256: str, order: Order) -> str | None:
        """Return the provider's own link to the frame, if this clip has the same provider and its model takes links."""
        takes_links = "https" in media_routes.schemes(order.resolved.model, media_routes.kind_of(name))
        return self.returned.find(order.clip.spec.provider, sha256) if takes_links else None

    async def _frame(self, sha256: str, video: Path, part: Frame) -> str:
        """Extract a frame into the store as a PNG; return its SHA-256. It takes 0.1 s and gives the same bytes each
        time, so nothing is cached."""
        with self.objects.part(f"{part.value}-{sha256[:12]}") as target:
            await self.workers.run(extract_frame, video, part.value, target.path)
            return target.commit(".png").sha256


def _absent(clip: str, *, is_frozen: bool) -> MediaError:
    """Return why a frame of a clip cannot be sent; nothing was asked for yet."""
    if not is_frozen:
        return MediaError(f"the video of {clip} is not in the store", help=command("apply", clip))
    text = f"the version of {clip} that the seam is frozen to is not in the store"
    return MediaError(text, help=f"let the seam follow:\n{command('thaw', 'CLIP')}")
