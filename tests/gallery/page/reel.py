"""Small real videos for the page: a bar moves over a ground of one colour, so that every frame differs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image, ImageDraw

from reconciler.media.posters import poster

RATE = 24


@dataclass(frozen=True)
class Shot:
    colour: str
    seconds: float
    width: int = 320
    height: int = 180


SHOTS = {
    "red": Shot("#a4483c", 1.0),
    "green": Shot("#4c7a55", 1.0),
    "blue": Shot("#3f6796", 2.0),
    "tall": Shot("#8a6a9c", 1.0, 180, 320),
    "wide": Shot("#b08a3c", 1.5, 420, 180),
}


def make(folder: Path) -> None:
    """Write every shot and its poster."""
    for name, shot in SHOTS.items():
        _write(folder / f"{name}.mp4", shot)
        poster(folder / f"{name}.mp4", folder / f"{name}.jpg", 320)


def _write(path: Path, shot: Shot) -> None:
    count = round(shot.seconds * RATE)
    with av.open(str(path), "w", format="mp4", container_options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "g": "6"})
        stream.width, stream.height, stream.pix_fmt = shot.width, shot.height, "yuv420p"
        for at in range(count):
            out.mux(stream.encode(av.VideoFrame.from_image(_frame(shot, at / count))))
        out.mux(stream.encode())


def _frame(shot: Shot, part: float) -> Image.Image:
    picture = Image.new("RGB", (shot.width, shot.height), shot.colour)
    x = round(part * shot.width)
    ImageDraw.Draw(picture).rectangle((x, 0, x + 12, shot.height), "#f4f1ea")
    return picture
