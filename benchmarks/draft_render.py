"""Measures drafts: CPU seconds for a clip of 5 seconds, compared with encoding as many solid frames.

    uv run python -m benchmarks.draft_render [--resolutions 480p 720p 1080p] [--rounds 3]

One process and one thread, as in a worker. Each round renders everything once, in turn with its baselines: the same
encoder with the same settings at the same size, given one colour, and given the frames of the last draft, drawn before.
What is above the latter is the drawing; between the two is what it takes to encode pictures that move.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from statistics import median

import av
from PIL import Image, ImageDraw

from benchmarks.kit import circumstances, note, table
from reconciler.media.draft import render as drafts
from reconciler.media.draft.pictures import pictures, size_of
from reconciler.media.draft.planes import Planes
from reconciler.media.draft.render import render
from reconciler.media.draft.scene import FPS, Scene, Size, frame_size, read_scene
from reconciler.providers.base import Job, MediaRef, Mode
from reconciler.providers.draft.dialect import Draft

SECONDS = 5
BARE = "solid frames, encoded"
SAME = "the frames of first to last, encoded"
PAIR = "draft: first to last frame"
_MODES = (Mode.TEXT, Mode.FIRST_FRAME, Mode.FRAMES)
_X264 = {"preset": "veryfast", "crf": "20", "g": str(FPS), "threads": "1"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure drafts against bare encoding.")
    parser.add_argument("--resolutions", nargs="+", default=["480p", "720p", "1080p"])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    print(circumstances())
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        stills = [_still(Path(folder) / f"{name}.png", name) for name in ("navy", "maroon")]
        work = {resolution: _work(resolution, stills, Path(folder) / "out.mp4") for resolution in asked.resolutions}
        seconds = _measure(work, asked.rounds)
    print(f"Medians of {asked.rounds} rounds; CPU seconds for a clip of {SECONDS} s at {FPS} frames a second, 16:9.\n")
    print(_table(seconds))


def _work(resolution: str, stills: Sequence[Path], target: Path) -> dict[str, Callable[[], None]]:
    card, still, pair = (_scene(resolution, stills[:count]) for count in range(3))

    def rendered(scene: Scene) -> Callable[[], None]:
        return lambda: render(scene, target, lambda done, of: None)

    drawn = cache(partial(_drawn, pair))

    return {
        BARE: lambda: _encode(frame_size(card, None), target),
        "draft: a card, no picture": rendered(card),
        "draft: a still, push-in": rendered(still),
        SAME: lambda: drafts._encode(iter(drawn()), target, pair, frame_size(pair, None), lambda done, of: None),
        PAIR: rendered(pair),
    }


def _drawn(scene: Scene) -> list[Planes]:
    """Return the frames of a draft, as they go to the encoder."""
    stage, caption = drafts._stage_and_caption(scene, stills := pictures(scene), frame_size(scene, size_of(stills[0])))
    return list(drafts._frames(stage, caption, scene.frames))


def _scene(resolution: str, pictures: Sequence[Path]) -> Scene:
    refs = [MediaRef("file", str(path)) for path in pictures]
    job = Job(
        model=Draft().models[0],
        mode=_MODES[len(refs)],
        prompt="A slow push-in over misty mountains at sunrise, soft rain on the old harbour",
        duration=SECONDS,
        resolution=resolution,
        ratio="16:9",
        label="benchmark",
        key="v1:benchmark",
        first_frame=refs[0] if refs else None,
        last_frame=refs[1] if len(refs) > 1 else None,
    )
    return read_scene(Draft().submit(job).body)


def _still(path: Path, colour: str) -> Path:
    """Write a picture with edges, so that a camera move is visible."""
    picture = Image.new("RGB", (1920, 1080), colour)
    draw = ImageDraw.Draw(picture)
    for step in range(0, 1920, 60):
        draw.line((step, 0, 1920 - step, 1080), fill=(step % 256, 200, 255 - step % 256), width=9)
    picture.save(path)
    return path


def _encode(size: Size, target: Path) -> None:
    with av.open(str(target), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=FPS, options=_X264)
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, "yuv420p"
        stream.codec_context.thread_count = 1
        frame = av.VideoFrame.from_image(Image.new("RGB", (size.width, size.height), "teal")).reformat(format="yuv420p")
        frame.time_base = Fraction(1, FPS)
        for index in range(SECONDS * FPS):
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _measure(work: Mapping[str, Mapping[str, Callable[[], None]]], rounds: int) -> dict[str, dict[str, float]]:
    """Return median CPU seconds by case and resolution. The first, uncounted round loads libraries."""
    seconds: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds + 1):
        note(f"round {number} of {rounds}")
        for resolution, calls in work.items():
            for name, call in calls.items():
                began = time.process_time()
                call()
                if number:
                    seconds.setdefault(name, {}).setdefault(resolution, []).append(time.process_time() - began)
    return {name: {at: median(times) for at, times in measured.items()} for name, measured in seconds.items()}


def _table(measured: Mapping[str, Mapping[str, float]]) -> str:
    """Return the table; each cell has CPU seconds, and their ratio to the bare encoding. The last line is how fast a
    draft is beside the encoding of its own frames."""
    bare = measured[BARE]
    rows = [
        [name, *(f"{seconds:.2f} s · {seconds / bare[at]:.1f}×" for at, seconds in times.items())]
        for name, times in measured.items()
    ]
    rows.append([f"{SAME} ÷ the draft", *(f"{measured[SAME][at] / measured[PAIR][at]:.2f}" for at in bare)])
    return table(["", *bare], rows)


if __name__ == "__main__":
    main()
