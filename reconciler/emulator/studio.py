"""Render the clips: with the draft renderer, or for benchmarks as a plain picture of the right size and length.

Equal shapes are rendered once, but no two tasks get the same bytes, as with a real vendor: a `free` box with the task's
id, which players skip, is added to the file.
"""

from __future__ import annotations

import asyncio
import io
import struct
from abc import abstractmethod
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path
from typing import Final, Protocol

import av
from PIL import Image

from reconciler.diagnostics import MediaError
from reconciler.emulator.shapes import Shape
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.providers.base import Request

_AT_ONCE: Final = 8
"""Clips that are in the renderer at a time; each is polled a few times a second."""

_CACHED: Final = 8
"""Finished clips in memory: a client that reads ranges requests the same one again."""


class Studio(Protocol):
    """Renders clips in the background."""

    def order(self, shape: Shape) -> None:
        """Start a clip, unless it is started or finished; by default it is rendered when it is fetched."""
        return

    def ready(self, shape: Shape) -> bool:
        """True if the clip is finished."""
        return True

    def failure(self, shape: Shape) -> str:
        """Return why rendering failed; empty if it did not, or is not finished."""
        return ""

    @abstractmethod
    async def clip(self, shape: Shape) -> bytes:
        """Wait for the clip and return its mp4."""

    @abstractmethod
    async def still(self, shape: Shape) -> bytes:
        """Wait for the clip and return its last frame as PNG."""

    async def aclose(self) -> None:
        """Stop rendering and remove the clips, if any are rendered in the background."""
        return


def stamped(video: bytes, task: str) -> bytes:
    """Return the file with the task's id in a `free` box at its end (ISO/IEC 14496-12: free space, ignored)."""
    name = task.encode("utf-8", "replace")
    return video + struct.pack(">I4s", 8 + len(name), b"free") + name


class Drafts(Studio):
    """Clips of the draft renderer."""

    def __init__(self, scratch: Path, workers: int | None = None) -> None:
        self._renderer = DraftRenderer(scratch, workers)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._orders: dict[Shape, asyncio.Task[tuple[Path, Path | None]]] = {}
        self._cache: OrderedDict[Path, bytes] = OrderedDict()

    def order(self, shape: Shape) -> None:
        """Start a clip, unless it is started or finished."""
        if shape not in self._orders:
            self._orders[shape] = asyncio.create_task(self._render(shape))

    def ready(self, shape: Shape) -> bool:
        """True if the clip is finished."""
        return self._orders[shape].done()

    def failure(self, shape: Shape) -> str:
        """Return why rendering failed; empty if it did not."""
        task = self._orders[shape]
        error = task.exception() if task.done() and not task.cancelled() else None
        return str(error) if error else ""

    async def clip(self, shape: Shape) -> bytes:
        """Wait for the clip and return its mp4."""
        return await self._read((await self._orders[shape])[0])

    async def still(self, shape: Shape) -> bytes:
        """Wait for the clip and return its last frame as PNG."""
        last_frame = (await self._orders[shape])[1]
        if last_frame is None:
            raise MediaError("this clip was ordered without its last frame")
        return await self._read(last_frame)

    async def aclose(self) -> None:
        """Stop rendering and remove the clips."""
        for task in self._orders.values():
            task.cancel()
        await asyncio.gather(*self._orders.values(), return_exceptions=True)
        await self._renderer.aclose()

    async def _render(self, shape: Shape) -> tuple[Path, Path | None]:
        """Return the files of a clip; waits for a free slot of the renderer."""
        async with self._slots:
            return await self._rendered(shape.scene)

    async def _rendered(self, body: dict[str, object]) -> tuple[Path, Path | None]:
        """Submit a scene and wait for its files. Raises MediaError."""
        reply = await self._renderer.submit(Request("POST", "/render", body=body))
        while reply.status == 200:
            render = reply.body if isinstance(reply.body, dict) else {}
            match render.get("status"):
                case "succeeded":
                    last = render.get("last_frame")
                    return Path(str(render["video"])), Path(last) if isinstance(last, str) else None
                case "failed":
                    raise MediaError(str(render["error"]), code=str(render["code"]))
            reply = await self._renderer.ask(Request("GET", f"/render/{render['id']}", body=body))
        raise MediaError(str(reply.body.get("error") if isinstance(reply.body, dict) else None))

    async def _read(self, path: Path) -> bytes:
        if path not in self._cache:
            self._cache[path] = await asyncio.to_thread(path.read_bytes)
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        self._cache.move_to_end(path)
        return self._cache[path]


class Blanks(Studio):
    """Plain clips, one for each size, length and sound: rendered in milliseconds, a few KB each."""

    def __init__(self) -> None:
        self._clips: dict[tuple[int, int, int, bool], asyncio.Task[bytes]] = {}
        self._last: dict[tuple[int, int], bytes] = {}

    async def clip(self, shape: Shape) -> bytes:
        """Return the mp4."""
        form = (*shape.size, shape.duration, shape.audio)
        if form not in self._clips:
            self._clips[form] = asyncio.create_task(asyncio.to_thread(_encode, *form))
        return await asyncio.shield(self._clips[form])

    async def still(self, shape: Shape) -> bytes:
        """Return the picture as PNG."""
        if shape.size not in self._last:
            out = io.BytesIO()
            Image.new("RGB", shape.size, "gray").save(out, "PNG")
            self._last[shape.size] = out.getvalue()
        return self._last[shape.size]


_RATE: Final = 4
"""Frames per second of a plain clip: few, for fast encoding and checking."""

_SAMPLES: Final = 48_000
_BLOCK: Final = 1024  # samples per AAC frame


def _encode(width: int, height: int, seconds: int, audio: bool) -> bytes:
    """Return a gray clip, with a silent track if it has audio."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", container_options={"fflags": "+bitexact"}) as mp4:
        video = mp4.add_stream("libx264", rate=_RATE, options={"preset": "ultrafast", "threads": "1"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        sound = mp4.add_stream("aac", rate=_SAMPLES, layout="stereo") if audio else None
        for index in range(seconds * _RATE):
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane in frame.planes:
                plane.update(b"\x80" * plane.buffer_size)
            frame.pts, frame.time_base = index, Fraction(1, _RATE)
            mp4.mux(video.encode(frame))
        mp4.mux(video.encode(None))
        if sound is not None:
            for start in range(0, seconds * _SAMPLES, _BLOCK):
                samples = min(_BLOCK, seconds * _SAMPLES - start)
                silence = av.AudioFrame(format="fltp", layout="stereo", samples=samples)
                for channel in silence.planes:
                    channel.update(bytes(channel.buffer_size))
                silence.sample_rate, silence.pts, silence.time_base = _SAMPLES, start, Fraction(1, _SAMPLES)
                mp4.mux(sound.encode(silence))
            mp4.mux(sound.encode(None))
    return out.getvalue()
