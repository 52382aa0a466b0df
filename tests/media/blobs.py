"""Videos of soft shapes under a moving camera: pictures that differ from seed to seed, as those of real clips do."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image, ImageFilter


def blobs(seed: int, size: tuple[int, int]) -> Image.Image:
    """A picture of soft shapes, which nothing but its seed decides."""
    rng = random.Random(seed)
    rough = Image.frombytes("RGB", (12, 8), rng.randbytes(12 * 8 * 3))
    return rough.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(3))


def film(path: Path, seed: int, count: int = 48, **options: str) -> Path:
    """A camera that moves over such a picture, two seconds long."""
    wide = blobs(seed, (640, 360))
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=24, options={"preset": "ultrafast", **options})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(count):
            corner = 2 * number, number
            picture = wide.crop((*corner, corner[0] + 480, corner[1] + 270)).resize((320, 180))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, 24)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def again(source: Path, target: Path, *, size: tuple[int, int] = (320, 180), skip: int = 0, crf: str = "28") -> Path:
    """The same pictures, encoded again: smaller, worse, or without the first ones."""
    with av.open(str(source)) as video, av.open(str(target), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=24, options={"preset": "ultrafast", "crf": crf})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number, frame in enumerate(video.decode(video=0)):
            if number >= skip:
                scaled = frame.reformat(*size, format="yuv420p")
                scaled.pts, scaled.time_base = number - skip, Fraction(1, 24)
                out.mux(stream.encode(scaled))
        out.mux(stream.encode(None))
    return target
