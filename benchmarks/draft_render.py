"""Measures drafts: CPU seconds for a clip of 5 seconds, compared with encoding its frames.

    uv run python -m benchmarks.draft_render [--resolutions 480p 720p 1080p] [--rounds 5] [--workers 2]

So many processes do the same at the same time, each with one encoder thread, as the workers of an apply. In each round
a draft is drawn and encoded, and then its frames, drawn before, are encoded alone: by the same encoder with the same
settings. The bar is the second divided by the first; 1 would be a draft whose drawing costs nothing.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from typing import NamedTuple

from PIL import Image, ImageDraw

from benchmarks.kit import circumstances, table
from reconciler.media.draft import render as drafts
from reconciler.media.draft.pictures import pictures, size_of
from reconciler.media.draft.planes import Planes
from reconciler.media.draft.render import render
from reconciler.media.draft.scene import FPS, Scene, Size, frame_size, read_scene
from reconciler.providers.base import Job, MediaRef, Mode
from reconciler.providers.draft.dialect import Draft

SECONDS = 5
BAR = 0.3
KINDS = {"a card, no picture": 0, "a still, push-in": 1, "first to last frame": 2}
"""What is drawn, and its number of pictures."""
_MODES = (Mode.TEXT, Mode.FIRST_FRAME, Mode.FRAMES)


class Round(NamedTuple):
    """CPU seconds of one draft, and of encoding its frames alone."""

    draft: float
    encoding: float


Rounds = Mapping[tuple[str, str], Sequence[Round]]
"""By kind and resolution."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure drafts against encoding their frames.")
    parser.add_argument("--resolutions", nargs="+", default=["480p", "720p", "1080p"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args(arguments)
    print(circumstances())
    spawning = multiprocessing.get_context("spawn")
    together, answers = spawning.Barrier(asked.workers), spawning.Queue()
    work = (asked.resolutions, asked.rounds, together, answers)
    workers = [spawning.Process(target=_work, args=work, daemon=True) for _ in range(asked.workers)]
    for worker in workers:
        worker.start()
    measured = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    print(
        f"Medians of {asked.rounds} rounds of {asked.workers} workers: CPU seconds of a draft · of encoding its frames"
    )
    print(f"alone · the second ÷ the first (bar: ≥ {BAR}). {SECONDS} s at {FPS} frames a second, 16:9.\n")
    print(_table(measured, asked.resolutions))


def _work(resolutions: Sequence[str], rounds: int, together: Barrier, answers: Queue[Rounds]) -> None:
    """Measure in this process, beside the others. The first, uncounted round loads libraries."""
    measured: dict[tuple[str, str], list[Round]] = {}
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        stills = [_still(Path(folder) / f"{name}.png", name) for name in ("navy", "maroon")]
        for number in range(rounds + 1):
            for resolution in resolutions:
                for kind, count in KINDS.items():
                    together.wait()
                    times = _measure(_scene(resolution, stills[:count]), Path(folder) / "out.mp4")
                    if number:
                        measured.setdefault((kind, resolution), []).append(times)
    answers.put(measured)


def _measure(scene: Scene, target: Path) -> Round:
    draft = _cpu(lambda: render(scene, target, _silent))
    frames, size = _drawn(scene)
    return Round(draft, _cpu(lambda: drafts._encode(frames, target, scene, size, _silent)))


def _cpu(call: Callable[[], None]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def _silent(done: int, of: int) -> None:
    """Show no progress."""


def _drawn(scene: Scene) -> tuple[Iterator[Planes], Size]:
    """Return the frames of a draft, as they go to the encoder."""
    stills = pictures(scene)
    size = frame_size(scene, size_of(stills[0]) if stills else None)
    stage, caption = drafts._stage_and_caption(scene, stills, size)
    return iter(list(drafts._frames(stage, caption, scene.frames))), size


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


def _table(measured: Sequence[Rounds], resolutions: Sequence[str]) -> str:
    rows = []
    for kind in KINDS:
        cells = []
        for resolution in resolutions:
            rounds = [each for one in measured for each in one[kind, resolution]]
            draft, encoding = (median(times) for times in zip(*rounds, strict=True))
            share = median(each.encoding / each.draft for each in rounds)
            cells.append(f"{draft:.2f} s · {encoding:.2f} s · {share:.2f}")
        rows.append([kind, *cells])
    return table(["", *resolutions], rows)


if __name__ == "__main__":
    main()
