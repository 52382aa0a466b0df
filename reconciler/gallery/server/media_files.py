"""Videos, posters and pictures, by content: only what the state or a clip names, from the store or from its output.

A name is looked up, never joined to a path. What is found must be a regular file below the project when every link is
followed; an input picture may also be where the project allows inputs. A file at an output must be that very content: a
stranger's file is nobody's to show.
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
from reconciler.gallery.document.media import PICTURES, Shelf
from reconciler.media.worker_pool import WorkerPool
from reconciler.project.workspace import STATE, Workspace
from reconciler.state import disk

FOREVER: Final = "private, max-age=31536000, immutable"
_NAME: Final = re.compile(r"([0-9a-f]{64})\.(mp4|jpg)")
_POSTER: Final = "reconciler.media.posters:poster"
_SIDE: Final = 640

Found = tuple[Path, os.stat_result]


class Library:
    """The media of one project. Posters are made in at most two processes of their own, each once."""

    def __init__(self, workspace: Workspace, draft: bool) -> None:
        self._root = Path(os.path.realpath(workspace.root))
        self._state = workspace.root / STATE
        self._objects: Objects = workspace.objects(draft)
        self._posters = workspace.root / STATE / "cache" / "posters"
        self._crew = WorkerPool(2)
        self._making: dict[str, asyncio.Task[Path | None]] = {}
        self._proven: dict[tuple[str, int, int, int], str] = {}  # path and stamp -> SHA-256

    async def aclose(self) -> None:
        """Stop what is being made."""
        for task in self._making.values():
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)
        await self._crew.aclose()

    async def media(self, name: str, shelf: Shelf) -> Found | None:
        """A video or its poster; None for what is not known or not here."""
        match = _NAME.fullmatch(name)
        if match is None or shelf.videos.get(match[1]) != ".mp4":
            return None
        video = await asyncio.to_thread(self._video, match[1], shelf)
        if video is None or match[2] == "mp4":
            return video
        poster = await self._poster(match[1], video[0])
        return None if poster is None else await asyncio.to_thread(self._regular, poster)

    async def picture(self, name: str, shelf: Shelf) -> Found | None:
        """A local picture that a clip declares."""
        path = shelf.pictures.get(name)
        return None if path is None else await asyncio.to_thread(self._input, path, shelf.allowed)

    def _input(self, path: str, allowed: Sequence[str]) -> Found | None:
        """An input picture, wherever the project may read inputs from."""
        try:
            real = AllowedPaths.of(self._root, self._state, allowed).locate(path)
            status = real.lstat()
        except (OSError, ArtifactError):
            return None
        return (real, status) if stat.S_ISREG(status.st_mode) else None

    def _video(self, sha256: str, shelf: Shelf) -> Found | None:
        stored = self._regular(self._objects.path(sha256, ".mp4"))
        if stored is not None:
            return stored
        output = shelf.outputs.get(sha256)
        placed = None if output is None else self._regular(self._root / output)
        return placed if placed is not None and self._is(placed, sha256) else None

    def _regular(self, path: Path) -> Found | None:
        real = Path(os.path.realpath(path))
        try:
            status = real.lstat()
        except (OSError, ValueError):
            return None
        return (real, status) if stat.S_ISREG(status.st_mode) and real.is_relative_to(self._root) else None

    def _is(self, found: Found, sha256: str) -> bool:
        path, status = found
        stamp = (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
        if stamp not in self._proven:
            try:
                with files.folder(path.parent) as within, files.opened(path.name, within) as descriptor:
                    self._proven[stamp] = files.digest(descriptor)[0]
            except (OSError, ArtifactError):
                return False
        return self._proven[stamp] == sha256

    async def _poster(self, sha256: str, video: Path) -> Path | None:
        """One that is there, or being made, or made now. Whoever asked first may go: others may wait for it."""
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
            await asyncio.to_thread(self._shelve, out.parent)
            await self._crew.call(_POSTER, [str(video), str(out), _SIDE])
        except (OSError, ClipformError):
            return None
        return out

    def _shelve(self, folder: Path) -> None:
        """A folder for posters, unless a link leads it out of the project: nothing is written there."""
        if not Path(os.path.realpath(folder)).is_relative_to(self._root):
            raise ArtifactError("the posters' folder is outside the project")
        disk.make_directories(folder)


def kind_of(name: str) -> str:
    """What a browser is told that a file is."""
    return {"mp4": "video/mp4", **PICTURES}[name.rpartition(".")[2].lower()]
