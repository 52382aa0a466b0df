"""Who makes the clips: the draft renderer, or for benchmarks a plain picture of the right size and length.

Equal shapes are made once. No two tasks get the same bytes all the same, since no vendor's would be: a `free` box
with the task's id follows the file, which players skip.
"""

from __future__ import annotations

import asyncio
import io
import struct
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
"""Clips that are with the farm at a time; it is asked about each of them a few times a second."""

_KEPT: Final = 8
"""Finished clips held in memory: a client that reads ranges comes back for the same one."""


class Studio(Protocol):
    """Makes clips in the background."""

    def order(self, shape: Shape) -> None:
        """Begin with a clip, if it is not made or under way."""

    def ready(self, shape: Shape) -> bool:
        """Whether it is made."""

    def failure(self, shape: Shape) -> str:
        """Why it could not be made; empty when it could, or is not finished."""

    async def clip(self, shape: Shape) -> bytes:
        """The mp4, after waiting for it."""

    async def still(self, shape: Shape) -> bytes:
        """The last frame as PNG, after waiting for it."""

    async def aclose(self) -> None:
        """Stop everything and remove what was made."""


def stamped(video: bytes, task: str) -> bytes:
    """The file with the task's id in a `free` box behind it (ISO/IEC 14496-12: free space, to be ignored)."""
    name = task.encode("utf-8", "replace")
    return video + struct.pack(">I4s", 8 + len(name), b"free") + name


class Drafts:
    """The draft renderer's clips: what the prompt says, drawn."""

    def __init__(self, scratch: Path, workers: int | None = None) -> None:
        self._farm = DraftRenderer(scratch, workers)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._orders: dict[Shape, asyncio.Task[tuple[Path, Path | None]]] = {}
        self._held: OrderedDict[Path, bytes] = OrderedDict()

    def order(self, shape: Shape) -> None:
        """Begin with a clip, if it is not made or under way."""
        if shape not in self._orders:
            self._orders[shape] = asyncio.create_task(self._make(shape))

    def ready(self, shape: Shape) -> bool:
        """Whether it is made."""
        return self._orders[shape].done()

    def failure(self, shape: Shape) -> str:
        """Why it could not be made."""
        work = self._orders[shape]
        error = work.exception() if work.done() and not work.cancelled() else None
        return str(error) if error else ""

    async def clip(self, shape: Shape) -> bytes:
        """The mp4, after waiting for it."""
        return await self._read((await self._orders[shape])[0])

    async def still(self, shape: Shape) -> bytes:
        """The last frame as PNG."""
        found = (await self._orders[shape])[1]
        if found is None:
            raise MediaError("this clip was asked for without its last frame")
        return await self._read(found)

    async def aclose(self) -> None:
        """Stop everything and remove what was made."""
        for work in self._orders.values():
            work.cancel()
        await asyncio.gather(*self._orders.values(), return_exceptions=True)
        await self._farm.aclose()

    async def _make(self, shape: Shape) -> tuple[Path, Path | None]:
        """The clip's files, once the farm has a place for it."""
        async with self._places:
            return await self._drawn(shape.scene)

    async def _drawn(self, body: dict[str, object]) -> tuple[Path, Path | None]:
        """Order a scene and wait for its file."""
        reply = await self._farm.submit(Request("POST", "/render", body=body))
        while reply.status == 200:
            told = reply.body if isinstance(reply.body, dict) else {}
            match told.get("status"):
                case "succeeded":
                    last = told.get("last_frame")
                    return Path(str(told["video"])), Path(last) if isinstance(last, str) else None
                case "failed":
                    raise MediaError(str(told["error"]), code=str(told["code"]))
            reply = await self._farm.ask(Request("GET", f"/render/{told['id']}", body=body))
        told = reply.body if isinstance(reply.body, dict) else {}
        raise MediaError(str(told.get("error")))

    async def _read(self, path: Path) -> bytes:
        if path not in self._held:
            self._held[path] = await asyncio.to_thread(path.read_bytes)
            if len(self._held) > _KEPT:
                self._held.popitem(last=False)
        self._held.move_to_end(path)
        return self._held[path]


class Blanks:
    """One plain picture of the right size, length and sound for each such form: made in milliseconds, a few KB."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int, int, bool], asyncio.Task[bytes]] = {}
        self._last: dict[tuple[int, int], bytes] = {}

    def order(self, shape: Shape) -> None:
        """Nothing to begin: it is made when it is fetched."""

    def ready(self, shape: Shape) -> bool:
        """Always."""
        return True

    def failure(self, shape: Shape) -> str:
        """Never."""
        return ""

    async def clip(self, shape: Shape) -> bytes:
        """The mp4."""
        form = (*shape.size, shape.duration, shape.audio)
        if form not in self._made:
            self._made[form] = asyncio.create_task(asyncio.to_thread(_encode, *form))
        return await asyncio.shield(self._made[form])

    async def still(self, shape: Shape) -> bytes:
        """The picture as PNG."""
        if shape.size not in self._last:
            out = io.BytesIO()
            Image.new("RGB", shape.size, "gray").save(out, "PNG")
            self._last[shape.size] = out.getvalue()
        return self._last[shape.size]

    async def aclose(self) -> None:
        """Nothing is running."""


_RATE: Final = 4
"""Frames a second of a blank clip: enough for a length, few to encode and to check."""

_SAMPLES: Final = 48_000
_BLOCK: Final = 1024  # samples an AAC frame


def _encode(width: int, height: int, seconds: int, audio: bool) -> bytes:
    """A gray clip, with silence where sound was asked for."""
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
