"""Videos whose frames carry their number, and sounds that never pause."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from PIL import Image, ImageDraw

BITS = 12
RATE = 48_000
VENDOR = {"preset": "veryfast", "crf": "20", "bf": "2", "g": "12", "x264-params": "scenecut=0"}


def picture(number: int, size: tuple[int, int] = (192, 108)) -> Image.Image:
    """Return a picture with its number as light and dark bars."""
    image = Image.new("RGB", size)
    width = size[0] // BITS
    draw = ImageDraw.Draw(image)
    for bit in range(BITS):
        if number >> bit & 1:
            draw.rectangle((bit * width, 0, bit * width + width - 1, size[1]), "white")
    return image


def number_of(image: Image.Image) -> int:
    """Return the number that a picture shows."""
    width = image.width // BITS
    grey = image.convert("L")
    lights = [grey.tobytes()[image.height // 2 * image.width + bit * width + width // 2] for bit in range(BITS)]
    return sum(1 << bit for bit, light in enumerate(lights) if light > 127)


def film(
    path: Path,
    first: int,
    count: int,
    *,
    size: tuple[int, int] = (192, 108),
    fps: int = 24,
    hertz: float | None = None,
    options: dict[str, str] = VENDOR,
    pix_fmt: str = "yuv420p",
) -> Path:
    """Write a video of the numbers from `first` on; with a tone if `hertz` is given."""
    with av.open(str(path), "w", format="mp4") as out:
        video = out.add_stream("libx264", rate=fps, options=options)
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        audio = out.add_stream("aac", rate=RATE, layout="stereo") if hertz else None
        for number in range(count):
            frame = VideoFrame.from_image(picture(first + number, size))  # type: ignore[no-untyped-call]  # PyAV
            frame.pts, frame.time_base = number, Fraction(1, fps)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio and hertz:
            for start in range(0, count * RATE // fps, 1024):
                samples = min(1024, count * RATE // fps - start)
                out.mux(audio.encode(tone(start, samples, hertz)))
            out.mux(audio.encode(None))
    return path


def tone(start: int, samples: int, hertz: float) -> AudioFrame:
    """Return some samples of a tone."""
    frame = AudioFrame(format="flt", layout="stereo", samples=samples)
    values = (0.5 * math.sin(2 * math.pi * hertz * (start + n) / RATE) for n in range(samples))
    frame.planes[0].update(b"".join(struct.pack("<ff", value, value) for value in values))
    frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
    return frame


def numbers(path: Path) -> list[int]:
    """Return the numbers that the frames of a video show, in order."""
    with av.open(str(path)) as container:
        pictures = (frame.to_image() for frame in container.decode(video=0))  # type: ignore[no-untyped-call]  # PyAV
        return [number_of(image) for image in pictures]


def packets(path: Path) -> list[bytes]:
    """Return the packets of a video's pictures."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def samples(path: Path) -> list[float]:
    """Return the left channel of a video's sound."""
    values: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            values += struct.unpack(f"<{frame.samples}f", bytes(frame.planes[0])[: 4 * frame.samples])
    return values
