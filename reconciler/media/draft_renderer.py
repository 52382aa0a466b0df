"""The local provider behind the draft dialect: accepts a scene, answers polls, hands over the file.

It answers in the same values as a provider over HTTP, so the engine treats a draft like any other task. It keeps
nothing after it is closed: a poll carries the scene, and an unknown scene is rendered (again).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast, get_type_hints

from reconciler.diagnostics import MediaError
from reconciler.media.draft.scene import read_scene
from reconciler.media.worker_pool import WorkerPool
from reconciler.providers.base import Reply, Request

_POLL_WAIT: Final = 0.3
"""Seconds that a poll waits for its render: most answers then report progress, and none delays the engine."""

_ID: Final = re.compile("[0-9a-f]{24}")  # of our own form only: it becomes part of a file name
_CHUNK: Final = 1 << 20
_RENDER: Final = "reconciler.media.draft.job:render_job"

Result = TypeVar("Result")


class Writable(Protocol):
    """Receives bytes: a file, or a part of the artifact store."""

    def write(self, data: bytes, /) -> object:
        """Append bytes."""


@dataclass(slots=True)
class _Render:
    """One render in progress or finished. `work` ends without a value or with `MediaError`."""

    work: asyncio.Task[None]
    video: Path
    last_frame: Path | None
    progress: Progress


@dataclass(slots=True)
class Progress:
    """The number of encoded frames, and of all frames."""

    done: int = 0
    of: int = 0

    def update(self, done: int, of: int) -> None:
        """Record a worker's report."""
        self.done, self.of = done, of

    @property
    def percent(self) -> int:
        """Whole percent; at most 99, because a finished file has its own answer."""
        return min(99, self.done * 100 // self.of) if self.of else 0


class DraftRenderer:
    """Renders drafts in worker processes. `scratch` is a folder for its files only; `aclose` empties it, and stops the
    workers unless the caller passed its own `pool`."""

    def __init__(self, scratch: Path, workers: int | None = None, pool: WorkerPool | None = None) -> None:
        self._scratch = scratch
        self._pool, self._borrowed = pool or WorkerPool(workers), pool is not None
        self._renders: dict[str, _Render] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    async def submit(self, request: Request) -> Reply:
        """Start to render a scene; answer 400 if it cannot be drawn as described."""
        try:
            task = task_id(request.body)
            self._start(task, request.body)
        except MediaError as error:
            return Reply(400, {"error": error.message})
        return Reply(200, {"id": task})

    async def ask(self, request: Request) -> Reply:
        """Return the status of a render, after a short wait; 404 if it is unknown and the poll carries no scene."""
        task = request.path.rpartition("/")[2]
        try:
            if task not in self._renders and request.body is not None and _ID.fullmatch(task):
                self._start(task, request.body)
        except MediaError as error:
            return _failed(task, error)
        render = self._renders.get(task)
        if render is None:
            return Reply(404, {"error": "no such render"})
        await asyncio.wait({render.work}, timeout=_POLL_WAIT)
        return _status(task, render)

    async def fetch(self, url: str, part: Writable) -> tuple[int, str]:
        """Copy a finished file into an open one; return its size in bytes and its SHA-256 in hex."""
        path = Path(url)
        if path not in {file for render in self._renders.values() for file in (render.video, render.last_frame)}:
            raise MediaError(f"{path.name} was not made by this draft renderer")
        return await asyncio.to_thread(copied, path, part)

    async def run(self, function: Callable[..., Result], *args: str | int | Path) -> Result:
        """Call a function of `reconciler.media` (`probe`, `extract_frame`, …) in a worker.

        Arguments are paths, text and numbers; the result is JSON, or a flat dataclass named in its annotation.
        """
        plain_args = [str(arg) if isinstance(arg, Path) else arg for arg in args]
        answer = await self._pool.call(f"{function.__module__}:{function.__qualname__}", plain_args)
        kind: Any = get_type_hints(function)["return"]
        return cast(Result, kind(**answer) if isinstance(answer, dict) and kind is not dict else answer)

    def cancel(self, task: str) -> None:
        """Stop a render and forget it, and remove its file."""
        render = self._renders.pop(task, None)
        if render is not None and render.work.cancel():
            self._stopping.add(render.work)
            render.work.add_done_callback(self._stopping.discard)
        elif render is not None:
            render.video.unlink(missing_ok=True)

    async def aclose(self) -> None:
        """Stop everything at once and remove the files."""
        for task in tuple(self._renders):
            self.cancel(task)
        await asyncio.gather(*self._stopping, return_exceptions=True)
        if not self._borrowed:
            await self._pool.aclose()
        await asyncio.to_thread(_sweep, self._scratch)

    def _start(self, task: str, body: object) -> None:
        scene = read_scene(body)
        if task in self._renders:
            return
        video = self._scratch / f"draft-{task}.mp4"
        last_frame = video.with_suffix(".png") if scene.return_last_frame else None
        progress = Progress()
        args = [body, str(video), str(last_frame) if last_frame else None]
        work = asyncio.create_task(self._render(args, progress))
        self._renders[task] = _Render(work, video, last_frame, progress)

    async def _render(self, args: list[object], progress: Progress) -> None:
        await asyncio.to_thread(self._scratch.mkdir, parents=True, exist_ok=True)
        await self._pool.call(_RENDER, args, progress.update)


def _status(task: str, render: _Render) -> Reply:
    if not render.work.done():
        status = "running" if render.progress.done else "queued"
        return Reply(200, {"id": task, "status": status, "progress": render.progress.percent})
    if render.work.cancelled():
        return Reply(200, {"id": task, "status": "failed", "code": "cancelled", "error": "the render was cancelled"})
    error = render.work.exception()
    if isinstance(error, MediaError):
        return _failed(task, error)
    if error is not None:
        raise error
    last_frame = str(render.last_frame) if render.last_frame else None
    body = {"id": task, "status": "succeeded", "video": str(render.video), "last_frame": last_frame}
    return Reply(200, body)


def _failed(task: str, error: MediaError) -> Reply:
    return Reply(200, {"id": task, "status": "failed", "code": error.code, "error": error.message})


def task_id(body: object) -> str:
    """Return an id derived from the part that makes the request unique: its marker, else its key, else all of it."""
    fields = body if isinstance(body, Mapping) else {}
    text = fields.get("marker") or fields.get("key") or json.dumps(body, sort_keys=True)
    return hashlib.sha256(str(text).encode("utf-8", "replace")).hexdigest()[:24]


def copied(source: Path, part: Writable) -> tuple[int, str]:
    """Copy a file into an open one; return its size in bytes and its SHA-256 in hex. Raises MediaError."""
    digest, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                part.write(chunk)
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise MediaError(f"the draft could not be copied: {error}") from error
    return size, digest.hexdigest()


def _sweep(scratch: Path) -> None:
    """Remove the renderer's files, and the folder if nothing else is in it."""
    for file in scratch.glob("draft-*"):
        file.unlink(missing_ok=True)
    with suppress(OSError):
        scratch.rmdir()
