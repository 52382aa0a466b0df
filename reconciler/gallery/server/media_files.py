"""Finds videos, posters and input pictures by content, among those that the state or a clip names.

A requested name is looked up, never joined to a path. After symlinks are followed it must be a regular file below the
root; an input picture may also be in a folder that the project allows. A file at an output must have the requested
hash, because it may be the user's own file.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from reconciler.artifacts import files
from reconciler.artifacts.allowed_paths import AllowedPaths
from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ArtifactError, ClipformError
from reconciler.gallery.document.media import PICTURES, MediaIndex
from reconciler.media.thumbnails import POSTER_SIDE
from reconciler.media.worker_pool import WorkerPool
from reconciler.project.workspace import Workspace
from reconciler.state import disk
from reconciler.state.paths import STATE

FOREVER: Final = "private, max-age=31536000, immutable"
_NAME: Final = re.compile(r"([0-9a-f]{64})\.(mp4|jpg)")
_POSTER: Final = "reconciler.media.posters:poster"

MediaFile = tuple[Path, os.stat_result]


class MediaFiles:
    """The media files of one project. Makes each poster once, in at most two worker processes."""

    def __init__(self, workspace: Workspace, draft: bool) -> None:
        self._root = Path(os.path.realpath(workspace.root))
        self._state = workspace.root / STATE
        self._stores: Sequence[Objects] = [workspace.objects(each) for each in ((True,) if draft else (False, True))]
        self._posters = workspace.root / STATE / "cache" / "posters"
        self._workers = WorkerPool(2)
        self._making: dict[str, asyncio.Task[Path | None]] = {}
        self._hashes: dict[tuple[str, int, int, int], str] = {}  # path, size, time, inode -> SHA-256

    async def aclose(self) -> None:
        """Stop making posters."""
        for task in self._making.values():
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)
        await self._workers.aclose()

    async def media(self, name: str, index: MediaIndex) -> MediaFile | None:
        """Return a video or its poster; None if it is unknown or missing."""
        match = _NAME.fullmatch(name)
        if match is None or index.videos.get(match[1]) != ".mp4":
            return None
        video = await asyncio.to_thread(self._video, match[1], index)
        if video is None or match[2] == "mp4":
            return video
        poster = await self._poster(match[1], video[0])
        return None if poster is None else await asyncio.to_thread(self._regular, poster)

    async def picture(self, name: str, index: MediaIndex) -> MediaFile | None:
        """Return a local picture that a clip declares; None if it is unknown or missing."""
        path = index.pictures.get(name)
        return None if path is None else await asyncio.to_thread(self._input, path, index.allowed)

    def _input(self, path: str, allowed: Sequence[str]) -> MediaFile | None:
        try:
            real = AllowedPaths.of(self._root, self._state, allowed).locate(path)
            status = real.lstat()
        except (OSError, ArtifactError):
            return None
        return (real, status) if stat.S_ISREG(status.st_mode) else None

    def _video(self, sha256: str, index: MediaIndex) -> MediaFile | None:
        for objects in self._stores:
            stored = self._regular(objects.path(sha256, ".mp4"))
            if stored is not None:
                return stored
        output = index.outputs.get(sha256)
        placed = None if output is None else self._regular(self._root / output)
        return placed if placed is not None and self._has_hash(placed, sha256) else None

    def _regular(self, path: Path) -> MediaFile | None:
        real = Path(os.path.realpath(path))
        try:
            status = real.lstat()
        except (OSError, ValueError):
            return None
        return (real, status) if stat.S_ISREG(status.st_mode) and real.is_relative_to(self._root) else None

    def _has_hash(self, file: MediaFile, sha256: str) -> bool:
        path, status = file
        stamp = (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
        if stamp not in self._hashes:
            try:
                with files.folder(path.parent) as directory, files.opened(path.name, directory) as descriptor:
                    self._hashes[stamp] = files.digest(descriptor)[0]
            except (OSError, ArtifactError):
                return False
        return self._hashes[stamp] == sha256

    async def _poster(self, sha256: str, video: Path) -> Path | None:
        """Return the path of a poster; make it if it is missing. The task outlives a cancelled request, because other
        requests may wait for it."""
        out = self._posters / f"{sha256}.jpg"
        if await asyncio.to_thread(out.is_file):
            return out
        task = self._making.get(sha256)
        if task is None:
            task = self._making[sha256] = asyncio.create_task(self._make(video, out))
            task.add_done_callback(lambda _: self._making.pop(sha256, None))
        return await asyncio.shield(task)

    async def _make(self, video: Path, out: Path) -> Path | None:
        try:
            await asyncio.to_thread(self._make_folder, out.parent)
            await self._workers.call(_POSTER, [str(video), str(out), POSTER_SIDE])
        except (OSError, ClipformError):
            return None
        return out

    def _make_folder(self, folder: Path) -> None:
        """Create the folder for posters. Raises ArtifactError if a symlink leads it out of the project."""
        if not Path(os.path.realpath(folder)).is_relative_to(self._root):
            raise ArtifactError("the posters' folder is outside the project")
        disk.make_directories(folder)


def kind_of(name: str) -> str:
    """Return the media type of a file, by its suffix."""
    return {"mp4": "video/mp4", **PICTURES}[name.rpartition(".")[2].lower()]
