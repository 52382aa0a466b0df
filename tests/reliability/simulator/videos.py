"""Tiny real videos, made once a run."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
from PIL import Image


@cache
def tiny(seconds: int, size: tuple[int, int] = (32, 18)) -> bytes:
    """A whole mp4 of two kilobytes or little more: two frames a second, no sound, index first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.mp4"
        _write(path, seconds, size)
        return path.read_bytes()


def _write(path: Path, seconds: int, size: tuple[int, int]) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", container_options=options) as out:
        video = out.add_stream("libx264", rate=2, options={"threads": "1"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        for index in range(2 * seconds):
            still = av.VideoFrame.from_image(Image.new("RGB", size, (40 * index, 10, 10)))
            frame = still.reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 2)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
