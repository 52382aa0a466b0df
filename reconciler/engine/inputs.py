"""Makes a job's inputs ready to send: hashes proven again, frames of other clips extracted and stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.artifacts.store import Objects
from reconciler.diagnostics import MediaError
from reconciler.engine.desire import Order
from reconciler.engine.ports import Workers
from reconciler.media.frames import extract_frame
from reconciler.providers.base import MediaRef
from reconciler.spec.project import AssetMedia, ClipMedia, DataMedia, Frame, LocalMedia, Media, UrlMedia


class Inputs:
    """Reads the inputs of one project. `rehash` gives the SHA-256 of a local input as it is now.

    `artifacts` tells the SHA-256 of the video of a clip's picked take, None while it is not at hand.
    """

    def __init__(
        self,
        root: Path,
        objects: Objects,
        workers: Workers,
        rehash: Callable[[str], str],
        artifacts: Callable[[str], str | None],
    ) -> None:
        self.root, self.objects = root, objects
        self.workers, self.rehash, self.artifacts = workers, rehash, artifacts

    async def ready(self, order: Order) -> dict[str, MediaRef]:
        """Every input by field name. Raises MediaError when one is not what the plan saw."""
        return {name: await self._ready(name, item, order) for name, item in order.clip.media()}

    async def _ready(self, name: str, item: Media, order: Order) -> MediaRef:
        match item:
            case LocalMedia(path):
                return self._local(path, order.hashes[path])
            case UrlMedia(url):
                return MediaRef("https", url)
            case AssetMedia(ident):
                return MediaRef("asset", ident)
            case DataMedia(url):
                return MediaRef("data", url)
            case ClipMedia(clip, part):
                return await self._of_clip(clip, part)

    def _local(self, path: str, expected: str) -> MediaRef:
        """The key says what the picture is: another content under the same path is another clip."""
        found = self.rehash(path)
        if found != expected:
            raise MediaError(f"{path} changed while applying", help="clipform apply plans again with the new content")
        return MediaRef("file", str(self.root / path), found)

    async def _of_clip(self, clip: str, part: Frame) -> MediaRef:
        sha = self.artifacts(clip)
        if sha is None or not self.objects.has(sha, ".mp4"):
            raise MediaError(f"the video of {clip} is not in the store", help=f"clipform apply {clip}")
        video = self.objects.path(sha, ".mp4")
        if part is Frame.VIDEO:
            return MediaRef("file", str(video), sha)
        frame = await self._frame(sha, video, part)
        return MediaRef("file", str(self.objects.path(frame, ".png")), frame)

    async def _frame(self, sha: str, video: Path, part: Frame) -> str:
        """The SHA-256 of the frame as a PNG in the store. Extracted each time: it is deterministic and takes 0.1 s,
        which is less than what a cache of it would cost in care."""
        with self.objects.part(f"{part.value}-{sha[:12]}") as target:
            await self.workers.run(extract_frame, video, part.value, target.path)
            return target.commit(".png").sha256
